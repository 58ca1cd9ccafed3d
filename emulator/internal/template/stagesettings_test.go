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
	want := AccessLog{"arn:aws:logs:us-east-1:123456789012:log-group:a:*", "[$context.extendedRequestId]"}
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
