package template

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Properties of AWS::Serverless::WebSocketApi.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-websocketapi.html
var (
	webSocketRead = []string{"AccessLogSettings", "Auth", "DefaultRouteSettings", "DisableExecuteApiEndpoint", "Domain", "RouteSelectionExpression", "RouteSettings",
		"Routes", "StageName", "StageVariables"}
	webSocketSilent = []string{"Description", "FailOnWarnings",
		"IpAddressType", "Name", "PropagateTags", "Tags"}
	webSocketNoted = []string{"ApiKeySelectionExpression", "DisableSchemaValidation"}
)

// webSocketAPI reads an AWS::Serverless::WebSocketApi.
func (l *loader) webSocketAPI(res *resource) {
	p := l.properties(res)
	p.known(webSocketRead, webSocketSilent, webSocketNoted)
	api := &WebSocketAPI{
		Pos:                      l.pos(res.line),
		LogicalID:                res.id,
		ID:                       l.name(res),
		Stage:                    stage(p, "default"),
		RouteSelectionExpression: routeSelection(p),
		Routes:                   map[string]*WebSocketRoute{},
		StageVariables:           p.stringMap("StageVariables"),
		StageSettings:            l.stageSettings(p, res.id),
		OnlyCustomDomain:         p.truth("DisableExecuteApiEndpoint", false),
	}
	if api.Stage == "$default" {
		p.bad("StageName", "$default is for HTTP APIs only; use another name")
	}
	l.webSocketRoutes(api, p)
	api.Authorizer = l.authorizer(api, p)
	l.stack.WebSocketAPIs = append(l.stack.WebSocketAPIs, api)
	l.samDomains = append(l.samDomains, samDomain{owner{ws: api}, p.object("Domain")})
}

func routeSelection(p *props) string {
	e := p.required("RouteSelectionExpression")
	if e != "" && !strings.HasPrefix(e, "$request.") && !strings.HasPrefix(e, "${request.") {
		p.bad("RouteSelectionExpression", "is %s; select by the message, such as $request.body.action", quoted(e))
	}
	return e
}

// answers says whether a route has an expression that selects its response.
func answers(p *props) bool {
	if e := p.strOr("RouteResponseSelectionExpression", "$default"); e != "$default" {
		p.bad("RouteResponseSelectionExpression", "is %s; API Gateway takes only $default", quoted(e))
	}
	return p.has("RouteResponseSelectionExpression")
}

var (
	routeRead  = []string{"FunctionArn", "IntegrationTimeout", "RouteResponseSelectionExpression"}
	routeNoted = []string{"ApiKeyRequired", "ModelSelectionExpression", "RequestModels", "RequestParameters"}

	customRoute = regexp.MustCompile(`^[A-Za-z0-9]+$`)
)

func (l *loader) webSocketRoutes(api *WebSocketAPI, p *props) {
	routes := p.object("Routes")
	if len(routes.names()) == 0 {
		p.bad("Routes", "is empty; give at least one route")
	}
	ids := map[string]string{}
	for _, key := range routes.names() {
		if !slices.Contains([]string{"$connect", "$disconnect", "$default"}, key) && !customRoute.MatchString(key) {
			routes.bad(key, "is no route key; use letters and digits, or $connect, $disconnect or $default")
			continue
		}
		id := routeResource(api.LogicalID, key)
		if other, taken := ids[id]; taken {
			routes.bad(key, "collides with %s: SAM names both %s; rename one", other, id)
			continue
		}
		ids[id] = key
		r := routes.object(key)
		r.known(routeRead, []string{"OperationName"}, routeNoted)
		api.Routes[key] = &WebSocketRoute{
			Pos:         l.pos(routes.lineOf(key)),
			Key:         key,
			FunctionARN: l.functionARN(r, "FunctionArn"),
			Timeout:     r.duration("IntegrationTimeout", time.Millisecond, webSocketTimeout, leastTimeout, webSocketTimeout),
		}
		if answers(r) {
			l.answering[routeID(api.LogicalID, key)] = []*WebSocketRoute{api.Routes[key]}
		}
	}
}

// authorizer reads Auth. SAM compares AuthType exactly where it makes the
// authorizer, but in upper case where it checks the value: custom passes, and
// leaves the API open.
func (l *loader) authorizer(api *WebSocketAPI, p *props) *Authorizer {
	a := p.object("Auth")
	if len(a.names()) == 0 {
		return nil
	}
	if api.Routes["$connect"] == nil {
		p.bad("Auth", "needs a $connect route, which is where it takes place")
	}
	typ := a.required("AuthType")
	switch strings.ToUpper(typ) {
	case "CUSTOM":
		a.known([]string{"AuthArn", "AuthType", "IdentitySource", "InvokeRole", "Name"}, nil, nil)
		auth := &Authorizer{FunctionARN: l.functionARN(a, "AuthArn"), IdentitySource: a.strings("IdentitySource")}
		if typ == "CUSTOM" {
			checkIdentitySource(a, auth.IdentitySource)
			return auth
		}
		p.notef(a.lineOf("AuthType"), p.at, "AuthType %s: WITHOUT AUTHORIZER, as on AWS, the API is OPEN to everybody; write CUSTOM in upper case", typ)
	case "AWS_IAM", "NONE":
		if len(a.names()) > 1 {
			a.bad("AuthType", "%s takes no further properties; remove them", typ)
		}
		if typ == "AWS_IAM" {
			p.notef(a.lineOf("AuthType"), p.at, "AuthType AWS_IAM: signatures are not checked, the API is OPEN")
		}
	case "":
	default:
		a.bad("AuthType", "is %s; give CUSTOM, AWS_IAM or NONE", quoted(typ))
	}
	return nil
}

var identitySource = regexp.MustCompile(`^(route\.request\.(header|querystring)\.[^\s.]+|context\.\S+|stageVariables\.\S+)$`)

// checkIdentitySource refuses sources that a WebSocket API does not have.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-authorizer.html
func checkIdentitySource(a *props, sources []string) {
	for _, s := range sources {
		if !identitySource.MatchString(s) {
			a.bad("IdentitySource", "has %s; a WebSocket API takes such as route.request.header.Authorization", quoted(s))
		}
	}
}

// routeResponses makes routes two-way that have both a response and the
// expression that selects it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html
func (l *loader) routeResponses() {
	for _, res := range l.parts[typeRouteResponse] {
		p := l.properties(res)
		l.owner(p)
		p.oneOf("RouteResponseKey", "$default")
		id := p.required("RouteId")
		for _, route := range l.answering[id] {
			route.TwoWay = true
		}
		if l.answering[id] != nil {
			continue
		}
		l.notef(res.line, res.id, "%s of a route that has no RouteResponseSelectionExpression, or of no WebSocket API", res.typ)
	}
}
