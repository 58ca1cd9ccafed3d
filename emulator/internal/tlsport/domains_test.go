package tlsport_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"crypto-ticker/emulator/internal/tlsport"
)

// TestDomains makes an authority that is good for further names, and for nothing
// beside or above them.
func TestDomains(t *testing.T) {
	t.Parallel()
	a, err := tlsport.Open("", "api.example.com", "*.dice.example.com", "sub.dice.example.com", "my.localhost")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	c, err := a.Config().GetCertificate(&tls.ClientHelloInfo{Conn: address{ip: "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"api.example.com": true, "a.dice.example.com": true, "sub.dice.example.com": true, "my.localhost": true,
		"localhost": true, "x.execute-api.localhost": true,
		"dice.example.com": false, "a.b.dice.example.com": false, "example.com": false, "x.api.example.com": false} {
		if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: roots(t, a.CertFile()), DNSName: name}); (err == nil) != want {
			t.Errorf("%s: got %v; want trust: %t", name, err, want)
		}
	}
}

// TestDomainsOfAKeptAuthority replaces one only if its names are not enough.
func TestDomainsOfAKeptAuthority(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tls")
	read := func(domains ...string) []byte {
		t.Helper()
		a, err := tlsport.Open(dir, domains...)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		text, err := os.ReadFile(a.CertFile())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	plain := read()
	first := read("*.example.com")
	if bytes.Equal(plain, first) {
		t.Error("an authority for other names is kept")
	}
	for _, domains := range [][]string{{"*.example.com"}, {"api.example.com"}, {}} {
		if !bytes.Equal(read(domains...), first) {
			t.Errorf("%v: an authority that is good for these is replaced", domains)
		}
	}
	if bytes.Equal(read("other.example"), first) {
		t.Error("an authority for some names only is kept")
	}
}
