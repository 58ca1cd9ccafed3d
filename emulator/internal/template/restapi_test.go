package template

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// rest is a template of an Api with further properties in line 5 and a function
// with the properties of an Api event in line 8 and further events from line 9.
func rest(properties, event string, events ...string) string {
	return "Transform: AWS::Serverless-2016-10-31\nResources:\n  Web:\n    Type: AWS::Serverless::Api\n    Properties: {StageName: v1" + properties + "}\n" +
		"  Fn:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: fn, Handler: h, Runtime: r, Events: {E: {Type: Api, Properties: {" +
		"RestApiId: !Ref Web" + event + "}}\n      " + strings.Join(events, "") + "}}\n"
}

const (
	getX    = ", Method: get, Path: /x"
	tokenAZ = ", Auth: {Authorizers: {T: {FunctionArn: !GetAtt Fn.Arn}}"
)

// TestRESTErrors has the exact text of each error, without "template.yaml:".
func TestRESTErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, want string }{
		{"no stage", one("AWS::Serverless::Api", "Name: x"), "3: R: StageName is missing; give it"},
		{"stage", one("AWS::Serverless::Api", "StageName: $default"), `5: R: StageName is "$default"; use letters, digits, - and _`},
		{"stage of an implicit api", sam + "Globals: {Api: {StageName: x}}\nResources:" + okFn,
			"2: Globals: StageName cannot be set for all of Api; set it on each resource"},
		{"misspelled", rest(", BinaryMediaType: []", getX), "5: Web: BinaryMediaType is unknown; did you mean BinaryMediaTypes?"},
		{"access log", rest(", AccessLogSetting: {DestinationArn: x, Format: $context.requestId}", getX),
			`5: Web: AccessLogSetting.DestinationArn is "x"; give the ARN of a log group, such as !GetAtt Logs.Arn`},
		{"attribute", rest("", getX) + "Outputs: {O: {Value: !GetAtt Web.Arn}}",
			"10: output O: Fn::GetAtt refers to Web.Arn; the attributes of AWS::Serverless::Api are RestApiId, RootResourceId"},

		{"no method", rest("", ", Path: /"), "8: Fn: Events.E.Properties.Method is missing; give it"},
		{"no path", rest("", ", Method: get"), "8: Fn: Events.E.Properties.Path is missing; give it"},
		{"method", rest("", ", Method: fetch, Path: /"), `8: Fn: Events.E.Properties.Method is "FETCH"; give one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, ANY`},
		{"relative path", rest("", ", Method: get, Path: x"), `8: Fn: Events.E.Properties.Path is "x"; it must start with /`},
		{"greedy path", rest("", `, Method: get, Path: "/{a+}/b"`),
			`8: Fn: Events.E.Properties.Path is "/{a+}/b"; a variable is a whole segment, such as {id}, and {rest+} the last one`},
		{"empty part", rest("", ", Method: get, Path: /a//b"),
			`8: Fn: Events.E.Properties.Path is "/a//b"; a variable is a whole segment, such as {id}, and {rest+} the last one`},
		{"timeout", rest("", getX+", TimeoutInMillis: 30000"), "8: Fn: Events.E.Properties.TimeoutInMillis is 30000; give a number from 50 to 29000"},
		{"api", rest("", getX, ", F: {Type: Api, Properties: {RestApiId: other, Path: /, Method: get}}"),
			`9: Fn: Events.F.Properties.RestApiId is "other", which is no Api of this template; use !Ref`},
		{"api of another kind", rest("", getX, ", F: {Type: Api, Properties: {RestApiId: !Ref H, Path: /, Method: get}}") + "  H: {Type: AWS::Serverless::HttpApi}",
			`9: Fn: Events.F.Properties.RestApiId is "h", which is no Api of this template; use !Ref`},
		{"twice", rest("", getX, ", F: {Type: Api, Properties: {RestApiId: !Ref Web, Path: /x/, Method: GET}}"),
			`9: Fn: the route "GET /x" of Web is given twice, first in line 8`},
		{"sibling variables", rest("", `, Method: get, Path: "/x/{id}"`, `, F: {Type: Api, Properties: {RestApiId: !Ref Web, Path: "/x/{name}/y", Method: GET}}`),
			"9: Fn: Events.F.Properties.Path has {name} where the route of line 8 has {id}; a resource takes only one variable, so give both the same name"},
		{"sibling greedy variables", rest("", `, Method: get, Path: "/{a+}"`, `, F: {Type: Api, Properties: {RestApiId: !Ref Web, Path: "/{b+}", Method: PUT}}`),
			"9: Fn: Events.F.Properties.Path has {b+} where the route of line 8 has {a+}; a resource takes only one variable, so give both the same name"},

		{"method setting", rest(", MethodSettings: [{HttpMethod: FETCH, ResourcePath: /x, ThrottlingRateLimit: 1}]", getX),
			"5: Web: MethodSettings.HttpMethod is \"FETCH\"; give one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, ANY, or * with the ResourcePath /*"},
		{"method setting without a path", rest(", MethodSettings: [{HttpMethod: GET}]", getX), "5: Web: MethodSettings.ResourcePath is missing; give it"},
		{"method setting's rate", rest(", MethodSettings: [{HttpMethod: GET, ResourcePath: /x, ThrottlingRateLimit: fast}]", getX),
			`5: Web: MethodSettings.ThrottlingRateLimit must be a number, not "fast"`},
		{"misspelled method setting", rest(", MethodSettings: [{HttpMethod: GET, ResourcePath: /x, ThrotlingRateLimit: 1}]", getX),
			"5: Web: MethodSettings.ThrotlingRateLimit is unknown; did you mean ThrottlingRateLimit?"},
		{"method settings are no maps", rest(", MethodSettings: [GET]", getX), "5: Web: MethodSettings must hold maps, not a string"},

		{"cors", rest(", Cors: {AllowOrigins: x}", getX), "5: Web: Cors.AllowOrigins is unknown; did you mean AllowOrigin?"},
		{"cors is true", rest(", Cors: true", getX), "5: Web: Cors must be a map, not true or false"},
		{"cors without inner quotes", rest(", Cors: '*'", getX), `5: Web: Cors is "*"; give a text in quotes within quotes, such as "'*'"`},
		{"cors headers", rest(", Cors: {AllowHeaders: Accept}", getX),
			`5: Web: Cors.AllowHeaders is "Accept"; give a text in quotes within quotes, such as "'*'"`},
		{"cors credentials", rest(", Cors: {AllowCredentials: true}", getX),
			"5: Web: Cors.AllowCredentials does not go with the origin *; name the origin in AllowOrigin"},

		{"default authorizer", rest(tokenAZ+", DefaultAuthorizer: U}", getX), `5: Web: Auth.DefaultAuthorizer is "U", which is none of the API's Authorizers`},
		{"authorizer", rest(tokenAZ+"}", getX+", Auth: {Authorizer: t}"),
			`8: Fn: Events.E.Properties.Auth.Authorizer is "t", which is none of the API's Authorizers; did you mean T?`},
		{"none without a default", rest(tokenAZ+"}", getX+", Auth: {Authorizer: NONE}"),
			"8: Fn: Events.E.Properties.Auth.Authorizer is NONE, but the API has no DefaultAuthorizer; remove it"},
		{"empty authorizer", rest(", Auth: {Authorizers: {T: }}", getX), "5: Web: Auth.Authorizers.T is empty; give FunctionArn"},
		{"no function", rest(", Auth: {Authorizers: {T: {Identity: {Header: A}}}}", getX), "5: Web: Auth.Authorizers.T.FunctionArn is missing; give it"},
		{"payload type", rest(", Auth: {Authorizers: {T: {FunctionArn: !GetAtt Fn.Arn, FunctionPayloadType: request}}}", getX),
			`5: Web: Auth.Authorizers.T.FunctionPayloadType is "request"; give one of TOKEN, REQUEST`},
		{"no source", rest(", Auth: {Authorizers: {T: {FunctionArn: !GetAtt Fn.Arn, FunctionPayloadType: REQUEST}}}", getX),
			"5: Web: Auth.Authorizers.T.Identity needs Headers, QueryStrings, StageVariables or Context, by which results are kept, or ReauthorizeEvery: 0"},
		{"empty source", rest(", Auth: {Authorizers: {T: {FunctionArn: !GetAtt Fn.Arn, FunctionPayloadType: REQUEST, Identity: {Headers: ['']}}}}", getX),
			"5: Web: Auth.Authorizers.T.Identity.Headers has an empty name; remove it"},
		{"ttl", rest(", Auth: {Authorizers: {T: {FunctionArn: !GetAtt Fn.Arn, Identity: {ReauthorizeEvery: 3601}}}}", getX),
			"5: Web: Auth.Authorizers.T.Identity.ReauthorizeEvery is 3601; give a number from 0 to 3600"},

		{"gateway response", rest(", GatewayResponses: {DEFAULT_4X: {}}", getX), "5: Web: GatewayResponses.DEFAULT_4X is no type of gateway response; did you mean DEFAULT_4XX?"},
		{"gateway status", rest(", GatewayResponses: {THROTTLED: {StatusCode: 42}}", getX),
			"5: Web: GatewayResponses.THROTTLED.StatusCode is 42; give a number from 200 to 599"},
		{"gateway header", rest(", GatewayResponses: {THROTTLED: {ResponseParameters: {Headers: {A: b}}}}", getX),
			`5: Web: GatewayResponses.THROTTLED.ResponseParameters.Headers.A is "b"; give a text in quotes within quotes, such as "'*'"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantErrors(t, tt.src, tt.want)
		})
	}
}

func TestRESTNotes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"silent", rest(", Name: x, EndpointConfiguration: {Type: EDGE}, TracingEnabled: true", getX), nil},
		{"api", rest(", DefinitionBody: {}, Models: {}", getX+", RequestModel: {}"), []string{
			"5: Web: property DefinitionBody", "5: Web: property Models", "8: Fn: property Events.E.Properties.RequestModel"}},
		{"access log", rest(", AccessLogSetting: {DestinationArn: 'arn:aws:firehose:us-east-1:123456789012:deliverystream/amazon-apigateway-x', Format: x}", getX),
			[]string{"5: Web: property AccessLogSetting of a Firehose stream"}},
		{"method settings", rest(", MethodSettings: [{HttpMethod: '*', ResourcePath: /*, LoggingLevel: INFO, CachingEnabled: true}, {HttpMethod: GET, ResourcePath: /*, ThrottlingRateLimit: 1}, {HttpMethod: GET, ResourcePath: /y, ThrottlingRateLimit: 1}]", getX), []string{
			"5: Web: property MethodSettings.CachingEnabled", `5: Web: throttles of "GET /*": on AWS too, they are of one method of one path, or of * and /*`,
			`5: Web: throttles of "GET /y", which is no route of Web`}},
		{"keys", rest(", Auth: {ApiKeyRequired: true, UsagePlan: {}}", getX+", Auth: {ApiKeyRequired: true}"), []string{
			"5: Web: property Auth.ApiKeyRequired", "5: Web: property Auth.UsagePlan", "8: Fn: property Events.E.Properties.Auth.ApiKeyRequired"}},
		{"iam", rest(", Auth: {DefaultAuthorizer: AWS_IAM}", getX, ", F: {Type: Api, Properties: {RestApiId: !Ref Web, Path: /y, Method: get, Auth: {Authorizer: AWS_IAM}}}"),
			[]string{"5: Web: DefaultAuthorizer AWS_IAM: signatures are not checked, the routes are OPEN",
				"9: Fn: property Events.F.Properties.Auth.Authorizer AWS_IAM: signatures are not checked, the routes are OPEN"}},
		{"sources of the other type", rest(", Auth: {Authorizers: {T: {FunctionArn: !GetAtt Fn.Arn, Identity: {Headers: [A]}}}}", getX), []string{
			"5: Web: property Auth.Authorizers.T.Identity.Headers"}},
		{"expression", rest(", Auth: {Authorizers: {T: {FunctionArn: !GetAtt Fn.Arn, Identity: {ValidationExpression: '(?!a)b'}}}}", getX), []string{
			"5: Web: property Auth.Authorizers.T.Identity.ValidationExpression, which is no expression of Go's " +
				"(error parsing regexp: invalid or unsupported Perl syntax: `(?!`): any token matches"}},
		{"gateway responses", rest(`, GatewayResponses: {default_5xx: {ResponseParameters: {Headers: {A: method.request.header.B}}, ResponseTemplates: {application/json: "$context.error.message $context.stage"}}}`, getX),
			[]string{"5: Web: property GatewayResponses.default_5xx.ResponseParameters.Headers.A: the mapping expression method.request.header.B",
				"5: Web: property GatewayResponses.default_5xx.ResponseTemplates.application/json: the variable $context.stage, which stays as it is"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := notes(parse(t, tt.src, Options{})); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestRESTAuthorizers holds what SAM makes of an authorizer that says little, and
// which routes have it.
func TestRESTAuthorizers(t *testing.T) {
	t.Parallel()
	const token = `"Type":"TOKEN","IdentitySource":["method.request.header.Authorization"],"Validation":null,"CacheTTL":300000000000}`
	for _, tt := range []struct{ name, src, route, preflight string }{
		{"default", rest(tokenAZ+", DefaultAuthorizer: T}, Cors: \"'*'\"", getX), token, token},
		{"not of preflights", rest(tokenAZ+", DefaultAuthorizer: T, AddDefaultAuthorizerToCorsPreflight: false}, Cors: \"'*'\"", getX), token, "null"},
		{"named", rest(tokenAZ+"}, Cors: \"'*'\"", getX+", Auth: {Authorizer: T}"), token, "null"},
		{"open", rest(tokenAZ+", DefaultAuthorizer: T}, Cors: \"'*'\"", getX+", Auth: {Authorizer: NONE}"), "null", token},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			routes := parse(t, tt.src, Options{}).RESTAPIs[0].Routes
			if len(routes) != 2 || routes[1].Preflight == nil {
				t.Fatalf("got %d routes, want one and its preflight", len(routes))
			}
			for i, want := range []string{tt.route, tt.preflight} {
				if got, _ := json.Marshal(routes[i].Authorizer); !strings.HasSuffix(string(got), want) {
					t.Errorf("%s: got %s, want %s", routes[i].Method, got, want)
				}
			}
		})
	}
}

func TestMethodSettings(t *testing.T) {
	t.Parallel()
	s := parse(t, rest(", Cors: \"'*'\", MethodSettings: [{HttpMethod: '*', ResourcePath: /*, ThrottlingRateLimit: 1.5, ThrottlingBurstLimit: 3}, "+
		"{HttpMethod: get, ResourcePath: '/~1x~1{id}', ThrottlingRateLimit: 9}, {HttpMethod: OPTIONS, ResourcePath: '/x/{id}', ThrottlingBurstLimit: 2}, "+
		"{HttpMethod: ANY, ResourcePath: /, ThrottlingRateLimit: 0}, {HttpMethod: GET, ResourcePath: /quiet, LoggingLevel: 'OFF'}]",
		`, Method: get, Path: "/x/{id}"`, ", F: {Type: Api, Properties: {RestApiId: !Ref Web, Path: /, Method: any}}"), Options{})
	got := s.RESTAPIs[0].StageSettings
	if d := got.DefaultThrottle; d == nil || *d != (Throttle{1.5, 3}) {
		t.Errorf("default: got %v", d)
	}
	want := map[string]Throttle{"GET /x/{id}": {9, -1}, "OPTIONS /x/{id}": {-1, 2}, "ANY /": {0, -1}}
	if !maps.Equal(got.Throttles, want) {
		t.Errorf("got %v, want %v", got.Throttles, want)
	}
	if got := notes(s); len(got) > 0 {
		t.Errorf("got notes %q", got)
	}
}

// TestRESTVariablesMayDiffer takes a variable and a greedy one side by side.
func TestRESTVariablesMayDiffer(t *testing.T) {
	t.Parallel()
	s := parse(t, rest("", `, Method: get, Path: "/x/{id}"`,
		`, F: {Type: Api, Properties: {RestApiId: !Ref Web, Path: "/x/{rest+}", Method: GET}}`,
		`, G: {Type: Api, Properties: {RestApiId: !Ref Web, Path: "/y/{name}/{id}", Method: GET}}`,
		`, H: {Type: Api, Properties: {RestApiId: !Ref Web, Path: "/x/{id}", Method: PUT}}`), Options{})
	if got := len(s.RESTAPIs[0].Routes); got != 4 {
		t.Errorf("got %d routes", got)
	}
}
