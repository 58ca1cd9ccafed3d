package functions

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"crypto-ticker/shared/market"
	"crypto-ticker/shared/store"
	"crypto-ticker/shared/store/storetest"
)

func newTestTicker(t *testing.T, env storetest.Env) *ticker {
	t.Helper()
	tick, err := newTicker(env.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return tick
}

// hold takes the lease as another process would, and renews it until stop is
// called.
func holdLease(t *testing.T, s *store.Store, state store.LeaseState) (stop func() store.Lease) {
	t.Helper()
	held, err := s.AcquireLease(t.Context(), store.Lease{}, "another one")
	if err != nil {
		t.Fatal(err)
	}
	held.State, held.Seq = state, 100
	for _, symbol := range []string{"BTC-USD", "ETH-USD", "SOL-USD"} {
		held.Prices = append(held.Prices, market.Quote{Symbol: symbol, Price: "77.70", Time: time.Now(), Source: "simulated"})
	}
	if held, err = s.RenewLease(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for pause(ctx, 300*time.Millisecond) == nil {
			renewed, err := s.RenewLease(ctx, held)
			if err != nil {
				if ctx.Err() == nil {
					t.Errorf("another one: %v", err)
				}
				return
			}
			held = renewed
		}
	})
	var once sync.Once
	end := func() { once.Do(func() { cancel(); wg.Wait() }) }
	t.Cleanup(end)
	return func() store.Lease { end(); return held }
}

func TestContendForAFreeLease(t *testing.T) {
	t.Parallel()
	env, s, _ := newStage(t)
	tick := newTestTicker(t, env)
	for epoch := range int64(3) {
		before := time.Now()
		held, err := tick.contend(t.Context(), "me", epoch%2 == 0)
		if err != nil || held.Epoch != epoch+1 || held.since.Before(before) || held.since.After(time.Now()) {
			t.Fatalf("got %+v, %v; want epoch %d at once", held, err, epoch+1)
		}
		if !held.saved.IsZero() {
			t.Errorf("prices were saved at %v; want it unknown: nobody was there", held.saved)
		}
		if err := s.ReleaseLease(t.Context(), held.Lease); err != nil {
			t.Fatal(err)
		}
	}
}

// TestContendWithTheLiving: a holder that renews keeps its lease.
func TestContendWithTheLiving(t *testing.T) {
	t.Parallel()
	env, s, _ := newStage(t)
	holdLease(t, s, store.LeaseRunning)
	tick := newTestTicker(t, env)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if _, err := tick.contend(t.Context(), string(rune('a'+i)), i == 0); !errors.Is(err, errLed) {
				t.Errorf("got %v; want errLed", err)
			}
		})
	}
	wg.Wait()
}

// TestOneGreetingWatches: of the many that clients wake at once, one finds out
// that the holder is dead, and all others leave.
func TestOneGreetingWatches(t *testing.T) {
	t.Parallel()
	env, s, _ := newStage(t)
	holdLease(t, s, store.LeaseRunning)()
	tick := newTestTicker(t, env)
	won := make(chan string, 30)
	var wg sync.WaitGroup
	for i := range cap(won) {
		wg.Go(func() {
			owner := string(rune('a' + i))
			switch _, err := tick.contend(t.Context(), owner, false); {
			case err == nil:
				won <- owner
			case !errors.Is(err, errLed):
				t.Errorf("got %v; want errLed", err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d have got the lease; want 1", len(won))
	}
}

// TestContendWithTheDead: a holder that is silent for the lease time loses it,
// and not before.
func TestContendWithTheDead(t *testing.T) {
	t.Parallel()
	for name, patient := range map[string]bool{"schedule": true, "greeting": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, s, _ := newStage(t)
			dead := holdLease(t, s, store.LeaseRunning)()
			began := time.Now()
			held, err := newTestTicker(t, env).contend(t.Context(), "heir", patient)
			if err != nil || held.Epoch != dead.Epoch+1 || held.Seq != 100 {
				t.Fatalf("got %+v, %v; want the next epoch with what was saved", held, err)
			}
			if took := time.Since(began); took < leaseTime {
				t.Errorf("took the lease after %v; want no less than %v", took, leaseTime)
			}
		})
	}
}

// TestContendForALeaseThatIsGivenUp: who waits for it gets it at once, one of
// them.
func TestContendForALeaseThatIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, state := range []store.LeaseState{store.LeaseHandover, store.LeaseDraining} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			env, s, _ := newStage(t)
			stop := holdLease(t, s, state)
			tick := newTestTicker(t, env)
			type winner struct {
				claim
				at time.Time
			}
			won := make(chan winner, 4)
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					held, err := tick.contend(t.Context(), string(rune('a'+i)), i > 0)
					if err == nil {
						won <- winner{held, time.Now()}
					} else if !errors.Is(err, errLed) {
						t.Errorf("got %v; want errLed", err)
					}
				})
			}
			var waiting string
			soon(t, "the challenge", func() bool {
				l, err := s.Lease(t.Context())
				waiting = l.Challenger
				return err == nil && l.Challenger != "" && l.Challenged == l.Version
			})
			if len(won) != 0 {
				t.Error("somebody got the lease while its holder was there")
			}
			if err := s.ReleaseLease(t.Context(), stop()); err != nil {
				t.Fatal(err)
			}
			released := time.Now()
			first := <-won
			if d := first.at.Sub(released); d >= leaseTime {
				t.Errorf("taken over after %v; want at once", d)
			}
			// One that looks for the first time now finds the lease free, and cannot
			// tell since when.
			if age := first.at.Sub(first.saved); first.Owner == waiting && age > leaseTime {
				t.Errorf("prices were saved %v ago; want moments, at the release", age)
			}
			// The others see somebody who does not renew, and would steal in time.
			next, err := s.Lease(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.RenewLease(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			wg.Wait()
			if len(won) != 0 {
				t.Errorf("%d more have got the lease", len(won))
			}
		})
	}
}

func TestContendFails(t *testing.T) {
	t.Parallel()
	env, _, _ := newStage(t)
	if _, err := newTestTicker(t, env.With("TICKER_TABLE", "Missing")).contend(t.Context(), "me", true); err == nil || errors.Is(err, errLed) {
		t.Errorf("without its table: got %v; want an error", err)
	}
}
