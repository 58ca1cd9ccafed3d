package kv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// spaceList is how the tests' catalogs tell of spaces: by their numbers.
var spaceList = Options{Spaces: func(r Record) (spaces []uint64) {
	for _, number := range strings.Fields(string(r.Value)) {
		if space, err := strconv.ParseUint(number, 10, 64); err == nil {
			spaces = append(spaces, space)
		}
	}
	return spaces
}}

// put stores records in one commit.
func put(t testing.TB, s Store, writes ...Write) {
	t.Helper()
	if err := s.Update(func(Reader) ([]Write, error) { return writes, nil }); err != nil {
		t.Fatal(err)
	}
}

// lastDeleted is the key that the last change has deleted.
const lastDeleted = "1/p0/1"

// wellFilled makes a file with all that a file can have: a catalog, trees with
// branches, a space that lies within another page, values longer than a page, free
// pages. It returns the file and its records, as collect gives them.
func wellFilled(t testing.TB) (file []byte, records map[string]string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(name, spaceList)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, Put(0, []byte("some"), []byte("1 2")), Put(0, []byte("others"), []byte("3")))
	for i := range 16 {
		writes := []Write{Put(2, []byte{byte(i)}, nil), Put(3, []byte{byte(i)}, bytes.Repeat([]byte("z"), 100))}
		for j := range 5 {
			writes = append(writes, Put(1, fmt.Appendf(nil, "p%d/%d", j, i), []byte(strings.Repeat("x", 230+i))))
		}
		put(t, s, writes...)
	}
	for i := range 2 {
		put(t, s, Put(3, fmt.Append(nil, "big", i), []byte(strings.Repeat("y", 9000))))
		put(t, s, Delete(1, fmt.Append(nil, "p0/", i)))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if file, err = os.ReadFile(name); err != nil {
		t.Fatal(err)
	}
	findings, records := collect(t, name)
	if len(findings) > 0 || len(records) != 2+16+16+2+80-2 {
		t.Fatalf("it has %d records, and is damaged: %v", len(records), findings)
	}
	return file, records
}

// collect tells what is wrong with a file, and gives its records by space and key.
func collect(t testing.TB, file string) ([]Finding, map[string]string) {
	t.Helper()
	records := map[string]string{}
	findings, err := Examine(file, spaceList, func(r Record) {
		if key := fmt.Sprintf("%d/%s", r.Space, r.Key); records[key] == "" {
			records[key] = string(r.Value)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return findings, records
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
		offsets = append(offsets, page+rnd.IntN(16), page+16+rnd.IntN(64), page+rnd.IntN(os.Getpagesize()))
	}
	file, found := filepath.Join(t.TempDir(), "test.db"), 0
	for _, offset := range offsets {
		bad := bytes.Clone(good)
		bad[offset] ^= byte(1 + rnd.IntN(255))
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		findings, got := collect(t, file)
		// The last change is gone with the header page that tells of it.
		if offset < 2*os.Getpagesize() && len(findings) > 0 {
			delete(got, lastDeleted)
		}
		wantLost(t, offset, findings, got, want)
		if len(findings) > 0 {
			found++
			wantRefused(t, file, bad)
		}
	}
	t.Logf("%d of %d flips have a meaning", found, len(offsets))
	if found < len(offsets)/4 {
		t.Errorf("only %d of %d flips are found", found, len(offsets))
	}
}

// wantLost compares the records that can be read with those that were there.
func wantLost(t *testing.T, offset int, findings []Finding, got, want map[string]string) {
	t.Helper()
	for key, value := range got {
		if was, ok := want[key]; !ok || was != value {
			t.Errorf("byte %d: %s is %.100q, want %.100q", offset, key, value, was)
		}
	}
	lost := 0
	for key := range want {
		if _, ok := got[key]; !ok {
			lost++
		}
	}
	if lost > 1 || len(got) < len(want) && len(findings) == 0 {
		t.Errorf("byte %d: %d of %d records are left; found: %v", offset, len(got), len(want), findings)
	}
}

// wantRefused opens a damaged file: that must fail and leave it as it is.
func wantRefused(t *testing.T, file string, bad []byte) {
	t.Helper()
	s, err := Open(file, spaceList)
	if err == nil {
		s.Close()
	}
	var damaged *DamagedError
	if !errors.As(err, &damaged) || damaged.File != file || len(damaged.Findings) == 0 || !strings.HasPrefix(err.Error(), file+" is damaged: "+damaged.Findings[0].What) {
		t.Errorf("got %v, want that it is damaged", err)
	}
	if left, _ := os.ReadFile(file); !bytes.Equal(left, bad) {
		t.Error("opening has changed the damaged file")
	}
}

// TestFlippedName changes each byte of the names of spaces, of which all but the
// catalog's stand in the file once. No record is lost with it.
func TestFlippedName(t *testing.T) {
	t.Parallel()
	good, want := wellFilled(t)
	file := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &pageReader{file: f}
	if err := p.readMetas(); err != nil {
		t.Fatal(err)
	}
	root := int(p.meta.Root) * int(p.size)
	names := int(binary.NativeEndian.Uint16(good[root+10:]))
	if names != 6 {
		t.Fatalf("the root has %d spaces, want all 6", names)
	}
	for i := range names {
		element := root + pageHeader + i*pageElement
		name := element + int(binary.NativeEndian.Uint32(good[element+4:]))
		for j := range 8 {
			bad := bytes.Clone(good)
			bad[name+j] ^= 1
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			findings, got := collect(t, file)
			if len(findings) == 0 || !maps.Equal(got, want) {
				t.Errorf("byte %d of %x: %d of %d records are left; found: %v", j, good[name:name+8], len(got), len(want), findings)
			}
		}
	}
}
