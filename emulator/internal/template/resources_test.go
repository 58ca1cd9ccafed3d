package template

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// notes gives a stack's notes as lines.
func notes(s *Stack) []string {
	var out []string
	for _, n := range s.NotEmulated {
		line := n.Pos.String()
		if n.Resource != "" {
			line += ": " + n.Resource
		}
		out = append(out, strings.TrimPrefix(line, "template.yaml:")+": "+n.What)
	}
	return out
}

func TestNotEmulated(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"nothing", fn("Timeout: 3"), nil},
		{"deploy time", fn("Policies: []\nTags: {a: b}\nTracing: Active\nMemorySize: 256\nDescription: x\nRole: x"), nil},
		{"function", fn("Layers: [a]\nVpcConfig: {}\nFunctionUrlConfig: {}\nSomethingNew: 1"), []string{
			"9: Fn: property Layers", "10: Fn: property VpcConfig", "11: Fn: property FunctionUrlConfig", "12: Fn: property SomethingNew"}},
		{"logging", fn("LoggingConfig: {SystemLogLevel: DEBUG, ApplicationLogLevel: WARN}"), []string{
			"9: Fn: property LoggingConfig.SystemLogLevel", "9: Fn: property LoggingConfig.ApplicationLogLevel, which needs LogFormat: JSON"}},
		{"destinations", fn("EventInvokeConfig:\n  DestinationConfig:\n    OnFailure: {Destination: 'arn:aws:sqs:us-east-1:123456789012:q'}\n" +
			"    OnSuccess: {Type: SNS, Destination: x}"), []string{
			"11: Fn: property EventInvokeConfig.DestinationConfig.OnFailure of type sqs",
			"12: Fn: property EventInvokeConfig.DestinationConfig.OnSuccess of type SNS"}},
		{"events", fn("Events:\n  A: {Type: SQS, Properties: {Queue: x}}\n  B: {Type: SNS, Properties: {Topic: x}}"), []string{
			"10: Fn: event A of type SQS", "11: Fn: event B of type SNS"}},
		{"iam route", fn("Events:\n  A: {Type: HttpApi, Properties: {Auth: {Authorizer: AWS_IAM}}}"), []string{
			"10: Fn: property Events.A.Properties.Auth.Authorizer AWS_IAM: signatures are not checked, the routes are OPEN"}},
		{"window", fn("Events:\n  A: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), FlexibleTimeWindow: {Mode: FLEXIBLE}}}"),
			[]string{"10: Fn: property Events.A.Properties.FlexibleTimeWindow: it fires on time"}},
		{"type", "Resources:\n  Q: {Type: AWS::SQS::Queue}\n  C: {Type: Custom::Thing, Connectors: {}}",
			[]string{"2: Q: AWS::SQS::Queue", "3: C: Connectors", "3: C: Custom::Thing"}},
		{"types close to others", "Resources:\n  D: {Type: AWS::ApiGateway::DomainName}\n  S: {Type: AWS::ApiGateway::Stage}",
			[]string{"2: D: AWS::ApiGateway::DomainName", "3: S: AWS::ApiGateway::Stage"}},
		{"long pattern", "Parameters: {P: {Type: String, Default: a, AllowedPattern: '" + strings.Repeat("a?", 3000) + "'}}\nResources:" + okRes,
			[]string{"1: P: AllowedPattern of 6000 characters", "3: R: AWS::SNS::Topic"}},
		{"absent", "Conditions: {Never: !Equals [a, b]}\nResources:\n  Q: {Type: AWS::SQS::Queue, Condition: Never}\n" +
			"  T: {Type: AWS::DynamoDB::Table, Condition: Never, Properties: {TableName: !Ref Nothing}}", nil},
		{"intrinsic", "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: !ImportValue x}",
			[]string{"2: Q: AWS::SQS::Queue", "4: Q: Fn::ImportValue, which gives an empty string"}},
		{"section", "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nRules: {}\nResources:" + okFn,
			[]string{"1: transform AWS::LanguageExtensions", "2: section Rules"}},
		{"ssm", "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a}}\nResources:\n  Q: {Type: AWS::SQS::Queue}",
			[]string{"1: P: parameter type AWS::SSM::Parameter::Value<String>: its value is used as it stands", "3: Q: AWS::SQS::Queue"}},
		{"pattern", "Parameters: {P: {Type: String, Default: a, AllowedPattern: '(?!b)a'}}\nResources:" + okRes,
			[]string{`1: P: AllowedPattern "(?!b)a": not a pattern that Go knows`, "3: R: AWS::SNS::Topic"}},
		{"lower case auth", ws(select_ + "Routes: {$connect: {FunctionArn: !GetAtt Fn.Arn}}\nAuth: {AuthType: custom, AuthArn: !GetAtt Fn.Arn}"), []string{
			"9: Ws: AuthType custom: WITHOUT AUTHORIZER, as on AWS, the API is OPEN to everybody; write CUSTOM in upper case"}},
		{"iam auth", ws(select_ + "Routes: {$connect: {FunctionArn: !GetAtt Fn.Arn}}\nAuth: {AuthType: AWS_IAM}"), []string{
			"9: Ws: AuthType AWS_IAM: signatures are not checked, the API is OPEN"}},
		{"route response", ws(select_+"Routes: {a: {FunctionArn: !GetAtt Fn.Arn}}") +
			"\n  Rr: {Type: AWS::ApiGatewayV2::RouteResponse, Properties: {ApiId: !Ref Ws, RouteId: !Ref WsARoute, RouteResponseKey: $default}}",
			[]string{"9: Rr: AWS::ApiGatewayV2::RouteResponse of a route that has no RouteResponseSelectionExpression, or of no WebSocket API"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := parse(t, tt.src, Options{})
			if got := notes(s); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			for _, api := range s.WebSocketAPIs {
				if api.Authorizer != nil {
					t.Errorf("%s: got an authorizer", api.LogicalID)
				}
			}
		})
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	for properties, want := range map[string]*CORS{
		"":                          nil,
		"CorsConfiguration: false":  nil,
		"CorsConfiguration: true":   {AllowOrigins: []string{"*"}, MaxAge: -1},
		"CorsConfiguration: 'true'": {AllowOrigins: []string{"*"}, MaxAge: -1},
		"CorsConfiguration: {AllowOrigins: [a], AllowHeaders: [b], ExposeHeaders: [c], MaxAge: 0}": {
			AllowOrigins: []string{"a"}, AllowHeaders: []string{"b"}, ExposeHeaders: []string{"c"}},
	} {
		got := parse(t, one("AWS::Serverless::HttpApi", properties), Options{}).HTTPAPIs[0].CORS
		if (got == nil) != (want == nil) {
			t.Errorf("%s: got %v, want %v", properties, got, want)
			continue
		}
		if got != nil && (!slices.Equal(got.AllowOrigins, want.AllowOrigins) || !slices.Equal(got.AllowHeaders, want.AllowHeaders) ||
			!slices.Equal(got.ExposeHeaders, want.ExposeHeaders) || got.MaxAge != want.MaxAge) {
			t.Errorf("%s: got %+v, want %+v", properties, got, want)
		}
	}
}

func TestFunctionDefaults(t *testing.T) {
	t.Parallel()
	f := parse(t, fn(""), Options{}).Functions[0]
	if f.Timeout != 3*time.Second || f.MemoryMB != 128 || f.Concurrency != -1 || f.Logging != (Logging{"Text", "", "/aws/lambda/Fn"}) ||
		f.Async != (Async{MaxRetries: 2, MaxEventAge: 6 * time.Hour}) || len(f.Environment) != 0 {
		t.Errorf("got %+v", f)
	}
}

func TestLogging(t *testing.T) {
	t.Parallel()
	for properties, want := range map[string]Logging{
		"LogFormat: JSON": {"JSON", "INFO", "/aws/lambda/Fn"},
		"LogFormat: JSON, ApplicationLogLevel: DEBUG":  {"JSON", "DEBUG", "/aws/lambda/Fn"},
		"LogGroup: !Ref G, ApplicationLogLevel: DEBUG": {"Text", "", "/my/logs"},
		"LogGroup: mine, LogFormat: Text":              {"Text", "", "mine"},
	} {
		s := parse(t, fn("LoggingConfig: {"+properties+"}")+"\n  G: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /my/logs}}", Options{})
		if got := s.Functions[0].Logging; got != want {
			t.Errorf("%s: got %+v, want %+v", properties, got, want)
		}
	}
}

func TestAutoPublishAlias(t *testing.T) {
	t.Parallel()
	s := parse(t, fn("AutoPublishAlias: !Sub '${AWS::Region}-live'"), Options{})
	if got, want := s.Functions[0].Alias, "us-east-1-live"; got != want || len(s.NotEmulated) != 0 {
		t.Errorf("got %q, notes %q, want %q", got, notes(s), want)
	}
}

// TestPayloadFormat takes a version that is written as a number.
func TestPayloadFormat(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.0", "2.0", "'2.0'"} {
		s := parse(t, fn("Events: {E: {Type: HttpApi, Properties: {Path: /, Method: get, PayloadFormatVersion: "+version+"}}}"), Options{})
		if got, want := s.HTTPAPIs[0].Routes[0].PayloadFormat, strings.Trim(version, "'"); got != want {
			t.Errorf("%s: got %s", version, got)
		}
	}
}

// TestGlobals merges as SAM does.
func TestGlobals(t *testing.T) {
	t.Parallel()
	s := parse(t, sam+`
Globals:
  Function:
    CodeUri: global
    Handler: h
    Runtime: provided.al2023
    Timeout: 9
    Environment:
      Variables: {A1: global, B1: !Ref AWS::Region, C1: {Ref: AWS::Region}}
Resources:
  Heir: {Type: AWS::Serverless::Function}
  Own:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 8
      Environment:
        Variables: {A1: own, B1: !Sub "own ${AWS::Region}", D1: 4}
  Free:
    Type: AWS::Serverless::Function
    IgnoreGlobals: "*"
    Properties: {CodeUri: c, Handler: h, Runtime: r}
  Partly:
    Type: AWS::Serverless::Function
    IgnoreGlobals: [Timeout, Environment]
`, Options{})
	for i, want := range []string{
		"Heir 9s A1=global B1=us-east-1 C1=us-east-1",
		"Own 8s A1=own B1=own us-east-1 C1=us-east-1 D1=4",
		"Free 3s",
		"Partly 3s",
	} {
		f := s.Functions[i]
		got := f.LogicalID + " " + f.Timeout.String()
		for _, name := range []string{"A1", "B1", "C1", "D1"} {
			if v, ok := f.Environment[name]; ok {
				got += " " + name + "=" + v
			}
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
