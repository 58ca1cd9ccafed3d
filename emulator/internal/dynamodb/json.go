// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html

package dynamodb

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// scanner walks through a JSON text that is known to be valid. Decoding items
// by hand costs a fraction of decoding them by reflection, and every request
// carries some.
type scanner struct {
	data []byte
	pos  int
	// lasting says that data is never written to and stays as long as anyone
	// needs it: texts are parts of it then, and no copies.
	lasting bool
	stored  bool // data is an item that has been stored, whatever may be now
	way     way  // in which is told what is wrong with values
}

// scan starts on a client's JSON object, which checkInput has found to be one.
func scan(body []byte) (*scanner, error) {
	s := &scanner{data: body, lasting: true}
	if s.peek() != '{' {
		return nil, serialization("Unexpected value type in payload")
	}
	return s, nil
}

// peek gives the first byte of what comes next; 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// begin enters an object ('{') or a list ('[').
func (s *scanner) begin(open byte) error {
	if c := s.peek(); c != open {
		return s.wrongType(map[byte]string{'{': "Map", '[': "List"}[open])
	}
	s.pos++
	return nil
}

// more says that another member or element comes before the end, and leaves
// the object or list if none does.
func (s *scanner) more() bool {
	switch s.peek() {
	case '}', ']':
		s.pos++
		return false
	case ',':
		s.pos++
		s.peek()
	}
	return s.pos < len(s.data)
}

// name reads a member's name and goes to its value.
func (s *scanner) name() string {
	name := s.rawText()
	s.peek()
	s.pos++ // the colon
	s.peek()
	return name
}

// null skips a null, if one comes next.
func (s *scanner) null() bool {
	if s.peek() != 'n' {
		return false
	}
	s.pos += len("null")
	return true
}

// text reads a string.
func (s *scanner) text() (string, error) {
	if s.peek() != '"' {
		return "", s.wrongType("String")
	}
	return s.rawText(), nil
}

func (s *scanner) rawText() string {
	s.peek()
	start := s.pos
	plain := true
	for s.pos++; s.pos < len(s.data) && s.data[s.pos] != '"'; s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '\\':
			plain = false
			s.pos++
		case c >= utf8.RuneSelf:
			plain = false
		}
	}
	s.pos++
	switch text := s.data[start+1 : s.pos-1]; {
	case plain && s.lasting:
		return unsafe.String(unsafe.SliceData(text), len(text))
	case plain:
		return string(text)
	}
	var text string
	if json.Unmarshal(s.data[start:s.pos], &text) != nil {
		return "" // not for valid JSON
	}
	return text
}

// bool reads true or false, which may also stand in a string.
func (s *scanner) bool() (bool, error) {
	switch s.peek() {
	case 't':
		s.pos += len("true")
		return true, nil
	case 'f':
		s.pos += len("false")
		return false, nil
	case '"':
		start := s.pos
		switch strings.ToUpper(s.rawText()) {
		case "TRUE", "YES", "1":
			return true, nil
		case "FALSE", "NO", "0":
			return false, nil
		}
		s.pos = start
	}
	return false, s.wrongType("Boolean")
}

// int reads an integer that fits 32 bits.
func (s *scanner) int() (int, error) {
	n, err := s.integer(false)
	return int(n), err
}

// integer reads an integer of 32 or 64 bits. A fraction is cut off.
func (s *scanner) integer(long bool) (int64, error) {
	start := s.pos
	bits, want := 32, "Integer"
	if long {
		bits, want = 64, "Long"
	}
	if c := s.peek(); c == '-' || isDigit(c) {
		if n, ok := parseInteger(string(s.raw()), bits); ok {
			return n, nil
		}
		s.pos = start
	}
	return 0, s.wrongType(want)
}

// parseInteger gives the whole part of a number, if it fits.
func parseInteger(text string, bits int) (n int64, ok bool) {
	if n, err := strconv.ParseInt(text, 10, bits); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if limit := math.Ldexp(1, bits-1); err != nil || f < -limit || f >= limit {
		return 0, false
	}
	return int64(math.Floor(f)), true
}

// raw skips a value and gives its text.
func (s *scanner) raw() []byte {
	s.peek()
	start := s.pos
	for depth := 0; s.pos < len(s.data); {
		switch s.data[s.pos] {
		case '"':
			s.skipText()
		case '{', '[':
			depth++
			s.pos++
		case '}', ']':
			depth--
			s.pos++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.pos++
		default:
			s.skipLiteral()
		}
		if depth == 0 {
			break
		}
	}
	return s.data[start:s.pos]
}

func (s *scanner) skipText() {
	for s.pos++; s.pos < len(s.data) && s.data[s.pos] != '"'; s.pos++ {
		if s.data[s.pos] == '\\' {
			s.pos++
		}
	}
	s.pos++
}

func (s *scanner) skipLiteral() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return
		}
		s.pos++
	}
}

// wrongType is DynamoDB's error for a scalar of another type than the wanted.
// It says less of others: wrongShape does.
func (s *scanner) wrongType(want string) error {
	token := "NUMBER_VALUE"
	switch s.peek() {
	case '{', '[':
		return serialization("Start of structure or map found where not expected")
	case '"':
		token = "STRING_VALUE"
	case 't':
		token = "TRUE_VALUE"
	case 'f':
		token = "FALSE_VALUE"
	case 'n':
		token = "NULL_VALUE"
	default:
		if start := s.pos; bytes.ContainsAny(s.raw(), ".eE") {
			token = "DECIMAL_VALUE"
			s.pos = start
		}
	}
	return serialization(token + " cannot be converted to " + want)
}

const hexDigits = "0123456789abcdef"

// appendText appends a string as JSON. s is valid UTF-8.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		if c == '"' || c == '\\' {
			dst = append(dst, '\\', c)
		} else {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
