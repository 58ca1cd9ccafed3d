package template

import (
	"regexp"
	"slices"
	"strings"
)

// The resource types that are emulated.
const (
	typeFunction       = "AWS::Serverless::Function"
	typeHTTPAPI        = "AWS::Serverless::HttpApi"
	typeRESTAPI        = "AWS::Serverless::Api"
	typeWebSocketAPI   = "AWS::Serverless::WebSocketApi"
	typeSimpleTable    = "AWS::Serverless::SimpleTable"
	typeTable          = "AWS::DynamoDB::Table"
	typeSecret         = "AWS::SecretsManager::Secret"
	typeLambdaFunction = "AWS::Lambda::Function"
	typeEventSource    = "AWS::Lambda::EventSourceMapping"
	typeAPI            = "AWS::ApiGatewayV2::Api"
	typeAuthorizer     = "AWS::ApiGatewayV2::Authorizer"
	typeAPIMapping     = "AWS::ApiGatewayV2::ApiMapping"
	typeDomainName     = "AWS::ApiGatewayV2::DomainName"
	typeDeployment     = "AWS::ApiGatewayV2::Deployment"
	typeIntegration    = "AWS::ApiGatewayV2::Integration"
	typeRoute          = "AWS::ApiGatewayV2::Route"
	typeRouteResponse  = "AWS::ApiGatewayV2::RouteResponse"
	typeStage          = "AWS::ApiGatewayV2::Stage"
)

// apiParts are the types whose resources belong to an API.
var apiParts = []string{typeAPIMapping, typeAuthorizer, typeDeployment, typeDomainName, typeIntegration, typeRoute, typeRouteResponse, typeStage}

var emulatedTypes = slices.Concat([]string{typeFunction, typeHTTPAPI, typeRESTAPI, typeWebSocketAPI, typeSimpleTable,
	typeTable, typeSecret, typeLambdaFunction, typeEventSource, typeAPI}, apiParts)

// otherTypes are the rest of SAM's, to tell them from misspellings.
var otherTypes = []string{"AWS::Serverless::Application", "AWS::Serverless::CapacityProvider",
	"AWS::Serverless::Connector", "AWS::Serverless::GraphQLApi", "AWS::Serverless::LayerVersion",
	"AWS::Serverless::StateMachine"}

// emulated says whether resources of a type are read.
func emulated(typ string) bool { return slices.Contains(emulatedTypes, typ) }

// checkType reports a type that must be a misspelling.
func (r *resolver) checkType(id, typ string, line int) {
	known := slices.Concat(emulatedTypes, otherTypes)
	if slices.Contains(known, typ) || service(typ) == "ApiGateway" { // close to ApiGatewayV2, but another one
		return
	}
	if hint := didYouMean(typ, known); hint != "" || isServerless(typ) {
		r.errorf(line, id, "there is no type %s%s", quoted(typ), hint)
	}
}

// resource is one entry of Resources.
type resource struct {
	id, typ string
	line    int
	props   *node // Properties with Globals merged in, unresolved; may be nil
	// condition is the name of its Condition if that is false.
	condition string

	// of is the resource of which SAM makes this one, property the one of its
	// properties that gives this one's name; nil and "" for the template's own.
	of       *resource
	property string

	resolved       *node // props, once resolved
	physical       string
	naming, nameOK bool // the physical name is being worked out; is known
}

var resourceKeys = []string{"Type", "Properties", "Condition", "DependsOn", "Metadata", "DeletionPolicy",
	"UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy", "Connectors", "IgnoreGlobals"}

var logicalID = regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)

// readResources reads the section and merges Globals into it.
func (r *resolver) readResources(root *node) {
	section := root.get("Resources")
	if section == nil || section.kind != object || len(section.fields) == 0 {
		line := root.line
		if section != nil {
			line = section.line
		}
		r.errorf(line, "", "Resources must be a map of at least one resource")
		return
	}
	globals := r.readGlobals(root.get("Globals"))
	for _, f := range section.fields {
		if res := r.readResource(f, globals); res != nil {
			r.resources[res.id] = res
		}
	}
	r.addImplicitAPIs(globals)
	r.generate()
	for _, f := range section.fields {
		r.dependsOn(f)
	}
	if !slices.ContainsFunc(transforms(root.get("Transform")), func(t *node) bool { return t.text == samTransform }) {
		for _, res := range r.present {
			if isServerless(res.typ) {
				r.errorf(res.line, res.id, "%s needs Transform: %s at the top of the template", res.typ, samTransform)
				return
			}
		}
	}
}

func isServerless(typ string) bool {
	const prefix = "AWS::Serverless::"
	return len(typ) > len(prefix) && typ[:len(prefix)] == prefix
}

func (r *resolver) readResource(f field, globals map[string]*node) *resource {
	if strings.HasPrefix(f.name, "Fn::ForEach::") {
		r.errorf(f.line, "", "Fn::ForEach is not emulated; write each resource out")
		return nil
	}
	if !logicalID.MatchString(f.name) {
		r.errorf(f.line, "", "%s is no logical id; use letters and digits only", quoted(f.name))
		return nil
	}
	if f.value.kind != object {
		r.errorf(f.line, f.name, "must be a map with a Type, not %s", f.value.kind)
		return nil
	}
	for _, k := range f.value.fields {
		if !slices.Contains(resourceKeys, k.name) {
			r.errorf(k.line, f.name, "unknown key %s%s", quoted(k.name), didYouMean(k.name, resourceKeys))
		}
	}
	res := &resource{id: f.name, line: f.line, props: f.value.get("Properties")}
	res.typ, _ = f.value.get("Type").scalar()
	if res.typ == "" {
		r.errorf(f.line, f.name, "has no Type")
		return nil
	}
	r.checkType(f.name, res.typ, f.value.field("Type").line)
	if res.props != nil && res.props.kind != object {
		if res.props.kind != null {
			r.errorf(res.props.line, f.name, "Properties must be a map, not %s", res.props.kind)
		}
		res.props = nil
	}
	if c := f.value.get("Connectors"); c != nil {
		r.notef(c.line, f.name, "Connectors")
	}
	res.props = r.withGlobals(res, globals, f.value.get("IgnoreGlobals"))
	if r.conditionHolds(res, f.value.get("Condition")) {
		r.present = append(r.present, res)
	}
	return res
}

func (r *resolver) conditionHolds(res *resource, n *node) bool {
	if n == nil {
		return true
	}
	name, ok := n.scalar()
	if !ok {
		r.errorf(n.line, res.id, "Condition must be the name of a condition, not %s", n.kind)
		return true
	}
	value, ok := r.condition(name, n.line, res.id)
	if ok && !value {
		res.condition = name
		return false
	}
	return true
}

// dependsOn checks that a resource waits for resources that there are.
func (r *resolver) dependsOn(f field) {
	n := f.value.get("DependsOn")
	if n == nil || r.full() {
		return
	}
	ids := n.items
	if n.kind != list {
		ids = []*node{n}
	}
	for _, id := range ids {
		name, ok := id.scalar()
		if !ok || r.named(name) == nil || strings.Contains(name, ".") {
			r.errorf(id.line, f.name, "depends on %s, which is no resource%s", quoted(name), r.suggest(name, r.referable))
		}
	}
}

// properties resolves a resource's properties, once.
func (r *resolver) properties(res *resource) *props {
	if res.resolved == nil {
		if res.props != nil {
			res.resolved = r.eval(res.props, res.id)
		}
		if res.resolved == nil {
			res.resolved = &node{kind: object, line: res.line}
		}
	}
	return &props{report: r.report, at: res.id, line: res.line, n: res.resolved}
}
