// Package template reads a SAM template and says what it describes: a Stack of
// functions, APIs, tables, secrets and schedules whose intrinsics are resolved.
//
// YAML is read by go.yaml.in/yaml, the maintained successor of yaml.v3: it has
// no dependencies and keeps the line of every node, so that each error can name
// its place.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
package template

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// Stack is a template with its parameters applied and its intrinsics resolved.
// Lists stand in template order.
type Stack struct {
	File      string // absolute path of the template
	Name      string // AWS::StackName
	Region    string // AWS::Region
	AccountID string // AWS::AccountId

	Functions     []*Function
	HTTPAPIs      []*HTTPAPI
	RESTAPIs      []*RESTAPI
	WebSocketAPIs []*WebSocketAPI
	Domains       []*Domain
	Tables        []*Table
	Secrets       []*Secret
	Schedules     []*Schedule
	EventSources  []*EventSource
	Outputs       []Output

	// NotEmulated lists each resource and property that the template holds
	// and the emulator passes over.
	NotEmulated []Note
}

// Pos is a place in the template.
type Pos struct {
	File string // as it was given to Load
	Line int    // from 1
}

// String gives file:line.
func (p Pos) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Note says what at a place of the template is not emulated.
type Note struct {
	Pos      Pos
	Resource string // logical id
	What     string // such as "AWS::SQS::Queue" or "property Layers"
}

// Function is an AWS::Serverless::Function, or an AWS::Lambda::Function.
type Function struct {
	Pos         Pos
	LogicalID   string
	Name        string // FunctionName, or the logical id
	Alias       string // AutoPublishAlias, which stands for version 1; "" unless given
	ARN         string
	CodeDir     string // absolute folder of CodeUri
	Handler     string
	Runtime     string
	Timeout     time.Duration // whole seconds; 3 s unless given, at most 900 s
	MemoryMB    int           // 128 unless given
	Environment map[string]string
	// Concurrency is ReservedConcurrentExecutions; negative if not given.
	Concurrency int
	Logging     Logging
	Async       Async
}

// Logging is a function's LoggingConfig.
// https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
type Logging struct {
	Format string // Text (default) or JSON
	// Level is that of the application: TRACE, DEBUG, INFO (default), WARN, ERROR or
	// FATAL. It is "" with Text, which has no levels.
	Level string
	Group string // /aws/lambda/ and the function's name unless given
}

// Async is a function's EventInvokeConfig.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
type Async struct {
	MaxRetries  int           // 0 to 2; 2 unless given
	MaxEventAge time.Duration // 60 s to 6 h; 6 h unless given
	OnSuccess   string        // ARN of a destination, or ""
	OnFailure   string
}

// HTTPAPI is a stage of an AWS::Serverless::HttpApi together with the HttpApi
// events of the functions that belong to it, or of an AWS::ApiGatewayV2::Api of
// protocol HTTP. Either has the AWS::ApiGatewayV2::Routes that name it. Further
// AWS::ApiGatewayV2::Stages of an API follow it, with the same ids.
type HTTPAPI struct {
	Pos            Pos
	LogicalID      string
	ID             string // what Ref gives: the logical id in lower case
	Stage          string // "$default" unless named
	Routes         []*HTTPRoute
	CORS           *CORS // nil if not configured
	StageVariables map[string]string
	StageSettings
	// OnlyCustomDomain says that DisableExecuteApiEndpoint is set.
	OnlyCustomDomain bool
}

// HTTPRoute is one route of an HTTPAPI, with a Lambda proxy integration.
type HTTPRoute struct {
	Pos           Pos
	Key           string // "POST /auth/token", "ANY /x/{id}" or "$default"
	Method        string // upper case, ANY, or "" for $default
	Path          string // "" for $default
	FunctionARN   string
	PayloadFormat string        // "2.0" or "1.0"
	Timeout       time.Duration // 30 s unless given
	// Authorizer decides who may call the route; nil if everybody may.
	Authorizer *HTTPAuthorizer
	// Scopes are those of which a token needs one, with a JWT authorizer; if
	// there are none, any token will do.
	Scopes []string
}

// HTTPAuthorizer is an authorizer of an HTTPAPI: a function, or with JWT set the
// check of a token.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html
type HTTPAuthorizer struct {
	Pos  Pos
	Name string
	// IdentitySource has such as "$request.header.Authorization": at most one
	// with JWT, and maybe none without.
	IdentitySource []string
	JWT            *JWT

	// The rest is that of a function.
	FunctionARN   string
	PayloadFormat string // "2.0" or "1.0"
	// Simple: the function answers {"isAuthorized": …} and not a policy.
	Simple   bool
	CacheTTL time.Duration // whole seconds, at most 1 h; 0 is no caching
}

// JWT says which tokens a JWT authorizer takes.
type JWT struct {
	Issuer   string // a URL
	Audience []string
}

// CORS is the CorsConfiguration of an HTTPAPI.
type CORS struct {
	AllowOrigins     []string
	AllowMethods     []string
	AllowHeaders     []string
	ExposeHeaders    []string
	AllowCredentials bool
	MaxAge           int // seconds; negative if not given
}

// RESTAPI is an AWS::Serverless::Api together with the Api events of the
// functions that belong to it.
type RESTAPI struct {
	Pos            Pos
	LogicalID      string
	ID             string // what Ref gives: the logical id in lower case
	Stage          string
	Routes         []*RESTRoute // with those that Cors adds
	StageVariables map[string]string
	StageSettings
	// BinaryMediaTypes are those whose bodies are base64 in events, such as
	// "image/png", "image/*" or "*/*".
	BinaryMediaTypes []string
	// GatewayResponses are those that differ from the service's own, by type,
	// such as "DEFAULT_4XX" or "UNAUTHORIZED".
	GatewayResponses map[string]*GatewayResponse
	// OnlyCustomDomain says that DisableExecuteApiEndpoint is set.
	OnlyCustomDomain bool
}

// RESTRoute is one method of a resource of a RESTAPI: a Lambda proxy
// integration, or the answer to a preflight.
type RESTRoute struct {
	Pos         Pos
	Method      string // upper case, or ANY
	Path        string // such as "/x/{id}" or "/{proxy+}"; only "/" ends with a slash
	FunctionARN string
	Timeout     time.Duration // 50 ms to 29 s; 29 s unless given
	// Preflight holds the headers of the answer that Cors makes in place of a
	// function; nil if there is a function.
	Preflight map[string]string
	// Authorizer decides who may call the route; nil if everybody may.
	Authorizer *RESTAuthorizer
}

// Key names the route in its API: "GET /x/{id}".
func (r *RESTRoute) Key() string { return r.Method + " " + r.Path }

// RESTAuthorizer is a Lambda authorizer of a RESTAPI.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
type RESTAuthorizer struct {
	Pos         Pos
	Name        string
	FunctionARN string
	Type        string // TOKEN or REQUEST
	// IdentitySource has such as "method.request.header.Authorization": one with
	// TOKEN, and maybe none with REQUEST where CacheTTL is 0.
	IdentitySource []string
	// Validation is what a token must match before the function is called; nil
	// if any will do.
	Validation *regexp.Regexp
	CacheTTL   time.Duration // whole seconds, at most 1 h; 5 min unless given
}

// GatewayResponse says what a RESTAPI answers by itself in some case.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
type GatewayResponse struct {
	Status  int               // 0 leaves it as it is
	Headers map[string]string // to add
	// Template replaces the body, which is JSON; "" leaves it as it is. It may
	// use $context.error.message and $context.error.messageString.
	Template string
}

// WebSocketAPI is a stage of an AWS::Serverless::WebSocketApi, or of an
// AWS::ApiGatewayV2::Api of protocol WEBSOCKET. Either has the
// AWS::ApiGatewayV2::Routes that name it. Further AWS::ApiGatewayV2::Stages of an
// API follow it, with the same ids.
type WebSocketAPI struct {
	Pos                      Pos
	LogicalID                string
	ID                       string // what Ref gives: the logical id in lower case
	Stage                    string
	RouteSelectionExpression string
	Routes                   map[string]*WebSocketRoute // by route key
	Authorizer               *Authorizer                // of $connect; nil if open
	StageVariables           map[string]string
	StageSettings
	// OnlyCustomDomain says that DisableExecuteApiEndpoint is set.
	OnlyCustomDomain bool
}

// WebSocketRoute is one route of a WebSocketAPI.
type WebSocketRoute struct {
	Pos         Pos
	Key         string // "$connect", "$disconnect", "$default" or a custom key
	FunctionARN string
	Timeout     time.Duration // integration timeout, 50 ms to 29 s; 29 s unless given
	// TwoWay: the function's answer goes back to the client, which needs
	// both a RouteResponseSelectionExpression and a RouteResponse.
	TwoWay bool
}

// Authorizer is the REQUEST authorizer of a WebSocketAPI's $connect route.
type Authorizer struct {
	FunctionARN    string
	IdentitySource []string // such as "route.request.header.Authorization"; may be empty
}

// Table is an AWS::DynamoDB::Table (or an AWS::Serverless::SimpleTable).
type Table struct {
	Pos       Pos
	LogicalID string
	Name      string // TableName, or the logical id
	ARN       string
	// Create is the table as the input of DynamoDB's CreateTable.
	Create json.RawMessage
	// TTLAttribute names the attribute of an enabled
	// TimeToLiveSpecification, or is "".
	TTLAttribute string
	// Recovery is a PointInTimeRecoverySpecification as DynamoDB's
	// UpdateContinuousBackups takes it; nil if there is none.
	Recovery json.RawMessage `json:",omitempty"`
	// StreamARN is what GetAtt StreamArn gives; "" without a
	// StreamSpecification. The label at its end stands for that which the
	// stream has once it is made.
	StreamARN string
}

// Secret is an AWS::SecretsManager::Secret.
type Secret struct {
	Pos       Pos
	LogicalID string
	Name      string // Name, or the logical id
	ARN       string
	// Value is SecretString; it is "" where Generate is set.
	Value    string
	Generate *GenerateSecretString
	Empty    bool // neither is given: the secret has no version until one is put
}

// GenerateSecretString tells how a secret's first value is made.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-secret-generatesecretstring.html
type GenerateSecretString struct {
	PasswordLength          int // 32 unless given, at most 4096
	ExcludeCharacters       string
	ExcludeLowercase        bool
	ExcludeUppercase        bool
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	IncludeSpace            bool
	RequireEachIncludedType bool // true unless given
	SecretStringTemplate    string
	GenerateStringKey       string
}

// Schedule is a function's Schedule or ScheduleV2 event.
type Schedule struct {
	Pos         Pos
	Name        string // the Name given, or function id + event id, as SAM names it
	FunctionID  string // logical id of the function
	EventID     string // the event's name in the function's Events
	FunctionARN string
	V2          bool   // EventBridge Scheduler; else an EventBridge rule
	Expression  string // rate(…), cron(…) or at(…)
	Timezone    string // "" is UTC
	Input       string // replaces the event if not ""
	Enabled     bool
}

// EventSource is a function's DynamoDB event, or an
// AWS::Lambda::EventSourceMapping of the stream of a table.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
type EventSource struct {
	Pos         Pos
	Name        string // function id + event id, as SAM names it, or the logical id
	FunctionARN string
	Table       string // name of the table
	Enabled     bool
	Latest      bool          // StartingPosition: LATEST; else TRIM_HORIZON
	BatchSize   int           // records, 1 to 10,000; 100 unless given
	Window      time.Duration // MaximumBatchingWindowInSeconds, at most 300 s; 0 unless given
	Bisect      bool          // BisectBatchOnFunctionError
	MaxRetries  int           // MaximumRetryAttempts; negative is without limit, which is the default
	MaxAge      time.Duration // MaximumRecordAgeInSeconds, 60 s to 7 days, the default
	// ReportFailures: the function's answer says which records have failed.
	ReportFailures bool
	Filters        []string // patterns, of which one has to match if there are any
}

// Output is one of the template's outputs, resolved.
type Output struct {
	Name        string
	Description string
	Value       string
}
