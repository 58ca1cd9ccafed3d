package kv

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// boltReader reads within a transaction.
type boltReader struct {
	tx     *bolt.Tx
	totals totals
	err    error // of the first value that is damaged: nothing read is to be used then
}

func (r *boltReader) Get(space uint64, key []byte) []byte {
	name := spaceName(space)
	bucket := r.tx.Bucket(name[:])
	if bucket == nil {
		return nil
	}
	value := bucket.Get(key)
	if value == nil {
		return nil
	}
	plain, _ := r.unseal(space, key, value)
	return plain
}

// unseal takes the checksum off a value.
func (r *boltReader) unseal(space uint64, key, value []byte) (plain []byte, ok bool) {
	if plain, ok = unseal(space, key, value); !ok && r.err == nil {
		r.err = fmt.Errorf("%s is damaged: the value of key %q in space %d has a wrong checksum", r.tx.DB().Path(), key, space)
	}
	return plain, ok
}

func (r *boltReader) Total(space uint64) Total { return r.totals[space] }

func (r *boltReader) Scan(space uint64, from, to []byte, backwards bool, f func(key, value []byte) bool) {
	name := spaceName(space)
	bucket := r.tx.Bucket(name[:])
	if bucket == nil {
		return
	}
	each := func(key, value []byte) bool {
		plain, ok := r.unseal(space, key, value)
		return ok && f(key, plain)
	}
	c := bucket.Cursor()
	if backwards {
		for k, v := last(c, to); k != nil && bytes.Compare(k, from) >= 0 && each(k, v); k, v = c.Prev() {
		}
		return
	}
	for k, v := c.Seek(from); k != nil && (to == nil || bytes.Compare(k, to) < 0) && each(k, v); k, v = c.Next() {
	}
}

// last goes to the last key before to.
func last(c *bolt.Cursor, to []byte) (key, value []byte) {
	if to == nil {
		return c.Last()
	}
	if k, _ := c.Seek(to); k == nil {
		return c.Last()
	}
	return c.Prev()
}
