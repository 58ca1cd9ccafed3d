package tlsport_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/tlsport"
)

func TestNames(t *testing.T) {
	t.Parallel()
	a, pool := authority(t)
	host := serve(t, a)
	for _, tt := range []struct {
		name string
		ok   bool
	}{
		{"localhost", true},
		{"127.0.0.1", true},
		{"::1", true},
		{"abcdefghij.execute-api.localhost", true},
		{"a.b.execute-api.localhost", false},
		{"abcdefghij.execute-api.us-east-1.amazonaws.com", false},
		{"192.0.2.1", false},
	} {
		nc := tls.Client(dial(t, host), &tls.Config{RootCAs: pool, ServerName: tt.name, NextProtos: []string{"h2", "http/1.1"}})
		err := nc.HandshakeContext(t.Context())
		var wrong x509.HostnameError
		if tt.ok && err != nil || !tt.ok && !errors.As(err, &wrong) {
			t.Errorf("%s: got %v; want trust: %t", tt.name, err, tt.ok)
		}
		if s := nc.ConnectionState(); tt.ok && s.NegotiatedProtocol != "http/1.1" {
			t.Errorf("%s: got protocol %q; want http/1.1", tt.name, s.NegotiatedProtocol)
		}
		nc.Close()
	}
}

// address is a connection as far as a certificate is chosen by it.
type address struct {
	net.Conn
	ip string
}

func (a address) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(a.ip)} }

func TestLocalAddress(t *testing.T) {
	t.Parallel()
	a, pool := authority(t)
	get := a.Config().GetCertificate
	for _, tt := range []struct {
		ip string
		ok bool
	}{{"192.168.1.5", true}, {"fd00::5", true}, {"127.0.0.2", true}, {"93.184.216.34", false}} {
		c, err := get(&tls.ClientHelloInfo{Conn: address{ip: tt.ip}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "[" + tt.ip + "]"}); (err == nil) != tt.ok {
			t.Errorf("%s: got %v; want trust: %t", tt.ip, err, tt.ok)
		}
		if _, err = c.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "localhost"}); err != nil {
			t.Errorf("%s: localhost: %v", tt.ip, err)
		}
		again, err := get(&tls.ClientHelloInfo{Conn: address{ip: tt.ip}, ServerName: "another.localhost"})
		if err != nil || again != c {
			t.Errorf("%s: a second certificate was made (%v)", tt.ip, err)
		}
	}
}

// TestConstraints: whoever gets hold of the key cannot pretend to be a site.
func TestConstraints(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := tlsport.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ca-key.pem")
	issuer, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		names []string
		ips   []net.IP
		ok    bool
	}{
		{names: []string{"app.localhost"}, ok: true},
		{names: []string{"example.com"}},
		{names: []string{"localhost", "example.com"}},
		{names: []string{"notlocalhost"}},
		{ips: []net.IP{net.IPv4(93, 184, 216, 34)}},
	} {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: tt.names, IPAddresses: tt.ips,
		}, issuer.Leaf, &key.PublicKey, issuer.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots(t, a.CertFile())}); (err == nil) != tt.ok {
			t.Errorf("%v %v: got %v; want trust: %t", tt.names, tt.ips, err, tt.ok)
		}
	}
}

func TestKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "tls")
	file := filepath.Join(dir, "ca-key.pem")
	read := func() []byte {
		t.Helper()
		a, err := tlsport.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		text, err := os.ReadFile(a.CertFile())
		if err != nil || bytes.Contains(text, []byte("PRIVATE KEY")) {
			t.Fatalf("%s: got %v, or a key", a.CertFile(), err)
		}
		return text
	}
	was := read()
	if !bytes.Equal(read(), was) {
		t.Error("the second start has another authority")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%s: got %v, %v; want it for its owner only", file, info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tlsport.Open(dir); err == nil || !strings.Contains(err.Error(), "is damaged; remove it") {
		t.Errorf("damaged: got %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(read(), was) {
		t.Error("without its key the authority is the same")
	}
}

func TestTemporary(t *testing.T) {
	t.Parallel()
	a, err := tlsport.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(a.CertFile())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close: got %v; want nothing left", err)
	}
}

// TestBundle: who trusts the bundle trusts what it has trusted before.
func TestBundle(t *testing.T) {
	other, _ := authority(t)
	system, err := os.ReadFile(other.CertFile())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(file, bytes.TrimSpace(system), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", file)
	a, _ := authority(t)
	for _, signer := range []*tlsport.Authority{a, other} {
		c, err := signer.Config().GetCertificate(&tls.ClientHelloInfo{Conn: address{ip: "127.0.0.1"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: roots(t, a.BundleFile()), DNSName: "localhost"}); err != nil {
			t.Error(err)
		}
	}
}
