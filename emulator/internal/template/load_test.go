package template

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// TestLoad compares a rich template, read with and without options, with what
// it should be.
func TestLoad(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		template, golden string
		o                Options
	}{
		{"app", "app.json", Options{}},
		{"apis", "apis.json", Options{}},
		{"rest", "rest.json", Options{}},
		{"app", "app-production.json", Options{
			Parameters: map[string]string{"Production": "true", "Level": "4", "Rooms": "attic,cellar"},
			Region:     "eu-west-1", AccountID: "210987654321", StackName: "chat",
		}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			t.Parallel()
			s, err := Load(filepath.Join("testdata", tt.template, "template.yaml"), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.golden, s)
		})
	}
}

// golden compares a stack with a file; folders are written as DIR.
func golden(t *testing.T, name string, s *Stack) {
	t.Helper()
	dir := filepath.Dir(s.File)
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(string(out), dir, "DIR") + "\n"
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s:%d: got %s, want %s", file, i+1, g[i], append(w, "nothing")[min(i, len(w))])
		}
	}
	t.Fatalf("%s: got %d lines, want %d", file, len(g), len(w))
}

func TestLoadWithoutFile(t *testing.T) {
	t.Parallel()
	if _, err := Load("testdata/none.yaml", Options{}); err == nil || !strings.HasPrefix(err.Error(), "template: open testdata/none.yaml:") {
		t.Errorf("got %v", err)
	}
}

// TestJSON reads the same template as YAML and as JSON, indented with tabs.
func TestJSON(t *testing.T) {
	t.Parallel()
	const asYAML = `
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
Outputs: {O: {Value: !Sub "${T} \"é😀\" ${T.Arn}"}}
`
	const asJSON = `{
	"Resources": {
		"T": {
			"Type": "AWS::DynamoDB::Table",
			"Properties": {
				"BillingMode": "PAY_PER_REQUEST",
				"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
				"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]
			}
		}
	},
	"Outputs": {"O": {"Value": {"Fn::Join": [" ", [{"Ref": "T"}, "\"\u00e9😀\"", {"Fn::GetAtt": ["T", "Arn"]}]]}}}
}`
	a, b := parse(t, asYAML, Options{}), parse(t, asJSON, Options{})
	if got, want := b.Outputs[0], a.Outputs[0]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := string(b.Tables[0].Create), string(a.Tables[0].Create); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := b.Tables[0].Pos.Line; got != 3 {
		t.Errorf("got line %d, want 3", got)
	}
}

// parse reads a template that has no errors.
func parse(t *testing.T, src string, o Options) *Stack {
	t.Helper()
	s, err := Parse("template.yaml", []byte(src), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStackName(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string]string{
		"chat-room":              "chat-room",
		"My App (2)":             "My-App-2",
		"2026_notes":             "notes",
		"/":                      "local",
		"…":                      "local",
		"-a-":                    "a",
		strings.Repeat("x", 200): strings.Repeat("x", 128),
	} {
		if got := stackName(folder); got != want {
			t.Errorf("stackName(%q) = %q, want %q", folder, got, want)
		}
	}
}

// TestAnchors reads aliases and merge keys, which the SAM CLI works out before
// CloudFormation sees them.
func TestAnchors(t *testing.T) {
	t.Parallel()
	s := parse(t, `
Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Function
    Properties: &base
      CodeUri: a
      Handler: bootstrap
      Runtime: &runtime provided.al2023
      Timeout: 7
  B:
    Type: AWS::Serverless::Function
    Properties:
      <<: *base
      CodeUri: b
  C:
    Type: AWS::Serverless::Function
    Properties:
      <<: [{Timeout: 8}, *base]
      Runtime: *runtime
`, Options{})
	for i, want := range []struct {
		dir     string
		seconds float64
	}{{"a", 7}, {"b", 7}, {"a", 8}} {
		f := s.Functions[i]
		if got := f.Timeout.Seconds(); got != want.seconds || filepath.Base(f.CodeDir) != want.dir || f.Runtime != "provided.al2023" {
			t.Errorf("%s: got %v s, %s, %s", f.LogicalID, got, f.CodeDir, f.Runtime)
		}
	}
}
