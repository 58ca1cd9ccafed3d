// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html

package dynamodb

import (
	"encoding/base64"
	"fmt"
	"slices"
)

// item reads a map of attribute values.
func (s *scanner) item(depth int) (item, error) {
	if err := s.begin('{'); err != nil {
		return nil, err
	}
	const short = 32 // bytes of an attribute on the wire
	it, ordered := make(item, 0, min(8, 1+(len(s.data)-s.pos)/short)), true
	for s.more() {
		name := s.name()
		if err := checkName(name); err != nil && !s.stored {
			return nil, err
		}
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		ordered = ordered && (len(it) == 0 || it[len(it)-1].name < name)
		it = append(it, attribute{name, v})
	}
	if !ordered {
		it = sorted(it)
	}
	return it, nil
}

var errNesting = validation("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")

// errTooDeep is what is said of an item that an update makes.
var errTooDeep = validation("Nesting Levels have exceeded supported limits")

// maxNameSize is how long an attribute's name may be, in bytes.
const maxNameSize = 65535

var (
	errNoName   = validation("Empty attribute name")
	errLongName = validationf("Attribute name is too large, must be less than %d bytes", maxNameSize+1)
)

// checkName says whether an attribute can have a name. Every name that a request
// has is checked where it is read, also one that only leads to an attribute: so
// whatever an expression makes has names that can be.
func checkName(name string) error {
	switch {
	case name == "":
		return errNoName
	case len(name) > maxNameSize:
		return errLongName
	}
	return nil
}

// value reads an attribute value that lies in depth lists and maps.
func (s *scanner) value(depth int) (value, error) {
	var v value
	types := 0
	if depth == maxNesting && !s.stored {
		return v, errNesting
	}
	if !s.null() {
		if err := s.begin('{'); err != nil {
			return value{}, err
		}
		for s.more() {
			k := kind(s.name())
			if s.null() {
				continue
			}
			w, known, err := s.valueOf(k, depth)
			if err != nil {
				return value{}, err
			}
			if known {
				v = w
				types++
			}
		}
	}
	switch {
	case types == 0:
		return v, validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case types > 1:
		return v, validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	return v, nil
}

// valueOf reads the value of a type; of an unknown type, it skips it.
func (s *scanner) valueOf(k kind, depth int) (v value, known bool, err error) {
	switch k {
	case kindString, kindNumber, kindBinary:
		v, err = s.scalar(k)
	case kindStringSet, kindNumberSet, kindBinarySet:
		v, err = s.set(k)
	case kindBool:
		v.flag, err = s.bool()
	case kindNull:
		if v.flag, err = s.bool(); err == nil && !v.flag {
			err = invalidParameter("Null attribute value types must have the value of true")
		}
	case kindMap:
		v.item, err = s.item(depth + 1)
	case kindList:
		v.list, err = s.list(depth + 1)
	default:
		s.raw()
		return v, false, nil
	}
	v.kind = k
	return v, true, err
}

func (s *scanner) list(depth int) ([]value, error) {
	if err := s.begin('['); err != nil {
		return nil, err
	}
	var list []value
	for s.more() {
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// scalar reads the text of a string, number or binary.
func (s *scanner) scalar(k kind) (value, error) {
	text, err := s.text()
	if err != nil {
		return value{}, err
	}
	switch k {
	case kindNumber:
		given := text
		if text, err = normalNumber(given); err != nil && s.way == older {
			err = olderNumber(given, err)
		}
	case kindBinary:
		text, err = decodeBase64(text)
	}
	return value{kind: k, text: text}, err
}

// decodeBase64 gives the bytes of a binary.
func decodeBase64(text string) (string, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	why := ""
	switch bad := notBase64(text); {
	case len(text)%4 != 0:
		why = fmt.Sprintf("Base64 encoded length is expected a multiple of 4 bytes but found: %d", len(text))
	case bad >= 0:
		why = fmt.Sprintf("Invalid Base64 character: '%c'", text[bad])
	case err != nil:
		why = "Invalid last non-pad Base64 character dectected" // as DynamoDB spells it
	default:
		return string(b), nil
	}
	return "", serialization(why)
}

// notBase64 finds the first byte that Base64 does not have, or not there; -1 if
// there is none. The decoder passes over line ends.
func notBase64(text string) int {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '=' && (i+1 == len(text) || text[i+1] == '='):
		case c == '+' || c == '/' || c != '_' && (isLetter(c) || isDigit(c)):
		default:
			return i
		}
	}
	return -1
}

func (s *scanner) set(k kind) (value, error) {
	if err := s.begin('['); err != nil {
		return value{}, err
	}
	v := value{kind: k}
	for s.more() {
		e, err := s.scalar(k[:1])
		if err != nil {
			return value{}, err
		}
		v.list = append(v.list, e)
	}
	if len(v.list) == 0 {
		return value{}, emptySets[k]
	}
	given := slices.Clone(v.list)
	if v.list = sortSet(v.list); len(v.list) < len(given) {
		if s.way == older {
			return value{}, olderDuplicates(k, given)
		}
		return value{}, duplicates(k, given)
	}
	return v, nil
}

// emptySets are the errors for sets without members, as DynamoDB spells them.
var emptySets = map[kind]error{
	kindStringSet: invalidParameter("An string set  may not be empty"),
	kindNumberSet: invalidParameter("An number set  may not be empty"),
	kindBinarySet: invalidParameter("Binary sets should not be empty"),
}

// sortSet puts the members of a set in order and drops what is there twice.
func sortSet(members []value) []value {
	slices.SortFunc(members, func(a, b value) int {
		c, _ := a.compare(b)
		return c
	})
	return slices.CompactFunc(members, value.equal)
}
