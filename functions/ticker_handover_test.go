package functions

import (
	"testing"
	"time"

	"crypto-ticker/shared/store/storetest"
)

// TestHandover: near its end a leader waits for the next one, and no client
// misses a tick.
func TestHandover(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	addRow(t, s, testRow("a", time.Minute))
	h := newTestHandler(t, Ticker, env)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := h.Invoke(lasting(t, 30*time.Second), []byte(scheduleEvent)) // less than handoverTime
		first <- err
	}()
	soon(t, "a tick", func() bool { return g.count("a", "ticker") > 0 })
	go func() {
		_, err := h.Invoke(lasting(t, 4*time.Second), []byte(scheduleEvent))
		second <- err
	}()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	left := time.Now()
	soon(t, "a tick of the second", func() bool {
		all := g.got("a")
		return all[len(all)-1].Epoch == 2
	})
	if took := time.Since(left); took > 2*time.Second {
		t.Errorf("prices moved again after %v; want at once", took)
	}
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	var last stageMessage
	for _, m := range g.got("a") {
		if m.Epoch < last.Epoch || last.Seq > 0 && m.From != last.Seq+1 {
			t.Fatalf("epoch %d, ticks %d to %d after epoch %d, tick %d", m.Epoch, m.From, m.Seq, last.Epoch, last.Seq)
		}
		last = m
	}
}

// TestNewBuildTakesOver: a deployed ticker does not wait for the old one's time
// to end.
func TestNewBuildTakesOver(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	addRow(t, s, testRow("a", time.Minute))
	old, deployed := make(chan error, 1), make(chan error, 1)
	lead := func(env storetest.Env, done chan<- error, d time.Duration) {
		h := newTestHandler(t, Ticker, env)
		go func() {
			_, err := h.Invoke(lasting(t, d), []byte(scheduleEvent))
			done <- err
		}()
	}
	lead(env, old, 10*time.Minute)
	soon(t, "a tick", func() bool { return g.count("a", "ticker") > 0 })
	lead(env.With("DELIVERY_INTERVAL", "30ms"), deployed, releaseTime+3*time.Second)
	if err := <-old; err != nil {
		t.Fatal(err)
	}
	soon(t, "a tick of the new build", func() bool {
		all := g.got("a")
		return all[len(all)-1].Epoch == 2
	})
	if err := <-deployed; err != nil {
		t.Fatal(err)
	}
}
