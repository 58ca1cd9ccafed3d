package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// bombs are small templates that would become large.
func bombs() map[string]string {
	aliases := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		was, is := string(rune('a'+i-1)), string(rune('a'+i))
		if i == 1 {
			was = "a0"
		}
		aliases += is + ": &" + is + " [" + strings.Repeat("*"+was+", ", 10) + "]\n"
	}
	sub := "x"
	for range 40 {
		sub = `!Sub ["${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}", {a: ` + sub + `}]`
	}
	return map[string]string{
		"aliases":      aliases + "Resources: {R: {Type: AWS::SNS::Topic}}",
		"self":         "Resources: &r {R: {Type: AWS::SNS::Topic, Properties: *r}}",
		"subs":         "Resources: {R: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: " + sub + "}}",
		"deep":         "Resources: " + strings.Repeat("{a: ", 9_000) + strings.Repeat("}", 9_000),
		"deeper":       strings.Repeat("[", maxBytes),
		"wide":         "Resources: {" + strings.Repeat("R: {Type: x}, ", 20_000) + "}",
		"references":   "Resources: {R: {Type: AWS::SNS::Topic, Properties: {A: [" + strings.Repeat("!Ref Rr, ", 30_000) + "]}}}",
		"long":         "Description: " + strings.Repeat("x", maxBytes+1),
		"conditions":   conditionBomb(),
		"many globals": "Globals: {Function: {Layers: [" + strings.Repeat("a, ", 10_000) + "]}}\nResources: {" + manyFunctions(2_000) + "}",

		"joins":      lists + "Outputs: {O: {Value: !Join ['', [" + strings.Repeat("!Join ['', !FindInMap [M, a, b]], ", 7_000) + "]]}}",
		"equals":     lists + "Conditions: {" + numbered(4_000, "C%d: !Equals [!FindInMap [M, a, b], !FindInMap [M, a, b]]") + "}",
		"copies":     sam + "Mappings: {M: {a: {b: [" + strings.Repeat("a,", 40_000) + "]}}}\nResources: {" + numbered(4_000, openAPI) + "}",
		"parameter":  "Parameters: {P: {Type: CommaDelimitedList, AllowedPattern: '" + strings.Repeat("a?", 2_000) + "', Default: '" + strings.Repeat(",", 4_000) + "'}}\n" + topic,
		"long value": "Parameters: {P: {Type: CommaDelimitedList, Default: '" + strings.Repeat(",", 500_000) + "'}}\n" + topic,
		"depends":    "Resources: {" + numbered(9_000, "R%d: {Type: A::B::C}") + "R: {Type: A::B::C, DependsOn: [" + strings.Repeat("Rzzz, ", 60_000) + "]}}",
	}
}

const (
	topic   = "Resources: {R: {Type: AWS::SNS::Topic}}\n"
	openAPI = "A%d: {Type: AWS::Serverless::HttpApi, Properties: {CorsConfiguration: {AllowOrigins: !FindInMap [M, a, b]}}}"
)

// lists is a template whose mapping holds a long list.
var lists = topic + "Mappings: {M: {a: {b: [" + strings.Repeat("a,", 45_000) + "]}}}\n"

// numbered joins n forms, numbered from 0.
func numbered(n int, form string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, form+", ", i)
	}
	return b.String()
}

// conditionBomb has conditions that each depend twice on the next.
func conditionBomb() string {
	var b strings.Builder
	b.WriteString("Conditions:\n")
	for i := range 60 {
		next := string(rune('A' + i + 1))
		b.WriteString("  " + string(rune('A'+i)) + "x: !And [!Condition '" + next + "x', !Condition '" + next + "x']\n")
	}
	b.WriteString("  " + string(rune('A'+60)) + "x: !Equals [a, a]\nResources: {R: {Type: AWS::SNS::Topic}}\n")
	return b.String()
}

func manyFunctions(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("F" + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + ": {Type: AWS::Serverless::Function}, ")
	}
	return b.String()
}

// TestBombs holds that no template takes long, whatever it says.
func TestBombs(t *testing.T) {
	t.Parallel()
	for name, src := range bombs() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("template.yaml", []byte(src), Options{})
			if err == nil && !slices.Contains([]string{"conditions", "parameter"}, name) {
				t.Error("got no error")
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %s", took)
			}
		})
	}
}

// FuzzParse holds that a template is either read or refused with places.
func FuzzParse(f *testing.F) {
	for _, app := range []string{"app", "apis"} {
		rich, err := os.ReadFile(filepath.Join("testdata", app, "template.yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(rich))
	}
	f.Add(preamble + "!Sub \"${Word}\"}}")
	f.Add(fn("Events: {E: {Type: HttpApi, Properties: {Path: '/{a+}', Method: any}}}"))
	f.Add(ws(select_ + "Routes: {a: {FunctionArn: !GetAtt Fn.Arn}}"))
	f.Add("Resources: &r {R: {Type: AWS::SNS::Topic, Properties: *r}}\nConditions: {A: !Not [!Condition A]}")
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse("template.yaml", []byte(src), Options{})
		if err == nil {
			for _, fn := range s.Functions {
				if fn.Name == "" || fn.CodeDir == "" || fn.Handler == "" || fn.Timeout < time.Second {
					t.Fatalf("got %+v", fn)
				}
			}
			return
		}
		var e *Error
		if !errors.As(err, &e) || e.Pos.Line < 1 || e.Pos.File != "template.yaml" || e.Msg == "" {
			t.Fatalf("got %T %v", err, err)
		}
	})
}
