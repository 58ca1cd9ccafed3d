// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request

package apigw

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest is the form of a request that is signed. The path is escaped
// as it has arrived, so what the client has escaped is so twice. The body's hash
// is its own whatever X-Amz-Content-Sha256 says.
func canonicalRequest(r *http.Request, signed []string, body []byte) string {
	path := r.URL.RawPath
	if path == "" {
		path = r.URL.EscapedPath()
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + escapeURI(path, '/') + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	for _, name := range signed {
		values := r.Header.Values(name)
		switch {
		case name == "host":
			values = []string{r.Host}
		case name == "content-length" && values == nil && r.ContentLength >= 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		b.WriteString(name + ":")
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.Join(strings.FieldsFunc(v, func(r rune) bool { return r == ' ' }), " "))
		}
		b.WriteByte('\n')
	}
	return b.String() + "\n" + strings.Join(signed, ";") + "\n" + hashOf(body)
}

// canonicalQuery is the query string sorted, escaped in one way, and without
// the signature.
func canonicalQuery(raw string) string {
	var parts [][2]string
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part == "" || name == "X-Amz-Signature" {
			continue
		}
		parts = append(parts, [2]string{reescape(name), reescape(value)})
	}
	slices.SortFunc(parts, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	joined := make([]string, len(parts))
	for i, p := range parts {
		joined[i] = p[0] + "=" + p[1]
	}
	return strings.Join(joined, "&")
}

func reescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil { // a + is one
		s = u
	}
	return escapeURI(s, 0)
}

// escapeURI escapes every byte but RFC 3986's unreserved ones and keep.
func escapeURI(s string, keep byte) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == keep && keep != 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}
