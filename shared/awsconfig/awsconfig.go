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

// maxIdleConns is the number of connections kept open to one host: as many as
// the ticker has posts in flight.
const maxIdleConns = 64

// Load returns the configuration for the region and the credentials that Lambda
// has put into the environment.
func Load(getenv func(string) string) aws.Config {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 2 * maxIdleConns
	transport.MaxIdleConnsPerHost = maxIdleConns
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
		HTTPClient:  &http.Client{Transport: transport, Timeout: 10 * time.Second},
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
