package template

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Properties of AWS::Serverless::HttpApi.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html
var (
	httpAPIRead = []string{"AccessLogSettings", "Auth", "CorsConfiguration", "DefaultRouteSettings", "DisableExecuteApiEndpoint", "Domain",
		"RouteSettings", "StageName",
		"StageVariables"}
	httpAPISilent = []string{"Description", "FailOnWarnings",
		"Name", "PropagateTags", "Tags"}
	httpAPINoted = []string{"DefinitionBody", "DefinitionUri"}
)

// httpAPI reads an AWS::Serverless::HttpApi; its routes come from events.
func (l *loader) httpAPI(res *resource) {
	p := l.properties(res)
	p.known(httpAPIRead, httpAPISilent, httpAPINoted)
	api := &HTTPAPI{
		Pos:            l.pos(res.line),
		LogicalID:      res.id,
		ID:             l.name(res),
		Stage:          stage(p, "$default"),
		CORS:           cors(p),
		StageVariables: p.stringMap("StageVariables"),
		StageSettings:  l.stageSettings(p, res.id),

		OnlyCustomDomain: p.truth("DisableExecuteApiEndpoint", false),
	}
	l.httpAuths[api] = l.httpAuth(p.object("Auth"))
	l.stack.HTTPAPIs = append(l.stack.HTTPAPIs, api)
	l.samDomains = append(l.samDomains, samDomain{owner{http: api}, p.object("Domain")})
}

var stagePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func stage(p *props, otherwise string) string {
	s := p.strOr("StageName", otherwise)
	if s != "$default" && !stagePattern.MatchString(s) {
		p.bad("StageName", "is %s; use letters, digits, - and _", quoted(s))
	}
	return s
}

// cors reads a CorsConfiguration: true, or a map.
func cors(p *props) *CORS {
	v := p.value("CorsConfiguration")
	if v == nil || v.kind == null {
		return nil
	}
	if on, ok := v.truth(); ok {
		if !on {
			return nil
		}
		return &CORS{AllowOrigins: []string{"*"}, MaxAge: -1}
	}
	c := p.object("CorsConfiguration")
	c.known([]string{"AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders", "MaxAge"}, nil, nil)
	out := &CORS{
		AllowOrigins:     c.strings("AllowOrigins"),
		AllowMethods:     c.strings("AllowMethods"),
		AllowHeaders:     c.strings("AllowHeaders"),
		ExposeHeaders:    c.strings("ExposeHeaders"),
		AllowCredentials: c.truth("AllowCredentials", false),
		MaxAge:           c.number("MaxAge", -1, -1, 86400),
	}
	if out.AllowCredentials && slices.Contains(out.AllowOrigins, "*") {
		c.bad("AllowCredentials", "does not go with the origin *; name the origins")
	}
	return out
}

var httpMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions, "ANY"}

var pathVariable = regexp.MustCompile(`^\{[A-Za-z0-9._:-]+\+?\}$`)

// routeKey reads the method and path of a route; false means that something is
// wrong with them.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func routeKey(r *HTTPRoute, p *props) bool {
	method, path := strings.ToUpper(p.str("Method")), p.str("Path")
	if method == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
		method = "ANY"
	}
	if path == "$default" || path == "/$default" || method == "" && path == "" {
		r.Key = "$default"
		return true
	}
	switch {
	case method == "":
		p.bad("Method", "is missing; give it, or neither Method nor Path for the $default route")
	case path == "":
		p.bad("Path", "is missing; give it, or neither Method nor Path for the $default route")
	case !slices.Contains(httpMethods, method):
		p.bad("Method", "is %s; give one of %s", quoted(method), strings.Join(httpMethods, ", "))
	case path[0] != '/':
		p.bad("Path", "is %s; it must start with /", quoted(path))
	case !validPath(path):
		p.bad("Path", "is %s; a variable is a whole segment, such as {id}, and {rest+} the last one", quoted(path))
	default:
		r.Method, r.Path, r.Key = method, path, method+" "+path
		return true
	}
	return false
}

func validPath(path string) bool {
	segments := strings.Split(path[1:], "/")
	seen := map[string]bool{}
	for i, s := range segments {
		if !strings.ContainsAny(s, "{}") {
			continue
		}
		name := strings.Trim(s, "{+}")
		greedy := strings.HasSuffix(s, "+}")
		if !pathVariable.MatchString(s) || greedy && i < len(segments)-1 || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}
