package dynamodb

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestNormalNumber(t *testing.T) {
	t.Parallel()
	digits38 := strings.Repeat("9", 38)
	for _, tt := range []struct{ in, want string }{
		{"0", "0"}, {"-0", "0"}, {"0.000e5", "0"}, {"0e125", "0"}, {"7", "7"}, {"+7", "7"}, {"007", "7"}, {"-1.50", "-1.5"}, {".5", "0.5"}, {"5.", "5"},
		{"1e3", "1000"}, {"1E+3", "1000"}, {"12.5e-3", "0.0125"}, {"1000e-3", "1"}, {"1234567890123456789", "1234567890123456789"},
		{digits38, digits38}, {"1" + zeros(60), "1" + zeros(60)}, {"0." + zeros(60) + "1", "0." + zeros(60) + "1"},
		{"9.9999999999999999999999999999999999999e125", digits38 + zeros(88)}, {"1e-130", "0." + zeros(129) + "1"},
	} {
		got, err := normalNumber(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestNumberErrors(t *testing.T) {
	t.Parallel()
	const (
		digits    = "Validation: Attempting to store more than 38 significant digits in a Number"
		overflow  = "Validation: Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow = "Validation: Number underflow. Attempting to store a number with magnitude smaller than supported range"
		numeric   = "Validation: The parameter cannot be converted to a numeric value"
	)
	for _, tt := range []struct{ in, want string }{
		{strings.Repeat("1", 39), digits}, {"-1." + strings.Repeat("1", 38), digits}, {"1e126", overflow}, {"-1e126", overflow},
		{"1e-131", underflow}, {"1e99999999999", overflow}, {"-1e2147483648", overflow}, {"1e-99999999999", underflow}, {"1e-2147483648", underflow},
		{"1e9223372036854775808", numeric + ": 1e9223372036854775808"}, {"0e126", overflow}, {"0e-131", underflow},
		{"", numeric + ": "}, {"x", numeric + ": x"}, {"1e", numeric + ": 1e"}, {"1e1e1", numeric + ": 1e1e1"}, {"1.2.3", numeric + ": 1.2.3"},
		{".", numeric + ": ."}, {"-", numeric + ": -"}, {"--1", numeric + ": --1"}, {" 1", numeric + ":  1"}, {"NaN", numeric + ": NaN"}, {"Infinity", numeric + ": Infinity"}, {"0x1", numeric + ": 0x1"},
	} {
		got, err := normalNumber(tt.in)
		if err == nil || short(err) != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestAddNumbers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b     string
		subtract bool
		want     string // "" for an overflow
	}{
		{"1", "2", false, "3"}, {"1", "2", true, "-1"}, {"0.1", "0.2", false, "0.3"}, {"1", "1", true, "0"}, {"-5", "5", false, "0"},
		{strings.Repeat("9", 37), "1", false, "1" + zeros(37)}, {"10", "0.0000000000000000000000000000000000001", true, "9." + strings.Repeat("9", 37)},
		{strings.Repeat("9", 38), "1", false, "1" + zeros(38)}, {"1" + zeros(50), "1", false, ""}, {"1" + zeros(50), "1", true, ""}, {"1", "0." + zeros(49) + "1", false, ""},
		{"1" + zeros(38), "1", false, ""}, {"9" + zeros(125), "9" + zeros(125), false, ""},
	} {
		got, err := addNumbers(tt.a, tt.b, tt.subtract)
		if got != tt.want || tt.want != "" && err != nil || tt.want == "" && err != errOverflow {
			t.Errorf("%s, %s: got %s, %v; want %s", tt.a, tt.b, got, err, tt.want)
		}
	}
}

// ordered numbers, each less than the next.
var orderedNumbers = []string{
	"-" + strings.Repeat("9", 38) + zeros(88), "-1000", "-100.5", "-100", "-99.9", "-99", "-12", "-1.2", "-1.15", "-1.1", "-1", "-0.11", "-0.1", "-0.0" + zeros(100) + "1",
	"0", "0." + zeros(129) + "1", "0.001", "0.01", "0.099", "0.1", "0.11", "0.2", "0.9", "1", "1.0001", "1.1", "1.15", "1.2", "2", "9", "10", "10.5", "11", "99", "100", "100.5", "1000", "1" + zeros(125),
}

func TestNumberOrder(t *testing.T) {
	t.Parallel()
	for i, a := range orderedNumbers {
		for j, b := range orderedNumbers {
			want := i - j
			if c := compareNumbers(a, b); (c < 0) != (want < 0) || (c > 0) != (want > 0) {
				t.Errorf("compare %s, %s: got %d", a, b, c)
			}
			x, y := appendKey(nil, value{kind: kindNumber, text: a}), appendKey(nil, value{kind: kindNumber, text: b})
			if c := bytes.Compare(x, y); (c < 0) != (want < 0) || (c > 0) != (want > 0) {
				t.Errorf("keys of %s, %s: got %d", a, b, c)
			}
			if i != j && bytes.HasPrefix(x, y) {
				t.Errorf("key of %s begins with that of %s", a, b)
			}
		}
	}
}

func TestTextKeyOrder(t *testing.T) {
	t.Parallel()
	texts := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00b", "a\x01", "ab", "b", "ä", "\U0001F600", "\xff", "\xff\xff"}
	slices.Sort(texts)
	for i, a := range texts {
		for j, b := range texts {
			x, y := appendKey(nil, value{kind: kindBinary, text: a}), appendKey(nil, value{kind: kindBinary, text: b})
			if c := bytes.Compare(x, y); (c < 0) != (i < j) || (c == 0) != (i == j) {
				t.Errorf("keys of %q, %q: got %d", a, b, c)
			}
			prefix := appendKeyPrefix(nil, a)
			if got, want := bytes.HasPrefix(y, prefix), strings.HasPrefix(b, a); got != want {
				t.Errorf("key of %q begins with prefix %q: got %v", b, a, got)
			}
		}
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want []byte }{
		{[]byte{1, 2}, []byte{1, 3}}, {[]byte{1, 0xff}, []byte{2}}, {[]byte{0xff, 0xff}, nil}, {nil, nil},
	} {
		if got := after(tt.in); !bytes.Equal(got, tt.want) {
			t.Errorf("%v: got %v, want %v", tt.in, got, tt.want)
		}
	}
}

// TestNumberOrderRandomly compares the order of keys with that of the values
// for many pairs that lie close together.
func TestNumberOrderRandomly(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	number := func() string {
		d := decimal{neg: rnd.IntN(2) == 0, exp: rnd.IntN(4) - 2}
		for range 1 + rnd.IntN(4) {
			d.digits += string(rune('0' + rnd.IntN(10)))
		}
		d.digits = "1" + strings.TrimRight(d.digits, "0")
		return d.String()
	}
	for range 20000 {
		a, b := number(), number()
		diff, err := addNumbers(a, b, true)
		if err != nil {
			t.Fatal(err)
		}
		want := mustDecimal(diff).sign()
		if got := compareNumbers(a, b); min(max(got, -1), 1) != want {
			t.Fatalf("compare %s, %s: got %d, want %d", a, b, got, want)
		}
		if got := bytes.Compare(appendNumberKey(nil, mustDecimal(a)), appendNumberKey(nil, mustDecimal(b))); got != want {
			t.Fatalf("keys of %s, %s: got %d, want %d", a, b, got, want)
		}
	}
}

func TestNumberSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"0": 1, "1": 2, "12": 2, "123": 3, "123456": 4, "3.14159": 5, "0.05": 2, "0.123": 3, "-1": 3, "1e125": 2, "100": 2, "1200.0034": 5} {
		normal, err := normalNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := numberSize(normal); got != want {
			t.Errorf("%s counts %d bytes, want %d", text, got, want)
		}
	}
}
