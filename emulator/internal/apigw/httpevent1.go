// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

package apigw

import (
	"encoding/json"
	"net/http"
)

// httpEventV1 is an event in payload format 1.0; what is empty is null. REST APIs
// have it too, without a version.
type httpEventV1 struct {
	Version string `json:"version,omitempty"`
	httpRequestV1
	multiValues
	Body            *string `json:"body"`
	IsBase64Encoded bool    `json:"isBase64Encoded"`
}

// httpRequestV1 is what authorizers' events have too.
type httpRequestV1 struct {
	Resource              string            `json:"resource"`
	Path                  string            `json:"path"`
	HTTPMethod            string            `json:"httpMethod"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters"`
	PathParameters        map[string]string `json:"pathParameters"`
	StageVariables        map[string]string `json:"stageVariables"`
	RequestContext        httpContextV1     `json:"requestContext"`
}

type multiValues struct {
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
}

// newEventV1 returns an event without version and body, whose resource, path and
// method are its context's.
func newEventV1(ctx httpContextV1, headers map[string][]string, rawQuery string, params, variables map[string]string) httpEventV1 {
	ev := httpEventV1{
		httpRequestV1: httpRequestV1{
			Resource: ctx.ResourcePath, Path: ctx.Path, HTTPMethod: ctx.HTTPMethod,
			Headers: lastValues(headers), RequestContext: ctx,
		},
		multiValues: multiValues{MultiValueHeaders: headers},
	}
	if query := parseQuery(rawQuery); len(query) > 0 {
		ev.QueryStringParameters, ev.MultiValueQueryStringParameters = lastValues(query), query
	}
	if len(params) > 0 {
		ev.PathParameters = params
	}
	if len(variables) > 0 {
		ev.StageVariables = variables
	}
	return ev
}

type httpContextV1 struct {
	AccountID         string          `json:"accountId"`
	APIID             string          `json:"apiId"`
	Authorizer        json.RawMessage `json:"authorizer,omitempty"`
	DeploymentID      string          `json:"deploymentId,omitempty"` // of a REST API
	DomainName        string          `json:"domainName"`
	DomainPrefix      string          `json:"domainPrefix"`
	ExtendedRequestID string          `json:"extendedRequestId"`
	HTTPMethod        string          `json:"httpMethod"`
	Identity          httpIdentityV1  `json:"identity"`
	Path              string          `json:"path"`
	Protocol          string          `json:"protocol"`
	RequestID         string          `json:"requestId"`
	RequestTime       string          `json:"requestTime"`
	RequestTimeEpoch  int64           `json:"requestTimeEpoch"`
	ResourceID        *string         `json:"resourceId"`
	ResourcePath      string          `json:"resourcePath"`
	Stage             string          `json:"stage"`
}

// httpIdentityV1 holds null for what only IAM, Cognito or API keys would fill.
type httpIdentityV1 struct {
	AccessKey                     *string `json:"accessKey"`
	AccountID                     *string `json:"accountId"`
	Caller                        *string `json:"caller"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	User                          *string `json:"user"`
	UserARN                       *string `json:"userArn"`
	SourceIP                      string  `json:"sourceIp"`
	UserAgent                     string  `json:"userAgent"`
}

func (c *httpCall) eventV1() httpEventV1 {
	r, now := c.r, c.api.g.cfg.Clock.Now()
	resource := c.route.Path
	if resource == "" {
		resource = c.route.Key
	}
	headers := map[string][]string{}
	for name, values := range c.headers(now) {
		headers[http.CanonicalHeaderKey(name)] = values
	}
	ev := newEventV1(httpContextV1{
		AccountID: c.api.g.cfg.Stack.AccountID, APIID: c.api.def.ID, Authorizer: c.caller.v1,
		DomainName: c.domain, DomainPrefix: c.prefix,
		ExtendedRequestID: c.requestID, RequestID: c.requestID,
		HTTPMethod: r.Method, Path: r.URL.Path, Protocol: r.Proto,
		Identity:    httpIdentityV1{SourceIP: sourceIP(r), UserAgent: r.UserAgent()},
		RequestTime: now.UTC().Format(commonLogTime), RequestTimeEpoch: now.UnixMilli(),
		ResourcePath: resource, Stage: c.api.def.Stage,
	}, headers, r.URL.RawQuery, c.params, c.api.def.StageVariables)
	ev.Version = "1.0"
	if body, isBase64 := c.encodedBody(); body != "" {
		ev.Body, ev.IsBase64Encoded = &body, isBase64
	}
	return ev
}
