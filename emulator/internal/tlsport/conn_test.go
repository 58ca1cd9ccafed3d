package tlsport_test

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
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
func spellings(r io.Reader) map[string]string {
	c := &tlsport.Conn{Conn: stream{Reader: r}}
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return nil
	}
	return tlsport.Spellings(req.WithContext(tlsport.ConnContext(req.Context(), c)))
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
		{"another method", "POST /x?y=1 HTTP/1.0\r\nhost: h\r\ncontent-length: 2\r\n\r\n\r\n", map[string]string{"Host": "host", "Content-Length": "content-length"}},
		{"with another request behind it", "GET / HTTP/1.1\r\nhost: h\r\n\r\nGET / HTTP/1.1\r\nHOST: h\r\n\r\n", map[string]string{"Host": "host"}},
		{"behind a break", "\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n", nil},
		{"too long", "GET / HTTP/1.1\r\nhost: h\r\n" + upgrade + long + "\r\n", nil},
		{"not whole", "GET / HTTP/1.1\r\nhost: h\r\n" + upgrade, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(tt.text), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.text))} {
				if got := spellings(r); !maps.Equal(got, tt.want) {
					t.Errorf("%s: got %v; want %v", how, got, tt.want)
				}
			}
		})
	}
	if got := tlsport.Spellings(&http.Request{}); got != nil {
		t.Errorf("of no connection: got %v", got)
	}
}

// TestSpellingsOfEveryRequest sends requests as soon as the one before is answered,
// and some before that, over one connection.
func TestSpellingsOfEveryRequest(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	s := &http.Server{ErrorLog: quiet, ConnContext: tlsport.ConnContext, ConnState: tlsport.ConnState,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, tlsport.Spellings(r)["X-Test"])
		})}
	go s.Serve(tlsport.Listen(inner, nil, quiet))
	defer s.Close()
	nc, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	in := bufio.NewReader(nc)
	check := func(what, want string) {
		t.Helper()
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(res.Body); string(got) != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	get := func(name string) string { return "GET / HTTP/1.1\r\nHost: h\r\n" + name + ": 1\r\n\r\n" }
	for n := range 50 {
		for _, name := range []string{"x-test", "X-TEST", "X-Test"} {
			io.WriteString(nc, get(name))
			check("GET", name)
			body := strings.Repeat("x", n*n+1)
			io.WriteString(nc, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n"+name+": 1\r\n\r\n"+body)
			check("POST", name)
		}
	}
	io.WriteString(nc, get("x-test")+get("X-TEST"))
	check("the first of two at once", "x-test")
	check("the second of two at once", "")
	io.WriteString(nc, get("x-TEST"))
	check("after that", "x-TEST")
	io.WriteString(nc, get("x-fill: "+strings.Repeat("x", 20000)+"\r\nx-test"))
	check("a long one", "")
	io.WriteString(nc, get("x-tesT"))
	check("after a long one", "x-tesT")
}

// FuzzSpellings: each header that net/http reads has a spelling, and no other.
func FuzzSpellings(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\nhost: h\r\nUpgrade: websocket\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nhost: h\r\nuPGRADE: websocket\r\nx: a\r\n b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		got := spellings(iotest.HalfReader(bytes.NewReader(text)))
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
