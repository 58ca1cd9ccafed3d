package store_test

import (
	"errors"
	"strings"
	"testing"

	"crypto-ticker/emulator"
	"crypto-ticker/shared/store"
	"crypto-ticker/shared/store/storetest"
)

// open returns a store on empty tables, and its environment.
func open(t *testing.T) (*store.Store, storetest.Env) {
	t.Helper()
	env := storetest.New(t, emulator.RunDynamoDB(t).URL())
	s, err := store.Open(env.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return s, env
}

func TestOpenWithoutTables(t *testing.T) {
	t.Parallel()
	_, err := store.Open(storetest.Env{}.Getenv)
	if err == nil || !strings.Contains(err.Error(), "KEYS_TABLE") {
		t.Errorf("Open = %v; want an error that names the variables", err)
	}
}

// A function that uses a table of another function hears which variable it
// lacks, and no request is made: there is no DynamoDB here.
func TestUnsetTable(t *testing.T) {
	t.Parallel()
	s, err := store.Open(storetest.Env{"TICKER_TABLE": "Ticker"}.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for _, tt := range []struct {
		name, want string
		call       func() error
	}{
		{"AddKey", "KEYS_TABLE", func() error { return s.AddKey(ctx, store.Key{}) }},
		{"Key", "KEYS_TABLE", func() error { _, err := s.Key(ctx, "x"); return err }},
		{"Keys", "KEYS_TABLE", func() error { _, err := s.Keys(ctx); return err }},
		{"EnableKey", "KEYS_TABLE", func() error { return s.EnableKey(ctx, "x") }},
		{"AddToken", "TOKENS_TABLE", func() error { return s.AddToken(ctx, store.Token{}) }},
		{"Token", "TOKENS_TABLE", func() error { _, err := s.Token(ctx, "x"); return err }},
		{"DeleteToken", "TOKENS_TABLE", func() error { _, err := s.DeleteToken(ctx, "x"); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.call()
			if err == nil || !strings.HasPrefix(err.Error(), "store: ") || !strings.Contains(err.Error(), tt.want+" is not set") {
				t.Errorf("error = %v; want one that names %s", err, tt.want)
			}
		})
	}
}

// What fails for another reason than the data is neither of the errors that
// callers act on.
func TestUnknownTable(t *testing.T) {
	t.Parallel()
	_, env := open(t)
	s, err := store.Open(env.With("KEYS_TABLE", "Elsewhere").Getenv)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Key(t.Context(), "x")
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
		t.Errorf("error = %v; want another one", err)
	}
}
