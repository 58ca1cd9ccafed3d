package template

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// suffix derives n stable characters from a string, where AWS makes random
// ones.
func suffix(s string, n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte(s))
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(out)
}

// uuid derives a stable UUID from a string.
func uuid(s string) string {
	sum := sha256.Sum256([]byte(s))
	h := hex.EncodeToString(sum[:16])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// inventName makes a physical name as CloudFormation does.
func (r *resolver) inventName(id string) string {
	return r.stack.Name + "-" + id + "-" + strings.ToUpper(suffix(r.stack.Name+"/"+id, 12))
}

// nameProperty is the property that gives a type's physical name, such as
// QueueName of AWS::SQS::Queue; Name is tried too.
func nameProperty(typ string) string {
	switch typ {
	case typeSimpleTable:
		return "TableName"
	case typeDomainName:
		return "DomainName"
	}
	return typeName(typ) + "Name"
}

// name returns a resource's physical name.
func (r *resolver) name(res *resource) string {
	switch {
	case res.property == "StageName":
		name, _ := r.stageName(res.of)
		return name
	case res.property != "":
		name, _ := r.ownText(res.of, res.property)
		return name
	case res.nameOK:
		return res.physical
	case res.naming:
		r.errorf(res.line, res.id, "the name refers to itself; give it a name without a circle")
		return res.id
	}
	res.naming = true
	res.physical = r.findName(res)
	res.naming, res.nameOK = false, true
	return res.physical
}

// shortestName is how many characters a physical name of the type has at least.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
func shortestName(typ string) int {
	if typ == typeTable || typ == typeSimpleTable {
		return 3
	}
	return 1
}

// findName reads a resource's name, or makes one: the logical id, for people to
// find it by, where it can be a name of what is emulated.
func (r *resolver) findName(res *resource) string {
	switch res.typ {
	case typeHTTPAPI, typeRESTAPI, typeWebSocketAPI, typeAPI:
		return strings.ToLower(res.id)
	case typeAPIMapping, typeAuthorizer, typeDeployment, typeIntegration, typeRoute, typeRouteResponse:
		return partID(res.typ, res.id)
	}
	for _, property := range []string{nameProperty(res.typ), "Name"} {
		n := res.props.get(property)
		if n == nil || property == "Name" && emulated(res.typ) && res.typ != typeSecret {
			continue
		}
		v := r.eval(n, res.id)
		if s, ok := v.scalar(); ok && s != "" {
			return s
		}
		if v != nil && v.kind != broken {
			r.errorf(n.line, res.id, "%s must be a string that is not empty", property)
		}
	}
	if emulated(res.typ) && len(res.id) >= shortestName(res.typ) {
		return res.id
	}
	return r.inventName(res.id)
}

// partID is the id of a part of an API, which is random on AWS.
func partID(typ, id string) string { return suffix(typ+"/"+id, 7) }

// arn puts an ARN together.
func (r *resolver) arn(service, rest string) string {
	region := r.stack.Region
	if service == "iam" {
		region = ""
	}
	return "arn:aws:" + service + ":" + region + ":" + r.stack.AccountID + ":" + rest
}

// resourceARN returns the ARN of a resource; of a type that is not emulated, a
// plausible one.
func (r *resolver) resourceARN(res *resource) string {
	name := r.name(res)
	switch res.typ {
	case typeFunction, typeLambdaFunction:
		return r.arn("lambda", "function:"+name)
	case typeTable, typeSimpleTable:
		return r.arn("dynamodb", "table/"+name)
	case typeSecret:
		return r.arn("secretsmanager", "secret:"+name+"-"+suffix("secret/"+name, 6))
	case typeAlias:
		return r.functionOf(res, "FunctionName") + ":" + name
	case typeFnVersion:
		return r.functionOf(res, "FunctionName") + ":" + OnlyVersion
	case typeFnURL:
		return r.functionOf(res, "TargetFunctionArn")
	case typeSchedule:
		return r.arn("scheduler", "schedule/default/"+name)
	case typeTopic, typeQueue:
		return r.arn(strings.ToLower(service(res.typ)), name)
	case "AWS::S3::Bucket":
		return "arn:aws:s3:::" + name
	case "AWS::Logs::LogGroup":
		return r.arn("logs", "log-group:"+name+":*")
	}
	return r.arn(strings.ToLower(service(res.typ)), strings.ToLower(typeName(res.typ))+"/"+name)
}

// OnlyVersion is the number of every version of a function: all are the same code
// here.
const OnlyVersion = "1"

// functionOf returns the ARN of the function that a resource belongs to, which the
// property names.
func (r *resolver) functionOf(res *resource, property string) string {
	if res.of != nil {
		return r.resourceARN(res.of)
	}
	if res.props.get(property) == nil {
		r.errorf(res.line, res.id, "%s is missing; give it", property)
		return ""
	}
	name, _ := r.ownText(res, property)
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return r.arn("lambda", "function:"+name)
}

// typeName returns the end of a type: Queue of AWS::SQS::Queue.
func typeName(typ string) string { return typ[strings.LastIndexByte(typ, ':')+1:] }

// service returns the middle of a type: SQS of AWS::SQS::Queue.
func service(typ string) string {
	if parts := strings.Split(typ, "::"); len(parts) > 1 {
		return parts[1]
	}
	return typ
}
