package tlsport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/atomicfile"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour // browsers bound it, even for authorities of one's own
	renewBefore   = 30 * 24 * time.Hour // so that nothing expires while the emulator runs
)

// Authority is a certificate authority for this machine alone: it is good for
// localhost, the names below it, loopback and private addresses, and domains that
// it is told of, and clients refuse whatever else its key might sign. Times are
// the machine's, as they are for those who check the certificates.
type Authority struct {
	dir    string
	temp   bool
	names  []string // of DNS; one may begin with *.
	issuer tls.Certificate

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by the local address of connections
}

// Open returns the authority that dir keeps, or makes one there. With an empty
// dir the key stays in memory, and the certificate is in a temporary folder
// until Close. Domains are names that it is good for besides its own; one that dir
// keeps and that is not good for them all is replaced, and must be trusted anew.
func Open(dir string, domains ...string) (*Authority, error) {
	a, err := open(dir, domains)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	return a, nil
}

func open(dir string, domains []string) (a *Authority, err error) {
	a = &Authority{dir: dir, names: slices.Concat(ownNames, domains), leaves: make(map[string]*tls.Certificate)}
	if a.dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if dir != "" {
		err = a.load()
	} else if a.dir, err = os.MkdirTemp("", "emulator-tls-"); err == nil {
		a.temp = true
		a.issuer, _, err = newIssuer(a.names)
	}
	if err == nil {
		err = a.publish()
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// Close removes what is not kept.
func (a *Authority) Close() error {
	if !a.temp {
		return nil
	}
	return os.RemoveAll(a.dir)
}

// CertFile is the path of the authority's certificate, for clients to trust.
func (a *Authority) CertFile() string { return filepath.Join(a.dir, "ca.pem") }

// BundleFile is the path of the certificates that this machine trusts, with the
// authority's: for SSL_CERT_FILE, which replaces what a program trusts.
func (a *Authority) BundleFile() string { return filepath.Join(a.dir, "bundle.pem") }

// Config is for servers. It offers HTTP/1.1 only: a WebSocket cannot take over a
// connection of HTTP/2.
func (a *Authority) Config() *tls.Config {
	return &tls.Config{
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			var ip net.IP
			if local, ok := hello.Conn.LocalAddr().(*net.TCPAddr); ok {
				ip = local.IP
			}
			return a.leaf(ip)
		},
	}
}

// leaf returns a certificate for connections to an address of this machine. It
// has every name at once, so that clients cannot have one made for each name
// that they think of.
func (a *Authority) leaf(ip net.IP) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[string(ip)]; c != nil && time.Until(c.Leaf.NotAfter) > renewBefore {
		return c, nil
	}
	def := newTemplate("localhost", leafLife)
	def.KeyUsage = x509.KeyUsageDigitalSignature
	def.DNSNames = a.names
	def.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback}
	permits := func(n *net.IPNet) bool { return n.Contains(ip) }
	known := func(other net.IP) bool { return other.Equal(ip) }
	if slices.ContainsFunc(private(), permits) && !slices.ContainsFunc(def.IPAddresses, known) {
		def.IPAddresses = append(def.IPAddresses, ip)
	}
	c, _, err := sign(def, &a.issuer)
	if err != nil {
		return nil, err
	}
	a.leaves[string(ip)] = &c
	return &c, nil
}

// load reads the authority's key, or makes one if there is none or its time is
// nearly over.
func (a *Authority) load() error {
	file := filepath.Join(a.dir, "ca-key.pem")
	for _, name := range []string{file, a.CertFile(), a.BundleFile()} {
		if err := atomicfile.Sweep(name); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		a.issuer, err = tls.X509KeyPair(text, text) // both are in there
		if err != nil || !a.issuer.Leaf.IsCA {
			// Not err itself, which is about a key.
			return fmt.Errorf("%s is damaged; remove it to have a new authority made, and trust that one", file)
		}
		if time.Until(a.issuer.Leaf.NotAfter) > renewBefore && permitsAll(a.issuer.Leaf.PermittedDNSDomains, a.names) {
			return nil
		}
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	if a.issuer, text, err = newIssuer(a.names); err != nil {
		return err
	}
	return atomicfile.Write(file, text, 0o600)
}

// publish writes the files without the key, as they are at this start. Clients
// that have been told of them earlier may be reading them.
func (a *Authority) publish() error {
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.issuer.Leaf.Raw})
	return errors.Join(atomicfile.Write(a.CertFile(), cert, 0o644),
		atomicfile.Write(a.BundleFile(), append(systemRoots(), cert...), 0o644))
}

var ownNames = []string{"localhost", "*.execute-api.localhost"}

// permitsAll says whether each name is one of the domains or below one.
func permitsAll(domains, names []string) bool {
	for _, name := range names {
		if !slices.ContainsFunc(domains, func(d string) bool { return strings.HasSuffix("."+name, "."+d) }) {
			return false
		}
	}
	return true
}

// newIssuer makes an authority for names. It also returns its key and certificate in the
// form in which they are kept.
func newIssuer(names []string) (tls.Certificate, []byte, error) {
	// A name of its own: trust stores mistake authorities of one name for another.
	def := newTemplate("emulator "+hex.EncodeToString(newSerial().Bytes()[:4]), authorityLife)
	def.IsCA, def.MaxPathLenZero = true, true
	def.KeyUsage = x509.KeyUsageCertSign
	def.PermittedDNSDomainsCritical = true
	def.PermittedDNSDomains = []string{"localhost"}
	for _, name := range names {
		if name = strings.TrimPrefix(name, "*."); !permitsAll(def.PermittedDNSDomains, []string{name}) {
			def.PermittedDNSDomains = append(def.PermittedDNSDomains, name)
		}
	}
	def.PermittedIPRanges = private()
	return sign(def, nil)
}

// sign makes a key and has it certified by the issuer, or by itself if that is
// nil. It also returns both as PEM.
func sign(def *x509.Certificate, issuer *tls.Certificate) (c tls.Certificate, text []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, nil, err
	}
	parent, signer := def, any(key)
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, def, parent, &key.PublicKey, signer)
	if err != nil {
		return c, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return c, nil, err
	}
	text = append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	c, err = tls.X509KeyPair(text, text)
	return c, text, err
}

func newTemplate(name string, life time.Duration) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{Organization: []string{"Local emulator"}, CommonName: name},
		NotBefore:             now.Add(-time.Hour), // for clocks that are a little behind
		NotAfter:              now.Add(life),
		BasicConstraintsValid: true,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// newSerial is a positive number of 16 bytes.
func newSerial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b)
}
