package template

import "strings"

// implicitAPI is the HttpApi of functions whose HttpApi events name none.
const implicitAPI = "ServerlessHttpApi"

// addImplicitAPI adds it if an event needs it.
func (r *resolver) addImplicitAPI(globals map[string]*node) {
	if r.resources[implicitAPI] != nil {
		return
	}
	for _, res := range r.present {
		for _, event := range fieldsOf(res.props.get("Events")) {
			typ, _ := event.value.get("Type").scalar()
			if res.typ != typeFunction || typ != eventHTTPAPI || event.value.get("Properties").get("ApiId") != nil {
				continue
			}
			api := &resource{id: implicitAPI, typ: typeHTTPAPI, line: event.line, props: globals[typeHTTPAPI]}
			r.resources[implicitAPI] = api
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
	case res.typ != typeHTTPAPI && res.typ != typeWebSocketAPI:
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
