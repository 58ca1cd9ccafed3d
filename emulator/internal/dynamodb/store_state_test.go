package dynamodb

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crypto-ticker/emulator/internal/clock"
)

// changing is a file with tables whose items are changed at random, so that it
// has pages that are old.
type changing struct {
	*bench
	file   string
	tables int
	rnd    *rand.Rand
}

func newChanging(t *testing.T, tables int) *changing {
	t.Helper()
	dir := t.TempDir()
	c := &changing{openAlone(t, dir), filepath.Join(dir, storeFile), tables, rand.New(rand.NewPCG(1, uint64(tables)))}
	for i := range tables {
		c.must("CreateTable", hashTable, fmt.Sprint("Table", i), "S")
	}
	return c
}

func (c *changing) change() {
	c.t.Helper()
	table, key := fmt.Sprint("Table", c.rnd.IntN(c.tables)), c.rnd.IntN(40)
	if c.rnd.IntN(3) == 0 {
		c.must("DeleteItem", `{"TableName":"%s","Key":{"pk":{"S":"%d"}}}`, table, key)
	} else {
		c.must("PutItem", `{"TableName":"%s","Item":{"pk":{"S":"%d"},"x":{"S":"%s"}}}`, table, key, strings.Repeat("x", c.rnd.IntN(1200)))
	}
}

// tableCounts make a root that is one page, and one that is a tree.
var tableCounts = []int{1, 30}

// TestSalvageWithoutHeaders loses both header pages, and then more.
func TestSalvageWithoutHeaders(t *testing.T) {
	t.Parallel()
	for _, tables := range tableCounts {
		t.Run(fmt.Sprint(tables), func(t *testing.T) {
			t.Parallel()
			var file string
			var want map[string]string
			t.Run("fill", func(t *testing.T) {
				c := newChanging(t, tables)
				for range 150 {
					c.change()
				}
				c.must("PutItem", `{"TableName":"Table0","Item":{"pk":{"S":"last"},"x":{"S":"yyyyyyyy"}}}`)
				want = c.allItems()
				b, err := os.ReadFile(c.file)
				if err != nil {
					t.Fatal(err)
				}
				clear(b[:2*os.Getpagesize()])
				file = string(b)
			})
			if got, log := salvaged(t, file); !maps.Equal(got, want) || !strings.Contains(log, noHeader) {
				t.Errorf("got %d items, want %d; logged %s", len(got), len(want), log)
			}
			delete(want, `Table0 {"pk":{"S":"last"}}`)
			if got, log := salvaged(t, strings.ReplaceAll(file, "yyyyyyyy", "nyyyyyyy")); !maps.Equal(got, want) {
				t.Errorf("with a damaged item: got %d items, want %d; logged %s", len(got), len(want), log)
			}
			bad := []byte(file) // all pages say that they have one element fewer
			for page := 2 * os.Getpagesize(); page < len(bad); page += os.Getpagesize() {
				bad[page+10]--
			}
			if got, log := salvaged(t, string(bad)); got != nil || !strings.Contains(log, noHeader) {
				t.Errorf("with damaged pages: got %d items, logged %s", len(got), log)
			}
		})
	}
}

const noHeader = "neither of its two header pages can be read"

// openSalvaged opens a folder and salvages what is in it. The log goes on growing.
func openSalvaged(t *testing.T, dir string) (*Engine, *bytes.Buffer, error) {
	t.Helper()
	log := &bytes.Buffer{}
	c := clock.New()
	t.Cleanup(c.Close)
	e, err := Open(Config{Dir: dir, Salvage: true, Clock: c, Log: slog.New(slog.NewTextHandler(log, nil))})
	return e, log, err
}

// salvaged gives the items that can be saved of a file, and the log. If it cannot
// be opened, items is nil, and the log tells why.
func salvaged(t *testing.T, file string) (items map[string]string, logged string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, storeFile), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	e, log, err := openSalvaged(t, dir)
	if err != nil {
		return nil, log.String() + err.Error()
	}
	items = (&bench{t: t, engine: e}).allItems()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	return items, log.String()
}
