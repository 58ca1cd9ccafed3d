package template

import (
	"strings"
)

// Properties of AWS::Lambda::Function.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-function.html
var (
	lambdaRead = []string{"Architectures", "Code", "Environment", "FunctionName", "Handler", "LoggingConfig", "MemorySize",
		"PackageType", "ReservedConcurrentExecutions", "Runtime", "Timeout"}
	lambdaSilent = []string{"CodeSigningConfigArn", "Description", "EphemeralStorage", "KmsKeyArn", "PublishToLatestPublished",
		"RecursiveLoop", "Role", "RuntimeManagementConfig", "SnapStart", "Tags", "TracingConfig"}
	lambdaNoted = []string{"CapacityProviderConfig", "DeadLetterConfig", "DurableConfig", "FileSystemConfigs",
		"FunctionScalingConfig", "ImageConfig", "Layers", "TenancyConfig", "VpcConfig"}
)

// lambdaFunction reads an AWS::Lambda::Function whose Code is a local folder, as
// sam build and aws cloudformation package take it.
func (l *loader) lambdaFunction(res *resource) {
	if !l.isLocal(res) {
		l.notef(res.line, res.id, "%s whose Code is no local folder", res.typ)
		return
	}
	p := l.properties(res)
	p.known(lambdaRead, lambdaSilent, lambdaNoted)
	f := l.newFunction(res, p, func(p *props) string { return l.folder(p.required("Code")) })
	f.Async = l.async(&props{report: l.report, at: res.id, line: res.line}) // AWS::Lambda::EventInvokeConfig is noted
	l.stack.Functions = append(l.stack.Functions, f)
}

// isLocal says whether a function's Code is a path.
func (l *loader) isLocal(res *resource) bool {
	code, ok := l.properties(res).value("Code").scalar()
	return ok && !strings.HasPrefix(code, "s3://")
}
