package clock_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crypto-ticker/emulator/internal/clock"
)

func TestAdvanceRunsDueTimersInOrder(t *testing.T) {
	t.Parallel()
	c := clock.New()
	defer c.Close()
	start := c.Now()
	var got []time.Duration
	note := func() { got = append(got, c.Now().Sub(start).Round(time.Minute)) }
	c.AfterFunc(3*time.Hour, note)
	c.AfterFunc(1*time.Hour, note)
	c.AfterFunc(2*time.Hour, note)
	stopped := c.AfterFunc(90*time.Minute, note)
	if !stopped.Stop() {
		t.Error("Stop of a waiting timer: got false")
	}
	c.Advance(150 * time.Minute)
	if want := []time.Duration{time.Hour, 2 * time.Hour}; !slices.Equal(got, want) {
		t.Errorf("timers ran at %v; want %v", got, want)
	}
	if d := c.Now().Sub(start); d < 150*time.Minute {
		t.Errorf("the clock moved by %v; want at least 2h30m", d)
	}
}

func TestAdvanceRunsPeriodicTimerEachTime(t *testing.T) {
	t.Parallel()
	c := clock.New()
	defer c.Close()
	n := 0
	var timer *clock.Timer
	timer = c.AfterFunc(time.Minute, func() {
		n++
		timer.Reset(time.Minute)
	})
	c.Advance(10*time.Minute + time.Second)
	if n != 10 {
		t.Errorf("a timer of one minute ran %d times in ten; want 10", n)
	}
}

func TestTimersRunInRealTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		defer c.Close()
		start := time.Now()
		var mu sync.Mutex
		var got []time.Duration
		for _, d := range []time.Duration{2 * time.Second, time.Second, time.Second} {
			c.AfterFunc(d, func() {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, time.Since(start))
			})
		}
		c.Advance(500 * time.Millisecond) // brings all of them nearer
		time.Sleep(time.Minute)
		want := []time.Duration{500 * time.Millisecond, 500 * time.Millisecond, 1500 * time.Millisecond}
		if mu.Lock(); !slices.Equal(got, want) {
			t.Errorf("timers ran after %v; want %v", got, want)
		}
		mu.Unlock()
	})
}

func TestTimersOfManyGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 100 {
					timer := c.AfterFunc(time.Duration(i%7)*time.Second, func() {})
					if i%3 == 0 {
						timer.Stop()
					} else {
						timer.Reset(time.Second)
					}
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				for range 10 {
					c.Advance(time.Second)
				}
			})
		}
		wg.Wait()
		c.Close()
		c.AfterFunc(0, func() { t.Error("a timer ran on a closed clock") })
		time.Sleep(time.Minute)
	})
}
