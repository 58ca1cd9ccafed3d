package functions_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"crypto-ticker/functions"
	"crypto-ticker/shared/store/storetest"
)

// lambdaCall is a request to the Lambda API.
type lambdaCall struct{ path, invocationType, payload string }

// newRecover returns Recover's environment with a Lambda API that gives an
// answer, and what reaches it. The tests of the whole system use the real one.
func newRecover(t *testing.T, status int) (storetest.Env, <-chan lambdaCall) {
	t.Helper()
	calls := make(chan lambdaCall, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls <- lambdaCall{r.URL.EscapedPath(), r.Header.Get("X-Amz-Invocation-Type"), string(body)}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return storetest.Env{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL_LAMBDA": s.URL}, calls
}

func TestRecoverWakesTicker(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(map[string]any)
		want   string
	}{
		{"the ticker exited", func(map[string]any) {}, `{"type":"wake","attempt":1}`},
		{"the event became too old", func(record map[string]any) {
			delete(record, "responsePayload")
			record["requestContext"].(map[string]any)["condition"] = "EventAgeExceeded"
		}, `{"type":"wake","attempt":1}`},
		{"it failed again", func(record map[string]any) {
			record["requestPayload"] = map[string]any{"type": "wake", "attempt": 4}
		}, `{"type":"wake","attempt":5}`},
		{"of no object", func(record map[string]any) { record["requestPayload"] = "text" }, `{"type":"wake","attempt":1}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env, calls := newRecover(t, http.StatusAccepted)
			h := newHandler(t, functions.Recover, env)
			begin := time.Now()
			if _, err := h.Invoke(t.Context(), functions.GoldenEvent(t, "recover_record.json", tt.change)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took < time.Second {
				t.Errorf("woken after %v; want a second, so that a ticker that fails at once does it slowly", took)
			}
			got := <-calls
			path, err := url.PathUnescape(got.path)
			if err != nil {
				t.Fatal(err)
			}
			const arn = "arn:aws:lambda:eu-west-1:123456789012:function:app-TickerFunction-1A2B3C:$LATEST"
			if want := "/2015-03-31/functions/" + arn + "/invocations"; path != want {
				t.Errorf("path %s; want %s", path, want)
			}
			if got.invocationType != "Event" || got.payload != tt.want {
				t.Errorf("%s invocation with %s; want an Event with %s", got.invocationType, got.payload, tt.want)
			}
		})
	}
}

// TestRecoverGivesUp: what fails each time is left to the schedule.
func TestRecoverGivesUp(t *testing.T) {
	t.Parallel()
	env, calls := newRecover(t, http.StatusAccepted)
	record := functions.GoldenEvent(t, "recover_record.json", func(record map[string]any) {
		record["requestPayload"] = map[string]any{"type": "wake", "attempt": 5}
	})
	if _, err := newHandler(t, functions.Recover, env).Invoke(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if len(calls) != 0 {
		t.Errorf("woke the ticker with %+v", <-calls)
	}
}

func TestRecoverFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(map[string]any)
		want   string
	}{
		{"Lambda refuses", func(map[string]any) {}, "wake arn:aws:lambda"},
		{"no record", func(record map[string]any) { delete(record, "requestContext") }, "no requestContext.functionArn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env, _ := newRecover(t, http.StatusForbidden)
			_, err := newHandler(t, functions.Recover, env).Invoke(t.Context(), functions.GoldenEvent(t, "recover_record.json", tt.change))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v; want one with %q", err, tt.want)
			}
		})
	}
}
