package template

import (
	"slices"
	"strings"
	"time"
)

// Properties of mappings, by SAM and by CloudFormation: they differ in two names.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-dynamodb.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-eventsourcemapping.html
var (
	mappingRead = []string{"BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "Enabled", "FilterCriteria",
		"FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts",
		"ParallelizationFactor", "StartingPosition"}
	mappingSilent = []string{"KmsKeyArn", "LoggingConfig", "MetricsConfig", "Tags"}
	mappingNoted  = []string{"StartingPositionTimestamp", "TumblingWindowInSeconds"}
	// mappingOthers are those that streams of tables do not take.
	mappingOthers = []string{"AmazonManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "ProvisionedPollerConfig", "Queues",
		"ScalingConfig", "SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations", "Topics"}
)

// Limits of a mapping.
const (
	maxBatch     = 10_000
	maxWindow    = 300           // seconds
	leastAge     = 60            // seconds
	maxAge       = 7 * 24 * 3600 // seconds
	maxAttempts  = 10_000
	maxFilters   = 10 // five, without an increase of the quota
	maxPattern   = 4096
	maxParallels = 10
)

// dynamoDBEvent reads a DynamoDB event of a function.
func (l *loader) dynamoDBEvent(f *Function, id string, p *props) {
	p.known(append([]string{"Stream"}, mappingRead...), mappingSilent, mappingNoted)
	if table, ok := l.streamOf(p, "Stream"); ok {
		l.eventSource(p, EventSource{Name: f.LogicalID + id, FunctionARN: f.ARN, Table: table})
	}
}

// eventSourceMapping reads an AWS::Lambda::EventSourceMapping if it is one of a
// stream of a table.
func (l *loader) eventSourceMapping(res *resource) {
	p := l.properties(res)
	source := p.str("EventSourceArn")
	if parts := strings.Split(source, ":"); p.has("SelfManagedEventSource") || source != "" && (len(parts) < 3 || parts[2] != "dynamodb") {
		l.notef(res.line, res.id, "%s of another source than a table's stream", res.typ)
		return
	}
	p.known(append([]string{"EventSourceArn", "FunctionName"}, mappingRead...), mappingSilent, mappingNoted)
	for _, name := range mappingOthers {
		if p.has(name) {
			p.bad(name, "is not for a table's stream; leave it out")
		}
	}
	function := p.required("FunctionName")
	if function != "" && !strings.HasPrefix(function, "arn:") {
		function = l.arn("lambda", "function:"+function)
	}
	function = l.knownFunction(p, "FunctionName", function)
	if table, ok := l.streamOf(p, "EventSourceArn"); ok && function != "" {
		l.eventSource(p, EventSource{Name: res.id, FunctionARN: function, Table: table})
	}
}

// streamOf finds the table whose stream a property names.
func (l *loader) streamOf(p *props, name string) (table string, ok bool) {
	written := p.required(name)
	if written == "" {
		return "", false
	}
	for _, res := range l.present {
		if res.typ == typeTable && l.attributes(res)["StreamArn"] == written {
			return l.name(res), true
		}
	}
	p.bad(name, "is %s, which is no stream of a table of this template; use !GetAtt Table.StreamArn", quoted(written))
	return "", false
}

// eventSource reads what both forms have in common.
func (l *loader) eventSource(p *props, s EventSource) {
	s.Pos = l.pos(p.line)
	s.Enabled = p.truth("Enabled", true)
	s.BatchSize = p.number("BatchSize", 100, 1, maxBatch)
	s.Window = p.duration("MaximumBatchingWindowInSeconds", time.Second, 0, 0, maxWindow)
	s.Bisect = p.truth("BisectBatchOnFunctionError", false)
	s.MaxRetries = p.number("MaximumRetryAttempts", -1, -1, maxAttempts)
	s.MaxAge = maxAge * time.Second
	if age := p.number("MaximumRecordAgeInSeconds", -1, -1, maxAge); age >= leastAge {
		s.MaxAge = time.Duration(age) * time.Second
	} else if age >= 0 {
		p.bad("MaximumRecordAgeInSeconds", "is %d; give -1 or a number from %d to %d", age, leastAge, maxAge)
	}
	if p.required("StartingPosition") != "" {
		s.Latest = p.oneOf("StartingPosition", "TRIM_HORIZON", "LATEST") == "LATEST"
	}
	types := p.strings("FunctionResponseTypes")
	s.ReportFailures = len(types) > 0
	if i := slices.IndexFunc(types, func(t string) bool { return t != "ReportBatchItemFailures" }); i >= 0 {
		p.bad("FunctionResponseTypes", "has %s; there is only ReportBatchItemFailures", quoted(types[i]))
	}
	if n := p.number("ParallelizationFactor", 1, 1, maxParallels); n > 1 {
		p.notef(p.lineOf("ParallelizationFactor"), p.at, "property %sParallelizationFactor: batches go one after the other", p.path)
	}
	s.Filters = filters(p.object("FilterCriteria"))
	l.discarded(p.object("DestinationConfig"))
	l.stack.EventSources = append(l.stack.EventSources, &s)
}

// filters reads the patterns of a FilterCriteria. What stands in them is checked
// where they are used.
func filters(p *props) (patterns []string) {
	p.known([]string{"Filters"}, nil, nil)
	for _, item := range p.list("Filters") {
		pattern, ok := item.get("Pattern").scalar()
		switch {
		case item.kind == broken:
		case !ok:
			p.errorf(item.line, p.at, "%sFilters must hold maps with a Pattern that is a string, such as '{\"eventName\": [\"INSERT\"]}'", p.path)
		case len(pattern) > maxPattern:
			p.errorf(item.line, p.at, "%sFilters has a Pattern of %d characters; Lambda takes %d", p.path, len(pattern), maxPattern)
		default:
			patterns = append(patterns, pattern)
		}
	}
	if len(patterns) > maxFilters {
		p.bad("Filters", "are %d; give at most %d", len(patterns), maxFilters)
	}
	return patterns
}

// discarded notes where records go that are given up: to a queue, a topic or a
// bucket, none of which is emulated. AWS takes no function here.
func (l *loader) discarded(p *props) {
	p.known([]string{"OnFailure"}, nil, nil)
	d := p.object("OnFailure")
	if d.n == nil {
		return
	}
	d.known([]string{"Destination", "Type"}, nil, nil)
	if arn := d.required("Destination"); strings.HasPrefix(arn, "arn:aws:lambda:") {
		d.bad("Destination", "is a function, which Lambda refuses for a stream; name an SQS queue, an SNS topic or an S3 bucket")
		return
	}
	p.notef(d.line, p.at, "property %sOnFailure: records that are given up are logged", p.path)
}
