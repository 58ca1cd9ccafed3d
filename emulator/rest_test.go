package emulator_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator"
)

const shop = "testdata/shop/template.yaml"

// TestRESTApplication runs an application with REST APIs and processes of its
// own.
func TestRESTApplication(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: shop})
	do := func(method, url, body, token string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", token)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(b)
	}
	const list = "GET /items of /items at /Prod/items: map[], <nil>, <nil>, "
	for _, tt := range []struct {
		method, path, body, token string
		status                    int
		want                      string
	}{
		{"GET", "/Prod/items", "", "", 200, list},
		{"GET", "/items", "", "", 403, `{"message":"Missing Authentication Token"}`}, // without a stage it is the first API's
		{"POST", "/Prod/items/7", "two", "customer ann", 200, "POST /items/7 of /items/{id} at /Prod/items/7: map[id:7], ann, 5, two"},
		{"POST", "/Prod/items/7", "two", "", 401, `{"message":"Unauthorized"}`},
		{"POST", "/Prod/items/7", "two", "ann", 401, `{"message":"Unauthorized"}`},
		{"POST", "/Prod/items/7", "two", "customer banned", 403,
			`{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`},
		{"PUT", "/Prod/items", "", "", 403, `{"message":"Missing Authentication Token"}`},
		{"GET", "/Prod/fails", "", "", 502, `{"message": "Internal server error"}`},
		{"OPTIONS", "/Prod/items/7", "", "", 200, "{}\n"},
		{"GET", "/office/desks", "", "customer ann", 200, "GET /desks of /desks at /office/desks: map[], ann, 5, 7"},
		{"GET", "/desks", "", "customer ann", 200, "GET /desks of /desks at /office/desks: map[], ann, 5, 7"},
		{"OPTIONS", "/office/desks", "", "", 401, `{"message":"Unauthorized"}`},
	} {
		if res, body := do(tt.method, e.URL()+tt.path, tt.body, tt.token); res.StatusCode != tt.status || body != tt.want {
			t.Errorf("%s %s: got %d %s, want %d %s", tt.method, tt.path, res.StatusCode, body, tt.status, tt.want)
		}
	}
	res, _ := do("GET", e.URL()+"/Prod/office", "", "")
	if got, want := res.Header.Get("Location"), e.URL()+"/office/desks"; got != want {
		t.Errorf("an address that the template builds: got %s, want %s", got, want)
	}
	e.Advance(time.Minute) // the authorizer is asked again
	if res, _ := do("GET", e.URL()+"/office/desks", "", "customer ann"); res.StatusCode != 200 {
		t.Errorf("got %s", res.Status)
	}

	var described bytes.Buffer
	e.Describe(&described)
	text := regexp.MustCompile(` +`).ReplaceAllString(described.String(), " ")
	for _, want := range []string{
		"REST API Office " + e.URL() + "/office/\n GET /desks ItemsFunction, authorized by GateFunction\n OPTIONS /desks Cors, authorized by GateFunction\n",
		"REST API ServerlessRestApi " + e.URL() + "/Prod/\n GET /items ItemsFunction\n POST /items/{id} ItemsFunction, authorized by GateFunction\n",
		"Output ItemsUrl " + e.URL() + "/Prod/items\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("Describe lacks %q:\n%s", want, text)
		}
	}
}

// TestRESTEventsKeepTheSpellingOfHeaders sends several requests over a connection.
func TestRESTEventsKeepTheSpellingOfHeaders(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: shop, Handlers: map[string]func() awslambda.Handler{
		"GateFunction": handler(func() error { return nil }),
		"ItemsFunction": handler(func(r events.APIGatewayProxyRequest) (map[string]any, error) {
			for name, value := range r.Headers {
				if r.MultiValueHeaders[name][0] != value {
					return nil, fmt.Errorf("%s differs", name)
				}
			}
			return map[string]any{"body": strings.Join(slices.Sorted(maps.Keys(r.Headers)), " ")}, nil
		}),
	}})
	nc, err := net.Dial("tcp", strings.TrimPrefix(e.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(nc)
	const added = "X-Amzn-Trace-Id X-Forwarded-For X-Forwarded-Port X-Forwarded-Proto"
	for headers, want := range map[string]string{
		"HOST: h\r\naccept: */*\r\nX-MiXed: b\r\nx-amzn-trace-id: Root=1\r\n": "HOST " + added + " X-MiXed accept",
		"Host: h\r\nUser-agent: u\r\nte: trailers\r\nx-mixed: b\r\n":          "Host User-agent " + added + " x-mixed",
	} {
		io.WriteString(nc, "GET /Prod/items HTTP/1.1\r\n"+headers+"\r\n")
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(res.Body); string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
