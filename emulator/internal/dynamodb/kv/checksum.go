package kv

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"

	bolt "go.etcd.io/bbolt"
)

// Spaces that only a file has.
const (
	formatSpace = math.MaxUint64 - 1 // it says that values end with their checksums, and has the last transaction's number
	catalogCopy = math.MaxUint64 - 2
)

// sealSize is how many bytes a checksum has.
const sealSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum covers the space and the key too, so that a value cannot be taken for
// another's.
func checksum(space uint64, key, value []byte) uint32 {
	name := spaceName(space)
	sum := crc32.Update(0, castagnoli, name[:])
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, value)
}

// seal gives a value as the file has it: with its checksum.
func seal(space uint64, key, value []byte) []byte {
	sealed := append(make([]byte, 0, len(value)+sealSize), value...)
	return binary.BigEndian.AppendUint32(sealed, checksum(space, key, value))
}

// unseal takes the checksum off; ok is false if it is wrong.
func unseal(space uint64, key, sealed []byte) (value []byte, ok bool) {
	n := len(sealed) - sealSize
	if n < 0 {
		return nil, false
	}
	value = sealed[:n:n]
	return value, binary.BigEndian.Uint32(sealed[n:]) == checksum(space, key, value)
}

// sealAll gives all values of a file their checksums.
func (s *boltStore) sealAll(tx *bolt.Tx) error {
	var all []Write
	err := tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
		return bucket.ForEach(func(key, value []byte) error {
			all = append(all, Put(binary.BigEndian.Uint64(name), key, value))
			return nil
		})
	})
	for _, w := range all {
		err = errors.Join(err, s.options.apply(tx, w))
	}
	return err
}

// totals are the totals of all spaces. Opening counts them, since it reads all
// of the file anyway, so that nothing can put them out of step.
type totals map[uint64]Total

// count counts what a write changes, before it does.
func (o Options) count(t totals, r Reader, w Write) {
	if w.drop {
		delete(t, w.space)
		return
	}
	sum := t[w.space]
	o.replace(&sum, r.Get(w.space, w.key), w.value)
	t[w.space] = sum
}
