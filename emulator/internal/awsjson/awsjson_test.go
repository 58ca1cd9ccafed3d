package awsjson_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"crypto-ticker/emulator/internal/awsjson"
)

func TestService(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &awsjson.Service{
		Target: "Shop_2026", Version: "1.1", MaxBody: 64,
		Operations: map[string]awsjson.Operation{
			"Echo":  func(_ context.Context, body []byte) (any, error) { return json.RawMessage(body), nil },
			"Value": func(context.Context, []byte) (any, error) { return map[string]any{"N": 1, "S": "<&>"}, nil },
			"Sold": func(context.Context, []byte) (any, error) {
				return nil, fmt.Errorf("shop: %w", &awsjson.Error{Type: "shop#SoldOut", Message: "gone", Fields: map[string]any{"Left": 0}})
			},
			"Broken": func(context.Context, []byte) (any, error) { return nil, errors.New("disk is full") },
		},
		Unknown: func(op string) *awsjson.Error {
			return &awsjson.Error{Type: "shop#Unknown", Message: op, MessageKey: "Message"}
		},
		Internal: "shop#InternalServerError",
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
	}
	tests := []struct {
		name, target, body string
		status             int
		want               string
	}{
		{"raw answer", "Shop_2026.Echo", `{"a":1}`, 200, `{"a":1}`},
		{"encoded answer", "Shop_2026.Value", `{}`, 200, `{"N":1,"S":"<&>"}`},
		{"wrapped error", "Shop_2026.Sold", `{}`, 400, `{"Left":0,"__type":"shop#SoldOut","message":"gone"}`},
		{"error from within is not shown", "Shop_2026.Broken", `{}`, 500, `{"__type":"shop#InternalServerError","message":"Internal server error"}`},
		{"unknown operation", "Shop_2026.Nope", `{}`, 400, `{"Message":"Nope","__type":"shop#Unknown"}`},
		{"other service", "Bank_2026.Echo", `{}`, 400, `{"Message":"Bank_2026.Echo","__type":"shop#Unknown"}`},
		{"large body", "Shop_2026.Echo", strings.Repeat(" ", 65), 413,
			`{"__type":"com.amazon.coral.service#RequestEntityTooLargeException","message":"Request size exceeded 64 bytes"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			r.Header.Set("X-Amz-Target", tt.target)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			body, _ := io.ReadAll(w.Body)
			if w.Code != tt.status || string(body) != tt.want {
				t.Errorf("got %d %s; want %d %s", w.Code, body, tt.status, tt.want)
			}
			if got, want := w.Header().Get("X-Amz-Crc32"), fmt.Sprint(crc32.ChecksumIEEE(body)); got != want {
				t.Errorf("got checksum %s; want %s", got, want)
			}
			if got := w.Header().Get("Content-Type"); got != "application/x-amz-json-1.1" {
				t.Errorf("got content type %s", got)
			}
		})
	}
	zipped := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		io.WriteString(z, text)
		z.Close()
		return b.String()
	}
	const notEncoded = `{"Message":"the body is not of its Content-Encoding: `
	for _, tt := range []struct {
		name, encoding, body string
		status               int
		want                 string
	}{
		{"compressed", "gzip", zipped(`{"a":`) + zipped(`1}`), 200, `{"a":1}`},
		{"identity", "identity", `{"a":1}`, 200, `{"a":1}`},
		{"not compressed", "gzip", `{"a":1}`, 400, notEncoded + `no gzip","__type":"com.amazon.coral.service#SerializationException"}`},
		{"damaged", "gzip", zipped(`{"a":1}`)[:20], 400, notEncoded + `damaged gzip","__type":"com.amazon.coral.service#SerializationException"}`},
		{"other encoding", "br", `{"a":1}`, 400, notEncoded + `only gzip is understood","__type":"com.amazon.coral.service#SerializationException"}`},
		{"large when it is not compressed", "gzip", zipped(strings.Repeat(" ", 10_000)), 413,
			`{"__type":"com.amazon.coral.service#RequestEntityTooLargeException","message":"Request size exceeded 64 bytes"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			r.Header.Set("X-Amz-Target", "Shop_2026.Echo")
			r.Header.Set("Content-Encoding", tt.encoding)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.status || w.Body.String() != tt.want {
				t.Errorf("got %d %s; want %d %s", w.Code, w.Body, tt.status, tt.want)
			}
		})
	}
	t.Run("body that breaks off", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(`{"a"`), iotest.ErrReader(io.ErrUnexpectedEOF)))
		r.Header.Set("X-Amz-Target", "Shop_2026.Echo")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 400 || w.Body.Len() > 0 {
			t.Errorf("got %d %s, want 400 and nothing", w.Code, w.Body)
		}
	})
	if !strings.Contains(log.String(), "disk is full") {
		t.Errorf("the log does not tell of the internal error: %s", &log)
	}
}
