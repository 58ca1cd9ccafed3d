package auth

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

const (
	oldKey = "old-key-old-key-old-key-old-key-0"
	newKey = "new-key-new-key-new-key-new-key-0"

	// goldenToken is signed with oldKey as k1, apart from this code, with hmac of
	// another language.
	goldenToken = "k1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8.a93U645P69RjQCYIWDnsC8Vqc5TEqmYH9XxNtJm_ej4"
)

func keyring(t testing.TB, text string) *Keyring {
	t.Helper()
	r, err := ParseKeyring(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ringJSON(current string) string {
	return fmt.Sprintf(`{"current":%q,"k1":%q,"k2":%q}`, current, oldKey, newKey)
}

// The form is that of a Sec-WebSocket-Protocol value, and short of a URL's
// special characters.
func TestNewToken(t *testing.T) {
	t.Parallel()
	r := keyring(t, ringJSON("k2"))
	form := regexp.MustCompile(`^k2\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$`)
	seen := map[string]bool{}
	for range 1000 {
		tok := r.NewToken()
		if !form.MatchString(tok) {
			t.Fatalf("NewToken() = %q; want the form %v", tok, form)
		}
		if seen[tok] {
			t.Fatalf("token %q came twice", tok)
		}
		seen[tok] = true
		if err := r.Verify(tok); err != nil {
			t.Fatalf("Verify(%q) = %v", tok, err)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	before := keyring(t, fmt.Sprintf(`{"current":"k1","k1":%q}`, oldKey))
	during := keyring(t, ringJSON("k1"))
	after := keyring(t, ringJSON("k2"))
	end := keyring(t, fmt.Sprintf(`{"current":"k2","k2":%q}`, newKey))
	for _, tt := range []struct {
		name           string
		signer, reader *Keyring
		want           error
	}{
		{"new key added", before, during, nil},
		{"not read again yet", during, before, nil},
		{"new key current", during, after, nil},
		{"signed with the new key", after, during, nil},
		{"old key gone", after, end, nil},
		{"old token when its key is gone", before, end, ErrInvalid},
		{"new token where its key is unknown", end, before, ErrInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.reader.Verify(tt.signer.NewToken()); !errors.Is(got, tt.want) {
				t.Errorf("Verify = %v; want %v", got, tt.want)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	r := keyring(t, ringJSON("k1"))
	tok := goldenToken
	if err := r.Verify(tok); err != nil {
		t.Fatalf("Verify(%q) = %v", tok, err)
	}
	parts := strings.Split(tok, ".")
	id, random, signature := parts[0], parts[1], parts[2]
	other := strings.Split(r.NewToken(), ".")
	// 32 bytes leave the last character two bits that a lax decoder ignores.
	last := base64Alphabet[strings.IndexByte(base64Alphabet, signature[42])|1]
	sameBytes := signature[:42] + string(last)
	for _, tt := range []struct{ name, token string }{
		{"nothing", ""},
		{"dots", ".."},
		{"one part", random},
		{"two parts", id + "." + random},
		{"four parts", tok + ".x"},
		{"no key id", "." + random + "." + signature},
		{"another key's id", "k2." + random + "." + signature},
		{"unknown key id", "k3." + random + "." + signature},
		{"current is no key", "current." + random + "." + signature},
		{"another random part", id + "." + other[1] + "." + signature},
		{"another signature", id + "." + random + "." + other[2]},
		{"empty signature", id + "." + random + "."},
		{"short signature", tok[:len(tok)-1]},
		{"padded", tok + "="},
		{"other bits at the end", id + "." + random + "." + sameBytes},
		{"line break", id + "." + random + "." + signature[:42] + "\n"},
		{"other alphabet", id + "." + random + "." + "+/" + signature[2:]},
		{"signs nothing", id + ".." + signature},
		{"white space", " " + tok},
		{"very long", id + "." + strings.Repeat("A", 1<<20) + "." + signature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.token == tok {
				t.Fatal("the token is valid: the case tests nothing")
			}
			if got := r.Verify(tt.token); !errors.Is(got, ErrInvalid) {
				t.Errorf("Verify(%.100q) = %v; want %v", tt.token, got, ErrInvalid)
			}
		})
	}
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func TestParseKeyring(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"a bare key", oldKey, ""},
		{"a keyring", ringJSON("k2"), ""},
		{"white space around", "\n " + ringJSON("k2") + "\n", ""},
		{"nothing", "", "too short"},
		{"a short bare key", "swordfish", "too short"},
		{"no JSON", `{"current":`, "no JSON object"},
		{"a number", `{"current":1}`, "no JSON object"},
		{"empty", `{}`, `"current" is the id of none`},
		{"no current", fmt.Sprintf(`{"k1":%q}`, oldKey), `"current" is the id of none`},
		{"current is missing", ringJSON("k3"), `"current" is the id of none`},
		{"current is itself", fmt.Sprintf(`{"current":"current","k1":%q}`, oldKey), `"current" is the id of none`},
		{"a short key", `{"current":"k1","k1":"swordfish"}`, "a token key has 9 characters"},
		{"a bad id", fmt.Sprintf(`{"current":"k.1","k.1":%q}`, oldKey), "is not 1 to 32"},
		{"the key as current", fmt.Sprintf(`{"current":%q,"k1":%q}`, oldKey, oldKey), `"current" is the id of none`},
		{"the key as an id", fmt.Sprintf(`{"current":"k1",%q:"k1"}`, oldKey), "token key"},
		{"a long id", fmt.Sprintf(`{"current":"k1","%s":%q}`, strings.Repeat("k", 33), oldKey), "is not 1 to 32"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := ParseKeyring(tt.text)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Verify(r.NewToken()); err != nil {
					t.Errorf("its own token: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error = %v; want one with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "swordfish") || strings.Contains(err.Error(), oldKey) {
				t.Errorf("error %q holds a key", err)
			}
		})
	}
}

func TestHashToken(t *testing.T) {
	t.Parallel()
	// printf abc | sha256sum
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := HashToken("abc"); got != want {
		t.Errorf("HashToken = %s; want %s", got, want)
	}
}

func FuzzVerify(f *testing.F) {
	r := keyring(f, ringJSON("k1"))
	f.Add(goldenToken)
	f.Add("k1..")
	f.Add(strings.Repeat(".", 90))
	f.Add("k1." + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, token string) {
		if err := r.Verify(token); err == nil && token != goldenToken {
			t.Errorf("Verify(%q) accepts what was never issued", token)
		}
	})
}

func FuzzParseKeyring(f *testing.F) {
	f.Add(ringJSON("k1"))
	f.Add(oldKey)
	f.Add(`{"current":"k1"}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseKeyring(text)
		if err != nil {
			return
		}
		if err := r.Verify(r.NewToken()); err != nil {
			t.Errorf("keyring %q refuses its own token", text)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	r := keyring(b, ringJSON("k1"))
	tok := r.NewToken()
	for b.Loop() {
		if r.Verify(tok) != nil {
			b.Fatal("refused")
		}
	}
}
