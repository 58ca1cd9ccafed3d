// https://openid.net/specs/openid-connect-discovery-1_0.html

package apigw

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/clock"
)

const (
	keysLast      = 2 * time.Hour   // the service keeps keys that long
	keysAtLeast   = 1 * time.Minute // before an unknown key id makes them be read again
	issuerTimeout = 5 * time.Second // of one request, in real time
	maxIssuerBody = 1 << 20         // bytes
)

// errIssuer says that an issuer's keys cannot be read.
var errIssuer = errors.New("OIDC discovery endpoint communication error")

// issuer is who signs tokens, with its public keys, which are kept for a while.
type issuer struct {
	url    string
	clock  *clock.Clock
	client *http.Client

	mu   sync.Mutex // also held while keys are read, so that it is done once
	keys map[string]crypto.PublicKey
	read time.Time
}

func newIssuer(url string, c *clock.Clock) *issuer {
	// Without keep-alive no connection is left when the gateway closes.
	return &issuer{url: url, clock: c, client: &http.Client{Timeout: issuerTimeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}}
}

// key returns the public key with an id. It returns errTokenKey, or an error that
// wraps errIssuer.
func (i *issuer) key(ctx context.Context, id string) (crypto.PublicKey, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	age := i.clock.Now().Sub(i.read)
	if i.keys == nil || age >= keysLast || i.keys[id] == nil && age >= keysAtLeast {
		keys, err := i.fetch(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errIssuer, err)
		}
		i.keys, i.read = keys, i.clock.Now()
	}
	if key := i.keys[id]; key != nil {
		return key, nil
	}
	return nil, errTokenKey
}

func (i *issuer) fetch(ctx context.Context) (map[string]crypto.PublicKey, error) {
	var discovery struct {
		JWKS string `json:"jwks_uri"`
	}
	at := strings.TrimSuffix(i.url, "/") + "/.well-known/openid-configuration"
	if err := i.get(ctx, at, &discovery); err != nil {
		return nil, err
	}
	if discovery.JWKS == "" {
		return nil, fmt.Errorf("%s has no jwks_uri", at)
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := i.get(ctx, discovery.JWKS, &set); err != nil {
		return nil, err
	}
	keys := map[string]crypto.PublicKey{}
	for _, k := range set.Keys {
		if key := k.public(); key != nil && k.KeyID != "" {
			keys[k.KeyID] = key
		}
	}
	return keys, nil
}

func (i *issuer) get(ctx context.Context, url string, to any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := i.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s", url, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxIssuerBody))
	if err != nil {
		return fmt.Errorf("get %s: %w", url, err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("get %s: %w", url, err)
	}
	return nil
}

// jwk is a JSON Web Key.
// https://www.rfc-editor.org/rfc/rfc7517
type jwk struct {
	Type  string `json:"kty"`
	Use   string `json:"use"`
	KeyID string `json:"kid"`
	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// public returns the key, or nil if it is of no use here.
func (k jwk) public() crypto.PublicKey {
	if k.Use != "" && k.Use != "sig" {
		return nil
	}
	switch {
	case k.Type == "RSA":
		n, e := decodeInt(k.N), decodeInt(k.E)
		if n == nil || e == nil || n.Sign() == 0 || e.BitLen() > 31 {
			return nil
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}
	case k.Type == "EC" && k.Curve == "P-256":
		x, y := decodeInt(k.X), decodeInt(k.Y)
		if x == nil || y == nil || x.BitLen() > 256 || y.BitLen() > 256 {
			return nil
		}
		point := make([]byte, 65)
		point[0] = 4 // not compressed
		x.FillBytes(point[1:33])
		y.FillBytes(point[33:])
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return nil
		}
		return key
	}
	return nil
}

func decodeInt(s string) *big.Int {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) == 0 {
		return nil
	}
	return new(big.Int).SetBytes(b)
}
