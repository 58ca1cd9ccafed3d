package emulator

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// ownDomains are those of which nobody can register a name.
// https://www.iana.org/assignments/special-use-domain-names/special-use-domain-names.xhtml
var ownDomains = []string{"localhost", "internal", "local", "test", "home.arpa"}

// onlyKnownHosts refuses requests for a host whose name could be that of a web
// page: one that has let its name point to this machine may read what it likes,
// since its browser sends no Origin with a GET of the page's own host. addr is
// Options.AWSAddr.
func (e *Emulator) onlyKnownHosts(addr string, h http.Handler) http.Handler {
	known := e.namedHosts(addr)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostOf(r.Host); !isOwn(host) && !slices.Contains(known, host) {
			refuse(w, r, http.StatusForbidden, "AccessDenied",
				"This host name could be that of a web page. Use an IP address, localhost or the name of this machine, or give the name in -aws-addr or in AWS_ENDPOINT_URL of a function.")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// namedHosts are those that whoever runs the emulator has named, and that of the
// machine.
func (e *Emulator) namedHosts(addr string) []string {
	hosts := []string{hostOf(addr)}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, strings.ToLower(name))
	}
	for _, f := range e.stack.Functions {
		for k, v := range f.Environment {
			if u, err := url.Parse(v); err == nil && strings.HasPrefix(k, "AWS_ENDPOINT_URL") {
				hosts = append(hosts, hostOf(u.Host))
			}
		}
	}
	return hosts
}

// hostOf is an authority without its port, in lower case and without a dot at its
// end.
func hostOf(authority string) string {
	host, _, err := net.SplitHostPort(authority)
	if err != nil { // without a port
		host = strings.Trim(authority, "[]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// isOwn says whether no web page of others can have a host: an address, or a
// name that the public DNS does not have. There, a name has a dot.
func isOwn(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return true
	}
	return slices.ContainsFunc(ownDomains, func(domain string) bool { return strings.HasSuffix(host, "."+domain) })
}
