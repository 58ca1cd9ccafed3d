package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/awsjson"
)

// With peerURL set, such as by make conformance, every operation that a test
// carries out on an engine in memory also goes to the DynamoDB at that URL, and
// the answers are compared. DynamoDB Local keeps the tables of each access key
// apart, so tests need not know of each other there either. The compared are
// written to the file that peerReport names, with the reason of each that
// explained knows.
const (
	peerURL    = "DYNAMODB_PEER"
	peerReport = "DYNAMODB_DIFFERENCES"
)

// peer is another DynamoDB beside one engine.
type peer struct {
	b   *bench
	url string
	key string // its access key id

	mu  sync.Mutex // lets both see the same order of operations
	off bool
}

var (
	peers    atomic.Int64
	compared struct {
		sync.Mutex
		operations int
		seen       map[difference]int
	}
)

// difference is what the two answered to one operation.
type difference struct{ test, operation, input, ours, theirs string }

func newPeer(b *bench, dir string) *peer {
	url := os.Getenv(peerURL)
	if url == "" || dir != "" {
		return nil
	}
	// A key of its own for each run, too: the peer may have seen earlier ones.
	return &peer{b: b, url: url, key: fmt.Sprintf("K%dN%d", time.Now().UnixNano(), peers.Add(1))}
}

// serve puts the peer beside what answers requests of the SDK.
func (p *peer) serve(engine http.Handler) http.Handler {
	if p == nil {
		return engine
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		target := r.Header.Get("X-Amz-Target")
		p.both(target, body, func() (int, []byte) {
			recorded := httptest.NewRecorder()
			r.Body = io.NopCloser(bytes.NewReader(body))
			engine.ServeHTTP(recorded, r)
			for name, values := range recorded.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(recorded.Code)
			w.Write(recorded.Body.Bytes())
			return recorded.Code, recorded.Body.Bytes()
		})
	})
}

// do puts the peer beside Engine.Do.
func (p *peer) do(operation, input string, do func() ([]byte, error)) (out []byte, err error) {
	if p == nil {
		return do()
	}
	p.both("DynamoDB_20120810."+operation, []byte(input), func() (int, []byte) {
		out, err = do()
		if err == nil {
			return http.StatusOK, out
		}
		var e *awsjson.Error
		if !errors.As(err, &e) {
			return http.StatusInternalServerError, []byte(`{}`)
		}
		body := map[string]any{"__type": e.Type, "message": e.Message}
		for name, value := range e.Fields {
			body[name] = value
		}
		text, _ := json.Marshal(body)
		return http.StatusBadRequest, text
	})
	return out, err
}

// both carries an operation out here and there.
func (p *peer) both(target string, input []byte, here func() (int, []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status, ours := here()
	// The peer's time cannot be advanced, so from then on nothing is comparable.
	// Nor are names of streams, which each server makes for itself.
	if strings.Contains(string(input), "/stream/") {
		return
	}
	if p.off = p.off || time.Since(p.b.clock.Now()).Abs() > time.Minute; p.off {
		return
	}
	theirStatus, theirs, err := p.post(target, input)
	if err != nil {
		p.b.t.Fatalf("peer: %v", err)
	}
	_, operation, _ := strings.Cut(target, ".")
	a, b := normal(operation, status, ours), normal(operation, theirStatus, theirs)
	compared.Lock()
	defer compared.Unlock()
	compared.operations++
	if a == b {
		return
	}
	if compared.seen == nil {
		compared.seen = map[difference]int{}
	}
	compared.seen[difference{p.b.t.Name(), operation, shorten(string(input)), shorten(a), shorten(b)}]++
	// What one took and the other refused would make all that follows differ.
	p.off = (status == http.StatusOK) != (theirStatus == http.StatusOK) && !reads(operation)
}

func reads(operation string) bool {
	return slices.ContainsFunc([]string{"Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List"}, func(prefix string) bool {
		return strings.HasPrefix(operation, prefix)
	})
}

func (p *peer) post(target string, body []byte) (int, []byte, error) {
	r, err := http.NewRequest(http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+p.key+
		"/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	return res.StatusCode, out, err
}

// volatile are members whose values are each server's own.
var volatile = regexp.MustCompile(`Arn$|Id$|DateTime$|^LatestStreamLabel$|^message$|^Message$|^__type$`)

// normal is an answer in a form in which only what matters differs.
func normal(operation string, status int, body []byte) string {
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Sprintf("%d, no JSON: %s", status, body)
	}
	out := ""
	if status != http.StatusOK {
		kind, _ := answer["__type"].(string)
		_, kind, _ = strings.Cut(kind, "#")
		message, _ := answer["message"].(string)
		if upper, ok := answer["Message"].(string); ok {
			message = upper
		}
		out = fmt.Sprintf("%s: %s ", kind, message)
	} else if operation == "Scan" {
		delete(answer, "LastEvaluatedKey") // the order of a scan is each server's own
		if items, ok := answer["Items"].([]any); ok {
			slices.SortFunc(items, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	text, _ := json.Marshal(settled(answer))
	return out + string(text)
}

// settled drops what is volatile, and sorts sets.
func settled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if _, text := member.(map[string]any); volatile.MatchString(name) && !text {
				delete(v, name)
				continue
			}
			if set, ok := member.([]any); ok && slices.Contains([]string{"SS", "NS", "BS", "NonKeyAttributes", "AttributeDefinitions",
				"GlobalSecondaryIndexes", "LocalSecondaryIndexes"}, name) {
				slices.SortFunc(set, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
			v[name] = settled(member)
		}
	case []any:
		for i := range v {
			v[i] = settled(v[i])
		}
	}
	return v
}

func shorten(s string) string {
	if len(s) > 600 {
		return s[:600] + "…"
	}
	return s
}

// report writes the compared to the file that is asked for.
func report() error {
	file := os.Getenv(peerReport)
	if file == "" {
		return nil
	}
	compared.Lock()
	defer compared.Unlock()
	var text strings.Builder
	why := map[string]int{}
	unexplained := 0
	all := make([]difference, 0, len(compared.seen))
	for d := range compared.seen {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b difference) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for _, d := range all {
		if reason := d.explain(); reason != "" {
			why[reason] += compared.seen[d]
			continue
		}
		unexplained += compared.seen[d]
		fmt.Fprintf(&text, "%s: %s %s\n  ours   %s\n  theirs %s\n", d.test, d.operation, d.input, d.ours, d.theirs)
	}
	fmt.Fprintf(&text, "%d operations compared, %d differ without a known reason.\n", compared.operations, unexplained)
	for _, e := range explained {
		if n := why[e.why]; n > 0 {
			fmt.Fprintf(&text, "%5d × %s\n", n, e.why)
			why[e.why] = 0
		}
	}
	return os.WriteFile(file, []byte(text.String()), 0o644)
}

// explain tells why the two may differ here, or "".
func (d difference) explain() string {
	for _, e := range explained {
		if matches(e.test, d.test, e.operation, d.operation, e.input, d.input, e.ours, d.ours, e.theirs, d.theirs) {
			return e.why
		}
	}
	return ""
}

// TestNormal makes sure that the comparison sees what differs, and only that.
func TestNormal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, operation string
		a, b            string
		same            bool
	}{
		{"values", "GetItem", `{"Item":{"a":{"S":"x"}}}`, `{"Item":{"a":{"S":"y"}}}`, false},
		{"order of members", "GetItem", `{"Item":{"a":{"S":"x"},"b":{"S":"y"}}}`, `{"Item":{"b":{"S":"y"},"a":{"S":"x"}}}`, true},
		{"order of a set", "GetItem", `{"Item":{"a":{"SS":["x","y"]}}}`, `{"Item":{"a":{"SS":["y","x"]}}}`, true},
		{"order of a list", "GetItem", `{"Item":{"a":{"L":[{"S":"x"},{"S":"y"}]}}}`, `{"Item":{"a":{"L":[{"S":"y"},{"S":"x"}]}}}`, false},
		{"order of a scan", "Scan", `{"Items":[{"a":{"S":"x"}},{"a":{"S":"y"}}]}`, `{"Items":[{"a":{"S":"y"}},{"a":{"S":"x"}}]}`, true},
		{"order of a query", "Query", `{"Items":[{"a":{"S":"x"}},{"a":{"S":"y"}}]}`, `{"Items":[{"a":{"S":"y"}},{"a":{"S":"x"}}]}`, false},
		{"times", "DescribeTable", `{"Table":{"CreationDateTime":1}}`, `{"Table":{"CreationDateTime":2}}`, true},
		{"an attribute with a volatile name", "GetItem", `{"Item":{"userId":{"S":"x"}}}`, `{"Item":{"userId":{"S":"y"}}}`, false},
	} {
		if got := normal(tt.operation, 200, []byte(tt.a)) == normal(tt.operation, 200, []byte(tt.b)); got != tt.same {
			t.Errorf("%s: same %v, want %v", tt.name, got, tt.same)
		}
	}
}
