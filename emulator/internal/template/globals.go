package template

import (
	"slices"
	"strings"
)

// globalsTypes has the sections that Globals may have and the properties that a
// section may not set, since they belong to one resource.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
var globalsTypes = map[string][]string{
	"Api":              {"DefinitionBody", "StageName"},
	"CapacityProvider": nil,
	"Function": {"Events", "FunctionName", "ImageConfig", "ImageUri", "InlineCode", "PackageType", "Policies",
		"Role", "VersionDescription"},
	"HttpApi":      {"DefinitionBody", "DefinitionUri", "Description", "DisableExecuteApiEndpoint", "Name", "StageName"},
	"LayerVersion": nil,
	"SimpleTable":  {"PrimaryKey", "ProvisionedThroughput", "TableName"},
	"StateMachine": nil,
	"WebSocketApi": {"Auth", "Description", "Name", "Routes", "StageName"},
}

// readGlobals returns the properties that Globals gives to each resource type.
func (r *resolver) readGlobals(section *node) map[string]*node {
	globals := map[string]*node{}
	if section == nil || section.kind == null {
		return globals
	}
	if section.kind != object {
		r.errorf(section.line, "Globals", "must be a map, not %s", section.kind)
		return globals
	}
	var names []string
	for name := range globalsTypes {
		names = append(names, name)
	}
	for _, f := range section.fields {
		notGlobal, known := globalsTypes[f.name]
		if !known {
			r.errorf(f.line, "Globals", "there is no section %s%s", quoted(f.name), didYouMean(f.name, names))
			continue
		}
		if f.value.kind != object {
			r.errorf(f.line, "Globals", "%s must be a map, not %s", f.name, f.value.kind)
			continue
		}
		for _, p := range f.value.fields {
			if slices.Contains(notGlobal, p.name) {
				r.errorf(p.line, "Globals", "%s cannot be set for all of %s; set it on each resource", p.name, f.name)
			}
		}
		globals["AWS::Serverless::"+f.name] = f.value
	}
	return globals
}

// withGlobals merges what Globals gives into a resource's own properties.
func (r *resolver) withGlobals(res *resource, globals map[string]*node, ignore *node) *node {
	g := globals[res.typ]
	if g == nil {
		return res.props
	}
	if all, _ := ignore.scalar(); all == "*" {
		return res.props
	}
	if ignore != nil && ignore.kind == list {
		kept := &node{kind: object, line: g.line}
		for _, f := range g.fields {
			if !slices.ContainsFunc(ignore.items, func(n *node) bool { return n.text == f.name }) {
				kept.fields = append(kept.fields, f)
			}
		}
		g = kept
	}
	return mergeGlobal(g, res.props)
}

// mergeGlobal merges as SAM does: a map into a map, a list before a list, and
// otherwise the resource's own value, which is the case for intrinsics as well.
func mergeGlobal(global, own *node) *node {
	if own == nil {
		return global
	}
	if _, _, ok := global.intrinsic(); ok {
		return own
	}
	if _, _, ok := own.intrinsic(); ok || own.kind != global.kind {
		return own
	}
	switch own.kind {
	case list:
		return listNode(own.line, slices.Concat(global.items, own.items)...)
	case object:
		out := &node{kind: object, line: own.line}
		for _, f := range global.fields {
			if o := own.field(f.name); o != nil {
				f.line, f.value = o.line, mergeGlobal(f.value, o.value)
			}
			out.fields = append(out.fields, f)
		}
		for _, f := range own.fields {
			if global.field(f.name) == nil {
				out.fields = append(out.fields, f)
			}
		}
		return out
	}
	return own
}

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
	n := res.props.get("StageName")
	if n == nil {
		return byType[res.typ], true
	}
	return r.evalText(n, res.id, "StageName")
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
