// https://openid.net/specs/openid-connect-discovery-1_0.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html

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
	keysLast      = 2 * time.Hour           // the service keeps keys that long
	keysAtLeast   = 1 * time.Minute         // before an unknown key id makes them be read again
	retryAfter    = 5 * time.Second         // before an issuer without usable keys is asked again
	issuerTimeout = 1500 * time.Millisecond // of one request, in real time
	maxIssuerBody = 150_000                 // bytes
)

// errIssuer says that an issuer's keys cannot be read. Who has tried that wraps it
// with the reason; who has heard of it gets errIssuer itself.
var errIssuer = errors.New("OIDC discovery endpoint communication error")

// issuer is who signs tokens, with its public keys, which are kept for a while.
type issuer struct {
	url    string
	clock  *clock.Clock
	client *http.Client

	mu       sync.Mutex
	keys     map[string]crypto.PublicKey
	read     time.Time     // when the keys were
	tried    time.Time     // to read them, for the last time
	failed   bool          // has that
	fetching chan struct{} // is closed when the fetch that runs has ended; nil if none does
}

func newIssuer(url string, c *clock.Clock) *issuer {
	// Without keep-alive no connection is left when the gateway closes.
	return &issuer{url: url, clock: c, client: &http.Client{Timeout: issuerTimeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}}
}

// key returns the public key with an id. If the keys have to be read first, one
// caller does that, until stop is done, and the others wait for it, until their
// own ctx is done; those whose keys are known wait for nobody. It returns
// errTokenKey, or an error that is or wraps errIssuer.
func (i *issuer) key(ctx, stop context.Context, id string) (crypto.PublicKey, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for {
		key, err := i.known(id)
		if key != nil || err != nil {
			return key, err
		}
		if i.fetching == nil {
			if err := i.refresh(stop); err != nil {
				return nil, fmt.Errorf("%w: %w", errIssuer, err)
			}
			continue
		}
		ended := i.fetching
		i.mu.Unlock()
		select {
		case <-ended:
		case <-ctx.Done():
		}
		i.mu.Lock()
		if ctx.Err() != nil {
			return nil, errIssuer // nobody waits for it any more
		}
	}
}

// known returns a key or an error as far as they can be told without the issuer,
// and otherwise neither. i.mu is held.
func (i *issuer) known(id string) (crypto.PublicKey, error) {
	now := i.clock.Now()
	fresh := i.keys != nil && now.Sub(i.read) < keysLast
	switch {
	case fresh && i.keys[id] != nil:
		return i.keys[id], nil
	case fresh && now.Sub(i.tried) < keysAtLeast:
		return nil, errTokenKey
	case !fresh && i.failed && now.Sub(i.tried) < retryAfter:
		return nil, errIssuer
	}
	return nil, nil
}

// refresh reads the keys. i.mu is held, but not meanwhile.
func (i *issuer) refresh(ctx context.Context) error {
	ended := make(chan struct{})
	i.fetching = ended
	i.mu.Unlock()
	keys, err := i.fetch(ctx)
	i.mu.Lock()
	i.fetching = nil
	close(ended)
	i.tried, i.failed = i.clock.Now(), err != nil
	if err == nil {
		i.keys, i.read = keys, i.tried
	}
	return err
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
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxIssuerBody+1))
	if err != nil {
		return fmt.Errorf("get %s: %w", url, err)
	}
	if len(b) > maxIssuerBody {
		return fmt.Errorf("get %s: the answer has more than %d bytes", url, maxIssuerBody)
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
