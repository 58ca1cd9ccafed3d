package template

import (
	"regexp"
	"slices"
	"strings"
)

// StageSettings are those settings of a stage that all kinds of API have.
type StageSettings struct {
	AccessLog *AccessLog // nil if there is none
	// DefaultThrottle holds for every route, as far as Throttles, by route key, say
	// nothing else; nil if there is none.
	DefaultThrottle *Throttle
	Throttles       map[string]Throttle
}

// Throttle says how often clients may call a route of a stage.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-apigatewayv2-stage-routesettings.html
type Throttle struct {
	Rate  float64 // requests per second; negative if not given
	Burst int     // requests at once; negative if not given
}

// AccessLog is the AccessLogSettings of a stage.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-apigatewayv2-stage-accesslogsettings.html
type AccessLog struct {
	// Format is one line, without its end, in which $context variables stand. One
	// of them is the request's id.
	Format string
}

// stageSettings reads the settings of a stage of an HTTP or WebSocket API, whose
// logical id it takes: "" if the stage is of none.
func (l *loader) stageSettings(p *props, api string) StageSettings {
	s := StageSettings{AccessLog: accessLog(p, "AccessLogSettings")}
	if t := throttle(p.object("DefaultRouteSettings")); t.Rate >= 0 || t.Burst >= 0 {
		s.DefaultThrottle = &t
	}
	routes := p.object("RouteSettings")
	for _, key := range routes.names() {
		s.throttle(key, throttle(routes.object(key)))
		if api != "" {
			l.throttled = append(l.throttled, throttledRoute{api, key, p.at, routes.lineOf(key)})
		}
	}
	return s
}

func (s *StageSettings) throttle(key string, t Throttle) {
	if s.Throttles == nil {
		s.Throttles = map[string]Throttle{}
	}
	s.Throttles[key] = t
}

// throttledRoute is a route that the settings of a stage name.
type throttledRoute struct {
	api, key string
	at       string // the resource of the settings
	line     int
}

// checkThrottles refuses throttles of routes that there are not, as API Gateway
// does.
func (l *loader) checkThrottles() {
	for _, r := range l.throttled {
		props := l.resources[r.api].props
		if !l.hasRoute(r.api, r.key) && !slices.ContainsFunc(routeDocuments, func(name string) bool { return props.get(name) != nil }) {
			l.errorf(r.line, r.at, "RouteSettings has %s, which is no route of %s", quoted(r.key), r.api)
		}
	}
}

func (l *loader) hasRoute(api, key string) bool {
	for _, a := range l.stack.HTTPAPIs {
		if a.LogicalID == api && slices.ContainsFunc(a.Routes, func(r *HTTPRoute) bool { return r.Key == key }) {
			return true
		}
	}
	for _, a := range l.stack.WebSocketAPIs {
		if a.LogicalID == api && a.Routes[key] != nil {
			return true
		}
	}
	return l.unreadRoutes[[2]string{api, key}]
}

// routeDocuments are the properties of APIs that have routes which are not read.
var routeDocuments = []string{"Body", "BodyS3Location", "DefinitionBody", "DefinitionUri"}

// The most that throttles may be; it is above any account's limit.
const maxThrottle = 1_000_000_000

// throttle reads the settings of a route, of which those about logs and metrics
// change nothing here.
func throttle(o *props) Throttle {
	o.known([]string{"ThrottlingBurstLimit", "ThrottlingRateLimit"}, []string{"DataTraceEnabled", "DetailedMetricsEnabled", "LoggingLevel"}, nil)
	return throttleOf(o)
}

func throttleOf(o *props) Throttle {
	return Throttle{
		Rate:  o.decimal("ThrottlingRateLimit", -1, 0, maxThrottle),
		Burst: o.number("ThrottlingBurstLimit", -1, 0, maxThrottle),
	}
}

var (
	logGroupARN = regexp.MustCompile(`^arn:[^:]+:logs:[^:]*:[^:]*:log-group:[^:]+(:\*)?$`)
	logsRequest = regexp.MustCompile(`\$context\.(extendedR|r)equestId\b`)
)

// accessLog reads the settings of an access log from a property.
func accessLog(p *props, name string) *AccessLog {
	o := p.object(name)
	if o.n == nil {
		return nil
	}
	o.known([]string{"DestinationArn", "Format"}, nil, nil)
	l := &AccessLog{Format: strings.TrimRight(o.required("Format"), "\r\n")}
	if arn := o.required("DestinationArn"); arn != "" && !logGroupARN.MatchString(arn) {
		o.bad("DestinationArn", "is %s; give the ARN of a log group, such as !GetAtt Logs.Arn", quoted(arn))
	}
	switch {
	case l.Format == "":
	case strings.ContainsAny(l.Format, "\r\n"):
		o.bad("Format", "has several lines; give one, in YAML behind >-")
	case !logsRequest.MatchString(l.Format):
		o.bad("Format", "must have $context.requestId or $context.extendedRequestId; add one")
	}
	return l
}
