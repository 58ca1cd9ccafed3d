// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html

package dynamodb

import (
	"maps"
	"slices"
	"strings"
)

// parameter is one of a request that may hold an expression.
type parameter struct {
	label string
	text  *string // nil: it is not given
}

// placeholders checks the names and values of a request against the expressions
// that its operation may have, before these are parsed.
func (r *request) placeholders(expressions ...parameter) error {
	if !r.hasNames && !r.hasValues {
		return nil
	}
	has := func(x parameter) bool { return x.text != nil }
	isProjection := func(x parameter) bool { return x.label == "ProjectionExpression" }
	if r.hasNames && !slices.ContainsFunc(expressions, has) {
		return validation("ExpressionAttributeNames can only be specified when using expressions")
	}
	withValues := slices.DeleteFunc(slices.Clone(expressions), isProjection) // a projection has none
	if r.hasValues && len(withValues) > 0 && !slices.ContainsFunc(withValues, has) {
		is, labels := " is null", []string{}
		const text = "ExpressionAttributeValues can only be specified when using expressions"
		if r.way == newer && withValues[len(withValues)-1].label == "ConditionExpression" {
			return validation(text)
		}
		for _, x := range withValues {
			labels = append(labels, x.label)
		}
		if len(labels) > 1 {
			is = " are null"
		}
		return validation(text + ": " + strings.Join(labels, " and ") + is)
	}
	r.bind.usedNames, r.bind.usedValues = map[string]bool{}, map[string]bool{}
	if r.hasNames && len(r.bind.names) == 0 {
		return validation("ExpressionAttributeNames must not be empty")
	}
	if r.hasValues && len(r.bind.values) == 0 {
		return validation("ExpressionAttributeValues must not be empty")
	}
	if err := checkPlaceholders("ExpressionAttributeNames", '#', r.bind.names); err != nil {
		return err
	}
	for _, placeholder := range slices.Sorted(maps.Keys(r.bind.names)) {
		if err := checkName(r.bind.names[placeholder]); err != nil {
			return r.way.forName(err, placeholder)
		}
	}
	if err := checkPlaceholders("ExpressionAttributeValues", ':', r.bind.values); err != nil {
		return err
	}
	if r.invalidValue != nil {
		return r.invalidValue
	}
	return r.bind.checkSize()
}

// maxPlaceholder is how long a placeholder may be, in bytes, with its sign.
const maxPlaceholder = 255

func checkPlaceholders[V any](parameter string, sign byte, all map[string]V) error {
	var bad []string
	for k := range all {
		if len(k) > maxPlaceholder || len(k) < 2 || k[0] != sign || wordLen(k[1:]) != len(k)-1 {
			bad = append(bad, k)
		}
	}
	if bad == nil {
		return nil
	}
	first, text := slices.Min(bad), parameter+" contains invalid key: "
	switch {
	case len(first) <= maxPlaceholder:
		return validation(text + `Syntax error; key: "` + first + `"`)
	case sign == '#':
		return validationf(text+"The expression attribute map contains a key that is too long; size of key: %d", len(first))
	}
	return validation(text + "The expression attribute map contains a key that is too long;") // AWS does not say how long
}

// maxBindings is how many bytes the names and values of a request may have
// together, with their placeholders.
const maxBindings = 2 << 20

func (b *bindings) checkSize() error {
	names, values := 0, 0
	for placeholder, name := range b.names {
		names += len(placeholder) + len(name)
	}
	for placeholder, v := range b.values {
		values += len(placeholder) + v.size()
	}
	switch {
	case names > maxBindings:
		return validation("ExpressionAttributeNames exceeds max size")
	case values > maxBindings:
		return validation("ExpressionAttributeValues exceeds max size")
	case names+values > maxBindings:
		return validation("Combined size of ExpressionAttributeNames and ExpressionAttributeValues exceeds max size")
	}
	return nil
}

// onlyProjection prepares a request that has no other expression.
func (r *request) onlyProjection() ([]path, error) {
	if err := r.placeholders(parameter{"ProjectionExpression", r.projection}); err != nil {
		return nil, err
	}
	paths, err := r.projectionPaths()
	if err != nil {
		return nil, err
	}
	return paths, r.bind.unused()
}

// projectionPaths parses the projection, if there is one.
func (r *request) projectionPaths() ([]path, error) {
	if r.projection == nil {
		return r.legacy.paths()
	}
	return parseProjection(*r.projection, &r.bind)
}

// startable says what is wrong with the values of ExclusiveStartKey. Some
// errors have a preamble and some do not, as on AWS.
func (r *request) startable() error {
	if r.invalidStart == nil {
		return nil
	}
	text := message(r.invalidStart)
	for _, plain := range []string{"contains duplicates", "number set", "numeric value", "significant digits", "number with magnitude"} {
		if strings.Contains(text, plain) {
			return r.invalidStart
		}
	}
	return validation("The provided starting key is invalid: " + text)
}
