// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html

package dynamodb

import (
	"slices"
	"strconv"
)

// keyTerm is one comparison of a key condition: an attribute with values.
type keyTerm struct {
	op     string
	name   string
	values []value
}

var errKeyCondition = validation("Query key condition not supported")

// rangeOf gives the range of stored keys that the terms of a key condition mean.
func rangeOf(terms []keyTerm, s schema) (from, to []byte, err error) {
	if len(terms) < 1 || len(terms) > 2 {
		return nil, nil, validation("Conditions can be of length 1 or 2 only")
	}
	var hash, sort *keyTerm
	for i := range terms {
		t := &terms[i]
		switch {
		case t.name == s.hash.name && hash == nil:
			hash = t
		case t.name == s.sort.name && sort == nil:
			sort = t
		case t.name == s.hash.name || t.name == s.sort.name:
			return nil, nil, validation("KeyConditionExpressions must only contain one condition per key")
		}
	}
	switch {
	case hash == nil:
		return nil, nil, validation("Query condition missed key schema element: " + s.hash.name)
	case sort == nil && len(terms) == 2 && s.sort.name != "":
		return nil, nil, validation("Query condition missed key schema element: " + s.sort.name)
	case sort == nil && len(terms) == 2:
		return nil, nil, errKeyCondition
	}
	for _, t := range terms {
		if !t.indexable() {
			return nil, nil, validation("Attempted conditional constraint is not an indexable operation")
		}
	}
	if hash.op != "=" {
		return nil, nil, errKeyCondition
	}
	if err := hash.check(s.hash); err != nil {
		return nil, nil, err
	}
	partition := appendPartition(nil, hash.values[0])
	if sort == nil {
		return partition, after(partition), nil
	}
	if err := sort.check(s.sort); err != nil {
		return nil, nil, err
	}
	from, to = sort.rangeIn(partition)
	return from, to, nil
}

// check says whether the values fit the key attribute.
func (t *keyTerm) check(a keyAttribute) error {
	for _, v := range t.values {
		if v.kind != a.kind {
			return invalidParameter("Condition parameter type does not match schema type")
		}
		if t.op == "begins_with" && v.text == "" {
			continue
		}
		if err := a.check(v, "Size of key value has exceeded the maximum size limit of "+strconv.Itoa(a.limit)+" bytes"); err != nil {
			return err
		}
	}
	return nil
}

// indexable says that the term means a range of keys.
func (t *keyTerm) indexable() bool {
	switch t.op {
	case "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with":
		return true
	}
	return false
}

// rangeIn gives the range of keys of a partition that a condition on the sort
// key means. In an index, further bytes follow a sort key.
func (t *keyTerm) rangeIn(partition []byte) (from, to []byte) {
	at := func(v value) []byte { return appendKey(append([]byte(nil), partition...), v) }
	first := at(t.values[0])
	switch t.op {
	case "=":
		return first, after(first)
	case "<":
		return partition, first
	case "<=":
		return partition, after(first)
	case ">":
		return after(first), after(partition)
	case ">=":
		return first, after(partition)
	case "BETWEEN":
		return first, after(at(t.values[1]))
	}
	prefix := appendKeyPrefix(append([]byte(nil), partition...), t.values[0].text)
	return prefix, after(prefix)
}

// keyTerms takes a key condition apart.
func keyTerms(c *condition) ([]keyTerm, error) {
	switch c.op {
	case "AND":
		var all []keyTerm
		for _, kid := range c.kids {
			terms, err := keyTerms(kid)
			if err != nil {
				return nil, err
			}
			all = append(all, terms...)
		}
		return all, nil
	case "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with":
	default:
		return nil, validation("Invalid operator used in KeyConditionExpression: " + c.op)
	}
	args, op := c.args, c.op
	if len(args) == 2 && args[0].value != nil && args[1].path != nil && op != "begins_with" {
		args, op = []operand{args[1], args[0]}, mirrored(op)
	}
	if err := checkKeyOperands(op, args); err != nil {
		return nil, err
	}
	t := keyTerm{op: op, name: args[0].path[0].name}
	for _, a := range args[1:] {
		t.values = append(t.values, *a.value)
	}
	return []keyTerm{t}, nil
}

// checkKeyOperands wants an attribute and values to compare it with.
func checkKeyOperands(op string, args []operand) error {
	paths := 0
	for _, a := range args {
		switch {
		case a.fn != "":
			return validation("KeyConditionExpressions cannot contain nested operations")
		case len(a.path) > 1:
			return validation("KeyConditionExpressions cannot have conditions on nested attributes")
		case a.path != nil:
			paths++
		}
	}
	const invalid = "Invalid condition in KeyConditionExpression: "
	switch {
	case args[0].path == nil && (op == "BETWEEN" || op == "begins_with"):
		return validation(invalid + op + " operator must have the key attribute as its first operand")
	case paths > 1:
		return validation(invalid + "Multiple attribute names used in one condition")
	case paths == 0:
		return validation(invalid + "No key attribute specified")
	}
	return nil
}

// mirrored gives the comparator that means the same with its sides exchanged.
func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

// parseKeyCondition reads the key condition in either of its forms.
func (r *request) parseKeyCondition() ([]keyTerm, error) {
	if r.keyCondition == nil {
		return r.legacy.keyTerms()
	}
	c, err := parseCondition("KeyConditionExpression", *r.keyCondition, &r.bind)
	if err != nil {
		return nil, err
	}
	terms, err := keyTerms(c)
	for i, t := range terms {
		if slices.ContainsFunc(terms[:i], func(u keyTerm) bool { return u.name == t.name }) {
			return nil, validation("Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key")
		}
	}
	return terms, err
}
