package template

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Properties of AWS::Serverless::Api and of Api events.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-api.html
var (
	restAPIRead = []string{"AccessLogSetting", "Auth", "BinaryMediaTypes", "Cors", "DisableExecuteApiEndpoint", "Domain", "GatewayResponses",
		"MethodSettings", "StageName", "Variables"}
	restAPISilent = []string{"AlwaysDeploy", "Description", "EndpointAccessMode",
		"EndpointConfiguration", "FailOnWarnings", "MinimumCompressionSize", "Name", "OpenApiVersion", "PropagateTags",
		"SecurityPolicy", "Tags", "TracingEnabled"}
	restAPINoted = []string{"ApiKeySourceType", "CacheClusterEnabled", "CacheClusterSize", "CanarySetting", "DefinitionBody",
		"DefinitionUri", "MergeDefinitions", "Mode", "Models", "Policy"}

	restEventRead  = []string{"Auth", "Method", "Path", "RestApiId", "TimeoutInMillis"}
	restEventNoted = []string{"RequestModel", "RequestParameters", "ResponseTransferMode"}
)

const restTimeout = 29_000 // milliseconds, the most and the default

// restAPI reads an AWS::Serverless::Api; its routes come from events.
func (l *loader) restAPI(res *resource) {
	p := l.properties(res)
	p.known(restAPIRead, restAPISilent, restAPINoted)
	api := &RESTAPI{
		Pos:              l.pos(res.line),
		LogicalID:        res.id,
		ID:               l.name(res),
		StageVariables:   p.stringMap("Variables"),
		GatewayResponses: l.gatewayResponses(p.object("GatewayResponses")),
		OnlyCustomDomain: p.truth("DisableExecuteApiEndpoint", false),
	}
	if log := p.object("AccessLogSetting"); strings.Contains(log.str("DestinationArn"), ":firehose:") {
		p.notef(log.line, p.at, "property AccessLogSetting of a Firehose stream")
	} else {
		api.AccessLog = accessLog(p, "AccessLogSetting")
	}
	l.methodSettings(api, p)
	if api.Stage = p.required("StageName"); api.Stage != "" && !stagePattern.MatchString(api.Stage) {
		p.bad("StageName", "is %s; use letters, digits, - and _", quoted(api.Stage))
	}
	for _, t := range p.strings("BinaryMediaTypes") {
		// A slash may be written as in a JSON pointer.
		api.BinaryMediaTypes = append(api.BinaryMediaTypes, strings.ReplaceAll(t, "~1", "/"))
	}
	l.restAuths[api] = l.restAuth(p.object("Auth"))
	l.restAuths[api].cors = readRESTCORS(p)
	l.stack.RESTAPIs = append(l.stack.RESTAPIs, api)
	l.samDomains = append(l.samDomains, samDomain{owner{rest: api}, p.object("Domain")})
}

// linkRESTRoutes gives each Api event's route to its API, then each API the
// routes that Cors adds.
func (l *loader) linkRESTRoutes() {
	for _, e := range l.restEvents {
		e.props.known(restEventRead, nil, restEventNoted)
		api, known := l.restAPIOf(e)
		r := &RESTRoute{
			Pos:         l.pos(e.line),
			FunctionARN: e.function.ARN,
			Timeout:     e.props.duration("TimeoutInMillis", time.Millisecond, restTimeout, leastTimeout, restTimeout),
		}
		if !restPath(r, e.props) || !known || api == nil {
			continue
		}
		l.restAuths[api].apply(r, e.props.object("Auth"))
		l.addRESTRoute(api, r, e.props)
	}
	for _, api := range l.stack.RESTAPIs {
		api.addPreflights(l.restAuths[api])
	}
	l.checkMethodSettings()
}

// restAPIOf finds the API that an event belongs to. It is nil for one that is
// not emulated, which is noted; false means that there is none, which is an
// error.
func (l *loader) restAPIOf(e httpEvent) (*RESTAPI, bool) {
	id := e.props.strOr("RestApiId", strings.ToLower(implicitRESTAPI))
	for _, api := range l.stack.RESTAPIs {
		if api.ID == id {
			return api, true
		}
	}
	for _, res := range l.present {
		if res.typ == "AWS::ApiGateway::RestApi" && l.name(res) == id {
			l.notef(e.line, e.function.LogicalID, "event of type Api of %s, an %s", res.id, res.typ)
			return nil, true
		}
	}
	if v := e.props.n.get("RestApiId"); v == nil || v.kind != broken {
		e.props.bad("RestApiId", "is %s, which is no Api of this template; use !Ref", quoted(id))
	}
	return nil, false
}

// restPath reads the method and path of a route; false means that something is
// wrong with them.
func restPath(r *RESTRoute, p *props) bool {
	method, path := strings.ToUpper(p.required("Method")), p.required("Path")
	if method == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
		method = "ANY"
	}
	switch {
	case method == "" || path == "": // reported
	case !slices.Contains(httpMethods, method):
		p.bad("Method", "is %s; give one of %s", quoted(method), strings.Join(httpMethods, ", "))
	case path[0] != '/':
		p.bad("Path", "is %s; it must start with /", quoted(path))
	case !validPath(path) || strings.Contains(path, "//"):
		p.bad("Path", "is %s; a variable is a whole segment, such as {id}, and {rest+} the last one", quoted(path))
	default:
		// The service takes no slash at the end.
		r.Method, r.Path = method, "/"+strings.Trim(path, "/")
		return true
	}
	return false
}

// addRESTRoute gives a route to its API, which cannot have it already, nor have
// another variable in the place of one of its variables.
func (l *loader) addRESTRoute(api *RESTAPI, r *RESTRoute, p *props) {
	taken, key := l.restAuths[api].taken, r.Key()
	if first := taken[key]; first != nil {
		l.twice(r.Pos, p.at, key, api.LogicalID, first.Pos)
		return
	}
	parts := strings.Split(r.Path[1:], "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		place := strings.Join(parts[:i], "/") + "/{}"
		if strings.HasSuffix(part, "+}") {
			place += "+"
		}
		first := taken[place]
		if first == nil {
			taken[place] = r
			continue
		}
		if other := strings.Split(first.Path[1:], "/")[i]; other != part {
			p.bad("Path", "has %s where the route of line %d has %s; a resource takes only one variable, so give both the same name",
				part, first.Pos.Line, other)
			return
		}
	}
	taken[key] = r
	api.Routes = append(api.Routes, r)
}

// addPreflights gives every path an OPTIONS method, if Cors asks for it and the
// path has none.
func (api *RESTAPI) addPreflights(auth *restAuth) {
	if auth.cors == nil {
		return
	}
	methods, at := map[string][]string{}, map[string]Pos{}
	var paths []string
	for _, r := range api.Routes {
		if methods[r.Path] == nil {
			paths, at[r.Path] = append(paths, r.Path), r.Pos
		}
		methods[r.Path] = append(methods[r.Path], r.Method)
	}
	for _, path := range paths {
		if slices.Contains(methods[path], http.MethodOptions) {
			continue
		}
		api.Routes = append(api.Routes, &RESTRoute{
			Pos: at[path], Method: http.MethodOptions, Path: path, Timeout: restTimeout * time.Millisecond,
			Preflight: auth.cors.headers(methods[path]), Authorizer: auth.ofPreflight(),
		})
	}
}
