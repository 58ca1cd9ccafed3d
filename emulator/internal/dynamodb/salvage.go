package dynamodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// salvageBatch is how many items one commit of a salvage carries.
const salvageBatch = 1000

// salvage makes a new file of what can be read of a damaged one: tables and
// items, streams and tokens; indexes and lists of expiries are made anew. Items
// whose table's definition is lost, or that are none, go into a file of JSON
// lines. If the file is whole, salvage does nothing.
func salvage(cfg Config) error {
	file := filepath.Join(cfg.Dir, storeFile)
	items := map[uint64]map[string][]byte{} // by space and key: a lost tree may hold what another has
	tables := tablesBySpace{}
	findings, err := kv.Examine(file, tables.options(), func(r kv.Record) {
		if items[r.Space] == nil {
			items[r.Space] = map[string][]byte{}
		}
		if _, ok := items[r.Space][string(r.Key)]; !ok {
			items[r.Space][string(r.Key)] = r.Value
		}
	})
	var damaged *kv.DamagedError
	if errors.As(err, &damaged) {
		return fmt.Errorf("dynamodb: nothing of %s can be salvaged: %s; restore it from a copy", damaged.File, tables.describeAll(damaged.Findings))
	}
	if err != nil || len(findings) == 0 {
		return tables.explain(err)
	}
	for _, f := range findings {
		cfg.Log.Error("dynamodb: damaged", "file", file, "what", tables.describe(f))
	}
	saved, err := os.MkdirTemp(cfg.Dir, "salvage")
	if err != nil {
		return fmt.Errorf("dynamodb: salvage: %w", err)
	}
	defer os.RemoveAll(saved)
	if err := restoreInto(cfg, saved, items); err != nil {
		return fmt.Errorf("dynamodb: salvage: %w", err)
	}
	aside := freeName(file + ".damaged")
	if err := saveStrays(aside+".items.jsonl", items, tables); err != nil {
		return fmt.Errorf("dynamodb: salvage: %w", err)
	}
	if err := kv.Replace(file, filepath.Join(saved, storeFile), aside); err != nil {
		return fmt.Errorf("dynamodb: salvage: %w", err)
	}
	cfg.Log.Warn("dynamodb: saved what can be read", "file", file, "damaged", aside)
	return nil
}

// freeName gives a name that no file has.
func freeName(name string) string {
	free := name
	for i := 2; ; i++ {
		if _, err := os.Lstat(free); errors.Is(err, os.ErrNotExist) {
			return free
		}
		free = fmt.Sprint(name, i)
	}
}

// restoreInto makes a store of the tables and items.
func restoreInto(cfg Config, dir string, items map[uint64]map[string][]byte) error {
	s, err := openFile(dir)
	if err != nil {
		return err
	}
	e := &Engine{cfg: cfg, store: s, tables: map[string]*table{}}
	e.sweeper.stopped = true // whoever opens the file sees to expiries
	err = errors.Join(e.restore(items), s.Close())
	return err
}

func (e *Engine) restore(items map[uint64]map[string][]byte) error {
	err := e.store.Update(func(kv.Reader) (writes []kv.Write, err error) {
		for space, all := range items {
			if space != catalog && space < streamSpaces {
				continue
			}
			for key, value := range all {
				writes = append(writes, kv.Put(space, []byte(key), value))
			}
		}
		return writes, nil
	})
	if err != nil {
		return err
	}
	if err := e.load(); err != nil {
		return err
	}
	for _, t := range e.tables {
		var writes []kv.Write
		left := len(items[t.space])
		for key, stored := range items[t.space] {
			left--
			if it, err := readable(stored); err != nil {
				e.cfg.Log.Error("dynamodb: left out", "table", t.name, "key", t.schema.describeKey([]byte(key)), "err", err)
			} else {
				writes = append(writes, kv.Put(t.space, []byte(key), stored))
				writes = e.derive(writes, &change{t: t, key: []byte(key), new: it})
			}
			if len(writes) < salvageBatch && left > 0 {
				continue
			}
			if err := e.store.Update(func(kv.Reader) ([]kv.Write, error) { return writes, nil }); err != nil {
				return err
			}
			writes = nil
		}
	}
	return nil
}

// readable reads a stored item that may be anything.
func readable(stored []byte) (item, error) {
	if !json.Valid(storedJSON(stored)) {
		return nil, errors.New("it is no JSON")
	}
	return decodeStored(stored)
}

// saveStrays writes what is JSON and not in the new file to another: items of no
// known table, of which some may be copies that lay in an index, and those of a
// table that are none. If there are none, it makes no file.
func saveStrays(name string, items map[uint64]map[string][]byte, tables tablesBySpace) error {
	var out []byte
	for space, all := range items {
		t := tables[space]
		if space == catalog || space >= streamSpaces || t != nil && t.space != space {
			continue
		}
		for _, stored := range all {
			if _, err := readable(stored); json.Valid(storedJSON(stored)) && (t == nil || err != nil) {
				out = fmt.Appendf(out, "{\"space\":%d,\"item\":%s}\n", space, storedJSON(stored))
			}
		}
	}
	if out == nil {
		return nil
	}
	return os.WriteFile(name, out, 0o600)
}
