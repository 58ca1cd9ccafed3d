package dynamodb

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

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
	_, err := Open(Config{Dir: dir})
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
	good, err := os.ReadFile(filepath.Join(dir, storeFile))
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
			if err := os.WriteFile(filepath.Join(dir, storeFile), damage(bytes.Clone(good)), 0o600); err != nil {
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

// TestForeignContent opens files that bbolt can read and that hold something
// else than tables.
func TestForeignContent(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(file string) error{
		"it is no store: unknown bucket": func(file string) error {
			db, err := bolt.Open(file, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("users")); return err }), db.Close())
		},
		`the definition of table "Things" is damaged`: func(file string) error {
			s, err := kv.Open(file, kv.Options{})
			if err != nil {
				return err
			}
			put := func(kv.Reader) ([]kv.Write, error) {
				return []kv.Write{kv.Put(catalog, []byte("Things"), []byte("{"))}, nil
			}
			return errors.Join(s.Update(put), s.Close())
		},
	} {
		dir := t.TempDir()
		if err := fill(filepath.Join(dir, storeFile)); err != nil {
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

// TestEmptyFile opens what is left if the process dies when it has just made the
// file.
func TestEmptyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, storeFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := openAlone(t, dir)
	b.must("CreateTable", hashTable, "Things", "S")
	b.want("ListTables", `{}`, `{"TableNames":["Things"]}`)
}
