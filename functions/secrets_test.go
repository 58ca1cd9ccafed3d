package functions

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A source is a secret's store whose text and whose failure a test sets.
type source struct {
	text  string
	err   error
	reads int
}

func (s *source) read(context.Context) (string, error) {
	s.reads++
	return s.text, s.err
}

// newSecret returns a secret of at least 3 characters, and what moves its time.
func newSecret(s *source) (_ *secret[string], advance func(time.Duration)) {
	now := time.Unix(1_700_000_000, 0)
	parse := func(text string) (string, error) {
		if len(text) < 3 {
			return "", errors.New("too short")
		}
		return text, nil
	}
	return &secret[string]{name: "TEST", read: s.read, parse: parse, now: func() time.Time { return now }},
		func(d time.Duration) { now = now.Add(d) }
}

func wantSecret(t *testing.T, s *secret[string], want string) {
	t.Helper()
	if got, err := s.get(t.Context()); err != nil || got != want {
		t.Errorf("get = %q, %v; want %q", got, err, want)
	}
}

func TestSecretIsReadAgain(t *testing.T) {
	t.Parallel()
	src := &source{text: "first"}
	s, advance := newSecret(src)
	wantSecret(t, s, "first")
	src.text = "second"
	advance(secretAge - time.Second)
	wantSecret(t, s, "first")
	if src.reads != 1 {
		t.Errorf("%d reads; want 1", src.reads)
	}
	advance(time.Second)
	wantSecret(t, s, "second")
}

// What cannot be read, or used, does not displace what works.
func TestOldSecretServesOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		bad  source
	}{
		{"unreachable", source{err: errors.New("unreachable")}},
		{"unusable", source{text: "x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := &source{text: "first"}
			s, advance := newSecret(src)
			wantSecret(t, s, "first")
			*src = tt.bad
			advance(secretAge)
			wantSecret(t, s, "first")
			wantSecret(t, s, "first")
			if src.reads != 1 {
				t.Errorf("%d failed reads; want 1 in %v", src.reads, secretRetry)
			}
			*src = source{text: "second"}
			advance(secretRetry)
			wantSecret(t, s, "second")
		})
	}
}

// Without any value, each use tries again.
func TestSecretUnreachableAtStart(t *testing.T) {
	t.Parallel()
	unreachable := errors.New("unreachable")
	src := &source{err: unreachable}
	s, _ := newSecret(src)
	for range 2 {
		if _, err := s.get(t.Context()); !errors.Is(err, unreachable) {
			t.Errorf("get = %v; want %v", err, unreachable)
		}
	}
	*src = source{text: "first"}
	wantSecret(t, s, "first")
}

func TestUnusableSecret(t *testing.T) {
	t.Parallel()
	s, _ := newSecret(&source{text: "x"})
	_, err := s.get(t.Context())
	if !errors.Is(err, errBadSecret) || !strings.HasPrefix(err.Error(), "TEST: ") {
		t.Errorf("get = %v; want errBadSecret with the secret's name", err)
	}
}

// What a function finds in Secrets Manager at its start decides whether it does
// start; that nothing can be found out yet is no reason not to.
func TestOpenKeyring(t *testing.T) {
	t.Parallel()
	const key = "swordfish-swordfish-swordfish-swordfish"
	for _, tt := range []struct {
		name          string
		status        int
		text          string
		starts, works bool
	}{
		{"a keyring", 200, `{"current":"k1","k1":"` + key + `"}`, true, true},
		{"an unusable keyring", 200, `{"current":"k2","k1":"` + key + `"}`, false, false},
		{"an empty secret", 200, "", false, false},
		{"not allowed", 400, "", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var in struct{ SecretId string }
				b, _ := io.ReadAll(r.Body)
				if err := json.Unmarshal(b, &in); err != nil || in.SecretId != "TokenKeys" || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
					t.Errorf("request %s with %s", r.Header.Get("X-Amz-Target"), b)
				}
				w.WriteHeader(tt.status)
				json.NewEncoder(w).Encode(map[string]string{"SecretString": tt.text})
			}))
			t.Cleanup(s.Close)
			env := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
				"AWS_ENDPOINT_URL_SECRETS_MANAGER": s.URL, "TOKEN_KEYS_SECRET": "TokenKeys"}
			keyring, err := openKeyring(t.Context(), func(name string) string { return env[name] })
			if (err == nil) != tt.starts {
				t.Fatalf("openKeyring: %v; want a start: %v", err, tt.starts)
			}
			if err == nil {
				_, err = keyring.get(t.Context())
			}
			if (err == nil) != tt.works {
				t.Errorf("error %v; want a keyring: %v", err, tt.works)
			}
			if err != nil && strings.Contains(err.Error(), "swordfish") {
				t.Errorf("error %q holds the key", err)
			}
		})
	}
}
