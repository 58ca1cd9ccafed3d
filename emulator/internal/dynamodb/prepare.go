// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html

package dynamodb

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/awsjson"
)

// named is an expression with the parameter that it came in.
type named struct {
	label string
	text  *string
}

// target checks the members that operations on one table have in common, and
// finds the table.
func (e *Engine) target(r *request, c *constraints) (*table, error) {
	if r.hasTable {
		c.tableName(r.table)
	} else {
		c.require(false, nil, "tableName", "not be null")
	}
	c.oneOf(r.returnCapacity, "returnConsumedCapacity", "INDEXES", "TOTAL", "NONE")
	c.oneOf(r.returnMetrics, "returnItemCollectionMetrics", "SIZE", "NONE")
	c.oneOf(r.returnOnFailure, "returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
	if err := c.err(); err != nil {
		return nil, err
	}
	return e.find(r.table)
}

// placeholders checks the names and values of a request against the expressions
// that its operation may have, before these are parsed.
func (r *request) placeholders(expressions ...named) error {
	var missing []string
	for _, x := range expressions {
		if x.text == nil {
			missing = append(missing, x.label)
		}
	}
	if len(missing) == len(expressions) {
		switch is := " is null"; {
		case r.hasNames:
			return validation("ExpressionAttributeNames can only be specified when using expressions")
		case r.hasValues:
			if len(missing) > 1 {
				is = " are null"
			}
			return validation("ExpressionAttributeValues can only be specified when using expressions: " + strings.Join(missing, " and ") + is)
		}
		return nil
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
		if r.bind.names[placeholder] == "" {
			return validation("ExpressionAttributeNames contains invalid value: Empty attribute name for key " + placeholder)
		}
	}
	return checkPlaceholders("ExpressionAttributeValues", ':', r.bind.values)
}

func checkPlaceholders[V any](parameter string, sign byte, all map[string]V) error {
	var bad []string
	for k := range all {
		if len(k) < 2 || k[0] != sign || wordLen(k[1:]) != len(k)-1 {
			bad = append(bad, k)
		}
	}
	if bad == nil {
		return nil
	}
	return validation(parameter + ` contains invalid key: Syntax error; key: "` + slices.Min(bad) + `"`)
}

// forPlaceholder says which placeholder's value an error is about.
func forPlaceholder(err error, placeholder string) error {
	var e *awsjson.Error
	if !errors.As(err, &e) || e.Type != validateNamespace+"ValidationException" {
		return err
	}
	return validation("ExpressionAttributeValues contains invalid value: " + e.Message + " for key " + placeholder)
}

// optional parses a condition or filter, if there is one.
func (r *request) optional(label string, text *string) (*condition, error) {
	if text == nil {
		return nil, nil
	}
	return parseCondition(label, *text, &r.bind)
}

// projectionPaths parses the projection, if there is one.
func (r *request) projectionPaths() ([]path, error) {
	if r.projection == nil {
		return nil, nil
	}
	return parseProjection(*r.projection, &r.bind)
}
