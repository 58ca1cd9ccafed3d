// Package awsconfig makes the SDK's configuration from a function's environment,
// which is handed in and not read from the process: functions that share a
// process have environments of their own. Lambda sets all that is needed, so
// the SDK's own loader (files, SSO, instance metadata) stays out of the binary.
package awsconfig

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// AttemptTimeout is how long a service may take for one request: what hangs,
	// such as over a connection that has died unnoticed, leaves time for two
	// further attempts within a function's 10 seconds.
	AttemptTimeout = 1500 * time.Millisecond

	// maxIdleConns is the number of connections kept open to one host: as many as
	// the ticker has posts in flight.
	maxIdleConns = 64
)

// transport has all connections of the process.
var transport = newTransport()

// newTransport returns a transport without HTTP/2, which would send all posts of
// the ticker over one connection: then one lost packet holds up all of them.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 2 * maxIdleConns
	t.MaxIdleConnsPerHost = maxIdleConns
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	return t
}

// Load returns the configuration for the region and the credentials that Lambda
// has put into the environment. An attempt at a request may take so long; the
// SDK's clients make up to three.
func Load(getenv func(string) string, attempt time.Duration) aws.Config {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    getenv("AWS_SESSION_TOKEN"),
			Source:          "environment",
		}, nil
	})
	return aws.Config{
		Region:      getenv("AWS_REGION"),
		Credentials: aws.NewCredentialsCache(credentials),
		HTTPClient:  &http.Client{Transport: transport, Timeout: attempt},
	}
}

// Endpoint returns the endpoint that the environment names for a service, such
// as DYNAMODB, or nil for AWS' own. An empty value counts as none.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func Endpoint(getenv func(string) string, service string) *string {
	if url := getenv("AWS_ENDPOINT_URL_" + service); url != "" {
		return &url
	}
	return nil
}
