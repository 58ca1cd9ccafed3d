// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html

package dynamodb

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// holds says whether the condition is true of an item; a missing item is one
// without attributes.
func (c *condition) holds(it item) bool {
	switch c.op {
	case "AND":
		return !slices.ContainsFunc(c.kids, func(kid *condition) bool { return !kid.holds(it) })
	case "OR":
		return slices.ContainsFunc(c.kids, func(kid *condition) bool { return kid.holds(it) })
	case "NOT":
		return !c.kids[0].holds(it)
	}
	first, exists := c.args[0].resolve(it)
	switch c.op {
	case "attribute_exists":
		return exists
	case "attribute_not_exists":
		return !exists
	case "IN":
		return exists && slices.ContainsFunc(c.args[1:], func(o operand) bool {
			v, ok := o.resolve(it)
			return ok && first.equal(v)
		})
	}
	second, ok := c.args[1].resolve(it)
	switch {
	case c.op == "<>":
		return !exists || !ok || !first.equal(second)
	case !exists || !ok:
		return false
	case c.op == "BETWEEN":
		third, ok := c.args[2].resolve(it)
		return ok && ordered(first, ">=", second) && ordered(first, "<=", third)
	}
	return holdsFor(c.op, first, second)
}

// holdsFor evaluates an operator or function of two values.
func holdsFor(op string, a, b value) bool {
	switch op {
	case "=":
		return a.equal(b)
	case "attribute_type":
		return string(a.kind) == b.text
	case "begins_with":
		return a.kind == b.kind && (a.kind == kindString || a.kind == kindBinary) && strings.HasPrefix(a.text, b.text)
	case "contains":
		return contains(a, b)
	}
	return ordered(a, op, b)
}

func ordered(a value, op string, b value) bool {
	c, ok := a.compare(b)
	if !ok {
		return false
	}
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// contains looks for a part of a string or binary, or a member of a list or set.
func contains(a, b value) bool {
	switch a.kind {
	case kindString, kindBinary:
		return a.kind == b.kind && strings.Contains(a.text, b.text)
	}
	return slices.ContainsFunc(a.list, b.equal)
}

// resolve gives an operand's value for an item.
func (o operand) resolve(it item) (value, bool) {
	switch {
	case o.value != nil:
		return *o.value, true
	case o.fn == "size":
		v, ok := o.args[0].resolve(it)
		if !ok {
			return value{}, false
		}
		return v.length()
	}
	return it.lookup(o.path)
}

// length is what the function size gives, for strings in UTF-16. Numbers, booleans and nulls have
// none.
func (v value) length() (value, bool) {
	n := 0
	switch v.kind {
	case kindString:
		for _, r := range v.text {
			n += utf16.RuneLen(r)
		}
	case kindBinary:
		n = len(v.text)
	case kindMap:
		n = len(v.item)
	case kindList, kindStringSet, kindNumberSet, kindBinarySet:
		n = len(v.list)
	default:
		return value{}, false
	}
	return value{kind: kindNumber, text: strconv.Itoa(n)}, true
}

// names lists the attributes that the condition mentions; it may be nil.
func (c *condition) names() []string {
	var all []string
	for _, p := range c.paths(nil) {
		all = append(all, p[0].name)
	}
	return all
}

// paths appends the paths that the condition mentions; it may be nil.
func (c *condition) paths(all []path) []path {
	if c == nil {
		return all
	}
	for _, kid := range c.kids {
		all = kid.paths(all)
	}
	return operandPaths(c.args, all)
}

func operandPaths(operands []operand, all []path) []path {
	for _, o := range operands {
		if o.path != nil {
			all = append(all, o.path)
		}
		all = operandPaths(o.args, all)
	}
	return all
}
