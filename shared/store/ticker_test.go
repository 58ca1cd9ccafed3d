package store_test

import (
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crypto-ticker/shared/market"
	"crypto-ticker/shared/store"
)

func readLease(t *testing.T, s *store.Store) store.Lease {
	t.Helper()
	l, err := s.Lease(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLeaseLife(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx := t.Context()
	if l := readLease(t, s); !reflect.DeepEqual(l, store.Lease{}) {
		t.Fatalf("new table: got %+v; want a free lease", l)
	}
	held, err := s.AcquireLease(ctx, store.Lease{}, "first")
	if err != nil || held.Owner != "first" || held.Epoch != 1 || held.Version != 1 || held.State != store.LeaseRunning {
		t.Fatalf("acquire: got %+v, %v; want epoch 1, version 1, running", held, err)
	}
	if _, err := s.AcquireLease(ctx, store.Lease{}, "second"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("acquire what is taken: got %v; want ErrConflict", err)
	}

	held.State, held.Seq = store.LeaseHandover, 4711
	held.Prices = []market.Quote{
		{Symbol: "BTC-USD", Price: "42000.10", Time: time.UnixMilli(connectedAt), Source: "simulated"},
		{Symbol: "ETH-USD", Price: "2500.00000", Time: time.UnixMilli(connectedAt), Source: "kraken", Stale: true},
	}
	want := held
	want.Version = 2
	if held, err = s.RenewLease(ctx, held); err != nil || !reflect.DeepEqual(held, want) {
		t.Errorf("renew: got %+v, %v; want %+v", held, err, want)
	}
	if got := readLease(t, s); !reflect.DeepEqual(got, want) {
		t.Errorf("read: got %+v; want %+v", got, want)
	}

	if err := s.ReleaseLease(ctx, held); err != nil {
		t.Fatal(err)
	}
	if err := renewErr(s, t, held); !errors.Is(err, store.ErrConflict) {
		t.Errorf("renew that arrives after release: got %v; want ErrConflict", err)
	}
	free := readLease(t, s)
	if free.State != store.LeaseFree || free.Version != 3 || free.Seq != 4711 || len(free.Prices) != 2 {
		t.Errorf("released: got %+v; want it free, with its prices", free)
	}
	next, err := s.AcquireLease(ctx, free, "second")
	if err != nil || next.Epoch != 2 || next.Version != 4 || next.Seq != 4711 || !reflect.DeepEqual(next.Prices, want.Prices) {
		t.Errorf("acquire again: got %+v, %v; want epoch 2 with the saved prices", next, err)
	}
	for name, err := range map[string]error{"renew": renewErr(s, t, held), "release": s.ReleaseLease(ctx, held)} {
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s of the former holder: got %v; want ErrConflict", name, err)
		}
	}
	if got := readLease(t, s); !reflect.DeepEqual(got, next) {
		t.Errorf("the former holder has changed the lease to %+v", got)
	}
}

func renewErr(s *store.Store, t *testing.T, l store.Lease) error {
	_, err := s.RenewLease(t.Context(), l)
	return err
}

// TestLeaseIsNotStolenFromTheLiving: whoever has seen an older version comes too
// late.
func TestLeaseIsNotStolenFromTheLiving(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	held, err := s.AcquireLease(t.Context(), store.Lease{}, "first")
	if err != nil {
		t.Fatal(err)
	}
	seen := readLease(t, s)
	if _, err := s.RenewLease(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AcquireLease(t.Context(), seen, "thief"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("got %v; want ErrConflict", err)
	}
	if _, err := s.AcquireLease(t.Context(), readLease(t, s), "heir"); err != nil {
		t.Errorf("the version has not moved: got %v; want the lease", err)
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx := t.Context()
	held, err := s.AcquireLease(ctx, store.Lease{}, "holder")
	if err != nil {
		t.Fatal(err)
	}
	seen := readLease(t, s)
	if err := s.ChallengeLease(ctx, seen, "a"); err != nil {
		t.Fatal(err)
	}
	if err := s.ChallengeLease(ctx, seen, "b"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("second challenger of a version: got %v; want ErrConflict", err)
	}
	if held, err = s.RenewLease(ctx, held); err != nil || held.Challenger != "a" || held.Challenged != 1 || held.Version != 2 {
		t.Errorf("got %+v, %v; want the holder to see challenger a of version 1", held, err)
	}
	if err := s.ChallengeLease(ctx, seen, "b"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("challenger of an old version: got %v; want ErrConflict", err)
	}
	if err := s.ChallengeLease(ctx, readLease(t, s), "b"); err != nil {
		t.Errorf("challenger of a new version: got %v", err)
	}
	if err := s.ReleaseLease(ctx, held); err != nil {
		t.Fatal(err)
	}
	next, err := s.AcquireLease(ctx, readLease(t, s), "b")
	if err != nil || next.Challenger != "" || next.Challenged != 0 {
		t.Errorf("got %+v, %v; want no challenger of the new holder", next, err)
	}
}

// TestOneGetsTheLease: of many who ask at once, one gets it.
func TestOneGetsTheLease(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	seen := store.Lease{}
	for round := range 3 {
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				switch _, err := s.AcquireLease(t.Context(), seen, "somebody"); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, store.ErrConflict):
					t.Errorf("got %v; want ErrConflict", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: %d have got the lease; want 1", round, won.Load())
		}
		seen = readLease(t, s)
	}
}

// TestAskForLease: the holder sees what is to replace it; the successor does not.
func TestAskForLease(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx := t.Context()
	held, err := s.AcquireLease(ctx, store.Lease{}, "old")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AskForLease(ctx, held, "build 2"); err != nil {
		t.Fatal(err)
	}
	held.Build, held.State = "build 1", store.LeaseRunning
	if held, err = s.RenewLease(ctx, held); err != nil || held.Wanted != "build 2" || held.Build != "build 1" {
		t.Errorf("got wanted %q, build %q, %v; want build 2 and build 1", held.Wanted, held.Build, err)
	}
	if err := s.ReleaseLease(ctx, held); err != nil {
		t.Fatal(err)
	}
	next, err := s.AcquireLease(ctx, readLease(t, s), "new")
	if err != nil || next.Wanted != "" || next.Build != "" {
		t.Errorf("successor: got wanted %q, build %q, %v; want neither", next.Wanted, next.Build, err)
	}
	if err := s.AskForLease(ctx, held, "build 3"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("asking who has left: got %v; want ErrConflict", err)
	}
}
