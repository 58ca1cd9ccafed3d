package apigw

import (
	"strconv"
	"strings"
	"testing"
)

// TestSizesOfHeaders: each kind of API counts what its quota names, up to the
// last byte.
func TestSizesOfHeaders(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect")
	stack.HTTPAPIs = httpStack("GET /{p+}").HTTPAPIs
	stack.RESTAPIs = restStack("GET /{p+}").RESTAPIs
	stack.RESTAPIs[0].Stage = "rest"
	log, option := limitedTo(Quotas{})
	f := start(t, stack, nil, option)
	const (
		upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
		values  = len("UpgradewebsocketMDEyMzQ1Njc4OWFiY2RlZg==13")
		closing = "Connection: close\r\n"
	)
	many := strings.Repeat("Name: \r\n", 3000) // names that do not count
	for _, tt := range []struct {
		name, path, headers string
		counted             int // bytes of them that count, with the host's one
		most                int
		in, over            string
	}{
		{"HTTP API", "/x", closing + many, len("GET /x HTTP/1.1") + len("h") + len("close"), maxHeaders, "200 ", "431 "},
		{"REST API", "/rest/" + strings.Repeat("x", 9000), closing + many, len("h") + len("close"), maxHeaders, "200 ", "431 "},
		{"handshake", "/test?" + strings.Repeat("x", 4000), upgrade + many, len("h") + values, maxHeaders, "101 ", "431 "},
	} {
		for more, want := range []string{tt.in, tt.over} {
			text := "GET " + tt.path + " HTTP/1.1\r\nHost: h\r\n" + tt.headers + "X: " + strings.Repeat("x", tt.most-tt.counted+more) + "\r\n\r\n"
			if got := f.exchange(t, text, true); !strings.HasPrefix(got, "HTTP/1.1 "+want) {
				t.Errorf("%s with %d bytes too many: got %q, want %s", tt.name, more, got[:min(len(got), 200)], want)
			}
		}
	}
	log.has(t, quotaHeaders)

	url := "/rest/" + strings.Repeat("x", maxRESTURL-len("/rest/"))
	for more, want := range []int{200, 414} {
		if resp, body := f.request("GET", url+strings.Repeat("x", more), ""); resp.StatusCode != want {
			t.Errorf("a URL of %s characters: got %s %s, want %d", strconv.Itoa(len(url)+more), resp.Status, body, want)
		}
	}
	log.has(t, quotaURL)
}
