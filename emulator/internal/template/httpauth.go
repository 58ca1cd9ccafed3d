package template

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Properties of Auth of AWS::Serverless::HttpApi and of the authorizers in it.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-httpapiauth.html
var (
	httpAuthRead     = []string{"Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer"}
	lambdaAuthRead   = []string{"AuthorizerPayloadFormatVersion", "EnableSimpleResponses", "FunctionArn", "Identity"}
	lambdaAuthSilent = []string{"EnableFunctionDefaultPermissions", "FunctionInvokeRole"}
	jwtAuthRead      = []string{"AuthorizationScopes", "IdentitySource", "JwtConfiguration"}
	identityKinds    = []string{"Context", "Headers", "QueryStrings", "StageVariables"}
)

const (
	maxAuthorizerTTL = 3600 // seconds
	iamAuthorizer    = "AWS_IAM"
	openIAM          = "AWS_IAM: signatures are not checked, the routes are OPEN"
)

// httpAuth is the Auth of an AWS::Serverless::HttpApi.
type httpAuth struct {
	authorizers map[string]*HTTPAuthorizer
	scopes      map[string][]string // of authorizers
	byDefault   string              // an authorizer, iamAuthorizer or ""
}

func (l *loader) httpAuth(p *props) *httpAuth {
	p.known(httpAuthRead, nil, nil)
	p.truth("EnableIamAuthorizer", false)
	auth := &httpAuth{authorizers: map[string]*HTTPAuthorizer{}, scopes: map[string][]string{},
		byDefault: p.str("DefaultAuthorizer")}
	list := p.object("Authorizers")
	for _, name := range list.names() {
		a := list.object(name)
		if a.n == nil {
			list.bad(name, "is empty; give FunctionArn or JwtConfiguration")
			continue
		}
		out := &HTTPAuthorizer{Pos: l.pos(list.lineOf(name)), Name: name}
		auth.authorizers[name] = out
		if a.has("JwtConfiguration") {
			auth.scopes[name] = a.strings("AuthorizationScopes")
			samJWT(out, a)
		} else {
			l.samFunction(out, a)
		}
	}
	if p.hasDefaultAuthorizer(auth.byDefault) {
		auth.find(p, "DefaultAuthorizer", auth.byDefault)
	}
	return auth
}

// find returns an authorizer by its name, or reports that there is none.
func (auth *httpAuth) find(p *props, property, name string) *HTTPAuthorizer {
	a := auth.authorizers[name]
	if a == nil {
		p.noAuthorizer(property, name, slices.Sorted(maps.Keys(auth.authorizers)))
	}
	return a
}

// hasDefaultAuthorizer says whether an API's DefaultAuthorizer is to be one of
// its own.
func (p *props) hasDefaultAuthorizer(name string) bool {
	if name == iamAuthorizer {
		p.notef(p.lineOf("DefaultAuthorizer"), p.at, "DefaultAuthorizer %s", openIAM)
		return false
	}
	return name != ""
}

// noAuthorizer reports that a property names an authorizer that the API has not.
func (p *props) noAuthorizer(property, name string, names []string) {
	p.bad(property, "is %s, which is none of the API's Authorizers%s", quoted(name), didYouMean(name, names))
}

// apply gives a route the authorizer of its event's Auth, or the API's default.
func (auth *httpAuth) apply(r *HTTPRoute, p *props) {
	p.known([]string{"AuthorizationScopes", "Authorizer"}, nil, nil)
	name := p.strOr("Authorizer", auth.byDefault)
	switch {
	case name == "NONE":
		if auth.byDefault == "" {
			p.bad("Authorizer", "is NONE, but the API has no DefaultAuthorizer; remove it")
		}
		return
	case name == iamAuthorizer:
		if p.has("Authorizer") {
			p.notef(p.lineOf("Authorizer"), p.at, "property %sAuthorizer %s", p.path, openIAM)
		}
		return
	case name == "" || name == auth.byDefault && auth.authorizers[name] == nil: // reported there
	default:
		r.Authorizer = auth.find(p, "Authorizer", name)
	}
	r.Scopes = auth.scopes[name]
	if p.has("AuthorizationScopes") {
		r.Scopes = p.strings("AuthorizationScopes")
	}
	checkScopes(r, p)
}

// checkScopes refuses scopes that nothing would look at.
func checkScopes(r *HTTPRoute, p *props) {
	if len(r.Scopes) > 0 && (r.Authorizer == nil || r.Authorizer.JWT == nil) {
		p.bad("AuthorizationScopes", "need a JWT authorizer; remove them")
	}
}

func samJWT(out *HTTPAuthorizer, a *props) {
	a.known(jwtAuthRead, nil, nil)
	out.IdentitySource = []string{a.required("IdentitySource")}
	out.JWT = jwtOf(a, "issuer", "audience")
	checkHTTPSources(a, "IdentitySource", out)
}

// jwtOf reads JwtConfiguration, whose keys SAM takes in any case.
func jwtOf(p *props, issuer, audience string) *JWT {
	c := p.object("JwtConfiguration")
	for _, name := range c.names() {
		switch {
		case strings.EqualFold(name, issuer):
			issuer = name
		case strings.EqualFold(name, audience):
			audience = name
		}
	}
	c.known([]string{issuer, audience}, nil, nil)
	jwt := &JWT{Issuer: c.required(issuer), Audience: c.strings(audience)}
	if u, err := url.Parse(jwt.Issuer); jwt.Issuer != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		c.bad(issuer, "is %s; give the URL of the issuer", quoted(jwt.Issuer))
	}
	if len(jwt.Audience) == 0 {
		c.bad(audience, "is missing; give a list of at least one")
	}
	return jwt
}

func (l *loader) samFunction(out *HTTPAuthorizer, a *props) {
	a.known(lambdaAuthRead, lambdaAuthSilent, nil)
	out.FunctionARN = l.functionARN(a, "FunctionArn")
	a.required("AuthorizerPayloadFormatVersion")
	id := a.object("Identity")
	id.known(append([]string{"ReauthorizeEvery"}, identityKinds...), nil, nil)
	for _, kind := range []struct{ property, prefix string }{
		{"Headers", "$request.header."}, {"QueryStrings", "$request.querystring."},
		{"StageVariables", "$stageVariables."}, {"Context", "$context."},
	} {
		for _, name := range id.strings(kind.property) {
			out.IdentitySource = append(out.IdentitySource, kind.prefix+name)
		}
	}
	responses(out, a, id, "ReauthorizeEvery")
	checkHTTPSources(a, "Identity", out)
}

// responses reads what both forms of a Lambda authorizer say of its answers.
func responses(out *HTTPAuthorizer, p, ttl *props, ttlName string) {
	out.PayloadFormat = p.oneOf("AuthorizerPayloadFormatVersion", "2.0", "1.0")
	out.Simple = p.truth("EnableSimpleResponses", false)
	if out.Simple && out.PayloadFormat == "1.0" {
		p.bad("EnableSimpleResponses", "needs AuthorizerPayloadFormatVersion 2.0")
	}
	out.CacheTTL = ttl.duration(ttlName, time.Second, 0, 0, maxAuthorizerTTL)
	if out.CacheTTL > 0 && len(out.IdentitySource) == 0 {
		ttl.bad(ttlName, "needs an identity source, by which results are kept")
	}
}

var (
	httpSource = regexp.MustCompile(`^\$(request\.(header|querystring)\.\S+|context\.\S+|stageVariables\.\S+)$`)
	jwtSource  = regexp.MustCompile(`^\$request\.(header|querystring)\.\S+$`)
)

func checkHTTPSources(p *props, property string, a *HTTPAuthorizer) {
	pattern, such := httpSource, "$request.header.Authorization, $request.querystring.q, $context.routeKey or $stageVariables.v"
	if a.JWT != nil {
		pattern, such = jwtSource, "$request.header.Authorization or $request.querystring.token"
	}
	for _, s := range a.IdentitySource {
		if s != "" && !pattern.MatchString(s) {
			p.bad(property, "has %s; give such as %s", quoted(s), such)
		}
	}
}

// httpAuthorizer reads an AWS::ApiGatewayV2::Authorizer of an HTTP API.
func (l *loader) httpAuthorizer(res *resource, p *props, api owner) *HTTPAuthorizer {
	p.known(slices.Concat(authorizerRead, authorizerNoted), authorizerSilent, nil)
	out := &HTTPAuthorizer{Pos: l.pos(res.line), Name: p.required("Name"), IdentitySource: p.strings("IdentitySource")}
	switch typ := p.required("AuthorizerType"); typ {
	case "":
	case "REQUEST":
		out.FunctionARN = l.lambdaURI(p, "AuthorizerUri", api)
		p.required("AuthorizerPayloadFormatVersion")
		responses(out, p, p, "AuthorizerResultTtlInSeconds")
	case "JWT":
		if len(out.IdentitySource) != 1 {
			p.bad("IdentitySource", "must have one entry, such as $request.header.Authorization")
		}
		out.JWT = jwtOf(p, "Issuer", "Audience")
	default:
		p.bad("AuthorizerType", "is %s; an HTTP API takes REQUEST or JWT", quoted(typ))
	}
	checkHTTPSources(p, "IdentitySource", out)
	return out
}

// httpAuthorization gives a route the authorizer that its AWS::ApiGatewayV2::Route
// names.
func httpAuthorization(r *HTTPRoute, p *props, api *HTTPAPI, a *apiRefs) {
	typ := p.oneOf("AuthorizationType", "NONE", iamAuthorizer, "CUSTOM", "JWT")
	switch typ {
	case iamAuthorizer:
		p.notef(p.lineOf("AuthorizationType"), p.at, "AuthorizationType AWS_IAM: signatures are not checked, the route is OPEN")
		return
	case "NONE":
		if p.has("AuthorizerId") {
			p.notef(p.lineOf("AuthorizerId"), p.at, "AuthorizerId without AuthorizationType: WITHOUT AUTHORIZER, as on AWS, the route is OPEN to everybody")
		}
		return
	}
	id := p.required("AuthorizerId")
	switch auth := a.authorizers[id]; {
	case id == "":
	case auth == nil || !auth.api.none() && auth.api.http != api:
		p.bad("AuthorizerId", "is %s, which is no authorizer of %s; use !Ref", quoted(id), api.LogicalID)
	case auth.http == nil: // reported there
	case (auth.http.JWT != nil) != (typ == "JWT"):
		p.bad("AuthorizationType", "is %s, which does not go with the authorizer %s; CUSTOM is for REQUEST, JWT for JWT", quoted(typ), auth.http.Name)
	default:
		r.Authorizer, r.Scopes = auth.http, p.strings("AuthorizationScopes")
		checkScopes(r, p)
	}
}
