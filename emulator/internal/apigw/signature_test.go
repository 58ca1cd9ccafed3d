package apigw

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
)

// verifying asks for signatures with the key of fixture.sdk.
func verifying(c *Config) {
	c.VerifySignatures = true
	c.Secret = func(id string) (string, bool) { return "SECRET", id == "AKID" }
}

func TestSDKSignaturesAreVerified(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil, verifying)
	c := f.dial("/test", nil)
	id, client, ctx := aws.String(f.connectionID(0)), f.sdk("test"), t.Context()
	for _, data := range []string{"tick", "", strings.Repeat("x", maxMessage)} {
		c.SetReadLimit(maxMessage)
		if _, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: id, Data: []byte(data)}); err != nil {
			t.Fatalf("post %d bytes: %v", len(data), err)
		}
		if got := read(t, c); got != data {
			t.Errorf("got %d bytes, want %d", len(got), len(data))
		}
	}
	if _, err := client.GetConnection(ctx, &api.GetConnectionInput{ConnectionId: id}); err != nil {
		t.Error(err)
	}
	_, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: id, Data: make([]byte, maxMessage+1)})
	if !as[*types.PayloadTooLargeException](err) {
		t.Errorf("too large: got %v", err)
	}
	_, err = client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: aws.String("a b/c=%"), Data: []byte("x")})
	if e := smithy.APIError(nil); !errors.As(err, &e) || e.ErrorCode() != "BadRequestException" {
		t.Errorf("an id with all kinds of characters: got %v, want its signature accepted", err)
	}
	if _, err := client.DeleteConnection(ctx, &api.DeleteConnectionInput{ConnectionId: id}); err != nil {
		t.Error(err)
	}
	closure(t, c)
}

// When a test has advanced the clock, SDKs follow it as they follow AWS'.
func TestSDKCorrectsItsClock(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil, verifying)
	c := f.dial("/test", nil)
	f.clock.Advance(8 * time.Minute)
	post := &api.PostToConnectionInput{ConnectionId: aws.String(f.connectionID(0)), Data: []byte("x")}
	if _, err := f.sdk("test").PostToConnection(t.Context(), post); err == nil || !strings.Contains(err.Error(), "Signature expired: ") {
		t.Errorf("one attempt: got %v, want an expired signature", err)
	}
	retry := func(o *api.Options) { o.RetryMaxAttempts = 2 }
	if _, err := f.sdk("test").PostToConnection(t.Context(), post, retry); err != nil {
		t.Fatalf("two attempts: %v", err)
	}
	read(t, c)
}

// signer says how a test signs a request, and what it changes afterwards.
type signer struct {
	key, secret, region, service string
	age                          time.Duration
	before, after                func(*http.Request)
	presign                      bool
}

// send signs a POST to a path and returns the answer.
func (s signer) send(f *fixture, path, body string) (*http.Response, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "POST", "http://"+f.host+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if s.before != nil {
		s.before(req)
	}
	or := func(s, otherwise string) string { return map[bool]string{true: s, false: otherwise}[s != ""] }
	cred := aws.Credentials{AccessKeyID: or(s.key, "AKID"), SecretAccessKey: or(s.secret, "SECRET"), SessionToken: "TOKEN"}
	service, region, date := or(s.service, "execute-api"), or(s.region, "eu-west-1"), f.clock.Now().Add(-s.age)
	if s.presign {
		var signed string
		signed, _, err = v4.NewSigner().PresignHTTP(context.Background(), cred, req, hashOf([]byte(body)), service, region, date)
		req.URL, _ = url.Parse(signed)
	} else {
		err = v4.NewSigner().SignHTTP(context.Background(), cred, req, hashOf([]byte(body)), service, region, date)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	if s.after != nil {
		s.after(req)
	}
	return f.do(req)
}

func TestCorrectSignaturesAreAccepted(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil, verifying, func(c *Config) { c.Map = map[string]string{"/a b/ws": "Socket"} })
	expires := func(seconds string) func(*http.Request) {
		return func(r *http.Request) { r.URL.RawQuery = "X-Amz-Expires=" + seconds }
	}
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	for _, tt := range []struct {
		name, path string
		signer
	}{
		{"as the SDK escapes", "/test/@connections/Jx-TaE0_GjQFvSw%3D", signer{}},
		{"lower case escape", "/test/@connections/Jx-TaE0_GjQFvSw%3d", signer{}},
		{"not escaped", "/test/@connections/Jx-TaE0_GjQFvSw=", signer{}},
		{"all escaped", "/test/%40connections/%4Ax%2DTaE0_GjQFvSw%3D", signer{}},
		{"query", "/test/@connections/" + unknownID + "?b=2&a=%C3%A4+x%20&a=1&B&%7e=~&c=/%2F", signer{}},
		{"headers", "/test/@connections/" + unknownID, signer{before: func(r *http.Request) {
			r.Header["X-Spaces"] = []string{"  a   b ", "c"}
			r.Header["X-Empty"] = []string{""}
		}}},
		{"hash of the body", "/test/@connections/" + unknownID, signer{before: set("X-Amz-Content-Sha256", hashOf([]byte("body")))}},
		{"4 minutes old", "/test/@connections/" + unknownID, signer{age: 4 * time.Minute}},
		{"4 minutes early", "/test/@connections/" + unknownID, signer{age: -4 * time.Minute}},
		{"in the query", "/test/@connections/" + unknownID, signer{presign: true}},
		{"in the query, for less time", "/test/@connections/" + unknownID, signer{presign: true, age: 4 * time.Minute, before: expires("60")}},
		{"header Date", "/test/@connections/" + unknownID, signer{before: func(r *http.Request) {
			r.Header["Date"] = []string{f.clock.Now().UTC().Format(http.TimeFormat)}
		}}},
	} {
		resp, body := tt.send(f, tt.path, "body")
		if resp.StatusCode != 410 {
			t.Errorf("%s: got %s %s, want 410: there is no such connection", tt.name, resp.Status, body)
		}
	}
}

func TestWrongSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil, verifying)
	const (
		path     = "/test/@connections/Jx-TaE0_GjQFvSw%3D"
		mismatch = "The request signature we calculated does not match the signature you provided. "
	)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = []string{value} }
	}
	rewrite := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			if h := r.Header["Authorization"]; h != nil {
				h[0] = strings.Replace(h[0], old, new, 1)
			}
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, old, new, 1)
		}
	}
	for _, tt := range []struct {
		name          string
		signer        signer
		kind, message string // what the message begins with
	}{
		{"wrong secret", signer{secret: "secret"}, "InvalidSignatureException", mismatch},
		{"unknown key", signer{key: "OTHER"}, "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"another region", signer{region: "us-east-1"}, "InvalidSignatureException", "Credential should be scoped to a valid region. "},
		{"another service", signer{service: "s3"}, "InvalidSignatureException", "Credential should be scoped to correct service: 'execute-api'. "},
		{"tampered body", signer{after: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("BODY")) }}, "InvalidSignatureException", mismatch},
		{"tampered body with its old hash", signer{before: header("X-Amz-Content-Sha256", hashOf([]byte("body"))),
			after: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("BODY")) }}, "InvalidSignatureException", mismatch},
		{"unsigned body", signer{before: header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
			after: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("BODY")) }}, "InvalidSignatureException", mismatch},
		{"tampered path", signer{after: func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/test/@connections/Ix-TaE0_GjQFvSw=", "" }},
			"InvalidSignatureException", mismatch},
		{"path escaped anew", signer{after: func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/test/@connections/Jx-TaE0_GjQFvSw=", "" }},
			"InvalidSignatureException", mismatch},
		{"tampered query", signer{after: func(r *http.Request) { r.URL.RawQuery = "a=1" }}, "InvalidSignatureException", mismatch},
		{"tampered header", signer{after: header("X-Amz-Security-Token", "other")}, "InvalidSignatureException", mismatch},
		{"tampered method", signer{after: func(r *http.Request) { r.Method = "DELETE" }}, "InvalidSignatureException", mismatch},
		{"tampered host", signer{after: func(r *http.Request) { r.Host = "socket.execute-api.localhost" }}, "InvalidSignatureException", mismatch},
		{"tampered date", signer{after: header("X-Amz-Date", time.Now().UTC().Add(time.Minute).Format(sigTime))}, "InvalidSignatureException", ""},
		{"expired", signer{age: 6 * time.Minute}, "InvalidSignatureException", "Signature expired: "},
		{"of the future", signer{age: -6 * time.Minute}, "InvalidSignatureException", "Signature not yet current: "},
		{"day of another scope", signer{after: rewrite("/20", "/19")}, "InvalidSignatureException", "Date in Credential scope does not match"},
		{"another terminator", signer{after: rewrite("aws4_request", "aws5_request")}, "InvalidSignatureException", "Credential should be scoped with a valid terminator"},
		{"host not signed", signer{after: rewrite("host", "hast")}, "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader'"},
		{"short credential", signer{after: rewrite("/eu-west-1", "")}, "IncompleteSignatureException", "Credential must have exactly 5"},
		{"no credential", signer{after: rewrite("Credential", "X")}, "IncompleteSignatureException", "Authorization header requires 'Credential' parameter."},
		{"date that is none", signer{after: header("X-Amz-Date", "today")}, "IncompleteSignatureException", "Authorization header requires existence of either"},
		{"not of this kind", signer{after: header("Authorization", "Bearer x")}, "IncompleteSignatureException", "Unsupported AWS 'algorithm': 'Bearer'."},
		{"no pairs", signer{after: header("Authorization", "AWS4-HMAC-SHA256 x")}, "IncompleteSignatureException", "Invalid key=value pair"},
		{"query: wrong secret", signer{presign: true, secret: "x"}, "InvalidSignatureException", mismatch},
		{"query: tampered", signer{presign: true, after: func(r *http.Request) { r.URL.RawQuery += "&a=1" }}, "InvalidSignatureException", mismatch},
		{"query: expired", signer{presign: true, age: 6 * time.Minute}, "InvalidSignatureException", "Signature expired: "},
		{"query: expired, though for an hour", signer{presign: true, age: 6 * time.Minute, before: func(r *http.Request) { r.URL.RawQuery = "X-Amz-Expires=3600" }},
			"InvalidSignatureException", "Signature expired: "},
		{"query: no date", signer{presign: true, after: rewrite("X-Amz-Date", "X-Date")}, "IncompleteSignatureException",
			"AWS query-string parameters must include 'X-Amz-Date'."},
		{"query: another algorithm", signer{presign: true, after: rewrite("HMAC-SHA256", "ECDSA")}, "IncompleteSignatureException", "Unsupported AWS 'algorithm'"},
	} {
		resp, body := tt.signer.send(f, path, "body")
		if resp.StatusCode != 403 || resp.Header.Get("x-amzn-ErrorType") != tt.kind || !strings.HasPrefix(body, `{"message":"`+tt.message) {
			t.Errorf("%s: got %s %s %s, want 403 %s %s", tt.name, resp.Status, resp.Header.Get("x-amzn-ErrorType"), body, tt.kind, tt.message)
		}
		if strings.Contains(body, "SECRET") {
			t.Errorf("%s: the secret is in the answer", tt.name)
		}
	}
	if resp, _ := f.request("POST", path, ""); resp.StatusCode != 403 || resp.Header.Get("x-amzn-ErrorType") != "MissingAuthenticationTokenException" {
		t.Errorf("unsigned: got %s %v", resp.Status, resp.Header)
	}
}

func TestRefusalShowsWhatShouldHaveBeenSigned(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil, verifying)
	_, body := signer{secret: "x"}.send(f, "/test/@connections/Jx-TaE0_GjQFvSw%3D?b=1&a=2", "")
	for _, want := range []string{
		`The Canonical String for this request should have been\n'POST\n/test/%40connections/Jx-TaE0_GjQFvSw%253D\na=2&b=1\nhost:` + f.host + `\n`,
		`\nhost;x-amz-date;x-amz-security-token\n` + hashOf(nil) + `'`,
		`The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n`,
		`/eu-west-1/execute-api/aws4_request\n`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got %s, want in it %s", body, want)
		}
	}
}

func FuzzSignature(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/execute-api/aws4_request, SignedHeaders=host, Signature=0", "a=%2&&=", "/%")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-SignedHeaders=host&X-Amz-Date=20261121T000000Z&X-Amz-Expires=1&X-Amz-Credential=a/b/c/d/e", "/")
	f.Fuzz(func(t *testing.T, authorization, query, path string) {
		r := &http.Request{Method: "POST", Host: "h", Header: http.Header{"X-Amz-Date": {"20261121T000000Z"}}, URL: &url.URL{RawQuery: query, RawPath: path}}
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		}
		s, refused := parseSignature(r)
		if (s == nil) == (refused == nil) {
			t.Fatalf("got %v and %v", s, refused)
		}
		if s == nil {
			return
		}
		if s.checkScope("eu-west-1"); strings.Contains(canonicalRequest(r, s.headers, nil), " ") && !strings.Contains(authorization+query, " ") {
			t.Error("a space in the canonical request")
		}
	})
}
