package template

import (
	"strings"
	"testing"
)

// TestImplicitAPIUnderIf: an API is made for the event that a condition chooses,
// and for no other.
func TestImplicitAPIUnderIf(t *testing.T) {
	t.Parallel()
	const (
		top   = "Conditions: {Aye: !Equals [a, a], Nay: !Equals [a, b]}\n"
		web   = "{Type: HttpApi, Properties: {Path: /a, Method: get}}"
		rest  = "{Type: Api, Properties: {Path: /a, Method: get}}"
		named = "{Type: HttpApi, Properties: !If [Aye, {Path: /a, Method: get, ApiId: !Ref Mine}, {Path: /a, Method: get}]}"
		none  = "!Ref AWS::NoValue"
		mine  = "\n  Mine: {Type: AWS::Serverless::HttpApi}"
	)
	for _, tt := range []struct{ name, src, want string }{
		{"event", fn("Events: {E: !If [Aye, " + web + ", " + none + "]}"), "http ServerlessHttpApi"},
		{"no event", fn("Events: {E: !If [Nay, " + web + ", " + none + "]}"), ""},
		{"either", fn("Events: {E: !If [Nay, " + web + ", " + rest + "]}"), "rest ServerlessRestApi"},
		{"nested", fn("Events: {E: !If [Aye, !If [Nay, " + rest + ", " + web + "], " + none + "]}"), "http ServerlessHttpApi"},
		{"events", fn("Events: !If [Aye, {E: " + rest + "}, " + none + "]"), "rest ServerlessRestApi"},
		{"API of its own", fn("Events: {E: "+named+"}") + mine, "http Mine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := parse(t, top+tt.src, Options{})
			var got []string
			for _, api := range s.HTTPAPIs {
				got = append(got, "http "+api.LogicalID)
				if len(api.Routes) != 1 {
					t.Errorf("%s: got %d routes, want 1", api.LogicalID, len(api.Routes))
				}
			}
			for _, api := range s.RESTAPIs {
				got = append(got, "rest "+api.LogicalID)
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("got the APIs %q, want %q", got, tt.want)
			}
		})
	}
}
