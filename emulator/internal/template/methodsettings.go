package template

import (
	"slices"
	"strings"
)

// Properties of the MethodSettings of an AWS::Serverless::Api.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-apigateway-stage-methodsetting.html
var (
	methodSettingRead = []string{"HttpMethod", "ResourcePath", "ThrottlingBurstLimit", "ThrottlingRateLimit"}
	// Those about logs and metrics change nothing here, nor how a cache is kept
	// that there is not.
	methodSettingSilent = []string{"CacheDataEncrypted", "CacheTtlInSeconds", "DataTraceEnabled", "LoggingLevel", "MetricsEnabled"}
	methodSettingNoted  = []string{"CachingEnabled"}
)

// methodSettings reads the throttles of an API, to be checked when its routes are
// known.
func (l *loader) methodSettings(api *RESTAPI, p *props) {
	for _, o := range p.objects("MethodSettings") {
		o.known(methodSettingRead, methodSettingSilent, methodSettingNoted)
		method, path := strings.ToUpper(o.required("HttpMethod")), o.required("ResourcePath")
		t := throttleOf(o)
		if method == "" || path == "" || t.Rate < 0 && t.Burst < 0 {
			continue
		}
		// A slash may be written as in a JSON pointer.
		path = "/" + strings.Trim(strings.ReplaceAll(path, "~1", "/"), "/")
		key := method + " " + path
		switch {
		case key == "* /*":
			api.DefaultThrottle = &t
		case method != "*" && !slices.Contains(httpMethods, method):
			o.bad("HttpMethod", "is %s; give one of %s, or * with the ResourcePath /*", quoted(method), strings.Join(httpMethods, ", "))
		case method == "*" || path == "/*":
			l.notef(o.line, o.at, "throttles of %s: on AWS too, they are of one method of one path, or of * and /*", quoted(key))
		default:
			api.throttle(key, t)
			l.throttledMethods = append(l.throttledMethods, throttledRoute{api.LogicalID, key, o.at, o.line})
		}
	}
}

// checkMethodSettings notes the throttles of methods that there are not: what the
// service makes of them is not documented.
func (l *loader) checkMethodSettings() {
	for _, t := range l.throttledMethods {
		known := slices.ContainsFunc(l.stack.RESTAPIs, func(a *RESTAPI) bool {
			return a.LogicalID == t.api && slices.ContainsFunc(a.Routes, func(r *RESTRoute) bool { return r.Key() == t.key })
		})
		if !known {
			l.notef(t.line, t.at, "throttles of %s, which is no route of %s", quoted(t.key), t.api)
		}
	}
}
