package template

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Properties of AWS::ApiGatewayV2::Integration and Authorizer.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-integration.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-authorizer.html
var (
	integrationRead = []string{"ApiId", "IntegrationSubtype", "IntegrationType", "IntegrationUri", "PayloadFormatVersion",
		"TimeoutInMillis"}
	integrationSilent = []string{"ConnectionType", "CredentialsArn", "Description", "IntegrationMethod", "PassthroughBehavior"}
	integrationNoted  = []string{"ConnectionId", "ContentHandlingStrategy", "RequestParameters", "RequestTemplates",
		"ResponseParameters", "TemplateSelectionExpression", "TlsConfig"}

	authorizerRead   = []string{"ApiId", "AuthorizerType", "AuthorizerUri", "IdentitySource", "Name"}
	authorizerSilent = []string{"AuthorizerCredentialsArn"}
	authorizerNoted  = []string{"AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds", "EnableSimpleResponses",
		"IdentityValidationExpression", "JwtConfiguration"}

	integrationTypes = []string{"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"}
)

// integration is a Lambda proxy integration.
type integration struct {
	api         owner
	functionARN string
	timeout     time.Duration
	payload     string
	// skipped: it is of another kind, which is noted; routes to it are left out.
	skipped bool
}

// integration reads an AWS::ApiGatewayV2::Integration.
func (l *loader) integration(res *resource) *integration {
	p := l.properties(res)
	p.known(integrationRead, integrationSilent, integrationNoted)
	in := &integration{api: l.owner(p)}
	typ := p.required("IntegrationType")
	switch {
	case in.api.none() || typ == "":
	case !slices.Contains(integrationTypes, typ):
		p.bad("IntegrationType", "is %s; give AWS_PROXY, for a function", quoted(typ))
	case typ != "AWS_PROXY" || p.has("IntegrationSubtype"):
		in.skipped = true
		l.notef(res.line, res.id, "%s of type %s", res.typ, strings.TrimSpace(typ+" "+p.str("IntegrationSubtype")))
	case in.api.ws != nil:
		in.functionARN = l.lambdaURI(p, "IntegrationUri", in.api)
		in.payload = p.oneOf("PayloadFormatVersion", "1.0")
		in.timeout = p.duration("TimeoutInMillis", time.Millisecond, webSocketTimeout, leastTimeout, webSocketTimeout)
	default:
		in.functionARN = l.lambdaURI(p, "IntegrationUri", in.api)
		p.required("PayloadFormatVersion") // CloudFormation has no default for functions
		in.payload = p.oneOf("PayloadFormatVersion", "2.0", "1.0")
		in.timeout = p.duration("TimeoutInMillis", time.Millisecond, httpTimeout, leastTimeout, httpTimeout)
	}
	return in
}

var (
	invocationURI = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]*:lambda:path/\d{4}-\d\d-\d\d/functions/(.+)/invocations$`)
	stageVariable = regexp.MustCompile(`\$\{stageVariables\.([A-Za-z0-9_]+)\}`)
)

// lambdaURI reads a property that names a function by the URI of its invocation
// or by its ARN, either with variables of the API's stage.
func (l *loader) lambdaURI(p *props, name string, api owner) string {
	written := p.required(name)
	stage, variables, _ := api.stage()
	known := true
	arn := stageVariable.ReplaceAllStringFunc(written, func(s string) string {
		variable := stageVariable.FindStringSubmatch(s)[1]
		value, ok := (*variables)[variable]
		if !ok {
			known = false
			p.bad(name, "uses the stage variable %s, which the stage %s of %s does not have", variable, *stage, api.name())
		}
		return value
	})
	if !known {
		return ""
	}
	if m := invocationURI.FindStringSubmatch(arn); m != nil {
		arn = m[1]
	}
	return l.knownFunction(p, name, arn)
}

// authorizer is an AWS::ApiGatewayV2::Authorizer.
type authorizer struct {
	api  owner
	auth *Authorizer     // of a WebSocket API
	http *HTTPAuthorizer // of an HTTP API
}

// apiAuthorizer reads an AWS::ApiGatewayV2::Authorizer.
func (l *loader) apiAuthorizer(res *resource) *authorizer {
	p := l.properties(res)
	a := &authorizer{api: l.owner(p)}
	if a.api.http != nil {
		a.http = l.httpAuthorizer(res, p, a.api)
	}
	if a.api.ws == nil {
		return a
	}
	p.known(authorizerRead, authorizerSilent, authorizerNoted)
	p.required("Name")
	if typ := p.required("AuthorizerType"); typ != "" && typ != "REQUEST" {
		p.bad("AuthorizerType", "is %s; a WebSocket API takes only REQUEST", quoted(typ))
	}
	a.auth = &Authorizer{FunctionARN: l.lambdaURI(p, "AuthorizerUri", a.api), IdentitySource: p.strings("IdentitySource")}
	checkIdentitySource(p, a.auth.IdentitySource)
	return a
}
