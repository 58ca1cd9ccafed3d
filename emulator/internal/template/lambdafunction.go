package template

import (
	"strings"
	"time"
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
	l.stack.Functions = append(l.stack.Functions, &Function{
		Pos:         l.pos(res.line),
		LogicalID:   res.id,
		Name:        l.functionName(res, p),
		ARN:         l.resourceARN(res),
		CodeDir:     l.folder(p.required("Code")),
		Handler:     p.required("Handler"),
		Runtime:     p.required("Runtime"),
		Timeout:     p.duration("Timeout", time.Second, 3, 1, maxTimeout),
		MemoryMB:    p.number("MemorySize", 128, 128, maxMemory),
		Environment: environment(p),
		Concurrency: p.number("ReservedConcurrentExecutions", -1, 0, 1_000_000),
		LogFormat:   p.object("LoggingConfig").oneOf("LogFormat", "Text", "JSON"),
		Async:       l.async(&props{report: l.report, at: res.id, line: res.line}), // AWS::Lambda::EventInvokeConfig is noted
	})
}

// isLocal says whether a function's Code is a path.
func (l *loader) isLocal(res *resource) bool {
	code, ok := l.properties(res).value("Code").scalar()
	return ok && !strings.HasPrefix(code, "s3://")
}
