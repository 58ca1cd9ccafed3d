// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number

package dynamodb

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Limits of a number: 38 significant digits, magnitudes from 1e-130 to
// 9.99…e125.
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

// decimal is a number taken apart: 0.d1d2d3… × 10^(exp+1), so that exp is the
// exponent of the first digit. Zero has no digits.
type decimal struct {
	neg    bool
	digits string // significant digits, no zeros at either end
	exp    int
}

// parseDecimal reads a number as clients may write it and checks its limits.
func parseDecimal(s string) (decimal, error) {
	var d decimal
	rest := s
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		d.neg = rest[0] == '-'
		rest = rest[1:]
	}
	mantissa, exponent, hasExp := rest, 0, false
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa, hasExp = rest[:i], true
		var err error
		if exponent, err = parseExponent(rest[i+1:]); err != nil {
			return d, notNumeric(s)
		}
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	if len(whole)+len(frac) == 0 || !allDigits(whole) || !allDigits(frac) {
		return d, notNumeric(s)
	}
	digits := whole
	if frac != "" {
		digits += frac
	}
	significant := strings.TrimLeft(digits, "0")
	d.exp = len(whole) - 1 - (len(digits) - len(significant))
	if hasExp {
		d.exp += exponent
	}
	d.digits = strings.TrimRight(significant, "0")
	return d.check()
}

func (d decimal) check() (decimal, error) {
	zero := d.digits == ""
	if zero {
		d.exp++ // its last digit counts, as if it were significant
	}
	switch {
	case len(d.digits) > maxDigits:
		return d, validation("Attempting to store more than 38 significant digits in a Number")
	case d.exp > maxExponent:
		return d, errOverflow
	case d.exp < minExponent:
		return d, errUnderflow
	case zero:
		return decimal{}, nil
	}
	return d, nil
}

var (
	errOverflow  = validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
	errUnderflow = validation("Number underflow. Attempting to store a number with magnitude smaller than supported range")
)

// parseExponent reads what follows an e, a number of 64 bits. Exponents far
// beyond the range of a number are cut, so that they cannot overflow an int.
func parseExponent(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, err
	}
	return int(min(max(n, -1_000_000), 1_000_000)), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func notNumeric(s string) error {
	return validation("The parameter cannot be converted to a numeric value: " + s)
}

// normalNumber gives a number as DynamoDB prints it: no exponent, no zeros that
// do not count, no sign of zero.
func normalNumber(s string) (string, error) {
	if isPlainInteger(s) {
		return s, nil
	}
	d, err := parseDecimal(s)
	if err != nil {
		return "", err
	}
	return d.String(), nil
}

// isPlainInteger says that s is already normal; it saves the work for what most
// numbers are.
func isPlainInteger(s string) bool {
	if s == "" || len(s) > 18 || !allDigits(s) {
		return false
	}
	return s[0] != '0' || len(s) == 1
}

// String gives the number without an exponent.
func (d decimal) String() string {
	if d.digits == "" {
		return "0"
	}
	var b strings.Builder
	if d.neg {
		b.WriteByte('-')
	}
	switch n := len(d.digits); {
	case d.exp < 0:
		b.WriteString("0.")
		b.WriteString(zeros(-d.exp - 1))
		b.WriteString(d.digits)
	case d.exp+1 >= n:
		b.WriteString(d.digits)
		b.WriteString(zeros(d.exp + 1 - n))
	default:
		b.WriteString(d.digits[:d.exp+1])
		b.WriteByte('.')
		b.WriteString(d.digits[d.exp+1:])
	}
	return b.String()
}

func zeros(n int) string { return strings.Repeat("0", n) }

// mustDecimal takes a normal number apart.
func mustDecimal(normal string) decimal {
	d, _ := parseDecimal(normal)
	return d
}

// compareNumbers compares two normal numbers.
func compareNumbers(a, b string) int {
	if a == b {
		return 0
	}
	x, y := mustDecimal(a), mustDecimal(b)
	if xs, ys := x.sign(), y.sign(); xs != ys {
		return xs - ys
	}
	c := x.exp - y.exp
	if c == 0 {
		c = strings.Compare(x.digits, y.digits)
	}
	if x.neg {
		return -c
	}
	return c
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.neg:
		return -1
	}
	return 1
}

// exact has room for any sum of two numbers: their digits span 10^125 to
// 10^-167, so nothing is rounded before the limit of 38 digits is checked.
var exact = apd.BaseContext.WithPrecision(400)

// addNumbers gives a+b, or a-b, of two normal numbers.
func addNumbers(a, b string, subtract bool) (string, error) {
	var x, y, sum apd.Decimal
	if _, _, err := x.SetString(a); err != nil {
		return "", notNumeric(a)
	}
	if _, _, err := y.SetString(b); err != nil {
		return "", notNumeric(b)
	}
	op := exact.Add
	if subtract {
		op = exact.Sub
	}
	if _, err := op(&sum, &x, &y); err != nil {
		return "", notNumeric(a)
	}
	if sum.IsZero() { // of any number of places
		return "0", nil
	}
	d, err := parseDecimal(sum.Text('f'))
	switch {
	case len(d.digits) > maxDigits:
		return "", errOverflow // as AWS says of 1e50+1
	case err != nil:
		return "", err
	}
	return d.String(), nil
}

// numberSize is what a normal number counts in an item's size: a byte for every
// two significant digits before the point, another for every two behind it, one
// more, and one for the sign. Measured on AWS: 123456 counts 4, 3.14159 counts 5.
func numberSize(normal string) int {
	d := mustDecimal(normal)
	whole := min(max(d.exp+1, 0), len(d.digits))
	size := 1 + (whole+1)/2 + (len(d.digits)-whole+1)/2
	if d.neg {
		size++
	}
	return size
}
