package template

import (
	"slices"
	"strconv"
	"strings"
)

type kind int

const (
	broken kind = iota // could not be resolved; the reason is reported
	null
	text
	number
	boolean
	list
	object
)

// String names the kind as an error message does.
func (k kind) String() string {
	return [...]string{"nothing", "null", "a string", "a number", "true or false", "a list", "a map"}[k]
}

// A node is a value of the template with its line. Short intrinsics stand in it
// in their long form. A node is never changed once it is made, but for its index.
type node struct {
	kind   kind
	line   int
	text   string // of a text, number or boolean, as CloudFormation writes it
	items  []*node
	fields []field        // in template order, names unique
	index  map[string]int // of large objects, by name; made when it is first needed
}

type field struct {
	name  string
	line  int // of the name
	value *node
}

func textNode(line int, s string) *node       { return &node{kind: text, line: line, text: s} }
func listNode(line int, items ...*node) *node { return &node{kind: list, line: line, items: items} }
func brokenNode(line int) *node               { return &node{kind: broken, line: line} }

func textList(line int, items []string) *node {
	n := listNode(line)
	for _, s := range items {
		n.items = append(n.items, textNode(line, s))
	}
	return n
}

// get returns the field's value, or nil; the node may be nil or no object.
func (n *node) get(name string) *node {
	if f := n.field(name); f != nil {
		return f.value
	}
	return nil
}

func (n *node) field(name string) *field {
	if n == nil || n.kind != object {
		return nil
	}
	const large = 32
	if len(n.fields) > large {
		if i, ok := n.indexed()[name]; ok {
			return &n.fields[i]
		}
		return nil
	}
	i := slices.IndexFunc(n.fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &n.fields[i]
}

// indexed finds the fields of a large object, which would take long one by one.
func (n *node) indexed() map[string]int {
	if n.index == nil {
		n.index = make(map[string]int, len(n.fields))
		for i, f := range n.fields {
			n.index[f.name] = i
		}
	}
	return n.index
}

// names returns the names of an object's fields.
func (n *node) names() []string {
	var names []string
	if n != nil {
		for _, f := range n.fields {
			names = append(names, f.name)
		}
	}
	return names
}

func (n *node) isScalar() bool { return n.kind == text || n.kind == number || n.kind == boolean }

// scalar returns a text, number or boolean as a string.
func (n *node) scalar() (string, bool) {
	if n == nil || !n.isScalar() {
		return "", false
	}
	return n.text, true
}

// integer returns a number, or a text that is one, as CloudFormation takes it.
func (n *node) integer() (int, bool) {
	if n == nil || n.kind != number && n.kind != text {
		return 0, false
	}
	i, err := strconv.Atoi(n.text)
	return i, err == nil
}

// truth returns a boolean, or a text that is one.
func (n *node) truth() (value, ok bool) {
	if n == nil || n.kind != boolean && n.kind != text {
		return false, false
	}
	switch strings.ToLower(n.text) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// nodeWeight is what a node counts for where bytes are counted: it takes more
// than one.
const nodeWeight = 16

// weight says how much of the memory and the time that spend bounds a result
// takes where it is used: all of a list may be copied or compared there.
func (n *node) weight() int {
	if n.isScalar() {
		return len(n.text)
	}
	weight := nodeWeight
	for _, item := range n.items {
		weight += nodeWeight + item.weight()
	}
	for _, f := range n.fields {
		weight += nodeWeight + f.value.weight()
	}
	return weight
}

// size counts the node and all within.
func (n *node) size() int {
	size := 1
	for _, item := range n.items {
		size += item.size()
	}
	for _, f := range n.fields {
		size += f.value.size()
	}
	return size
}

// intrinsic returns the function's name and argument if the node is an
// intrinsic: an object whose only field is Ref or Fn::….
func (n *node) intrinsic() (string, *node, bool) {
	if n == nil || n.kind != object || len(n.fields) != 1 {
		return "", nil, false
	}
	f := n.fields[0]
	return f.name, f.value, isFunction(f.name)
}

// equal compares two resolved nodes as Fn::Equals does: scalars by their text.
func equal(a, b *node) bool {
	if a.isScalar() && b.isScalar() {
		return a.text == b.text
	}
	if a.kind != b.kind || len(a.fields) != len(b.fields) {
		return false
	}
	for _, f := range a.fields {
		other := b.get(f.name)
		if other == nil || !equal(f.value, other) {
			return false
		}
	}
	return slices.EqualFunc(a.items, b.items, equal)
}
