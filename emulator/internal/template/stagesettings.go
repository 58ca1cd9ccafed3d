package template

import (
	"regexp"
	"strings"
)

// StageSettings are those settings of a stage that all kinds of API have.
type StageSettings struct {
	AccessLog *AccessLog // nil if there is none
}

// AccessLog is the AccessLogSettings of a stage.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-apigatewayv2-stage-accesslogsettings.html
type AccessLog struct {
	DestinationARN string // of a log group
	// Format is one line, without its end, in which $context variables stand. One
	// of them is the request's id.
	Format string
}

// stageSettings reads the settings of a stage of an HTTP or WebSocket API.
func stageSettings(p *props) StageSettings {
	return StageSettings{AccessLog: accessLog(p, "AccessLogSettings")}
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
	l := &AccessLog{DestinationARN: o.required("DestinationArn"), Format: strings.TrimRight(o.required("Format"), "\r\n")}
	if l.DestinationARN != "" && !logGroupARN.MatchString(l.DestinationARN) {
		o.bad("DestinationArn", "is %s; give the ARN of a log group, such as !GetAtt Logs.Arn", quoted(l.DestinationARN))
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
