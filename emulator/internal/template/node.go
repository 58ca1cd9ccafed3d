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
// in their long form. A node is never changed once it is made.
type node struct {
	kind   kind
	line   int
	text   string // of a text, number or boolean, as CloudFormation writes it
	items  []*node
	fields []field // in template order, names unique
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
	i := slices.IndexFunc(n.fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &n.fields[i]
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
