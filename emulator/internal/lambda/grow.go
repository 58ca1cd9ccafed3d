package lambda

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// crowd is how many instances of a function may work on short events before
// events rather wait a little than get another one.
var crowd = max(8, 4*runtime.NumCPU())

// grow starts instances for the events that neither a starting instance nor one
// of those that are soon free will take. f.mu is held.
func (f *function) grow(soonFree int) {
	if f.closed {
		return
	}
	for len(f.queue) > f.starting+soonFree && !f.crowded() && f.startOne() {
	}
	if len(f.queue) > f.starting && !f.impatient && (soonFree > 0 || f.crowded()) {
		f.impatient = true
		time.AfterFunc(f.svc.cfg.patience, f.loseHope)
	}
}

// startOne starts an instance for whatever waits, if there may be one more.
// f.mu is held.
func (f *function) startOne() bool {
	if len(f.instances) >= f.svc.cfg.MaxInstances || !f.svc.initSem.acquire(f) {
		return false
	}
	f.starting++
	f.launch(nil)
	return true
}

// crowded says whether so many instances are starting, at work on events that
// may be done in a moment, or soon free, that more of them would only take each
// other's processor and memory. Instances with long work do not count. f.mu is
// held.
func (f *function) crowded() bool {
	n := f.starting + f.finishing
	if n+len(f.instances) < crowd {
		return false
	}
	moment := f.svc.cfg.patience
	if f.svc.machine.busy() {
		moment *= 10 // as everything takes
	}
	for in := range f.instances {
		if in.state == busy && time.Since(in.current.begun) < moment {
			n++
		}
	}
	return n >= crowd
}

// loseHope starts an instance for an event that has waited for one to become
// free for too long, unless those that there are keep the machine busy.
func (f *function) loseHope() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.impatient = false
	if len(f.queue) == 0 || f.closed {
		return
	}
	if wait := f.svc.cfg.patience - time.Since(f.queue[0].queued); wait > 0 {
		f.impatient = true
		time.AfterFunc(wait, f.loseHope)
		return
	}
	if f.crowded() && !f.svc.machine.busy() {
		f.startOne()
	}
	f.grow(0)
}

// launch starts an instance; bound is the event that it is for, if any, else it
// has a slot of initSem, which it gives back. f.mu is held.
func (f *function) launch(bound *invocation) {
	in := &instance{f: f, build: f.build, binary: f.binary, bound: bound, holdsSlot: bound == nil}
	f.instances[in] = struct{}{}
	f.svc.procs.Add(1)
	go in.run()
}

// initSlots limits how many processes start at once, over all functions: more
// than a few would only slow each other down.
type initSlots struct {
	mu      sync.Mutex
	free    int
	waiting []*function // each at most once, in order of arrival
}

// acquire takes a slot, or notes that f wants one. f.mu is held.
func (s *initSlots) acquire(f *function) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free > 0 {
		s.free--
		return true
	}
	if !slices.Contains(s.waiting, f) {
		s.waiting = append(s.waiting, f)
	}
	return false
}

// release gives a slot back and lets waiting functions start instances.
func (s *initSlots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	for s.free > 0 && len(s.waiting) > 0 {
		f := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.mu.Unlock()
		f.mu.Lock()
		f.grow(f.finishing)
		f.mu.Unlock()
		s.mu.Lock()
	}
}
