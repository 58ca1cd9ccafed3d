package awsconfig

import (
	"net/http"
	"testing"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
	}
	c := Load(func(name string) string { return env[name] })
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
