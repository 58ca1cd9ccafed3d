package functions_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/functions"
	"crypto-ticker/shared/auth"
	"crypto-ticker/shared/store"
	"crypto-ticker/shared/store/storetest"
)

const methodARN = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$connect"

// addToken stores a token of ada, and its key, and returns the token.
func addToken(t *testing.T, env storetest.Env, s *store.Store, change func(*store.Token), changeKey func(*store.Key)) string {
	t.Helper()
	keyring, err := auth.ParseKeyring(env["TOKEN_KEY"])
	if err != nil {
		t.Fatal(err)
	}
	lookup, _ := auth.ParseKey(addKey(t, env, s, changeKey))
	tok := keyring.NewToken()
	record := store.Token{Hash: auth.HashToken(tok), UserID: "ada", Role: "user", Policies: []string{"user_policy"},
		IssuedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour), IP: "192.0.2.1", KeyLookup: lookup}
	change(&record)
	if err := s.AddToken(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	return tok
}

func unchanged(*store.Token) {}

// A place puts a token into an event of the authorizer.
type place func(event map[string]any, tok string)

func inHeader(name, format string) place {
	return func(event map[string]any, tok string) {
		value := fmt.Sprintf(format, tok)
		event["headers"].(map[string]any)[name] = value
		event["multiValueHeaders"].(map[string]any)[name] = []string{value}
	}
}

func inQuery(event map[string]any, tok string) {
	event["queryStringParameters"] = map[string]any{"x-auth-token": tok}
	event["multiValueQueryStringParameters"] = map[string]any{"x-auth-token": []string{tok}}
}

// authorize invokes the authorizer. An error's text is what API Gateway sees.
func authorize(t *testing.T, h lambda.Handler, change func(event map[string]any)) (answer map[string]any, problem string) {
	t.Helper()
	out, err := h.Invoke(t.Context(), functions.GoldenEvent(t, "authorizer_request.json", change))
	if err != nil {
		return nil, err.Error()
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer, ""
}

func TestAuthorizerAnswer(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	h := newHandler(t, functions.Authorizer, env)
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	for _, tt := range []struct {
		name     string
		policies []string
		effect   string
	}{
		{"allowed", []string{"user_policy"}, "Allow"},
		{"another policy", []string{"bitcoin_policy"}, "Allow"},
		{"suspended", []string{"suspended_policy"}, "Deny"},
		{"policy that is gone", []string{"gone_policy"}, "Deny"},
		{"no policy", nil, "Deny"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tok := addToken(t, env, s, func(r *store.Token) { r.ExpiresAt, r.Policies = expires, tt.policies }, asIs)
			record, err := s.Token(t.Context(), auth.HashToken(tok))
			if err != nil {
				t.Fatal(err)
			}
			got, problem := authorize(t, h, func(event map[string]any) { inHeader("Authorization", "Bearer %s")(event, tok) })
			if problem != "" {
				t.Fatal(problem)
			}
			want := map[string]any{
				"principalId": "user:ada",
				"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
					"Action": []any{"execute-api:Invoke"}, "Effect": tt.effect, "Resource": []any{methodARN},
				}}},
				"context": map[string]any{
					"user_id": "ada", "actor": "user:ada", "role": "user", "policies": strings.Join(tt.policies, ","),
					"token_hash": auth.HashToken(tok), "key_id": record.KeyLookup, "expires_at": strconv.FormatInt(expires.Unix(), 10),
				},
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v; want %v", got, want)
			}
		})
	}
}

func TestAuthorizerPlaces(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	tok := addToken(t, env, s, unchanged, asIs)
	withQuery := newHandler(t, functions.Authorizer, env.With("ALLOW_QUERY_TOKEN", "true"))
	withoutQuery := newHandler(t, functions.Authorizer, env.With("ALLOW_QUERY_TOKEN", "false"))

	both := func(places ...func(map[string]any)) func(map[string]any) {
		return func(event map[string]any) {
			for _, p := range places {
				p(event)
			}
		}
	}
	put := func(p place, tok string) func(map[string]any) {
		return func(event map[string]any) { p(event, tok) }
	}
	protocol := inHeader("Sec-WebSocket-Protocol", "crypto-ticker.v1, bearer.%s")
	for _, tt := range []struct {
		name   string
		change func(map[string]any)
		want   bool
		noWant bool // where the query is not allowed
	}{
		{"nowhere", both(), false, false},
		{"Authorization", put(inHeader("Authorization", "Bearer %s"), tok), true, true},
		{"header in lower case", put(inHeader("authorization", "bearer %s"), tok), true, true},
		{"spaces", put(inHeader("Authorization", "Bearer   %s "), tok), true, true},
		{"Bearer without a token", put(inHeader("Authorization", "Bearer%.0s"), tok), false, false},
		{"no scheme", put(inHeader("Authorization", "%s"), tok), false, false},
		{"another scheme", put(inHeader("Authorization", "Basic %s"), tok), false, false},
		{"another scheme, then a sub-protocol", both(put(inHeader("Authorization", "Basic %s"), "YTpi"), put(protocol, tok)), true, true},
		{"sub-protocol", put(protocol, tok), true, true},
		{"sub-protocol in lower case", put(inHeader("sec-websocket-protocol", "bearer.%s,crypto-ticker.v1"), tok), true, true},
		{"sub-protocols in two headers", func(event map[string]any) {
			event["multiValueHeaders"].(map[string]any)["Sec-WebSocket-Protocol"] = []string{"crypto-ticker.v1", "bearer." + tok}
		}, true, true},
		{"single values alone", func(event map[string]any) {
			protocol(event, tok)
			delete(event, "multiValueHeaders")
		}, true, true},
		{"null headers", func(event map[string]any) {
			event["headers"], event["multiValueHeaders"] = nil, nil
		}, false, false},
		{"sub-protocol without bearer", put(inHeader("Sec-WebSocket-Protocol", "crypto-ticker.v1, %s"), tok), false, false},
		{"query", put(inQuery, tok), true, false},
		{"query, single values alone", func(event map[string]any) {
			event["queryStringParameters"] = map[string]any{"x-auth-token": tok}
		}, true, false},
		{"query, first of two", func(event map[string]any) {
			event["queryStringParameters"] = map[string]any{"x-auth-token": "x"}
			event["multiValueQueryStringParameters"] = map[string]any{"x-auth-token": []string{tok, "x"}}
		}, true, false},
		{"another parameter", func(event map[string]any) {
			event["queryStringParameters"] = map[string]any{"token": tok}
		}, false, false},
		{"cookie", put(inHeader("Cookie", "x-auth-token=%s"), tok), false, false},
		{"Authorization decides", both(put(inHeader("Authorization", "Bearer %s"), "x"), put(protocol, tok), put(inQuery, tok)), false, false},
		{"then the sub-protocol", both(put(protocol, "x"), put(inQuery, tok)), false, false},
		{"Authorization is right", both(put(inHeader("Authorization", "Bearer %s"), tok), put(protocol, "x"), put(inQuery, "x")), true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for h, want := range map[lambda.Handler]bool{withQuery: tt.want, withoutQuery: tt.noWant} {
				_, problem := authorize(t, h, tt.change)
				if got := problem == ""; got != want || !want && problem != "Unauthorized" {
					t.Errorf("query allowed: %v: %q; want it accepted: %v", h == withQuery, problem, want)
				}
			}
		})
	}
}

func TestAuthorizerRefuses(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	h := newHandler(t, functions.Authorizer, env)
	keyring, err := auth.ParseKeyring(env["TOKEN_KEY"])
	if err != nil {
		t.Fatal(err)
	}
	foreign := env.With("TOKEN_KEY", strings.Repeat("k", 32))
	for _, tt := range []struct{ name, token string }{
		{"nonsense", "x"},
		{"signed with another key", addToken(t, foreign, s, unchanged, asIs)},
		{"no record", keyring.NewToken()},
		{"expired", addToken(t, env, s, func(r *store.Token) { r.ExpiresAt = time.Now().Truncate(time.Second) }, asIs)},
		{"never valid", addToken(t, env, s, func(r *store.Token) { r.ExpiresAt = time.Unix(0, 0) }, asIs)},
		{"key revoked", addToken(t, env, s, unchanged, func(k *store.Key) { k.DisabledAt = time.Now() })},
		{"key gone", addToken(t, env, s, func(r *store.Token) { r.KeyLookup = "missing0" }, asIs)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, problem := authorize(t, h, func(event map[string]any) { inHeader("Authorization", "Bearer %s")(event, tt.token) })
			if problem != "Unauthorized" {
				t.Errorf("error %q; want Unauthorized to the letter", problem)
			}
		})
	}
}

// Without the database, forged tokens are refused all the same, since it is not
// asked; with a genuine one the client hears of a failure, not of a wrong token.
func TestAuthorizerWithoutDatabase(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	genuine := addToken(t, env, s, unchanged, asIs)
	const nobody = "http://127.0.0.1:1"
	for _, tt := range []struct {
		name         string
		env          []string
		token        string
		unauthorized bool
	}{
		{"forged", []string{"AWS_ENDPOINT_URL_DYNAMODB", nobody}, genuine[:len(genuine)-43] + strings.Repeat("A", 43), true},
		{"genuine", []string{"AWS_ENDPOINT_URL_DYNAMODB", nobody}, genuine, false},
		{"no table of tokens", []string{"TOKENS_TABLE", "Missing"}, genuine, false},
		{"no table of keys", []string{"KEYS_TABLE", "Missing"}, genuine, false},
		{"no token keys", []string{"TOKEN_KEY", "", "TOKEN_KEYS_SECRET", "x", "AWS_ENDPOINT_URL_SECRETS_MANAGER", nobody}, genuine, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHandler(t, functions.Authorizer, env.With(tt.env...))
			_, problem := authorize(t, h, func(event map[string]any) { inHeader("Authorization", "Bearer %s")(event, tt.token) })
			if problem == "" || (problem == "Unauthorized") != tt.unauthorized {
				t.Errorf("error %q; want Unauthorized: %v", problem, tt.unauthorized)
			}
			if strings.Contains(problem, tt.token) {
				t.Error("the error holds the token")
			}
		})
	}
}

func TestAuthorizerNeedsItsEnvironment(t *testing.T) {
	t.Parallel()
	env := storetest.Env{"KEYS_TABLE": "Keys", "TOKENS_TABLE": "Tokens", "TOKEN_KEY": strings.Repeat("k", 32)}
	for _, tt := range []struct {
		name string
		env  []string
		want string
	}{
		{"query is neither", []string{"ALLOW_QUERY_TOKEN", "maybe"}, "ALLOW_QUERY_TOKEN"},
		{"no tables", []string{"KEYS_TABLE", "", "TOKENS_TABLE", ""}, "KEYS_TABLE"},
		{"no token key", []string{"TOKEN_KEY", ""}, "TOKEN_KEY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := functions.Authorizer(t.Context(), env.With(tt.env...).Getenv)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v; want one with %s", err, tt.want)
			}
		})
	}
}
