package functions

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

const testWebSocketURL = "wss://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod"

func pageEvent(t *testing.T, name string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	b, err := os.ReadFile("testdata/page_" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// askPage invokes the function with an event, as Lambda does.
func askPage(t *testing.T, webSocketURL string, event events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	h, err := Page(t.Context(), func(name string) string {
		return map[string]string{"WEBSOCKET_URL": webSocketURL}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.Invoke(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var r events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		event, contentType string
		status             int
		body               string // what the body begins with
		allow              string
	}{
		{"get", "text/html; charset=utf-8", 200, "<!doctype html>", ""},
		{"deep_link", "text/html; charset=utf-8", 200, "<!doctype html>", ""},
		{"head", "text/html; charset=utf-8", 200, "", ""},
		{"post", "application/json", 405, `{"error":"method not allowed"}`, "GET, HEAD"},
	} {
		t.Run(tt.event, func(t *testing.T) {
			t.Parallel()
			r := askPage(t, testWebSocketURL, pageEvent(t, tt.event))
			if r.StatusCode != tt.status {
				t.Errorf("got status %d, want %d", r.StatusCode, tt.status)
			}
			if got := r.Headers["Content-Type"]; got != tt.contentType {
				t.Errorf("got content type %q, want %q", got, tt.contentType)
			}
			if got := r.Headers["Allow"]; got != tt.allow {
				t.Errorf("got Allow %q, want %q", got, tt.allow)
			}
			if !strings.HasPrefix(r.Body, tt.body) || (tt.body == "" && r.Body != "") {
				t.Errorf("got body %.60q, want %q", r.Body, tt.body)
			}
		})
	}
}

func TestPageHeaders(t *testing.T) {
	t.Parallel()
	for _, event := range []string{"get", "head"} {
		got := askPage(t, testWebSocketURL, pageEvent(t, event)).Headers
		for name, want := range map[string]string{
			"Cache-Control":          "no-cache",
			"Referrer-Policy":        "no-referrer",
			"X-Content-Type-Options": "nosniff",
		} {
			if got[name] != want {
				t.Errorf("%s: got %s %q, want %q", event, name, got[name], want)
			}
		}
	}
}

// The browser runs a script only if its hash is in the policy: this is what it
// does to find out.
func TestPagePolicy(t *testing.T) {
	t.Parallel()
	r := askPage(t, testWebSocketURL, pageEvent(t, "get"))
	policy := map[string]string{}
	for directive := range strings.SplitSeq(r.Headers["Content-Security-Policy"], "; ") {
		name, value, _ := strings.Cut(directive, " ")
		policy[name] = value
	}
	inside := func(element string) string {
		m := regexp.MustCompile(`(?s)<`+element+`[^>]*>(.*?)</`+element+`>`).FindAllStringSubmatch(r.Body, -1)
		if len(m) != 1 || len(m[0][1]) < 1000 {
			t.Fatalf("got %d elements %s, want one that is filled", len(m), element)
		}
		return m[0][1]
	}
	want := map[string]string{
		"default-src":               "'none'",
		"script-src":                fmt.Sprintf("'sha256-%s'", cspHash(inside("script"))),
		"style-src":                 fmt.Sprintf("'sha256-%s'", cspHash(inside("style"))),
		"img-src":                   "data:",
		"connect-src":               "'self' wss://a1b2c3.execute-api.eu-west-1.amazonaws.com",
		"base-uri":                  "'none'",
		"form-action":               "'none'",
		"frame-ancestors":           "'none'",
		"require-trusted-types-for": "'script'",
	}
	if !maps.Equal(policy, want) {
		t.Errorf("got policy %v, want %v", policy, want)
	}
	// What the policy forbids and the page must therefore do without.
	if m := regexp.MustCompile(`(?i)\s(on[a-z]+|style)=["']|javascript:|<link[^>]+href="[^d]|\ssrc=`).FindString(r.Body); m != "" {
		t.Errorf("the page holds %q, which its policy forbids", m)
	}
	if strings.Contains(r.Body, "{{") {
		t.Error("a placeholder is left in the page")
	}
}

func TestPageWebSocketURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ url, source string }{
		{"wss://example.com/prod", " wss://example.com"},
		{"ws://127.0.0.1:8081/prod", " ws://127.0.0.1:8081"},
		{"ws://[::1]:8081/prod", " ws://[::1]:8081"},
		{"/ws/ticker", ""},
		{`wss://example.com/"><script>alert(1)</script>`, " wss://example.com"},
		{`/'"&<!--`, ""},
	} {
		r := askPage(t, tt.url, pageEvent(t, "get"))
		m := regexp.MustCompile(`<meta name="websocket-url" content="([^"]*)">`).FindStringSubmatch(r.Body)
		if m == nil || html.UnescapeString(m[1]) != tt.url || strings.ContainsAny(m[1], "<>'") {
			t.Errorf("%s: got %q in the page", tt.url, m)
		}
		if want := "connect-src 'self'" + tt.source + ";"; !strings.Contains(r.Headers["Content-Security-Policy"], want) {
			t.Errorf("%s: got policy %q, want %q in it", tt.url, r.Headers["Content-Security-Policy"], want)
		}
	}
}

func TestPageRefusesWebSocketURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"",
		"https://example.com/prod",
		"javascript:alert(1)",
		"example.com/prod",
		"//example.com/prod",
		"wss:///prod",
		"wss://user:secret@example.com/prod",
		"wss://example.com;script-src/prod",
		"wss://*/prod",
		"wss://example.com%20*/prod",
		"wss://exa mple.com/",
		"\x7f",
	} {
		_, err := Page(t.Context(), func(string) string { return url })
		if err == nil {
			t.Errorf("%q: got no error", url)
			continue
		}
		if !strings.HasPrefix(err.Error(), "page: WEBSOCKET_URL: ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got error %q", url, err)
		}
	}
}

func TestPageUnchanged(t *testing.T) {
	t.Parallel()
	event := pageEvent(t, "get")
	etag := askPage(t, testWebSocketURL, event).Headers["ETag"]
	for _, tt := range []struct {
		header, value string
		status        int
	}{
		{"if-none-match", etag, 304},
		{"If-None-Match", etag, 304}, // as sam local spells it
		{"if-none-match", `"old", W/` + etag, 304},
		{"if-none-match", `"old"`, 200},
		{"if-modified-since", etag, 200},
	} {
		event.Headers = map[string]string{tt.header: tt.value}
		r := askPage(t, testWebSocketURL, event)
		if r.StatusCode != tt.status || (r.Body == "") != (tt.status == 304) {
			t.Errorf("%s: %s: got status %d and %d characters, want %d", tt.header, tt.value, r.StatusCode, len(r.Body), tt.status)
		}
	}
	if other := askPage(t, "wss://example.com/prod", pageEvent(t, "get")).Headers["ETag"]; other == etag {
		t.Errorf("two pages have the ETag %s", etag)
	}
}
