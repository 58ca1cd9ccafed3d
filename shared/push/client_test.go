package push

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func staticCredentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
}

// TestClient talks to a server over the network, with the SDK as it is.
func TestClient(t *testing.T) {
	t.Parallel()
	var requests []string
	tests := []struct {
		name   string
		status int
		kind   string
		want   error
		other  bool // an error of no special kind
	}{
		{name: "ok", status: 200},
		{name: "gone", status: 410, kind: "GoneException", want: ErrGone},
		{name: "gone, by the status alone", status: 410, want: ErrGone},
		{name: "throttled, by the status alone", status: 429, want: ErrThrottled},
		{name: "throttled by the account's limit", status: 429, kind: "TooManyRequestsException", want: ErrThrottled},
		{name: "throttled", status: 429, kind: "LimitExceededException", want: ErrThrottled},
		{name: "forbidden", status: 403, kind: "ForbiddenException", other: true},
		{name: "broken", status: 500, other: true},
	}
	for _, tt := range tests {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests = append(requests, r.Method+" "+r.URL.EscapedPath())
			if tt.kind != "" {
				w.Header().Set("X-Amzn-ErrorType", tt.kind)
			}
			w.WriteHeader(tt.status)
		}))
		c, err := Open(func(name string) string {
			return map[string]string{"WEBSOCKET_ENDPOINT": server.URL + "/prod", "AWS_REGION": "eu-west-1",
				"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}[name]
		})
		if err != nil {
			t.Fatal(err)
		}
		requests = nil
		err = c.Post(t.Context(), "Jx-TaE0_GjQFvSw=", []byte("{}"))
		if !tt.other && !errors.Is(err, tt.want) || (err != nil) != (tt.want != nil || tt.other) {
			t.Errorf("%s: Post: got %v; want %v", tt.name, err, tt.want)
		}
		err = c.Close(t.Context(), "Jx-TaE0_GjQFvSw=")
		if !tt.other && !errors.Is(err, tt.want) || (err != nil) != (tt.want != nil || tt.other) {
			t.Errorf("%s: Close: got %v; want %v", tt.name, err, tt.want)
		}
		want := "POST /prod/@connections/Jx-TaE0_GjQFvSw%3D, DELETE /prod/@connections/Jx-TaE0_GjQFvSw%3D"
		if got := strings.Join(requests, ", "); got != want { // one each: no retries
			t.Errorf("%s: got requests %s; want %s", tt.name, got, want)
		}
		server.Close()
	}
}

func TestOpenPrefersTheServiceEndpoint(t *testing.T) {
	t.Parallel()
	hit := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	t.Cleanup(server.Close)
	c, err := Open(func(name string) string {
		return map[string]string{
			"WEBSOCKET_ENDPOINT": "https://unused.invalid/prod", "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": server.URL,
			"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Post(t.Context(), "a", []byte("{}")); err != nil || !hit {
		t.Errorf("got %v, request arrived: %v; want it at the service's endpoint", err, hit)
	}
	if _, err := Open(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "WEBSOCKET_ENDPOINT") {
		t.Errorf("without an endpoint: got %v; want an error that names the variable", err)
	}
}

// TestPostHasATimeout: a peer that has vanished holds nobody up.
func TestPostHasATimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway()
		g.set("a", 0, time.Hour)
		began := time.Now()
		err := g.client().Post(t.Context(), "a", []byte("{}"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != postTimeout {
			t.Errorf("got %v after %v; want the end of its time after %v", err, time.Since(began), postTimeout)
		}
	})
}
