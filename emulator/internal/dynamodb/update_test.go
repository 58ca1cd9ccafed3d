package dynamodb

import (
	"fmt"
	"strings"
	"testing"
)

func TestUpdates(t *testing.T) {
	t.Parallel()
	const old = `{"n":{"N":"5"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{"a":{"N":"1"}}},"ss":{"SS":["a","b"]},"ns":{"NS":["1"]},"s":{"S":"x"}}`
	const values = `{":1":{"N":"1"},":more":{"NS":["10","2","1.0","-1"]},":s":{"S":"v"},":l":{"L":[{"S":"v"}]},":ss":{"SS":["b","c"]},":all":{"SS":["a","b"]},":ns":{"NS":["2"]}}`
	for _, tt := range []struct{ expr, want string }{ // want: the attributes that the update leaves different
		{"SET n = n + :1", `n={"N":"6"}`}, {"SET n = n - :1, s = :s", `n={"N":"4"} s={"S":"v"}`}, {"set n = :1 - n", `n={"N":"-4"}`}, {"SET n = (n + :1)", `n={"N":"6"}`},
		{"SET n = (n) + (:1)", `n={"N":"6"}`}, {"SET n = ((n) - :1)", `n={"N":"4"}`}, {"SET x = (n), s = (:s)", `s={"S":"v"} x={"N":"5"}`}, {"SET x = if_not_exists((x), (:1)) + (if_not_exists(gone, :1))", `x={"N":"2"}`},
		{"SET x = (list_append((:l), if_not_exists(gone, (:l))))", `x={"L":[{"S":"v"},{"S":"v"}]}`},
		{"SET x = if_not_exists(x, :1) + :1", `x={"N":"2"}`}, {"SET n = if_not_exists(n, :1)", ``}, {"SET x = if_not_exists(gone, n)", `x={"N":"5"}`},
		{"SET x = if_not_exists(gone, if_not_exists(s, :1))", `x={"S":"x"}`},
		{"SET l = list_append(l, :l)", `l={"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"S":"v"}]}`}, {"SET x = list_append(:l, :l)", `x={"L":[{"S":"v"},{"S":"v"}]}`},
		{"SET l[1] = :s", `l={"L":[{"N":"0"},{"S":"v"},{"N":"2"},{"N":"3"}]}`}, {"SET l[50] = :s, l[9] = :1", `l={"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"N":"1"},{"S":"v"}]}`},
		{"SET m.b = :s", `m={"M":{"a":{"N":"1"},"b":{"S":"v"}}}`}, {"SET m.a = m.a + :1", `m={"M":{"a":{"N":"2"}}}`}, {"SET s = n, n = s", `n={"S":"x"} s={"N":"5"}`},
		{"REMOVE s", `-s`}, {"REMOVE gone", ``}, {"REMOVE l[0], l[2]", `l={"L":[{"N":"1"},{"N":"3"}]}`}, {"REMOVE l[9]", ``}, {"REMOVE m.a, m.gone", `m={"M":{}}`},
		{"REMOVE l[0] SET l[1] = :s", `l={"L":[{"S":"v"},{"N":"2"},{"N":"3"}]}`},
		{"ADD n :1, x :1", `n={"N":"6"} x={"N":"1"}`}, {"ADD ss :ss", `ss={"SS":["a","b","c"]}`}, {"ADD x :ss, m.a :1", `m={"M":{"a":{"N":"2"}}} x={"SS":["b","c"]}`},
		{"DELETE ss :ss", `ss={"SS":["a"]}`}, {"DELETE ss :all", `-ss`}, {"DELETE gone :ss", ``}, {"DELETE ns :more", `-ns`}, {"ADD ns :ns DELETE ss :ss SET s = :s REMOVE n", `-n ns={"NS":["1","2"]} s={"S":"v"} ss={"SS":["a"]}`},
	} {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			bind := testBindings(t)
			bind.values = testValues(t, values)
			u, err := parseUpdate(tt.expr, bind)
			if err != nil {
				t.Fatal(err)
			}
			before := testItem(t, old)
			after, err := u.apply(before)
			if err != nil {
				t.Fatal(err)
			}
			if got := differences(before, after); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			if got := string(before.appendJSON(nil)); got != string(testItem(t, old).appendJSON(nil)) {
				t.Errorf("the old item has changed: %s", got)
			}
		})
	}
}

// differences lists attributes that differ: -gone new=value.
func differences(before, after item) string {
	var out []string
	for _, a := range before {
		if v, ok := after.get(a.name); !ok {
			out = append(out, "-"+a.name)
		} else if !v.equal(a.value) {
			out = append(out, fmt.Sprintf("%s=%s", a.name, v.appendJSON(nil)))
		}
	}
	for _, a := range after {
		if _, ok := before.get(a.name); !ok {
			out = append(out, fmt.Sprintf("%s=%s", a.name, a.value.appendJSON(nil)))
		}
	}
	return strings.Join(out, " ")
}

func TestUpdateErrors(t *testing.T) {
	t.Parallel()
	b := openWithItem(t)
	it := testItem(t, exprItem)
	const syntax = "Invalid UpdateExpression: "
	for _, tt := range []struct{ expr, want string }{
		{"", syntax + "The expression can not be empty;"},
		{"n = :n1", syntax + `Syntax error; token: "n", near: "n ="`},
		{"SET", syntax + `Syntax error; token: "<EOF>", near: "SET"`},
		{"SET n = :n1,", syntax + `Syntax error; token: "<EOF>", near: ","`},
		{"SET n = :n1 SET s = :s", syntax + `The "SET" section can only be used once in an update expression;`},
		{"SET n = n + :n1 + :n1", syntax + `Syntax error; token: "+", near: ":n1 + :n1"`},
		{"SET x = ((n))", syntax + "The expression has redundant parentheses;"},
		{"SET x = ((n + :n1))", syntax + "The expression has redundant parentheses;"},
		{"SET x = ((n)) + :n1", syntax + "The expression has redundant parentheses;"},
		{"SET x = list_append(((l)), :list)", syntax + "The expression has redundant parentheses;"},
		{"SET x = (n + :n1) - :n1", syntax + `Syntax error; token: "-", near: ") - :n1"`},
		{"SET x = n + (n - :n1)", syntax + `Syntax error; token: "-", near: "n - :n1"`},
		{"SET x = if_not_exists(x, (:n1 + :n1))", syntax + `Syntax error; token: "+", near: ":n1 + :n1"`},
		{"SET x = (n", syntax + `Syntax error; token: "<EOF>", near: "n"`},
		{"SET x = n)", syntax + `Syntax error; token: ")", near: "n)"`},
		{"SET (x) = n", syntax + `Syntax error; token: "(", near: "SET (x"`},
		{"REMOVE (x)", syntax + `Syntax error; token: "(", near: "REMOVE (x"`},
		{"ADD n (:n1)", syntax + `Syntax error; token: "(", near: "n (:n1"`},
		{"SET _123 = :n1", syntax + `Syntax error; token: "_", near: "SET _123"`},
		{"SET x = _f(n)", syntax + `Syntax error; token: "_", near: "= _f"`},
		{"REMOVE l[01]", syntax + `Syntax error; token: "1", near: "01]"`},
		{"SET x = list_append(list_append(l, :list), :list)", syntax + "The function is not allowed to be used this way in an expression; function: list_append"},
		{"SET x = list_append(:list, (list_append(l, :list)))", syntax + "The function is not allowed to be used this way in an expression; function: list_append"},
		{"SET x = if_not_exists(x, list_append(l, :list))", syntax + "The function is not allowed to be used this way in an expression; function: list_append"},
		{"SET x = list_append(l, :list) + :n1", syntax + "The function is not allowed to be used this way in an expression; function: list_append"},
		{"SET x = :n1 + list_append(l, :list)", syntax + "The function is not allowed to be used this way in an expression; function: list_append"},
		{"SET x = if_not_exists(n, n)", syntax + "The first operand must be distinct from the remaining operands for this operator or function; operator: if_not_exists, first operand: [n]"},
		{"SET n = size(s)", syntax + "The function is not allowed in an update expression; function: size"},
		{"SET n = foo(s)", syntax + "Invalid function name; function: foo"},
		{"SET n = if_not_exists(s)", syntax + "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1"},
		{"SET n = if_not_exists(:s, n)", syntax + "Operator or function requires a document path; operator or function: if_not_exists"},
		{"SET l = list_append(l, :s)", syntax + "Incorrect operand type for operator or function; operator or function: list_append, operand type: S"},
		{"SET n = n + :s", syntax + "Incorrect operand type for operator or function; operator or function: +, operand type: S"},
		{"ADD n :s", syntax + "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"DELETE n :n1", syntax + "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"},
		{"ADD n s", syntax + `Syntax error; token: "s", near: "n s"`},
		{"SET m = :s, m.a = :s", syntax + "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, a]"},
		{"SET n = :s REMOVE n", syntax + "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [n], path two: [n]"},
		{"SET m.a = :s, m[0] = :s", syntax + "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, a], path two: [m, [0]]"},
		{"SET x = gone", "The provided expression refers to an attribute that does not exist in the item"},
		{"SET x = gone + :n1", "The provided expression refers to an attribute that does not exist in the item"},
		{"SET x = s + :n1", "An operand in the update expression has an incorrect data type"},
		{"SET x = list_append(s, :list)", "An operand in the update expression has an incorrect data type"},
		{"ADD s :n1", "An operand in the update expression has an incorrect data type"},
		{"SET gone.x = :s", "The document path provided in the update expression is invalid for update"},
		{"SET s.x = :s", "The document path provided in the update expression is invalid for update"},
		{"SET m[0] = :s", "The document path provided in the update expression is invalid for update"},
		{"SET l.x = :s", "The document path provided in the update expression is invalid for update"},
		{"REMOVE gone.x", "The document path provided in the update expression is invalid for update"},
		{"REMOVE s[0]", "The document path provided in the update expression is invalid for update"},
	} {
		u, err := parseUpdate(tt.expr, testBindings(t))
		if err == nil {
			_, err = u.apply(it)
		}
		if want := "Validation: " + tt.want; err == nil || short(err) != want {
			t.Errorf("%s:\n got %v\nwant %s", tt.expr, err, want)
		}
		want := tt.want
		if strings.HasPrefix(want, syntax) {
			want = envelope + want
		}
		b.wantError("UpdateItem", fmt.Sprintf(`{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":%q%s}`, tt.expr, placeholdersOf(t, tt.expr)), "Validation: "+want)
	}
}
