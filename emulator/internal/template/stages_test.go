package template

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestFurtherStages gives APIs of SAM and of CloudFormation stages beside their
// first ones: each has the API's routes, and variables, settings and further
// routes of its own.
func TestFurtherStages(t *testing.T) {
	t.Parallel()
	s := parse(t, sam+`Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: fn, Handler: h, Runtime: provided.al2023, Events: {A: {Type: HttpApi, Properties: {ApiId: !Ref Web, Method: GET, Path: /a}}}}
  Web: {Type: AWS::Serverless::HttpApi, Properties: {StageVariables: {v: first}}}
  Second: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Web, StageName: second, AutoDeploy: true, StageVariables: {v: second}}}
  Third:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Web, StageName: third, AutoDeploy: true, DefaultRouteSettings: {ThrottlingBurstLimit: 7}}
  In: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Web, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Fn.Arn, PayloadFormatVersion: "2.0"}}
  Raw: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Web, RouteKey: GET /b, Target: !Sub "integrations/${In}"}}
  Ws:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.type
      Routes: {$default: {FunctionArn: !GetAtt Fn.Arn, RouteResponseSelectionExpression: $default}, $connect: {FunctionArn: !GetAtt Fn.Arn}}
      Auth: {AuthType: CUSTOM, AuthArn: !GetAtt Fn.Arn}
  WsSecond: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Ws, StageName: second, AutoDeploy: true}}
  Response: {Type: AWS::ApiGatewayV2::RouteResponse, Properties: {ApiId: !Ref Ws, RouteId: !Ref WsDefaultRoute, RouteResponseKey: $default}}
  Last: {Type: AWS::Serverless::HttpApi}
Outputs:
  Refs: {Value: !Join [" ", [!Ref Web.Stage, !Ref Second, !Ref WsSecond, !Ref Ws.Stage]]}
`, Options{})
	var got []string
	for _, a := range s.HTTPAPIs {
		line := fmt.Sprintf("%s %s %v", a.ID, a.Stage, a.StageVariables)
		for _, r := range a.Routes {
			line += " " + r.Key
		}
		if a.DefaultThrottle != nil {
			line += fmt.Sprint(" ", a.DefaultThrottle.Burst)
		}
		got = append(got, line)
	}
	for _, a := range s.WebSocketAPIs {
		got = append(got, fmt.Sprintf("%s %s %v %t %t", a.ID, a.Stage, len(a.Routes), a.Authorizer != nil, a.Routes["$default"].TwoWay))
	}
	want := []string{
		"web $default map[v:first] GET /a GET /b",
		"web second map[v:second] GET /a GET /b",
		"web third map[] GET /a GET /b 7",
		"last $default map[]",
		"ws default 2 true true",
		"ws second 2 true true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := s.Outputs[0].Value; got != "$default second second default" {
		t.Errorf("got %s", got)
	}
	if len(s.NotEmulated) > 0 {
		t.Errorf("got notes %v", s.NotEmulated)
	}
}
