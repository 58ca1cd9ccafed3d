package template

import (
	"slices"
	"strings"
)

// The APIs of functions whose events name none.
const (
	implicitAPI     = "ServerlessHttpApi"
	implicitRESTAPI = "ServerlessRestApi"
)

// addImplicitAPIs adds them if events need them.
func (r *resolver) addImplicitAPIs(globals map[string]*node) {
	r.addImplicitAPI(&resource{id: implicitAPI, typ: typeHTTPAPI, props: globals[typeHTTPAPI]}, eventHTTPAPI, "ApiId")
	stage := &node{kind: object, fields: []field{{name: "StageName", value: textNode(0, "Prod")}}}
	if g := globals[typeRESTAPI]; g != nil {
		stage = mergeGlobal(g, stage)
	}
	r.addImplicitAPI(&resource{id: implicitRESTAPI, typ: typeRESTAPI, props: stage}, eventAPI, "RestApiId")
}

// addImplicitAPI adds an API if there is an event of the type without the
// property that names one.
func (r *resolver) addImplicitAPI(api *resource, eventType, property string) {
	if r.resources[api.id] != nil {
		return
	}
	for _, res := range slices.Clone(r.present) {
		if res.typ != typeFunction {
			continue
		}
		for _, event := range fieldsOf(r.chosen(r.chosen(res.props, res.id).get("Events"), res.id)) {
			e := r.chosen(event.value, res.id)
			typ, _ := e.get("Type").scalar()
			if typ != eventType || r.chosen(e.get("Properties"), res.id).get(property) != nil {
				continue
			}
			api.line = event.line
			r.resources[api.id] = api
			r.present = append(r.present, api)
			return
		}
	}
}

func fieldsOf(n *node) []field {
	if n == nil {
		return nil
	}
	return n.fields
}

// generated is a resource that SAM makes beside one of the template.
type generated struct {
	ref  string // what Ref gives
	arn  string // what GetAtt Arn gives; may be ""
	from *resource
}

// generate knows the ids that SAM makes and that templates refer to.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html
func (r *resolver) generate() {
	add := func(id string, g generated) {
		if r.resources[id] == nil {
			r.generated[id] = &g
		}
	}
	for _, res := range r.present {
		switch res.typ {
		case typeFunction:
			if res.props.get("Role") == nil {
				name := r.inventName(res.id + "Role")
				add(res.id+"Role", generated{from: res, ref: name, arn: r.arn("iam", "role/"+name)})
			}
		case typeWebSocketAPI:
			for _, route := range fieldsOf(res.props.get("Routes")) {
				add(routeResource(res.id, route.name), generated{from: res, ref: routeID(res.id, route.name)})
			}
		}
		if stage := r.stageResource(res); stage != "" {
			name, _ := r.stageName(res)
			add(stage, generated{from: res, ref: name})
		}
	}
}

// stageResource returns the logical id of an API's stage, or "".
func (r *resolver) stageResource(res *resource) string {
	stage := res.props.get("StageName")
	name, isText := stage.scalar()
	switch {
	case res.typ == typeHTTPAPI && (stage == nil || name == "$default"):
		return res.id + "ApiGatewayDefaultStage"
	case res.typ == typeWebSocketAPI && (stage == nil || name == "default"):
		return res.id + "DefaultStage"
	case res.typ != typeHTTPAPI && res.typ != typeRESTAPI && res.typ != typeWebSocketAPI:
		return ""
	case isText:
		return res.id + name + "Stage"
	}
	return res.id + "Stage"
}

// stageName returns the stage of an API, resolved.
func (r *resolver) stageName(res *resource) (string, bool) {
	byType := map[string]string{typeHTTPAPI: "$default", typeWebSocketAPI: "default"}
	if res.props.get("StageName") == nil {
		return byType[res.typ], true
	}
	return r.ownText(res, "StageName")
}

// routeResource is the logical id of a WebSocket route: WsApiConnectRoute.
func routeResource(api, key string) string {
	key = strings.ToLower(strings.TrimPrefix(key, "$"))
	if key != "" {
		key = strings.ToUpper(key[:1]) + key[1:]
	}
	return api + key + "Route"
}

// routeID is the id that Ref of a WebSocket route gives.
func routeID(api, key string) string { return suffix("route/"+api+"/"+key, 7) }
