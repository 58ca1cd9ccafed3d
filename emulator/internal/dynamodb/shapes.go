// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html

package dynamodb

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:generate go run gen_shapes.go

// shapeID is an index into shapes.
type shapeID uint16

type shapeKind uint8

const (
	structureShape shapeKind = iota
	attributeValueShape
	listShape
	mapShape
	stringShape
	blobShape
	integerShape
	longShape
	booleanShape
)

// shape says what a part of an input must be, as the service's model does.
type shape struct {
	kind           shapeKind
	name           string
	members        []member // of a structure, in the order in which they are checked
	key, of        shapeID  // of a map and its values; of a list's elements
	hasMin, hasMax bool
	min, max       int64  // of a number, or of the length of anything else
	pattern        string // of a string; see nameOK
	enum           string // the values a string may have, with ", " between them
}

// member is one of a structure's.
type member struct {
	name     string
	shape    shapeID
	required bool
}

// namePattern is the only pattern in the models.
const namePattern = "[a-zA-Z0-9_.-]+"

// nameOK says whether a text satisfies namePattern. Every request has a name.
func nameOK(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isLetter(c) && !isDigit(c) && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return text != ""
}

// tableShape is the shape of a table's name, or ARN.
const tableShape = "TableArn"

// broken lists what a value must be and is not. n is a number, or the length of
// anything else; text is a string's.
func (sh *shape) broken(n int64, text string) []string {
	var must []string
	if sh.enum != "" && !slices.Contains(strings.Split(sh.enum, ", "), text) {
		must = append(must, "satisfy enum value set: ["+sh.enum+"]")
	}
	if sh.pattern != "" && !nameOK(text) {
		must = append(must, "satisfy regular expression pattern: "+sh.pattern)
	}
	what := "length"
	if sh.kind == integerShape || sh.kind == longShape {
		what = "value"
	}
	if sh.hasMin && n < sh.min {
		must = append(must, "have "+what+" greater than or equal to "+strconv.FormatInt(sh.min, 10))
	}
	if sh.hasMax && n > sh.max {
		must = append(must, "have "+what+" less than or equal to "+strconv.FormatInt(sh.max, 10))
	}
	return must
}

// brokenTable is broken for a table's name. Only CreateTable and its like want
// it to have three characters: other operations would not find the table.
func brokenTable(name string, least int64) []string {
	if name = tableOf(name); name == "" && least < 3 {
		return []string{"have length greater than or equal to 1"}
	}
	sh := shape{kind: stringShape, pattern: namePattern, hasMin: true, min: least, hasMax: true, max: 255}
	return sh.broken(int64(utf8.RuneCountInString(name)), name)
}

// inputCheck walks through an input to see whether it has the operation's shape.
type inputCheck struct {
	s      *scanner
	values bool // attribute values are looked into
	depth  int  // of attribute values
	broken bool // a constraint is not satisfied
	// repeated says that something is there more than once, so that readers
	// could differ in what counts.
	repeated bool
}

// walk checks what comes next. element says that it is in a list or map.
func (c *inputCheck) walk(id shapeID, element bool) error {
	sh, s := &shapes[id], c.s
	switch sh.kind {
	case structureShape, attributeValueShape:
		return c.structure(sh, element)
	case listShape:
		if s.peek() != '[' {
			return s.wrongShape(sh, element)
		}
	case mapShape:
		if s.peek() != '{' {
			return s.wrongShape(sh, element)
		}
	default:
		return c.scalar(sh)
	}
	n, seen := int64(0), map[string]bool(nil)
	for s.pos++; s.more(); n++ {
		if sh.kind == mapShape {
			seen = c.key(sh, s.name(), seen)
		}
		if s.null() {
			continue
		}
		if err := c.walk(sh.of, true); err != nil {
			return err
		}
	}
	c.broken = c.broken || sh.broken(n, "") != nil
	return nil
}

// key checks a key of a map, of which some have been seen. Maps of attribute
// values and texts are read into maps anyway, where the last counts.
func (c *inputCheck) key(sh *shape, key string, seen map[string]bool) map[string]bool {
	if shapes[sh.key].name == tableShape && brokenTable(key, 3) != nil {
		c.broken = true
	}
	if of := shapes[sh.of].kind; of != structureShape && of != listShape {
		return nil
	}
	if seen == nil {
		seen = map[string]bool{}
	}
	c.repeated = c.repeated || seen[key]
	seen[key] = true
	return seen
}

func (c *inputCheck) structure(sh *shape, element bool) error {
	s := c.s
	if sh.kind == attributeValueShape {
		if !c.values || c.depth > maxNesting {
			s.raw()
			return nil
		}
		c.depth++
		defer func() { c.depth-- }()
	}
	if s.peek() != '{' {
		return s.wrongShape(sh, element)
	}
	var seen uint64
	for s.pos++; s.more(); {
		i := sh.index(s.name())
		if i >= 0 && seen&(1<<i) != 0 {
			c.repeated = true
		}
		if s.null() {
			continue
		}
		if i < 0 {
			s.raw()
			continue
		}
		seen |= 1 << i
		if err := c.walk(sh.members[i].shape, false); err != nil {
			return err
		}
	}
	for i := range sh.members {
		if sh.members[i].required && seen&(1<<i) == 0 {
			c.broken = true
		}
	}
	return nil
}

// index gives the place of a member in a structure; -1 if it has none of that
// name.
func (sh *shape) index(name string) int {
	for i := range sh.members {
		if sh.members[i].name == name {
			return i
		}
	}
	return -1
}

func (c *inputCheck) scalar(sh *shape) error {
	s := c.s
	switch sh.kind {
	case stringShape, blobShape:
		if s.peek() != '"' {
			return s.wrongShape(sh, false)
		}
		if sh.kind == stringShape && sh.pattern == "" && sh.enum == "" && !sh.hasMin && !sh.hasMax {
			s.raw()
			return nil
		}
		text := s.rawText()
		if sh.kind == blobShape {
			_, err := decodeBase64(text)
			return err
		}
		if sh.name == tableShape {
			c.broken = c.broken || brokenTable(text, 3) != nil
			return nil
		}
		c.broken = c.broken || sh.broken(int64(utf8.RuneCountInString(text)), text) != nil
	case booleanShape:
		if _, err := s.bool(); err != nil {
			return s.wrongShape(sh, false)
		}
	default:
		n, err := s.integer(sh.kind == longShape)
		if err != nil {
			return s.wrongShape(sh, false)
		}
		c.broken = c.broken || sh.broken(n, "") != nil
	}
	return nil
}

// javaPackage is where DynamoDB's shapes are at home.
const javaPackage = "com.amazonaws.dynamodb.v20120810."

// javaNames are the types that scalars are converted to.
var javaNames = map[shapeKind]string{stringShape: "String", integerShape: "Integer", longShape: "Long", booleanShape: "Boolean"}

// java gives a type as DynamoDB's errors name it.
func (sh *shape) java() string {
	switch sh.kind {
	case structureShape, attributeValueShape:
		return javaPackage + sh.name
	case listShape:
		return "java.util.List<" + shapes[sh.of].java() + ">"
	case mapShape:
		return "java.util.Map<java.lang.String, " + shapes[sh.of].java() + ">"
	case blobShape:
		return "java.nio.ByteBuffer"
	}
	return "java.lang." + javaNames[sh.kind]
}

// nestedType is DynamoDB's error for a scalar where a list or map within
// another must be.
const nestedType = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class " +
	"(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')"

// wrongShape is DynamoDB's error for what comes next, which is of another type
// than the shape's.
func (s *scanner) wrongShape(sh *shape, element bool) error {
	next := s.peek()
	nested := sh.kind == listShape || sh.kind == mapShape
	structure := sh.kind == structureShape || sh.kind == attributeValueShape
	switch {
	case next == '[' && nested:
		return serialization("Unrecognized collection type " + sh.java())
	case next == '[':
		return serialization("Unrecognized collection type class " + sh.java())
	case next == '{':
		return serialization("Start of structure or map found where not expected")
	case element && nested:
		return serialization(nestedType)
	case element && structure:
		return serialization("Unexpected value type in payload")
	case nested, structure:
		return serialization("Unexpected field type")
	case sh.kind == blobShape:
		return serialization("only base-64-encoded strings are convertible to bytes")
	case sh.kind == booleanShape && next == '"':
		return serialization("Unexpected token received from parser")
	}
	return s.wrongType(javaNames[sh.kind])
}
