package template

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Properties of AWS::Serverless::Function by what the emulator does with them.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
var (
	functionRead = []string{"Architectures", "AutoPublishAlias", "CodeUri", "Environment", "EventInvokeConfig", "Events", "FunctionName", "Handler",
		"ImageUri", "InlineCode", "LoggingConfig", "MemorySize", "PackageType", "ReservedConcurrentExecutions",
		"Runtime", "Timeout"}
	functionSilent = []string{"AssumeRolePolicyDocument",
		"AutoPublishAliasAllProperties", "AutoPublishCodeSha256", "CodeSigningConfigArn", "DeploymentPreference",
		"Description", "EphemeralStorage", "KmsKeyArn", "PermissionsBoundary", "Policies", "PropagateTags",
		"PublishToLatestPublished", "RecursiveLoop", "Role", "RolePath", "RuntimeManagementConfig", "SnapStart",
		"SourceKMSKeyArn", "Tags", "Tracing", "VersionDeletionPolicy", "VersionDescription"}
	functionNoted = []string{"CapacityProviderConfig", "DeadLetterQueue", "DurableConfig", "FileSystemConfigs",
		"FunctionScalingConfig", "FunctionUrlConfig", "ImageConfig", "Layers", "ProvisionedConcurrencyConfig",
		"TenancyConfig", "VpcConfig"}
)

const (
	maxTimeout  = 900 // seconds
	maxMemory   = 32768
	maxEventAge = 6 * 3600 // seconds
)

// function reads an AWS::Serverless::Function with its events.
func (l *loader) function(res *resource) {
	p := l.properties(res)
	p.known(functionRead, functionSilent, functionNoted)
	f := l.newFunction(res, p, l.codeDir)
	f.Alias = p.str("AutoPublishAlias")
	f.Async = l.async(p.object("EventInvokeConfig"))
	if a := p.strings("Architectures"); len(a) > 1 { // Globals' list and the function's own are joined
		p.bad("Architectures", "are %s; give one, either in Globals or here", strings.Join(a, ", "))
	}
	l.stack.Functions = append(l.stack.Functions, f)
	l.events(f, p.object("Events"))
}

// newFunction reads the properties that both kinds of functions have; codeDir
// reads where the code is.
func (l *loader) newFunction(res *resource, p *props, codeDir func(*props) string) *Function {
	return &Function{
		Pos:         l.pos(res.line),
		LogicalID:   res.id,
		Name:        l.functionName(res, p),
		ARN:         l.resourceARN(res),
		CodeDir:     codeDir(p),
		Handler:     p.required("Handler"),
		Runtime:     p.required("Runtime"),
		Timeout:     p.duration("Timeout", time.Second, 3, 1, maxTimeout),
		MemoryMB:    p.number("MemorySize", 128, 128, maxMemory),
		Environment: environment(p),
		Concurrency: p.number("ReservedConcurrentExecutions", -1, 0, 1_000_000),
		Logging:     logging(p.object("LoggingConfig"), l.name(res)),
	}
}

var logGroup = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)

// logging reads the LoggingConfig of a function with a name.
func logging(p *props, function string) Logging {
	p.known([]string{"ApplicationLogLevel", "LogFormat", "LogGroup"}, nil, []string{"SystemLogLevel"})
	l := Logging{
		Format: p.oneOf("LogFormat", "Text", "JSON"),
		Level:  p.oneOf("ApplicationLogLevel", "INFO", "TRACE", "DEBUG", "WARN", "ERROR", "FATAL"),
		Group:  p.strOr("LogGroup", "/aws/lambda/"+function),
	}
	if !logGroup.MatchString(l.Group) && p.has("LogGroup") {
		p.bad("LogGroup", "is %s; use up to 512 letters, digits and . - _ / #", quoted(l.Group))
	}
	if l.Format == "Text" {
		l.Level = ""
		if p.has("ApplicationLogLevel") {
			p.notef(p.lineOf("ApplicationLogLevel"), p.at, "property %sApplicationLogLevel, which needs LogFormat: JSON", p.path)
		}
	}
	return l
}

// functionNames are those that CreateFunction takes.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
var functionNames = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// functionName returns the function's name, which has a limited length only if
// the template gives it: CloudFormation shortens those that it makes.
func (l *loader) functionName(res *resource, p *props) string {
	name := l.name(res)
	if p.has("FunctionName") && name != "" && !functionNames.MatchString(name) {
		p.bad("FunctionName", "is %s; use up to 64 letters, digits, - and _", quoted(name))
	}
	return name
}

// codeDir returns the folder of CodeUri.
func (l *loader) codeDir(p *props) string {
	for _, name := range []string{"InlineCode", "ImageUri"} {
		if p.has(name) {
			p.bad(name, "is not emulated; put the code in a folder and name it in CodeUri")
			return ""
		}
	}
	if p.str("PackageType") == "Image" {
		p.bad("PackageType", "Image is not emulated; put the code in a folder and name it in CodeUri")
		return ""
	}
	if v := p.value("CodeUri"); v != nil && (v.kind == object || strings.HasPrefix(v.text, "s3://")) {
		p.bad("CodeUri", "is in S3, which is not emulated; name a local folder")
		return ""
	}
	return l.folder(p.required("CodeUri"))
}

// folder makes a path of the template absolute.
func (l *loader) folder(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(l.dir, path)
}

// What Lambda sets itself and refuses in a function's configuration.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
var reservedVariables = []string{"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
	"AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"}

var variableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]+$`)

// MaxEnvironment is what the names and values of a function's variables may take
// together, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxEnvironment = 4 << 10

// environment reads the variables as the strings that CloudFormation makes.
func environment(p *props) map[string]string {
	e := p.object("Environment")
	e.known([]string{"Variables"}, nil, nil)
	vars := e.stringMap("Variables")
	o := e.object("Variables")
	size := 0
	for _, f := range fieldsOf(o.n) {
		value := vars[f.name]
		size += len(f.name) + len(value)
		switch {
		case slices.Contains(reservedVariables, f.name):
			o.bad(f.name, "is set by Lambda itself; use another name")
		case !variableName.MatchString(f.name):
			o.bad(f.name, "is no variable's name; use two or more letters, digits and _, a letter first")
		case strings.Contains(value, "{{resolve:"):
			o.notef(f.line, o.at, "dynamic reference in %s, which stays as it is", f.name)
		}
	}
	if size > MaxEnvironment {
		e.bad("Variables", "hold %d bytes; Lambda takes %d", size, MaxEnvironment)
	}
	return vars
}

// async reads an EventInvokeConfig.
func (l *loader) async(p *props) Async {
	p.known([]string{"DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"}, nil, nil)
	d := p.object("DestinationConfig")
	d.known([]string{"OnFailure", "OnSuccess"}, nil, nil)
	return Async{
		MaxRetries:  p.number("MaximumRetryAttempts", 2, 0, 2),
		MaxEventAge: p.duration("MaximumEventAgeInSeconds", time.Second, maxEventAge, 60, maxEventAge),
		OnSuccess:   l.destination(d.object("OnSuccess")),
		OnFailure:   l.destination(d.object("OnFailure")),
	}
}

// destination returns the ARN of a destination that is a function; others are
// noted.
func (l *loader) destination(p *props) string {
	if p.n == nil {
		return ""
	}
	p.known([]string{"Destination", "Type"}, nil, nil)
	typ := p.oneOf("Type", "", "Lambda", "SQS", "SNS", "EventBridge", "S3Bucket")
	arn := p.str("Destination")
	if typ == "Lambda" || typ == "" && strings.HasPrefix(arn, "arn:aws:lambda:") {
		return l.functionARN(p, "Destination")
	}
	if parts := strings.Split(arn, ":"); typ == "" && len(parts) > 2 {
		typ = parts[2] // the service
	}
	p.notef(p.line, p.at, "property %s of type %s", strings.TrimSuffix(p.path, "."), cmp.Or(typ, quoted(arn)))
	return ""
}

// functionARN reads a property that is the ARN of a function of this template.
// A version or alias is left out: all are the same code here.
func (l *loader) functionARN(p *props, name string) string {
	return l.knownFunction(p, name, p.required(name))
}

// knownFunction returns the ARN that a property was found to name, if that is a
// function of this template.
func (l *loader) knownFunction(p *props, name, written string) string {
	if written == "" {
		return ""
	}
	arn := written
	if parts := strings.Split(written, ":"); len(parts) == 8 {
		arn = strings.Join(parts[:7], ":")
	}
	if l.functions[arn] {
		return arn
	}
	hint := "; use !GetAtt Function.Arn"
	for _, res := range l.present {
		if res.typ == typeLambdaFunction && l.resourceARN(res) == arn {
			hint = ": the Code of " + res.id + " is not here; name a local folder in it"
		}
	}
	p.bad(name, "is %s, which is no function of this template%s", quoted(written), hint)
	return ""
}
