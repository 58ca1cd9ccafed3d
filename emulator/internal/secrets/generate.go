package secrets

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// The characters of generated secrets.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numbers     = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// generate makes a secret's value: a random password, or the template's JSON
// object with the password in it.
func generate(g *template.GenerateSecretString) (string, error) {
	password, err := randomPassword(g)
	if err != nil || g.SecretStringTemplate == "" {
		return password, err
	}
	var object map[string]any
	dec := json.NewDecoder(strings.NewReader(g.SecretStringTemplate))
	dec.UseNumber()
	if err := dec.Decode(&object); err != nil || object == nil || dec.More() {
		return "", errors.New("SecretStringTemplate is not a JSON object")
	}
	object[g.GenerateStringKey] = password
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(object); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

// randomPassword chooses every character with the same probability, and again
// if a kind of character is missing that has to be there: so all passwords that
// are allowed are equally likely.
func randomPassword(g *template.GenerateSecretString) (string, error) {
	length := cmp.Or(g.PasswordLength, 32)
	if length < 1 || length > 4096 {
		return "", fmt.Errorf("PasswordLength is %d; it must be 1 to 4096", length)
	}
	kinds, all := alphabet(g)
	if all == "" {
		return "", errors.New("GenerateSecretString excludes every character")
	}
	if !g.RequireEachIncludedType {
		kinds = nil
	}
	if length < len(kinds) {
		return "", fmt.Errorf("PasswordLength %d is too short for %d types of characters, each of which is required", length, len(kinds))
	}
	password := make([]byte, length)
	for {
		for i := range password {
			password[i] = choose(all)
		}
		if hasEach(password, kinds) {
			return string(password), nil
		}
	}
}

// alphabet returns the kinds of characters that a password may have, and all of
// them in one.
func alphabet(g *template.GenerateSecretString) ([]string, string) {
	var kinds []string
	for _, kind := range []struct {
		characters string
		excluded   bool
	}{
		{lowercase, g.ExcludeLowercase}, {uppercase, g.ExcludeUppercase}, {numbers, g.ExcludeNumbers},
		{punctuation, g.ExcludePunctuation}, {" ", !g.IncludeSpace},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(g.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, kind.characters)
		if !kind.excluded && left != "" {
			kinds = append(kinds, left)
		}
	}
	return kinds, strings.Join(kinds, "")
}

func hasEach(password []byte, kinds []string) bool {
	for _, kind := range kinds {
		if !bytes.ContainsAny(password, kind) {
			return false
		}
	}
	return true
}

// choose returns one of up to 256 characters. Bytes that would make the first
// characters likelier than the last are thrown away.
func choose(from string) byte {
	fair := 256 - 256%len(from)
	var b [1]byte
	for {
		rand.Read(b[:]) // never fails
		if int(b[0]) < fair {
			return from[int(b[0])%len(from)]
		}
	}
}
