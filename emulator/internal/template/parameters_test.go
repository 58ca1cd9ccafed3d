package template

import (
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, decl string
		override   string // "-" for none
		want       string // of !Join [";", [!Ref P]] or of a list's items
		err        string // without "template.yaml:2: parameter P: "
	}{
		{"default", `{Type: String, Default: x}`, "-", "x", ""},
		{"override", `{Type: String, Default: x}`, "y", "y", ""},
		{"empty override", `{Type: String, Default: x}`, "", "", ""},
		{"number as default", `{Type: String, Default: 7}`, "-", "7", ""},
		{"no value", `{Type: String}`, "-", "", "has no Default and no value; give it a value"},
		{"no default", `{Type: String}`, "y", "y", ""},
		{"no type", `{Default: x}`, "-", "", "has no Type; give one, such as String"},
		{"unknown type", `{Type: string, Default: x}`, "-", "", `unknown Type "string"; did you mean String?`},
		{"unknown key", `{Type: String, Defualt: x, Default: x}`, "-", "", `unknown key "Defualt"; did you mean Default?`},
		{"bad default", `{Type: String, Default: [x]}`, "-", "", "Default must be a string or a number, not a list"},

		{"number", `{Type: Number, Default: 1, MinValue: 0, MaxValue: 5}`, "4.5", "4.5", ""},
		{"no number", `{Type: Number, Default: 1}`, "many", "", `the value "many" is not a number`},
		{"too small", `{Type: Number, Default: 1, MinValue: 1}`, "0", "", `the value "0" is less than 1`},
		{"too large", `{Type: Number, Default: 1, MaxValue: 5}`, "6", "", `the value "6" is more than 5`},
		{"bad bound", `{Type: Number, Default: 1, MaxValue: x}`, "-", "", "MaxValue must be a number"},

		{"too short", `{Type: String, Default: é, MinLength: 2}`, "-", "", `the value "é" is shorter than 2 characters`},
		{"too long", `{Type: String, Default: x, MaxLength: 2}`, "xyz", "", `the value "xyz" is longer than 2 characters`},
		{"pattern", `{Type: String, Default: x, AllowedPattern: "[a-z]|10"}`, "10", "10", ""},
		{"part of the pattern", `{Type: String, Default: x, AllowedPattern: "[a-z]"}`, "xx", "", `the value "xx" does not match "[a-z]"`},
		{"description", `{Type: String, Default: x, AllowedPattern: "[a-z]", ConstraintDescription: a small letter}`, "X", "",
			`the value "X" must be a small letter`},
		{"description with must", `{Type: String, Default: X, AllowedPattern: "[a-z]", ConstraintDescription: must be small}`, "-", "",
			`the value "X" must be small`},
		{"values", `{Type: String, Default: a, AllowedValues: [a, "1"]}`, "1", "1", ""},
		{"numbers as values", `{Type: Number, Default: 1, AllowedValues: [1, 2]}`, "2", "2", ""},
		{"other value", `{Type: String, Default: a, AllowedValues: [a, 1]}`, "b", "", `the value "b" is not allowed; give one of a, 1`},
		{"hidden", `{Type: String, NoEcho: true, Default: a, MinLength: 1}`, "", "", `the value is shorter than 1 characters`},
		{"hidden value", `{Type: String, NoEcho: "true", Default: a, AllowedValues: [a]}`, "hunter2", "",
			`the value is not allowed; give one of a`},

		{"list", `{Type: CommaDelimitedList, Default: "a, b,c"}`, "-", "a;b;c", ""},
		{"list of one", `{Type: CommaDelimitedList, Default: "*"}`, "-", "*", ""},
		{"list pattern", `{Type: CommaDelimitedList, Default: a, AllowedPattern: "[a-z]"}`, "a,B", "", `the value "B" does not match "[a-z]"`},
		{"many values", `{Type: Number, Default: 0, AllowedValues: [` + numbered(52, "%d") + `]}`, "60", "",
			`the value "60" is not allowed; give one of ` + strings.TrimSuffix(numbered(50, "%d"), ", ") + `, …`},
		{"long", `{Type: String, Default: ` + strings.Repeat("x", 4097) + `}`, "-", "", `the value has 4097 bytes; CloudFormation takes 4096`},
		{"list values", `{Type: CommaDelimitedList, Default: a, AllowedValues: [a, b]}`, "b,c", "", `the value "c" is not allowed; give one of a, b`},
		{"numbers", `{Type: List<Number>, Default: "1, 2"}`, "-", "1;2", ""},
		{"NaN", `{Type: Number, Default: 1, MinValue: 0}`, "NaN", "", `the value "NaN" is not a number`},
		{"hexadecimal", `{Type: Number, Default: 1}`, "0x1p2", "", `the value "0x1p2" is not a number`},
		{"exponent", `{Type: Number, Default: 1}`, "-1.5e3", "-1.5e3", ""},
		{"bad numbers", `{Type: List<Number>, Default: "1,x"}`, "-", "", `the value "x" is not a number`},
		{"aws type", `{Type: AWS::EC2::VPC::Id, Default: vpc-1}`, "-", "vpc-1", ""},
		{"aws list", `{Type: "List<AWS::EC2::Subnet::Id>", Default: "a,b"}`, "-", "a;b", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := "Parameters:\n  P: " + tt.decl + "\nResources: {R: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: "
			if strings.Contains(tt.decl, "List") {
				src += `!Join [";", !Ref P]}}`
			} else {
				src += `!Sub "${P}"}}`
			}
			overrides := map[string]string{}
			if tt.override != "-" {
				overrides["P"] = tt.override
			}
			s, err := Parse("template.yaml", []byte(src), Options{Parameters: overrides})
			if tt.err != "" {
				if want := "template.yaml:2: parameter P: " + tt.err; err == nil || err.Error() != want {
					t.Errorf("got\n%v\nwant\n%s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Outputs[0].Value; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnknownOverride(t *testing.T) {
	t.Parallel()
	_, err := Parse("template.yaml", []byte("Parameters: {Interval: {Type: String, Default: x}}\nResources: {R: {Type: AWS::SNS::Topic}}"),
		Options{Parameters: map[string]string{"Intervall": "y"}})
	const want = `template.yaml:1: there is no parameter "Intervall" to override; did you mean Interval?`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
