package template

import (
	"strings"
	"testing"
)

// stages is a template of an HTTP API and a WebSocket API of SAM, and of a stage of
// an AWS::ApiGatewayV2::Api, all with the same settings in one line: 7, 10 or 14.
func stages(settings string) string {
	return sam + "Resources:" + okFn + `
  Web:
    Type: AWS::Serverless::HttpApi
    Properties:
      ` + settings + `
  Ws:
    Type: AWS::Serverless::WebSocketApi
    Properties: {` + settings + `, RouteSelectionExpression: $request.body.type, Routes: {$default: {FunctionArn: !GetAtt Fn.Arn}}}
  Raw: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: raw, ProtocolType: HTTP}}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {` + settings + `, ApiId: !Ref Raw, StageName: s, AutoDeploy: true}
`
}

func TestStageSettingErrors(t *testing.T) {
	t.Parallel()
	const logs = "DestinationArn: arn:aws:logs:us-east-1:1:log-group:a"
	for _, tt := range []struct{ name, settings, want string }{
		{"no destination", "AccessLogSettings: {Format: $context.requestId}", "AccessLogSettings.DestinationArn is missing; give it"},
		{"no format", "AccessLogSettings: {" + logs + "}", "AccessLogSettings.Format is missing; give it"},
		{"no request id", "AccessLogSettings: {" + logs + ", Format: $context.status $context.requestIdent}",
			"AccessLogSettings.Format must have $context.requestId or $context.extendedRequestId; add one"},
		{"several lines", "AccessLogSettings: {" + logs + `, Format: "$context.requestId\n$context.status"}`,
			"AccessLogSettings.Format has several lines; give one, in YAML behind >-"},
		{"destination", "AccessLogSettings: {DestinationArn: arn:aws:s3:::logs, Format: $context.requestId}",
			`AccessLogSettings.DestinationArn is "arn:aws:s3:::logs"; give the ARN of a log group, such as !GetAtt Logs.Arn`},
		{"misspelled", "AccessLogSettings: {" + logs + ", Formt: $context.requestId}", "AccessLogSettings.Formt is unknown; did you mean Format?"},
		{"throttled route", "RouteSettings: {GET /none: {ThrottlingBurstLimit: 1}}", `RouteSettings has "GET /none", which is no route of `},
		{"throttle", "DefaultRouteSettings: {ThrottlingRateLimit: fast}", `DefaultRouteSettings.ThrottlingRateLimit must be a number, not "fast"`},
		{"NaN", "DefaultRouteSettings: {ThrottlingRateLimit: NaN}", `DefaultRouteSettings.ThrottlingRateLimit must be a number, not "NaN"`},
		{"negative rate", "DefaultRouteSettings: {ThrottlingRateLimit: -0.5}",
			"DefaultRouteSettings.ThrottlingRateLimit is -0.5; give a number from 0 to 1000000000"},
		{"burst", "DefaultRouteSettings: {ThrottlingBurstLimit: 1.5}", `DefaultRouteSettings.ThrottlingBurstLimit must be a whole number, not "1.5"`},
		{"misspelled throttle", "RouteSettings: {$default: {ThrotlingBurstLimit: 1}}",
			"RouteSettings.$default.ThrotlingBurstLimit is unknown; did you mean ThrottlingBurstLimit?"},
		{"no map", "AccessLogSettings: on", "AccessLogSettings must be a map, not true or false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("template.yaml", []byte(stages(tt.settings)), Options{})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, place := range []string{"7: Web: ", "10: Ws: ", "14: Stage: "} {
				if want := "template.yaml:" + place + tt.want; !strings.Contains(err.Error(), want) {
					t.Errorf("got %v; want %s", err, want)
				}
			}
		})
	}
}

func TestAccessLogSettings(t *testing.T) {
	t.Parallel()
	s, err := Parse("template.yaml", []byte(stages(`AccessLogSettings: {DestinationArn: !GetAtt Logs.Arn, Format: "[$context.extendedRequestId]\n"}`)+
		"  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: a}}\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := AccessLog{Format: "[$context.extendedRequestId]"}
	for _, api := range s.HTTPAPIs {
		if got := api.AccessLog; got == nil || *got != want {
			t.Errorf("%s: got %v; want %v", api.LogicalID, got, want)
		}
	}
	if got := s.WebSocketAPIs[0].AccessLog; got == nil || *got != want {
		t.Errorf("WebSocket API: got %v; want %v", got, want)
	}
	if s, err = Parse("template.yaml", []byte(stages("AccessLogSettings: !Ref AWS::NoValue")), Options{}); err != nil || s.HTTPAPIs[0].AccessLog != nil {
		t.Errorf("without: got %v, %v", s, err)
	}
}

func TestThrottles(t *testing.T) {
	t.Parallel()
	src := stages(`DefaultRouteSettings: {ThrottlingRateLimit: 1.5, LoggingLevel: INFO, DataTraceEnabled: true, DetailedMetricsEnabled: true}, ` +
		`RouteSettings: {$default: {ThrottlingBurstLimit: "2"}}`)
	src = strings.Replace(src, "provided.al2023}}", `provided.al2023, Events: {A: {Type: HttpApi, Properties: {ApiId: !Ref Web, RouteSettings: {ThrottlingRateLimit: 9}}},
      B: {Type: HttpApi, Properties: {ApiId: !Ref Web, Method: GET, Path: /b}}}}}`, 1)
	src = strings.Replace(src, "DetailedMetricsEnabled: true}, RouteSettings: {$default: {ThrottlingBurstLimit: \"2\"}}\n", "DetailedMetricsEnabled: true}\n", 1)
	src += `  In: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Raw, IntegrationType: HTTP_PROXY}}
  Route: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Raw, RouteKey: $default, Target: !Sub "integrations/${In}"}}
`
	s, err := Parse("template.yaml", []byte(src), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		settings  StageSettings
		all, here Throttle
	}{
		{"event", s.HTTPAPIs[0].StageSettings, Throttle{1.5, -1}, Throttle{9, -1}},
		{"SAM", s.WebSocketAPIs[0].StageSettings, Throttle{1.5, -1}, Throttle{-1, 2}},
		{"raw", s.HTTPAPIs[1].StageSettings, Throttle{1.5, -1}, Throttle{-1, 2}},
	} {
		if got := tt.settings.DefaultThrottle; got == nil || *got != tt.all {
			t.Errorf("%s: default: got %v; want %v", tt.name, got, tt.all)
		}
		if got := tt.settings.Throttles; got["$default"] != tt.here || len(got) != 1 {
			t.Errorf("%s: route: got %v; want %v", tt.name, got, tt.here)
		}
	}
	if s, err = Parse("template.yaml", []byte(stages("DefaultRouteSettings: {LoggingLevel: INFO}")), Options{}); err != nil || s.HTTPAPIs[0].DefaultThrottle != nil {
		t.Errorf("without throttles: got %v, %v", s, err)
	}
}
