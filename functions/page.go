package functions

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

//go:embed page/assets
var pageAssets embed.FS

// Page returns the handler of GET / and of every path that no other route takes,
// so that a deep link gives the page too. WEBSOCKET_URL tells the page where
// prices come from: a ws or wss URL, or a path on the page's own host.
//
// The API key is typed into the page's form. No URL carries it, not even in a
// fragment, which would stay in histories and in what is copied and shared.
func Page(_ context.Context, getenv func(string) string) (lambda.Handler, error) {
	p, err := newPage(getenv("WEBSOCKET_URL"))
	if err != nil {
		return nil, fmt.Errorf("page: WEBSOCKET_URL: %w", err)
	}
	return lambda.NewHandler(p.handle), nil
}

// A page is the same for everybody until WEBSOCKET_URL changes, so all of it is
// made once.
type page struct {
	html    string
	headers map[string]string
}

// newPage puts style, script and address into the one document that is sent.
func newPage(webSocketURL string) (page, error) {
	source, err := webSocketSource(webSocketURL)
	if err != nil {
		return page{}, err
	}
	var files [4]string
	for i, name := range []string{"index.html", "style.css", "feed.js", "page.js"} {
		b, err := pageAssets.ReadFile("page/assets/" + name)
		if err != nil {
			return page{}, err
		}
		files[i] = string(b)
	}
	style, script := files[1], files[2]+files[3]
	document := strings.NewReplacer(
		"{{style}}", style,
		"{{script}}", script,
		"{{websocket-url}}", html.EscapeString(webSocketURL),
	).Replace(files[0])
	return page{document, map[string]string{
		"Content-Type":           "text/html; charset=utf-8",
		"Cache-Control":          "no-cache",
		"ETag":                   `"` + cspHash(document) + `"`,
		"Referrer-Policy":        "no-referrer",
		"X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": strings.Join([]string{
			"default-src 'none'",
			"script-src 'sha256-" + cspHash(script) + "'",
			"style-src 'sha256-" + cspHash(style) + "'",
			"img-src data:",
			"connect-src 'self'" + source,
			"base-uri 'none'",
			"form-action 'none'",
			"frame-ancestors 'none'",
			"require-trusted-types-for 'script'",
		}, "; "),
	}}, nil
}

// plainHost is what may stand in a Content-Security-Policy without a second
// thought: a name or an address, and a port.
var plainHost = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]+)?$`)

// webSocketSource gives what a Content-Security-Policy calls the origin of a
// WebSocket URL, after a space, or "" for a path: that is of the page's origin.
func webSocketSource(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return "", errors.New("is empty, want such as wss://example.com/prod")
	case err != nil:
		return "", err
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(s, "/"):
		return "", nil
	case (u.Scheme != "ws" && u.Scheme != "wss") || u.User != nil || !plainHost.MatchString(u.Host):
		return "", fmt.Errorf("%q is neither a ws or wss URL nor a path", u.Redacted())
	}
	return " " + u.Scheme + "://" + u.Host, nil
}

func (p page) handle(_ context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	switch r.RequestContext.HTTP.Method {
	case http.MethodGet:
		if unchanged(r.Headers, p.headers["ETag"]) {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusNotModified, Headers: p.headers}, nil
		}
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Headers: p.headers, Body: p.html}, nil
	case http.MethodHead:
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Headers: p.headers}, nil
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusMethodNotAllowed,
		Headers:    map[string]string{"Allow": "GET, HEAD", "Content-Type": "application/json"},
		Body:       `{"error":"method not allowed"}`,
	}, nil
}

// unchanged tells whether the browser has the page already. AWS sends header names
// in lower case, sam local does not.
func unchanged(headers map[string]string, etag string) bool {
	for name, value := range headers {
		if strings.EqualFold(name, "If-None-Match") {
			return strings.Contains(value, etag)
		}
	}
	return false
}

// cspHash is what a Content-Security-Policy allows a script or a style by.
func cspHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}
