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
	"runtime"
	"strings"
	"testing"
)

// The kinds of change that FuzzExamine makes: what disks, file systems and
// people do to files.
const (
	flip    = iota // bits of a byte
	cut            // the file's end
	clear          // a page, from an offset to its end
	scatter        // chance over a whole page
	copied         // a page over another
	head           // bits of a byte among a page's first, where its header and elements are
	changes        // how many kinds there are
)

// changeSize is how many bytes describe a change: its kind, a page, an offset in
// it, and a number.
const changeSize = 6

// original is a store's file before it is changed.
type original struct {
	file    []byte
	records map[string]string
	ever    map[string]string // the records with those that were deleted
}

// FuzzExamine changes a file, and examines and opens it. Whatever the changes
// are, a record that is told is one that the file has or had; if nothing is found
// wrong, they are all there; and opening goes by the same.
func FuzzExamine(f *testing.F) {
	originals := []original{filled(f), small(f), small(f, Put(0, []byte("one"), []byte("7")), Put(7, []byte("k"), nil))}
	for i := range originals {
		for _, seed := range []string{
			"", "\x00\x00\x10\x00\x01\x00", "\x00\x02\x00\x0a\x03\x00", "\x00\x03\x14\x00\x80\x00",
			"\x01\x03\x10\x00\x00\x00", "\x01\x00\x20\x00\x00\x00", "\x01\x02\x00\x00\x00\x00",
			"\x02\x00\x00\x00\x00\x00", "\x02\x01\x00\x00\x00\x00", "\x02\x00\x00\x00\x00\x00\x02\x01\x00\x00\x00\x00",
			"\x02\x05\x18\x00\x00\x00\x02\x00\x00\x00\x00\x00\x02\x01\x00\x00\x00\x00",
			"\x03\x03\x00\x00\x01\x00", "\x03\x05\x00\x00\x02\x00", "\x04\x00\x00\x00\x01\x00", "\x04\x02\x00\x00\x05\x00",
			"\x05\x04\x25\x00\x01\x00",                         // in the name of the space that tells of checksums
			"\x05\x04\x24\x00\xc7\x00\x05\x04\x59\x00\x61\x00", // and in its value's key
			"\x02\x02\x0a\x00\x00\x00",                         // all of a root but its kind
		} {
			f.Add(uint8(i), []byte(seed))
		}
	}
	file := filepath.Join(f.TempDir(), "test.db")
	f.Fuzz(func(t *testing.T, which uint8, list []byte) {
		from := originals[int(which)%len(originals)]
		bad := change(from.file, list)
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		findings, got := examined(t, file, from)
		switch {
		case len(bad) == 0: // is as good as none
		case len(findings) > 0:
			wantRefused(t, file, bad)
		case !maps.Equal(got, from.records):
			t.Errorf("nothing is found wrong with %d records of %d", len(got), len(from.records))
		default:
			wantOpened(t, file, from)
		}
	})
}

// change carries out a list of changes.
func change(file, list []byte) []byte {
	file = bytes.Clone(file)
	size := os.Getpagesize()
	for ; len(list) >= changeSize; list = list[changeSize:] {
		pages := len(file) / size
		if pages == 0 {
			break
		}
		page := file[int(list[1])%pages*size:][:size]
		offset, number := int(binary.LittleEndian.Uint16(list[2:]))%size, binary.LittleEndian.Uint16(list[4:])
		switch list[0] % changes {
		case flip:
			page[offset] ^= byte(number)
		case head:
			page[offset%128] ^= byte(number)
		case cut:
			file = file[:int(list[1])%pages*size+offset]
		case clear:
			copy(page[offset:], make([]byte, size))
		case scatter:
			rnd := rand.New(rand.NewPCG(uint64(number), 0))
			for i := range page {
				page[i] = byte(rnd.Uint32())
			}
		case copied:
			copy(page, file[int(number)%pages*size:][:size])
		}
	}
	return file
}

// examined examines a file: that must not take much, and tell of no record that
// was never there.
func examined(t *testing.T, file string, from original) ([]Finding, map[string]string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := map[string]string{}
	findings, err := Examine(file, spaceList, func(r Record) {
		key := fmt.Sprintf("%d/%s", r.Space, r.Key)
		if was, ok := from.ever[key]; !ok || was != string(r.Value) {
			t.Errorf("%q is %.100q, want %.100q", key, r.Value, was)
		}
		got[key] = string(r.Value)
	})
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("it took %d bytes for a file of %d", took, len(from.file))
	}
	var damaged *DamagedError
	switch {
	case errors.As(err, &damaged):
		return damaged.Findings, got
	case err != nil:
		t.Fatal(err)
	}
	return findings, got
}

// wantOpened opens a file that nothing is found wrong with.
func wantOpened(t *testing.T, file string, from original) {
	t.Helper()
	s, err := Open(file, spaceList)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err = s.View(func(r Reader) error {
		for space := range uint64(8) {
			r.Scan(space, nil, nil, false, func(key, value []byte) bool {
				got[fmt.Sprintf("%d/%s", space, key)] = string(value)
				return true
			})
		}
		return nil
	})
	if err != nil || !maps.Equal(got, from.records) {
		t.Errorf("%d of %d records can be read: %v", len(got), len(from.records), err)
	}
	put(t, s, Put(1, []byte("p0/0"), []byte(from.ever["1/p0/0"]))) // it takes free pages
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if findings, _ := examined(t, file, from); len(findings) > 0 {
		t.Errorf("after a change there is wrong with it: %v", findings)
	}
}

// filled gives the file of wellFilled.
func filled(t testing.TB) original {
	t.Helper()
	file, records := wellFilled(t)
	ever := maps.Clone(records)
	for i := range 2 {
		ever[fmt.Sprint("1/p0/", i)] = strings.Repeat("x", 230+i)
	}
	return original{file, records, ever}
}

// small gives the file of a store with one commit, if it has any.
func small(t testing.TB, writes ...Write) original {
	t.Helper()
	name := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(name, spaceList)
	if err != nil {
		t.Fatal(err)
	}
	if len(writes) > 0 {
		put(t, s, writes...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, records := collect(t, name)
	ever := maps.Clone(records)
	ever["1/p0/0"] = ""
	return original{file, records, ever}
}
