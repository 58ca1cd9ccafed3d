package apigw

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/template"
)

var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k })
	otherKey = sync.OnceValue(func() *rsa.PrivateKey { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k })
	ecKey    = sync.OnceValue(func() *ecdsa.PrivateKey { k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return k })
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// testIssuer serves the documents of an issuer with both keys.
type testIssuer struct {
	*httptest.Server
	reads atomic.Int32
	down  atomic.Bool
	keyID atomic.Value // of the RSA key
}

func startIssuer(t *testing.T) *testIssuer {
	i := &testIssuer{}
	i.keyID.Store("rsa")
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.down.Load() {
			w.WriteHeader(500)
			return
		}
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			w.Write(encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}))
		case "/keys":
			i.reads.Add(1)
			point, _ := ecKey().PublicKey.Bytes()
			w.Write(encode(map[string]any{"keys": []map[string]string{
				{"kty": "RSA", "use": "sig", "kid": i.keyID.Load().(string), "n": base64url(rsaKey().N.Bytes()), "e": "AQAB"},
				{"kty": "EC", "kid": "ec", "crv": "P-256", "x": base64url(point[1:33]), "y": base64url(point[33:])},
				{"kty": "RSA", "use": "enc", "kid": "enc", "n": base64url(rsaKey().N.Bytes()), "e": "AQAB"},
				{"kty": "oct", "kid": "oct"}, {"kty": "RSA", "kid": "bad", "n": "!", "e": "AQAB"},
			}}))
		default:
			w.WriteHeader(404)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *testIssuer) stack(scopes ...string) *template.Stack {
	stack := guarded(func(a *template.HTTPAuthorizer) {
		a.IdentitySource = []string{"$request.header.Authorization"}
		a.JWT = &template.JWT{Issuer: i.URL, Audience: []string{"app", "other"}}
	}, "GET /x")
	stack.HTTPAPIs[0].Routes[0].Scopes = scopes
	return stack
}

// sign makes a token.
func sign(header, claims map[string]any, key crypto.Signer) string {
	signed := base64url(encode(header)) + "." + base64url(encode(claims))
	h := crypto.SHA256.New()
	h.Write([]byte(signed))
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		r, s, _ := ecdsa.Sign(rand.Reader, ec, h.Sum(nil))
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return signed + "." + base64url(out)
	}
	sig, _ := key.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
	return signed + "." + base64url(sig)
}

func TestTokensAreChecked(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	f := start(t, i.stack(), nil)
	now := f.clock.Now().Unix()
	rs, es := map[string]any{"alg": "RS256", "kid": "rsa"}, map[string]any{"alg": "ES256", "kid": "ec"}
	claims := func(change map[string]any) map[string]any {
		c := map[string]any{"iss": i.URL, "aud": "app", "exp": now + 60, "iat": now - 1, "nbf": now - 1}
		maps.Copy(c, change)
		maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
		return c
	}
	good := sign(rs, claims(nil), rsaKey())
	head, rest, _ := strings.Cut(good, ".")
	for _, tt := range []struct{ name, authorization, wrong string }{
		{"RS256", "Bearer " + good, ""},
		{"without Bearer", good, ""},
		{"ES256", sign(es, claims(nil), ecKey()), ""},
		{"audience in a list", sign(rs, claims(map[string]any{"aud": []string{"x", "other"}}), rsaKey()), ""},
		{"client_id", sign(rs, claims(map[string]any{"aud": nil, "client_id": "app"}), rsaKey()), ""},
		{"client_id beside aud", sign(rs, claims(map[string]any{"aud": "x", "client_id": "app"}), rsaKey()), errTokenAudience.Error()},
		{"no audience", sign(rs, claims(map[string]any{"aud": nil}), rsaKey()), errTokenAudience.Error()},
		{"issuer", sign(rs, claims(map[string]any{"iss": "https://evil.example"}), rsaKey()), errTokenIssuer.Error()},
		{"expired", sign(rs, claims(map[string]any{"exp": now - 1}), rsaKey()), errTokenExpired.Error()},
		{"no exp", sign(rs, claims(map[string]any{"exp": nil}), rsaKey()), errTokenExpired.Error()},
		{"exp is text", sign(rs, claims(map[string]any{"exp": "9999999999"}), rsaKey()), errTokenExpired.Error()},
		{"nbf", sign(rs, claims(map[string]any{"nbf": now + 60}), rsaKey()), errTokenEarly.Error()},
		{"iat", sign(rs, claims(map[string]any{"iat": now + 60}), rsaKey()), errTokenEarly.Error()},
		{"no nbf, no iat", sign(rs, claims(map[string]any{"nbf": nil, "iat": nil}), rsaKey()), ""},
		{"another key", sign(rs, claims(nil), otherKey()), errTokenSignature.Error()},
		{"another EC key's id", sign(map[string]any{"alg": "ES256", "kid": "rsa"}, claims(nil), ecKey()), errTokenAlgorithm.Error()},
		{"RS256 with an EC key", sign(map[string]any{"alg": "RS256", "kid": "ec"}, claims(nil), rsaKey()), errTokenAlgorithm.Error()},
		{"key for encryption", sign(map[string]any{"alg": "RS256", "kid": "enc"}, claims(nil), rsaKey()), errTokenKey.Error()},
		{"no kid", sign(map[string]any{"alg": "RS256"}, claims(nil), rsaKey()), errTokenKey.Error()},
		{"alg none", base64url([]byte(`{"alg":"none","kid":"rsa"}`)) + "." + base64url(encode(claims(nil))) + ".", errTokenAlgorithm.Error()},
		{"HS256", sign(map[string]any{"alg": "HS256", "kid": "rsa"}, claims(nil), rsaKey()), errTokenAlgorithm.Error()},
		{"other claims", head + "." + base64url(encode(claims(map[string]any{"sub": "root"}))) + rest[strings.LastIndex(rest, "."):], errTokenSignature.Error()},
		{"two parts", "a.b", errTokenForm.Error()},
		{"no base64", "!.!.!", errTokenForm.Error()},
		{"no JSON", "YQ.YQ.YQ", errTokenForm.Error()},
		{"Bearer alone", "Bearer x", errTokenForm.Error()},
	} {
		resp, body := f.request("GET", "/x", "", "Authorization", tt.authorization)
		want := `Bearer scope="" error="invalid_token" error_description="` + tt.wrong + `"`
		switch got := resp.Header.Get("Www-Authenticate"); {
		case tt.wrong == "" && resp.StatusCode != 200:
			t.Errorf("%s: got %d %s %s", tt.name, resp.StatusCode, body, got)
		case tt.wrong != "" && (resp.StatusCode != 401 || body != `{"message":"Unauthorized"}` || got != want):
			t.Errorf("%s: got %d %s %s, want 401 %s", tt.name, resp.StatusCode, body, got, want)
		}
	}
	resp, body := f.request("GET", "/x", "")
	if resp.StatusCode != 401 || body != `{"message":"Unauthorized"}` || resp.Header.Get("Www-Authenticate") != "Bearer" {
		t.Errorf("no token: got %d %s", resp.StatusCode, body)
	}
	f.clock.Advance(time.Minute + time.Second)
	if resp, _ := f.request("GET", "/x", "", "Authorization", good); resp.StatusCode != 401 {
		t.Errorf("expired by the emulator's clock: got %s", resp.Status)
	}
}

func TestTokensNeedAScope(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	f := start(t, i.stack("read", "write"), nil)
	for _, tt := range []struct {
		claim  string
		value  any
		status int
	}{
		{"scope", "read", 200}, {"scope", "a write", 200}, {"scp", []string{"read"}, 200}, {"scp", "read b", 200},
		{"scope", "reader", 403}, {"scope", "", 403}, {"scopes", "read", 403},
	} {
		token := sign(map[string]any{"alg": "RS256", "kid": "rsa"}, map[string]any{"iss": i.URL, "aud": "app", "exp": 1 << 33, tt.claim: tt.value}, rsaKey())
		resp, body := f.request("GET", "/x", "", "Authorization", token)
		if resp.StatusCode != tt.status || tt.status == 403 && (body != `{"message":"Forbidden"}` ||
			!strings.HasPrefix(resp.Header.Get("Www-Authenticate"), `Bearer scope="read write" error="insufficient_scope"`)) {
			t.Errorf("%s %v: got %d %s, want %d", tt.claim, tt.value, resp.StatusCode, body, tt.status)
		}
	}
}

func TestClaimsReachTheIntegration(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	f := start(t, i.stack("read", "write"), nil)
	f.request("GET", "/x", "", "Authorization", sign(map[string]any{"alg": "RS256", "kid": "rsa"}, map[string]any{"iss": i.URL, "aud": "app",
		"exp": 1 << 33, "scope": "read b", "groups": []any{"a", 1}, "admin": true}, rsaKey()))
	var ev httpEventV2
	json.Unmarshal(f.event("GET /x", 0), &ev)
	want := `{"jwt":{"claims":{"admin":"true","aud":"app","exp":"8589934592","groups":"[a 1]","iss":"` + i.URL + `","scope":"read b"},"scopes":["read"]}}`
	if got := string(ev.RequestContext.Authorizer); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKeysOfTheIssuerAreKept(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	f := start(t, i.stack(), nil)
	get := func(keyID string, status, reads int) {
		t.Helper()
		token := sign(map[string]any{"alg": "RS256", "kid": keyID}, map[string]any{"iss": i.URL, "aud": "app", "exp": 1 << 33}, rsaKey())
		if resp, _ := f.request("GET", "/x", "", "Authorization", token); resp.StatusCode != status || int(i.reads.Load()) != reads {
			t.Errorf("%s: got %d after %d reads, want %d after %d", keyID, resp.StatusCode, i.reads.Load(), status, reads)
		}
	}
	i.down.Store(true)
	get("rsa", 401, 0)
	i.down.Store(false)
	get("rsa", 401, 0) // a failure is kept for a while, too
	f.clock.Advance(retryAfter)
	get("rsa", 200, 1)
	get("rsa", 200, 1)
	i.keyID.Store("next")
	get("next", 401, 1) // not again so soon
	f.clock.Advance(time.Minute)
	get("next", 200, 2)
	f.clock.Advance(2 * time.Hour)
	get("next", 200, 3)
}

func FuzzToken(f *testing.F) {
	f.Add("a.b.c", "AQAB")
	f.Add(sign(map[string]any{"alg": "RS256"}, map[string]any{"exp": 1}, rsaKey()), "")
	f.Fuzz(func(t *testing.T, text, number string) {
		if tok, err := parseToken(text); err == nil {
			tok.scopes()
			tok.check(&template.JWT{}, time.Unix(0, 0))
			if tok.verify(&rsaKey().PublicKey) == nil && !strings.HasPrefix(text, "ey") {
				t.Errorf("%q is valid", text)
			}
			for _, v := range tok.claims {
				claimText(v)
			}
		}
		for _, k := range []jwk{{Type: "RSA", N: number, E: number}, {Type: "EC", Curve: "P-256", X: number, Y: number}} {
			if key, ok := k.public().(*rsa.PublicKey); ok {
				(&token{}).verify(key)
				if key.N.Cmp(new(big.Int)) <= 0 {
					t.Error("no modulus")
				}
			}
		}
	})
}
