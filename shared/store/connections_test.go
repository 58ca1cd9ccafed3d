package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto-ticker/shared/store"
	"crypto-ticker/shared/store/storetest"
)

const connectedAt = 1779634513402

func testConnection(id string, at int64) store.Connection {
	return store.Connection{
		ConnectionRef: store.ConnectionRef{ConnectionID: id, ConnectedAt: at},
		Actor:         "user:demo", ExpiresAt: time.Unix(1779638113, 0), Symbols: []string{"BTC-USD", "ETH-USD"},
	}
}

func add(t *testing.T, s *store.Store, c store.Connection) {
	t.Helper()
	if err := s.AddConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// list returns the connections of a shard, with their symbols in order.
func list(t *testing.T, s *store.Store, shard int, since time.Time) []store.Connection {
	t.Helper()
	got, err := s.Connections(t.Context(), shard, since, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got {
		slices.Sort(c.Symbols)
	}
	return got
}

func TestConnectionIsStored(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	want := testConnection("Jx-TaE0_GjQFvSw=", connectedAt)
	add(t, s, want)
	got := list(t, s, want.Shard(), time.Time{})
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v; want %+v", got, want)
	}
	if err := s.AddConnection(t.Context(), want); !errors.Is(err, store.ErrConflict) {
		t.Errorf("adding it again: got %v; want ErrConflict", err)
	}
	none := testConnection("none", connectedAt)
	none.Symbols, none.Mode = nil, store.ModeLatest
	add(t, s, none)
	if got := list(t, s, none.Shard(), time.Time{}); !slices.ContainsFunc(got, func(c store.Connection) bool { return reflect.DeepEqual(c, none) }) {
		t.Errorf("got %+v; want one without symbols", got)
	}
}

func TestRemoveConnection(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := testConnection("a", connectedAt)
	if busy, err := s.HasConnections(t.Context()); busy || err != nil {
		t.Errorf("empty table: got %v, %v; want false", busy, err)
	}
	add(t, s, c)
	if busy, err := s.HasConnections(t.Context()); !busy || err != nil {
		t.Errorf("one connection: got %v, %v; want true", busy, err)
	}
	for range 2 { // the second time there is nothing to remove
		if err := s.RemoveConnection(t.Context(), c.ConnectionRef); err != nil {
			t.Fatal(err)
		}
	}
	if busy, err := s.HasConnections(t.Context()); busy || err != nil {
		t.Errorf("after removal: got %v, %v; want false", busy, err)
	}
}

func TestMarkGreeted(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := testConnection("a", connectedAt)
	if err := s.MarkGreeted(t.Context(), c.ConnectionRef, 1, 2); !errors.Is(err, store.ErrConflict) {
		t.Errorf("missing connection: got %v; want ErrConflict", err)
	}
	if busy, _ := s.HasConnections(t.Context()); busy {
		t.Error("marking a missing connection has made a row")
	}
	add(t, s, c)
	if err := s.MarkGreeted(t.Context(), c.ConnectionRef, 3, 4711); err != nil {
		t.Fatal(err)
	}
	if got := list(t, s, c.Shard(), time.Time{}); !got[0].Greeted || got[0].Epoch != 3 || got[0].Seq != 4711 {
		t.Errorf("got %+v; want it greeted with tick 4711 of epoch 3", got[0])
	}
	if err := s.MarkGreeted(t.Context(), c.ConnectionRef, 3, 4711); !errors.Is(err, store.ErrConflict) {
		t.Errorf("second time: got %v; want ErrConflict", err)
	}
}

func TestClaimGreeting(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := testConnection("a", connectedAt)
	claim := func(by string, want error) {
		t.Helper()
		if err := s.ClaimGreeting(t.Context(), c.ConnectionRef, by); !errors.Is(err, want) {
			t.Errorf("claim by %s: got %v; want %v", by, err, want)
		}
	}
	claim("me", store.ErrConflict) // there is no connection
	if _, err := s.Connection(t.Context(), c.ConnectionRef); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("missing connection: got %v; want ErrNotFound", err)
	}
	add(t, s, c)
	claim("me", nil)
	claim("me", nil)
	claim("you", store.ErrConflict)
	if err := s.MarkGreeted(t.Context(), c.ConnectionRef, 3, 4711); err != nil {
		t.Fatal(err)
	}
	claim("me", store.ErrConflict)
	if got, err := s.Connection(t.Context(), c.ConnectionRef); err != nil || !got.Greeted || got.ConnectionRef != c.ConnectionRef {
		t.Errorf("got %+v, %v; want it greeted", got, err)
	}
}

func TestEndConnection(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := testConnection("a", connectedAt)
	now := time.Unix(connectedAt/1000+5, 0)
	if err := s.EndConnection(t.Context(), c.ConnectionRef, now); err != nil {
		t.Errorf("missing connection: got %v; want nil", err)
	}
	if busy, _ := s.HasConnections(t.Context()); busy {
		t.Error("ending a missing connection has made a row")
	}
	add(t, s, c)
	if err := s.EndConnection(t.Context(), c.ConnectionRef, now); err != nil {
		t.Fatal(err)
	}
	want := c
	want.ExpiresAt = now
	if got := list(t, s, c.Shard(), time.Time{}); !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v; want %+v", got[0], want)
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx := t.Context()
	c := testConnection("a", connectedAt)
	add(t, s, c)
	steps := []struct {
		name     string
		do       func() (store.Connection, error)
		want     string
		wantMode string
	}{
		{"one more", func() (store.Connection, error) {
			return s.Subscribe(ctx, c.ConnectionRef, []string{"SOL-USD", "BTC-USD"}, store.ModeLatest)
		}, "BTC-USD ETH-USD SOL-USD", store.ModeLatest},
		{"one less", func() (store.Connection, error) {
			return s.Unsubscribe(ctx, c.ConnectionRef, []string{"ETH-USD"})
		}, "BTC-USD SOL-USD", store.ModeLatest},
		{"one that it has not", func() (store.Connection, error) {
			return s.Unsubscribe(ctx, c.ConnectionRef, []string{"ETH-USD"})
		}, "BTC-USD SOL-USD", store.ModeLatest},
		{"none left", func() (store.Connection, error) {
			return s.Unsubscribe(ctx, c.ConnectionRef, []string{"BTC-USD", "SOL-USD"})
		}, "", store.ModeLatest},
		{"from none to one", func() (store.Connection, error) {
			return s.Subscribe(ctx, c.ConnectionRef, []string{"ETH-USD"}, store.ModeAll)
		}, "ETH-USD", store.ModeAll},
	}
	for _, step := range steps {
		got, err := step.do()
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		slices.Sort(got.Symbols)
		if symbols := strings.Join(got.Symbols, " "); symbols != step.want || got.Mode != step.wantMode || got.ConnectionRef != c.ConnectionRef || got.Actor != c.Actor {
			t.Errorf("%s: got %+v; want symbols %q, mode %q", step.name, got, step.want, step.wantMode)
		}
	}
	missing := store.ConnectionRef{ConnectionID: "missing", ConnectedAt: connectedAt}
	if _, err := s.Subscribe(ctx, missing, []string{"BTC-USD"}, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("missing connection: got %v; want ErrNotFound", err)
	}
	if _, err := s.Unsubscribe(ctx, missing, []string{"BTC-USD"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("missing connection: got %v; want ErrNotFound", err)
	}
}

// TestConnectionsInShards: every connection is in one shard, in the order of
// time, and can be read from a time on.
func TestConnectionsInShards(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	const n = 40
	for i := range n {
		add(t, s, testConnection(fmt.Sprint("connection", i), connectedAt+int64(i)))
	}
	all, recent, shards := 0, 0, 0
	for shard := range store.Shards {
		rows := list(t, s, shard, time.Time{})
		if !slices.IsSortedFunc(rows, func(a, b store.Connection) int { return int(a.ConnectedAt - b.ConnectedAt) }) {
			t.Errorf("shard %d is not in the order of time", shard)
		}
		for _, c := range rows {
			if c.Shard() != shard {
				t.Errorf("%s is in shard %d; want %d", c.ConnectionID, shard, c.Shard())
			}
		}
		if len(rows) > 0 {
			shards++
		}
		all += len(rows)
		recent += len(list(t, s, shard, time.UnixMilli(connectedAt+n-10)))
	}
	if all != n || recent != 10 || shards < store.Shards/2 {
		t.Errorf("got %d connections, %d of them recent, in %d shards; want %d, 10, most shards", all, recent, shards, n)
	}
}

// TestConnectionsOfManyPages: DynamoDB answers with at most 1 MB at a time.
func TestConnectionsOfManyPages(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	const n = 12
	for i := range n {
		c := testConnection("the same one", connectedAt+int64(i))
		c.Actor = strings.Repeat("p", 200_000)
		add(t, s, c)
	}
	shard := store.ConnectionRef{ConnectionID: "the same one"}.Shard()
	if got := len(list(t, s, shard, time.Time{})); got != n {
		t.Errorf("got %d connections; want %d", got, n)
	}
}

func TestConnectionsOfTokenOrKey(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for i := range 12 {
		c := testConnection(fmt.Sprint("connection", i), connectedAt)
		c.TokenHash = []string{"first", "second", "third"}[i%3]
		c.KeyLookup = []string{"mine", "mine", "other"}[i%3]
		add(t, s, c)
	}
	for _, tt := range []struct {
		what, value string
		find        func(context.Context, string) ([]store.Connection, error)
		of          func(store.Connection) string
		want        int
	}{
		{"token", "first", s.TokenConnections, func(c store.Connection) string { return c.TokenHash }, 4},
		{"token", "mine", s.TokenConnections, nil, 0},
		{"key", "mine", s.KeyConnections, func(c store.Connection) string { return c.KeyLookup }, 8},
		{"key", "other", s.KeyConnections, func(c store.Connection) string { return c.KeyLookup }, 4},
		{"key", "first", s.KeyConnections, nil, 0},
	} {
		got, err := tt.find(t.Context(), tt.value)
		if err != nil || len(got) != tt.want {
			t.Errorf("%s %s: got %d connections, %v; want %d", tt.what, tt.value, len(got), err, tt.want)
		}
		for _, c := range got {
			if tt.of(c) != tt.value || c.ConnectionID == "" {
				t.Errorf("%s %s: got %+v; want one of it", tt.what, tt.value, c)
			}
		}
	}
}

// TestConnectionsWithoutTable: what a function may not use, it hears by name,
// without any request.
func TestConnectionsWithoutTable(t *testing.T) {
	t.Parallel()
	s, err := store.Open(storetest.Env{"KEYS_TABLE": "Keys"}.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	ctx, ref := t.Context(), store.ConnectionRef{ConnectionID: "a"}
	for name, call := range map[string]func() error{
		"CONNECTIONS_TABLE add":       func() error { return s.AddConnection(ctx, store.Connection{}) },
		"CONNECTIONS_TABLE remove":    func() error { return s.RemoveConnection(ctx, ref) },
		"CONNECTIONS_TABLE claim":     func() error { return s.ClaimGreeting(ctx, ref, "me") },
		"CONNECTIONS_TABLE end":       func() error { return s.EndConnection(ctx, ref, time.Now()) },
		"CONNECTIONS_TABLE read":      func() error { _, err := s.Connection(ctx, ref); return err },
		"CONNECTIONS_TABLE greet":     func() error { return s.MarkGreeted(ctx, ref, 1, 2) },
		"CONNECTIONS_TABLE subscribe": func() error { _, err := s.Subscribe(ctx, ref, []string{"A"}, ""); return err },
		"CONNECTIONS_TABLE list":      func() error { _, err := s.Connections(ctx, 0, time.Time{}, false); return err },
		"CONNECTIONS_TABLE of token":  func() error { _, err := s.TokenConnections(ctx, "x"); return err },
		"CONNECTIONS_TABLE of key":    func() error { _, err := s.KeyConnections(ctx, "x"); return err },
		"CONNECTIONS_TABLE any":       func() error { _, err := s.HasConnections(ctx); return err },
		"TICKER_TABLE read":           func() error { _, err := s.Lease(ctx); return err },
		"TICKER_TABLE acquire":        func() error { _, err := s.AcquireLease(ctx, store.Lease{}, "me"); return err },
	} {
		variable, _, _ := strings.Cut(name, " ")
		if err := call(); err == nil || !strings.Contains(err.Error(), variable+" is not set") {
			t.Errorf("%s: got %v; want an error that names %s", name, err, variable)
		}
	}
}
