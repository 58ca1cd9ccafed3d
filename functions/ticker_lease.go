package functions

import (
	"context"
	"errors"
	"time"

	"crypto-ticker/shared/store"
)

const (
	// leaseTime is how long a holder may be silent before somebody else takes
	// its place. The holder itself gives up one renewInterval earlier.
	leaseTime     = 3 * time.Second
	renewInterval = time.Second

	watchInterval = 250 * time.Millisecond // of looking whether a holder lives
	waitInterval  = 50 * time.Millisecond  // of looking whether a leaving holder is gone
	replaceTime   = 10 * time.Second       // in which a holder of an old build makes room, or never will
)

// errLed says that somebody else leads.
var errLed = errors.New("somebody else leads")

// claim is a lease that this process holds.
type claim struct {
	store.Lease
	since time.Time // when it was asked for, by this process's clock
	saved time.Time // when the holder before was seen to save its prices; zero: it was not
}

// contend returns the lease, or errLed if somebody else has it and lives. A
// holder is dead if it has written nothing for the lease time, measured by this
// process's own clock, since that of another machine says nothing here.
//
// A patient process watches for all of that time. Others come by the hundreds,
// one with each client, so of them at most one watches at a time, and all
// others believe that the holder lives. While the holder is about to leave,
// one waits to take its place. A patient process that was deployed after the
// holder has it leave.
func (t *ticker) contend(ctx context.Context, owner string, patient bool) (claim, error) {
	seen, err := t.store.Lease(ctx)
	began := time.Now()
	since, asked, saved := began, time.Time{}, time.Time{}
	for {
		if err != nil {
			return claim{}, err
		}
		if seen.Owner == owner && seen.State == store.LeaseRunning {
			return claim{seen, asked, saved}, nil // only the answer was lost
		}
		if seen.State == store.LeaseFree || time.Since(since) >= leaseTime {
			asked = time.Now()
			held, err := t.store.AcquireLease(ctx, seen, owner)
			if err == nil {
				return claim{held, asked, saved}, nil
			}
			if !errors.Is(err, store.ErrConflict) {
				return claim{}, err
			}
		} else if err := t.challenge(ctx, &seen, owner, patient); err != nil {
			return claim{}, err
		}
		if err := pause(ctx, pauseFor(seen.State)); err != nil {
			return claim{}, err
		}
		last := seen
		if seen, err = t.store.Lease(ctx); err != nil || seen.Version == last.Version {
			continue
		}
		if seen.State == store.LeaseRunning && seen.Owner != owner {
			if err := t.replace(ctx, seen, patient && time.Since(began) < replaceTime); err != nil {
				return claim{}, err
			}
		}
		since = time.Now()
		saved = since
	}
}

// replace asks a holder that lives to make room if it is of another build. Who is
// called now was deployed later: Lambda calls no old build any more. It returns
// errLed if there is no reason to ask, or no hope.
func (t *ticker) replace(ctx context.Context, seen store.Lease, hope bool) error {
	if !hope || seen.Build == "" || seen.Build == t.build {
		return errLed
	}
	if seen.Wanted == t.build {
		return nil
	}
	if err := t.store.AskForLease(ctx, seen, t.build); !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil // somebody else has it already: the next look tells who
}

// challenge registers this process as the one that waits, if that is called for.
// It returns errLed if it has no need to wait.
func (t *ticker) challenge(ctx context.Context, seen *store.Lease, owner string, patient bool) error {
	if patient && seen.State == store.LeaseRunning || seen.Challenger == owner && seen.Challenged == seen.Version {
		return nil
	}
	err := store.ErrConflict
	if seen.Challenged < seen.Version {
		err = t.store.ChallengeLease(ctx, *seen, owner)
	}
	switch {
	case err == nil:
		seen.Challenger, seen.Challenged = owner, seen.Version
	case !errors.Is(err, store.ErrConflict):
		return err
	case !patient && seen.State != store.LeaseDraining: // for that takes only moments
		return errLed
	}
	return nil
}

func pauseFor(state store.LeaseState) time.Duration {
	switch state {
	case store.LeaseRunning:
		return watchInterval
	case store.LeaseFree:
		return 0
	}
	return waitInterval
}
