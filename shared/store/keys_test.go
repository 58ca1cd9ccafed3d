package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto-ticker/shared/store"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	created := time.Unix(1_700_000_000, 0)
	plain := store.Key{Lookup: "plain", Hash: "h1", UserID: "ada", Role: "user", CreatedAt: created}
	full := store.Key{Lookup: "full", Hash: "h2", UserID: "bob", Role: "admin",
		Policies: []string{"a_policy", "b_policy"}, CreatedAt: created, DisabledAt: created.Add(time.Hour)}

	t.Run("what is added is read", func(t *testing.T) {
		t.Parallel()
		s, _ := open(t)
		for _, want := range []store.Key{plain, full} {
			if err := s.AddKey(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			got, err := s.Key(t.Context(), want.Lookup)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got.Policies)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("Key = %+v; want %+v", got, want)
			}
		}
	})
	t.Run("a taken lookup", func(t *testing.T) {
		t.Parallel()
		s, _ := open(t)
		if err := s.AddKey(t.Context(), plain); err != nil {
			t.Fatal(err)
		}
		other := full
		other.Lookup = plain.Lookup
		if err := s.AddKey(t.Context(), other); !errors.Is(err, store.ErrConflict) {
			t.Errorf("AddKey = %v; want ErrConflict", err)
		}
		if got, err := s.Key(t.Context(), plain.Lookup); err != nil || got.UserID != plain.UserID {
			t.Errorf("Key = %+v, %v; want the first one", got, err)
		}
	})
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		s, _ := open(t)
		if _, err := s.Key(t.Context(), "missing"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Key: %v; want ErrNotFound", err)
		}
		if err := s.DisableKey(t.Context(), "missing", created); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("DisableKey: %v; want ErrNotFound", err)
		}
		if err := s.EnableKey(t.Context(), "missing"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("EnableKey: %v; want ErrNotFound", err)
		}
		if keys, err := s.Keys(t.Context()); err != nil || len(keys) != 0 {
			t.Errorf("Keys = %v, %v; want none: an update must not make a key", keys, err)
		}
	})
	t.Run("disable and enable", func(t *testing.T) {
		t.Parallel()
		s, _ := open(t)
		if err := s.AddKey(t.Context(), plain); err != nil {
			t.Fatal(err)
		}
		first := created.Add(time.Minute)
		for _, at := range []time.Time{first, first.Add(time.Hour)} {
			if err := s.DisableKey(t.Context(), plain.Lookup, at); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Key(t.Context(), plain.Lookup); err != nil || !got.DisabledAt.Equal(first) {
				t.Errorf("disabled at %v, %v; want %v", got.DisabledAt, err, first)
			}
		}
		if err := s.EnableKey(t.Context(), plain.Lookup); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Key(t.Context(), plain.Lookup); err != nil || !reflect.DeepEqual(got, plain) {
			t.Errorf("Key = %+v, %v; want %+v", got, err, plain)
		}
	})
}

// A scan answers with at most 1 MB: the keys here fill two such pages.
func TestKeysPages(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	const n = 6
	want := map[string]bool{}
	for i := range n {
		k := store.Key{Lookup: fmt.Sprintf("key%05d", i), Hash: strings.Repeat("h", 300_000), UserID: "u", Role: "user", CreatedAt: time.Unix(1, 0)}
		if err := s.AddKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		want[k.Lookup] = true
	}
	keys, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, k := range keys {
		got[k.Lookup] = true
	}
	if len(keys) != n || !reflect.DeepEqual(got, want) {
		t.Errorf("%d keys: %v; want %v", len(keys), got, want)
	}
}
