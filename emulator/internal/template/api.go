package template

import "slices"

// Properties of AWS::ApiGatewayV2::Api and Stage.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-api.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-stage.html
var (
	apiRead   = []string{"CorsConfiguration", "Name", "ProtocolType", "RouteSelectionExpression"}
	apiSilent = []string{"Description", "DisableExecuteApiEndpoint", "FailOnWarnings", "IpAddressType", "Tags", "Version"}
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
		})
	case "WEBSOCKET":
		if p.has("CorsConfiguration") {
			p.bad("CorsConfiguration", "is for HTTP APIs only; remove it")
		}
		l.stack.WebSocketAPIs = append(l.stack.WebSocketAPIs, &WebSocketAPI{
			Pos: l.pos(res.line), LogicalID: res.id, ID: l.name(res), RouteSelectionExpression: routeSelection(p),
			Routes: map[string]*WebSocketRoute{}, StageVariables: map[string]string{},
		})
	default:
		p.bad("ProtocolType", "is %s; give HTTP or WEBSOCKET", quoted(protocol))
	}
}

// owner is the API that a resource belongs to: one of the two, or none if that is
// wrong and reported.
type owner struct {
	http *HTTPAPI
	ws   *WebSocketAPI
}

// owner finds the API of a property ApiId.
func (l *loader) owner(p *props) owner {
	id := p.required("ApiId")
	if id == "" {
		return owner{}
	}
	for _, api := range l.stack.HTTPAPIs {
		if api.ID == id {
			return owner{http: api}
		}
	}
	for _, api := range l.stack.WebSocketAPIs {
		if api.ID == id {
			return owner{ws: api}
		}
	}
	if !slices.ContainsFunc(l.present, func(res *resource) bool { return res.typ == typeAPI && l.name(res) == id }) { // else the API itself is wrong
		p.bad("ApiId", "is %s, which is no API of this template; use !Ref", quoted(id))
	}
	return owner{}
}

func (o owner) none() bool { return o == owner{} }

// name is the API's logical id.
func (o owner) name() string {
	if o.ws != nil {
		return o.ws.LogicalID
	}
	return o.http.LogicalID
}

// stage gives the API's stage, its variables and its settings, to be set as well
// as to be read.
func (o owner) stage() (name *string, variables *map[string]string, settings *StageSettings) {
	if o.ws != nil {
		return &o.ws.Stage, &o.ws.StageVariables, &o.ws.StageSettings
	}
	return &o.http.Stage, &o.http.StageVariables, &o.http.StageSettings
}

// apiParts reads what belongs to the APIs, in the order in which one refers to
// another.
func (l *loader) apiParts() {
	for _, res := range l.parts[typeStage] {
		l.apiStage(res)
	}
	l.withoutStage()
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

// apiRefs are what routes refer to, by id.
type apiRefs struct {
	integrations map[string]*integration
	authorizers  map[string]*authorizer
}

// apiStage gives an API its stage. An API has one here: the first.
func (l *loader) apiStage(res *resource) {
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
		return
	}
	settings := l.stageSettings(p, api.name())
	stageName, stageVariables, stageSettings := api.stage()
	if *stageName != "" {
		l.notef(res.line, res.id, "%s %s: %s has the stage %s", res.typ, name, api.name(), *stageName)
		return
	}
	*stageName, *stageVariables, *stageSettings = name, variables, settings
	if !p.truth("AutoDeploy", false) && !p.has("DeploymentId") {
		l.notef(res.line, res.id, "%s without AutoDeploy and DeploymentId, which on AWS has no routes: its routes are served", res.typ)
	}
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
