package emulator_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator"
)

// TestHostsOfServices refuses a web page whose name has been made to point to
// this machine, and no client that somebody has set up.
func TestHostsOfServices(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{
		Template: write(t, `
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: h
      Runtime: provided.al2023
      Environment: {Variables: {AWS_ENDPOINT_URL_DYNAMODB: "http://dev.example.com:8082", HOME_PAGE: "http://www.example.com"}}
`),
		AWSAddr:  "localhost:0",
		Handlers: map[string]func() awslambda.Handler{"Fn": func() awslambda.Handler { return awslambda.NewHandler(func() {}) }},
	})
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		own + ":8082":               200, // even with a dot
		"127.0.0.1:8082":            200,
		"192.168.1.7":               200,
		"[::1]:8082":                200,
		"localhost:8082":            200,
		"LOCALHOST.":                200,
		"dynamodb.localhost:8082":   200,
		"host.docker.internal:8082": 200,
		"emulator:8082":             200, // a container's name
		"dev.example.com:8082":      200, // of the environment
		"www.example.com":           403,
		"rebound.example:8082":      403,
		"evil.localhost.example":    403,
		"127.0.0.1.evil.example":    403,
		"notinternal.com":           403,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.AWSURL()+"/2015-03-31/functions", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != want {
			t.Errorf("%s: got %d %s, want %d", host, res.StatusCode, body, want)
		}
		if want == 403 && (!strings.Contains(string(body), "-aws-addr") || strings.Contains(string(body), "HOME_PAGE")) {
			t.Errorf("%s: got %s", host, body)
		}
	}
}
