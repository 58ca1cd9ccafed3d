package apigw

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/template"
)

func TestRESTPaths(t *testing.T) {
	t.Parallel()
	f := start(t, restStack("ANY /", "ANY /{proxy+}"), nil)
	for n, tt := range []struct{ sent, path, contextPath, resource, proxy string }{
		{"/test", "/", "/test/", "/", ""},
		{"/test/", "/", "/test/", "/", ""},
		{"/", "/", "/test/", "/", ""},
		{"/test/a", "/a", "/test/a", "/{proxy+}", "a"},
		{"/test/a/", "/a/", "/test/a/", "/{proxy+}", "a"},
		{"/test//a", "/a", "/test//a", "/{proxy+}", "a"},
		{"/a/b", "/a/b", "/test/a/b", "/{proxy+}", "a/b"},
		{"/test/u/a%2Bb@c.example/a+b", "/u/a%2Bb@c.example/a+b", "/test/u/a%2Bb@c.example/a+b", "/{proxy+}", "u/a%2Bb@c.example/a+b"},
	} {
		f.request("GET", tt.sent, "")
		name := map[string]string{"/": "ANY /", "/{proxy+}": "ANY /{proxy+}"}[tt.resource]
		var ev httpEventV1
		if tt.resource == "/" {
			ev = f.restEvent(name, n)
		} else {
			ev = f.restEvent(name, n-3)
		}
		if ev.Path != tt.path || ev.RequestContext.Path != tt.contextPath || ev.Resource != tt.resource || ev.PathParameters["proxy"] != tt.proxy {
			t.Errorf("%s: got %s, %s, %s, %v", tt.sent, ev.Path, ev.RequestContext.Path, ev.Resource, ev.PathParameters)
		}
	}
}

func TestRESTRoutesAreATree(t *testing.T) {
	t.Parallel()
	root, err := newRESTResources(restStack("GET /a", "ANY /a", "GET /a/b", "GET /{v}", "GET /{v}/c", "POST /a/{p+}", "ANY /{p+}",
		"GET /only/below/here", "GET /~x").RESTAPIs[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, path, want, params string }{
		{"GET", "/", "", "{}"},
		{"GET", "/a", "GET /a", "{}"},
		{"PUT", "/a", "ANY /a", "{}"},
		{"GET", "/a/", "GET /a", "{}"},
		{"GET", "/a/b", "GET /a/b", "{}"},
		{"POST", "/a/b", "", "{}"}, // the resource is found, its method is not
		{"GET", "/x", "GET /{v}", `{"v":"x"}`},
		{"GET", "/x/c", "GET /{v}/c", `{"v":"x"}`},
		{"GET", "/a/c", "", `{"p":"c"}`},
		{"POST", "/a/c/d", "POST /a/{p+}", `{"p":"c/d"}`},
		{"GET", "/x/d", "ANY /{p+}", `{"p":"x/d"}`},
		{"GET", "/only/below", "ANY /{p+}", `{"p":"only/below"}`},
		{"GET", "/only/below/here", "GET /only/below/here", "{}"},
		{"GET", "/%7Ex", "GET /~x", "{}"},
		{"GET", "/x//c", "ANY /{p+}", `{"p":"x//c"}`},
		{"GET", "/%zz", "GET /{v}", `{"v":"%zz"}`},
	} {
		got := ""
		r, params := root.find(tt.path)
		if r != nil {
			if route := r.method(tt.method); route != nil {
				got = route.FunctionARN
			}
		}
		if got != tt.want || string(encode(params)) != tt.params {
			t.Errorf("%s %s: got %q %s, want %q %s", tt.method, tt.path, got, encode(params), tt.want, tt.params)
		}
	}
}

func TestRESTRoutesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, want string }{
		{"GET x", "must start with /"}, {"GET /{a+}/b", `"{a+}" must be the last part`},
		{"GET /{a", `"{a" is no path parameter`}, {"GET /{+}", `"{+}" is no path parameter`},
		{"GET /{w}", "a resource takes only one variable: v or w"},
	} {
		if _, err := newRESTResources(restStack("GET /{v}", tt.key).RESTAPIs[0]); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.key, err, tt.want)
		}
	}
}

func TestRESTMethodNotOfTheResourceIs403(t *testing.T) {
	t.Parallel()
	f := start(t, restStack("GET /x", "ANY /{p+}"), nil)
	if resp, body := f.request("POST", "/test/x", ""); resp.StatusCode != 403 || body != `{"message":"Missing Authentication Token"}` {
		t.Errorf("got %s %s", resp.Status, body)
	}
}

func TestRESTAPIsAreRoutedByHostAndPath(t *testing.T) {
	t.Parallel()
	stack := restStack("ANY /", "ANY /{p+}")
	stack.WebSocketAPIs = socketStack("$default").WebSocketAPIs // of stage test too
	second := *stack.RESTAPIs[0]
	second.LogicalID, second.ID, second.Stage = "Second", "second", "live"
	second.Routes = []*template.RESTRoute{{Method: "GET", Path: "/x", FunctionARN: "second", Timeout: time.Second}}
	stack.RESTAPIs = append(stack.RESTAPIs, &second)
	fns := functions{}
	for _, name := range []string{"ANY /", "ANY /{p+}", "second"} {
		fns[name] = func(_ context.Context, event []byte) ([]byte, error) {
			var ev httpEventV1
			json.Unmarshal(event, &ev)
			return encode(map[string]string{"body": name + " " + ev.RequestContext.Path}), nil
		}
	}
	options := func(c *Config) { c.Map = map[string]string{"/ws": "Socket"} }
	f := start(t, stack, fns, options)
	for _, tt := range []struct {
		host, path string
		status     int
		body       string
	}{
		{"", "/live/x", 200, "second /live/x"},
		{"second.execute-api.localhost:1", "/live/x", 200, "second /live/x"},
		{"second.execute-api.localhost:1", "/x", 403, `{"message":"Forbidden"}`},
		{"", "/test/x", 200, "ANY /{p+} /test/x"},
		{"", "/test", 426, `{"message":"Upgrade Required"}`}, // the WebSocket API's
		{"rest.execute-api.localhost", "/test", 200, "ANY / /test/"},
		{"", "/ws", 426, `{"message":"Upgrade Required"}`},
		{"", "/", 200, "ANY / /test/"}, // without its stage
		{"", "/y", 200, "ANY /{p+} /test/y"},
		{"", "/live/@connections/" + unknownID, 403, `{"message":"Forbidden"}`},
	} {
		if resp, body := f.request("GET", tt.path, "", "Host", tt.host); resp.StatusCode != tt.status || body != tt.body {
			t.Errorf("%s%s: got %s %s, want %d %s", tt.host, tt.path, resp.Status, body, tt.status, tt.body)
		}
	}
	_, port, _ := strings.Cut(f.host, ":")
	if got, want := f.restEvent("ANY /", 0).RequestContext.DomainName, "rest.execute-api.localhost:"+port; got != want {
		t.Errorf("got %s, want %s, since the stage is the WebSocket API's too", got, want)
	}
	if got := f.restEvent("second", 0).RequestContext.DomainName; got != f.host {
		t.Errorf("got %s, want %s", got, f.host)
	}

	stack.HTTPAPIs = httpStack("$default").HTTPAPIs
	f = start(t, stack, functions{"$default": respond(`"http"`), "second": fns["second"]}, options)
	for path, want := range map[string]string{"/y": "http", "/live/x": "second /live/x"} {
		if _, body := f.request("GET", path, ""); body != want {
			t.Errorf("%s beside an HTTP API: got %s, want %s", path, body, want)
		}
	}

	stack.HTTPAPIs[0].Stage = "live"
	f = start(t, stack, functions{"$default": respond(`"http"`), "second": fns["second"]}, options)
	for host, want := range map[string]string{"": "http", "second.execute-api.localhost": "second /live/x"} {
		if _, body := f.request("GET", "/live/x", "", "Host", host); body != want {
			t.Errorf("the stage of an HTTP API at %q: got %s, want %s", host, body, want)
		}
	}
	if got := Hosts(stack, f.host)["second"]; !strings.HasPrefix(got, "second.execute-api.localhost:") {
		t.Errorf("got the host %s", got)
	}
}

func TestPathsOfRESTRoutesAreNotMapped(t *testing.T) {
	t.Parallel()
	for path, refused := range map[string]bool{"/test/x": true, "/x": true, "/test/y": false, "/test": false} {
		stack := restStack("GET /x")
		stack.WebSocketAPIs = socketStack("$default").WebSocketAPIs
		_, err := New(Config{Stack: stack, Clock: clock.New(), Authority: "127.0.0.1:1", Map: map[string]string{path: "Socket"}})
		if got := err != nil && strings.Contains(err.Error(), "it would hide the route GET /x"); got != refused {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// FuzzRESTPaths holds that variables are what stands in their places, whatever
// the path.
func FuzzRESTPaths(f *testing.F) {
	root, err := newRESTResources(restStack("GET /a", "GET /a/{v}/b", "GET /{v}", "GET /a/b/{p+}", "GET /{p+}").RESTAPIs[0])
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range []string{"/", "/a", "/a/x/b", "/a//b", "/%61", "/a/b/c/d/", "//", "/%2F/x", "/é/{v}"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		want, err := url.PathUnescape("/" + strings.Trim(path, "/"))
		if err != nil {
			t.Skip("it cannot be decoded as a whole")
		}
		r, params := root.find(path)
		if r == nil {
			if want != "/" {
				t.Fatalf("%q: no resource", path)
			}
			return
		}
		parts := strings.Split(r.path, "/")
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, "{"); ok {
				parts[i] = params[strings.Trim(name, "+}")]
			}
		}
		if got := unescapePart(strings.Join(parts, "/")); got != want {
			t.Errorf("%q: got %q for %s, want %q", path, got, r.path, want)
		}
	})
}
