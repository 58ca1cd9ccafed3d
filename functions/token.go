package functions

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/shared/auth"
	"crypto-ticker/shared/store"
)

// Token returns the handler of /auth/token, which exchanges an API key for a
// token. TOKEN_LIFETIME is a duration such as 1h, the default.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func Token(ctx context.Context, getenv func(string) string) (lambda.Handler, error) {
	lifetime, err := tokenLifetime(getenv("TOKEN_LIFETIME"))
	if err != nil {
		return nil, err
	}
	s, err := store.Open(getenv)
	if err != nil {
		return nil, err
	}
	pepper, err := openPepper(ctx, getenv)
	if err != nil {
		return nil, err
	}
	keyring, err := openKeyring(ctx, getenv)
	if err != nil {
		return nil, err
	}
	return lambda.NewHandler(token{s, pepper, keyring, lifetime}.handle), nil
}

func tokenLifetime(s string) (time.Duration, error) {
	if s == "" {
		return time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second {
		return 0, fmt.Errorf("TOKEN_LIFETIME is %q: set it to a duration of at least 1s, such as 1h", s)
	}
	return d, nil
}

type token struct {
	store    *store.Store
	pepper   *secret[auth.Pepper]
	keyring  *secret[*auth.Keyring]
	lifetime time.Duration
}

// failure is an answer that is no token. Its cause is for the log alone.
type failure struct {
	status int
	text   string
	cause  error
}

// The answers of the endpoint. The key's holder learns nothing about why a key
// is invalid.
var (
	methodNotAllowed  = failure{http.StatusMethodNotAllowed, "method not allowed", nil}
	invalidJSON       = failure{http.StatusBadRequest, "invalid JSON", nil}
	keyRequired       = failure{http.StatusBadRequest, "api_key required", nil}
	invalidKey        = failure{http.StatusUnauthorized, "invalid API key", nil}
	databaseDown      = failure{http.StatusInternalServerError, "database unavailable", nil}
	tokenStoreDown    = failure{http.StatusInternalServerError, "token store unavailable", nil}
	tokenNotCreatable = failure{http.StatusInternalServerError, "token creation failed", nil}
)

func (f failure) because(err error) *failure {
	f.cause = err
	return &f
}

type grant struct {
	Token     string `json:"token"`
	UserID    string `json:"user_id"`
	Role      string `json:"role"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// answerTime is what is left of an invocation's time to answer when a service
// does not.
const answerTime = time.Second

func (t token) handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerTime))
		defer cancel()
	}
	ip := event.RequestContext.HTTP.SourceIP
	g, fail := t.exchange(ctx, event)
	switch {
	case fail == nil:
		return answer(http.StatusOK, g)
	case fail.status >= http.StatusInternalServerError:
		slog.ErrorContext(ctx, "token exchange failed", "answer", fail.text, "ip", ip, "error", fail.cause)
	default:
		slog.InfoContext(ctx, "token refused", "answer", fail.text, "ip", ip, "reason", fail.cause)
	}
	res, err := answer(fail.status, map[string]string{"error": fail.text})
	if fail.status == http.StatusMethodNotAllowed {
		res.Headers["Allow"] = http.MethodPost
	}
	return res, err
}

func answer(status int, body any) (events.APIGatewayV2HTTPResponse, error) {
	b, err := json.Marshal(body)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"},
		Body:       string(b),
	}, err
}

// exchange is the whole exchange of a request's API key for a token.
func (t token) exchange(ctx context.Context, event events.APIGatewayV2HTTPRequest) (grant, *failure) {
	if event.RequestContext.HTTP.Method != http.MethodPost {
		return grant{}, methodNotAllowed.because(errors.New(event.RequestContext.HTTP.Method))
	}
	apiKey, fail := readKey(event)
	if fail != nil {
		return grant{}, fail
	}
	key, fail := t.check(ctx, apiKey)
	if fail != nil {
		return grant{}, fail
	}
	return t.issue(ctx, key, event.RequestContext.HTTP.SourceIP)
}

// readKey takes the API key out of a request's body.
func readKey(event events.APIGatewayV2HTTPRequest) (string, *failure) {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return "", invalidJSON.because(errors.New("body is no base64"))
		}
	}
	var fields map[string]json.RawMessage // null makes it nil
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return "", invalidJSON.because(errors.New("body is no JSON object"))
	}
	var key string
	if err := json.Unmarshal(fields["api_key"], &key); err != nil || key == "" {
		return "", keyRequired.because(errors.New("api_key is missing, empty or no string"))
	}
	return key, nil
}

// check returns the record of an API key if the key is valid. Whatever is wrong
// with it, the same work is done, so that the time tells nothing either: a
// malformed key costs a read of a record that does not exist, and a missing
// record a comparison with an empty hash.
func (t token) check(ctx context.Context, apiKey string) (store.Key, *failure) {
	lookup, wellFormed := auth.ParseKey(apiKey)
	if !wellFormed {
		_, lookup = auth.NewKey()
	}
	key, err := t.store.Key(ctx, lookup)
	if err != nil && !errors.Is(err, store.ErrNotFound) && wellFormed {
		return store.Key{}, databaseDown.because(err)
	}
	pepper, secretErr := t.pepper.get(ctx)
	if secretErr != nil {
		return store.Key{}, tokenStoreDown.because(secretErr)
	}
	switch matches := pepper.Matches(apiKey, key.Hash); {
	case !wellFormed:
		return store.Key{}, invalidKey.because(errors.New("malformed"))
	case err != nil:
		return store.Key{}, invalidKey.because(fmt.Errorf("key %s: %w", lookup, store.ErrNotFound))
	case !matches:
		return store.Key{}, invalidKey.because(fmt.Errorf("key %s: wrong secret", lookup))
	case !key.DisabledAt.IsZero():
		return store.Key{}, invalidKey.because(fmt.Errorf("key %s: revoked", lookup))
	}
	return key, nil
}

// issue makes and stores a token for the holder of a key.
func (t token) issue(ctx context.Context, key store.Key, ip string) (grant, *failure) {
	keyring, err := t.keyring.get(ctx)
	if err != nil {
		return grant{}, tokenStoreDown.because(err)
	}
	policies := key.Policies
	if len(policies) == 0 {
		policies = []string{auth.DefaultPolicy}
	}
	tok, now := keyring.NewToken(), time.Now()
	record := store.Token{
		Hash:      auth.HashToken(tok),
		UserID:    key.UserID,
		Role:      key.Role,
		Policies:  policies,
		IssuedAt:  now,
		ExpiresAt: now.Add(t.lifetime),
		IP:        ip,
		KeyLookup: key.Lookup,
	}
	if err := t.store.AddToken(ctx, record); err != nil {
		return grant{}, tokenNotCreatable.because(err)
	}
	slog.InfoContext(ctx, "token issued", "user_id", key.UserID, "key", key.Lookup,
		"token_hash", record.Hash, "ip", ip, "expires_at", record.ExpiresAt.Unix())
	return grant{tok, key.UserID, key.Role, int64(t.lifetime / time.Second)}, nil
}
