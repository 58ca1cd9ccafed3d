// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html

package dynamodb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxViolations is how many violated constraints an error tells of.
const maxViolations = 10

// checkInput says whether a body has the shape of an operation's input and
// satisfies its constraints, and gives it as it is to be read. Into attribute
// values it does not look: they are read anyway.
func checkInput(operation string, body []byte) ([]byte, error) {
	if !json.Valid(body) {
		return nil, serialization("Unexpected token received from parser")
	}
	id, ok := inputs[operation]
	if !ok {
		return body, nil
	}
	c := inputCheck{s: &scanner{data: body, lasting: true}}
	if err := c.walk(id, true); err != nil {
		return nil, err
	}
	known := body
	if c.repeated || !slices.Contains(onItems, operation) {
		known = (&scanner{data: body, lasting: true}).appendKnown(nil, id)
	}
	if !c.broken && !c.repeated {
		return known, nil
	}
	err := violations(operation, id, known)
	if err == nil {
		return known, nil
	}
	if wrong := checkTypes(operation, body); wrong != nil {
		return nil, wrong
	}
	return nil, err
}

// checkTypes looks for a value of a wrong type anywhere in a body, which counts
// before any other mistake.
func checkTypes(operation string, body []byte) error {
	id, ok := inputs[operation]
	if !ok {
		return nil
	}
	c := inputCheck{s: &scanner{data: body, lasting: true}, values: true}
	return c.walk(id, true)
}

// checked gives an operation that is carried out on bodies of its shape only.
func checked(name string, op func([]byte) (json.RawMessage, error)) func([]byte) (json.RawMessage, error) {
	return func(body []byte) (json.RawMessage, error) {
		known, err := checkInput(name, body)
		if err != nil {
			return nil, err
		}
		out, err := op(known)
		if err != nil && (isValidation(err) || isSerialization(err)) {
			if wrong := checkTypes(name, body); wrong != nil {
				return nil, wrong
			}
		}
		return out, err
	}
}

// appendKnown appends what comes next in a form that everyone reads alike: each
// member is there once, the last counts of one that was there twice, and one of a
// structure that is null is left out, as is one that encoding/json would take for
// a member of the shape, because its name differs in the case of letters alone.
func (s *scanner) appendKnown(dst []byte, id shapeID) []byte {
	sh := &shapes[id]
	sep := ""
	switch next := s.peek(); {
	case next == '{' && (sh.kind == structureShape || sh.kind == mapShape):
		dst = append(dst, '{')
		for _, m := range s.lastMembers() {
			of, ok := sh.memberShape(m)
			if !ok {
				continue
			}
			dst = append(appendText(append(dst, sep...), m.name), ':')
			if sep = ","; of < 0 {
				dst = append(dst, m.value...)
			} else {
				dst = (&scanner{data: m.value, lasting: true}).appendKnown(dst, shapeID(of))
			}
		}
		return append(dst, '}')
	case next == '[' && sh.kind == listShape:
		dst = append(dst, '[')
		for s.pos++; s.more(); sep = "," {
			dst = s.appendKnown(append(dst, sep...), sh.of)
		}
		return append(dst, ']')
	}
	return append(dst, s.raw()...)
}

// memberShape gives the shape of a member in an object of the shape; -1 if that
// is unknown, and not ok if the member is to be left out.
func (sh *shape) memberShape(m rawMember) (of int, ok bool) {
	if sh.kind == mapShape {
		return int(sh.of), true
	}
	if i := sh.index(m.name); i >= 0 {
		return int(sh.members[i].shape), m.value[0] != 'n'
	}
	alike := func(other member) bool { return strings.EqualFold(other.name, m.name) }
	return -1, m.value[0] != 'n' && !slices.ContainsFunc(sh.members, alike)
}

// rawMember is a member of an object, with its value as it was sent.
type rawMember struct {
	name  string
	value []byte
}

// lastMembers reads an object. Of members with one name, it gives the last.
func (s *scanner) lastMembers() []rawMember {
	var all []rawMember
	at := map[string]int{}
	for s.pos++; s.more(); {
		m := rawMember{s.name(), s.raw()}
		if i, ok := at[m.name]; ok {
			all[i] = m
			continue
		}
		at[m.name] = len(all)
		all = append(all, m)
	}
	return all
}

// onItems are the operations for which a table's name need not be one that a
// table can have.
var onItems = []string{"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"}

// brief are the operations whose errors about numbers and lists that are too
// long do not show the value, and name members as they stand in the request.
var brief = []string{"Query", "BatchGetItem", "TransactGetItems", "TransactWriteItems"}

// violations is the error for an input that does not satisfy its constraints;
// nil if it does after all. A table's name counts before anything else.
func violations(operation string, id shapeID, body []byte) error {
	var in map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return serialization("Unexpected token received from parser")
	}
	v := &violated{least: 3, brief: slices.Contains(brief, operation)}
	if slices.Contains(onItems, operation) {
		v.least = 1
	}
	if err := v.first(operation, in, body); err != nil && !v.tablesSeen {
		return err
	}
	for _, m := range shapes[id].members {
		if m.name != "TableName" || !m.required || v.joins {
			continue
		}
		if in[m.name] == nil && v.least == 3 {
			return validation("The parameter 'TableName' is required but was not present in the request")
		}
		if v.member(m, in[m.name], nil); v.err() != nil {
			return v.err()
		}
	}
	v.structure(&shapes[id], in, nil)
	return v.err()
}

// violated collects what is wrong with an input.
type violated struct {
	constraints
	least      int64 // characters of a table's name
	brief      bool
	joins      bool // a table's name that is not valid is told of among the others
	newer      bool // so are unknown ReturnValues, in the newer way
	tablesSeen bool // names of tables in RequestItems have been looked at
}

func (v *violated) add(text string) {
	if len(v.constraints) < maxViolations {
		v.constraints = append(v.constraints, text)
	}
}

// note notes that a value at a path, whose names are as in the request, is not
// as it must be.
func (v *violated) note(id shapeID, value any, path []string, must []string) {
	if must == nil {
		return
	}
	shown, text := "null", false
	if value != nil {
		_, text = value.(string)
		shown = "'" + show(id, value) + "'"
	}
	for _, m := range must {
		at := shown + " at '" + memberPath(path) + "'"
		if v.newer && shapes[id].name == "ReturnValue" {
			v.add(unknownReturn)
			continue
		}
		if v.brief && !text && value != nil && (path[0] == "RequestItems" || !strings.HasPrefix(m, "have length greater")) {
			at = "at '" + strings.Join(path, ".") + "'"
		}
		v.add("Value " + at + " failed to satisfy constraint: Member must " + m)
	}
}

// memberPath gives a path as most errors have it. The keys of maps, which stand
// before "member", stay as they are.
func memberPath(path []string) string {
	out := slices.Clone(path)
	for i := range out {
		if i+1 == len(out) || out[i+1] != "member" {
			out[i] = lowerFirst(out[i])
		}
	}
	return strings.Join(out, ".")
}

func (v *violated) structure(sh *shape, value map[string]any, path []string) {
	for _, m := range sh.members {
		v.member(m, value[m.name], path)
	}
}

func (v *violated) member(m member, value any, path []string) {
	path = join(path, m.name)
	if value == nil {
		if m.required {
			v.note(m.shape, nil, path, []string{"not be null"})
		}
		return
	}
	v.value(m.shape, value, path)
}

// value checks a value that is there. It is of the right type.
func (v *violated) value(id shapeID, value any, path []string) {
	if len(v.constraints) >= maxViolations {
		return
	}
	sh := &shapes[id]
	if sh.kind == attributeValueShape {
		return
	}
	switch in := value.(type) {
	case string:
		if sh.name == tableShape {
			v.note(id, value, path, brokenTable(in, v.least))
			return
		}
		v.note(id, value, path, sh.broken(int64(utf8.RuneCountInString(in)), in))
	case json.Number:
		n, _ := parseInteger(in.String(), 64)
		v.note(id, value, path, sh.broken(n, ""))
	case []any:
		v.note(id, value, path, sh.broken(int64(len(in)), ""))
		for i, e := range in {
			v.element(sh.of, e, join(path, strconv.Itoa(i+1), "member"))
		}
	case map[string]any:
		if sh.kind == structureShape {
			v.structure(sh, in, path)
			return
		}
		v.note(id, value, path, sh.broken(int64(len(in)), ""))
		v.mapping(id, in, path)
	}
}

func (v *violated) element(id shapeID, value any, path []string) {
	if value != nil {
		v.value(id, value, path)
	}
}

// mapping checks the keys and values of a map. Those of RequestItems have
// constraints that are told of as the map's own.
func (v *violated) mapping(id shapeID, in map[string]any, path []string) {
	sh := &shapes[id]
	tables := shapes[sh.key].name == tableShape
	of := &shapes[sh.of]
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if tables && !v.tablesSeen && brokenTable(key, 3) != nil {
			v.mapConstraint(id, in, path, wrongMapKeys)
		}
		list, isList := in[key].([]any)
		if tables && isList && of.broken(int64(len(list)), "") != nil {
			v.mapConstraint(id, in, path, fmt.Sprintf(" failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to %d, "+
				"Member must have length greater than or equal to %d]", of.max, of.min))
			continue
		}
		v.element(sh.of, in[key], join(path, key, "member"))
	}
}

func (v *violated) mapConstraint(id shapeID, in map[string]any, path []string, text string) {
	v.add("Value '" + show(id, in) + "' at '" + memberPath(path) + "'" + text)
}

func join(path []string, more ...string) []string { return slices.Concat(path, more) }

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
