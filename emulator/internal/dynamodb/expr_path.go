// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.Attributes.html

package dynamodb

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// element is a step of a path: an attribute's name, or an index into a list.
type element struct {
	name  string
	index int // -1 for a name
}

// path leads to an attribute, or to a value within one.
type path []element

// maxIndex is the greatest index of a list element, and far more than an item
// can hold.
const maxIndex = 1<<31 - 1

// path reads a document path.
func (p *parser) path() (path, error) {
	first, err := p.name()
	if err != nil {
		return nil, err
	}
	out := path{{first, -1}}
	for {
		switch {
		case p.accept('.'):
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			out = append(out, element{name, -1})
		case p.accept('['):
			t := p.peek()
			if err := p.expect('0'); err != nil {
				return nil, err
			}
			index, err := strconv.Atoi(t.text)
			if err != nil || index > maxIndex {
				return nil, p.invalid("List index is not within the allowable range; index: [" + t.text + "]")
			}
			if err := p.expect(']'); err != nil {
				return nil, err
			}
			out = append(out, element{"", index})
		default:
			if len(out) > maxNesting {
				return nil, p.invalid("The document path has too many nesting elements; nesting levels: " + strconv.Itoa(len(out)))
			}
			return out, nil
		}
	}
}

// name reads an attribute's name or its placeholder.
func (p *parser) name() (string, error) {
	t := p.peek()
	switch t.kind {
	case '#':
		p.next()
		name, ok := p.bind.names[t.text]
		if !ok {
			return "", p.invalid("An expression attribute name used in the document path is not defined; attribute name: " + t.text)
		}
		p.bind.usedNames[t.text] = true
		return name, nil
	case 'a':
		if isOperator(t) {
			return "", p.syntaxError()
		}
		if isReserved(t.text) {
			return "", p.invalid("Attribute name is a reserved keyword; reserved keyword: " + t.text)
		}
		p.next()
		return t.text, nil
	}
	return "", p.syntaxError()
}

// isOperator says that the word has a meaning of its own in an expression.
func isOperator(t token) bool {
	return t.isWord("AND") || t.isWord("OR") || t.isWord("NOT") || t.isWord("IN") || t.isWord("BETWEEN")
}

// String shows the path as DynamoDB does in its error texts.
func (p path) String() string {
	parts := make([]string, len(p))
	for i, e := range p {
		if parts[i] = e.name; e.index >= 0 {
			parts[i] = "[" + strconv.Itoa(e.index) + "]"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// compare orders paths: by name, and by index as a number.
func (p path) compare(q path) int {
	return slices.CompareFunc(p, q, func(a, b element) int {
		return cmp.Or(cmp.Compare(a.index, b.index), strings.Compare(a.name, b.name))
	})
}

// checkOverlap refuses paths of which one leads through another, or that take
// one place for a map and for a list.
func (p *parser) checkOverlap(paths []path) error {
	ordered := slices.SortedStableFunc(slices.Values(paths), path.compare)
	for i := 1; i < len(ordered); i++ {
		a, b := ordered[i-1], ordered[i]
		if len(a) <= len(b) && slices.Equal(a, b[:len(a)]) {
			return p.twoPaths("overlap", paths, a, b)
		}
		j := 0
		for j < min(len(a), len(b)) && a[j] == b[j] {
			j++
		}
		if (a[j].index < 0) != (b[j].index < 0) {
			return p.twoPaths("conflict", paths, a, b)
		}
	}
	return nil
}

// twoPaths is the error for two of the paths, which it shows as they stand in the
// expression.
func (p *parser) twoPaths(what string, paths []path, a, b path) error {
	first := slices.IndexFunc(paths, func(q path) bool { return slices.Equal(q, a) || slices.Equal(q, b) })
	if !slices.Equal(paths[first], a) {
		a, b = b, a
	}
	return p.invalid("Two document paths " + what + " with each other; must remove or rewrite one of these paths; path one: " +
		a.String() + ", path two: " + b.String())
}

// lookup finds what a path leads to.
func (it item) lookup(p path) (value, bool) {
	v, ok := it.get(p[0].name)
	for _, e := range p[1:] {
		if !ok {
			return value{}, false
		}
		v, ok = v.child(e)
	}
	return v, ok
}

// child takes one step into a list or map.
func (v value) child(e element) (value, bool) {
	switch {
	case e.index < 0 && v.kind == kindMap:
		return v.item.get(e.name)
	case e.index >= 0 && v.kind == kindList && e.index < len(v.list):
		return v.list[e.index], true
	}
	return value{}, false
}
