package awsconfig

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
	}
	c := Load(func(name string) string { return env[name] }, AttemptTimeout)
	got, err := c.Credentials.Retrieve(t.Context())
	if err != nil || got.AccessKeyID != "id" || got.SecretAccessKey != "secret" || got.SessionToken != "token" {
		t.Errorf("got credentials of %q from %q, %v; want those of the environment", got.AccessKeyID, got.Source, err)
	}
	if c.Region != "eu-west-1" {
		t.Errorf("got region %q; want eu-west-1", c.Region)
	}
	client, ok := c.HTTPClient.(*http.Client)
	if !ok || client.Timeout <= 0 {
		t.Fatalf("got the HTTP client %+v; want one with a timeout", c.HTTPClient)
	}
	if n := client.Transport.(*http.Transport).MaxIdleConnsPerHost; n != maxIdleConns {
		t.Errorf("got %d idle connections to a host; want %d", n, maxIdleConns)
	}
}

// hangsOnce is a network on which the first request gets no answer.
type hangsOnce struct{ requests int }

func (h *hangsOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.requests++; h.requests == 1 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// TestSecondAttempt: a request that hangs, as over a connection that has died
// unnoticed, leaves time for another one within an invocation.
func TestSecondAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config := Load(func(string) string { return "test" }, AttemptTimeout)
		network := &hangsOnce{}
		config.HTTPClient.(*http.Client).Transport = network
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // Timeout of the functions
		defer cancel()
		if _, err := dynamodb.NewFromConfig(config).ListTables(ctx, nil); err != nil || network.requests != 2 {
			t.Errorf("got %v after %d requests; want the second one's answer", err, network.requests)
		}
	})
}

// TestOneConnectionEach: requests at the same time have a connection each, so
// that one that hangs does not stop the others.
func TestOneConnectionEach(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	client := Load(func(string) string { return "test" }, AttemptTimeout).HTTPClient.(*http.Client)
	transport := client.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	transport.TLSClientConfig.NextProtos = nil
	t.Cleanup(transport.CloseIdleConnections)
	client.Transport = transport
	res, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || string(got) != "HTTP/1.1" {
		t.Errorf("got %s, %v; want HTTP/1.1, which has one request at a time on a connection", got, err)
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	env := map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:8082", "AWS_ENDPOINT_URL_LAMBDA": ""}
	getenv := func(name string) string { return env[name] }
	if got := Endpoint(getenv, "DYNAMODB"); got == nil || *got != "http://localhost:8082" {
		t.Errorf("DYNAMODB: got %v; want the address of the environment", got)
	}
	for _, service := range []string{"LAMBDA", "SECRETS_MANAGER"} { // empty, not set
		if got := Endpoint(getenv, service); got != nil {
			t.Errorf("%s: got %s; want AWS' own", service, *got)
		}
	}
}
