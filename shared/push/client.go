package push

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"crypto-ticker/shared/awsconfig"
)

// What API Gateway answers about one connection.
var (
	ErrGone      = errors.New("the connection is gone, or not open yet")
	ErrThrottled = errors.New("too many messages")
)

// postTimeout is how long one request may take: a post to a peer that has
// vanished can hang.
const postTimeout = 3 * time.Second

// Client posts to connections and closes them. It never retries: by then there
// is a newer message. It is safe for concurrent use.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
type Client struct {
	api *apigatewaymanagementapi.Client
}

// Open returns a client for the WebSocket API's stage at WEBSOCKET_ENDPOINT, or
// at AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI if that is set.
func Open(getenv func(string) string) (*Client, error) {
	endpoint := awsconfig.Endpoint(getenv, "APIGATEWAYMANAGEMENTAPI")
	if endpoint == nil {
		url := getenv("WEBSOCKET_ENDPOINT")
		if url == "" {
			return nil, errors.New("push: set WEBSOCKET_ENDPOINT to the https address of the WebSocket API's stage")
		}
		endpoint = &url
	}
	return newClient(awsconfig.Load(getenv, postTimeout), endpoint), nil
}

func newClient(config aws.Config, endpoint *string) *Client {
	return &Client{apigatewaymanagementapi.NewFromConfig(config, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = endpoint
		o.Retryer = aws.NopRetryer{}
	})}
}

// Post sends a message to a connection. The error is ErrGone or ErrThrottled if
// API Gateway says so, and context.DeadlineExceeded after 3 seconds.
func (c *Client) Post(ctx context.Context, connectionID string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	_, err := c.api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: &connectionID, Data: body,
	})
	return wrap("post", err)
}

// Close ends a connection. The error is ErrGone if there is nothing to end, as
// before the handshake is over.
func (c *Client) Close(ctx context.Context, connectionID string) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	_, err := c.api.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &connectionID})
	return wrap("close", err)
}

// wrap adds what was attempted to an error; nil stays nil.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		switch answer.HTTPStatusCode() { // the type of an error differs with who refuses
		case http.StatusGone:
			err = ErrGone
		case http.StatusTooManyRequests:
			err = ErrThrottled
		}
	}
	return fmt.Errorf("push: %s: %w", op, err)
}
