// Package auth is what the app knows of secrets and rights, without storage: API
// keys and their hashes, signed tokens, and the policies that say who may do
// what. Everything in it is computed, so all of it can be tested without AWS.
package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
)

// An API key is ctk_<lookup>_<secret><checksum>, 52 characters: the prefix lets
// scanners find keys that leaked, the lookup names the key's record and is no
// secret, the checksum finds typing errors without the database.
const (
	keyPrefix      = "ctk_"
	lookupLength   = 8
	secretLength   = 32
	checksumLength = 6
	keyLength      = len(keyPrefix) + lookupLength + len("_") + secretLength + checksumLength
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// minSecret is the least length of a pepper or a token key in characters, from
// which an attacker who has hashes or tokens cannot guess it.
const minSecret = 32

// NewKey returns a random API key and its lookup.
func NewKey() (key, lookup string) {
	entropy := make([]byte, 64)
	rand.Read(entropy) // never fails: the program ends instead
	return keyFrom(entropy)
}

// keyFrom makes an API key from 64 bytes of entropy. That is far more than the
// 40 characters hold, so that each comes out equally often.
func keyFrom(entropy []byte) (key, lookup string) {
	chars := encode62(new(big.Int).SetBytes(entropy), lookupLength+secretLength)
	lookup = chars[:lookupLength]
	body := keyPrefix + lookup + "_" + chars[lookupLength:]
	return body + checksum(body), lookup
}

// ParseKey returns the lookup of an API key, and whether the key is well formed:
// form and checksum tell nothing that its sender could not compute.
func ParseKey(key string) (lookup string, ok bool) {
	if len(key) != keyLength || !strings.HasPrefix(key, keyPrefix) {
		return "", false
	}
	body, sum := key[:keyLength-checksumLength], key[keyLength-checksumLength:]
	rest := key[len(keyPrefix):]
	lookup, secret := rest[:lookupLength], rest[lookupLength+1:]
	if rest[lookupLength] != '_' || !IsLookup(lookup) || !isBase62(secret) || sum != checksum(body) {
		return "", false
	}
	return lookup, true
}

// IsLookup says whether s has the form of an API key's lookup.
func IsLookup(s string) bool { return len(s) == lookupLength && isBase62(s) }

func isBase62(s string) bool {
	for i := range len(s) {
		if strings.IndexByte(base62, s[i]) < 0 {
			return false
		}
	}
	return true
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return encode62(new(big.Int).SetUint64(uint64(sum)), checksumLength)
}

// encode62 returns the last n base 62 digits of v, which it changes.
func encode62(v *big.Int, n int) string {
	digits, base, rest := make([]byte, n), big.NewInt(int64(len(base62))), new(big.Int)
	for i := n - 1; i >= 0; i-- {
		v.DivMod(v, base, rest)
		digits[i] = base62[rest.Int64()]
	}
	return string(digits)
}

// Pepper hashes API keys, so that a copy of the key table without the pepper is
// worth nothing. Keys are random and long: a slow hash would only cost time.
type Pepper struct{ secret []byte }

// NewPepper returns the pepper made of a secret of at least 32 characters.
func NewPepper(secret string) (Pepper, error) {
	if len(secret) < minSecret {
		return Pepper{}, fmt.Errorf("auth: a pepper of %d characters is too short: use at least %d", len(secret), minSecret)
	}
	return Pepper{[]byte(secret)}, nil
}

// Hash returns what is stored of an API key: its HMAC-SHA256 in hexadecimal.
func (p Pepper) Hash(key string) string {
	return hex.EncodeToString(sign(p.secret, key))
}

// Matches says whether hash is that of key, in a time that does not depend on
// where they differ. No key matches an empty hash.
func (p Pepper) Matches(key, hash string) bool {
	return hmac.Equal([]byte(p.Hash(key)), []byte(hash))
}

// DemoKey returns the key that belongs to this pepper: always the same one, so
// that every start can show a working key of which only the hash is stored.
func (p Pepper) DemoKey() (key, lookup string) {
	entropy, err := hkdf.Key(sha256.New, p.secret, nil, "crypto-ticker demo key", 64)
	if err != nil {
		panic(err) // only for lengths that HKDF does not have
	}
	return keyFrom(entropy)
}
