package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"crypto-ticker/emulator/internal/template"
)

// client is the SDK's, for a service.
func client(t *testing.T, r *rig) *sdk.Client {
	t.Helper()
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	return sdk.New(sdk.Options{
		Region:           "us-east-1",
		BaseEndpoint:     &srv.URL,
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
		}),
	})
}

func TestInvokeAPI(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	c := client(t, r)
	out, err := c.Invoke(t.Context(), &sdk.InvokeInput{
		FunctionName:  aws.String("Echo"),
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte("{\"custom\":\n{\"a\":\"b\"}}"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got echoed
	if err := json.Unmarshal(out.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if out.StatusCode != 200 || aws.ToString(out.ExecutedVersion) != "$LATEST" || out.FunctionError != nil || got.Client["a"] != "b" {
		t.Errorf("got %d, %v, %v, client context %v", out.StatusCode, out.ExecutedVersion, out.FunctionError, got.Client)
	}

	out, err = c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String(r.order[0].def.ARN),
		Qualifier: aws.String("$LATEST"), Payload: []byte(`{"Fail":"no luck"}`)})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"errorMessage":"no luck","errorType":"errorString"}`; string(out.Payload) != want || aws.ToString(out.FunctionError) != "Unhandled" || out.StatusCode != 200 {
		t.Errorf("got %d %s %s, want 200 Unhandled %s", out.StatusCode, aws.ToString(out.FunctionError), out.Payload, want)
	}

	out, err = c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("Echo"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || out.StatusCode != 204 || len(out.Payload) != 0 {
		t.Errorf("dry run: got %+v, %v", out, err)
	}
	out, err = c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("Echo"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"Print":"async"}`)})
	if err != nil || out.StatusCode != 202 || len(out.Payload) != 0 {
		t.Errorf("event: got %+v, %v", out, err)
	}
	eventually(t, "the asynchronous event", func() bool { return strings.Contains(r.out.String(), "Echo | async") })
}

func TestInvokeAPIErrors(t *testing.T) {
	t.Parallel()
	r := start(t, echo(), func() *template.Function { f := raw("echo"); f.Concurrency = 0; return f }())
	c := client(t, r)
	for _, tt := range []struct {
		name   string
		in     sdk.InvokeInput
		as     error
		status int
		want   string
	}{
		{"no such function", sdk.InvokeInput{FunctionName: aws.String("Nobody")}, new(types.ResourceNotFoundException), 404,
			"Function not found: arn:aws:lambda:us-east-1:123456789012:function:Nobody"},
		{"no such version", sdk.InvokeInput{FunctionName: aws.String("Echo"), Qualifier: aws.String("7")}, new(types.ResourceNotFoundException), 404,
			"Function not found: arn:aws:lambda:us-east-1:123456789012:function:Echo:7"},
		{"throttled", sdk.InvokeInput{FunctionName: aws.String("Raw")}, new(types.TooManyRequestsException), 429, "Rate Exceeded."},
		{"no JSON", sdk.InvokeInput{FunctionName: aws.String("Echo"), Payload: []byte(`{"a":`)}, new(types.InvalidRequestContentException), 400,
			"Could not parse request body into json: unexpected end of JSON input"},
		{"large", sdk.InvokeInput{FunctionName: aws.String("Echo"), Payload: bytes.Repeat([]byte("1"), maxPayload+1)}, new(types.RequestTooLargeException), 413,
			"Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
		{"large, asynchronous", sdk.InvokeInput{FunctionName: aws.String("Echo"), InvocationType: types.InvocationTypeEvent, Payload: bytes.Repeat([]byte("1"), maxAsyncPayload+1)},
			new(types.RequestTooLargeException), 413, "Request must be smaller than 1048576 bytes for the InvokeFunction operation"},
		{"wrong type", sdk.InvokeInput{FunctionName: aws.String("Echo"), InvocationType: "Later"}, new(types.InvalidParameterValueException), 400,
			"Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"},
		{"client context", sdk.InvokeInput{FunctionName: aws.String("Echo"), ClientContext: aws.String("%")}, new(types.InvalidRequestContentException), 400,
			"Client context must be a valid Base64-encoded JSON object."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Invoke(t.Context(), &tt.in)
			var api smithy.APIError
			if !errors.As(err, &api) {
				t.Fatalf("got %v, want an API error", err)
			}
			if got, want := typeName(api), typeName(tt.as); got != want || api.ErrorMessage() != tt.want {
				t.Errorf("got %s %q\nwant %s %q", got, api.ErrorMessage(), want, tt.want)
			}
			var res interface{ HTTPStatusCode() int }
			if errors.As(err, &res) && res.HTTPStatusCode() != tt.status {
				t.Errorf("status: got %d, want %d", res.HTTPStatusCode(), tt.status)
			}
			if e := new(types.TooManyRequestsException); errors.As(err, &e) && e.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
				t.Errorf("reason: got %q", e.Reason)
			}
		})
	}
	for _, tt := range []struct {
		method, path, authorization string
		status                      int
		kind                        string
	}{
		{http.MethodDelete, "/2015-03-31/functions/Echo", "AWS4-HMAC-SHA256 x", 404, "UnknownOperationException"},
		{http.MethodPost, "/2015-03-31/functions/Echo/invocations", "", 403, "MissingAuthenticationTokenException"},
	} {
		req := httptest.NewRequest(tt.method, tt.path, nil)
		if tt.authorization != "" {
			req.Header.Set("Authorization", tt.authorization)
		}
		res := httptest.NewRecorder()
		r.ServeHTTP(res, req)
		if got := res.Header().Get("X-Amzn-Errortype"); res.Code != tt.status || got != tt.kind {
			t.Errorf("%s %s: got %d %s, want %d %s", tt.method, tt.path, res.Code, got, tt.status, tt.kind)
		}
	}
}

func TestListAndGetFunction(t *testing.T) {
	t.Parallel()
	r := start(t, echo(func(f *template.Function) { f.Logging = template.Logging{Format: "JSON", Level: "WARN", Group: "mine"} }), raw("echo"))
	c := client(t, r)
	list, err := c.ListFunctions(t.Context(), &sdk.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Functions) != 2 || aws.ToString(list.Functions[1].FunctionName) != "Raw" || list.Functions[1].Environment.Variables["MODE"] != "echo" {
		t.Errorf("list: got %+v", list.Functions)
	}
	got, err := c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: aws.String("Echo")})
	if err != nil || aws.ToInt32(got.Configuration.Timeout) != 20 || aws.ToString(got.Configuration.FunctionArn) != r.order[0].def.ARN {
		t.Errorf("get: got %+v, %v", got, err)
	}
	if l := got.Configuration.LoggingConfig; l.LogFormat != "JSON" || l.ApplicationLogLevel != "WARN" || aws.ToString(l.LogGroup) != "mine" {
		t.Errorf("logging: got %+v", l)
	}
	if _, err := c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: aws.String("No")}); !errors.As(err, new(*types.ResourceNotFoundException)) {
		t.Errorf("get: got %v, want ResourceNotFoundException", err)
	}
}

func TestInvokeAPIQualified(t *testing.T) {
	t.Parallel()
	r := start(t, echo(func(f *template.Function) { f.Alias = "live" }))
	c := client(t, r)
	arn := r.order[0].def.ARN
	for _, tt := range []struct{ name, qualifier, arn, version string }{
		{"Echo", "", arn, "$LATEST"},
		{"Echo", "$LATEST", arn + ":$LATEST", "$LATEST"},
		{"Echo", "1", arn + ":1", "1"},
		{"Echo", "live", arn + ":live", "1"},
		{arn + ":live", "", arn + ":live", "1"},
		{"Echo:live", "live", arn + ":live", "1"},
	} {
		t.Run(tt.name+" "+tt.qualifier, func(t *testing.T) {
			t.Parallel()
			var qualifier *string
			if tt.qualifier != "" {
				qualifier = &tt.qualifier
			}
			out, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: &tt.name, Qualifier: qualifier, LogType: types.LogTypeTail})
			if err != nil {
				t.Fatal(err)
			}
			var got echoed
			decode(t, out.Payload, &got)
			if got.ARN != tt.arn || aws.ToString(out.ExecutedVersion) != tt.version {
				t.Errorf("invoke: got ARN %s, version %s, want %s, %s", got.ARN, aws.ToString(out.ExecutedVersion), tt.arn, tt.version)
			}
			log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
			if err != nil || !bytes.Contains(log, []byte(" Version: "+tt.version+"\n")) {
				t.Errorf("log: got %s, %v, want version %s", log, err, tt.version)
			}
			f, err := c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: &tt.name, Qualifier: qualifier})
			if err != nil || aws.ToString(f.Configuration.FunctionArn) != tt.arn || aws.ToString(f.Configuration.Version) != tt.version {
				t.Errorf("get: got %+v, %v, want %s, %s", f, err, tt.arn, tt.version)
			}
		})
	}
}

func TestLogTail(t *testing.T) {
	t.Parallel()
	text := func(f *template.Function) { f.Timeout = time.Second }
	asJSON := func(f *template.Function) { f.Logging.Format = "JSON"; text(f) }
	const id = `[0-9a-f-]{36}`
	for _, tt := range []struct {
		name, event string
		def         *template.Function
		cold, warm  string // patterns
	}{
		{"text", `{"Print":"hello","Stderr":"you"}`, echo(text),
			`START RequestId: ` + id + ` Version: \$LATEST\nhello\nyou\nEND RequestId: ` + id +
				`\nREPORT RequestId: ` + id + `\tDuration: [0-9.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: [1-9]\d* MB\tInit Duration: [0-9.]+ ms\t\n`,
			`START .*\nhello\nyou\nEND .*\nREPORT .* MB\t\n`},
		{"JSON", `{"Print":"hello"}`, echo(asJSON),
			`{"record":{"requestId":"` + id + `","version":"\$LATEST"},"time":"[^"]+","type":"platform.start"}\nhello\n` +
				`{"record":{"metrics":{"billedDurationMs":\d+,"durationMs":[0-9.]+,"initDurationMs":[0-9.]+,"maxMemoryUsedMB":[1-9]\d*,"memorySizeMB":128},"requestId":"` + id + `","status":"success"},"time":"[^"]+","type":"platform.report"}\n`,
			`{.*platform.start"}\nhello\n{"record":{"metrics":{"billedDurationMs":\d+,"durationMs":[0-9.]+,"maxMemoryUsedMB":\d+,"memorySizeMB":128}.*\n`},
		{"error", `{"Fail":"no"}`, echo(text), `START .*\n.*errorString"}\nEND .*\nREPORT .*\tStatus: error\n`, `START .*\n.*errorString"}\nEND .*\nREPORT .*\tStatus: error\n`},
		{"timeout", `{"Print":"hello","Sleep":3600000000000}`, echo(text),
			`START .*\nhello\n\S+Z ` + id + ` Task timed out after 1.00 seconds\n\nEND .*\nREPORT .*Duration: 1000.00 ms.*Status: timeout\n`, ""},
		{"exit", `{"Print":"hello","Exit":1}`, echo(text), `START .*\nhello\nEND .*\nREPORT .*Status: error\n`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, start(t, tt.def))
			for _, want := range []string{tt.cold, tt.warm} {
				if want == "" {
					continue
				}
				out, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("Echo"), LogType: types.LogTypeTail, Payload: []byte(tt.event)})
				if err != nil {
					t.Fatal(err)
				}
				got, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
				if err != nil {
					t.Fatal(err)
				}
				if !regexp.MustCompile("^" + want + "$").Match(got) {
					t.Errorf("got\n%q\nwant\n%s", got, want)
				}
			}
		})
	}
	t.Run("the end of a long log", func(t *testing.T) {
		t.Parallel()
		c := client(t, start(t, echo()))
		out, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("Echo"), LogType: types.LogTypeTail,
			Payload: []byte(`{"Print":"` + strings.Repeat("x", 10000) + `"}`)})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
		if len(got) != maxTail || !bytes.Contains(got, []byte("xx\nEND RequestId")) {
			t.Errorf("got %d bytes: %q", len(got), got)
		}
	})
}
