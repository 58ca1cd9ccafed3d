package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/clock"
)

// bench is an engine with a server before it and a client of the SDK.
type bench struct {
	t      testing.TB
	engine *Engine
	clock  *clock.Clock
	url    string
	client *dynamodb.Client
	peer   *peer // nil unless make conformance runs
}

func open(t testing.TB, dir string) *bench {
	t.Helper()
	b := openAlone(t, dir)
	b.peer = newPeer(b, dir)
	server := httptest.NewServer(b.peer.serve(b.engine))
	t.Cleanup(server.Close)
	b.url = server.URL
	transport := &http.Transport{MaxIdleConnsPerHost: 128}
	t.Cleanup(transport.CloseIdleConnections)
	b.client = dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL), HTTPClient: &http.Client{Transport: plainBodies{transport}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}), RetryMaxAttempts: 1,
	})
	return b
}

// openAlone is open without the server and the client.
func openAlone(t testing.TB, dir string) *bench {
	t.Helper()
	b := &bench{t: t, clock: clock.New()}
	t.Cleanup(b.clock.Close)
	engine, err := Open(Config{Dir: dir, Region: "eu-central-1", AccountID: "123456789012", Clock: b.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b.engine = engine
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// plainBodies takes the method WriteTo from the bodies of the SDK's requests.
// Once the SDK has closed a body, which it does as soon as an answer begins,
// its WriteTo returns io.EOF for nothing more to write, where io.WriterTo wants
// nil: a transport that has sent the body and only looks whether that was all
// takes it for a failure and closes the connection under the answer. On a busy
// machine that happens, and is seen if the answer is not all there yet.
type plainBodies struct{ http.RoundTripper }

func (p plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		plain := *r
		plain.Body = struct{ io.ReadCloser }{r.Body}
		r = &plain
	}
	return p.RoundTripper.RoundTrip(r)
}

// onStores runs a test with each kind of store.
func onStores(t *testing.T, f func(t *testing.T, b *bench)) {
	t.Helper()
	t.Parallel()
	t.Run("memory", func(t *testing.T) { t.Parallel(); f(t, open(t, "")) })
	t.Run("file", func(t *testing.T) { t.Parallel(); f(t, open(t, t.TempDir())) })
}

// do carries out an operation, whose input is JSON with %s for each arg.
func (b *bench) do(operation, input string, args ...any) (string, error) {
	if len(args) > 0 {
		input = fmt.Sprintf(input, args...)
	}
	out, err := b.peer.do(operation, input, func() ([]byte, error) {
		return b.engine.Do(context.Background(), operation, []byte(input))
	})
	return string(out), err
}

// must carries out an operation that has to succeed.
func (b *bench) must(operation, input string, args ...any) string {
	b.t.Helper()
	out, err := b.do(operation, input, args...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", operation, input, err)
	}
	return out
}

// want carries out an operation and compares its answer.
func (b *bench) want(operation, input, want string) {
	b.t.Helper()
	if got := b.must(operation, input); got != want {
		b.t.Errorf("%s %s:\n got %s\nwant %s", operation, input, got, want)
	}
}

// wantError carries out an operation that has to fail with an error, which
// stands as "ShortType: message", both as the engine gives it and as the SDK
// reads it.
func (b *bench) wantError(operation, input, want string) {
	b.t.Helper()
	out, err := b.do(operation, input)
	if err == nil {
		b.t.Errorf("%s %s: no error but %s; want %s", operation, input, out, want)
		return
	}
	if got := short(err); got != want {
		b.t.Errorf("%s %s:\n got %s\nwant %s", operation, input, got, want)
	}
	if got, known := b.throughSDK(operation, input); known && got != want {
		b.t.Errorf("%s %s, through the SDK:\n got %s\nwant %s", operation, input, got, want)
	}
}

func short(err error) string {
	var e *awsjson.Error
	if !errors.As(err, &e) {
		return "internal: " + err.Error()
	}
	_, name, _ := strings.Cut(e.Type, "#")
	return strings.TrimSuffix(name, "Exception") + ": " + e.Message
}

const (
	hashTable = `{"TableName":"%s","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"%s"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}`
	sortTable = `{"TableName":"%s","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"%s"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"BillingMode":"PAY_PER_REQUEST"}`
)

// post sends a request as it is.
func (b *bench) post(target, body string) (status int, header http.Header, answer string) {
	b.t.Helper()
	req, err := http.NewRequest("POST", b.url, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", target)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(out)
}

func TestWire(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	for _, tt := range []struct{ name, target, body, want string }{
		{"no target", "", `{}`, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		{"no operation", "DynamoDB_20120810.Nothing", `{}`, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		{"not emulated", "DynamoDB_20120810.ExecuteStatement", `{}`, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		{"not JSON", "DynamoDB_20120810.GetItem", `{"TableName"`, `{"Message":"Unexpected token received from parser","__type":"com.amazon.coral.service#SerializationException"}`},
		{"empty", "DynamoDB_20120810.PutItem", ``, `{"Message":"Unexpected token received from parser","__type":"com.amazon.coral.service#SerializationException"}`},
		{"null", "DynamoDB_20120810.PutItem", `null`, `{"Message":"Unexpected value type in payload","__type":"com.amazon.coral.service#SerializationException"}`},
		{"list", "DynamoDB_20120810.CreateTable", `[]`, `{"Message":"Unrecognized collection type class com.amazonaws.dynamodb.v20120810.CreateTableInput","__type":"com.amazon.coral.service#SerializationException"}`},
		{"number for string", "DynamoDB_20120810.GetItem", `{"TableName":7}`, `{"Message":"NUMBER_VALUE cannot be converted to String","__type":"com.amazon.coral.service#SerializationException"}`},
		{"number for string in a table", "DynamoDB_20120810.DescribeTable", `{"TableName":7}`, `{"Message":"NUMBER_VALUE cannot be converted to String","__type":"com.amazon.coral.service#SerializationException"}`},
		{"string for integer", "DynamoDB_20120810.Scan", `{"TableName":"Things","Limit":"1"}`, `{"Message":"STRING_VALUE cannot be converted to Integer","__type":"com.amazon.coral.service#SerializationException"}`},
		{"true for string", "DynamoDB_20120810.Scan", `{"TableName":true}`, `{"Message":"TRUE_VALUE cannot be converted to String","__type":"com.amazon.coral.service#SerializationException"}`},
		{"list for string", "DynamoDB_20120810.Scan", `{"TableName":[]}`, `{"Message":"Unrecognized collection type class java.lang.String","__type":"com.amazon.coral.service#SerializationException"}`},
		{"string for boolean", "DynamoDB_20120810.Scan", `{"ConsistentRead":"maybe"}`, `{"Message":"Unexpected token received from parser","__type":"com.amazon.coral.service#SerializationException"}`},
		{"fraction for string", "DynamoDB_20120810.Scan", `{"TableName":1.5}`, `{"Message":"DECIMAL_VALUE cannot be converted to String","__type":"com.amazon.coral.service#SerializationException"}`},
		{"large integer", "DynamoDB_20120810.Scan", `{"Limit":99999999999}`, `{"Message":"NUMBER_VALUE cannot be converted to Integer","__type":"com.amazon.coral.service#SerializationException"}`},
		{"null for name", "DynamoDB_20120810.Scan", `{"TableName":"Things","ExpressionAttributeNames":{"#a":null}}`, `{"Message":"NULL_VALUE cannot be converted to String","__type":"com.amazon.coral.service#SerializationException"}`},
		{"list for object", "DynamoDB_20120810.GetItem", `{"Key":[]}`, `{"Message":"Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>","__type":"com.amazon.coral.service#SerializationException"}`},
		{"object in a table", "DynamoDB_20120810.CreateTable", `{"TableName":{}}`, `{"Message":"Start of structure or map found where not expected","__type":"com.amazon.coral.service#SerializationException"}`},
		{"list in a table", "DynamoDB_20120810.CreateTable", `{"TableName":[]}`, `{"Message":"Unrecognized collection type class java.lang.String","__type":"com.amazon.coral.service#SerializationException"}`},
		{"string in a table", "DynamoDB_20120810.CreateTable", `{"KeySchema":"a"}`, `{"Message":"Unexpected field type","__type":"com.amazon.coral.service#SerializationException"}`},
		{"no Base64", "DynamoDB_20120810.GetItem", `{"Key":{"pk":{"B":"!"}}}`, `{"Message":"Base64 encoded length is expected a multiple of 4 bytes but found: 1","__type":"com.amazon.coral.service#SerializationException"}`},
		{"no Base64 character", "DynamoDB_20120810.GetItem", `{"Key":{"pk":{"B":"=+/="}}}`, `{"Message":"Invalid Base64 character: '='","__type":"com.amazon.coral.service#SerializationException"}`},
		{"line end in Base64", "DynamoDB_20120810.GetItem", `{"Key":{"pk":{"B":"AQI\n"}}}`, `{"Message":"Invalid Base64 character: '\n'","__type":"com.amazon.coral.service#SerializationException"}`},
		{"bits behind Base64", "DynamoDB_20120810.GetItem", `{"Key":{"pk":{"B":"+/+="}}}`, `{"Message":"Invalid last non-pad Base64 character dectected","__type":"com.amazon.coral.service#SerializationException"}`},
		{"object for string", "DynamoDB_20120810.Scan", `{"TableName":{}}`, `{"Message":"Start of structure or map found where not expected","__type":"com.amazon.coral.service#SerializationException"}`},
		{"missing table", "DynamoDB_20120810.Scan", `{"TableName":"Nothing"}`, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}`},
		{"table name", "DynamoDB_20120810.GetItem", `{"TableName":"a!"}`,
			`{"__type":"com.amazon.coral.validate#ValidationException","message":"1 validation error detected: ` +
				`Value 'a!' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, header, got := b.post(tt.target, tt.body)
			if status != 400 || got != tt.want {
				t.Errorf("got %d %s\nwant 400 %s", status, got, tt.want)
			}
			if header.Get("Content-Type") != "application/x-amz-json-1.0" || header.Get("X-Amz-Crc32") == "" || header.Get("X-Amzn-Requestid") == "" {
				t.Errorf("got headers %v", header)
			}
		})
	}
}

func TestCompressedItems(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	const item = `{"pk":{"S":"a"},"x":{"S":"%s"}}`
	overhead := len(`{"Item":`+item+`}`) - len("%s")
	for length, want := range map[int]string{4094: "", 4095: "", 4096: "gzip", 4097: "gzip"} {
		b.must("PutItem", `{"TableName":"Things","Item":`+item+`}`, strings.Repeat("x", length-overhead))
		r := httptest.NewRequest("POST", "/", strings.NewReader(`{"TableName":"Things","Key":{"pk":{"S":"a"}}}`))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		b.engine.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding"); w.Code != 200 || got != want {
			t.Errorf("%d bytes: got %d %q, want 200 %q", length, w.Code, got, want)
		}
		if want == "" && w.Body.Len() != length {
			t.Errorf("got %d bytes, want %d", w.Body.Len(), length)
		}
	}
}

// nested gives a value that lies in so many lists.
func nested(depth int) string {
	return strings.Repeat(`{"L":[`, depth) + `{"S":"leaf"}` + strings.Repeat(`]}`, depth)
}

func TestDeepNesting(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	for _, depth := range []int{30, 31, 32, 5000, 20000} {
		_, err := b.do("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":`+nested(depth)+`}}`)
		if got, want := err == nil, depth <= 31; got != want {
			t.Errorf("depth %d: accepted %v, want %v (%v)", depth, got, want, err)
		}
		if err != nil && strings.HasPrefix(short(err), "internal") {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

const tooDeep = "Validation: Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"

// TestUpdateNestsTooDeep puts values that are legal where they become illegal: an
// item that no one could read again.
func TestUpdateNestsTooDeep(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"m":{"M":{"l":{"L":[{"S":"x"}]}}}}}`)
	set := func(expr string, depth int) string {
		return `{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":"` + expr + `","ExpressionAttributeValues":{":v":` + nested(depth) + `}}`
	}
	const tooDeepToStore = "Validation: Nesting Levels have exceeded supported limits"
	b.wantError("UpdateItem", set("SET m.l[0] = :v", 30), tooDeepToStore)
	b.wantError("UpdateItem", set("SET m.deep = :v", 31), tooDeepToStore)
	b.wantError("UpdateItem", set("SET m.l = list_append(m.l, :v)", 31), tooDeepToStore)
	b.must("UpdateItem", set("SET m.l[0] = :v", 29))
	if got := b.must("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ProjectionExpression":"m.l"}`); !strings.Contains(got, "leaf") {
		t.Errorf("got %s", got)
	}
}

// code is the type of an error as the SDK reads it.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func decodeJSON(t testing.TB, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

func TestClose(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("UpdateTimeToLive", ttlOn)
		b.putExpiring("a", time.Hour)
		for range 2 {
			if err := b.engine.Close(); err != nil {
				t.Error(err)
			}
		}
		b.clock.Advance(2 * time.Hour) // no sweep may run any more
	})
}

func TestAfterClose(t *testing.T) {
	onStores(t, testAfterClose)
}

func testAfterClose(t *testing.T, b *bench) {
	b.must("CreateTable", hashTable, "Things", "S")
	b.engine.Close()
	for _, operation := range []string{"PutItem", "GetItem"} {
		status, _, answer := b.post("DynamoDB_20120810."+operation, `{"TableName":"Things","Item":{"pk":{"S":"a"}},"Key":{"pk":{"S":"a"}}}`)
		if want := `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"Internal server error"}`; status != 500 || answer != want {
			t.Errorf("%s: got %d %s, want 500 %s", operation, status, answer, want)
		}
	}
}

func TestDo(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.wantError("ExecuteStatement", `{}`, "UnknownOperation: ")
	b.wantError("DescribeTable", `{"TableName":"Nothing"}`, "ResourceNotFound: Requested resource not found: Table: Nothing not found")
}

func TestRequestTooLarge(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	status, _, answer := b.post("DynamoDB_20120810.PutItem", strings.Repeat(" ", maxBody+1))
	if want := "com.amazon.coral.service#RequestEntityTooLargeException"; status != 413 || !strings.Contains(answer, want) {
		t.Errorf("got %d %s, want 413 %s", status, answer, want)
	}
}

// TestTextOnTheWire sends strings that JSON writes in several ways.
func TestTextOnTheWire(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	for _, tt := range []struct{ in, out string }{
		{`\/\u0041\b\f\n\r\t`, `/A\u0008\u000c\u000a\u000d\u0009`}, {`\"\\`, `\"\\`}, {`\ud83d\ude00`, `😀`}, {`\ud83d`, "\ufffd"}, {"\xff", "\ufffd"}, {`<&>`, `<&>`}, {"\u007f\u2028", "\u007f\u2028"},
	} {
		got := b.must("UpdateItem", `{ "TableName" : "Things", "Unknown": [ { "a" : [1, "]", null] } ],
			"Key": {"pk":{"S":"k"}}, "UpdateExpression":"SET x = :x", "ExpressionAttributeValues":{":x":{"S":"`+tt.in+`"}}, "ReturnValues":"UPDATED_NEW" }`)
		if want := `{"Attributes":{"x":{"S":"` + tt.out + `"}}}`; got != want {
			t.Errorf("%s: got %s, want %s", tt.in, got, want)
		}
	}
}
