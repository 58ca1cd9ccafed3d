// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

package apigw

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	sigAlgorithm = "AWS4-HMAC-SHA256"
	sigService   = "execute-api"
	sigTime      = "20060102T150405Z"
	sigSkew      = 5 * time.Minute // X-Amz-Expires changes nothing; only S3 and a few others heed it
)

// signature is what a request says of how it was signed.
type signature struct {
	keyID   string
	scope   []string // day, region, service, aws4_request
	date    time.Time
	headers []string // the signed ones' names, as they are listed
	value   string
}

// isSigned says whether the request has a signature, be it a wrong one.
func isSigned(r *http.Request) bool {
	return r.Header["Authorization"] != nil || strings.Contains(r.URL.RawQuery, "X-Amz-Signature=")
}

// verify checks the signature, which the request has, and returns what refuses
// it or nil. A session token is signed like any header, but not looked up.
func (g *Gateway) verify(r *http.Request, body []byte) *managementError {
	s, refused := parseSignature(r)
	if refused == nil {
		refused = s.checkScope(g.cfg.Stack.Region)
	}
	if refused == nil {
		refused = s.checkTime(g.cfg.Clock.Now())
	}
	if refused != nil {
		return refused
	}
	secret, ok := g.cfg.Secret(s.keyID)
	if !ok {
		return &managementError{http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid."}
	}
	canonical := canonicalRequest(r, s.headers, body)
	toSign := strings.Join([]string{sigAlgorithm, s.date.Format(sigTime), strings.Join(s.scope, "/"), hashOf([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range append(slices.Clone(s.scope), toSign) {
		key = mac(key, part)
	}
	if hmac.Equal([]byte(s.value), []byte(hex.EncodeToString(key))) {
		return nil
	}
	return invalidSignature("The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
		"The Canonical String for this request should have been\n'" + canonical + "'\n\n" +
		"The String-to-Sign should have been\n'" + toSign + "'\n")
}

func invalidSignature(message string) *managementError {
	return &managementError{http.StatusForbidden, "InvalidSignatureException", message}
}

func incompleteSignature(message string) *managementError {
	return &managementError{http.StatusForbidden, "IncompleteSignatureException", message}
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// parseSignature reads a signature from the header Authorization, or else from
// the query string.
func parseSignature(r *http.Request) (*signature, *managementError) {
	if r.Header["Authorization"] == nil {
		return parseQuerySignature(parseQuery(r.URL.RawQuery))
	}
	header := r.Header.Get("Authorization")
	algorithm, rest, _ := strings.Cut(header, " ")
	if algorithm != sigAlgorithm {
		return nil, incompleteSignature("Unsupported AWS 'algorithm': '" + algorithm + "'.")
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok { // the header is a secret of sorts, so it is not repeated
			sum := sha256.Sum256([]byte(header))
			return nil, incompleteSignature("Invalid key=value pair (missing equal-sign) in Authorization header " +
				"(hashed with SHA-256 and encoded with Base64): '" + base64.StdEncoding.EncodeToString(sum[:]) + "'.")
		}
		fields[name] = value
	}
	missing := ""
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[name] == "" {
			missing += "Authorization header requires '" + name + "' parameter. "
		}
	}
	date, ok := signingTime(r.Header)
	if !ok {
		missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
	}
	if missing != "" {
		return nil, incompleteSignature(strings.TrimSpace(missing))
	}
	return newSignature(fields["Credential"], fields["SignedHeaders"], fields["Signature"], date)
}

// signingTime is the time in X-Amz-Date or else Date.
func signingTime(h http.Header) (time.Time, bool) {
	date, err := time.Parse(sigTime, h.Get("X-Amz-Date"))
	if err != nil && h["X-Amz-Date"] == nil {
		date, err = http.ParseTime(h.Get("Date"))
	}
	return date.UTC(), err == nil
}

func parseQuerySignature(query map[string][]string) (*signature, *managementError) {
	values := lastValues(query)
	missing := ""
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"} {
		if values[name] == "" {
			missing += "AWS query-string parameters must include '" + name + "'. "
		}
	}
	date, err := time.Parse(sigTime, values["X-Amz-Date"])
	switch {
	case missing != "":
		return nil, incompleteSignature(missing + "Re-examine the query-string parameters.")
	case values["X-Amz-Algorithm"] != sigAlgorithm:
		return nil, incompleteSignature("Unsupported AWS 'algorithm': '" + values["X-Amz-Algorithm"] + "'.")
	case err != nil:
		return nil, incompleteSignature("Date must be in ISO-8601 'basic format'. Got '" + values["X-Amz-Date"] + "'.")
	}
	return newSignature(values["X-Amz-Credential"], values["X-Amz-SignedHeaders"], values["X-Amz-Signature"], date)
}

func newSignature(credential, headers, value string, date time.Time) (*signature, *managementError) {
	keyID, scope, _ := strings.Cut(credential, "/")
	s := &signature{keyID: keyID, scope: strings.Split(scope, "/"), date: date, headers: strings.Split(headers, ";"), value: value}
	if keyID == "" || len(s.scope) != 4 {
		return nil, incompleteSignature("Credential must have exactly 5 slash-delimited elements, " +
			"e.g. keyid/date/region/service/term, got '" + credential + "'")
	}
	if !slices.Contains(s.headers, "host") {
		return nil, invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return s, nil
}

// checkScope compares what a signature is for with where it has arrived.
func (s *signature) checkScope(region string) *managementError {
	day := s.date.Format("20060102")
	wrong := ""
	if s.scope[0] != day {
		wrong += "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			s.scope[0] + "' != '" + day + "', from '" + s.date.Format(sigTime) + "'. "
	}
	if s.scope[1] != region {
		wrong += "Credential should be scoped to a valid region. "
	}
	if s.scope[2] != sigService {
		wrong += "Credential should be scoped to correct service: '" + sigService + "'. "
	}
	if s.scope[3] != "aws4_request" {
		wrong += "Credential should be scoped with a valid terminator: 'aws4_request'. "
	}
	if wrong != "" {
		return invalidSignature(wrong)
	}
	return nil
}

// checkTime refuses signatures that are too old or of the future.
func (s *signature) checkTime(now time.Time) *managementError {
	now = now.UTC()
	date := s.date.Format(sigTime)
	switch earliest, latest := now.Add(-sigSkew), now.Add(sigSkew); {
	case s.date.Before(earliest):
		return invalidSignature("Signature expired: " + date + " is now earlier than " +
			earliest.Format(sigTime) + " (" + now.Format(sigTime) + " - 5 min.)")
	case s.date.After(latest):
		return invalidSignature("Signature not yet current: " + date + " is still later than " +
			latest.Format(sigTime) + " (" + now.Format(sigTime) + " + 5 min.)")
	}
	return nil
}
