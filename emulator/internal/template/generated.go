package template

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Types of the resources that SAM makes and that are not emulated.
const (
	typeAlias      = "AWS::Lambda::Alias"
	typeFnVersion  = "AWS::Lambda::Version"
	typeFnURL      = "AWS::Lambda::Url"
	typePermission = "AWS::Lambda::Permission"
	typeRole       = "AWS::IAM::Role"
	typeRule       = "AWS::Events::Rule"
	typeSchedule   = "AWS::Scheduler::Schedule"
	typeQueue      = "AWS::SQS::Queue"
	typeTopic      = "AWS::SNS::Topic"
	typeRESTStage  = "AWS::ApiGateway::Stage"
)

// generate knows the resources that SAM makes beside those of the template, to
// which templates refer by logical id, or by a property of the resource that has
// them made, such as Fn.Alias.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html
func (r *resolver) generate() {
	for _, id := range slices.Sorted(maps.Keys(r.resources)) {
		switch res := r.resources[id]; res.typ {
		case typeFunction:
			r.generateOfFunction(res)
		case typeHTTPAPI, typeRESTAPI, typeWebSocketAPI:
			r.generateOfAPI(res)
		}
	}
}

// add adds a resource that SAM makes of another one, under its logical id and
// the property by which it can be referred to; one of them may be "".
func (r *resolver) add(of *resource, id, property, typ string) *resource {
	made := &resource{id: id, typ: typ, line: of.line, of: of, condition: of.condition}
	if id == "" {
		made.id = of.id + "." + property
	} else if r.resources[id] == nil {
		r.generated[id] = made
	}
	if property != "" {
		r.generated[of.id+"."+property] = made
	}
	return made
}

// hashed are the ids of which nobody can know the end before SAM has made them.
var hashed = regexp.MustCompile(`^([A-Za-z0-9]+)(Version|Deployment)[0-9a-f]{10}$`)

// named returns the resource with a logical id, of the template or made by SAM,
// or nil.
func (r *resolver) named(id string) *resource {
	if res := r.resources[id]; res != nil {
		return res
	}
	if res := r.generated[id]; res != nil {
		return res
	}
	if m := hashed.FindStringSubmatch(id); m != nil {
		return r.generated[m[1]+"."+m[2]]
	}
	return nil
}

func (r *resolver) generateOfFunction(fn *resource) {
	props := r.chosen(fn.props, fn.id)
	has := func(property string) *node { return r.chosen(props.get(property), fn.id) }
	if role := has("Role"); role == nil || isNoValue(role) {
		r.add(fn, fn.id+"Role", "", typeRole)
	}
	if name := props.get("AutoPublishAlias"); name != nil {
		r.add(fn, "", "Version", typeFnVersion)
		alias := r.add(fn, "", "Alias", typeAlias)
		alias.property = "AutoPublishAlias"
		if fn.condition == "" || name.isScalar() {
			r.generated[fn.id+"Alias"+r.name(alias)] = alias
		}
		if has("DeploymentPreference") != nil {
			r.add(fn, fn.id+"DeploymentGroup", "", "AWS::CodeDeploy::DeploymentGroup")
			r.add(fn, "ServerlessDeploymentApplication", "", "AWS::CodeDeploy::Application")
			r.add(fn, "CodeDeployServiceRole", "", typeRole)
		}
	}
	if has("FunctionUrlConfig") != nil {
		r.add(fn, fn.id+"Url", "", typeFnURL)
		r.add(fn, fn.id+"UrlPublicPermissions", "", typePermission)
		r.add(fn, fn.id+"URLInvokeAllowPublicAccess", "", typePermission)
	}
	if async := has("EventInvokeConfig"); async != nil {
		r.add(fn, fn.id+"EventInvokeConfig", "", "AWS::Lambda::EventInvokeConfig")
		for _, f := range fieldsOf(async.get("DestinationConfig")) {
			switch typ, _ := f.value.get("Type").scalar(); {
			case f.value.get("Destination") != nil:
			case typ == "SQS":
				r.add(fn, fn.id+"EventInvokeConfig"+f.name+"Queue", "DestinationQueue", typeQueue)
			case typ == "SNS":
				r.add(fn, fn.id+"EventInvokeConfig"+f.name+"Topic", "DestinationTopic", typeTopic)
			}
		}
	}
	for _, event := range fieldsOf(has("Events")) {
		r.generateOfEvent(fn, event)
	}
}

// eventResources are the types of what SAM makes of an event under the ids of the
// function and the event.
var eventResources = map[string]string{
	"CloudWatchEvent": typeRule, "EventBridgeRule": typeRule, eventSchedule: typeRule, eventScheduleV2: typeSchedule,
	"CloudWatchLogs": "AWS::Logs::SubscriptionFilter", "IoTRule": "AWS::IoT::TopicRule", "SNS": "AWS::SNS::Subscription",
	"DocumentDB": typeEventSource, eventDynamoDB: typeEventSource, "Kinesis": typeEventSource, "MQ": typeEventSource,
	"MSK": typeEventSource, "SQS": typeEventSource, "SelfManagedKafka": typeEventSource,
}

func (r *resolver) generateOfEvent(fn *resource, event field) {
	e, id := r.chosen(event.value, fn.id), fn.id+event.name
	typ, _ := e.get("Type").scalar()
	props := r.chosen(e.get("Properties"), fn.id)
	made := eventResources[typ]
	if made != "" {
		name := props.get("Name")
		if name == nil {
			name = textNode(event.line, id)
		}
		r.add(fn, id, "", made).props = &node{kind: object, line: event.line, fields: []field{{name: "Name", line: event.line, value: name}}}
	}
	switch {
	case made == typeEventSource:
	case made == typeSchedule:
		if props.get("RoleArn") == nil {
			r.add(fn, id+"Role", "", typeRole)
		}
	default:
		r.add(fn, id+"Permission", "", typePermission)
	}
	if props.get("DeadLetterConfig") != nil || props.get("SqsSubscription") != nil {
		r.add(fn, id+"Queue", "", typeQueue)
		r.add(fn, id+"QueuePolicy", "", "AWS::SQS::QueuePolicy")
	}
	if props.get("SqsSubscription") != nil {
		r.add(fn, id+"EventSourceMapping", "", typeEventSource)
	}
}

func (r *resolver) generateOfAPI(api *resource) {
	stage := typeStage
	if api.typ == typeRESTAPI {
		stage = typeRESTStage
		r.add(api, "", "Deployment", "AWS::ApiGateway::Deployment")
		if plan := api.props.get("Auth").get("UsagePlan"); plan != nil {
			id := api.id
			if kind, _ := plan.get("CreateUsagePlan").scalar(); kind == "SHARED" {
				id = "Serverless"
			}
			for _, part := range []string{"ApiKey", "UsagePlan", "UsagePlanKey"} {
				r.add(api, id+part, part, "AWS::ApiGateway::"+part)
			}
		}
	}
	r.add(api, r.stageResource(api), "Stage", stage).property = "StageName"
	if domain := api.props.get("Domain").get("DomainName"); domain != nil && api.typ != typeRESTAPI {
		r.add(api, "", "DomainName", typeDomainName).props = &node{kind: object, line: domain.line,
			fields: []field{{name: "DomainName", line: domain.line, value: domain}}}
	}
	if api.typ != typeWebSocketAPI {
		return
	}
	if api.props.get("Auth") != nil {
		r.add(api, api.id+"ConnectAuthorizer", "", typeAuthorizer)
		r.add(api, api.id+"AuthorizerPermission", "", typePermission)
	}
	for _, route := range fieldsOf(api.props.get("Routes")) {
		id := routeResource(api.id, route.name)
		r.add(api, id, "", typeRoute)
		r.add(api, strings.TrimSuffix(id, "Route")+"Integration", "", typeIntegration)
		r.add(api, strings.TrimSuffix(id, "Route")+"Permission", "", typePermission)
	}
}

func isNoValue(n *node) bool {
	name, arg, ok := n.intrinsic()
	return ok && name == "Ref" && arg.text == "AWS::NoValue"
}

// stageResource returns the logical id of an API's stage.
func (r *resolver) stageResource(res *resource) string {
	stage := res.props.get("StageName")
	name, isText := stage.scalar()
	switch {
	case res.typ == typeHTTPAPI && (stage == nil || name == "$default"):
		return res.id + "ApiGatewayDefaultStage"
	case res.typ == typeWebSocketAPI && (stage == nil || name == "default"):
		return res.id + "DefaultStage"
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
func routeID(api, key string) string { return partID(typeRoute, routeResource(api, key)) }
