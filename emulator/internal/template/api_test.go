package template

import (
	"slices"
	"strings"
	"testing"
)

// v2 is a template of a function, a WebSocket API, an HTTP API and an
// integration of each, with further resources from line 16 on.
func v2(resources string) string {
	return "Resources:" + `
  Fn: {Type: AWS::Lambda::Function, Properties: {Code: fn, Handler: h, Runtime: provided.al2023}}
  Ws: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: ws, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.type}}
  Live: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Ws, StageName: live, AutoDeploy: true}}
  In:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Ws, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Fn.Arn}
  Web: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: web, ProtocolType: HTTP}}
  WebStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Web, StageName: $default, AutoDeploy: true}}
  WebIn:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Web, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Fn.Arn, PayloadFormatVersion: "2.0"}
  Guard:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties: {ApiId: !Ref Ws, Name: guard, AuthorizerType: REQUEST, AuthorizerUri: !GetAtt Fn.Arn}
` + resources
}

// part is a resource of AWS::ApiGatewayV2 in line 16.
func part(typ, properties string) string {
	return v2("  R: {Type: AWS::ApiGatewayV2::" + typ + ", Properties: {" + properties + "}}\n")
}

// TestAPIErrors has the exact text of each error, without "template.yaml:".
func TestAPIErrors(t *testing.T) {
	t.Parallel()
	const target = `, Target: !Sub "integrations/${In}"`
	const webTarget = `, Target: !Sub "integrations/${WebIn}"`
	for _, tt := range []struct{ name, src, want string }{
		{"protocol", part("Api", "Name: a, ProtocolType: SOCKET"), `16: R: ProtocolType is "SOCKET"; give HTTP or WEBSOCKET`},
		{"no protocol", part("Api", "Name: a"), "16: R: ProtocolType is missing; give it"},
		{"no selection", part("Api", "Name: a, ProtocolType: WEBSOCKET"), "16: R: RouteSelectionExpression is missing; give it"},
		{"cors of a WebSocket API", part("Api", "Name: a, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.a, CorsConfiguration: {}"),
			"16: R: CorsConfiguration is for HTTP APIs only; remove it"},
		{"cors is no map", part("Api", "Name: a, ProtocolType: HTTP, CorsConfiguration: true"), "16: R: CorsConfiguration must be a map, not true or false"},
		{"same id", part("Api", "Name: a, ProtocolType: HTTP") + "  r: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: HTTP}}",
			`17: r: has the same name, "r", as R in line 16; rename one`},
		{"type", part("Rout", ""), `16: R: there is no type "AWS::ApiGatewayV2::Rout"; did you mean AWS::ApiGatewayV2::Route?`},
		{"attribute", part("Deployment", "ApiId: !GetAtt Ws.Id"),
			"16: R: Fn::GetAtt refers to Ws.Id; the attributes of AWS::ApiGatewayV2::Api are ApiEndpoint, ApiId"},

		{"no stage name", part("Stage", "ApiId: !Ref Ws"), "16: R: StageName is missing; give it"},
		{"stage name", part("Stage", "ApiId: !Ref Ws, StageName: a/b"), `16: R: StageName is "a/b"; use letters, digits, - and _`},
		{"stage of a WebSocket API", part("Stage", "ApiId: !Ref Ws, StageName: $default"), "16: R: StageName $default is for HTTP APIs only; use another name"},
		{"stage twice", part("Stage", "ApiId: !Ref Ws, StageName: live, AutoDeploy: true"),
			`16: R: StageName is "live", which is a stage of Ws already; use another name`},
		{"variable of one stage only", part("Stage", "ApiId: !Ref Ws, StageName: more, AutoDeploy: true, StageVariables: {fn: Fn}") +
			"  More: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Ws, IntegrationType: AWS_PROXY, IntegrationUri: 'arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.fn}'}}\n",
			"17: More: IntegrationUri uses the stage variable fn, which the stage live of Ws does not have"},
		{"stage of no API", part("Stage", "ApiId: Fn, StageName: a"), `16: R: ApiId is "Fn", which is no API of this template; use !Ref`},

		{"integration of no API", part("Integration", "IntegrationType: AWS_PROXY"), "16: R: ApiId is missing; give it"},
		{"integration type", part("Integration", "ApiId: !Ref Ws, IntegrationType: LAMBDA"), `16: R: IntegrationType is "LAMBDA"; give AWS_PROXY, for a function`},
		{"no integration type", part("Integration", "ApiId: !Ref Ws"), "16: R: IntegrationType is missing; give it"},
		{"no uri", part("Integration", "ApiId: !Ref Ws, IntegrationType: AWS_PROXY"), "16: R: IntegrationUri is missing; give it"},
		{"uri", part("Integration", "ApiId: !Ref Ws, IntegrationType: AWS_PROXY, IntegrationUri: !Ref Fn"),
			`16: R: IntegrationUri is "Fn", which is no function of this template; use !GetAtt Function.Arn`},
		{"uri of another function", part("Integration", "ApiId: !Ref Ws, IntegrationType: AWS_PROXY, IntegrationUri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/x/invocations'"),
			`16: R: IntegrationUri is "x", which is no function of this template; use !GetAtt Function.Arn`},
		{"stage variable", part("Integration", "ApiId: !Ref Ws, IntegrationType: AWS_PROXY, IntegrationUri: '${stageVariables.fn}'"),
			"16: R: IntegrationUri uses the stage variable fn, which the stage live of Ws does not have"},
		{"timeout", part("Integration", "ApiId: !Ref Ws, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Fn.Arn, TimeoutInMillis: 30000"),
			"16: R: TimeoutInMillis is 30000; give a number from 50 to 29000"},
		{"no payload", part("Integration", "ApiId: !Ref Web, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Fn.Arn"),
			"16: R: PayloadFormatVersion is missing; give it"},
		{"payload of a WebSocket API", part("Integration", "ApiId: !Ref Ws, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Fn.Arn, PayloadFormatVersion: '2.0'"),
			`16: R: PayloadFormatVersion is "2.0"; give one of 1.0`},

		{"authorizer type", part("Authorizer", "ApiId: !Ref Ws, Name: a, AuthorizerType: JWT, AuthorizerUri: !GetAtt Fn.Arn"),
			`16: R: AuthorizerType is "JWT"; a WebSocket API takes only REQUEST`},
		{"no authorizer uri", part("Authorizer", "ApiId: !Ref Ws, Name: a, AuthorizerType: REQUEST"), "16: R: AuthorizerUri is missing; give it"},
		{"identity source", part("Authorizer", "ApiId: !Ref Ws, Name: a, AuthorizerType: REQUEST, AuthorizerUri: !GetAtt Fn.Arn, IdentitySource: [$request.header.A]"),
			`16: R: IdentitySource has "$request.header.A"; a WebSocket API takes such as route.request.header.Authorization`},

		{"no route key", part("Route", "ApiId: !Ref Ws"+target), "16: R: RouteKey is missing; give it"},
		{"socket key", part("Route", "ApiId: !Ref Ws, RouteKey: $open"+target),
			`16: R: RouteKey is "$open"; give at most 128 characters, or $connect, $disconnect or $default`},
		{"http key", part("Route", "ApiId: !Ref Web, RouteKey: get /a"+webTarget),
			`16: R: RouteKey is "get /a"; give such as GET /items/{id}, ANY /{rest+} or $default`},
		{"http path", part("Route", `ApiId: !Ref Web, RouteKey: "GET /{a+}/b"`+webTarget),
			`16: R: RouteKey is "GET /{a+}/b"; give such as GET /items/{id}, ANY /{rest+} or $default`},
		{"no such integration", part("Route", "ApiId: !Ref Ws, RouteKey: a, Target: integrations/abc"),
			`16: R: Target is "integrations/abc", which is no integration of this template; use !Sub integrations/${Integration}`},
		{"integration that is not there", part("Route", `ApiId: !Ref Ws, RouteKey: a, Target: !Sub "integrations/${Inn}"`),
			`16: R: Fn::Sub refers to "Inn", which does not exist; did you mean In?`},
		{"target without integrations", part("Route", "ApiId: !Ref Ws, RouteKey: a, Target: !Ref In"),
			`16: R: Target is "` + suffix("AWS::ApiGatewayV2::Integration/In", 7) + `", which is no integration of this template; use !Sub integrations/${Integration}`},
		{"integration of another API", part("Route", "ApiId: !Ref Ws, RouteKey: a"+webTarget),
			"16: R: Target is an integration of Web, but the route belongs to Ws"},
		{"same socket route", part("Route", "ApiId: !Ref Ws, RouteKey: a"+target) + "  S: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Ws, RouteKey: a" + target + "}}",
			`17: S: the route "a" of Ws is given twice, first in line 16`},
		{"same http route", part("Route", "ApiId: !Ref Web, RouteKey: GET /"+webTarget) + "  S: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Web, RouteKey: GET /" + webTarget + "}}",
			`17: S: the route "GET /" of Web is given twice, first in line 16`},
		{"response expression", part("Route", "ApiId: !Ref Ws, RouteKey: a, RouteResponseSelectionExpression: $response"+target),
			`16: R: RouteResponseSelectionExpression is "$response"; API Gateway takes only $default`},
		{"authorization", part("Route", "ApiId: !Ref Ws, RouteKey: $connect, AuthorizationType: JWT"+target),
			`16: R: AuthorizationType is "JWT"; give one of NONE, CUSTOM, AWS_IAM`},
		{"authorization elsewhere", part("Route", "ApiId: !Ref Ws, RouteKey: a, AuthorizationType: CUSTOM, AuthorizerId: !Ref Guard"+target),
			`16: R: AuthorizationType is "CUSTOM"; only $connect has authorization, which holds for the whole connection`},
		{"no authorizer", part("Route", "ApiId: !Ref Ws, RouteKey: $connect, AuthorizationType: CUSTOM"+target), "16: R: AuthorizerId is missing; give it"},
		{"no such authorizer", part("Route", "ApiId: !Ref Ws, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref In"+target),
			`16: R: AuthorizerId is "` + suffix("AWS::ApiGatewayV2::Integration/In", 7) + `", which is no authorizer of Ws; use !Ref`},
		{"response of no API", part("RouteResponse", "ApiId: x, RouteId: !Ref In, RouteResponseKey: $default"),
			`16: R: ApiId is "x", which is no API of this template; use !Ref`},

		{"event of a raw API", sam + v2("  Of: {Type: AWS::Serverless::Function, Properties: {CodeUri: of, Handler: h, Runtime: r, "+
			"Events: {E: {Type: HttpApi, Properties: {ApiId: !Ref Web}}}}}"),
			`17: Of: Events.E.Properties.ApiId is "web", which is no HttpApi of this template; use !Ref`},
		{"function", v2("  R: {Type: AWS::Lambda::Function, Properties: {Code: r, Timeout: 0}}"),
			"16: R: Handler is missing; give it\ntemplate.yaml:16: R: Runtime is missing; give it\ntemplate.yaml:16: R: Timeout is 0; give a number from 1 to 900"},
		{"empty code", v2(`  R: {Type: AWS::Lambda::Function, Properties: {Code: "", Handler: h, Runtime: r}}`), "16: R: Code is missing; give it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantErrors(t, tt.src, tt.want)
		})
	}
}

func TestAPINotes(t *testing.T) {
	t.Parallel()
	const connect = `ApiId: !Ref Ws, RouteKey: $connect, Target: !Sub "integrations/${In}"`
	for _, tt := range []struct {
		name, src  string
		authorized bool
		want       []string
	}{
		{"nothing", v2(""), false, nil},
		{"authorizer", part("Route", connect+", AuthorizationType: CUSTOM, AuthorizerId: !Ref Guard"), true, nil},
		{"authorizer of an integration that is not emulated", part("Integration", "ApiId: !Ref Ws, IntegrationType: MOCK") +
			`  C: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Ws, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref Guard, Target: !Sub "integrations/${R}"}}`,
			true, []string{"16: R: AWS::ApiGatewayV2::Integration of type MOCK",
				"17: C: AWS::ApiGatewayV2::Route $connect, since its integration is not emulated"}},
		{"authorizer without type", part("Route", connect+", AuthorizerId: !Ref Guard"), false,
			[]string{"16: R: AuthorizerId without AuthorizationType CUSTOM: WITHOUT AUTHORIZER, as on AWS, the API is OPEN to everybody"}},
		{"iam", part("Route", connect+", AuthorizationType: AWS_IAM"), false,
			[]string{"16: R: AuthorizationType AWS_IAM: signatures are not checked, the API is OPEN"}},
		{"not deployed", strings.Replace(v2(""), "StageName: live, AutoDeploy: true", "StageName: live", 1), false,
			[]string{"4: Live: AWS::ApiGatewayV2::Stage without AutoDeploy and DeploymentId, which on AWS has no routes: its routes are served"}},
		{"open api document", part("Api", "Body: {openapi: 3.0.1}") + "  S: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref R, StageName: s, AutoDeploy: true}}",
			false, []string{"16: R: property Body"}},
		{"rest apis", "Resources:\n  S: {Type: AWS::ApiGateway::Stage}\n  D: {Type: AWS::ApiGateway::Deployment}\n  A: {Type: AWS::ApiGateway::Authorizer}", false,
			[]string{"2: S: AWS::ApiGateway::Stage", "3: D: AWS::ApiGateway::Deployment", "4: A: AWS::ApiGateway::Authorizer"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := parse(t, tt.src, Options{})
			if got := notes(s); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if len(s.WebSocketAPIs) > 0 && (s.WebSocketAPIs[0].Authorizer != nil) != tt.authorized {
				t.Errorf("got authorizer %v; want one: %v", s.WebSocketAPIs[0].Authorizer, tt.authorized)
			}
		})
	}
}

// TestAbsentRoute leaves out parts of an API whose condition is false.
func TestAbsentRoute(t *testing.T) {
	t.Parallel()
	s := parse(t, "Conditions: {Never: !Equals [a, b]}\n"+v2(`  R:
    Type: AWS::ApiGatewayV2::Route
    Condition: Never
    Properties: {ApiId: !Ref Ws, RouteKey: a, Target: !Sub "integrations/${In}"}
`), Options{})
	if routes := s.WebSocketAPIs[0].Routes; len(routes) != 0 {
		t.Errorf("got %v", routes)
	}
}

// TestOwnAttributes holds that references of a resource to itself end.
func TestOwnAttributes(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		part("Api", "Name: a, ProtocolType: !GetAtt R.ApiEndpoint"),
		part("Stage", "ApiId: !Ref Ws, StageName: !Ref R"),
		v2("  R: {Type: AWS::Lambda::Function, Properties: {Code: !GetAtt R.Arn, FunctionName: !Ref R, Handler: h, Runtime: r}}"),
	} {
		if _, err := Parse("template.yaml", []byte(src), Options{}); err == nil {
			t.Errorf("got no error for %s", src[strings.LastIndex(src, "  R:"):])
		}
	}
}

// TestModelsAreNoted: messages are not validated, which each place that asks for
// it says.
func TestModelsAreNoted(t *testing.T) {
	t.Parallel()
	s := parse(t, part("Route", `ApiId: !Ref Ws, RouteKey: send, Target: !Sub "integrations/${In}", ModelSelectionExpression: $request.body.kind, RequestModels: {a: Order}`)+
		"  Order:\n    Type: AWS::ApiGatewayV2::Model\n    Properties: {ApiId: !Ref Ws, Name: Order, Schema: {type: object}}\n", Options{})
	want := []string{"16: R: property ModelSelectionExpression", "16: R: property RequestModels", "17: Order: AWS::ApiGatewayV2::Model"}
	if got := notes(s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
