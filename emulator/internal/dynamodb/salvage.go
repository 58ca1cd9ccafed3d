package dynamodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// salvageBatch is how many items one commit of a salvage carries.
const salvageBatch = 1000

// salvage makes a new file of what can be read of a damaged one: tables and
// items, streams and tokens; indexes and lists of expiries are made anew. Items
// whose table's definition is lost, or that are none, go into a file of JSON
// lines. If the file is whole, salvage does nothing.
func salvage(cfg Config) error {
	file := filepath.Join(cfg.Dir, boltFile)
	items := map[uint64]map[string][]byte{} // by space and key: a lost tree may hold what another has
	p, tables, err := examine(file, func(r fileRecord) {
		if items[r.space] == nil {
			items[r.space] = map[string][]byte{}
		}
		if _, ok := items[r.space][string(r.key)]; !ok {
			items[r.space][string(r.key)] = r.value
		}
	})
	if err != nil || p == nil || len(p.findings) == 0 {
		return err
	}
	for _, f := range p.findings {
		cfg.Log.Error("dynamodb: damaged", "file", file, "what", describeFinding(f, tables))
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
	if err := errors.Join(exchange(file, filepath.Join(saved, boltFile), aside), syncFolder(cfg.Dir)); err != nil {
		return fmt.Errorf("dynamodb: salvage: %w", err)
	}
	cfg.Log.Warn("dynamodb: saved what can be read", "file", file, "damaged", aside)
	return nil
}

// exchange puts a new file into the place of another, which stays under the name
// aside. With a link, there is a file under the old name at every moment: whoever
// opens the store after a death between the steps must not begin an empty one.
func exchange(file, saved, aside string) error {
	if os.Link(file, aside) == nil {
		return os.Rename(saved, file)
	}
	if err := os.Rename(file, aside); err != nil { // the file system has no links
		return err
	}
	if err := os.Rename(saved, file); err != nil {
		return errors.Join(err, os.Rename(aside, file))
	}
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
	s, err := openBoltStore(dir)
	if err != nil {
		return err
	}
	e := &Engine{cfg: cfg, store: s, tables: map[string]*table{}}
	e.sweeper.stopped = true // whoever opens the file sees to expiries
	err = errors.Join(e.restore(items), s.close())
	return err
}

func (e *Engine) restore(items map[uint64]map[string][]byte) error {
	err := e.store.update(func(reader) (writes []write, err error) {
		for space, all := range items {
			if space != catalog && space < streamSpaces || space == formatSpace {
				continue
			}
			for key, value := range all {
				writes = append(writes, write{space, []byte(key), value})
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
		var writes []write
		left := len(items[t.space])
		for key, stored := range items[t.space] {
			left--
			if it, err := readable(stored); err != nil {
				e.cfg.Log.Error("dynamodb: left out", "table", t.name, "key", t.schema.describeKey([]byte(key)), "err", err)
			} else {
				writes = append(writes, write{t.space, []byte(key), stored})
				writes = e.derive(writes, &change{t: t, key: []byte(key), new: it})
			}
			if len(writes) < salvageBatch && left > 0 {
				continue
			}
			if err := e.store.update(func(reader) ([]write, error) { return writes, nil }); err != nil {
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
func saveStrays(name string, items map[uint64]map[string][]byte, tables map[uint64]*table) error {
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
