package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A token is <key id>.<random>.<signature>, all of it characters that may stand
// in Sec-WebSocket-Protocol (a token of RFC 9110, section 5.6.2): the only
// place where a browser can put it without writing it into a URL.
const (
	randomBytes = 32
	maxKeyID    = 32 // characters
	partLength  = 43 // 32 bytes in base64 without padding
)

// envKeyID is the key id of a keyring that is a bare key.
const envKeyID = "local"

// ErrInvalid is the one answer to a token that is not genuine: nobody learns why.
var ErrInvalid = errors.New("auth: invalid token")

var base64url = base64.RawURLEncoding.Strict()

// Keyring signs tokens with its current key and verifies those of older ones. To
// change keys, add the new one, wait until every function has read it, make it
// current, and remove the old one when its last token has expired.
type Keyring struct {
	current string
	keys    map[string][]byte
}

// ParseKeyring reads a keyring: a JSON object with keys of at least 32
// characters by their ids, and the id of the key that signs as "current". A text
// that is no JSON object is taken as the only key. No error quotes the text, not
// even an id: somebody may have put the key in its place.
func ParseKeyring(text string) (*Keyring, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		if len(text) < minSecret {
			return nil, fmt.Errorf("auth: a token key of %d characters is too short: use at least %d", len(text), minSecret)
		}
		return &Keyring{envKeyID, map[string][]byte{envKeyID: []byte(text)}}, nil
	}
	var entries map[string]string
	if json.Unmarshal([]byte(text), &entries) != nil {
		return nil, errors.New(`auth: the token keys are no JSON object of strings such as {"current":"k1","k1":"…"}`)
	}
	ring := &Keyring{entries["current"], make(map[string][]byte, len(entries))}
	delete(entries, "current")
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		if !isKeyID(id) {
			return nil, fmt.Errorf("auth: the id of a token key is not 1 to %d letters, digits, - and _", maxKeyID)
		}
		if len(entries[id]) < minSecret {
			return nil, fmt.Errorf("auth: a token key has %d characters: use at least %d", len(entries[id]), minSecret)
		}
		ring.keys[id] = []byte(entries[id])
	}
	if ring.keys[ring.current] == nil {
		return nil, errors.New(`auth: "current" is the id of none of the token keys`)
	}
	return ring, nil
}

func isKeyID(id string) bool {
	for _, c := range []byte(id) {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return id != "" && len(id) <= maxKeyID
}

// NewToken returns a new random token, signed with the current key.
func (r *Keyring) NewToken() string {
	random := make([]byte, randomBytes)
	rand.Read(random) // never fails: the program ends instead
	body := r.current + "." + base64url.EncodeToString(random)
	return body + "." + base64url.EncodeToString(sign(r.keys[r.current], body))
}

// Verify checks form and signature of a token, in a time that does not depend on
// where a wrong signature differs. The error is ErrInvalid. Whether the token
// still counts, only its record can tell.
func (r *Keyring) Verify(token string) error {
	if len(token) > maxKeyID+2+2*partLength {
		return ErrInvalid
	}
	id, rest, _ := strings.Cut(token, ".")
	random, signature, _ := strings.Cut(rest, ".")
	key := r.keys[id]
	mac, ok := decodePart(signature)
	if _, isRandom := decodePart(random); !ok || !isRandom || key == nil {
		return ErrInvalid
	}
	if !hmac.Equal(mac, sign(key, token[:len(token)-len(".")-len(signature)])) {
		return ErrInvalid
	}
	return nil
}

// decodePart decodes a part of a token. Length and decoder are strict, so that
// no two texts are the same token.
func decodePart(part string) ([]byte, bool) {
	if len(part) != partLength {
		return nil, false
	}
	b, err := base64url.DecodeString(part)
	return b, err == nil && len(b) == randomBytes
}

func sign(key []byte, body string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(body))
	return mac.Sum(nil)
}

// HashToken returns the name under which a token is stored: its SHA-256 in
// hexadecimal. It can stand in logs and events where the token cannot.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
