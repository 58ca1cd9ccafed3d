package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	lambdasvc "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"crypto-ticker/shared/auth"
	"crypto-ticker/shared/awsconfig"
	"crypto-ticker/shared/market"
	"crypto-ticker/shared/push"
	"crypto-ticker/shared/store"
)

// wakeTimeout bounds the call that wakes the ticker, for which the client's
// handshake waits.
const wakeTimeout = 4 * time.Second

// Connect returns the handler of $connect: it checks the Origin, stores the
// connection with a subscription to all that its policies allow, and has the
// ticker (TICKER_FUNCTION) greet it. ALLOWED_ORIGINS lists the origins of
// web pages that may connect, or is *; other programs send no Origin.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
func Connect(_ context.Context, getenv func(string) string) (lambda.Handler, error) {
	s, err := store.Open(getenv)
	if err != nil {
		return nil, err
	}
	symbols, err := market.ParseSymbols(getenv("SYMBOLS"))
	if err != nil {
		return nil, fmt.Errorf("SYMBOLS: %w", err)
	}
	ticker := getenv("TICKER_FUNCTION")
	if ticker == "" {
		return nil, errors.New("set TICKER_FUNCTION to the name of the ticker's function")
	}
	client := lambdasvc.NewFromConfig(awsconfig.Load(getenv, awsconfig.AttemptTimeout), func(o *lambdasvc.Options) {
		o.BaseEndpoint = awsconfig.Endpoint(getenv, "LAMBDA")
		o.RetryMaxAttempts = 2
	})
	origins := strings.Split(getenv("ALLOWED_ORIGINS"), ",")
	return lambda.NewHandler(connect{s, client, ticker, symbols, origins}.handle), nil
}

type connect struct {
	store   *store.Store
	lambda  *lambdasvc.Client
	ticker  string
	symbols []string
	origins []string
}

func (c connect) handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	answer := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	if origin := strings.Join(header(event.Headers, event.MultiValueHeaders, "Origin"), ","); !c.allows(origin) {
		slog.InfoContext(ctx, "origin refused", "origin", origin, "connection_id", event.RequestContext.ConnectionID)
		answer.StatusCode = http.StatusForbidden
		return answer, nil
	}
	conn, err := c.connection(event)
	if err != nil {
		return answer, fmt.Errorf("connect: %w", err)
	}
	// The row comes first: a ticker that is about to leave sees it, or else the
	// one that is woken now sees that nobody leads.
	// Where the database's answer was lost, the repeated request finds the row that
	// the first one has written.
	if err := c.store.AddConnection(ctx, conn); err != nil && !errors.Is(err, store.ErrConflict) {
		return answer, fmt.Errorf("connect: %w", err)
	}
	if valid, err := c.stands(ctx, conn); err != nil || !valid {
		answer.StatusCode = http.StatusUnauthorized
		return answer, err
	}
	slog.InfoContext(ctx, "client joined", "connection_id", conn.ConnectionID, "actor", conn.Actor, "ip", event.RequestContext.Identity.SourceIP)
	// The client stays even so: a running ticker greets it within seconds and
	// the schedule within a minute, whereas a refused client would come again at
	// once and add to the load.
	if err := c.wake(ctx, conn); err != nil {
		slog.ErrorContext(ctx, "ticker cannot be woken", "connection_id", conn.ConnectionID, "error", err)
	}
	if offers(event, push.Subprotocol) {
		answer.Headers = map[string]string{"Sec-WebSocket-Protocol": push.Subprotocol}
	}
	return answer, nil
}

func (c connect) allows(origin string) bool {
	return origin == "" || slices.ContainsFunc(c.origins, func(allowed string) bool {
		allowed = strings.TrimSpace(allowed)
		return allowed == "*" || strings.EqualFold(allowed, origin)
	})
}

// connection makes the row of a new connection.
func (c connect) connection(event events.APIGatewayWebsocketProxyRequest) (store.Connection, error) {
	about := authorizerContext(event)
	expires, err := strconv.ParseInt(about["expires_at"], 10, 64)
	if err != nil || about["actor"] == "" || about["key_id"] == "" {
		return store.Connection{}, errors.New("the event has no authorizer context: $connect needs the authorizer")
	}
	ip := event.RequestContext.Identity.SourceIP
	conn := store.Connection{
		ConnectionRef: ref(event), Actor: about["actor"],
		TokenHash: about["token_hash"], KeyLookup: about["key_id"], ExpiresAt: time.Unix(expires, 0),
	}
	for _, symbol := range c.symbols {
		if maySubscribe(about["policies"], symbol, ip) {
			conn.Symbols = append(conn.Symbols, symbol)
		}
	}
	return conn, nil
}

// stands says whether the client's token and its API key have not been revoked
// since the authorizer saw them; if one has, the row goes. Who revokes one changes
// its record and then looks for rows, so at least one of the two sees the other.
func (c connect) stands(ctx context.Context, conn store.Connection) (bool, error) {
	revoked, err := c.revoked(ctx, conn)
	if err == nil && !revoked {
		return true, nil
	}
	if removal := c.store.RemoveConnection(ctx, conn.ConnectionRef); removal != nil {
		return false, fmt.Errorf("connect: %w", errors.Join(err, removal))
	}
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	slog.InfoContext(ctx, "token or key was revoked during the handshake", "connection_id", conn.ConnectionID, "actor", conn.Actor)
	return false, nil
}

func (c connect) revoked(ctx context.Context, conn store.Connection) (bool, error) {
	var key store.Key
	var keyErr error
	var reading sync.WaitGroup
	reading.Go(func() { key, keyErr = c.store.Key(ctx, conn.KeyLookup) }) // the handshake waits
	_, err := c.store.Token(ctx, conn.TokenHash)
	reading.Wait()
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if errors.Is(keyErr, store.ErrNotFound) {
		return true, nil
	}
	return !key.DisabledAt.IsZero(), keyErr
}

// wake has the ticker greet the connection, and lead if nobody does.
func (c connect) wake(ctx context.Context, conn store.Connection) error {
	payload, err := json.Marshal(tickerEvent{
		Type: eventGreet, ConnectionID: conn.ConnectionID, ConnectedAt: conn.ConnectedAt,
		Actor: conn.Actor, Symbols: conn.Symbols,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wakeTimeout)
	defer cancel()
	_, err = c.lambda.Invoke(ctx, &lambdasvc.InvokeInput{
		FunctionName: &c.ticker, InvocationType: types.InvocationTypeEvent, Payload: payload,
	})
	return err
}

// offers says whether the client offers a sub-protocol. The others that it
// offers stay unanswered: one of them may be its token.
func offers(event events.APIGatewayWebsocketProxyRequest, protocol string) bool {
	list := strings.Join(header(event.Headers, event.MultiValueHeaders, "Sec-WebSocket-Protocol"), ",")
	for offered := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(offered) == protocol {
			return true
		}
	}
	return false
}

// authorizerContext returns what the authorizer has said of the client, all of it
// as strings.
func authorizerContext(event events.APIGatewayWebsocketProxyRequest) map[string]string {
	about := map[string]string{}
	values, _ := event.RequestContext.Authorizer.(map[string]any)
	for name, value := range values {
		if text, ok := value.(string); ok {
			about[name] = text
		}
	}
	return about
}

// maySubscribe says whether the policies, a list with commas, allow a symbol.
func maySubscribe(policies, symbol, ip string) bool {
	return auth.Allowed(strings.Split(policies, ","),
		auth.Request{Action: auth.ActionSubscribe, Resource: symbol, SourceIP: ip})
}

func ref(event events.APIGatewayWebsocketProxyRequest) store.ConnectionRef {
	return store.ConnectionRef{
		ConnectionID: event.RequestContext.ConnectionID, ConnectedAt: event.RequestContext.ConnectedAt,
	}
}
