package tlsport_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crypto-ticker/emulator/internal/leaktest"
	"crypto-ticker/emulator/internal/tlsport"
)

const patience = 10 * time.Second // for what does happen

func TestMain(m *testing.M) {
	os.Exit(leaktest.Main(m, []string{"internal/tlsport.", "net/http."}))
}

// authority returns one for the test, and the roots of a client that trusts it.
func authority(t *testing.T) (*tlsport.Authority, *x509.CertPool) {
	t.Helper()
	a, err := tlsport.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, roots(t, a.CertFile())
}

func roots(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s has no certificate", file)
	}
	return pool
}

// serve answers each request with its scheme, path and body, and returns where.
func serve(t *testing.T, a *tlsport.Authority) string {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	s := &http.Server{ErrorLog: quiet, ConnContext: tlsport.ConnContext, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme := "http"
		if tlsport.Of(r).Secure() {
			scheme = "https"
		}
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, scheme+" "+r.Proto+" "+r.URL.Path+" "+string(body))
	})}
	l := tlsport.Listen(tcp, a.Config(), quiet)
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return tcp.Addr().String()
}

func dial(t *testing.T, host string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return nc
}

func TestOnePort(t *testing.T) {
	t.Parallel()
	a, pool := authority(t)
	host := serve(t, a)
	dial(t, host)                        // says nothing
	io.WriteString(dial(t, host), "G")   // and nothing more
	dial(t, host).Write([]byte{22, 3})   // never shakes hands
	dial(t, host).(*net.TCPConn).Close() // leaves at once
	_, port, _ := net.SplitHostPort(host)
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
	}}
	for _, tt := range []struct{ url, want string }{
		{"http://" + host + "/a", "http HTTP/1.1 /a text"},
		{"https://" + host + "/b", "https HTTP/1.1 /b text"},
		{"https://localhost:" + port + "/c", "https HTTP/1.1 /c text"},
	} {
		res, err := client.Post(tt.url, "text/plain", strings.NewReader("text"))
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.url, got, err, tt.want)
		}
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	a, _ := authority(t)
	host := serve(t, a)
	for _, tt := range []struct{ name, send, want string }{
		{"no TLS version", "\x16garbage that is no record", ""},
		{"no handshake", "\x16\x03\x01\x00\x05hello", "\x15\x03\x01\x00\x02\x02"},
		{"neither", "\x00\x01\x02\r\n\r\n", "HTTP/1.1 400 Bad Request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			nc := dial(t, host)
			io.WriteString(nc, tt.send)
			got, err := io.ReadAll(nc)
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Error("the connection stays open")
			}
			if !strings.HasPrefix(string(got), tt.want) {
				t.Errorf("got %q; want %q…", got, tt.want)
			}
		})
	}
}

// TestHandshakeByteByByte: a client that is slow is served all the same.
func TestHandshakeByteByByte(t *testing.T) {
	t.Parallel()
	a, pool := authority(t)
	nc := tls.Client(slow{dial(t, serve(t, a))}, &tls.Config{RootCAs: pool, ServerName: "localhost"})
	if _, err := io.WriteString(nc, "GET /slow HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(nc)
	if err != nil || !strings.HasSuffix(string(got), "https HTTP/1.0 /slow ") {
		t.Errorf("got %q, %v", got, err)
	}
}

// slow writes each byte in a packet of its own.
type slow struct{ net.Conn }

func (s slow) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := s.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// TestPlainStaysAsItIs: what the others do with connections needs more of them
// than net.Conn has.
func TestPlainStaysAsItIs(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := tlsport.Listen(tcp, nil, nil)
	defer l.Close()
	io.WriteString(dial(t, tcp.Addr().String()), "hello")
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	got := make([]byte, 5)
	if _, err := io.ReadFull(nc, got); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v; want all that was sent", got, err)
	}
	if inner := nc.(*tlsport.Conn).NetConn(); inner.RemoteAddr() != nc.RemoteAddr() {
		t.Errorf("got %T as what it was", inner)
	} else if _, ok := inner.(interface{ CloseWrite() error }); !ok {
		t.Errorf("%T cannot close one side", inner)
	}
	if err := nc.(*tlsport.Conn).CloseWrite(); err != nil {
		t.Errorf("%T cannot close one side: %v", nc, err)
	}
}

// pipes is a listener whose connections are in memory, without the kernel.
type pipes struct {
	next   chan any // net.Conn or error
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan any, 8), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case <-p.closed:
		return nil, net.ErrClosed
	case x := <-p.next:
		if err, ok := x.(error); ok {
			return nil, err
		}
		return x.(net.Conn), nil
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.next <- server
	return client
}

func TestSilentConnectionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		var failed strings.Builder
		l := tlsport.Listen(inner, &tls.Config{}, log.New(&failed, "", 0))
		defer l.Close()
		for _, sent := range []string{"", "\x16\x03\x01"} { // the second one begins to shake hands
			silent := inner.dial()
			begin := time.Now()
			io.WriteString(silent, sent)
			if _, err := silent.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("got %v; want the end", err)
			}
			if got := time.Since(begin); got != 10*time.Second {
				t.Errorf("%q: it lasted %v; want 10s", sent, got)
			}
		}
		if got := failed.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "TLS handshake error from ") {
			t.Errorf("logged %q; want one handshake", got)
		}

		late := inner.dial()
		go func() {
			time.Sleep(9 * time.Second)
			io.WriteString(late, "hello")
		}()
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // the limit was for the first byte
		got := make([]byte, 5)
		if _, err := io.ReadFull(nc, got); err != nil || string(got) != "hello" {
			t.Errorf("got %q, %v; want hello", got, err)
		}
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := tlsport.Listen(inner, nil, nil)
		silent, sorted := inner.dial(), inner.dial()
		go io.WriteString(sorted, "hello") // nobody accepts it
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		for _, nc := range []net.Conn{silent, sorted} {
			if _, err := nc.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("got %v; want the end", err)
			}
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: got %v; want net.ErrClosed", err)
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("again: got %v; want net.ErrClosed", err)
		}
	}) // which fails if a goroutine is left
}

func TestAcceptErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := tlsport.Listen(inner, nil, nil)
		many := errors.New("too many open files")
		inner.next <- many
		inner.next <- many
		for range 2 {
			if _, err := l.Accept(); err != many {
				t.Errorf("got %v; want %v", err, many)
			}
		}
		go io.WriteString(inner.dial(), "hello")
		nc, err := l.Accept()
		if err != nil {
			t.Fatal("afterwards:", err)
		}
		nc.Close()
		inner.next <- net.ErrClosed // closed by somebody else
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v; want net.ErrClosed", err)
		}
	})
}
