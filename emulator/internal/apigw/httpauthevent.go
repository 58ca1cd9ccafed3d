// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html

package apigw

import "strings"

// httpAuthEventV2 is an authorizer's event in payload format 2.0.
type httpAuthEventV2 struct {
	Version        string   `json:"version"`
	Type           string   `json:"type"`
	RouteARN       string   `json:"routeArn"`
	IdentitySource []string `json:"identitySource"` // null without sources
	httpRequestV2
}

// httpAuthEventV1 is an authorizer's event in payload format 1.0.
type httpAuthEventV1 struct {
	Version            string  `json:"version"`
	Type               string  `json:"type"`
	MethodARN          string  `json:"methodArn"`
	IdentitySource     *string `json:"identitySource"`
	AuthorizationToken *string `json:"authorizationToken"`
	httpRequestV1
}

// event is what the authorizer's function gets.
func (a *httpAuthorizer) event(call *httpCall, values []string) any {
	if a.def.PayloadFormat == "1.0" {
		ev := call.eventV1()
		out := httpAuthEventV1{Version: ev.Version, Type: "REQUEST", MethodARN: call.arn(), httpRequestV1: ev.httpRequestV1}
		if len(values) > 0 {
			joined := strings.Join(values, ",")
			out.IdentitySource, out.AuthorizationToken = &joined, &joined
		}
		return out
	}
	ev := call.eventV2()
	return httpAuthEventV2{ev.Version, "REQUEST", call.arn(), values, ev.httpRequestV2}
}
