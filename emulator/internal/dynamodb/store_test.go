package dynamodb

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

func stores(t *testing.T) map[string]store {
	t.Helper()
	file, err := openBoltStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]store{"memory": newMemoryStore(), "file": file}
	t.Cleanup(func() {
		for _, s := range all {
			if err := s.close(); err != nil {
				t.Error(err)
			}
		}
	})
	return all
}

// TestStoreAgainstModel compares both stores with a sorted list of keys.
func TestStoreAgainstModel(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, 4))
			key := func() []byte { return []byte{1, byte(rnd.IntN(6)), byte(rnd.IntN(6))}[:2+rnd.IntN(2)] }
			model := map[string]string{}
			for round := range 300 {
				var writes []write
				for range 1 + rnd.IntN(4) {
					w := write{space: 7, key: key()}
					if rnd.IntN(3) > 0 {
						w.value = fmt.Append(nil, round)
					}
					writes = append(writes, w)
				}
				if err := s.update(func(reader) ([]write, error) { return writes, nil }); err != nil {
					t.Fatal(err)
				}
				for _, w := range writes {
					if delete(model, string(w.key)); w.value != nil {
						model[string(w.key)] = string(w.value)
					}
				}
				from, to, backwards := key(), key(), rnd.IntN(2) == 0
				if rnd.IntN(4) == 0 {
					from = nil
				}
				if rnd.IntN(4) == 0 {
					to = nil
				}
				var want, got []string
				for _, k := range slices.Sorted(maps.Keys(model)) {
					if k >= string(from) && (to == nil || k < string(to)) {
						want = append(want, k+"="+model[k])
					}
				}
				if backwards {
					slices.Reverse(want)
				}
				s.view(func(r reader) error {
					r.scan(7, from, to, backwards, func(k, v []byte) bool {
						got = append(got, string(k)+"="+string(v))
						if !bytes.Equal(r.get(7, k), v) {
							t.Errorf("get %x is not what scan gives", k)
						}
						return true
					})
					return nil
				})
				if !slices.Equal(got, want) {
					t.Fatalf("scan %x to %x, backwards %v: got %q, want %q", from, to, backwards, got, want)
				}
			}
		})
	}
}

func TestStoreFailedUpdate(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			bad := errors.New("no")
			var wg sync.WaitGroup
			for i := range 50 { // good ones and bad ones share commits
				wg.Go(func() {
					err := s.update(func(reader) ([]write, error) {
						writes := []write{{1, []byte{byte(i)}, []byte{1}}}
						if i%2 == 0 {
							return writes, bad
						}
						return writes, nil
					})
					if want := i%2 == 0; errors.Is(err, bad) != want || err != nil && !want {
						t.Errorf("%d: got %v", i, err)
					}
				})
			}
			wg.Wait()
			n := 0
			s.view(func(r reader) error {
				r.scan(1, nil, nil, false, func(k, _ []byte) bool { n++; return k[0]%2 == 1 })
				return nil
			})
			if n != 25 {
				t.Errorf("got %d keys, want the 25 of the good updates", n)
			}
			if err := s.update(func(reader) ([]write, error) { return []write{{space: 1}, {space: 99}}, nil }); err != nil {
				t.Fatal(err)
			}
			s.view(func(r reader) error {
				r.scan(1, nil, nil, false, func(k, _ []byte) bool { t.Errorf("key %x is left", k); return true })
				return nil
			})
		})
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made")
	var before string
	t.Run("first", func(t *testing.T) {
		b := open(t, dir)
		b.must("CreateTable", indexedTable)
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("CreateTable", hashTable, "Dropped", "S")
		b.must("UpdateTimeToLive", ttlOn)
		b.putExpiring("short", time.Hour)
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"long"}}}`)
		b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"}}}`)
		b.must("DeleteTable", `{"TableName":"Dropped"}`)
		before = b.must("DescribeTable", `{"TableName":"Indexed"}`)
		if n := strings.Count(before, `"ItemCount":1`); n != 2 { // of the table and of one index
			t.Errorf("got %s", before)
		}
	})
	t.Run("second", func(t *testing.T) {
		b := open(t, dir)
		b.want("ListTables", `{}`, `{"TableNames":["Indexed","Things"]}`)
		b.want("DescribeTable", `{"TableName":"Indexed"}`, before)
		b.want("DescribeTimeToLive", `{"TableName":"Things"}`, `{"TimeToLiveDescription":{"AttributeName":"ttl","TimeToLiveStatus":"ENABLED"}}`)
		b.want("Scan", `{"TableName":"Indexed","IndexName":"some"}`, `{"Items":[{"g":{"S":"g"},"pk":{"S":"p"},"sk":{"N":"1"}}],"Count":1,"ScannedCount":1}`)
		b.must("CreateTable", hashTable, "Another", "S") // takes no space of another table
		b.want("Scan", `{"TableName":"Another"}`, `{"Items":[],"Count":0,"ScannedCount":0}`)
		b.wantCount(2)
		b.clock.Advance(2 * time.Hour)
		b.want("Scan", `{"TableName":"Things"}`, `{"Items":[{"pk":{"S":"long"}}],"Count":1,"ScannedCount":1}`)
	})
}

func TestLockedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	_, err := openBoltStore(dir)
	if err == nil || !strings.Contains(err.Error(), "is in use by another process: end it, or choose another folder") {
		t.Errorf("got %v", err)
	}
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Run("fill", func(t *testing.T) {
		b := open(t, dir)
		b.must("CreateTable", hashTable, "Things", "S")
		for i := range 200 {
			b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%d"},"x":{"S":"%s"}}}`, i, strings.Repeat("x", 1000))
		}
	})
	good, err := os.ReadFile(filepath.Join(dir, boltFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"garbage":   func([]byte) []byte { return []byte(strings.Repeat("garbage ", 4096)) },
		"short":     func(b []byte) []byte { return b[:100] },
		"cut":       func(b []byte) []byte { return b[:4*4096] },
		"bad metas": func(b []byte) []byte { clear(b[:2*4096]); return b },
		"bad pages": func(b []byte) []byte {
			for i := 2 * 4096; i < len(b); i++ {
				b[i] = 0xa5
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, boltFile), damage(bytes.Clone(good)), 0o600); err != nil {
				t.Fatal(err)
			}
			engine, err := Open(Config{Dir: dir})
			if err == nil {
				engine.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "restore it from a copy, or salvage what can be read (-salvage)") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPanicInUpdate(t *testing.T) {
	t.Parallel()
	s, err := openBoltStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	err = s.update(func(reader) ([]write, error) { panic("bug") })
	if err == nil || !strings.Contains(err.Error(), "panic: bug") {
		t.Errorf("got %v", err)
	}
	// A key that bbolt refuses fails the commit, and that only.
	undone := 0
	tooLong := func(reader) ([]write, error) { return []write{{1, make([]byte, 1<<16), []byte{}}}, nil }
	if err := s.update(tooLong, func() { undone++ }); err == nil || undone != 1 {
		t.Errorf("a key that is too long: got %v, and %d undone", err, undone)
	}
	if err := s.update(func(reader) ([]write, error) { return []write{{1, []byte{1}, []byte{}}}, nil }); err != nil {
		t.Error(err)
	}
}

// TestForeignContent opens files that bbolt can read and that hold something
// else than tables.
func TestForeignContent(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(*bolt.Tx) error{
		"it is no store of tables": func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("users")); return err },
		`the definition of table "Things" is damaged`: func(tx *bolt.Tx) error {
			return errors.Join(applyBolt(tx, write{formatSpace, []byte("any"), nil}), applyBolt(tx, write{catalog, []byte("Things"), []byte("{")}))
		},
	} {
		dir := t.TempDir()
		db, err := bolt.Open(filepath.Join(dir, boltFile), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Update(fill), db.Close()); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the first try must let go of the file
			if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want %s", err, name)
			}
		}
	}
}

func TestFolderCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: filepath.Join(file, "sub")}); err == nil || !strings.Contains(err.Error(), "dynamodb: make the folder: ") {
		t.Errorf("got %v", err)
	}
}
