// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html

package eventsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// filter is a pattern: what the members of an event have to be.
type filter struct {
	fields []fieldTest
	anyOf  [][]filter // of each list, one has to match: $or
}

// fieldTest is a test of one member.
type fieldTest struct {
	name   string
	within *filter // of an object
	leaf   []test  // one of them has to hold
}

// test looks at a value; there is none if there is not.
type test func(v any, there bool) bool

// maxFilter is how deep a pattern may nest.
const maxFilter = 64

// parseFilter reads a pattern. Its error says what is wrong with it, without a
// subject.
func parseFilter(pattern string) (filter, error) {
	v, err := decode([]byte(pattern))
	if err != nil {
		return filter{}, fmt.Errorf("is no JSON: %w", err)
	}
	return buildFilter(v, "", maxFilter)
}

func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the first value")
	}
	return v, nil
}

func buildFilter(v any, path string, depth int) (f filter, err error) {
	members, ok := v.(map[string]any)
	switch {
	case !ok:
		return f, fmt.Errorf("has %s where an object must be%s", show(v), at(path))
	case len(members) == 0:
		return f, fmt.Errorf("has an empty object%s", at(path))
	case depth == 0:
		return f, fmt.Errorf("nests more than %d objects", maxFilter)
	}
	for name, member := range members {
		here := strings.TrimPrefix(path+"."+name, ".")
		list, isList := member.([]any)
		switch {
		case name == "$or" && isList:
			var any []filter
			if any, err = buildOr(list, here, depth); err == nil {
				f.anyOf = append(f.anyOf, any)
			}
		case isList:
			t := fieldTest{name: name}
			if t.leaf, err = buildTests(list, here); err == nil {
				f.fields = append(f.fields, t)
			}
		default:
			var within filter
			if within, err = buildFilter(member, here, depth-1); err == nil {
				f.fields = append(f.fields, fieldTest{name: name, within: &within})
			}
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

func buildOr(list []any, path string, depth int) (all []filter, err error) {
	if len(list) < 2 {
		return nil, fmt.Errorf("has fewer than two alternatives%s", at(path))
	}
	for _, v := range list {
		f, err := buildFilter(v, path, depth-1)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return " at " + path
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil || len(text) > 60 {
		return "something else"
	}
	return string(text)
}

// match says whether the pattern fits an event.
func (f filter) match(members map[string]any) bool {
	for _, t := range f.fields {
		v, there := members[t.name]
		if t.within != nil {
			object, _ := v.(map[string]any)
			if !t.within.match(object) {
				return false
			}
		} else if !holds(t.leaf, v, there) {
			return false
		}
	}
	for _, alternatives := range f.anyOf {
		if !slices.ContainsFunc(alternatives, func(f filter) bool { return f.match(members) }) {
			return false
		}
	}
	return true
}

// holds says whether one of the tests holds for a value, or for an element of it
// if it is a list.
func holds(tests []test, v any, there bool) bool {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		list = []any{v}
	}
	return slices.ContainsFunc(tests, func(t test) bool {
		return slices.ContainsFunc(list, func(v any) bool { return t(v, there) })
	})
}
