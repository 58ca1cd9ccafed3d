package template

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Properties of Auth of AWS::Serverless::Api, of the authorizers in it, and of
// Api events.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiauth.html
var (
	restAuthRead   = []string{"AddDefaultAuthorizerToCorsPreflight", "Authorizers", "DefaultAuthorizer"}
	restAuthSilent = []string{"AddApiKeyRequiredToCorsPreflight", "InvokeRole"}
	restAuthNoted  = []string{"ApiKeyRequired", "ResourcePolicy", "UsagePlan"}

	restAuthorizerRead   = []string{"FunctionArn", "FunctionPayloadType", "Identity", "UserPoolArn"}
	restAuthorizerSilent = []string{"AuthorizationScopes", "DisableFunctionDefaultPermissions", "FunctionInvokeRole"}

	restRouteAuthSilent = []string{"AuthorizationScopes", "InvokeRole", "OverrideApiAuth"}
	restRouteAuthNoted  = []string{"ApiKeyRequired", "ResourcePolicy"}
)

const restAuthorizerTTL = 300 // seconds

// restAuth is the Auth of an AWS::Serverless::Api, with what else its routes
// need to be read.
type restAuth struct {
	// authorizers are by name; nil stands for a Cognito user pool, which is not
	// emulated.
	authorizers map[string]*RESTAuthorizer
	byDefault   string // an authorizer, iamAuthorizer or ""
	preflight   bool   // the default holds for those that Cors adds too
	cors        *restCORS
	// taken are the first routes with a method and path, and with a variable
	// at some place of the path.
	taken map[string]*RESTRoute
}

func (l *loader) restAuth(p *props) *restAuth {
	p.known(restAuthRead, restAuthSilent, restAuthNoted)
	auth := &restAuth{authorizers: map[string]*RESTAuthorizer{}, taken: map[string]*RESTRoute{}, byDefault: p.str("DefaultAuthorizer"),
		preflight: p.truth("AddDefaultAuthorizerToCorsPreflight", true)}
	list := p.object("Authorizers")
	for _, name := range list.names() {
		a := list.object(name)
		switch {
		case a.n == nil:
			list.bad(name, "is empty; give FunctionArn")
		case a.has("UserPoolArn"):
			auth.authorizers[name] = nil
			p.notef(list.lineOf(name), p.at, "authorizer %s of a Cognito user pool: tokens are not checked, its routes are OPEN", name)
		default:
			auth.authorizers[name] = l.restAuthorizer(name, l.pos(list.lineOf(name)), a)
		}
	}
	if p.hasDefaultAuthorizer(auth.byDefault) {
		auth.find(p, "DefaultAuthorizer", auth.byDefault)
	}
	return auth
}

// find returns an authorizer by its name, or reports that there is none.
func (auth *restAuth) find(p *props, property, name string) *RESTAuthorizer {
	a, ok := auth.authorizers[name]
	if !ok {
		p.noAuthorizer(property, name, slices.Sorted(maps.Keys(auth.authorizers)))
	}
	return a
}

// ofPreflight is the authorizer of the methods that Cors adds.
func (auth *restAuth) ofPreflight() *RESTAuthorizer {
	if !auth.preflight {
		return nil
	}
	return auth.authorizers[auth.byDefault]
}

// apply gives a route the authorizer of its event's Auth, or the API's default.
func (auth *restAuth) apply(r *RESTRoute, p *props) {
	p.known([]string{"Authorizer"}, restRouteAuthSilent, restRouteAuthNoted)
	switch name := p.str("Authorizer"); name {
	case "":
		r.Authorizer = auth.authorizers[auth.byDefault]
	case "NONE":
		if auth.byDefault == "" {
			p.bad("Authorizer", "is NONE, but the API has no DefaultAuthorizer; remove it")
		}
	case iamAuthorizer:
		p.notef(p.lineOf("Authorizer"), p.at, "property %sAuthorizer %s", p.path, openIAM)
	default:
		r.Authorizer = auth.find(p, "Authorizer", name)
	}
}

// restAuthorizer reads a Lambda authorizer. As in SAM it is of type TOKEN unless
// it says otherwise.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-lambdatokenauthorizer.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-lambdarequestauthorizer.html
func (l *loader) restAuthorizer(name string, pos Pos, a *props) *RESTAuthorizer {
	a.known(restAuthorizerRead, restAuthorizerSilent, nil)
	out := &RESTAuthorizer{Pos: pos, Name: name, FunctionARN: l.functionARN(a, "FunctionArn"),
		Type: a.oneOf("FunctionPayloadType", "TOKEN", "REQUEST")}
	id := a.object("Identity")
	out.CacheTTL = id.duration("ReauthorizeEvery", time.Second, restAuthorizerTTL, 0, maxAuthorizerTTL)
	if out.Type == "TOKEN" {
		id.known([]string{"Header", "ReauthorizeEvery", "ValidationExpression"}, nil, identityKinds)
		out.IdentitySource = []string{"method.request.header." + id.strOr("Header", "Authorization")}
		out.Validation = id.expression("ValidationExpression")
		return out
	}
	id.known(append([]string{"ReauthorizeEvery"}, identityKinds...), nil, []string{"Header", "ValidationExpression"})
	for _, kind := range []struct{ property, prefix string }{
		{"Headers", "method.request.header."}, {"QueryStrings", "method.request.querystring."},
		{"StageVariables", "stageVariables."}, {"Context", "context."},
	} {
		for _, name := range id.strings(kind.property) {
			if strings.TrimSpace(name) == "" {
				id.bad(kind.property, "has an empty name; remove it")
			}
			out.IdentitySource = append(out.IdentitySource, kind.prefix+name)
		}
	}
	if len(out.IdentitySource) == 0 && out.CacheTTL > 0 {
		a.bad("Identity", "needs Headers, QueryStrings, StageVariables or Context, by which results are kept, or ReauthorizeEvery: 0")
	}
	return out
}

// expression reads a regular expression. The service's are those of Java: one
// that cannot be read here is noted and any text matches it.
func (p *props) expression(name string) *regexp.Regexp {
	s := p.str(name)
	if s == "" {
		return nil
	}
	re, err := regexp.Compile(s)
	if err != nil {
		p.notef(p.lineOf(name), p.at, "property %s%s, which is no expression of Go's (%v): any token matches", p.path, name, err)
	}
	return re
}
