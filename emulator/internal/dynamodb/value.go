// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html

package dynamodb

import (
	"encoding/base64"
	"slices"
	"strings"
)

// kind is the type of an attribute value, spelled as on the wire.
type kind string

const (
	kindString    kind = "S"
	kindNumber    kind = "N"
	kindBinary    kind = "B"
	kindStringSet kind = "SS"
	kindNumberSet kind = "NS"
	kindBinarySet kind = "BS"
	kindList      kind = "L"
	kindMap       kind = "M"
	kindNull      kind = "NULL"
	kindBool      kind = "BOOL"
)

// maxNesting is how many levels an attribute may have: its own value is on the
// first, and what lies in 31 lists and maps on the last.
const maxNesting = 32

// value is an attribute value. It is never changed once others can see it.
type value struct {
	kind kind
	flag bool    // BOOL
	text string  // S, the bytes of B, or N as normalNumber gives it
	list []value // L; the members of a set, in order
	item item    // M
}

// attribute is a value with its name.
type attribute struct {
	name  string
	value value
}

// item is a set of attributes, in order of their names.
type item []attribute

func compareNames(a attribute, name string) int { return strings.Compare(a.name, name) }

// get finds an attribute's value.
func (it item) get(name string) (value, bool) {
	i, ok := slices.BinarySearchFunc(it, name, compareNames)
	if !ok {
		return value{}, false
	}
	return it[i].value, true
}

// with gives the item with an attribute set. It may write to it.
func (it item) with(name string, v value) item {
	i, ok := slices.BinarySearchFunc(it, name, compareNames)
	if ok {
		it[i].value = v
		return it
	}
	return slices.Insert(it, i, attribute{name, v})
}

// without gives the item with an attribute removed. It may write to it.
func (it item) without(name string) item {
	i, ok := slices.BinarySearchFunc(it, name, compareNames)
	if !ok {
		return it
	}
	return slices.Delete(it, i, i+1)
}

// withoutAll gives the item without the attributes of some names, which are in
// order. It may write to it.
func (it item) withoutAll(names []string) item {
	return slices.DeleteFunc(it, func(a attribute) bool {
		_, gone := slices.BinarySearch(names, a.name)
		return gone
	})
}

// sorted puts attributes, which stand as they came, in order; of two with one
// name, the later counts.
func sorted(it item) item {
	slices.SortStableFunc(it, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	out := it[:0]
	for i, a := range it {
		if i+1 < len(it) && it[i+1].name == a.name {
			continue
		}
		out = append(out, a)
	}
	return out
}

// clone copies an item as deep as an update may write to it.
func (it item) clone() item {
	out := slices.Clone(it)
	for i := range out {
		out[i].value = out[i].value.clone()
	}
	return out
}

func (v value) clone() value {
	v.item = v.item.clone()
	v.list = slices.Clone(v.list)
	for i := range v.list {
		v.list[i] = v.list[i].clone()
	}
	return v
}

// within says that the value has no more than so many levels.
func (v value) within(levels int) bool {
	if levels == 0 {
		return false
	}
	deeper := func(e value) bool { return !e.within(levels - 1) }
	if v.kind == kindList && slices.ContainsFunc(v.list, deeper) {
		return false
	}
	return !slices.ContainsFunc(v.item, func(a attribute) bool { return deeper(a.value) })
}

func (v value) isSet() bool {
	return v.kind == kindStringSet || v.kind == kindNumberSet || v.kind == kindBinarySet
}

// equal compares two values of any types. Sets are equal in any order, because
// theirs is sorted.
func (v value) equal(w value) bool {
	if v.kind != w.kind || v.flag != w.flag || v.text != w.text {
		return false
	}
	return slices.EqualFunc(v.list, w.list, value.equal) && v.item.equal(w.item)
}

func (it item) equal(other item) bool {
	return slices.EqualFunc(it, other, func(a, b attribute) bool {
		return a.name == b.name && a.value.equal(b.value)
	})
}

// compare orders two values of one type among N, S and B; ok is false for any
// others.
func (v value) compare(w value) (c int, ok bool) {
	if v.kind != w.kind {
		return 0, false
	}
	switch v.kind {
	case kindNumber:
		return compareNumbers(v.text, w.text), true
	case kindString, kindBinary:
		return strings.Compare(v.text, w.text), true
	}
	return 0, false
}

// size is what the value counts in an item's size, in bytes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (v value) size() int {
	switch v.kind {
	case kindString, kindBinary:
		return len(v.text)
	case kindNumber:
		return numberSize(v.text)
	case kindList, kindMap:
		n := 3
		for _, e := range v.list {
			n += 1 + e.size()
		}
		return n + v.item.size() + len(v.item)
	case kindStringSet, kindNumberSet, kindBinarySet:
		n := 0
		for _, e := range v.list {
			n += e.size()
		}
		return n
	}
	return 1
}

func (it item) size() int {
	n := 0
	for i := range it {
		n += len(it[i].name) + it[i].value.size()
	}
	return n
}

// appendJSON appends the value as it stands on the wire.
func (v value) appendJSON(dst []byte) []byte {
	dst = append(dst, '{', '"')
	dst = append(dst, v.kind...)
	dst = append(dst, '"', ':')
	switch v.kind {
	case kindBool, kindNull:
		if v.flag {
			dst = append(dst, "true"...)
		} else {
			dst = append(dst, "false"...)
		}
	case kindList:
		dst = append(dst, '[')
		for i, e := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.appendJSON(dst)
		}
		dst = append(dst, ']')
	case kindMap:
		dst = v.item.appendJSON(dst)
	case kindStringSet, kindNumberSet, kindBinarySet:
		dst = append(dst, '[')
		for i, e := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.appendScalar(dst)
		}
		dst = append(dst, ']')
	default:
		dst = v.appendScalar(dst)
	}
	return append(dst, '}')
}

// appendScalar appends the text of a string, number or binary.
func (v value) appendScalar(dst []byte) []byte {
	switch v.kind {
	case kindNumber:
		dst = append(dst, '"')
		dst = append(dst, v.text...)
		return append(dst, '"')
	case kindBinary:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.text))
		return append(dst, '"')
	}
	return appendText(dst, v.text)
}

// appendJSON appends the item as it stands on the wire.
func (it item) appendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range it {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, it[i].name)
		dst = append(dst, ':')
		dst = it[i].value.appendJSON(dst)
	}
	return append(dst, '}')
}

// String shows the value as DynamoDB does in its error texts.
func (v value) String() string {
	switch v.kind {
	case kindBinary:
		return "{B:" + base64.StdEncoding.EncodeToString([]byte(v.text)) + "}"
	case kindString, kindNumber:
		return "{" + string(v.kind) + ":" + v.text + "}"
	}
	return string(v.appendJSON(nil))
}
