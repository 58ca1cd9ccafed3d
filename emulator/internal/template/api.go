package template

import (
	"maps"
	"slices"
)

// Properties of AWS::ApiGatewayV2::Api and Stage.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-api.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-stage.html
var (
	apiRead   = []string{"CorsConfiguration", "DisableExecuteApiEndpoint", "Name", "ProtocolType", "RouteSelectionExpression"}
	apiSilent = []string{"Description", "FailOnWarnings", "IpAddressType", "Tags", "Version"}
	apiNoted  = []string{"ApiKeySelectionExpression", "BasePath", "Body", "BodyS3Location", "CredentialsArn",
		"DisableSchemaValidation", "RouteKey", "Target"}

	stageRead = []string{"AccessLogSettings", "ApiId", "AutoDeploy", "DefaultRouteSettings", "DeploymentId", "RouteSettings",
		"StageName", "StageVariables"}
	stageSilent = []string{"AccessPolicyId", "ClientCertificateId", "Description", "Tags"}
)

// isWebSocket tells the two protocols of an AWS::ApiGatewayV2::Api apart without
// resolving anything, since the API's own properties may refer to it.
func (r *resolver) isWebSocket(res *resource) bool {
	if protocol, ok := res.props.get("ProtocolType").scalar(); ok {
		return protocol == "WEBSOCKET"
	}
	return res.props.get("RouteSelectionExpression") != nil
}

// api reads an AWS::ApiGatewayV2::Api; its parts are read when all APIs are
// known.
func (l *loader) api(res *resource) {
	p := l.properties(res)
	p.known(apiRead, apiSilent, apiNoted)
	protocol := "HTTP"
	if !p.has("Body") && !p.has("BodyS3Location") { // which say both
		p.required("Name")
		protocol = p.required("ProtocolType")
	}
	switch protocol {
	case "":
	case "HTTP":
		if v := p.value("CorsConfiguration"); v != nil && v.isScalar() {
			p.bad("CorsConfiguration", "must be a map, not %s", v.kind)
		}
		l.stack.HTTPAPIs = append(l.stack.HTTPAPIs, &HTTPAPI{
			Pos: l.pos(res.line), LogicalID: res.id, ID: l.name(res), CORS: cors(p), StageVariables: map[string]string{},
			OnlyCustomDomain: p.truth("DisableExecuteApiEndpoint", false),
		})
	case "WEBSOCKET":
		if p.has("CorsConfiguration") {
			p.bad("CorsConfiguration", "is for HTTP APIs only; remove it")
		}
		l.stack.WebSocketAPIs = append(l.stack.WebSocketAPIs, &WebSocketAPI{
			Pos: l.pos(res.line), LogicalID: res.id, ID: l.name(res), RouteSelectionExpression: routeSelection(p),
			Routes: map[string]*WebSocketRoute{}, StageVariables: map[string]string{},
			OnlyCustomDomain: p.truth("DisableExecuteApiEndpoint", false),
		})
	default:
		p.bad("ProtocolType", "is %s; give HTTP or WEBSOCKET", quoted(protocol))
	}
}

// owner is a stage of the API that a resource belongs to: one of the three, or
// none if that is wrong and reported, or if the API has no further stage. Only
// mappings belong to REST APIs.
type owner struct {
	http *HTTPAPI
	ws   *WebSocketAPI
	rest *RESTAPI
}

// owner finds the API of a property ApiId, in the stage that is being read.
func (l *loader) owner(p *props) owner {
	id := p.required("ApiId")
	if id == "" {
		return owner{}
	}
	all := l.stagesOf(id)
	if l.stage < len(all) {
		return all[l.stage]
	}
	if len(all) == 0 && !slices.ContainsFunc(l.present, func(res *resource) bool { return res.typ == typeAPI && l.name(res) == id }) { // else the API itself is wrong
		p.bad("ApiId", "is %s, which is no API of this template; use !Ref", quoted(id))
	}
	return owner{}
}

// stagesOf returns the stages of an API in their order.
func (l *loader) stagesOf(id string) []owner {
	var all []owner
	for _, api := range l.stack.HTTPAPIs {
		if api.ID == id {
			all = append(all, owner{http: api})
		}
	}
	for _, api := range l.stack.WebSocketAPIs {
		if api.ID == id {
			all = append(all, owner{ws: api})
		}
	}
	return all
}

// another adds a stage to the API, with what the API has so far, behind the stage
// that it is called for.
func (l *loader) another(o owner) owner {
	if o.ws != nil {
		api := *o.ws
		api.Routes, api.StageSettings = maps.Clone(api.Routes), StageSettings{}
		l.stack.WebSocketAPIs = slices.Insert(l.stack.WebSocketAPIs, slices.Index(l.stack.WebSocketAPIs, o.ws)+1, &api)
		return owner{ws: &api}
	}
	api := *o.http
	api.Routes, api.StageSettings = slices.Clone(api.Routes), StageSettings{}
	l.stack.HTTPAPIs = slices.Insert(l.stack.HTTPAPIs, slices.Index(l.stack.HTTPAPIs, o.http)+1, &api)
	return owner{http: &api}
}

func (o owner) none() bool { return o == owner{} }

// id is what Ref of the API gives.
func (o owner) id() string {
	switch {
	case o.ws != nil:
		return o.ws.ID
	case o.rest != nil:
		return o.rest.ID
	}
	return o.http.ID
}

// name is the API's logical id.
func (o owner) name() string {
	switch {
	case o.ws != nil:
		return o.ws.LogicalID
	case o.rest != nil:
		return o.rest.LogicalID
	}
	return o.http.LogicalID
}

// stage gives the API's stage, its variables and its settings, to be set as well
// as to be read.
func (o owner) stage() (name *string, variables *map[string]string, settings *StageSettings) {
	switch {
	case o.ws != nil:
		return &o.ws.Stage, &o.ws.StageVariables, &o.ws.StageSettings
	case o.rest != nil:
		return &o.rest.Stage, &o.rest.StageVariables, &o.rest.StageSettings
	}
	return &o.http.Stage, &o.http.StageVariables, &o.http.StageSettings
}

// apiParts reads what belongs to the APIs, in the order in which one refers to
// another: once for each stage, since its variables may name the functions.
func (l *loader) apiParts() {
	most := 0
	for _, res := range l.parts[typeStage] {
		most = max(most, l.apiStage(res))
	}
	l.withoutStage()
	for l.stage = range max(most, 1) {
		a := &apiRefs{integrations: map[string]*integration{}, authorizers: map[string]*authorizer{}}
		for _, res := range l.parts[typeIntegration] {
			a.integrations[l.name(res)] = l.integration(res)
		}
		for _, res := range l.parts[typeAuthorizer] {
			a.authorizers[l.name(res)] = l.apiAuthorizer(res)
		}
		for _, res := range l.parts[typeRoute] {
			l.route(res, a)
		}
	}
	l.stage = 0
}

// apiRefs are what routes refer to, by id.
type apiRefs struct {
	integrations map[string]*integration
	authorizers  map[string]*authorizer
}

// apiStage gives an API a stage. It returns how many the API has then.
func (l *loader) apiStage(res *resource) int {
	p := l.properties(res)
	p.known(stageRead, stageSilent, nil)
	api, name := l.owner(p), p.required("StageName")
	if name != "" {
		name = stage(p, "$default")
	}
	variables := p.stringMap("StageVariables")
	if api.ws != nil && name == "$default" {
		p.bad("StageName", "$default is for HTTP APIs only; use another name")
	}
	if api.none() || name == "" {
		l.stageSettings(p, "") // for its errors
		return 0
	}
	settings := l.stageSettings(p, api.name())
	all := l.stagesOf(api.id())
	for _, other := range all {
		if other, _, _ := other.stage(); *other == name {
			p.bad("StageName", "is %s, which is a stage of %s already; use another name", quoted(name), api.name())
			return 0
		}
	}
	stageName, stageVariables, stageSettings := api.stage()
	if *stageName != "" {
		stageName, stageVariables, stageSettings = l.another(all[len(all)-1]).stage()
		all = append(all, owner{})
	}
	*stageName, *stageVariables, *stageSettings = name, variables, settings
	if !p.truth("AutoDeploy", false) && !p.has("DeploymentId") {
		l.notef(res.line, res.id, "%s without AutoDeploy and DeploymentId, which on AWS has no routes: its routes are served", res.typ)
	}
	return len(all)
}

// withoutStage gives a stage to APIs that have none. On AWS nobody can call such
// an API.
func (l *loader) withoutStage() {
	note := func(pos Pos, id, stage string) {
		l.notef(pos.Line, id, "%s without an %s, which on AWS nobody can call: it is served as stage %s", typeAPI, typeStage, stage)
	}
	for _, api := range l.stack.HTTPAPIs {
		if api.Stage == "" {
			api.Stage = "$default"
			note(api.Pos, api.LogicalID, api.Stage)
		}
	}
	for _, api := range l.stack.WebSocketAPIs {
		if api.Stage == "" {
			api.Stage = "default"
			note(api.Pos, api.LogicalID, api.Stage)
		}
	}
}
