package tlsport_test

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"testing/iotest"

	"crypto-ticker/emulator/internal/tlsport"
)

// stream is a connection from which a text is read.
type stream struct {
	net.Conn
	io.Reader
}

func (s stream) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// spellings reads a text as a server does and returns what is known then.
func spellings(r io.Reader) (*tlsport.Conn, map[string]string) {
	c := &tlsport.Conn{Conn: stream{Reader: r}}
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return c, nil
	}
	return c, c.Spellings()
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	const upgrade = "Upgrade: WebSocket\r\n"
	long := "x-long: " + strings.Repeat("x", 20000) + "\r\n"
	for _, tt := range []struct {
		name, text string
		want       map[string]string
	}{
		{"handshake", "GET / HTTP/1.1\r\nhost: h\r\nx-API-key: 1\r\nUpgrade: websocket\r\nX-Api-Key: 2\r\nSec-WebSocket-Key: k\r\n\r\n",
			map[string]string{"Host": "host", "X-Api-Key": "x-API-key", "Upgrade": "Upgrade", "Sec-Websocket-Key": "Sec-WebSocket-Key"}},
		{"with a frame behind it", "GET / HTTP/1.1\r\nHOST: h\r\n" + upgrade + "\r\n\x81\x80a: b\r\n\r\n", map[string]string{"Host": "HOST", "Upgrade": "Upgrade"}},
		{"without carriage returns", "GET / HTTP/1.1\nhost: h\nx-y: 1\r\n" + upgrade + "\n\x81\x80", map[string]string{"Host": "host", "X-Y": "x-y", "Upgrade": "Upgrade"}},
		{"no handshake", "GET / HTTP/1.1\r\nhost: h\r\n\r\n", nil},
		{"another method", "POST / HTTP/1.1\r\nhost: h\r\n" + upgrade + "\r\n", nil},
		{"the second request", "GET / HTTP/1.1\r\nhost: h\r\n\r\nGET / HTTP/1.1\r\nhost: h\r\n" + upgrade + "\r\n", nil},
		{"too long", "GET / HTTP/1.1\r\nhost: h\r\n" + upgrade + long + "\r\n", nil},
		{"not whole", "GET / HTTP/1.1\r\nhost: h\r\n" + upgrade, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(tt.text), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.text))} {
				c, got := spellings(r)
				if !maps.Equal(got, tt.want) {
					t.Errorf("%s: got %v; want %v", how, got, tt.want)
				}
				if again := c.Spellings(); again != nil {
					t.Errorf("%s: it has kept %v", how, again)
				}
			}
		})
	}
	if got := (*tlsport.Conn)(nil).Spellings(); got != nil {
		t.Errorf("of no connection: got %v", got)
	}
}

// FuzzSpellings: each header that net/http reads has a spelling, and no other.
func FuzzSpellings(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\nhost: h\r\nUpgrade: websocket\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nhost: h\r\nuPGRADE: websocket\r\nx: a\r\n b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		_, got := spellings(iotest.HalfReader(bytes.NewReader(text)))
		if err != nil || got == nil {
			return
		}
		for key := range whole.Header {
			if s, ok := got[key]; !ok || textproto.CanonicalMIMEHeaderKey(s) != key {
				t.Errorf("%q: got the spelling %q, %t", key, s, ok)
			}
		}
	})
}
