package template

import "slices"

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
