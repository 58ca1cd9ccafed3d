// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html

package dynamodb

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// What DynamoDB says of constraints in the newer of its ways to check requests,
// which layers.go tells apart.
const (
	unknownReturn   = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]" // so spelled
	unknownOperator = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"                                         // so spelled
	nameTooShort    = envelope + "Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1"
	nothingToGet    = envelope + "Value at 'RequestItems' failed to satisfy constraint: Member must have length greater than or equal to 1"
	wrongMapKeys    = " failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 255, " +
		"Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: " + namePattern + "]"
)

// first is the error for what an operation looks at before all other
// constraints; nil if that is well.
func (v *violated) first(operation string, in map[string]any, body []byte) error {
	name, named := in["TableName"].(string)
	unknown := func(member, shape string) bool {
		given, ok := in[member].(string)
		return ok && shapeNamed(shape).broken(0, given) != nil
	}
	switch operation {
	case "PutItem", "UpdateItem", "DeleteItem":
		// Without a key, and far too deep, they still check the older way.
		keyless := in["Key"] == nil
		if operation == "PutItem" {
			keyless = in["Item"] == nil
		}
		if v.joins = named && keyless || deep(body, maxRequestDepth); v.joins {
			return nil
		}
		v.newer = true
		switch {
		case name == "" || brokenTable(name, 1) != nil:
		case unknown("ConditionalOperator", "ConditionalOperator"):
			return validation(envelope + unknownOperator)
		case operation == "UpdateItem" && unknown("ReturnValues", "ReturnValue"):
			return validation(envelope + unknownReturn)
		}
	case "Query":
		if name != "" && brokenTable(name, 1) == nil && unknown("ConditionalOperator", "ConditionalOperator") {
			return validation(unknownOperator)
		}
	case "BatchGetItem", "BatchWriteItem":
		return v.firstOfBatch(operation, in, body)
	}
	if named && name == "" && slices.Contains([]string{"PutItem", "UpdateItem", "DeleteItem", "GetItem", "Query"}, operation) {
		return validation(nameTooShort)
	}
	return nil
}

func shapeNamed(name string) *shape {
	return &shapes[slices.IndexFunc(shapes[:], func(sh shape) bool { return sh.name == name })]
}

// firstOfBatch looks at RequestItems and the names of tables in it. BatchGetItem
// tells of these before other members, BatchWriteItem after them and alone.
func (v *violated) firstOfBatch(operation string, in map[string]any, body []byte) error {
	items, ok := in["RequestItems"].(map[string]any)
	switch reads := operation == "BatchGetItem"; {
	case !ok:
	case len(items) == 0 && reads:
		return validation(nothingToGet)
	case len(items) == 0:
		return validation("The requestItems parameter is required for BatchWriteItem")
	case !slices.ContainsFunc(slices.Collect(maps.Keys(items)), func(name string) bool { return brokenTable(name, 3) != nil }):
	case reads:
		v.add("Value '" + cut(compact(body, "RequestItems")) + "' at 'requestItems'" + wrongMapKeys)
		v.tablesSeen = true
	default:
		for _, m := range shapes[inputs[operation]].members {
			if m.name != "RequestItems" {
				v.member(m, in[m.name], nil)
			}
		}
	}
	return v.err()
}

// namesFirst is the error for an item, as it was sent, that has empty names, or
// nests too deep: the names of its attributes count before how deep it nests, and
// names within them after that.
func namesFirst(sent []byte) error {
	s := &scanner{data: sent}
	s.peek()
	for s.pos++; s.more(); s.raw() {
		if s.name() == "" {
			return errNoName
		}
	}
	if deep(sent, 1+2*maxNesting) { // each level is an object in an object
		return errNesting
	}
	return errNoName
}

// compact gives a member of a JSON object as it is, but without white space.
func compact(body []byte, member string) string {
	var b bytes.Buffer
	s := &scanner{data: body}
	s.peek()
	for s.pos++; s.more(); {
		if name, raw := s.name(), s.raw(); name == member {
			b.Reset()
			json.Compact(&b, raw) // it is valid
		}
	}
	return b.String()
}

// maxRequestDepth is how deep a request may nest to be checked the newer way.
const maxRequestDepth = 128

// deep says that a JSON text has more objects and lists within each other than a
// limit.
func deep(text []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}
