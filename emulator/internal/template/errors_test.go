package template

import (
	"errors"
	"strings"
	"testing"
)

// Parts that the templates below are put together from.
const (
	sam  = "Transform: AWS::Serverless-2016-10-31\n"
	okFn = `
  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: fn, Handler: h, Runtime: provided.al2023}}`
	okRes = "\n  R: {Type: AWS::SNS::Topic}"
)

// fn is a template of one function with further properties, from line 8 on.
func fn(properties string) string {
	return sam + `Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: fn
      Handler: h
      Runtime: provided.al2023
      ` + strings.ReplaceAll(strings.TrimSpace(properties), "\n", "\n      ")
}

// ws is a template of a function and a WebSocket API with further properties,
// from line 7 on.
func ws(properties string) string {
	return sam + "Resources:" + okFn + `
  Ws:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      ` + strings.ReplaceAll(strings.TrimSpace(properties), "\n", "\n      ")
}

// one is a template of one resource of a type, its properties from line 5 on.
func one(typ, properties string) string {
	return sam + "Resources:\n  R:\n    Type: " + typ + "\n    Properties: {" + properties + "}\n"
}

const select_ = "RouteSelectionExpression: $request.body.type\n"

// TestErrors has the exact text of each error, without "template.yaml:".
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src, want string
	}{
		// The document.
		{"empty", "", "1: the template is empty"},
		{"comment only", "# nothing\n", "1: the template is empty"},
		{"two documents", "a: 1\n---\nb: 2\n", "1: the file has several YAML documents; a template is one"},
		{"not YAML", "Resources:\n  A: [\n", "3: not YAML: did not find expected node content"},
		{"tab", "Resources:\n\tA: b\n", "2: not YAML: a tab indents the line; use spaces"},
		{"tab after spaces", "Resources:\n  A:\n  \tType: b\n", "3: not YAML: a tab indents the line; use spaces"},
		{"character", "{\n\t\"Resources\": @b\n}\n", "2: not YAML: found character that cannot start any token"},
		{"unknown anchor", "Resources: *x\n", "1: not YAML: unknown anchor 'x' referenced"},
		{"no map", "- a\n", "1: a template is a map with Resources, not a list"},
		{"no resources", "Description: x\n", "1: Resources must be a map of at least one resource"},
		{"duplicate key", "Resources:" + okRes + okRes, `3: "R" is given twice, first in line 2`},
		{"section", "Resuorces: {}\nResources:" + okRes, `1: "Resuorces" is no section of a template; did you mean Resources?`},
		{"merge", "Resources:\n  R: {<<: 1, Type: AWS::SNS::Topic}", "2: << merges maps only"},
		{"key", "Resources:\n  R: {Type: AWS::SNS::Topic}\n  [a]: b", "3: a key must be a string"},

		// Resources as such.
		{"logical id", "Resources:\n  my-topic: {Type: AWS::SNS::Topic}", `2: "my-topic" is no logical id; use letters and digits only`},
		{"loop", "Resources:\n  Fn::ForEach::Topics: [A, [x], {}]", "2: Fn::ForEach is not emulated; write each resource out"},
		{"no map", "Resources:\n  R: x", "2: R: must be a map with a Type, not a string"},
		{"no type", "Resources:\n  R: {Properties: {}}", "2: R: has no Type"},
		{"resource key", "Resources:\n  R: {Type: AWS::SNS::Topic, Propertise: {}}", `2: R: unknown key "Propertise"; did you mean Properties?`},
		{"type", sam + "Resources:\n  R: {Type: AWS::Serverless::Fuction}",
			`3: R: there is no type "AWS::Serverless::Fuction"; did you mean AWS::Serverless::Function?`},
		{"other transform", "Transform: AWS::LanguageExtensions\nResources:" + okFn,
			"3: Fn: AWS::Serverless::Function needs Transform: AWS::Serverless-2016-10-31 at the top of the template"},
		{"transform", "Resources:" + okFn, "2: Fn: AWS::Serverless::Function needs Transform: AWS::Serverless-2016-10-31 at the top of the template"},
		{"condition", "Resources:\n  R: {Type: AWS::SNS::Topic, Condition: C}", `2: R: there is no condition "C"`},
		{"depends on", "Resources:\n  R: {Type: AWS::SNS::Topic, DependsOn: [R, Q]}", `2: R: depends on "Q", which is no resource`},
		{"reference", "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n  Alarm:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      AlarmActions:\n        - !Ref Topik",
			`7: Alarm: Ref refers to "Topik", which does not exist; did you mean Topic?`},
		{"circle of names", "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref B}}\n  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.Arn}}",
			"3: B: the name refers to itself; give it a name without a circle"},
		{"circle of conditions", "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\nResources:" + okRes,
			"2: condition A: depends on itself"},
		{"no condition", "Conditions:\n  A: yes\nResources:" + okRes,
			"2: condition A: a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition"},
		{"globals section", sam + "Globals: {Functions: {}}\nResources:" + okFn, `2: Globals: there is no section "Functions"; did you mean Function?`},
		{"not global", sam + "Globals:\n  Function:\n    FunctionName: x\nResources:" + okFn,
			"4: Globals: FunctionName cannot be set for all of Function; set it on each resource"},
		{"circle of a stage", one("AWS::Serverless::HttpApi", "StageName: !Ref R.Stage"),
			"5: R: StageName refers to itself; give it a value without a circle"},
		{"alias without a function", "Resources:\n  A: {Type: AWS::Lambda::Alias}\nOutputs: {O: {Value: !Ref A}}", "2: A: FunctionName is missing; give it"},
		{"circle of an alias", fn("AutoPublishAlias: !Ref Fn.Alias"),
			"9: Fn: AutoPublishAlias refers to itself; give it a value without a circle"},
		{"same name", sam + "Resources:" + okFn + "\n  Two: {Type: AWS::Serverless::Function, Properties: {FunctionName: Fn, CodeUri: f, Handler: h, Runtime: r}}",
			`4: Two: has the same name, "Fn", as Fn in line 3; rename one`},

		// Functions.
		{"function", sam + "Resources:\n  Fn: {Type: AWS::Serverless::Function}",
			"3: Fn: CodeUri is missing; give it\ntemplate.yaml:3: Fn: Handler is missing; give it\ntemplate.yaml:3: Fn: Runtime is missing; give it"},
		{"misspelled", fn("Enviroment: {}"), "9: Fn: Enviroment is unknown; did you mean Environment?"},
		{"timeout", fn("Timeout: 901"), "9: Fn: Timeout is 901; give a number from 1 to 900"},
		{"timeout text", fn("Timeout: 10s"), `9: Fn: Timeout must be a whole number, not "10s"`},
		{"timeout list", fn("Timeout: [1]"), "9: Fn: Timeout must be a whole number, not a list"},
		{"memory", fn("MemorySize: 64"), "9: Fn: MemorySize is 64; give a number from 128 to 32768"},
		{"in S3", strings.Replace(fn("Timeout: 1"), "CodeUri: fn", "CodeUri: s3://b/k", 1), "6: Fn: CodeUri is in S3, which is not emulated; name a local folder"},
		{"inline", fn("InlineCode: x"), "9: Fn: InlineCode is not emulated; put the code in a folder and name it in CodeUri"},
		{"image", fn("PackageType: Image"), "9: Fn: PackageType Image is not emulated; put the code in a folder and name it in CodeUri"},
		{"architectures", sam + "Globals: {Function: {Architectures: [x86_64]}}\n" + fn("Architectures: [arm64]")[len(sam):],
			"10: Fn: Architectures are x86_64, arm64; give one, either in Globals or here"},
		{"variable null", fn("Environment:\n  Variables:\n    A1:"), "11: Fn: Environment.Variables.A1 must be a string, not null"},
		{"variable list", fn("Environment:\n  Variables:\n    A1: [x]"), "11: Fn: Environment.Variables.A1 must be a string, not a list"},
		{"variable reserved", fn("Environment: {Variables: {AWS_REGION: x}}"),
			"9: Fn: Environment.Variables.AWS_REGION is set by Lambda itself; use another name"},
		{"variable name", fn("Environment: {Variables: {A-1: x}}"),
			"9: Fn: Environment.Variables.A-1 is no variable's name; use two or more letters, digits and _, a letter first"},
		{"variable of one letter", fn("Environment: {Variables: {A: x}}"),
			"9: Fn: Environment.Variables.A is no variable's name; use two or more letters, digits and _, a letter first"},
		{"variable name with a verb", fn("Environment: {Variables: {A%d: x}}"),
			"9: Fn: Environment.Variables.A%d is no variable's name; use two or more letters, digits and _, a letter first"},
		{"variables size", fn("Environment: {Variables: {A1: " + strings.Repeat("x", 4095) + "}}"),
			"9: Fn: Environment.Variables hold 4097 bytes; Lambda takes 4096"},
		{"log level", fn("LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: VERBOSE}"),
			`9: Fn: LoggingConfig.ApplicationLogLevel is "VERBOSE"; give one of INFO, TRACE, DEBUG, WARN, ERROR, FATAL`},
		{"log group", fn("LoggingConfig: {LogGroup: 'a b'}"), `9: Fn: LoggingConfig.LogGroup is "a b"; use up to 512 letters, digits and . - _ / #`},
		{"log format", fn("LoggingConfig: {LogFormat: Xml}"), `9: Fn: LoggingConfig.LogFormat is "Xml"; give one of Text, JSON`},
		{"retries", fn("EventInvokeConfig: {MaximumRetryAttempts: 3}"), "9: Fn: EventInvokeConfig.MaximumRetryAttempts is 3; give a number from 0 to 2"},
		{"destination", fn("EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: Lambda, Destination: x}}}"),
			`9: Fn: EventInvokeConfig.DestinationConfig.OnFailure.Destination is "x", which is no function of this template; use !GetAtt Function.Arn`},

		// Events.
		{"event type", fn("Events: {E: {Type: HttpAPI}}"), `9: Fn: Events.E.Type "HttpAPI" is no type of event; did you mean HttpApi?`},
		{"websocket event", fn("Events: {E: {Type: WebSocket}}"),
			`9: Fn: Events.E.Type "WebSocket" is no type of event; the routes of a WebSocket API stand in AWS::Serverless::WebSocketApi`},
		{"no event type", fn("Events: {E: {}}"), "9: Fn: Events.E.Type is missing; give it"},
		{"event", fn("Events: {E: x}"), "9: Fn: Events.E must be a map, not a string"},
		{"api id", fn("Events: {E: {Type: HttpApi, Properties: {ApiId: other}}}"),
			`9: Fn: Events.E.Properties.ApiId is "other", which is no HttpApi of this template; use !Ref`},
		{"method", fn("Events: {E: {Type: HttpApi, Properties: {Path: /a}}}"),
			"9: Fn: Events.E.Properties.Method is missing; give it, or neither Method nor Path for the $default route"},
		{"path", fn("Events: {E: {Type: HttpApi, Properties: {Method: GET}}}"),
			"9: Fn: Events.E.Properties.Path is missing; give it, or neither Method nor Path for the $default route"},
		{"unknown method", fn("Events: {E: {Type: HttpApi, Properties: {Method: FETCH, Path: /}}}"),
			`9: Fn: Events.E.Properties.Method is "FETCH"; give one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, ANY`},
		{"relative path", fn("Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: a}}}"),
			`9: Fn: Events.E.Properties.Path is "a"; it must start with /`},
		{"greedy path", fn(`Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: "/{a+}/b"}}}`),
			`9: Fn: Events.E.Properties.Path is "/{a+}/b"; a variable is a whole segment, such as {id}, and {rest+} the last one`},
		{"same variable", fn(`Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: "/{a}/{a}"}}}`),
			`9: Fn: Events.E.Properties.Path is "/{a}/{a}"; a variable is a whole segment, such as {id}, and {rest+} the last one`},
		{"same route", fn("Events:\n  A: {Type: HttpApi}\n  B: {Type: HttpApi}"),
			`11: Fn: the route "$default" of ServerlessHttpApi is given twice, first in line 10`},
		{"payload", fn("Events: {E: {Type: HttpApi, Properties: {PayloadFormatVersion: 3.0}}}"),
			`9: Fn: Events.E.Properties.PayloadFormatVersion is "3.0"; give one of 2.0, 1.0`},
		{"schedule", fn("Events: {E: {Type: Schedule, Properties: {ScheduleExpression: rate(1 day)}}}"),
			"9: Fn: Events.E.Properties.Schedule is missing; give it"},
		{"input", fn("Events: {E: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), Input: x}}}"),
			`9: Fn: Events.E.Properties.Input must be JSON, such as '{"key":"value"}'`},

		// HTTP APIs.
		{"cors", one("AWS::Serverless::HttpApi", "CorsConfiguration: {AllowOrigin: x}"),
			"5: R: CorsConfiguration.AllowOrigin is unknown; did you mean AllowOrigins?"},
		{"cors list", one("AWS::Serverless::HttpApi", "CorsConfiguration: {AllowOrigins: x}"),
			"5: R: CorsConfiguration.AllowOrigins must be a list, not a string"},
		{"cors credentials", one("AWS::Serverless::HttpApi", `CorsConfiguration: {AllowOrigins: ["*"], AllowCredentials: true}`),
			"5: R: CorsConfiguration.AllowCredentials does not go with the origin *; name the origins"},
		{"stage", one("AWS::Serverless::HttpApi", "StageName: a/b"), `5: R: StageName is "a/b"; use letters, digits, - and _`},

		// WebSocket APIs.
		{"no routes", ws(select_), "4: Ws: Routes is empty; give at least one route"},
		{"no expression", ws("Routes: {$default: {FunctionArn: !GetAtt Fn.Arn}}"), "4: Ws: RouteSelectionExpression is missing; give it"},
		{"expression", ws("RouteSelectionExpression: type\nRoutes: {$default: {FunctionArn: !GetAtt Fn.Arn}}"),
			`7: Ws: RouteSelectionExpression is "type"; select by the message, such as $request.body.action`},
		{"route key", ws(select_ + "Routes:\n  sub-x: {FunctionArn: !GetAtt Fn.Arn}"),
			"9: Ws: Routes.sub-x is no route key; use letters and digits, or $connect, $disconnect or $default"},
		{"colliding keys", ws(select_ + "Routes:\n  ping: {FunctionArn: !GetAtt Fn.Arn}\n  Ping: {FunctionArn: !GetAtt Fn.Arn}"),
			"10: Ws: Routes.Ping collides with ping: SAM names both WsPingRoute; rename one"},
		{"no function", ws(select_ + "Routes:\n  $default: {IntegrationTimeout: 100}"), "9: Ws: Routes.$default.FunctionArn is missing; give it"},
		{"foreign function", ws(select_ + "Routes:\n  $default: {FunctionArn: arn:aws:lambda:us-east-1:1:function:x}"),
			`9: Ws: Routes.$default.FunctionArn is "arn:aws:lambda:us-east-1:1:function:x", which is no function of this template; use !GetAtt Function.Arn`},
		{"function's name", ws(select_ + "Routes:\n  $default: {FunctionArn: !Ref Fn}"),
			`9: Ws: Routes.$default.FunctionArn is "Fn", which is no function of this template; use !GetAtt Function.Arn`},
		{"raw function", ws(select_+"Routes:\n  $default: {FunctionArn: !GetAtt Raw.Arn}") + "\n  Raw: {Type: AWS::Lambda::Function, Properties: {FunctionName: raw}}",
			`9: Ws: Routes.$default.FunctionArn is "arn:aws:lambda:us-east-1:123456789012:function:raw", which is no function of this template: ` +
				`the Code of Raw is not here; name a local folder in it`},
		{"integration timeout", ws(select_ + "Routes:\n  $default: {FunctionArn: !GetAtt Fn.Arn, IntegrationTimeout: 30000}"),
			"9: Ws: Routes.$default.IntegrationTimeout is 30000; give a number from 50 to 29000"},
		{"default stage", ws("StageName: $default\n" + select_ + "Routes: {$default: {FunctionArn: !GetAtt Fn.Arn}}"),
			`7: Ws: StageName $default is for HTTP APIs only; use another name`},
		{"auth without connect", ws(select_ + "Routes: {$default: {FunctionArn: !GetAtt Fn.Arn}}\nAuth: {AuthType: CUSTOM, AuthArn: !GetAtt Fn.Arn}"),
			"9: Ws: Auth needs a $connect route, which is where it takes place"},
		{"auth type", ws(select_ + "Routes: {$connect: {FunctionArn: !GetAtt Fn.Arn}}\nAuth: {AuthType: JWT}"),
			`9: Ws: Auth.AuthType is "JWT"; give CUSTOM, AWS_IAM or NONE`},
		{"no auth type", ws(select_ + "Routes: {$connect: {FunctionArn: !GetAtt Fn.Arn}}\nAuth: {AuthArn: !GetAtt Fn.Arn}"),
			"9: Ws: Auth.AuthType is missing; give it"},
		{"no authorizer", ws(select_ + "Routes: {$connect: {FunctionArn: !GetAtt Fn.Arn}}\nAuth: {AuthType: CUSTOM}"),
			"9: Ws: Auth.AuthArn is missing; give it"},
		{"iam and more", ws(select_ + "Routes: {$connect: {FunctionArn: !GetAtt Fn.Arn}}\nAuth: {AuthType: NONE, AuthArn: !GetAtt Fn.Arn}"),
			"9: Ws: Auth.AuthType NONE takes no further properties; remove them"},
		{"identity source", ws(select_ + "Routes: {$connect: {FunctionArn: !GetAtt Fn.Arn}}\nAuth: {AuthType: CUSTOM, AuthArn: !GetAtt Fn.Arn, IdentitySource: [$request.header.A]}"),
			`9: Ws: Auth.IdentitySource has "$request.header.A"; a WebSocket API takes such as route.request.header.Authorization`},

		// Data.
		{"table", one("AWS::DynamoDB::Table", "BillingMode: PAY_PER_REQUEST"),
			"3: R: AttributeDefinitions is missing; give it\ntemplate.yaml:3: R: KeySchema is missing; give it"},
		{"table billing", one("AWS::DynamoDB::Table", "AttributeDefinitions: [{}], KeySchema: [{}]"),
			"3: R: ProvisionedThroughput is missing; give it, or BillingMode: PAY_PER_REQUEST"},
		{"table number", one("AWS::DynamoDB::Table", "AttributeDefinitions: [{}], KeySchema: [{}], ProvisionedThroughput: {ReadCapacityUnits: x, WriteCapacityUnits: 1}"),
			`5: R: ReadCapacityUnits must be a whole number, not "x"`},
		{"ttl", one("AWS::DynamoDB::Table", "BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{}], KeySchema: [{}], TimeToLiveSpecification: {AttributeName: t}"),
			"5: R: TimeToLiveSpecification.Enabled is missing; give true or false"},
		{"key type", one("AWS::Serverless::SimpleTable", "PrimaryKey: {Type: S}"), `5: R: PrimaryKey.Type is "S"; give one of String, Number, Binary`},
		{"two secrets", one("AWS::SecretsManager::Secret", "SecretString: x, GenerateSecretString: {}"),
			"5: R: GenerateSecretString does not go with SecretString; give one of them"},
		{"secret template", one("AWS::SecretsManager::Secret", "GenerateSecretString: {SecretStringTemplate: '{}'}"),
			"5: R: SecretStringTemplate and GenerateStringKey go together; give both or neither"},
		{"secret JSON", one("AWS::SecretsManager::Secret", "GenerateSecretString: {SecretStringTemplate: x, GenerateStringKey: k}"),
			`5: R: GenerateSecretString.SecretStringTemplate must be a JSON object, such as '{"user":"admin"}'`},
		{"secret length", one("AWS::SecretsManager::Secret", "GenerateSecretString: {PasswordLength: 0}"),
			"5: R: GenerateSecretString.PasswordLength is 0; give a number from 1 to 4096"},
		{"secret without characters", one("AWS::SecretsManager::Secret",
			"GenerateSecretString: {ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true}"),
			"5: R: GenerateSecretString excludes every character; allow some"},

		{"function name", fn("FunctionName: a b"), `9: Fn: FunctionName is "a b"; use up to 64 letters, digits, - and _`},
		{"long function name", fn("FunctionName: " + strings.Repeat("a", 65)),
			`9: Fn: FunctionName is "` + strings.Repeat("a", 60) + `…"; use up to 64 letters, digits, - and _`},
		{"event under a wrong If", fn("Events: !If [Nope, {}, {}]"), `9: Fn: there is no condition "Nope"`},
		{"event under half an If", fn("Events: {E: !If [Nope]}"), "9: Fn: Fn::If takes [condition, value if true, value if false]"},

		// Outputs.
		{"output", "Resources:" + okRes + "\nOutputs: {O: x}", "3: output O: must be a map with a Value, not a string"},
		{"output value", "Resources:" + okRes + "\nOutputs: {O: {}}", "3: output O: has no Value"},
		{"output condition", "Resources:" + okRes + "\nOutputs: {O: {Condition: C, Value: x}}", `3: output O: there is no condition "C"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantErrors(t, tt.src, tt.want)
		})
	}
}

// wantErrors reads a template that has mistakes, of which the first stands
// without the template's name.
func wantErrors(t *testing.T, src, want string) {
	t.Helper()
	_, err := Parse("template.yaml", []byte(src), Options{})
	if err == nil {
		t.Fatal("got no error")
	}
	if got, want := err.Error(), "template.yaml:"+want; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestAllErrors holds that problems are reported together, in the order of
// their lines, as *Error.
func TestAllErrors(t *testing.T) {
	t.Parallel()
	_, err := Parse("template.yaml", []byte(fn("Timeout: 0\nMemorySize: !Ref X\nTimeuot: 2")), Options{
		Parameters: map[string]string{"Y": "1"},
	})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v", err)
	}
	var lines []int
	for _, e := range joined.Unwrap() {
		var te *Error
		if !errors.As(e, &te) {
			t.Fatalf("got %T", e)
		}
		lines = append(lines, te.Pos.Line)
	}
	if len(lines) != 4 || lines[0] != 1 || lines[1] != 9 || lines[2] != 10 || lines[3] != 11 {
		t.Errorf("got lines %v, want 1, 9, 10, 11:\n%v", lines, err)
	}
}

func TestManyErrors(t *testing.T) {
	t.Parallel()
	_, err := Parse("template.yaml", []byte("Resources:"+okRes+"\nOutputs: {O: {Value: !Join ['', ["+strings.Repeat("!Ref X, ", 10_000)+"]]}}\n"+
		strings.Repeat("X: &a 1\n", 1000)), Options{})
	if n := strings.Count(err.Error(), "\n"); n != maxErrors {
		t.Errorf("got %d lines, want %d and one that says that there are more", n+1, maxErrors)
	}
	if !strings.HasSuffix(err.Error(), "template.yaml: and more") {
		t.Errorf("got %q at the end", err.Error()[len(err.Error())-40:])
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	names := []string{"Table", "Topic", "CodeUri", "Environment", "Arn"}
	for written, want := range map[string]string{
		"Tabel": "Table", "table": "Table", "Topics": "Topic", "CodeURI": "CodeUri", "Enviroment": "Environment",
		"Evnironmnet": "Environment", "Ar": "", "Foo": "", "": "", "Art": "Arn", strings.Repeat("x", 300): "",
	} {
		if got := closest(written, names); got != want {
			t.Errorf("closest(%q) = %q, want %q", written, got, want)
		}
	}
}
