package dynamodb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// wellFilled makes a file with all that a file can have: trees with branches,
// small spaces that lie within another page, items longer than a page, free
// pages. It returns the file and the items of its tables.
func wellFilled(t *testing.T) (file []byte, items map[string]string) {
	t.Helper()
	dir := t.TempDir()
	t.Run("fill", func(t *testing.T) {
		b := open(t, dir)
		b.must("CreateTable", indexedTable)
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("UpdateTimeToLive", ttlOn)
		b.must("UpdateTable", `{"TableName":"Things","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`)
		for i := range 16 {
			var batch []string
			for j := range 5 {
				batch = append(batch, fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"p%d"},"sk":{"N":"%d"},"g":{"S":"g"},"o":{"N":"-1.5"},"pad":{"S":"%s"}}}}`,
					j, i, strings.Repeat("x", 150+i)))
			}
			b.must("BatchWriteItem", `{"RequestItems":{"Indexed":[%s],"Things":[{"PutRequest":{"Item":{"pk":{"S":"%d"},"ttl":{"N":"4000000000"}}}}]}}`, strings.Join(batch, ","), i)
		}
		for i := range 2 {
			b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"big%d"},"pad":{"S":"%s"}}}`, i, strings.Repeat("y", 9000))
			b.must("DeleteItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p0"},"sk":{"N":"%d"}}}`, i)
		}
		items = b.allItems()
	})
	file, err := os.ReadFile(filepath.Join(dir, storeFile))
	if err != nil {
		t.Fatal(err)
	}
	return file, items
}

// allItems gives the items of all tables, by table and key.
func (b *bench) allItems() map[string]string {
	b.t.Helper()
	all := map[string]string{}
	for name, t := range b.engine.tables {
		err := b.engine.store.View(func(r kv.Reader) error {
			r.Scan(t.space, nil, nil, false, func(key, stored []byte) bool {
				all[name+" "+t.schema.describeKey(key)] = string(storedJSON(stored))
				return true
			})
			return nil
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return all
}

// TestFlippedByte changes one byte of a file, at many places: either it has no
// meaning, or opening finds it, and what can be read without bbolt is all but
// what the byte is part of.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	good, want := wellFilled(t)
	rnd := rand.New(rand.NewPCG(8, 9))
	var offsets []int
	for page := 0; page < len(good); page += os.Getpagesize() {
		for range 1 {
			offsets = append(offsets, page+rnd.IntN(16), page+16+rnd.IntN(64), page+rnd.IntN(os.Getpagesize()))
		}
	}
	dir, found := t.TempDir(), 0
	for i, offset := range offsets {
		bad := bytes.Clone(good)
		bad[offset] ^= byte(1 + rnd.IntN(255))
		t.Run(fmt.Sprintf("%d is %d", offset, bad[offset]), func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, storeFile), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			findings, got := readDamaged(t, filepath.Join(dir, storeFile))
			// The last change is gone with the header page that tells of it.
			if offset < 2*os.Getpagesize() && len(findings) > 0 {
				delete(got, `Indexed {"pk":{"S":"p0"},"sk":{"N":"1"}}`)
			}
			whatIsLost(t, findings, got, want)
			if len(findings) > 0 {
				found++
				wantRefused(t, dir, bad)
			}
			if i%100 == 0 {
				reopenFlipped(t, dir, want)
			}
		})
	}
	t.Logf("%d of %d flips have a meaning", found, len(offsets))
	if found < len(offsets)/4 {
		t.Errorf("only %d of %d flips are found", found, len(offsets))
	}
}

// readDamaged tells what is wrong with a file, and the items that can be read.
func readDamaged(t *testing.T, file string) ([]kv.Finding, map[string]string) {
	t.Helper()
	items := map[uint64]map[string]string{}
	tables := tablesBySpace{}
	findings, err := kv.Examine(file, tables.options(), func(r kv.Record) {
		if items[r.Space] == nil {
			items[r.Space] = map[string]string{}
		}
		items[r.Space][string(r.Key)] = string(storedJSON(r.Value))
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for space, tb := range tables {
		for key, item := range items[space] {
			if space == tb.space {
				got[tb.name+" "+tb.schema.describeKey([]byte(key))] = item
			}
		}
	}
	return findings, got
}

// whatIsLost compares the items that can be read with those that were there.
func whatIsLost(t *testing.T, findings []kv.Finding, got, want map[string]string) {
	t.Helper()
	for key, item := range got {
		if want[key] != item {
			t.Errorf("%s is %.100s, want %.100s", key, item, want[key])
		}
	}
	lost := len(want) - len(got)
	if lost > 0 && len(findings) == 0 || lost > 1 {
		t.Errorf("%d items are lost; found: %v", lost, findings)
	}
}

// wantRefused opens a damaged file: that must fail and leave it as it is.
func wantRefused(t *testing.T, dir string, bad []byte) {
	t.Helper()
	e, err := Open(Config{Dir: dir})
	if err == nil {
		e.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "is damaged: ") || !strings.Contains(err.Error(), "-salvage") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadFile(filepath.Join(dir, storeFile)); !bytes.Equal(left, bad) {
		t.Error("opening has changed the damaged file")
	}
}

// reopenFlipped opens the file, salvaging it if it is damaged.
func reopenFlipped(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	e, err := Open(Config{Dir: dir, Salvage: true, Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("salvage: %v", err)
	}
	b := &bench{t: t, engine: e}
	if got := b.allItems(); len(got) < len(want)-1 {
		t.Errorf("%d items are left of %d", len(got), len(want))
	}
	for name := range e.tables {
		b.wantInStep(name)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestSalvage damages an item and looks at what the user gets to see.
func TestSalvage(t *testing.T) {
	t.Parallel()
	good, want := wellFilled(t)
	at := bytes.Index(good, []byte("yyyyyyyy"))
	bad := bytes.Clone(good)
	bad[at] = 'n'
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, storeFile), bad, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Config{Dir: dir})
	if want := `is damaged: table Things, key {"pk":{"S":"big`; err == nil || !strings.Contains(err.Error(), want) ||
		!strings.Contains(err.Error(), `"}}: its checksum is wrong; restore it from a copy, or salvage what can be read (-salvage)`) {
		t.Errorf("got %v, want %s", err, want)
	}
	e, log, err := openSalvaged(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, engine: e}
	if got := b.allItems(); len(got) != len(want)-1 {
		t.Errorf("%d items are left, want %d", len(got), len(want)-1)
	}
	b.wantInStep("Things")
	b.wantInStep("Indexed")
	if all := e.streams.list(); len(all) != 1 || b.spaceLen(all[0].Space) < 18 {
		t.Errorf("%d streams are left, want one with its records", len(all))
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "table Things, key {") || !strings.Contains(log.String(), "saved what can be read") {
		t.Errorf("the log does not tell: %s", log)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, storeFile+".damaged")); err != nil || !bytes.Equal(kept, bad) {
		t.Errorf("the damaged file is not kept: %v", err)
	}
	open(t, dir) // it is whole now
}

// TestSalvageWithoutDefinition damages both copies of a table's definition: its
// items are still to be had.
func TestSalvageWithoutDefinition(t *testing.T) {
	t.Parallel()
	bad, _ := wellFilled(t)
	definition := []byte(`"TableName":"Things"`)
	if n := bytes.Count(bad, definition); n < 2 {
		t.Fatalf("the definition is there %d times", n)
	}
	bad = bytes.ReplaceAll(bad, definition, []byte(`"TableName":"Thongs"`))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, storeFile), bad, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), `definition of table "Things": its checksum is wrong`) {
		t.Errorf("got %v", err)
	}
	c := clock.New()
	defer c.Close()
	e, err := Open(Config{Dir: dir, Salvage: true, Clock: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	strays, err := os.ReadFile(filepath.Join(dir, storeFile+".damaged.items.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(strays, []byte("\n")); got != 18 || !bytes.Contains(strays, []byte(`"item":{"pk":{"S":"7"},"ttl":{"N":"4000000000"}}}`)) {
		t.Errorf("got %d items: %.300s", got, strays)
	}
}

// TestFileWithoutChecksums opens a file from before there were any.
func TestFileWithoutChecksums(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want map[string]string
	t.Run("fill", func(t *testing.T) {
		b := open(t, dir)
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}}}`)
		want = b.allItems()
	})
	db, err := bolt.Open(filepath.Join(dir, storeFile), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, space := range []uint64{math.MaxUint64 - 1, math.MaxUint64 - 2} { // that say of checksums, and copy the catalog
			if err := tx.DeleteBucket(binary.BigEndian.AppendUint64(nil, space)); err != nil {
				return err
			}
		}
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
			key, value := b.Cursor().First() // each has one
			return b.Put(bytes.Clone(key), bytes.Clone(value[:len(value)-crc32.Size]))
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		t.Run("open", func(t *testing.T) {
			b := open(t, dir)
			if got := b.allItems(); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}}}`, `{"Item":{"pk":{"S":"a"}}}`)
		})
	}
}

func TestDescribeKey(t *testing.T) {
	t.Parallel()
	texts := map[kind][]string{kindString: {"a", "a\x00b", "ä"}, kindBinary: {"\xff\x00", "\x00\x00\x01"}, kindNumber: orderedNumbers}
	for k, all := range texts {
		s := schema{hash: keyAttribute{"h", k, maxHashSize}, sort: keyAttribute{"s", k, maxSortSize}}
		for _, text := range all {
			if k == kindNumber {
				var err error
				if text, err = normalNumber(text); err != nil {
					t.Fatal(err)
				}
			}
			it := item{{"h", value{kind: k, text: text}}, {"s", value{kind: k, text: text}}}
			key, err := s.encode(it)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := s.describeKey(key), string(it.appendJSON(nil)); got != want {
				t.Errorf("%x: got %s, want %s", key, got, want)
			}
			for n := range key {
				if got := s.describeKey(key[:n]); got[0] != '"' {
					t.Errorf("%x: got %s for a part of a key", key[:n], got)
				}
			}
		}
	}
}
