package dynamodb

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
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// boltFile is the name of the store's file in its folder.
const boltFile = "dynamodb.db"

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
	totals  atomic.Pointer[totals] // of what is committed
	updates chan *boltUpdate
	closing chan struct{}
	done    chan struct{}
}

// boltUpdate waits for its commit.
type boltUpdate struct {
	f      func(reader) ([]write, error)
	undo   []func()
	result chan error
	err    error
}

func openBoltStore(dir string) (*boltStore, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("dynamodb: make the folder: %w", err)
	}
	file := filepath.Join(dir, boltFile)
	checked, err := checkFile(file)
	if err != nil {
		return nil, err
	}
	db, err := openBolt(file, false)
	if err != nil {
		return nil, err
	}
	s := &boltStore{db: db, updates: make(chan *boltUpdate), closing: make(chan struct{}), done: make(chan struct{})}
	s.totals.Store(&checked.totals)
	if err := s.begin(dir, checked.upgrade); err != nil {
		db.Close()
		return nil, err
	}
	go s.run()
	return s, nil
}

// begin makes the file last, and writes into it what it lacks.
func (s *boltStore) begin(dir string, upgrade bool) error {
	err := s.db.Update(func(tx *bolt.Tx) error {
		if upgrade {
			if err := sealAll(tx); err != nil {
				return err
			}
		}
		if name := spaceName(formatSpace); tx.Bucket(name[:]) != nil {
			return errAsItIs
		}
		return applyBolt(tx, write{formatSpace, []byte("values end with"), []byte("CRC-32C")})
	})
	if err != nil && err != errAsItIs {
		return fmt.Errorf("dynamodb: write to %s: %w", s.db.Path(), err)
	}
	if err := syncFolder(dir); err != nil {
		return fmt.Errorf("dynamodb: sync the folder of %s: %w", s.db.Path(), err)
	}
	return nil
}

// errAsItIs undoes a transaction that has changed nothing.
var errAsItIs = errors.New("nothing has changed")

// syncFolder makes the file's name outlive the machine, and the folder's own
// name, which may be as new. Some systems cannot do that for a folder; only an
// error of the disk counts.
func syncFolder(dir string) error {
	for _, name := range []string{dir, filepath.Dir(dir)} {
		d, err := os.Open(name)
		if err != nil {
			continue // it may be written to but not read
		}
		err = d.Sync()
		d.Close()
		if errors.Is(err, syscall.EIO) {
			return err
		}
	}
	return nil
}

var errInUse = errors.New("is in use by another process")

// openBolt opens the file. For reading, others may read it too.
func openBolt(file string, read bool) (db *bolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var f *os.File
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("dynamodb: %s cannot be read: %v", file, r)
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
		return nil, fmt.Errorf("dynamodb: %s %w: end it, or choose another folder", file, errInUse)
	case err != nil:
		return nil, fmt.Errorf("dynamodb: open %s: %w", file, err)
	}
	return db, nil
}

func (s *boltStore) close() error {
	close(s.closing)
	<-s.done
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("dynamodb: close the store: %w", err)
	}
	return nil
}

func (s *boltStore) view(f func(reader) error) (err error) {
	tx, err := s.db.Begin(false)
	if err != nil {
		return fmt.Errorf("dynamodb: read the store: %w", err)
	}
	defer tx.Rollback()
	r := &boltReader{tx: tx, totals: *s.totals.Load()}
	err = f(r)
	if r.err != nil {
		return r.err
	}
	return err
}

func (s *boltStore) update(f func(reader) ([]write, error), undo ...func()) error {
	u := &boltUpdate{f: f, undo: undo, result: make(chan error, 1)}
	select {
	case s.updates <- u:
		return <-u.result
	case <-s.closing:
		return errClosed
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
			if err := u.apply(tx, sums); err != nil {
				return err
			}
		}
		return applyBolt(tx, numbered(tx))
	})
	if err == nil {
		s.totals.Store(&sums)
	}
	if err != nil {
		for _, u := range slices.Backward(group) {
			u.fail(fmt.Errorf("dynamodb: write to the store: %w", err))
		}
	}
	for _, u := range group {
		u.result <- u.err
	}
	if len(group) == 0 {
		first.result <- fmt.Errorf("dynamodb: write to the store: %w", err)
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
func (u *boltUpdate) apply(tx *bolt.Tx, sums totals) error {
	r := &boltReader{tx: tx, totals: sums}
	writes, err := u.run(r)
	if err = cmp.Or(r.err, err); err != nil {
		u.fail(err)
		return nil
	}
	for _, w := range writes {
		sums.count(r, w)
		if err := applyBolt(tx, w); err != nil {
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
func (u *boltUpdate) run(r reader) (writes []write, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("dynamodb: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return u.f(r)
}

// applyBolt carries out a write. What is in the catalog stands in the file
// twice, since with a table's definition all of its items would be lost.
func applyBolt(tx *bolt.Tx, w write) error {
	if w.space == catalog {
		if err := applyOnce(tx, write{catalogCopy, w.key, w.value}); err != nil {
			return err
		}
	}
	return applyOnce(tx, w)
}

func applyOnce(tx *bolt.Tx, w write) error {
	name := spaceName(w.space)
	if w.key == nil {
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
