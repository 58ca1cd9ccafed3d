package kv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestFirstKeys grows and shrinks trees: each of their pages begins with the key
// that leads to it, which the reader takes for granted, and none is empty.
func TestFirstKeys(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(name, spaceList)
	if err != nil {
		t.Fatal(err)
	}
	key := func(i int) []byte {
		return append(fmt.Appendf(nil, "%04d", i*7919%1000), bytes.Repeat([]byte("k"), i%700)...)
	}
	for _, from := range []int{0, 300, 0, 100} {
		var puts, deletes []Write
		for i := from; i < 400; i++ {
			puts, deletes = append(puts, Put(1, key(i), nil)), append(deletes, Delete(1, key(i)))
		}
		put(t, s, puts...)
		put(t, s, deletes[:len(deletes)/3]...)
		put(t, s, deletes[len(deletes)/3:]...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if findings, records := collect(t, name); len(findings)+len(records) > 0 {
		t.Errorf("%d records are left; found: %v", len(records), findings)
	}
}

// TestBranchKey changes the first keys of branches: one that leaves all in order is found too,
// since bbolt would go wrong when it writes next.
func TestBranchKey(t *testing.T) {
	t.Parallel()
	good, _ := wellFilled(t)
	file, size, found := filepath.Join(t.TempDir(), "test.db"), os.Getpagesize(), 0
	for at := 2 * size; at < len(good); at += size {
		if binary.NativeEndian.Uint16(good[at+8:]) != branchPage {
			continue
		}
		key := at + pageHeader + int(binary.NativeEndian.Uint32(good[at+pageHeader:]))
		bad := bytes.Clone(good)
		bad[key] -= 2
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if findings, _ := collect(t, file); len(findings) > 0 {
			found++
		}
	}
	if found < 2 {
		t.Errorf("%d changed keys are found, want those of both trees", found)
	}
}
