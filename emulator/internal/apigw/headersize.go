// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html

package apigw

import "net/http"

// Limits of what comes before a request's body.
const (
	maxHeaders   = 10240 // bytes of the headers' values; in HTTP APIs with the request line
	maxSocketURL = 4096  // characters
	maxRESTURL   = 10240 // characters, of regional endpoints
)

// requestLine is the size of the request line in bytes.
func requestLine(r *http.Request) int {
	return len(r.Method) + 1 + len(r.RequestURI) + 1 + len(r.Proto)
}

// headerValues is the size of the headers' values in bytes.
func headerValues(r *http.Request) int {
	n := len(r.Host)
	for _, values := range r.Header {
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}
