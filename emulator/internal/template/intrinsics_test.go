package template

import (
	"strings"
	"testing"
)

// preamble is what the values of the tests below refer to.
const preamble = `
Transform: AWS::Serverless-2016-10-31
Parameters:
  Word: {Type: String, Default: hello}
  Number: {Type: Number, Default: 7}
  List: {Type: CommaDelimitedList, Default: "a,b,c"}
Mappings:
  Map: {first: {text: x, items: [y, z], n: 5}}
Conditions:
  Always: !Equals [a, a]
  Never: !Equals [a, b]
Resources:
  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: fn, Handler: h, Runtime: provided.al2023, AutoPublishAlias: live}}
  Plain: {Type: AWS::Serverless::Function, Properties: {CodeUri: fn, Handler: h, Runtime: provided.al2023, FunctionName: named, Role: x}}
  Http: {Type: AWS::Serverless::HttpApi}
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: prod
      RouteSelectionExpression: $request.body.type
      Routes: {$default: {FunctionArn: !GetAtt Fn.Arn}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {BillingMode: PAY_PER_REQUEST, KeySchema: [{AttributeName: a, KeyType: HASH}], AttributeDefinitions: [{AttributeName: a, AttributeType: S}]}
  Simple: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: simple}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: x}}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${Word}-queue"}}
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: files}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /my/logs}}
  Role: {Type: AWS::IAM::Role, Properties: {RoleName: me}}
  Old: {Type: AWS::Lambda::Function, Properties: {FunctionName: old}}
  Absent: {Type: AWS::SNS::Topic, Condition: Never}
Outputs: {O: {Value: `

func TestIntrinsics(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:"
	for _, tt := range []struct{ value, want string }{
		{`!Ref Word`, "hello"},
		{`{Ref: Number}`, "7"},
		{`!Ref AWS::Region`, "us-east-1"},
		{`!Ref AWS::AccountId`, "123456789012"},
		{`!Ref AWS::Partition`, "aws"},
		{`!Ref AWS::URLSuffix`, "amazonaws.com"},
		{`!Ref AWS::StackName`, "stack"},
		{`!Join [",", !Ref AWS::NotificationARNs]`, ""},

		{`!Ref Fn`, "Fn"},
		{`!GetAtt Fn.Arn`, arn + "Fn"},
		{`!Ref Fn.Alias`, arn + "Fn:live"},
		{`!Ref Fn.Version`, arn + "Fn:1"},
		{`!Ref Plain`, "named"},
		{`!GetAtt [Plain, Arn]`, arn + "named"},
		{`!GetAtt FnRole.Arn`, "arn:aws:iam::123456789012:role/stack-FnRole-E0P11E7AIX8Z"},
		{`!Sub "${FnRole.Arn} ${FnRole}"`, "arn:aws:iam::123456789012:role/stack-FnRole-E0P11E7AIX8Z stack-FnRole-E0P11E7AIX8Z"},
		{`!Ref Http`, "http"},
		{`!GetAtt Http.ApiEndpoint`, "https://http.execute-api.us-east-1.amazonaws.com"},
		{`!Ref Http.Stage`, "$default"},
		{`!Ref HttpApiGatewayDefaultStage`, "$default"},
		{`!Ref Socket`, "socket"},
		{`!Ref Socket.Stage`, "prod"},
		{`!Ref SocketprodStage`, "prod"},
		{`!Sub "${Socket.Stage}/${Socket.ApiId}"`, "prod/socket"},
		{`!Ref Table`, "Table"},
		{`!GetAtt Table.Arn`, "arn:aws:dynamodb:us-east-1:123456789012:table/Table"},
		{`!Ref Simple`, "simple"},
		{`!Ref Secret`, "arn:aws:secretsmanager:us-east-1:123456789012:secret:Secret-rhtyel"},
		{`!GetAtt Secret.Id`, "arn:aws:secretsmanager:us-east-1:123456789012:secret:Secret-rhtyel"},
		{`!Ref Topic`, "arn:aws:sns:us-east-1:123456789012:news"},
		{`!GetAtt Topic.TopicName`, "news"},
		{`!Ref Queue`, "https://sqs.us-east-1.amazonaws.com/123456789012/hello-queue"},
		{`!GetAtt Queue.Arn`, "arn:aws:sqs:us-east-1:123456789012:hello-queue"},
		{`!GetAtt Queue.QueueUrl`, "https://sqs.us-east-1.amazonaws.com/123456789012/hello-queue"},
		{`!GetAtt Bucket.Arn`, "arn:aws:s3:::files"},
		{`!Ref Logs`, "/my/logs"},
		{`!GetAtt Logs.Arn`, "arn:aws:logs:us-east-1:123456789012:log-group:/my/logs:*"},
		{`!GetAtt Role.Arn`, "arn:aws:iam::123456789012:role/me"},
		{`!GetAtt Old.Arn`, arn + "old"},

		{`!Sub plain`, "plain"},
		{`!Sub "${Word} ${ Number } ${AWS::Region}"`, "hello 7 us-east-1"},
		{`!Sub "${!Word} $Word $ {Word} ${Fn.Arn}"`, "${Word} $Word $ {Word} " + arn + "Fn"},
		{`!Sub ["${a}-${b}-${Word}", {a: 1, b: !Sub "${Number}${Number}"}]`, "1-77-hello"},
		{`!Sub ["${Word}", {Word: mine}]`, "mine"},
		{`{"Fn::Sub": "${Word}"}`, "hello"},
		{`!Sub 010`, "010"},

		{`!Join ["-", [a, !Ref Word, 3, true]]`, "a-hello-3-true"},
		{`!Join ["", !Ref List]`, "abc"},
		{`!Join [",", [a, !Ref AWS::NoValue, b]]`, "a,b"},
		{`!Select [1, !Ref List]`, "b"},
		{`!Select ["0", [!Ref Word]]`, "hello"},
		{`!Join ["+", !Split [",", "a,b,,c"]]`, "a+b++c"},
		{`!FindInMap [Map, first, text]`, "x"},
		{`!Join [",", !FindInMap [Map, !Sub ["fir${t}", {t: st}], items]]`, "y,z"},
		{`!FindInMap [Map, none, text, {DefaultValue: !Ref Word}]`, "hello"},
		{`!FindInMap [Map, first, n]`, "5"},
		{`!Base64 hello`, "aGVsbG8="},
		{`!Join [",", !GetAZs ""]`, "us-east-1a,us-east-1b,us-east-1c"},
		{`!Select [0, !GetAZs eu-west-1]`, "eu-west-1a"},
		{`!If [Always, !Ref Word, !Ref Nothing]`, "hello"},
		{`!If [Never, !Ref Nothing, other]`, "other"},
		{`!If [Never, a, !If [Always, b, c]]`, "b"},
		{`!ImportValue other`, ""},

		{`yes`, "true"},
		{`Off`, "false"},
		{`1.10`, "1.1"},
		{`1.0`, "1.0"},
		{`2.`, "2.0"},
		{`1.5e3`, "1.5e3"}, // the exponent of a number has a sign
		{`1.5e+3`, "1500.0"},
		{`1_000`, "1000"},
		{`0x1F`, "31"},
		{`0b101`, "5"},
		{`017`, "15"},
		{`089`, "089"},
		{`12:30`, "12:30"},
		{`2026-05-24`, "2026-05-24"},
		{`!!str 010`, "010"},
		{`123456789012345678901234567890`, "123456789012345678901234567890"},
	} {
		t.Run(tt.value, func(t *testing.T) {
			t.Parallel()
			s := parse(t, preamble+tt.value+"}}\n", Options{StackName: "stack"})
			if got := s.Outputs[0].Value; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestIntrinsicErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ value, want string }{
		{`!Ref Wrod`, `Ref refers to "Wrod", which does not exist; did you mean Word?`},
		{`!Ref Nothing`, `Ref refers to "Nothing", which does not exist; name a parameter or a resource of this template`},
		{`!Ref`, `Ref takes the name of a parameter or resource`},
		{`!Ref [a]`, `Ref takes the name of a parameter or resource`},
		{`!Ref Absent`, `Ref refers to Absent, which does not exist since its condition Never is false; choose with Fn::If`},
		{`!Ref AWS::Regoin`, `Ref refers to "AWS::Regoin", which does not exist; did you mean AWS::Region?`},
		{`!Ref AWS::NoValue`, `Value must be a string, not AWS::NoValue`},
		{`!Ref List`, `Value must be a string, not a list`},
		{`!Ref Plain.Alias`, `Ref refers to Plain.Alias, but the function has no AutoPublishAlias`},
		{`!Ref Http.Alias`, `Ref refers to "Http.Alias", which does not exist; name a parameter or a resource of this template`},
		{`!GetAtt Fn`, `Fn::GetAtt takes Resource.Attribute or [Resource, Attribute]`},
		{`!GetAtt Fn.Name`, `Fn::GetAtt refers to Fn.Name; the attributes of AWS::Serverless::Function are Arn`},
		{`!GetAtt Http.Url`, `Fn::GetAtt refers to Http.Url; the attributes of AWS::Serverless::HttpApi are ApiEndpoint, ApiId`},
		{`!GetAtt Table.StreamArn`, `Fn::GetAtt refers to Table.StreamArn; the attributes of AWS::DynamoDB::Table are Arn`},
		{`!GetAtt Tabel.Arn`, `Fn::GetAtt refers to the resource "Tabel", which does not exist; did you mean Table?`},
		{`!GetAtt Word.Arn`, `Fn::GetAtt takes an attribute of Word, which is a parameter; use Ref`},
		{`!GetAtt Absent.Arn`, `Fn::GetAtt refers to Absent, which does not exist since its condition Never is false; choose with Fn::If`},
		{`!Sub "${Wrod}"`, `Fn::Sub refers to "Wrod", which does not exist; did you mean Word?`},
		{`!Sub "${Word"`, `Fn::Sub lacks a } after ${; write ${!Name} for a literal ${Name}`},
		{`!Sub "${List}"`, `Fn::Sub cannot put ${List}, which is a list, into a string; use Fn::Join`},
		{`!Sub "${AWS::NoValue}"`, `Fn::Sub cannot put AWS::NoValue into a string`},
		{`!Sub [a]`, `Fn::Sub takes a string or [string, {name: value}]`},
		{`!Sub ["${a}", {a: [1]}]`, `the value of a in Fn::Sub must be a string, not a list`},
		{`!Join [",", a, b]`, `Fn::Join takes [delimiter, [values]]`},
		{`!Join [",", a]`, `the second argument of Fn::Join must be a list, not a string`},
		{`!Join [",", [{a: b}]]`, `Fn::Join joins strings, not a map`},
		{`!Select [3, !Ref List]`, `Fn::Select has the index 3, but the list has 3 values`},
		{`!Select [-1, !Ref List]`, `Fn::Select has the index -1, but the list has 3 values`},
		{`!Select [x, !Ref List]`, `Fn::Select needs a number as its index`},
		{`!Split ["", a]`, `Fn::Split needs a delimiter that is not empty`},
		{`!If [Maybe, a, b]`, `there is no condition "Maybe"`},
		{`!If [yes, a, b]`, `there is no condition "true"; a name that YAML takes for true or false, such as Yes, stands in quotes`},
		{`!If [Always, a]`, `Fn::If takes [condition, value if true, value if false]`},
		{`!FindInMap [Map, first, txet]`, `Fn::FindInMap finds no "txet" in Mappings.Map.first; did you mean text?`},
		{`!FindInMap [Map, frist, text]`, `Fn::FindInMap finds no "frist" in Mappings.Map; did you mean first?`},
		{`!FindInMap [Map, first]`, `Fn::FindInMap takes [map, first key, second key]`},
		{`!Equals [a, a]`, `Fn::Equals stands only in Conditions; name a condition there and use it with Fn::If`},
		{`!Joni [a]`, `"Fn::Joni" is no intrinsic function; did you mean Fn::Join?`},
		{`!Base64 [a]`, `the argument of Fn::Base64 must be a string, not a list`},
		{`{a: {Ref: Word, b: c}}`, `Ref stands beside other keys; an intrinsic is the only key of its map`},
		{`~`, `Value must be a string, not null`},
	} {
		t.Run(tt.value, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("template.yaml", []byte(preamble+tt.value+"}}\n"), Options{})
			if err == nil {
				t.Fatal("got no error")
			}
			first, _, _ := strings.Cut(err.Error(), "\n")
			if want := "template.yaml:34: output O: " + tt.want; first != want {
				t.Errorf("got\n%s\nwant\n%s", first, want)
			}
		})
	}
}

// TestLargeObject finds fields of an object that is too large to look through.
func TestLargeObject(t *testing.T) {
	t.Parallel()
	s := parse(t, `
Mappings: {M: {a: {`+numbered(100, "k%d: v%[1]d")+`}}}
Conditions: {C: !Equals [{`+numbered(100, "k%d: a")+`}, {k99: a, `+numbered(99, "k%d: a")+`}]}
Resources: {R: {Type: AWS::SNS::Topic}}
Outputs: {O: {Value: !If [C, !FindInMap [M, a, k77], differs]}, P: {Value: !FindInMap [M, a, k100, {DefaultValue: none}]}}
`, Options{})
	if got, want := s.Outputs[0].Value+" "+s.Outputs[1].Value, "v77 none"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		condition string
		want      bool
	}{
		{`!Equals [!Ref P, "1"]`, true},
		{`!Equals [!Ref P, 1]`, true}, // as CloudFormation, which compares strings
		{`!Equals [[a, b], [a, b]]`, true},
		{`!Equals [[a, b], [a]]`, false},
		{`!Equals [{a: [1]}, {a: [1]}]`, true},
		{`!Equals [{a: 1}, {b: 1}]`, false},
		{`!Equals ["", !Ref AWS::Region]`, false},
		{`!Not [!Equals [a, b]]`, true},
		{`!And [!Condition T, !Condition T, !Condition F]`, false},
		{`!And [!Condition T, {Condition: T}]`, true},
		{`!Or [!Condition F, !Not [!Condition F]]`, true},
		{`!Or [!Condition F, !Condition F]`, false},
	} {
		s := parse(t, `
Parameters: {P: {Type: String, Default: "1"}}
Conditions:
  C: `+tt.condition+`
  T: !Equals [a, a]
  F: !Equals [a, b]
Resources: {R: {Type: AWS::SNS::Topic}}
Outputs: {O: {Value: !If [C, yes, no]}}
`, Options{})
		if got := s.Outputs[0].Value == "true"; got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.condition, got, tt.want)
		}
	}
}
