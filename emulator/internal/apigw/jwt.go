// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html

package apigw

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	_ "crypto/sha256" // of the algorithms
	_ "crypto/sha512"

	"crypto-ticker/emulator/internal/template"
)

// What is wrong with a token, as the client is told.
var (
	errTokenForm      = errors.New("the token is malformed")
	errTokenAlgorithm = errors.New("signing method is invalid")
	errTokenKey       = errors.New("the token's key is unknown")
	errTokenSignature = errors.New("invalid signature")
	errTokenIssuer    = errors.New("the token has an invalid issuer")
	errTokenAudience  = errors.New("the token does not have a valid audience")
	errTokenExpired   = errors.New("the token has expired")
	errTokenEarly     = errors.New("the token is not yet valid")
)

// token is a JSON Web Token, of which nothing has been checked.
type token struct {
	header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	claims    map[string]any
	signed    []byte
	signature []byte
}

func parseToken(s string) (*token, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil, errTokenForm
	}
	var decoded [3][]byte
	for i, p := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return nil, errTokenForm
		}
	}
	t := &token{signed: []byte(parts[0] + "." + parts[1]), signature: decoded[2]}
	d := json.NewDecoder(bytes.NewReader(decoded[1]))
	d.UseNumber()
	if json.Unmarshal(decoded[0], &t.header) != nil || !json.Valid(decoded[1]) || d.Decode(&t.claims) != nil || t.claims == nil {
		return nil, errTokenForm
	}
	return t, nil
}

var rsaHashes = map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}

// verify checks the signature. The key's type, and not the token alone, decides
// which algorithms will do.
func (t *token) verify(key crypto.PublicKey) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		hash, ok := rsaHashes[t.header.Algorithm]
		if !ok {
			return errTokenAlgorithm
		}
		h := hash.New()
		h.Write(t.signed)
		if rsa.VerifyPKCS1v15(key, hash, h.Sum(nil), t.signature) != nil {
			return errTokenSignature
		}
	case *ecdsa.PublicKey:
		if t.header.Algorithm != "ES256" {
			return errTokenAlgorithm
		}
		h := crypto.SHA256.New()
		h.Write(t.signed)
		if len(t.signature) != 64 ||
			!ecdsa.Verify(key, h.Sum(nil), new(big.Int).SetBytes(t.signature[:32]), new(big.Int).SetBytes(t.signature[32:])) {
			return errTokenSignature
		}
	default:
		return errTokenAlgorithm
	}
	return nil
}

// check compares the claims with what the authorizer wants.
func (t *token) check(want *template.JWT, now time.Time) error {
	if t.claims["iss"] != want.Issuer {
		return errTokenIssuer
	}
	audience := textList(t.claims["aud"])
	if _, ok := t.claims["aud"]; !ok {
		audience = textList(t.claims["client_id"])
	}
	if !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(want.Audience, a) }) {
		return errTokenAudience
	}
	if exp, ok := t.seconds("exp"); !ok || unix(now) >= exp {
		return errTokenExpired
	}
	for _, claim := range []string{"nbf", "iat"} {
		if _, given := t.claims[claim]; !given {
			continue
		}
		if from, ok := t.seconds(claim); !ok || unix(now) < from {
			return errTokenEarly
		}
	}
	return nil
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (t *token) seconds(claim string) (float64, bool) {
	n, ok := t.claims[claim].(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// scopes are those of scope, which separates them by spaces, and of scp, which
// may also be a list.
func (t *token) scopes() []string {
	var out []string
	for _, claim := range []string{"scope", "scp"} {
		for _, s := range textList(t.claims[claim]) {
			out = append(out, strings.Fields(s)...)
		}
	}
	return out
}

// textList gives a string, or the strings of a list.
func textList(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// claimText gives a claim as events hold it: lists as [a b].
func claimText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, claimText(item))
		}
		return "[" + strings.Join(items, " ") + "]"
	}
	return string(encode(v))
}

// checkToken is authorize of a JWT authorizer.
func (a *httpAuthorizer) checkToken(w http.ResponseWriter, call *httpCall, values []string) (httpCaller, bool) {
	if len(values) == 0 {
		w.Header()["Www-Authenticate"] = []string{"Bearer"}
		writeMessage(w, http.StatusUnauthorized, "Unauthorized")
		return httpCaller{}, false
	}
	route := call.route
	refuse := func(status int, message, code, description string) (httpCaller, bool) {
		w.Header()["Www-Authenticate"] = []string{fmt.Sprintf("Bearer scope=%q error=%q error_description=%q",
			strings.Join(route.Scopes, " "), code, description)}
		writeMessage(w, status, message)
		return httpCaller{}, false
	}
	text := values[0]
	if len(text) > 7 && strings.EqualFold(text[:7], "Bearer ") {
		text = strings.TrimSpace(text[7:])
	}
	t, err := a.validToken(call.r.Context(), text)
	if err != nil {
		return refuse(http.StatusUnauthorized, "Unauthorized", "invalid_token", err.Error())
	}
	var scopes []string
	if len(route.Scopes) > 0 {
		for _, s := range t.scopes() {
			if slices.Contains(route.Scopes, s) {
				scopes = append(scopes, s)
			}
		}
		if scopes == nil {
			return refuse(http.StatusForbidden, "Forbidden", "insufficient_scope", "the token does not have a required scope")
		}
	}
	claims := map[string]string{}
	for name, v := range t.claims {
		claims[name] = claimText(v)
	}
	jwt := map[string]any{"claims": claims, "scopes": scopes}
	return httpCaller{v1: encode(jwt), v2: encode(map[string]any{"jwt": jwt})}, true
}

// validToken checks all but the scopes. Its error is one that a client may see.
func (a *httpAuthorizer) validToken(ctx context.Context, text string) (*token, error) {
	t, err := parseToken(text)
	if err != nil {
		return nil, err
	}
	if _, ok := rsaHashes[t.header.Algorithm]; !ok && t.header.Algorithm != "ES256" {
		return nil, errTokenAlgorithm
	}
	if err := t.check(a.def.JWT, a.api.g.cfg.Clock.Now()); err != nil {
		return nil, err
	}
	log := a.api.g.cfg.Log.With("api", a.api.def.LogicalID, "authorizer", a.def.Name)
	key, err := a.issuer.key(ctx, a.api.g.ctx, t.header.KeyID)
	if errors.Is(err, errIssuer) {
		if err != errIssuer { // each attempt is told once, however many wait for it
			log.Warn("the keys of the issuer cannot be had, so tokens are refused with 401", "error", err)
		}
		return nil, errIssuer
	}
	if err != nil {
		return nil, err
	}
	if err := t.verify(key); err != nil {
		return nil, err
	}
	if t.header.Algorithm == "ES256" {
		log.Warn("token accepted that API Gateway would refuse: its documents allow RSA only", "algorithm", t.header.Algorithm)
	}
	return t, nil
}
