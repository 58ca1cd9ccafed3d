// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.Partitions.html

package dynamodb

import (
	"encoding/binary"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A stored key begins with a hash of the partition key, so that a scan meets
// partitions in no order, as on AWS, and can be cut into segments. Then come
// the partition key, the sort key, and, in an index, the table's own key. Each
// is written so that bytes order as values do and none is another's prefix.

// hashSize is how many bytes of hash a stored key begins with.
const hashSize = 4

// appendPartition appends a partition key and its hash.
func appendPartition(dst []byte, v value) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, hashSize)...)
	dst = appendKey(dst, v)
	h := fnv.New64a()
	h.Write(dst[start+hashSize:])
	// The upper half of FNV is well mixed only if it is folded: short keys
	// differ in their lower bits alone.
	sum := h.Sum64() * 0x9e3779b97f4a7c15
	binary.BigEndian.PutUint32(dst[start:], uint32(sum>>32))
	return dst
}

// appendKey appends the value of a key attribute: S, B or N.
func appendKey(dst []byte, v value) []byte {
	if v.kind == kindNumber {
		return appendNumberKey(dst, mustDecimal(v.text))
	}
	return append(appendKeyPrefix(dst, v.text), 0, 1)
}

// appendKeyPrefix appends a string or binary without its end: what all keys
// that begin with it begin with.
func appendKeyPrefix(dst []byte, text string) []byte {
	for {
		i := strings.IndexByte(text, 0)
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i+1]...)
		dst = append(dst, 0xff)
		text = text[i+1:]
	}
}

// A number begins with its sign.
const (
	negative = 1 + iota
	zero
	positive
)

// appendNumberKey appends the sign, the exponent, the digits two to a byte, and
// an end; all of it complemented for a negative number.
func appendNumberKey(dst []byte, d decimal) []byte {
	switch d.sign() {
	case 0:
		return append(dst, zero)
	case 1:
		dst = append(dst, positive)
	default:
		dst = append(dst, negative)
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, uint16(d.exp-minExponent))
	for i := 0; i < len(d.digits); i += 2 {
		pair := (d.digits[i] - '0') * 10
		if i+1 < len(d.digits) {
			pair += d.digits[i+1] - '0'
		}
		dst = append(dst, pair+1)
	}
	dst = append(dst, 0)
	if d.neg {
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}

// after gives the first key that is greater than every key with a prefix; nil
// if there is none.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			next := append([]byte(nil), prefix[:i+1]...)
			next[i]++
			return next
		}
	}
	return nil
}

// describeKey shows a stored key as JSON, for who has to find the item. What is
// no key is shown as it is.
func (s schema) describeKey(key []byte) string {
	rest := key[min(hashSize, len(key)):]
	var it item
	for _, a := range s.attributes() {
		var v value
		var ok bool
		if v, rest, ok = cutKey(rest, a.kind); !ok {
			return strconv.Quote(string(key))
		}
		it = append(it, attribute{a.name, v})
	}
	return string(it.appendJSON(nil))
}

// cutKey reads what appendKey has written.
func cutKey(key []byte, k kind) (v value, rest []byte, ok bool) {
	if k == kindNumber {
		d, rest, ok := cutNumberKey(key)
		return value{kind: k, text: d.String()}, rest, ok
	}
	var text []byte
	for i := 0; i+1 < len(key); i++ {
		switch {
		case key[i] != 0:
			text = append(text, key[i])
		case key[i+1] == 1:
			return value{kind: k, text: string(text)}, key[i+2:], k == kindBinary || utf8.Valid(text)
		default:
			text = append(text, 0)
			i++
		}
	}
	return value{}, nil, false
}

// cutNumberKey reads what appendNumberKey has written.
func cutNumberKey(key []byte) (d decimal, rest []byte, ok bool) {
	if len(key) == 0 || key[0] < negative || key[0] > positive {
		return d, nil, false
	}
	if key[0] == zero {
		return d, key[1:], true
	}
	var flip byte
	if d.neg = key[0] == negative; d.neg {
		flip = 0xff
	}
	var digits []byte
	for i := 3; i < len(key); i++ {
		pair := key[i] ^ flip
		if pair > 100 {
			return d, nil, false
		}
		if pair == 0 {
			d.exp = int(key[1]^flip)<<8 + int(key[2]^flip) + minExponent
			d.digits = strings.TrimRight(string(digits), "0")
			return d, key[i+1:], d.exp <= maxExponent && d.digits != ""
		}
		digits = append(digits, '0'+(pair-1)/10, '0'+(pair-1)%10)
	}
	return d, nil, false
}
