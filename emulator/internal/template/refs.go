package template

import (
	"maps"
	"slices"
	"strings"
)

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
var pseudoParameters = []string{"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition",
	"AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix"}

func (r *resolver) pseudo(name string, line int) *node {
	s := r.stack
	switch name {
	case "AWS::AccountId":
		return textNode(line, s.AccountID)
	case "AWS::NoValue":
		return nil
	case "AWS::NotificationARNs":
		return listNode(line)
	case "AWS::Partition":
		return textNode(line, "aws")
	case "AWS::Region":
		return textNode(line, s.Region)
	case "AWS::StackId":
		return textNode(line, r.arn("cloudformation", "stack/"+s.Name+"/"+uuid(s.Name)))
	case "AWS::StackName":
		return textNode(line, s.Name)
	default: // AWS::URLSuffix
		return textNode(line, "amazonaws.com")
	}
}

func (r *resolver) fnRef(c call) *node {
	name, ok := c.arg.scalar()
	if !ok || name == "" {
		return r.bad(c, "takes the name of a parameter or resource")
	}
	return r.reference(name, c)
}

// reference returns what Ref of a name gives: nil for AWS::NoValue.
func (r *resolver) reference(name string, c call) *node {
	if slices.Contains(pseudoParameters, name) {
		return r.pseudo(name, c.line)
	}
	if p := r.params.byName[name]; p != nil {
		return p
	}
	res := r.named(name)
	if res == nil {
		id, what, _ := strings.Cut(name, ".")
		if of := r.resources[id]; of != nil && of.typ == typeFunction && (what == "Alias" || what == "Version") {
			return r.bad(c, "refers to %s, but the function has no AutoPublishAlias", name)
		}
		hint := r.suggest(name, r.referable)
		if hint == "" {
			hint = "; name a parameter or a resource of this template"
		}
		return r.bad(c, "refers to %s, which does not exist%s", quoted(name), hint)
	}
	if res.condition != "" {
		return r.absent(res, c)
	}
	ref := r.refOf(res)
	if ref == "" { // which is reported
		return brokenNode(c.line)
	}
	return textNode(c.line, ref)
}

func (r *resolver) absent(res *resource, c call) *node {
	return r.bad(c, "refers to %s, which does not exist since its condition %s is false; choose with Fn::If", res.id, res.condition)
}

// refOf returns what Ref of a resource gives.
func (r *resolver) refOf(res *resource) string {
	switch res.typ {
	case typeSecret, typeAlias, typeFnVersion, typeFnURL, typeTopic, "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::StepFunctions::StateMachine",
		"AWS::Serverless::StateMachine", "AWS::SecretsManager::RotationSchedule", "AWS::IAM::ManagedPolicy":
		return r.resourceARN(res)
	case typeQueue:
		return "https://sqs." + r.stack.Region + ".amazonaws.com/" + r.stack.AccountID + "/" + r.name(res)
	}
	return r.name(res)
}

func (r *resolver) fnGetAtt(c call) *node {
	arg := c.arg
	if s, ok := arg.scalar(); ok {
		arg = getAttList(arg.line, s)
	}
	if arg.kind != list || len(arg.items) < 2 {
		return r.bad(c, "takes Resource.Attribute or [Resource, Attribute]")
	}
	id, ok := arg.items[0].scalar()
	var attribute []string
	for _, item := range arg.items[1:] {
		s, good := r.evalText(item, c.at, "the attribute of Fn::GetAtt")
		attribute, ok = append(attribute, s), ok && good
	}
	if !ok || id == "" || attribute[0] == "" {
		return r.bad(c, "takes Resource.Attribute or [Resource, Attribute]")
	}
	return r.attribute(id, strings.Join(attribute, "."), c)
}

// attribute returns what GetAtt gives.
func (r *resolver) attribute(id, name string, c call) *node {
	if property, rest, ok := strings.Cut(name, "."); ok && r.generated[id+"."+property] != nil {
		id, name = id+"."+property, rest // such as Fn.DestinationQueue.Arn
	}
	res := r.named(id)
	if res == nil {
		if r.params.byName[id] != nil {
			return r.bad(c, "takes an attribute of %s, which is a parameter; use Ref", id)
		}
		return r.bad(c, "refers to the resource %s, which does not exist%s", quoted(id), r.suggest(id, r.referable))
	}
	if res.condition != "" {
		return r.absent(res, c)
	}
	if !emulated(res.typ) {
		return textNode(c.line, r.inventAttribute(res, name))
	}
	known := r.attributes(res)
	if v, ok := known[name]; ok {
		return textNode(c.line, v)
	}
	if len(known) == 0 {
		return r.bad(c, "refers to %s.%s; %s has no attributes", id, name, res.typ)
	}
	return r.bad(c, "refers to %s.%s; the attributes of %s are %s", id, name, res.typ,
		strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

// attributes returns the attributes of a resource of an emulated type.
func (r *resolver) attributes(res *resource) map[string]string {
	name, host := r.name(res), r.name(res)+".execute-api."+r.stack.Region+".amazonaws.com"
	switch res.typ {
	case typeFunction, typeLambdaFunction, typeSimpleTable:
		return map[string]string{"Arn": r.resourceARN(res)}
	case typeTable:
		m := map[string]string{"Arn": r.resourceARN(res)}
		if res.props.get("StreamSpecification") != nil {
			m["StreamArn"] = r.resourceARN(res) + "/stream/2026-01-01T00:00:00.000"
		}
		return m
	case typeEventSource:
		return map[string]string{"Id": name, "EventSourceMappingArn": r.resourceARN(res)}
	case typeSecret:
		return map[string]string{"Id": r.resourceARN(res)}
	case typeHTTPAPI:
		return map[string]string{"ApiId": name, "ApiEndpoint": "https://" + host}
	case typeRESTAPI:
		return map[string]string{"RestApiId": name, "RootResourceId": suffix("resource/"+name, 10)}
	case typeWebSocketAPI:
		return map[string]string{"ApiId": name, "ApiEndpoint": "wss://" + host}
	case typeAPI:
		scheme := "https://"
		if r.isWebSocket(res) {
			scheme = "wss://"
		}
		return map[string]string{"ApiId": name, "ApiEndpoint": scheme + host}
	case typeDomainName:
		regional := "d-" + suffix(name, 10) + ".execute-api." + r.stack.Region + ".amazonaws.com"
		return map[string]string{"DomainNameArn": "arn:aws:apigateway:" + r.stack.Region + "::/domainnames/" + name,
			"RegionalDomainName": regional, "RegionalHostedZoneId": "Z" + strings.ToUpper(suffix(r.stack.Region, 13))}
	case typeAPIMapping, typeAuthorizer, typeDeployment, typeIntegration, typeRoute, typeRouteResponse:
		return map[string]string{typeName(res.typ) + "Id": name}
	}
	return nil
}

// inventAttribute gives a plausible value for an attribute of a resource that
// is not emulated.
func (r *resolver) inventAttribute(res *resource, attribute string) string {
	switch {
	case strings.HasSuffix(attribute, "Arn"):
		return r.resourceARN(res)
	case res.typ == typeFnVersion && attribute == "Version":
		return OnlyVersion
	case res.typ == typeFnURL && attribute == "FunctionUrl":
		return "https://" + suffix("url/"+r.stack.Name+"/"+res.id, 32) + ".lambda-url." + r.stack.Region + ".on.aws/"
	case strings.HasSuffix(attribute, "Url"):
		return r.refOf(res)
	}
	return r.name(res)
}
