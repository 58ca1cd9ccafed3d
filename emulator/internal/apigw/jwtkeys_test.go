package apigw

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"crypto-ticker/emulator/internal/clock"
)

// slowIssuer is an issuer whose every answer takes the time given, or for ever.
type slowIssuer struct {
	takes time.Duration
	calls atomic.Int32
}

func (s *slowIssuer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls.Add(1)
	select {
	case <-time.After(s.takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	body := `{"jwks_uri":"http://issuer/keys"}`
	if strings.HasSuffix(r.URL.Path, "/keys") {
		body = `{"keys":[{"kty":"RSA","kid":"known","n":"` + base64url(rsaKey().N.Bytes()) + `","e":"AQAB"}]}`
	}
	return &http.Response{StatusCode: 200, Status: "200 OK", Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// inBubble runs a test with an issuer that has been asked for its keys once, if
// warm, and with a clock that stands still.
func inBubble(t *testing.T, warm bool, test func(t *testing.T, i *issuer, s *slowIssuer, c *clock.Clock)) {
	t.Parallel()
	rsaKey() // whose making may wait for another test
	synctest.Test(t, func(t *testing.T) {
		c, s := clock.New(), &slowIssuer{takes: time.Millisecond}
		defer c.Close()
		i := newIssuer("http://issuer", c)
		i.client.Transport = s
		if warm {
			if key, err := i.key(t.Context(), t.Context(), "known"); key == nil || err != nil {
				t.Fatalf("got %v, %v; want a key", key, err)
			}
			s.calls.Store(0)
		}
		test(t, i, s, c)
	})
}

// keyAnswer is what key returned, and when.
type keyAnswer struct {
	key   crypto.PublicKey
	err   error
	after time.Duration
}

// askAll has n callers ask for a key at once, and returns what each got.
func askAll(ctx context.Context, i *issuer, id string, n int) []keyAnswer {
	begin, answers := time.Now(), make([]keyAnswer, n)
	var all sync.WaitGroup
	for k := range answers {
		all.Go(func() {
			key, err := i.key(ctx, context.Background(), id)
			answers[k] = keyAnswer{key, err, time.Since(begin)}
		})
	}
	all.Wait()
	return answers
}

// TestKnownKeysDoNotWaitForTheIssuer: or whoever makes up key ids while it is
// down would keep everybody out.
func TestKnownKeysDoNotWaitForTheIssuer(t *testing.T) {
	inBubble(t, true, func(t *testing.T, i *issuer, s *slowIssuer, c *clock.Clock) {
		c.Advance(keysAtLeast)
		s.takes = time.Hour
		forged := make(chan keyAnswer, 1)
		go func() { forged <- askAll(t.Context(), i, "forged", 1)[0] }()
		synctest.Wait() // until it waits for the issuer
		if a := askAll(t.Context(), i, "known", 1)[0]; a.key == nil || a.after != 0 {
			t.Errorf("a known key: got %+v, want it at once", a)
		}
		if a := <-forged; !errors.Is(a.err, errIssuer) || a.after != issuerTimeout {
			t.Errorf("the forged one: got %+v, want errIssuer after %v", a, issuerTimeout)
		}
		if a := askAll(t.Context(), i, "forged", 1)[0]; a.err != errTokenKey || a.after != 0 || s.calls.Load() != 1 {
			t.Errorf("another forged one: got %+v after %d calls, want errTokenKey at once without a call", a, s.calls.Load())
		}
		c.Advance(keysAtLeast)
		s.takes = 0
		if a := askAll(t.Context(), i, "forged", 1)[0]; a.err != errTokenKey || s.calls.Load() != 3 {
			t.Errorf("a minute later: got %+v after %d calls, want errTokenKey after two more", a, s.calls.Load())
		}
	})
}

func TestCallersShareOneFetch(t *testing.T) {
	inBubble(t, false, func(t *testing.T, i *issuer, s *slowIssuer, c *clock.Clock) {
		s.takes = time.Second
		for _, a := range askAll(t.Context(), i, "known", 100) {
			if a.key == nil || a.after != 2*time.Second {
				t.Fatalf("got %+v, want the key after two answers", a)
			}
		}
		if n := s.calls.Load(); n != 2 {
			t.Errorf("got %d calls, want 2", n)
		}
	})
}

func TestFailedFetchIsNotRepeatedAtOnce(t *testing.T) {
	inBubble(t, false, func(t *testing.T, i *issuer, s *slowIssuer, c *clock.Clock) {
		s.takes = time.Hour
		reasons := 0 // given to the one that has tried
		for _, a := range askAll(t.Context(), i, "known", 100) {
			if !errors.Is(a.err, errIssuer) || a.after != issuerTimeout {
				t.Fatalf("got %+v, want errIssuer after %v", a, issuerTimeout)
			}
			if a.err != errIssuer {
				reasons++
			}
		}
		if a := askAll(t.Context(), i, "known", 1)[0]; a.err != errIssuer || a.after != 0 || s.calls.Load() != 1 || reasons != 1 {
			t.Errorf("got %+v after %d calls and %d reasons, want errIssuer at once after one", a, s.calls.Load(), reasons)
		}
		c.Advance(retryAfter)
		s.takes = 0
		if a := askAll(t.Context(), i, "known", 1)[0]; a.key == nil || s.calls.Load() != 3 {
			t.Errorf("later: got %+v after %d calls, want the key after two more", a, s.calls.Load())
		}
	})
}

func TestCallersThatHaveGoneDoNotWait(t *testing.T) {
	inBubble(t, false, func(t *testing.T, i *issuer, s *slowIssuer, c *clock.Clock) {
		s.takes = time.Second
		first := make(chan keyAnswer, 1)
		go func() { first <- askAll(t.Context(), i, "known", 1)[0] }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if a := askAll(ctx, i, "known", 1)[0]; a.err != errIssuer || a.after != time.Millisecond {
			t.Errorf("got %+v, want errIssuer after a millisecond", a)
		}
		if a := <-first; a.key == nil {
			t.Errorf("the first one: got %+v, want the key", a)
		}
	})
}

func TestAnswersOfIssuersHaveALimit(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(append([]byte("{}"), bytes.Repeat([]byte(" "), maxIssuerBody)...))
	}))
	defer server.Close()
	c := clock.New()
	defer c.Close()
	if _, err := newIssuer(server.URL, c).key(t.Context(), t.Context(), "known"); !errors.Is(err, errIssuer) ||
		!strings.Contains(err.Error(), "more than 150000 bytes") {
		t.Errorf("got %v, want errIssuer because of the size", err)
	}
}
