// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html

package apigw

import (
	"net/http"
	"strconv"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// cors adds the headers that CorsConfiguration asks for to the answer. If the
// request is a preflight it also answers it, and returns true: no function is
// called, even if a route matches. But one that a route with an authorizer
// matches, as $default and ANY do, has to pass that. Without an Origin, or with
// one that is not allowed, there are no headers.
func (a *httpAPI) cors(w http.ResponseWriter, r *http.Request, route *template.HTTPRoute) (answered bool) {
	c, h := a.def.CORS, w.Header()
	preflight := isPreflight(r)
	if origin := allowedOrigin(c.AllowOrigins, r.Header.Get("Origin")); origin != "" {
		h["Access-Control-Allow-Origin"] = []string{origin}
		if origin != "*" {
			h["Vary"] = []string{"Origin"}
		}
		if c.AllowCredentials {
			h["Access-Control-Allow-Credentials"] = []string{"true"}
		}
		if len(c.ExposeHeaders) > 0 {
			h["Access-Control-Expose-Headers"] = []string{strings.Join(c.ExposeHeaders, ",")}
		}
		if preflight && len(c.AllowMethods) > 0 {
			h["Access-Control-Allow-Methods"] = []string{strings.Join(c.AllowMethods, ",")}
		}
		if preflight && len(c.AllowHeaders) > 0 {
			h["Access-Control-Allow-Headers"] = []string{strings.Join(c.AllowHeaders, ",")}
		}
		if preflight && c.MaxAge >= 0 {
			h["Access-Control-Max-Age"] = []string{strconv.Itoa(c.MaxAge)}
		}
	}
	if !preflight || route != nil && route.Authorizer != nil {
		return false
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// isPreflight says whether a browser asks if it may send another request.
// https://fetch.spec.whatwg.org/#cors-preflight-request
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header["Origin"] != nil && r.Header["Access-Control-Request-Method"] != nil
}

// allowedOrigin returns what Access-Control-Allow-Origin says to an origin: "*",
// the origin, or "" if it is none or not allowed. Besides "*" the service knows
// "https://*" and "http://*".
func allowedOrigin(allowed []string, origin string) string {
	if origin == "" {
		return ""
	}
	for _, o := range allowed {
		if o == "*" {
			return "*"
		}
		if prefix, ok := strings.CutSuffix(o, "*"); o == origin || ok && strings.HasPrefix(origin, prefix) {
			return origin
		}
	}
	return ""
}
