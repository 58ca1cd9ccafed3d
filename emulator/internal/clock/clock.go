// Package clock is the emulator's time: the machine's, plus whatever a test has
// advanced it by.
package clock

import (
	"container/heap"
	"sync"
	"time"
)

// Clock tells the time and runs timers. The zero value is not usable; call New.
type Clock struct {
	advance sync.Mutex // held by Advance, so that one moves the clock at a time

	mu      sync.Mutex
	offset  time.Duration // added to the machine's time
	frozen  time.Time     // while Advance runs: the time it has reached
	timers  timerHeap
	wake    *time.Timer // fires when the earliest timer is due
	stopped bool
}

// New returns a clock that shows the machine's time.
func New() *Clock { return &Clock{} }

// Timer is a function that waits for its time.
type Timer struct {
	c     *Clock
	f     func()
	at    time.Time
	index int // in the heap; -1 if not waiting
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return time.Now().Add(c.offset)
}

// AfterFunc runs f once d has passed: on its own goroutine when real time gets
// there, inside Advance when a test does. f may block only briefly.
func (c *Clock) AfterFunc(d time.Duration, f func()) *Timer {
	t := &Timer{c: c, f: f, index: -1}
	t.Reset(d)
	return t
}

// Reset makes the timer run d from now, whether or not it has run before.
func (t *Timer) Reset(d time.Duration) {
	c := t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	t.at = c.now().Add(d)
	if t.index >= 0 {
		heap.Fix(&c.timers, t.index)
	} else {
		heap.Push(&c.timers, t)
	}
	if t.index == 0 { // else the machine's timer is early enough
		c.arm()
	}
}

// Stop keeps the timer from running; it says whether the timer was waiting.
func (t *Timer) Stop() bool {
	c := t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&c.timers, t.index)
	return true
}

// Advance moves the clock forward by d and runs, in order of their time, all
// timers that become due, each at its own moment; it returns when they have.
//
// A timer's function must not call it.
func (c *Clock) Advance(d time.Duration) {
	c.advance.Lock()
	defer c.advance.Unlock()
	c.mu.Lock()
	reached := c.now()
	end := reached.Add(d)
	for len(c.timers) > 0 && !c.timers[0].at.After(end) {
		t := heap.Pop(&c.timers).(*Timer)
		if t.at.After(reached) { // a timer may be late
			reached = t.at
		}
		c.frozen = reached
		c.mu.Unlock()
		t.f()
		c.mu.Lock()
	}
	c.frozen = time.Time{}
	c.offset += d
	c.arm()
	c.mu.Unlock()
}

// Close stops the clock: no timer runs any more.
func (c *Clock) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for _, t := range c.timers {
		t.index = -1
	}
	c.timers = nil
	if c.wake != nil {
		c.wake.Stop()
	}
}

// arm sets the machine's timer to the earliest of ours. c.mu is held.
func (c *Clock) arm() {
	if c.stopped || !c.frozen.IsZero() || len(c.timers) == 0 {
		return
	}
	d := c.timers[0].at.Sub(c.now())
	if c.wake == nil {
		c.wake = time.AfterFunc(d, c.fire)
		return
	}
	c.wake.Reset(d)
}

// fire runs what is due in real time.
func (c *Clock) fire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		return // Advance runs what is due, and arms again
	}
	now := c.now()
	for len(c.timers) > 0 && !c.timers[0].at.After(now) {
		t := heap.Pop(&c.timers).(*Timer)
		go t.f()
	}
	c.arm()
}

type timerHeap []*Timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
