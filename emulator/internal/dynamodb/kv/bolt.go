package kv

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long opening waits for another process to let go of the
// file: long enough for one that is just ending.
const lockWait = 2 * time.Second

// maxGroup is how many updates one commit carries at most.
const maxGroup = 1024

// boltStore keeps everything in a file, a bucket for each space. Updates that
// come while a commit runs share the next one, so the cost of making data
// durable is divided among all who write at once.
type boltStore struct {
	db      *bolt.DB
	options Options
	totals  atomic.Pointer[totals] // of what is committed
	updates chan *boltUpdate
	closing chan struct{}
	done    chan struct{}
}

// boltUpdate waits for its commit.
type boltUpdate struct {
	f      func(Reader) ([]Write, error)
	undo   []func()
	result chan error
	err    error
}

// Open opens a store's file, or makes it, with its folder. It reads all of the
// file: damage of any kind is a *DamagedError, and the file stays as it is, since
// a store that goes on with it may make it worse. For a file that another process
// has open, and keeps open for 2 s, it is one that wraps ErrInUse.
func Open(file string, o Options) (Store, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	totals, upgrade, err := checkFile(file, o)
	if err != nil {
		return nil, err
	}
	db, err := openBolt(file, false)
	if err != nil {
		return nil, err
	}
	s := &boltStore{db: db, options: o, updates: make(chan *boltUpdate), closing: make(chan struct{}), done: make(chan struct{})}
	s.totals.Store(&totals)
	if err := s.begin(upgrade); err != nil {
		db.Close()
		return nil, err
	}
	go s.run()
	return s, nil
}

// begin makes the file last, and writes into it what it lacks.
func (s *boltStore) begin(upgrade bool) error {
	err := s.db.Update(func(tx *bolt.Tx) error {
		if upgrade {
			if err := s.sealAll(tx); err != nil {
				return err
			}
		}
		if name := spaceName(formatSpace); tx.Bucket(name[:]) != nil {
			return errAsItIs
		}
		return applyOnce(tx, Put(formatSpace, []byte("values end with"), []byte("CRC-32C")))
	})
	if err != nil && err != errAsItIs {
		return fmt.Errorf("write to %s: %w", s.db.Path(), err)
	}
	if err := syncFolder(filepath.Dir(s.db.Path())); err != nil {
		return fmt.Errorf("sync the folder of %s: %w", s.db.Path(), err)
	}
	return nil
}

// errAsItIs undoes a transaction that has changed nothing.
var errAsItIs = errors.New("nothing has changed")

// openBolt opens the file. For reading, others may read it too.
func openBolt(file string, read bool) (db *bolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var f *os.File
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("%s cannot be read: %v", file, r)
			f.Close() // and with it goes the lock
		}
	}()
	// The list of free pages is kept in the file: without it, bbolt looks for
	// them on a goroutine of its own, where a fault ends the process.
	db, err = bolt.Open(file, 0o600, &bolt.Options{
		Timeout: lockWait, FreelistType: bolt.FreelistMapType, ReadOnly: read,
		OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
			f, err = os.OpenFile(name, flag, mode)
			return f, err
		},
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s %w", file, ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	return db, nil
}

func (s *boltStore) Close() error {
	close(s.closing)
	<-s.done
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

func (s *boltStore) View(f func(Reader) error) (err error) {
	tx, err := s.db.Begin(false)
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	defer tx.Rollback()
	r := &boltReader{tx: tx, totals: *s.totals.Load()}
	err = f(r)
	if r.err != nil {
		return r.err
	}
	return err
}

func (s *boltStore) Update(f func(Reader) ([]Write, error), undo ...func()) error {
	u := &boltUpdate{f: f, undo: undo, result: make(chan error, 1)}
	select {
	case s.updates <- u:
		return <-u.result
	case <-s.closing:
		return ErrClosed
	}
}

// run commits groups of updates until the store is closed.
func (s *boltStore) run() {
	defer close(s.done)
	for {
		select {
		case u := <-s.updates:
			s.commit(u)
		case <-s.closing:
			return
		}
	}
}

// commit carries out an update and those that wait, and answers them.
func (s *boltStore) commit(first *boltUpdate) {
	var group []*boltUpdate
	sums := maps.Clone(*s.totals.Load())
	err := s.safely(func(tx *bolt.Tx) error {
		for u := first; u != nil; u = s.waiting(len(group)) {
			group = append(group, u)
			if err := s.apply(tx, u, sums); err != nil {
				return err
			}
		}
		return applyOnce(tx, numbered(tx))
	})
	if err == nil {
		s.totals.Store(&sums)
	}
	if err != nil {
		for _, u := range slices.Backward(group) {
			u.fail(fmt.Errorf("write to the store: %w", err))
		}
	}
	for _, u := range group {
		u.result <- u.err
	}
	if len(group) == 0 {
		first.result <- fmt.Errorf("write to the store: %w", err)
	}
}

// safely runs f in a transaction and commits it. A panic of bbolt's, which has
// undone the transaction then, becomes an error.
func (s *boltStore) safely(f func(*bolt.Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return s.db.Update(f)
}

// waiting gives an update that waits, if there is one and the group of n has
// room.
func (s *boltStore) waiting(n int) *boltUpdate {
	if n >= maxGroup {
		return nil
	}
	select {
	case u := <-s.updates:
		return u
	default:
		return nil
	}
}

// apply runs the update's function and puts its writes into the transaction.
// An error of the function is the update's own; one of the store is everyone's.
func (s *boltStore) apply(tx *bolt.Tx, u *boltUpdate, sums totals) error {
	r := &boltReader{tx: tx, totals: sums}
	writes, err := u.run(r)
	if err = cmp.Or(r.err, err); err != nil {
		u.fail(err)
		return nil
	}
	for _, w := range writes {
		s.options.count(sums, r, w)
		if err := s.options.apply(tx, w); err != nil {
			return err
		}
	}
	return r.err
}

// fail takes back what the update has changed outside of the store, unless that
// is done.
func (u *boltUpdate) fail(err error) {
	if u.err == nil {
		for _, f := range u.undo {
			f()
		}
	}
	u.err = err
}

// run keeps a panic in one update from ending the process.
func (u *boltUpdate) run(r Reader) (writes []Write, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return u.f(r)
}

// apply carries out a write: one to the catalog twice.
func (o Options) apply(tx *bolt.Tx, w Write) error {
	if w.space == o.Catalog {
		second := w
		second.space = catalogCopy
		if err := applyOnce(tx, second); err != nil {
			return err
		}
	}
	return applyOnce(tx, w)
}

func applyOnce(tx *bolt.Tx, w Write) error {
	name := spaceName(w.space)
	if w.drop {
		if err := tx.DeleteBucket(name[:]); !errors.Is(err, bolterrors.ErrBucketNotFound) {
			return err
		}
		return nil
	}
	bucket := tx.Bucket(name[:])
	if bucket == nil {
		var err error
		if bucket, err = tx.CreateBucket(name[:]); err != nil {
			return err
		}
	}
	if w.value == nil {
		return bucket.Delete(w.key)
	}
	return bucket.Put(w.key, seal(w.space, w.key, w.value))
}

func spaceName(space uint64) (name [8]byte) {
	binary.BigEndian.PutUint64(name[:], space)
	return name
}
