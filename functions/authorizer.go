package functions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/shared/auth"
	"crypto-ticker/shared/store"
)

// Authorizer returns the handler of the REQUEST authorizer of $connect. A valid
// token gives a policy, with what the other functions need to know of the
// client as its context. ALLOW_QUERY_TOKEN is true if the token may also stand
// in the query string; without it, it may not.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
func Authorizer(ctx context.Context, getenv func(string) string) (lambda.Handler, error) {
	allowQuery := false
	if v := getenv("ALLOW_QUERY_TOKEN"); v != "" {
		var err error
		if allowQuery, err = strconv.ParseBool(v); err != nil {
			return nil, fmt.Errorf("ALLOW_QUERY_TOKEN is %q: set it to true or false", v)
		}
	}
	s, err := store.Open(getenv)
	if err != nil {
		return nil, err
	}
	keyring, err := openKeyring(ctx, getenv)
	if err != nil {
		return nil, err
	}
	return lambda.NewHandler(authorizer{s, keyring, allowQuery}.handle), nil
}

type authorizer struct {
	store      *store.Store
	keyring    *secret[*auth.Keyring]
	allowQuery bool
}

// authorizerRequest is what the authorizer reads of its event. The library's
// type for it is that of REST APIs, which lacks half of a WebSocket API's.
type authorizerRequest struct {
	MethodARN         string              `json:"methodArn"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	RequestContext    struct {
		ConnectionID string `json:"connectionId"`
		Identity     struct {
			SourceIP string `json:"sourceIp"`
		} `json:"identity"`
	} `json:"requestContext"`
}

// errUnauthorized has the one text, to the letter, that API Gateway answers with
// 401. Any other error is a 500.
var errUnauthorized = errors.New("Unauthorized")

// errRefused says that a token does not count; the rest of the text is for the
// log.
var errRefused = errors.New("token refused")

func (a authorizer) handle(ctx context.Context, event authorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	ip, connectionID := event.RequestContext.Identity.SourceIP, event.RequestContext.ConnectionID
	record, err := a.verify(ctx, event)
	if errors.Is(err, errRefused) {
		slog.InfoContext(ctx, "handshake refused", "reason", err, "ip", ip, "connection_id", connectionID)
		return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
	}
	if err != nil {
		return events.APIGatewayCustomAuthorizerResponse{}, err
	}
	effect := "Allow"
	request := auth.Request{Action: auth.ActionConnect, Resource: auth.ResourceTicker, SourceIP: ip}
	if !auth.Allowed(record.Policies, request) {
		effect = "Deny"
		slog.InfoContext(ctx, "handshake forbidden", "user_id", record.UserID,
			"policies", record.Policies, "ip", ip, "connection_id", connectionID)
	}
	return iamPolicy(effect, event.MethodARN, record), nil
}

// verify returns the record of the request's token. The signature comes first,
// so that a forged token costs no reading; then the record, its time, since
// DynamoDB deletes late, and the API key that the token was given for.
func (a authorizer) verify(ctx context.Context, event authorizerRequest) (store.Token, error) {
	tok, ok := a.token(event)
	if !ok {
		return store.Token{}, fmt.Errorf("%w: there is none", errRefused)
	}
	keyring, err := a.keyring.get(ctx)
	if err != nil {
		return store.Token{}, err
	}
	if err := keyring.Verify(tok); err != nil {
		return store.Token{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	record, err := a.store.Token(ctx, auth.HashToken(tok))
	if err != nil {
		return store.Token{}, refuseMissing(err)
	}
	if !time.Now().Before(record.ExpiresAt) {
		return store.Token{}, fmt.Errorf("%w: expired", errRefused)
	}
	key, err := a.store.Key(ctx, record.KeyLookup)
	if err != nil {
		return store.Token{}, refuseMissing(err)
	}
	if !key.DisabledAt.IsZero() {
		return store.Token{}, fmt.Errorf("%w: key %s is revoked", errRefused, key.Lookup)
	}
	return record, nil
}

func refuseMissing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// token returns the token of a request: that of the first of three places that
// has one.
func (a authorizer) token(event authorizerRequest) (string, bool) {
	for _, v := range header(event.Headers, event.MultiValueHeaders, "Authorization") {
		scheme, tok, _ := strings.Cut(v, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(tok), true
		}
	}
	protocols := strings.Join(header(event.Headers, event.MultiValueHeaders, "Sec-WebSocket-Protocol"), ",")
	for p := range strings.SplitSeq(protocols, ",") {
		if tok, ok := strings.CutPrefix(strings.TrimSpace(p), "bearer."); ok {
			return tok, true
		}
	}
	if !a.allowQuery {
		return "", false
	}
	const parameter = "x-auth-token"
	if vs := event.MultiValueQuery[parameter]; len(vs) > 0 {
		return vs[0], true // the single value is the last one
	}
	tok, ok := event.Query[parameter]
	return tok, ok
}

// header returns the values of a header, whose name the event has in the
// client's spelling.
func header(single map[string]string, multi map[string][]string, name string) []string {
	for k, vs := range multi {
		if strings.EqualFold(k, name) {
			return vs
		}
	}
	for k, v := range single {
		if strings.EqualFold(k, name) {
			return []string{v}
		}
	}
	return nil
}

// iamPolicy is the authorizer's answer. The values of its context are strings, as
// which others have them in any case.
func iamPolicy(effect, methodARN string, t store.Token) events.APIGatewayCustomAuthorizerResponse {
	actor := auth.Actor(t.UserID)
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: actor,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{methodARN},
			}},
		},
		Context: map[string]any{
			"user_id":    t.UserID,
			"actor":      actor,
			"role":       t.Role,
			"policies":   strings.Join(t.Policies, ","),
			"token_hash": t.Hash,
			"key_id":     t.KeyLookup,
			"expires_at": strconv.FormatInt(t.ExpiresAt.Unix(), 10),
		},
	}
}
