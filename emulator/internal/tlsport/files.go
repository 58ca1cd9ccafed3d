package tlsport

import (
	"net"
	"os"
)

// private are the addresses that nobody else on the internet has.
func private() []*net.IPNet {
	var list []*net.IPNet
	for _, cidr := range []string{
		"127.0.0.0/8", "::1/128", // this machine
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", // RFC 1918, RFC 4193
		"100.64.0.0/10",               // RFC 6598, virtual private networks too
		"169.254.0.0/16", "fe80::/10", // RFC 3927, RFC 4291
	} {
		_, n, err := net.ParseCIDR(cidr)
		if err != nil {
			panic(err) // a constant
		}
		list = append(list, n)
	}
	return list
}

// systemRoots are the certificates that programs on this machine trust, as PEM.
// Where there is no such file there are none: there, the system is asked in
// another way, which SSL_CERT_FILE does not replace.
// https://pkg.go.dev/crypto/x509#SystemCertPool
func systemRoots() []byte {
	for _, file := range []string{
		os.Getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Alpine, Arch
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Amazon Linux, RHEL
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/ssl/cert.pem",                                 // BSD, macOS
		"/usr/local/share/certs/ca-root-nss.crt",            // FreeBSD's package
	} {
		if file == "" {
			continue
		}
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
			return append(text, '\n')
		}
	}
	return nil
}
