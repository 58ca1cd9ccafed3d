package apigw

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// TestRefusalsDoNotFloodTheLog counts lines by the emulator's time.
func TestRefusalsDoNotFloodTheLog(t *testing.T) {
	t.Parallel()
	log, option := limitedTo(Quotas{})
	f := start(t, httpStack("GET /x"), nil, option)
	f.clock.Advance(0)
	check := func(when string, want ...string) {
		t.Helper()
		log.mu.Lock()
		defer log.mu.Unlock()
		var got []string
		for line := range strings.Lines(log.buf.String()) {
			_, line, _ = strings.Cut(line, "msg=")
			got = append(got, strings.TrimSpace(line))
		}
		log.buf.Reset()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q; want %q", when, got, want)
		}
	}
	refuse := func(n int) {
		for range n {
			f.exceeded(quotaFrame, "A")
		}
	}
	line := func(quota, api string, n int) string {
		return fmt.Sprintf(`"quota exceeded" quota="%s" api=%s count=%d`, quota, api, n)
	}
	refuse(5)
	check("at once", line(quotaFrame, "A", 1))
	f.exceeded(quotaFrame, "B")
	f.exceeded(quotaMessage, "A")
	check("others", line(quotaFrame, "B", 1), line(quotaMessage, "A", 1))
	f.clock.Advance(time.Second)
	check("a second later", line(quotaFrame, "A", 4))
	refuse(2)
	check("in the next second")
	f.clock.Advance(time.Second)
	check("after it", line(quotaFrame, "A", 2))
	f.clock.Advance(time.Second)
	refuse(1)
	check("after a second of peace", line(quotaFrame, "A", 1))
	refuse(3)
	f.Close(t.Context())
	check("at the end", line(quotaFrame, "A", 3))
	refuse(1)
	check("after it", line(quotaFrame, "A", 1))
	f.clock.Advance(time.Second)
	if refuse(1); f.notices.recent != nil {
		t.Error("a timer runs after Close")
	}
}

// TestConnectionsThatEndTogetherAreToldTogether, as are requests to a stage that
// there is not: anybody can send those.
func TestConnectionsThatEndTogetherAreToldTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, option := limitedTo(Quotas{Idle: time.Minute})
		p := serveInBubble(t, socketStack("$default"), nil, option)
		for range 5 {
			c := p.socket(t, func(nc net.Conn) net.Conn { return nc })
			go io.Copy(io.Discard, c.buf)
			if status := p.status(t, strings.Replace(rawHandshake, "/test", "/none", 1)); status != 403 {
				t.Errorf("got %d, want 403", status)
			}
		}
		time.Sleep(time.Minute + time.Second) // of the bubble's time
		synctest.Wait()
		log.mu.Lock()
		defer log.mu.Unlock()
		for _, text := range []string{"connection has reached a quota", "no WebSocket API has this stage"} {
			if got := strings.Count(log.buf.String(), text); got != 2 {
				t.Errorf("got %d lines that say %q, want one at once and one with how many: %s", got, text, &log.buf)
			}
		}
	})
}

// TestPostThatIsNoUTF8IsSentWithAWarning: what reads it is to say what is wrong.
func TestPostThatIsNoUTF8IsSentWithAWarning(t *testing.T) {
	t.Parallel()
	log, option := limitedTo(Quotas{})
	f := start(t, socketStack("$connect"), nil, option)
	c := f.raw()
	for _, tt := range []struct {
		body   string
		warned bool
	}{{"\u00e4", false}, {"a\xff", true}} {
		resp, _ := f.manage("POST", f.connectionID(0), tt.body)
		if op, payload := c.frame(); resp.StatusCode != 200 || op != ws.OpText || payload != tt.body {
			t.Errorf("%q: got %s and a frame %v %q", tt.body, resp.Status, op, payload)
		}
		log.mu.Lock()
		if got := strings.Contains(log.buf.String(), "no UTF-8"); got != tt.warned {
			t.Errorf("%q: a warning: got %t, want %t", tt.body, got, tt.warned)
		}
		log.mu.Unlock()
	}
}
