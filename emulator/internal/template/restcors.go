package template

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// restCORS is the Cors of an AWS::Serverless::Api: the headers by which it
// answers a preflight. Those of other answers are the functions'.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-corsconfiguration.html
type restCORS struct {
	origin, methods, allow, maxAge string
	credentials                    bool
}

// readRESTCORS reads Cors: an origin, or a map.
func readRESTCORS(p *props) *restCORS {
	v := p.value("Cors")
	if v == nil || v.kind == null {
		return nil
	}
	if v.kind == text {
		return &restCORS{origin: p.literal("Cors", "*")}
	}
	c := p.object("Cors")
	c.known([]string{"AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigin", "MaxAge"}, nil, nil)
	out := &restCORS{
		origin: c.literal("AllowOrigin", "*"), methods: c.literal("AllowMethods", ""), allow: c.literal("AllowHeaders", ""),
		maxAge: c.literal("MaxAge", ""), credentials: c.truth("AllowCredentials", false),
	}
	if out.credentials && out.origin == "*" {
		c.bad("AllowCredentials", "does not go with the origin *; name the origin in AllowOrigin")
	}
	return out
}

// literal reads a property that is a literal of a mapping expression, in quotes
// of its own.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-data-transformations.html
func (p *props) literal(name, otherwise string) string {
	if v := p.value(name); v == nil || v.kind == number {
		return p.strOr(name, otherwise)
	}
	s := p.str(name)
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	p.bad(name, `is %s; give a text in quotes within quotes, such as "'*'"`, quoted(s))
	return otherwise
}

// headers are those of the preflight of a resource with these methods.
func (c *restCORS) headers(methods []string) map[string]string {
	out := map[string]string{"Access-Control-Allow-Origin": c.origin, "Access-Control-Allow-Methods": c.methods}
	if c.methods == "" {
		methods = append(slices.Clone(methods), http.MethodOptions)
		if slices.Contains(methods, "ANY") {
			methods = slices.DeleteFunc(slices.Clone(httpMethods), func(m string) bool { return m == "ANY" })
		}
		slices.Sort(methods)
		out["Access-Control-Allow-Methods"] = strings.Join(methods, ",")
	}
	if c.allow != "" {
		out["Access-Control-Allow-Headers"] = c.allow
	}
	if c.maxAge != "" {
		out["Access-Control-Max-Age"] = c.maxAge
	}
	if c.credentials {
		out["Access-Control-Allow-Credentials"] = "true"
	}
	return out
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var gatewayResponseTypes = []string{"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR",
	"AUTHORIZER_FAILURE", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN",
	"INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN",
	"QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE",
	"WAF_FILTERED"}

// gatewayVariable is a variable of a template that is not emulated.
var gatewayVariable = regexp.MustCompile(`\$(input|stageVariables|util|context)\b(\.[\w.-]+)?`)

// gatewayResponses reads GatewayResponses.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-gatewayresponse.html
func (l *loader) gatewayResponses(p *props) map[string]*GatewayResponse {
	out := map[string]*GatewayResponse{}
	for _, name := range p.names() {
		typ := strings.ToUpper(name)
		if !slices.Contains(gatewayResponseTypes, typ) {
			p.bad(name, "is no type of gateway response%s", didYouMean(name, gatewayResponseTypes))
			continue
		}
		g := p.object(name)
		g.known([]string{"ResponseParameters", "ResponseTemplates", "StatusCode"}, nil, nil)
		r := &GatewayResponse{Status: g.number("StatusCode", 0, 200, 599), Headers: map[string]string{}}
		params := g.object("ResponseParameters")
		params.known([]string{"Headers"}, nil, []string{"Paths", "QueryStrings"})
		headers := params.object("Headers")
		for _, h := range headers.names() {
			if s := headers.str(h); !strings.HasPrefix(s, "'") && strings.Contains(s, ".") {
				p.notef(headers.lineOf(h), p.at, "property %s%s: the mapping expression %s", headers.path, h, s)
				continue
			}
			r.Headers[h] = headers.literal(h, "")
		}
		r.Template = l.gatewayTemplate(g.object("ResponseTemplates"))
		out[typ] = r
	}
	return out
}

func (l *loader) gatewayTemplate(p *props) string {
	p.known([]string{"application/json"}, nil, nil)
	t := p.str("application/json")
	for _, v := range gatewayVariable.FindAllString(t, -1) {
		if v != "$context.error.message" && v != "$context.error.messageString" && v != "$context.error.responseType" &&
			v != "$context.requestId" {
			p.notef(p.lineOf("application/json"), p.at, "property %sapplication/json: the variable %s, which stays as it is", p.path, v)
		}
	}
	return t
}
