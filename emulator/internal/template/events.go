package template

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// The event types that are emulated.
const (
	eventAPI        = "Api"
	eventDynamoDB   = "DynamoDB"
	eventHTTPAPI    = "HttpApi"
	eventSchedule   = "Schedule"
	eventScheduleV2 = "ScheduleV2"
)

var eventTypes = []string{"AlexaSkill", eventAPI, "CloudWatchEvent", "CloudWatchLogs", "Cognito", "DocumentDB",
	eventDynamoDB, "EventBridgeRule", eventHTTPAPI, "IoTRule", "Kinesis", "MQ", "MSK", "S3", eventSchedule,
	eventScheduleV2, "SNS", "SQS", "SelfManagedKafka"}

// events reads what invokes a function.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
func (l *loader) events(f *Function, events *props) {
	for _, id := range events.names() {
		e := events.object(id)
		if e.n == nil {
			continue
		}
		e.known([]string{"Properties", "Type"}, nil, nil)
		p := e.object("Properties")
		p.line = e.line
		switch typ := e.required("Type"); typ {
		case eventHTTPAPI:
			l.httpEvents = append(l.httpEvents, httpEvent{f, p, events.lineOf(id)})
		case eventAPI:
			l.restEvents = append(l.restEvents, httpEvent{f, p, events.lineOf(id)})
		case eventSchedule, eventScheduleV2:
			l.schedule(f, id, p, typ == eventScheduleV2)
		case eventDynamoDB:
			l.dynamoDBEvent(f, id, p)
		case "":
		default:
			if !slices.Contains(eventTypes, typ) {
				hint := didYouMean(typ, eventTypes)
				if typ == "WebSocket" {
					hint = "; the routes of a WebSocket API stand in " + typeWebSocketAPI
				}
				e.bad("Type", "%s is no type of event%s", quoted(typ), hint)
				continue
			}
			l.notef(events.lineOf(id), f.LogicalID, "event %s of type %s", id, typ)
		}
	}
}

// Properties of the two kinds of schedule.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-schedule.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-schedulev2.html
var (
	scheduleRead   = []string{"Enabled", "Input", "Name", "Schedule", "State"}
	scheduleV2Read = []string{"FlexibleTimeWindow", "Input", "Name", "ScheduleExpression",
		"ScheduleExpressionTimezone", "State"}
	scheduleSilent = []string{"Description", "KmsKeyArn", "OmitName", "PermissionsBoundary", "RetryPolicy", "RoleArn"}
	scheduleNoted  = []string{"DeadLetterConfig", "EndDate", "GroupName", "StartDate"}
)

// schedule reads a Schedule or ScheduleV2 event. The expression is checked
// where it is parsed, when the schedule starts.
func (l *loader) schedule(f *Function, id string, p *props, v2 bool) {
	s := &Schedule{
		Pos:         l.pos(p.line),
		Name:        p.strOr("Name", f.LogicalID+id),
		FunctionID:  f.LogicalID,
		EventID:     id,
		FunctionARN: f.ARN,
		V2:          v2,
		Input:       p.str("Input"),
		Enabled:     p.oneOf("State", "ENABLED", "DISABLED") == "ENABLED",
	}
	if v2 {
		p.known(scheduleV2Read, scheduleSilent, scheduleNoted)
		s.Expression = p.required("ScheduleExpression")
		s.Timezone = p.str("ScheduleExpressionTimezone")
		if w := p.object("FlexibleTimeWindow"); w.oneOf("Mode", "OFF", "FLEXIBLE") != "OFF" {
			p.notef(w.line, p.at, "property %sFlexibleTimeWindow: it fires on time", p.path)
		}
	} else {
		p.known(scheduleRead, scheduleSilent, scheduleNoted)
		s.Expression = p.required("Schedule")
		s.Enabled = s.Enabled && p.truth("Enabled", true)
	}
	// An attribute such as <aws.scheduler.attempt-number> may stand for a number.
	if s.Input != "" && !json.Valid([]byte(s.Input)) && !(v2 && strings.Contains(s.Input, "<aws.scheduler.")) {
		p.bad("Input", "must be JSON, such as '{\"key\":\"value\"}'")
	}
	l.stack.Schedules = append(l.stack.Schedules, s)
}

// httpEvent is an HttpApi or Api event that waits for its API to be read.
type httpEvent struct {
	function *Function
	props    *props
	line     int
}

const (
	httpTimeout      = 30_000 // milliseconds, the most and the default
	webSocketTimeout = 29_000
	leastTimeout     = 50
)

var (
	httpEventRead  = []string{"ApiId", "Auth", "Method", "Path", "PayloadFormatVersion", "RouteSettings", "TimeoutInMillis"}
	httpEventNoted = []string{"Stage"}
)

// linkRoutes gives each HttpApi event's route to its API.
func (l *loader) linkRoutes() {
	for _, e := range l.httpEvents {
		e.props.known(httpEventRead, nil, httpEventNoted)
		api := l.apiOf(e)
		route := &HTTPRoute{
			Pos:           l.pos(e.line),
			FunctionARN:   e.function.ARN,
			PayloadFormat: e.props.oneOf("PayloadFormatVersion", "2.0", "1.0"),
			Timeout:       e.props.duration("TimeoutInMillis", time.Millisecond, httpTimeout, leastTimeout, httpTimeout),
		}
		if !routeKey(route, e.props) || api == nil {
			continue
		}
		if e.props.has("RouteSettings") {
			api.throttle(route.Key, throttle(e.props.object("RouteSettings")))
		}
		l.httpAuths[api].apply(route, e.props.object("Auth"))
		l.addRoute(api, route, e.props.at)
	}
}

// addRoute gives a route to its API, which cannot have it already.
func (l *loader) addRoute(api *HTTPAPI, route *HTTPRoute, at string) {
	if i := slices.IndexFunc(api.Routes, func(r *HTTPRoute) bool { return r.Key == route.Key }); i >= 0 {
		l.twice(route.Pos, at, route.Key, api.LogicalID, api.Routes[i].Pos)
		return
	}
	api.Routes = append(api.Routes, route)
}

// twice reports a route that an API has already.
func (l *loader) twice(pos Pos, at, key, api string, first Pos) {
	l.errorf(pos.Line, at, "the route %s of %s is given twice, first in line %d", quoted(key), api, first.Line)
}

// apiOf finds the API an event belongs to.
func (l *loader) apiOf(e httpEvent) *HTTPAPI {
	id := e.props.strOr("ApiId", strings.ToLower(implicitAPI))
	for _, api := range l.stack.HTTPAPIs {
		if api.ID == id && l.resources[api.LogicalID].typ == typeHTTPAPI {
			return api
		}
	}
	if v := e.props.n.get("ApiId"); v == nil || v.kind != broken {
		e.props.bad("ApiId", "is %s, which is no HttpApi of this template; use !Ref", quoted(id))
	}
	return nil
}
