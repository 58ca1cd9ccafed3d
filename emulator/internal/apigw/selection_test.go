package apigw

import (
	"math"
	"strings"
	"testing"
)

func TestSelectionExpressions(t *testing.T) {
	t.Parallel()
	const body = `{"type":"ping","n":1.50,"yes":true,"none":null,"list":["a",2,[true]],"o":{"k":"v"},` +
		`"service":"chat","action":"send","a b":"space","items":[{"id":"x"},{"id":"y"},{}],"loop":"$request.body.type"}`
	for _, tt := range []struct{ expr, want string }{
		{"$request.body.type", "ping"},
		{"${request.body.type}", "ping"},
		{"${request.body.service}/${request.body.action}", "chat/send"},
		{"$request.body.service/$request.body.action.", "chat/send."},
		{"pre-${request.body.type}-post", "pre-ping-post"},
		{"$request.body.o.k", "v"},
		{"$request.body.no.such", ""},
		{"x${request.body.no}y", "xy"},
		{"$request.body.type.deeper", ""},
		{"$request.body.n", "1.50"},
		{"$request.body.yes", "true"},
		{"$request.body.none", ""},
		{"$request.body.list", "[a, 2, [true]]"},
		{"$request.body.list[1]", "2"},
		{"$request.body.list[9]", ""},
		{"$request.body['a b']", "space"},
		{`${request.body["type"]}`, "ping"},
		{"$request.body.items[*].id", "[x, y]"},
		{"$request.body.items[0].id", "x"},
		{"$request.body.o", `{"k":"v"}`},
		{"$request.body.loop", "$request.body.type"}, // in one pass
		{`\$default`, "$default"},
		{"static", "static"},
		{"", ""},
	} {
		sel, err := parseSelection(tt.expr)
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		if got, ok := sel.evaluate([]byte(body), math.MaxInt); !ok || got != tt.want {
			t.Errorf("%s: got %q, %t; want %q", tt.expr, got, ok, tt.want)
		}
	}
}

// TestSelectionEndsEarly: what is no route's key costs little, however long and
// however deep it is.
func TestSelectionEndsEarly(t *testing.T) {
	t.Parallel()
	sel, err := parseSelection("${request.body.type}/${request.body.type}")
	if err != nil {
		t.Fatal(err)
	}
	const deep = 9000
	for name, value := range map[string]string{
		"nested lists": strings.Repeat("[", deep) + `"x"` + strings.Repeat("]", deep),
		"a long list":  "[1" + strings.Repeat(",1", deep) + "]",
	} {
		message := []byte(`{"type":` + value + `}`)
		if key, ok := sel.evaluate(message, 20); !ok || len(key) <= 20 || len(key) > 30 {
			t.Errorf("%s: got %d bytes, %t, want a few more than 20", name, len(key), ok)
		}
	}
}

func TestSelectionNeedsJSON(t *testing.T) {
	t.Parallel()
	sel, err := parseSelection("$request.body.type")
	if err != nil {
		t.Fatal(err)
	}
	for message, want := range map[string]bool{
		`{"type":"x"}`: true, `"text"`: true, `7`: true, ` [] `: true,
		``: false, `ping`: false, `{"type":"x"`: false, `{"type":"x"} y`: false, `{} {}`: false,
		strings.Repeat("[", 100000): false,
	} {
		if _, ok := sel.evaluate([]byte(message), 10); ok != want {
			t.Errorf("%.20q: got %t, want %t", message, ok, want)
		}
	}
}

func TestSelectionExpressionsThatAreRefused(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"$request.header.x":         "not emulated",
		"$context.routeKey":         "not emulated",
		"$":                         "not emulated",
		"$request.bodyx":            "not emulated",
		"${request.body.x":          "not closed",
		"$request.body[x":           "not closed",
		"$request.body[x]":          "not emulated",
		"${request.body..x}":        "not emulated",
		"${request.body.x[?(@.y)]}": "not emulated",
		"${request.body.*}":         "not emulated",
		"${request.body.x[0]y}":     "not emulated",
	} {
		if _, err := parseSelection(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", expr, err, want)
		}
	}
}

func FuzzSelection(f *testing.F) {
	f.Add("$request.body.type", `{"type":"x"}`)
	f.Add("${request.body.a[0]['b']}/${request.body.c}", `{"a":[{"b":1}],"c":[1,"x",null,{}]}`)
	f.Add(`\$default$request.body.x[*].y`, `{"x":[{"y":[]}]}`)
	f.Fuzz(func(t *testing.T, expr, message string) {
		sel, err := parseSelection(expr)
		if err != nil {
			return
		}
		first, ok := sel.evaluate([]byte(message), math.MaxInt)
		second, again := sel.evaluate([]byte(message), 10)
		if ok != again || len(first) <= 10 && first != second || len(first) > 10 && len(second) <= 10 {
			t.Errorf("got %q and, with a limit, %q", first, second)
		}
	})
}
