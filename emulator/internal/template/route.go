package template

import (
	"slices"
	"strings"
)

// Properties of AWS::ApiGatewayV2::Route.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-route.html
var (
	apiRouteRead = []string{"ApiId", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "RouteKey", "RouteResponseSelectionExpression",
		"Target"}
	apiRouteSilent = []string{"OperationName"}
	apiRouteNoted  = []string{"ApiKeyRequired", "ModelSelectionExpression", "RequestModels", "RequestParameters"}
)

// route reads an AWS::ApiGatewayV2::Route.
func (l *loader) route(res *resource, a *apiRefs) {
	p := l.properties(res)
	p.known(apiRouteRead, apiRouteSilent, apiRouteNoted)
	api, key := l.owner(p), p.required("RouteKey")
	if api.none() || key == "" {
		return
	}
	to := l.target(p, api, a)
	if to != nil && to.skipped {
		l.notef(res.line, res.id, "%s %s, since its integration is not emulated", res.typ, key)
		to = nil
	}
	if to == nil {
		l.unreadRoutes[[2]string{api.name(), key}] = true
	}
	if api.ws != nil {
		l.webSocketRoute(res, p, api.ws, key, to, a)
	} else {
		l.httpRoute(res, p, api.http, key, to, a)
	}
}

// target finds the integration that a route's Target names. It is nil if there
// is none, which is then reported or noted.
func (l *loader) target(p *props, api owner, a *apiRefs) *integration {
	if !p.has("Target") {
		p.notef(p.line, p.at, "%s without a Target", typeRoute)
		return nil
	}
	target := p.required("Target")
	id, ok := strings.CutPrefix(target, "integrations/")
	switch to := a.integrations[id]; {
	case target == "":
	case !ok || to == nil:
		p.bad("Target", "is %s, which is no integration of this template; use !Sub integrations/${Integration}", quoted(target))
	case to.api.none(): // reported there
	case to.api != api:
		p.bad("Target", "is an integration of %s, but the route belongs to %s", to.api.name(), api.name())
	default:
		return to
	}
	return nil
}

func (l *loader) webSocketRoute(res *resource, p *props, api *WebSocketAPI, key string, to *integration, a *apiRefs) {
	if len(key) > 128 || key[0] == '$' && !slices.Contains([]string{"$connect", "$disconnect", "$default"}, key) {
		p.bad("RouteKey", "is %s; give at most 128 characters, or $connect, $disconnect or $default", quoted(key))
	}
	l.authorization(p, api, key, a)
	twoWay := answers(p)
	if to == nil {
		return
	}
	if first := api.Routes[key]; first != nil {
		l.twice(l.pos(res.line), res.id, key, api.LogicalID, first.Pos)
		return
	}
	api.Routes[key] = &WebSocketRoute{Pos: l.pos(res.line), Key: key, FunctionARN: to.functionARN, Timeout: to.timeout}
	if twoWay {
		l.answering[l.name(res)] = append(l.answering[l.name(res)], api.Routes[key])
	}
}

// authorization gives the API the authorizer of its $connect route.
func (l *loader) authorization(p *props, api *WebSocketAPI, key string, a *apiRefs) {
	typ := p.oneOf("AuthorizationType", "NONE", "CUSTOM", "AWS_IAM")
	switch {
	case typ != "NONE" && key != "$connect":
		p.bad("AuthorizationType", "is %s; only $connect has authorization, which holds for the whole connection", quoted(typ))
	case typ == "AWS_IAM":
		p.notef(p.lineOf("AuthorizationType"), p.at, "AuthorizationType AWS_IAM: signatures are not checked, the API is OPEN")
	case typ == "CUSTOM":
		id := p.required("AuthorizerId")
		switch auth := a.authorizers[id]; {
		case id == "":
		case auth == nil || !auth.api.none() && auth.api.ws != api:
			p.bad("AuthorizerId", "is %s, which is no authorizer of %s; use !Ref", quoted(id), api.LogicalID)
		default:
			api.Authorizer = auth.auth
		}
	case p.has("AuthorizerId"):
		p.notef(p.lineOf("AuthorizerId"), p.at, "AuthorizerId without AuthorizationType CUSTOM: WITHOUT AUTHORIZER, as on AWS, the API is OPEN to everybody")
	}
}

func (l *loader) httpRoute(res *resource, p *props, api *HTTPAPI, key string, to *integration, a *apiRefs) {
	r := &HTTPRoute{Pos: l.pos(res.line), Key: key}
	if key != "$default" {
		r.Method, r.Path, _ = strings.Cut(key, " ")
		if !slices.Contains(httpMethods, r.Method) || !strings.HasPrefix(r.Path, "/") || !validPath(r.Path) {
			p.bad("RouteKey", "is %s; give such as GET /items/{id}, ANY /{rest+} or $default", quoted(key))
		}
	}
	httpAuthorization(r, p, api, a)
	if to == nil {
		return
	}
	r.FunctionARN, r.PayloadFormat, r.Timeout = to.functionARN, to.payload, to.timeout
	l.addRoute(api, r, res.id)
}
