package dynamodb

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// exprItem is what conditions are tried on.
const exprItem = `{"s":{"S":"hello"},"n":{"N":"5"},"b":{"B":"AQID"},"t":{"BOOL":true},"nul":{"NULL":true},"ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]},
	"l":{"L":[{"S":"x"},{"N":"7"},{"M":{"k":{"S":"v"}}}]},"m":{"M":{"q":{"M":{"n":{"N":"1"}}}}},"u":{"S":"äö"},"smile":{"S":"é😀"}}`

const exprValues = `{":s":{"S":"hello"},":he":{"S":"he"},":n5":{"N":"5.0"},":n6":{"N":"6"},":n1":{"N":"1"},":n3":{"N":"3"},":b":{"B":"AQ=="},":a":{"S":"a"},":x":{"S":"x"},":v":{"S":"v"},
	":S":{"S":"S"},":L":{"S":"L"},":t":{"BOOL":true},":set":{"SS":["b","a"]},":nul":{"NULL":true},":bad":{"S":"BAD"},":list":{"L":[]},":n2":{"N":"2"}}`

func testBindings(t testing.TB) *bindings {
	t.Helper()
	b := &bindings{names: map[string]string{"#s": "s", "#dot": "a.b"}, usedNames: map[string]bool{}, usedValues: map[string]bool{}}
	b.values = testValues(t, exprValues)
	return b
}

func testValues(t testing.TB, text string) map[string]value {
	t.Helper()
	var invalid error
	values, err := (&scanner{data: []byte(text)}).values(&invalid)
	if err != nil || invalid != nil {
		t.Fatal(err, invalid)
	}
	return values
}

func testItem(t testing.TB, text string) item {
	t.Helper()
	it, err := (&scanner{data: []byte(text)}).item(0)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// placeholdersOf gives the names and values that an expression of the tests uses,
// as members of a request.
func placeholdersOf(t testing.TB, expr string) string {
	all := testBindings(t)
	names, values := map[string]string{}, item{}
	for _, placeholder := range regexp.MustCompile(`[#:]\w+`).FindAllString(expr, -1) {
		if name, ok := all.names[placeholder]; ok {
			names[placeholder] = name
		} else if v, ok := all.values[placeholder]; ok {
			values = values.with(placeholder, v)
		}
	}
	var out []byte
	if len(names) > 0 {
		text, _ := json.Marshal(names)
		out = append(append(out, `,"ExpressionAttributeNames":`...), text...)
	}
	if len(values) > 0 {
		out = values.appendJSON(append(out, `,"ExpressionAttributeValues":`...))
	}
	return string(out)
}

// openWithItem has a table with exprItem in it.
func openWithItem(t *testing.T) *bench {
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},`+strings.TrimPrefix(exprItem, "{")+`}`)
	return b
}

func TestConditions(t *testing.T) {
	t.Parallel()
	it := testItem(t, exprItem)
	b := openWithItem(t)
	for _, tt := range []struct {
		expr string
		want bool
	}{
		{"s = :s", true}, {"#s = :s", true}, {"s <> :s", false}, {"s = :he", false}, {":s = s", true}, {"n = :n5", true}, {"n < :n6", true}, {"n <= :n5", true}, {"n > :n6", false}, {"n >= :n6", false},
		{"n < :s", false}, {"n > :s", false}, {"n <> :s", true}, {"ss = :set", true}, {"nul = :nul", true}, {"t = :t", true},
		{"gone = :s", false}, {"gone <> :s", true}, {"gone < :s", false}, {"gone = absent", false}, {"NOT gone = :s", true}, {"#dot = :s", false},
		{"n BETWEEN :n1 AND :n6", true}, {"n BETWEEN :n6 AND :n6", false}, {"n between :n5 and :n5", true}, {"s BETWEEN :n1 AND :n6", false}, {":n5 BETWEEN m.#s AND n", false},
		{"n IN (:n6, :n5)", true}, {"n IN (:n6)", false}, {"gone IN (:n6)", false}, {"NOT n IN (:n6)", true}, {"n in (l[1], m.q.n, size(s))", true},
		{"attribute_exists(s)", true}, {"attribute_exists(m.q.n)", true}, {"attribute_exists(m.q.gone)", false}, {"attribute_exists(l[2].k)", true}, {"attribute_exists(l[3])", false}, {"attribute_exists(s[0])", false}, {"attribute_exists(l.k)", false},
		{"attribute_not_exists(gone)", true}, {"attribute_not_exists(s)", false}, {"attribute_type(s, :S)", true}, {"attribute_type(l, :L)", true}, {"attribute_type(n, :S)", false}, {"attribute_type(gone, :S)", false},
		{"begins_with(s, :he)", true}, {"begins_with(s, :x)", false}, {"begins_with(b, :b)", true}, {"begins_with(n, :he)", false}, {"begins_with(b, :he)", false},
		{"contains(s, :he)", true}, {"contains(ss, :a)", true}, {"contains(ss, :x)", false}, {"contains(ns, :n1)", true}, {"contains(l, :x)", true}, {"contains(b, :b)", true}, {"contains(n, :n5)", false}, {"contains(l, :t)", false},
		{"size(s) = :n5", true}, {"size(l) >= :n3", true}, {"size(m) = :n1", true}, {"size(b) = :n3", true}, {"size(n) = :n1", false}, {"size(gone) = :n1", false}, {"size(u) = :n2", true}, {"size(smile) = :n3", true}, {"n = size(s)", true}, {"size(ns) < size(l)", true}, {"size(:s) = n", true}, {"contains(ns, size(ns))", true}, {"contains(:s, :he)", true},
		{"s = :s AND n = :n6", false}, {"s = :s OR n = :n6", true}, {"s = :he OR n = :n6 AND s = :s", false}, {"(s = :s OR n = :n6) AND s = :s", true}, {"s = :s AND NOT (n = :n6 OR n = :n1)", true},
		{"NOT s = :he AND n = :n5", true}, {"NOT NOT s = :s", true}, {"(NOT s = :s)", false}, {"l[2].k = :v", true}, {"l [ 1 ] > :n6", true}, {"m.q.n=:n1", true},
		{"s = :s AND n = :n5 AND t = :t", true}, {"s = :s AND n = :n6 AND t = :t", false}, {"s = :he OR n = :n6 OR t = :t", true}, {"s = :he OR n = :n6 OR ss = :t", false},
		{"s = :s AND (n = :n6 OR t = :t) AND NOT s = :he", true}, {"n = :n5 AND s = :s OR gone = :s AND s = :he OR s = :he", true},
		{"(s) = :s", true}, {"s = (:s)", true}, {"((s) = (:s))", true}, {"NOT (s) = :he", true}, {"(:s) = (s)", true}, {"(m.q.n) < (n)", true}, {"(s) = :he OR (n) = :n5", true},
		{"n IN ((:n6), (:n5))", true}, {"(n) in (:n6, (:n5))", true}, {"(n) BETWEEN (:n1) AND (:n6)", true}, {"(n BETWEEN :n1 AND :n6)", true},
		{"size((s)) = :n5", true}, {"(size(s)) = :n5", true}, {"((size((s))) = (:n5))", true}, {"n < (size(u))", false}, {"(attribute_exists((s)))", true}, {"NOT (attribute_exists(gone))", true},
		{"((s) = :he OR (s = :s)) AND ((n) > :n1 AND (attribute_exists(l)))", true},
	} {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			c, err := parseCondition("ConditionExpression", tt.expr, testBindings(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.holds(it); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			out := b.must("Scan", `{"TableName":"Things","Select":"COUNT","FilterExpression":%q%s}`, tt.expr, placeholdersOf(t, tt.expr))
			if got := strings.HasPrefix(out, `{"Count":1,`); got != tt.want {
				t.Errorf("as filter: got %s, want %v", out, tt.want)
			}
		})
	}
}

func TestConditionErrors(t *testing.T) {
	t.Parallel()
	b := openWithItem(t)
	for _, tt := range []struct{ expr, want string }{
		{"", "The expression can not be empty;"},
		{"  ", "The expression can not be empty;"},
		{"s", `Syntax error; token: "<EOF>", near: "s"`},
		{"s = ", `Syntax error; token: "<EOF>", near: "="`},
		{"s == :s", `Syntax error; token: "=", near: "== :s"`},
		{"s = :s :s", `Syntax error; token: ":s", near: ":s :s"`},
		{"s = :s AND", `Syntax error; token: "<EOF>", near: "AND"`},
		{"s = :s)", `Syntax error; token: ")", near: ":s)"`},
		{"(s = :s", `Syntax error; token: "<EOF>", near: ":s"`},
		{"s ! :s", `Syntax error; token: "!", near: "s ! :s"`},
		{"AND = :s", `Syntax error; token: "AND", near: "AND ="`},
		{"l[:s] = :s", `Syntax error; token: ":s", near: "[:s]"`},
		{"l[99999999999999999999] = :s", "List index is not within the allowable range; index: [99999999999999999999]"},
		{"name = :s", "Attribute name is a reserved keyword; reserved keyword: name"},
		{"m.Size = :s", "Attribute name is a reserved keyword; reserved keyword: Size"},
		{"#gone = :s", "An expression attribute name used in the document path is not defined; attribute name: #gone"},
		{"s = :gone", "An expression attribute value used in expression is not defined; attribute value: :gone"},
		{"((s = :s))", "The expression has redundant parentheses;"},
		{"((s = :s)) AND n = :n1", "The expression has redundant parentheses;"},
		{"((s)) = :s", "The expression has redundant parentheses;"},
		{"s = ((:s))", "The expression has redundant parentheses;"},
		{"s IN (((:s)))", "The expression has redundant parentheses;"},
		{"size(((s))) = :n1", "The expression has redundant parentheses;"},
		{"((attribute_exists(s)))", "The expression has redundant parentheses;"},
		{"(((s) = :s))", "The expression has redundant parentheses;"},
		{"(s)", `Syntax error; token: "<EOF>", near: ")"`},
		{"(s", `Syntax error; token: "<EOF>", near: "s"`},
		{"(s AND n)", `Syntax error; token: "AND", near: "s AND n"`},
		{"(s) AND n = :n1", `Syntax error; token: "AND", near: ") AND n"`},
		{"(n = :n1 OR s)", `Syntax error; token: ")", near: "s)"`},
		{"(NOT s) = :s", `Syntax error; token: ")", near: "s) ="`},
		{"(s = :s) = :s", `Syntax error; token: "=", near: ") = :s"`},
		{"(s, n) = :s", `Syntax error; token: ",", near: "s, n"`},
		{"() = :s", `Syntax error; token: ")", near: "() ="`},
		{"s = ()", `Syntax error; token: ")", near: "()"`},
		{"(l)[0] = :s", `Syntax error; token: "[", near: ")[0"`},
		{"(m).q = :s", `Syntax error; token: ".", near: ").q"`},
		{"_s = :s", `Syntax error; token: "_", near: "_s"`},
		{"m._q = :s", `Syntax error; token: "_", near: "._q"`},
		{"_size(s) = :n1", `Syntax error; token: "_", near: "_size"`},
		{"l[01] = :s", `Syntax error; token: "1", near: "01]"`},
		{"l[00] = :s", `Syntax error; token: "0", near: "00]"`},
		{"12s = :s", `Syntax error; token: "12", near: "12s"`},
		{"foo(s)", "Invalid function name; function: foo"},
		{"s = foo(s)", "Invalid function name; function: foo"},
		{"Attribute_exists(s)", "Invalid function name; function: Attribute_exists"},
		{"if_not_exists(s, :s)", "The function is not allowed in a condition expression; function: if_not_exists"},
		{"size(s)", "The function is not allowed to be used this way in an expression; function: size"},
		{"s = attribute_exists(s)", "The function is not allowed to be used this way in an expression; function: attribute_exists"},
		{"attribute_exists(s, n)", "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2"},
		{"attribute_exists(:s)", "Operator or function requires a document path; operator or function: attribute_exists"},
		{"size(s, n) = :n1", "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2"},
		{"size(:n1) = :n1", "Incorrect operand type for operator or function; operator or function: size, operand type: N"},
		{"size(size(s)) = :n1", "Incorrect operand type for operator or function; operator or function: size, operand type: N"},
		{"size(s) < :set", "Incorrect operand type for operator or function; operator or function: <, operand type: SS"},
		{"begins_with(s, size(s))", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"s = :s AND size(s)", "The function is not allowed to be used this way in an expression; function: size"},
		{"size(s) OR s = :s", "The function is not allowed to be used this way in an expression; function: size"},
		{"NOT (size(s))", "The function is not allowed to be used this way in an expression; function: size"},
		{"size(s) :s", `Syntax error; token: ":s", near: ") :s"`},
		{"attribute_exists(s) < :n1", "The function is not allowed to be used this way in an expression; function: attribute_exists"},
		{"(attribute_exists(s)) = :n1", "The function is not allowed to be used this way in an expression; function: attribute_exists"},
		{"contains(s, :s) IN (:n1)", "The function is not allowed to be used this way in an expression; function: contains"},
		{"begins_with(attribute_exists(s), :s)", "The function is not allowed to be used this way in an expression; function: attribute_exists"},
		{"s = list_append(s, s)", "The function is not allowed in a condition expression; function: list_append"},
		{"begins_with(s)", "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1"},
		{"begins_with(s, :n1)", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"attribute_type(s, :n1)", "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N"},
		{"attribute_type(s, :bad)", "Invalid attribute type name found; type: BAD, valid types: {B,NULL,SS,BOOL,M,L,N,NS,BS,S}"},
		{"s = #s", "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [s]"},
		{"contains(l[2].k, l[2].k)", "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [l, [2], k]"},
		{"n IN (:n1, n)", "The first operand must be distinct from the remaining operands for this operator or function; operator: IN, first operand: [n]"},
		{"n BETWEEN :n1 AND (n)", "The first operand must be distinct from the remaining operands for this operator or function; operator: BETWEEN, first operand: [n]"},
		{"s < :t", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
		{"n BETWEEN :n6 AND :n1", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:1}"},
		{"n BETWEEN :n6 AND :s", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {S:hello}"},
		{"n IN (" + strings.Repeat(":n1, ", 100) + ":n1)", "The IN operator is provided with too many operands; number of operands: 101"},
		{strings.Repeat("n=:n1 OR ", 150) + "n=:n1", "The expression contains too many operators; operator count: 301"},
		{strings.Repeat("NOT ", 300) + "n=:n1", "The expression contains too many operators; operator count: 301"},
		{strings.Repeat("(", 4097), "Expression size has exceeded the maximum allowed size; expression size: 4097"},
	} {
		_, err := parseCondition("ConditionExpression", tt.expr, testBindings(t))
		if want := "Validation: Invalid ConditionExpression: " + tt.want; err == nil || short(err) != want {
			t.Errorf("%s:\n got %v\nwant %s", tt.expr, err, want)
		}
		b.wantError("Scan", fmt.Sprintf(`{"TableName":"Things","FilterExpression":%q%s}`, tt.expr, placeholdersOf(t, tt.expr)), "Validation: Invalid FilterExpression: "+tt.want)
	}
}

func TestPlaceholderErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	for _, tt := range []struct{ members, want string }{
		{`"ExpressionAttributeNames":{}`, "ExpressionAttributeNames must not be empty"},
		{`"ExpressionAttributeValues":{}`, "ExpressionAttributeValues must not be empty"},
		{`"ExpressionAttributeNames":{"x":"pk"}`, `ExpressionAttributeNames contains invalid key: Syntax error; key: "x"`},
		{`"ExpressionAttributeValues":{"x":{"S":"a"}}`, `ExpressionAttributeValues contains invalid key: Syntax error; key: "x"`},
		{`"ExpressionAttributeValues":{":x":{"N":"a"}}`, `The parameter cannot be converted to a numeric value: a`},
		{`"ExpressionAttributeValues":{":x":{"SS":[]}}`, `ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An string set  may not be empty for key :x`},
		{`"ExpressionAttributeNames":{"#b":"","#a":""}`, `ExpressionAttributeNames contains invalid value: Empty attribute name for key #a`},
		{`"ExpressionAttributeNames":{"#` + strings.Repeat("a", 254) + `":"b"}`, `Value provided in ExpressionAttributeNames unused in expressions: keys: {#` + strings.Repeat("a", 254) + `}`},
		{`"ExpressionAttributeNames":{"#` + strings.Repeat("a", 255) + `":"b"}`, `ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: 256`},
		{`"ExpressionAttributeNames":{"#` + strings.Repeat("ä", 128) + `":"b"}`, `ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: 257`},
		{`"ExpressionAttributeValues":{":` + strings.Repeat("a", 255) + `":{"S":"a"}}`, `ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;`},
		{`"ExpressionAttributeValues":{":x":{"S":"` + strings.Repeat("x", 2<<20-2) + `"}}`, `Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}`},
		{`"ExpressionAttributeValues":{":x":{"S":"` + strings.Repeat("x", 2<<20-1) + `"}}`, `ExpressionAttributeValues exceeds max size`},
		{`"ExpressionAttributeNames":{"#a":"pk"},"ExpressionAttributeValues":{":x":{"S":"` + strings.Repeat("x", 2<<20-2) + `"}}`, `Combined size of ExpressionAttributeNames and ExpressionAttributeValues exceeds max size`},
		{`"ExpressionAttributeNames":{` + longNames(33) + `}`, `ExpressionAttributeNames exceeds max size`},
		{`"ExpressionAttributeNames":{"#b":"b","#a":"b"}`, `Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}`},
		{`"ExpressionAttributeValues":{":x":{"S":"a"}}`, `Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}`},
	} {
		b.wantError("DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ConditionExpression":"attribute_exists(pk)",`+tt.members+`}`, "Validation: "+envelope+tt.want)
	}
}

// longNames gives n placeholders of names that are as long as they may be.
func longNames(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"#%d":"%s"`, i, strings.Repeat("n", 65535)))
	}
	return strings.Join(members, ",")
}

func TestProjections(t *testing.T) {
	t.Parallel()
	it := testItem(t, exprItem)
	for _, tt := range []struct{ expr, want string }{
		{"s", `{"s":{"S":"hello"}}`}, {"#s, n", `{"n":{"N":"5"},"s":{"S":"hello"}}`}, {"gone", `{}`}, {"m.q.n", `{"m":{"M":{"q":{"M":{"n":{"N":"1"}}}}}}`}, {"m.gone, s.x", `{}`},
		{"l[2], l[0]", `{"l":{"L":[{"S":"x"},{"M":{"k":{"S":"v"}}}]}}`}, {"l[2].k, l[7]", `{"l":{"L":[{"M":{"k":{"S":"v"}}}]}}`},
	} {
		paths, err := parseProjection(tt.expr, testBindings(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(it.project(paths).appendJSON(nil)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
	}
	for _, tt := range []struct{ expr, want string }{
		{"s,", `Syntax error; token: "<EOF>", near: ","`}, {"s n", `Syntax error; token: "n", near: "s n"`}, {"(s)", `Syntax error; token: "(", near: "(s"`}, {":s", `Syntax error; token: ":s", near: ":s"`},
		{"m.q, x, m", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m, q], path two: [m]"},
		{"l, l[0]", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [l], path two: [l, [0]]"},
		{"m, m.q", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, q]"},
		{"l" + strings.Repeat("[0]", 33), "The document path has too many nesting elements; nesting levels: 34"},
	} {
		_, err := parseProjection(tt.expr, testBindings(t))
		if want := "Validation: Invalid ProjectionExpression: " + tt.want; err == nil || short(err) != want {
			t.Errorf("%s:\n got %v\nwant %s", tt.expr, err, want)
		}
	}
}
