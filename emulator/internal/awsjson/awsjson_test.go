package awsjson_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
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

func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	short, long := strings.Repeat("a", 99), strings.Repeat("a", 100)
	s := &awsjson.Service{
		Target: "Shop_2026", Version: "1.0", MaxBody: 200, Compress: 100,
		Operations: map[string]awsjson.Operation{
			"Echo": func(_ context.Context, body []byte) (any, error) { return json.RawMessage(body), nil },
		},
		Unknown: func(op string) *awsjson.Error { return &awsjson.Error{Type: "shop#Unknown", Message: op} },
	}
	for _, tt := range []struct {
		body   string
		accept []string
		want   string
	}{
		{long, nil, ""},
		{long, []string{""}, ""},
		{short, []string{"gzip"}, ""},
		{long, []string{"gzip"}, "gzip"},
		{long, []string{"deflate"}, "deflate"},
		{long, []string{"GZip"}, "gzip"},
		{long, []string{"identity"}, ""},
		{long, []string{"br, zstd, x-gzip, compress"}, ""},
		{long, []string{`"gzip"`}, ""},
		{long, []string{"gzip br"}, ""},
		{long, []string{"gzip:q=1"}, ""},
		{long, []string{",, br , deflate,"}, "deflate"},
		{long, []string{"identity", "deflate"}, "deflate"},
		{long, []string{"gzip", "identity"}, ""},

		{long, []string{"deflate, gzip"}, "deflate"},
		{long, []string{"gzip, deflate"}, "gzip"},
		{long, []string{"gzip;q=0.5, deflate"}, "deflate"},
		{long, []string{"identity, gzip;q=0.1"}, "gzip"},
		{long, []string{"gzip ; q=0"}, ""},
		{long, []string{"gzip;nq=1;q=0 "}, ""},
		{long, []string{"gzip;q=0."}, ""},
		{long, []string{"deflate;q=-0.5"}, ""},
		{long, []string{"gzip;q=NaN"}, ""},
		{long, []string{"gzip;q=0.x, deflate;q=0.9"}, "gzip"},
		{long, []string{"gzip;q=1;q=0.2, deflate;q=0.5"}, "gzip"},
		{long, []string{"gzip;q=7, deflate;q=9"}, "gzip"},
		{long, []string{"gzip;q=0, gzip;q=1, gzip;q=0"}, "gzip"},

		{long, []string{"*"}, "gzip"},
		{long, []string{"*;q=0"}, ""},
		{long, []string{"*;q=0.5, identity"}, "gzip"},
		{long, []string{"*, gzip;q=0.5"}, "deflate"},
		{long, []string{"*, gzip;q=0"}, "deflate"},
		{long, []string{"*, deflate;q=0.5"}, "gzip"},
		{long, []string{"*, deflate"}, "deflate"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
		r.Header.Set("X-Amz-Target", "Shop_2026.Echo")
		r.Header["Accept-Encoding"] = tt.accept
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		h := w.Header()
		if got := h.Get("Content-Encoding"); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.accept, got, tt.want)
			continue
		}
		if got, want := h.Get("X-Amz-Crc32"), fmt.Sprint(crc32.ChecksumIEEE(w.Body.Bytes())); got != want {
			t.Errorf("%q: got checksum %s, want %s", tt.accept, got, want)
		}
		if got, want := h.Get("Content-Length"), fmt.Sprint(w.Body.Len()); got != want {
			t.Errorf("%q: got length %s, want %s", tt.accept, got, want)
		}
		body, err := io.Reader(w.Body), error(nil)
		switch tt.want {
		case "gzip":
			body, err = gzip.NewReader(w.Body)
		case "deflate":
			body, err = zlib.NewReader(w.Body)
		}
		if err != nil {
			t.Errorf("%q: %v", tt.accept, err)
			continue
		}
		if got, err := io.ReadAll(body); string(got) != tt.body || err != nil {
			t.Errorf("%q: got %s %v", tt.accept, got, err)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Target", "Shop_2026."+long)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || w.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("error: got %d %s", w.Code, w.Header())
	}
	s.Compress = 0
	r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(long))
	r.Header.Set("X-Amz-Target", "Shop_2026.Echo")
	r.Header.Set("Accept-Encoding", "gzip")
	w = httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "" || w.Body.String() != long {
		t.Errorf("service without compression: got %s %s", w.Header(), w.Body)
	}
}
