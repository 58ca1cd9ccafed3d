// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html

package dynamodb

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// DynamoDB is on its way from one way of checking requests to another, and tells
// of the same mistakes in other words in each. The newer one has the writes of
// one item, whose errors it puts into an envelope, and GetItem, BatchGetItem and
// Query; the older one has Scan, BatchWriteItem and the transactions. Regions
// differ; what is said here is so in most.

// way is one of the two.
type way uint8

const (
	newer way = iota
	older
)

// envelope is what errors of the newer way begin with if a write of one item is
// refused before its table is looked for.
const envelope = "1 validation error detected: "

func enveloped(err error) error {
	if !isValidation(err) {
		return err
	}
	return validation(envelope + message(err))
}

// forPlaceholder says which placeholder's value an error is about. In the newer
// way that is told of empty sets alone.
func (s *scanner) forPlaceholder(err error, placeholder string) error {
	isEmpty := func(k kind) bool { return err == emptySets[k] }
	if !isValidation(err) || s.way == newer && !slices.ContainsFunc(allKinds, isEmpty) {
		return err
	}
	return validation("ExpressionAttributeValues contains invalid value: " + message(err) + " for key " + placeholder)
}

// forName says which placeholder's name an error is about. In the newer way that
// is told of empty names alone.
func (w way) forName(err error, placeholder string) error {
	if w == newer && err != errNoName {
		return err
	}
	return validation("ExpressionAttributeNames contains invalid value: " + message(err) + " for key " + placeholder)
}

// olderNumber is the older error for a text that is no number, or none that can
// be stored: err in the newer way. There, numbers are read as Java's BigDecimal
// does, whose exponents have 32 bits and wrap.
func olderNumber(text string, err error) error {
	if text == "" {
		return validation("The parameter cannot be converted to a numeric value")
	}
	if err != errOverflow && err != errUnderflow {
		return err
	}
	mantissa, digits, _ := strings.Cut(strings.ToLower(text), "e")
	exponent, _ := strconv.ParseInt(digits, 10, 64)
	whole, frac, _ := strings.Cut(strings.TrimLeft(mantissa, "+-"), ".")
	scale := int64(len(frac)) - exponent
	if scale < math.MinInt32 || scale > math.MaxInt32 {
		return notNumeric(text)
	}
	precision := max(1, len(strings.TrimLeft(whole+frac, "0")))
	if int32(int64(precision)-scale) > 0 { // it is far out of range, on either side
		return errOverflow
	}
	return errUnderflow
}

// duplicates is the error for a set whose members, here as given, are not all
// different. It shows them sorted up to the first that has come before.
func duplicates(k kind, members []value) error {
	if k == kindNumberSet {
		return invalidParameter("Input collection contains duplicates.")
	}
	n, seen := 0, map[string]bool{}
	for ; !seen[members[n].text]; n++ {
		seen[members[n].text] = true
	}
	members = slices.Concat(sortSet(slices.Clone(members[:n])), members[n:])
	if k == kindBinarySet {
		return invalidParameter("Input collection [%s]of type BS contains duplicates.", strings.Join(texts(members), ","))
	}
	return invalidParameter("Input collection [%s] contains duplicates.", strings.Join(texts(members), ", "))
}

func olderDuplicates(k kind, members []value) error {
	plain := texts(members)
	for i := range plain {
		plain[i] = plain[i][1 : len(plain[i])-1]
	}
	switch k {
	case kindNumberSet:
		return validation("Input collection contains duplicates")
	case kindBinarySet:
		return invalidParameter("Input collection [%s]of type BS contains duplicates.", strings.Join(plain, ", "))
	}
	return invalidParameter("Input collection [%s] contains duplicates.", strings.Join(plain, ", "))
}

// texts gives scalars as JSON has them.
func texts(members []value) []string {
	all := make([]string, len(members))
	for i, m := range members {
		all[i] = string(m.appendScalar(nil))
	}
	return all
}
