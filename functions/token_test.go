package functions_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator"
	"crypto-ticker/functions"
	"crypto-ticker/shared/auth"
	"crypto-ticker/shared/store"
	"crypto-ticker/shared/store/storetest"
)

// newEnv returns an environment with empty tables, and a store on them.
func newEnv(t *testing.T) (storetest.Env, *store.Store) {
	t.Helper()
	env := storetest.New(t, emulator.RunDynamoDB(t).URL())
	s, err := store.Open(env.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return env, s
}

func newHandler(t *testing.T, c functions.Constructor, env storetest.Env) lambda.Handler {
	t.Helper()
	return functions.NewInstances(t, c, env.Getenv)
}

// addKey stores a key for ada and returns it.
func addKey(t *testing.T, env storetest.Env, s *store.Store, change func(*store.Key)) string {
	t.Helper()
	pepper, err := auth.NewPepper(env["KEY_PEPPER"])
	if err != nil {
		t.Fatal(err)
	}
	apiKey, lookup := auth.NewKey()
	k := store.Key{Lookup: lookup, Hash: pepper.Hash(apiKey), UserID: "ada", Role: "user", CreatedAt: time.Now()}
	change(&k)
	if err := s.AddKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	return apiKey
}

func asIs(*store.Key) {}

// exchangeKey posts a body and returns the answer.
func exchangeKey(t *testing.T, h lambda.Handler, change func(event map[string]any)) events.APIGatewayV2HTTPResponse {
	t.Helper()
	out, err := h.Invoke(t.Context(), functions.GoldenEvent(t, "token_post.json", change))
	if err != nil {
		t.Fatal(err)
	}
	var res events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &res); err != nil {
		t.Fatal(err)
	}
	return res
}

func body(text string) func(map[string]any) {
	return func(event map[string]any) { event["body"] = text }
}

func keyBody(apiKey string) string { return fmt.Sprintf(`{"api_key":%q}`, apiKey) }

func TestTokenIsIssued(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	h := newHandler(t, functions.Token, env.With("TOKEN_LIFETIME", "90s"))
	apiKey := addKey(t, env, s, asIs)
	begin := time.Now().Truncate(time.Second)
	res := exchangeKey(t, h, body(keyBody(apiKey)))

	m := regexp.MustCompile(`^\{"token":"([A-Za-z0-9._-]+)","user_id":"ada","role":"user","expires_in":90\}$`).FindStringSubmatch(res.Body)
	if res.StatusCode != 200 || m == nil {
		t.Fatalf("answer %d %s", res.StatusCode, res.Body)
	}
	want := map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}
	if !maps.Equal(res.Headers, want) {
		t.Errorf("headers %v; want %v", res.Headers, want)
	}
	record, err := s.Token(t.Context(), auth.HashToken(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	lookup, _ := auth.ParseKey(apiKey)
	if record.UserID != "ada" || record.Role != "user" || fmt.Sprint(record.Policies) != "[user_policy]" ||
		record.IP != "203.0.113.24" || record.KeyLookup != lookup {
		t.Errorf("record %+v", record)
	}
	if record.IssuedAt.Before(begin) || record.IssuedAt.After(time.Now()) || record.ExpiresAt.Sub(record.IssuedAt) != 90*time.Second {
		t.Errorf("issued at %v, expires at %v; want now and 90 s later", record.IssuedAt, record.ExpiresAt)
	}
}

// The key's policies are those of its tokens.
func TestTokenHasPoliciesOfKey(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	h := newHandler(t, functions.Token, env)
	apiKey := addKey(t, env, s, func(k *store.Key) { k.Policies = []string{"bitcoin_policy"} })
	var answer struct {
		Token     string
		ExpiresIn int `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(exchangeKey(t, h, body(keyBody(apiKey))).Body), &answer); err != nil {
		t.Fatal(err)
	}
	record, err := s.Token(t.Context(), auth.HashToken(answer.Token))
	if err != nil || fmt.Sprint(record.Policies) != "[bitcoin_policy]" {
		t.Errorf("policies %v, %v; want bitcoin_policy", record.Policies, err)
	}
	if answer.ExpiresIn != 3600 {
		t.Errorf("expires_in = %d; want 3600 where TOKEN_LIFETIME is not set", answer.ExpiresIn)
	}
}

func TestTokenRefuses(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	h := newHandler(t, functions.Token, env)
	valid := addKey(t, env, s, asIs)
	revoked := addKey(t, env, s, func(k *store.Key) { k.DisabledAt = time.Now() })
	otherPepper := addKey(t, env.With("KEY_PEPPER", strings.Repeat("p", 32)), s, asIs)
	noHash := addKey(t, env, s, func(k *store.Key) { k.Hash = "" })
	unknown, _ := auth.NewKey()

	const (
		invalidJSON = `{"error":"invalid JSON"}`
		keyRequired = `{"error":"api_key required"}`
		invalidKey  = `{"error":"invalid API key"}`
	)
	for _, tt := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"empty", ``, 400, invalidJSON},
		{"no JSON", `api_key=x`, 400, invalidJSON},
		{"cut off", `{"api_key":"x"`, 400, invalidJSON},
		{"more than one value", keyBody(valid) + `{}`, 400, invalidJSON},
		{"null", `null`, 400, invalidJSON},
		{"array", `["api_key"]`, 400, invalidJSON},
		{"number", `42`, 400, invalidJSON},
		{"string", `"api_key"`, 400, invalidJSON},
		{"no key", `{}`, 400, keyRequired},
		{"empty key", `{"api_key":""}`, 400, keyRequired},
		{"null key", `{"api_key":null}`, 400, keyRequired},
		{"key is a number", `{"api_key":1}`, 400, keyRequired},
		{"key is an object", `{"api_key":{"x":1}}`, 400, keyRequired},
		{"other case", `{"API_KEY":"` + valid + `"}`, 400, keyRequired},
		{"malformed", `{"api_key":"demo-key"}`, 401, invalidKey},
		{"white space around", keyBody(valid + "\n"), 401, invalidKey},
		{"unknown", keyBody(unknown), 401, invalidKey},
		{"revoked", keyBody(revoked), 401, invalidKey},
		{"wrong secret", keyBody(otherPepper), 401, invalidKey},
		{"record without a hash", keyBody(noHash), 401, invalidKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := exchangeKey(t, h, body(tt.body))
			if res.StatusCode != tt.status || res.Body != tt.want {
				t.Errorf("answer %d %s; want %d %s", res.StatusCode, res.Body, tt.status, tt.want)
			}
			if got := res.Headers["Cache-Control"]; got != "no-store" {
				t.Errorf("Cache-Control %q; want no-store", got)
			}
		})
	}
}

// Time tells nothing either, since every invalid key costs the same: one reading
// of the database, and one hash, which nothing can leave out.
func TestTokenSameWork(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	target, err := url.Parse(env["AWS_ENDPOINT_URL_DYNAMODB"])
	if err != nil {
		t.Fatal(err)
	}
	var operations []string // of one exchange at a time
	proxy := httputil.NewSingleHostReverseProxy(target)
	counter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operations = append(operations, r.Header.Get("X-Amz-Target"))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(counter.Close)
	h := newHandler(t, functions.Token, env.With("AWS_ENDPOINT_URL_DYNAMODB", counter.URL))
	unknown, _ := auth.NewKey()
	for _, tt := range []struct{ name, key string }{
		{"malformed", "demo-key"},
		{"typing error", unknown[:len(unknown)-1] + "_"},
		{"unknown", unknown},
		{"wrong secret", addKey(t, env.With("KEY_PEPPER", strings.Repeat("p", 32)), s, asIs)},
		{"revoked", addKey(t, env, s, func(k *store.Key) { k.DisabledAt = time.Now() })},
	} {
		operations = nil
		res := exchangeKey(t, h, body(keyBody(tt.key)))
		if res.StatusCode != 401 || !slices.Equal(operations, []string{"DynamoDB_20120810.GetItem"}) {
			t.Errorf("%s: answer %d after %v; want 401 after one GetItem", tt.name, res.StatusCode, operations)
		}
	}
}

func TestTokenBase64(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	h := newHandler(t, functions.Token, env)
	encoded := base64.StdEncoding.EncodeToString([]byte(keyBody(addKey(t, env, s, asIs))))
	for _, tt := range []struct {
		name, body string
		want       int
	}{{"base64", encoded, 200}, {"no base64", "{}", 400}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := exchangeKey(t, h, func(event map[string]any) {
				event["body"], event["isBase64Encoded"] = tt.body, true
			})
			if res.StatusCode != tt.want {
				t.Errorf("answer %d %s; want %d", res.StatusCode, res.Body, tt.want)
			}
		})
	}
}

func TestTokenMethods(t *testing.T) {
	t.Parallel()
	env, _ := newEnv(t)
	h := newHandler(t, functions.Token, env)
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", ""} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			res := exchangeKey(t, h, func(event map[string]any) {
				event["requestContext"].(map[string]any)["http"].(map[string]any)["method"] = method
			})
			if res.StatusCode != 405 || res.Body != `{"error":"method not allowed"}` || res.Headers["Allow"] != "POST" {
				t.Errorf("answer %d %s, Allow: %s", res.StatusCode, res.Body, res.Headers["Allow"])
			}
		})
	}
}

// Each failure has its answer, by what really failed, and none says more.
func TestTokenFailures(t *testing.T) {
	t.Parallel()
	const nobody = "http://127.0.0.1:1" // where nobody listens
	for _, tt := range []struct {
		name   string
		env    []string
		status int
		want   string
	}{
		{"no database", []string{"AWS_ENDPOINT_URL_DYNAMODB", nobody}, 500, `{"error":"database unavailable"}`},
		{"no table of keys", []string{"KEYS_TABLE", "Missing"}, 500, `{"error":"database unavailable"}`},
		{"no pepper", []string{"KEY_PEPPER", "", "KEY_PEPPER_SECRET", "KeyPepper", "AWS_ENDPOINT_URL_SECRETS_MANAGER", nobody}, 500, `{"error":"token store unavailable"}`},
		{"no token keys", []string{"TOKEN_KEY", "", "TOKEN_KEYS_SECRET", "TokenKeys", "AWS_ENDPOINT_URL_SECRETS_MANAGER", nobody}, 500, `{"error":"token store unavailable"}`},
		{"no table of tokens", []string{"TOKENS_TABLE", "Missing"}, 500, `{"error":"token creation failed"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env, s := newEnv(t)
			apiKey := addKey(t, env, s, asIs)
			h := newHandler(t, functions.Token, env.With(tt.env...))
			res := exchangeKey(t, h, body(keyBody(apiKey)))
			if res.StatusCode != tt.status || res.Body != tt.want {
				t.Errorf("answer %d %s; want %d %s", res.StatusCode, res.Body, tt.status, tt.want)
			}
		})
	}
}

// A database that does not answer at all is told of before Lambda ends the
// invocation, which would leave the client without a reason.
func TestTokenInTime(t *testing.T) {
	t.Parallel()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or else the end of the connection goes unseen
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	env := storetest.Env{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL_DYNAMODB": silent.URL, "KEYS_TABLE": "Keys", "TOKENS_TABLE": "Tokens",
		"TOKEN_KEY": strings.Repeat("k", 32), "KEY_PEPPER": strings.Repeat("p", 32)}
	h := newHandler(t, functions.Token, env)
	apiKey, _ := auth.NewKey()
	ctx, cancel := context.WithTimeout(t.Context(), 1100*time.Millisecond)
	defer cancel()
	out, err := h.Invoke(ctx, functions.GoldenEvent(t, "token_post.json", body(keyBody(apiKey))))
	if err != nil || ctx.Err() != nil || !strings.Contains(string(out), `database unavailable`) {
		t.Errorf("answer %s, %v, time is over: %v", out, err, ctx.Err())
	}
}

func TestTokenNeedsItsEnvironment(t *testing.T) {
	t.Parallel()
	env := storetest.Env{"KEYS_TABLE": "Keys", "TOKENS_TABLE": "Tokens",
		"TOKEN_KEY": strings.Repeat("k", 32), "KEY_PEPPER": strings.Repeat("p", 32)}
	for _, tt := range []struct {
		name string
		env  []string
		want string
	}{
		{"no tables", []string{"KEYS_TABLE", "", "TOKENS_TABLE", ""}, "KEYS_TABLE"},
		{"no token key", []string{"TOKEN_KEY", ""}, "TOKEN_KEYS_SECRET"},
		{"no pepper", []string{"KEY_PEPPER", ""}, "KEY_PEPPER_SECRET"},
		{"reference that sam local leaves", []string{"TOKEN_KEY", "{{resolve:secretsmanager:TokenKeys}}"}, "TOKEN_KEYS_SECRET"},
		{"short token key", []string{"TOKEN_KEY", "swordfish"}, "too short"},
		{"short pepper", []string{"KEY_PEPPER", "swordfish"}, "too short"},
		{"lifetime is no duration", []string{"TOKEN_LIFETIME", "3600"}, "TOKEN_LIFETIME"},
		{"lifetime is negative", []string{"TOKEN_LIFETIME", "-1h"}, "TOKEN_LIFETIME"},
		{"lifetime is too short", []string{"TOKEN_LIFETIME", "10ms"}, "TOKEN_LIFETIME"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := functions.Token(t.Context(), env.With(tt.env...).Getenv)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "swordfish") {
				t.Errorf("error = %v; want one with %s and no secret", err, tt.want)
			}
		})
	}
}
