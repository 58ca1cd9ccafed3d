// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html

package apigw

import (
	"encoding/json"
	"net/http"
	"strings"
)

// restError is an answer that a REST API gives by itself.
type restError struct {
	typ    string // of the gateway response that may change it; "" if none can
	status int
	code   string // x-amzn-ErrorType; "" if it is not known
	body   string
}

// The spaces in some bodies are the service's.
var (
	restForbidden = restError{"", http.StatusForbidden, "ForbiddenException", `{"message":"Forbidden"}`}
	restNoMethod  = restError{"MISSING_AUTHENTICATION_TOKEN", http.StatusForbidden, "MissingAuthenticationTokenException",
		`{"message":"Missing Authentication Token"}`}
	restUnauthorized = restError{"UNAUTHORIZED", http.StatusUnauthorized, "UnauthorizedException", `{"message":"Unauthorized"}`}
	restDenied       = restError{"ACCESS_DENIED", http.StatusForbidden, "AccessDeniedException",
		`{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`}
	restUnmatched = restError{"ACCESS_DENIED", http.StatusForbidden, "AccessDeniedException",
		`{"Message":"User is not authorized to access this resource"}`}
	restAuthorizerFailed = restError{"AUTHORIZER_CONFIGURATION_ERROR", http.StatusInternalServerError,
		"AuthorizerConfigurationException", `{"message":null}`}
	restThrottled      = restError{"THROTTLED", http.StatusTooManyRequests, "TooManyRequestsException", `{"message":"Too Many Requests"}`}
	restEventTooLarge  = restError{"REQUEST_TOO_LARGE", http.StatusRequestEntityTooLarge, "", `{"message":"Request Too Long"}`}
	restHeadersTooLong = restError{"", http.StatusRequestHeaderFieldsTooLarge, "", `{"message":"Request Header Fields Too Large"}`}
	restURLTooLong     = restError{"", http.StatusRequestURITooLong, "", `{"message":"Request URI too long"}`}
	restBadRequest     = restError{"", http.StatusBadRequest, "BadRequestException", `{"message":"Bad Request"}`}
	restBadAnswer      = restError{"DEFAULT_5XX", http.StatusBadGateway, "InternalServerErrorException", `{"message": "Internal server error"}`}
	restNotInvocable   = restError{"DEFAULT_5XX", http.StatusInternalServerError, "InternalServerErrorException", `{"message": "Internal server error"}`}
	restBadBase64      = restError{"API_CONFIGURATION_ERROR", http.StatusInternalServerError, "InternalServerErrorException",
		`{"message": "Internal server error"}`}
	restTimedOut = restError{"INTEGRATION_TIMEOUT", http.StatusGatewayTimeout, "InternalServerErrorException",
		`{"message": "Endpoint request timed out"}`}
	restClosed = restError{"", http.StatusServiceUnavailable, "", `{"message":"Service Unavailable"}`}
)

// refuse answers with an error, as the API's gateway responses would have it.
func (a *restAPI) refuse(w http.ResponseWriter, c *restCall, e restError) {
	if logged, ok := w.(*loggedWriter); ok {
		message, _ := e.message()
		logged.o.end(e.status, message)
		logged.o.kind = e.typ
	}
	h := w.Header()
	if e.code != "" {
		h["x-amzn-ErrorType"] = []string{e.code}
	}
	custom := a.def.GatewayResponses[e.typ]
	switch {
	case custom != nil || e.typ == "":
	case e.status < 500:
		custom = a.def.GatewayResponses["DEFAULT_4XX"]
	default:
		custom = a.def.GatewayResponses["DEFAULT_5XX"]
	}
	if custom != nil {
		for name, value := range custom.Headers {
			h[http.CanonicalHeaderKey(name)] = []string{value}
		}
		if custom.Status != 0 {
			e.status = custom.Status
		}
		if custom.Template != "" {
			e.body = e.render(custom.Template, c.requestID)
		}
	}
	if h["Content-Type"] == nil {
		h["Content-Type"] = []string{"application/json"}
	}
	writeBody(w, e.status, []byte(e.body))
}

// message is the body's message, which is "" if it is null, and as JSON.
func (e restError) message() (text, quoted string) {
	var body struct{ Message json.RawMessage } // in whatever case
	json.Unmarshal([]byte(e.body), &body)      // it is one of those above
	json.Unmarshal(body.Message, &text)
	return text, string(body.Message)
}

// render puts the error into the template of a gateway response.
func (e restError) render(tmpl, requestID string) string {
	text, quoted := e.message()
	if text == "" {
		text = quoted
	}
	return strings.NewReplacer("$context.error.messageString", quoted, "$context.error.message", text,
		"$context.error.responseType", e.typ, "$context.requestId", requestID).Replace(tmpl)
}
