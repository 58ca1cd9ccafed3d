package dynamodb

import "errors"

// errClosed is the error of whatever is asked of a store after close.
var errClosed = errors.New("dynamodb: the store is closed")

// store keeps ordered keys in spaces: one for each table, one for each index.
// It knows nothing of items.
type store interface {
	// view runs f on a state that does not change meanwhile.
	view(f func(reader) error) error
	// update runs f, alone among updates, and carries out what it returns:
	// all of it or, after an error, nothing. When update returns, the
	// writes last. If they do not, undo takes back what else f has changed:
	// before another update runs, which would go by it. Views do not wait:
	// one may see what else f has changed before, or without ever, seeing
	// the writes.
	update(f func(reader) ([]write, error), undo ...func()) error
	close() error
}

// reader reads a store. What it gives is valid until the function that has the
// reader returns, and must not be written to.
type reader interface {
	// get gives the value of a key; nil if there is none.
	get(space uint64, key []byte) []byte
	// scan calls f for the keys from from (nil: the first) up to but
	// without to (nil: beyond the last), or the same backwards, until f
	// returns false.
	scan(space uint64, from, to []byte, backwards bool, f func(key, value []byte) bool)
	// total tells how many keys a space has, and what their values say of
	// their sizes. It costs nothing.
	total(space uint64) total
}

// total is how much a space holds: the sum of sizes is that of storedSize.
type total struct{ keys, size int }

// replace counts that one value takes the place of another; nil is none.
func (t *total) replace(old, next []byte) {
	if old != nil {
		t.keys--
		t.size -= storedSize(old)
	}
	if next != nil {
		t.keys++
		t.size += storedSize(next)
	}
}

// write sets a key, or deletes it if value is nil; with no key, it deletes the
// whole space.
type write struct {
	space      uint64
	key, value []byte
}
