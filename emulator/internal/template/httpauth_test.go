package template

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// guarded is a template of an HttpApi with the Auth in line 5 and a function
// with the properties of an HttpApi event in line 8.
func guarded(auth, event string) string {
	return "Transform: AWS::Serverless-2016-10-31\nResources:\n  Web:\n    Type: AWS::Serverless::HttpApi\n    Properties: {Auth: {" + auth + "}}\n" +
		"  Fn:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: fn, Handler: h, Runtime: r, Events: {E: {Type: HttpApi, Properties: {" +
		"ApiId: !Ref Web, Method: GET, Path: /x" + event + "}}}}\n"
}

const (
	fnAuth  = `G: {FunctionArn: !GetAtt Fn.Arn, AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true, EnableFunctionDefaultPermissions: true, Identity: {Headers: [A], QueryStrings: [q], StageVariables: [v], Context: [routeKey], ReauthorizeEvery: 60}}`
	jwtAuth = `J: {AuthorizationScopes: [read], IdentitySource: $request.header.Authorization, JwtConfiguration: {issuer: "https://i.example", Audience: [a, b]}}`
	both    = "Authorizers: {" + fnAuth + ", " + jwtAuth + "}"
)

func TestHTTPAuthorizers(t *testing.T) {
	t.Parallel()
	const fnWant = `"Name":"G","IdentitySource":["$request.header.A","$request.querystring.q","$stageVariables.v","$context.routeKey"],` +
		`"JWT":null,"FunctionARN":"arn:aws:lambda:us-east-1:123456789012:function:Fn","PayloadFormat":"2.0","Simple":true,"CacheTTL":60000000000}`
	const jwtWant = `"Name":"J","IdentitySource":["$request.header.Authorization"],"JWT":{"Issuer":"https://i.example","Audience":["a","b"]},` +
		`"FunctionARN":"","PayloadFormat":"","Simple":false,"CacheTTL":0}`
	const raw = "ApiId: !Ref Web, Name: J, AuthorizerType: JWT, IdentitySource: [$request.header.Authorization], JwtConfiguration: {Issuer: 'https://i.example', Audience: [a, b]}"
	rawRoute := func(authorization string) string {
		return part("Authorizer", raw) + `  S: {Type: AWS::ApiGatewayV2::Authorizer, Properties: {ApiId: !Ref Web, Name: S, AuthorizerType: REQUEST, AuthorizerUri: !GetAtt Fn.Arn, AuthorizerPayloadFormatVersion: "1.0"}}
  Rt: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Web, RouteKey: GET /x, Target: !Sub "integrations/${WebIn}"` + authorization + `}}`
	}
	for _, tt := range []struct{ name, src, want, scopes string }{
		{"none", guarded(both, ""), "null", ""},
		{"function", guarded(both, ", Auth: {Authorizer: G}"), fnWant, ""},
		{"token", guarded(both, ", Auth: {Authorizer: J}"), jwtWant, "read"},
		{"default", guarded(both+", DefaultAuthorizer: J", ""), jwtWant, "read"},
		{"other scopes", guarded(both+", DefaultAuthorizer: J", ", Auth: {AuthorizationScopes: [a, b]}"), jwtWant, "a b"},
		{"no scopes", guarded(both+", DefaultAuthorizer: J", ", Auth: {AuthorizationScopes: []}"), jwtWant, ""},
		{"other than the default", guarded(both+", DefaultAuthorizer: J", ", Auth: {Authorizer: G}"), fnWant, ""},
		{"open", guarded(both+", DefaultAuthorizer: J", ", Auth: {Authorizer: NONE}"), "null", ""},
		{"raw token", rawRoute(", AuthorizationType: JWT, AuthorizerId: !Ref R, AuthorizationScopes: [c]"), jwtWant, "c"},
		{"raw function", rawRoute(", AuthorizationType: CUSTOM, AuthorizerId: !Ref S"), `"Name":"S","IdentitySource":null,"JWT":null,` +
			`"FunctionARN":"arn:aws:lambda:us-east-1:123456789012:function:Fn","PayloadFormat":"1.0","Simple":false,"CacheTTL":0}`, ""},
		{"raw open", rawRoute(", AuthorizationType: NONE"), "null", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := parse(t, tt.src, Options{})
			route := s.HTTPAPIs[0].Routes[0]
			got, _ := json.Marshal(route.Authorizer)
			if !strings.HasSuffix(string(got), tt.want) || strings.Join(route.Scopes, " ") != tt.scopes {
				t.Errorf("got %s %v, want %s %s", got, route.Scopes, tt.want, tt.scopes)
			}
			if n := notes(s); len(n) > 0 {
				t.Errorf("got notes %v", n)
			}
		})
	}
}

func TestHTTPAuthorizerErrors(t *testing.T) {
	t.Parallel()
	const issuer = `JwtConfiguration: {issuer: "https://i.example", audience: [a]}`
	jwt := func(s string) string { return guarded("Authorizers: {J: {"+s+"}}", "") }
	function := func(s string) string {
		return guarded("Authorizers: {G: {FunctionArn: !GetAtt Fn.Arn"+s+"}}", "")
	}
	raw := func(s string) string { return part("Authorizer", "ApiId: !Ref Web, Name: a"+s) }
	route := func(s string) string {
		return part("Route", `ApiId: !Ref Web, RouteKey: GET /x, Target: !Sub "integrations/${WebIn}"`+s)
	}
	for _, tt := range []struct{ name, src, want string }{
		{"unknown default", guarded(both+", DefaultAuthorizer: H", ""), `DefaultAuthorizer is "H", which is none of the API's Authorizers`},
		{"unknown", guarded(both, ", Auth: {Authorizer: H}"), `Auth.Authorizer is "H", which is none of the API's Authorizers`},
		{"none without default", guarded(both, ", Auth: {Authorizer: NONE}"), "is NONE, but the API has no DefaultAuthorizer"},
		{"scopes of a function", guarded(both, ", Auth: {Authorizer: G, AuthorizationScopes: [a]}"), "AuthorizationScopes need a JWT authorizer"},
		{"scopes alone", guarded(both, ", Auth: {AuthorizationScopes: [a]}"), "AuthorizationScopes need a JWT authorizer"},
		{"empty", guarded("Authorizers: {G: }", ""), "G is empty; give FunctionArn or JwtConfiguration"},
		{"no function", guarded("Authorizers: {G: {AuthorizerPayloadFormatVersion: '2.0'}}", ""), "FunctionArn is missing"},
		{"no format", function(""), "AuthorizerPayloadFormatVersion is missing"},
		{"simple in 1.0", function(", AuthorizerPayloadFormatVersion: '1.0', EnableSimpleResponses: true"), "EnableSimpleResponses needs AuthorizerPayloadFormatVersion 2.0"},
		{"cache without source", function(", AuthorizerPayloadFormatVersion: '2.0', Identity: {ReauthorizeEvery: 5}"), "ReauthorizeEvery needs an identity source"},
		{"cache too long", function(", AuthorizerPayloadFormatVersion: '2.0', Identity: {Headers: [A], ReauthorizeEvery: 3601}"), "give a number from 0 to 3600"},
		{"no source", jwt(issuer), "IdentitySource is missing"},
		{"source", jwt("IdentitySource: $context.path, " + issuer), `IdentitySource has "$context.path"; give such as $request.header.Authorization`},
		{"issuer", jwt("IdentitySource: $request.header.A, JwtConfiguration: {issuer: me, audience: [a]}"), `issuer is "me"; give the URL of the issuer`},
		{"audience", jwt("IdentitySource: $request.header.A, JwtConfiguration: {issuer: 'https://i.example'}"), "audience is missing"},
		{"raw type", raw(", AuthorizerType: TOKEN"), `AuthorizerType is "TOKEN"; an HTTP API takes REQUEST or JWT`},
		{"raw source", raw(", AuthorizerType: REQUEST, AuthorizerUri: !GetAtt Fn.Arn, AuthorizerPayloadFormatVersion: '2.0', IdentitySource: [route.request.header.A]"),
			`IdentitySource has "route.request.header.A"`},
		{"raw token without source", raw(", AuthorizerType: JWT, JwtConfiguration: {Issuer: 'https://i.example', Audience: [a]}"), "IdentitySource must have one entry"},
		{"authorizer of another API", route(", AuthorizationType: CUSTOM, AuthorizerId: !Ref Guard"), "which is no authorizer of Web"},
		{"no authorizer", route(", AuthorizationType: JWT"), "AuthorizerId is missing"},
		{"kinds", route(", AuthorizationType: CUSTOM, AuthorizerId: !Ref J") +
			"  J: {Type: AWS::ApiGatewayV2::Authorizer, Properties: {ApiId: !Ref Web, Name: J, AuthorizerType: JWT, IdentitySource: [$request.header.A], JwtConfiguration: {Issuer: 'https://i.example', Audience: [a]}}}",
			`AuthorizationType is "CUSTOM", which does not go with the authorizer J`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse("template.yaml", []byte(tt.src), Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestOpenHTTPRoutesAreNoted(t *testing.T) {
	t.Parallel()
	route := func(s string) string {
		return part("Route", `ApiId: !Ref Web, RouteKey: GET /x, Target: !Sub "integrations/${WebIn}"`+s)
	}
	for _, tt := range []struct{ src, want string }{
		{guarded("EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM", ""), "5: Web: DefaultAuthorizer AWS_IAM: signatures are not checked, the routes are OPEN"},
		{route(", AuthorizationType: AWS_IAM"), "16: R: AuthorizationType AWS_IAM: signatures are not checked, the route is OPEN"},
		{route(", AuthorizerId: !Ref Guard"), "16: R: AuthorizerId without AuthorizationType: WITHOUT AUTHORIZER, as on AWS, the route is OPEN to everybody"},
	} {
		s := parse(t, tt.src, Options{})
		if got := notes(s); !slices.Equal(got, []string{tt.want}) || s.HTTPAPIs[0].Routes[0].Authorizer != nil {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
