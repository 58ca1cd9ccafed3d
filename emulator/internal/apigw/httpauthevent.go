// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html

package apigw

import "strings"

// httpAuthEventV2 is an authorizer's event in payload format 2.0.
type httpAuthEventV2 struct {
	Version               string            `json:"version"`
	Type                  string            `json:"type"`
	RouteARN              string            `json:"routeArn"`
	IdentitySource        []string          `json:"identitySource"` // null without sources
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
	RequestContext        httpContextV2     `json:"requestContext"`
}

// httpAuthEventV1 is an authorizer's event in payload format 1.0.
type httpAuthEventV1 struct {
	Version               string            `json:"version"`
	Type                  string            `json:"type"`
	MethodARN             string            `json:"methodArn"`
	IdentitySource        *string           `json:"identitySource"`
	AuthorizationToken    *string           `json:"authorizationToken"`
	Resource              string            `json:"resource"`
	Path                  string            `json:"path"`
	HTTPMethod            string            `json:"httpMethod"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters"`
	PathParameters        map[string]string `json:"pathParameters"`
	StageVariables        map[string]string `json:"stageVariables"`
	RequestContext        httpContextV1     `json:"requestContext"`
}

// event is what the authorizer's function gets.
func (a *httpAuthorizer) event(call *httpCall, values []string) any {
	if a.def.PayloadFormat == "1.0" {
		ev := call.eventV1()
		out := httpAuthEventV1{
			Version: ev.Version, Type: "REQUEST", MethodARN: call.arn(),
			Resource: ev.Resource, Path: ev.Path, HTTPMethod: ev.HTTPMethod, Headers: ev.Headers,
			QueryStringParameters: ev.QueryStringParameters, PathParameters: ev.PathParameters,
			StageVariables: ev.StageVariables, RequestContext: ev.RequestContext,
		}
		if len(values) > 0 {
			joined := strings.Join(values, ",")
			out.IdentitySource, out.AuthorizationToken = &joined, &joined
		}
		return out
	}
	ev := call.eventV2()
	return httpAuthEventV2{
		Version: ev.Version, Type: "REQUEST", RouteARN: call.arn(), IdentitySource: values,
		RouteKey: ev.RouteKey, RawPath: ev.RawPath, RawQueryString: ev.RawQueryString, Cookies: ev.Cookies,
		Headers: ev.Headers, QueryStringParameters: ev.QueryStringParameters, PathParameters: ev.PathParameters,
		StageVariables: ev.StageVariables, RequestContext: ev.RequestContext,
	}
}
