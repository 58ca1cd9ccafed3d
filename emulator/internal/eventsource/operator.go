// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax

package eventsource

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// buildTests reads the list of what a value may be.
func buildTests(list []any, path string) (tests []test, err error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("has an empty list%s", at(path))
	}
	for _, v := range list {
		var t test
		switch v := v.(type) {
		case map[string]any:
			t, err = buildOperator(v, path)
		case []any:
			err = fmt.Errorf("has a list in a list%s", at(path))
		default:
			t = equals(v)
		}
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	return tests, nil
}

// equals is the test for a scalar.
func equals(want any) test {
	return func(v any, there bool) bool { return there && same(v, want) }
}

// same compares scalars, numbers by their value.
func same(a, b any) bool {
	x, ok := number(a)
	y, also := number(b)
	if ok && also {
		return x == y
	}
	switch a.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// buildOperator reads an operator, such as {"prefix": "a"}.
func buildOperator(members map[string]any, path string) (test, error) {
	if len(members) != 1 {
		return nil, fmt.Errorf("has an operator with %d members%s; give one", len(members), at(path))
	}
	for name, operand := range members {
		text, isText := operand.(string)
		switch {
		case name == "exists":
			want, ok := operand.(bool)
			if !ok {
				return nil, fmt.Errorf("has exists: %s%s; give true or false", show(operand), at(path))
			}
			return exists(want), nil
		case name == "anything-but":
			return buildAnythingBut(operand, path)
		case name == "numeric":
			return buildNumeric(operand, path)
		case textOperators[name] == nil:
			return nil, fmt.Errorf("has the operator %q%s; there are anything-but, equals-ignore-case, exists, numeric, prefix and suffix", name, at(path))
		case !isText:
			return nil, fmt.Errorf("has %s: %s%s; give a string", name, show(operand), at(path))
		}
		return textTest(name, text), nil
	}
	return nil, nil // not reached: there is one member
}

// exists looks for a value that is no object, as the operator knows no others.
func exists(want bool) test {
	return func(v any, there bool) bool {
		_, object := v.(map[string]any)
		return want == (there && !object)
	}
}

var textOperators = map[string]func(s, operand string) bool{
	"prefix":             strings.HasPrefix,
	"suffix":             strings.HasSuffix,
	"equals-ignore-case": strings.EqualFold,
}

func textTest(operator, operand string) test {
	f := textOperators[operator]
	return func(v any, _ bool) bool {
		s, ok := v.(string)
		return ok && f(s, operand)
	}
}

// buildAnythingBut reads what a value that is there may not be: a scalar, some
// of them, or what fits an operator.
func buildAnythingBut(operand any, path string) (test, error) {
	var not test
	switch o := operand.(type) {
	case map[string]any:
		t, err := buildOperator(o, path)
		if err != nil {
			return nil, err
		}
		not = t
	case []any:
		tests, err := buildTests(o, path)
		if err != nil {
			return nil, err
		}
		not = func(v any, there bool) bool {
			return slices.ContainsFunc(tests, func(t test) bool { return t(v, there) })
		}
	default:
		not = equals(o)
	}
	return func(v any, there bool) bool {
		_, object := v.(map[string]any)
		return there && !object && !not(v, there)
	}, nil
}

var comparisons = map[string]func(a, b float64) bool{
	"=":  func(a, b float64) bool { return a == b },
	"<":  func(a, b float64) bool { return a < b },
	"<=": func(a, b float64) bool { return a <= b },
	">":  func(a, b float64) bool { return a > b },
	">=": func(a, b float64) bool { return a >= b },
}

// buildNumeric reads comparisons, such as [">", 0, "<=", 5]. They are of
// numbers in JSON; the numbers of DynamoDB are strings there.
func buildNumeric(operand any, path string) (test, error) {
	list, _ := operand.([]any)
	if len(list) != 2 && len(list) != 4 {
		return nil, fmt.Errorf("has numeric: %s%s; give one or two comparisons, such as [\">\", 0, \"<=\", 5]", show(operand), at(path))
	}
	var tests []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		name, _ := list[i].(string)
		compare := comparisons[name]
		limit, ok := number(list[i+1])
		if compare == nil || !ok {
			return nil, fmt.Errorf("has the comparison %s %s%s; give one of = < <= > >= and a number", show(list[i]), show(list[i+1]), at(path))
		}
		tests = append(tests, func(n float64) bool { return compare(n, limit) })
	}
	return func(v any, _ bool) bool {
		n, ok := number(v)
		return ok && !slices.ContainsFunc(tests, func(f func(float64) bool) bool { return !f(n) })
	}, nil
}
