package dynamodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// storeFile is the name of the store's file in its folder.
const storeFile = "dynamodb.db"

// openFile opens the store of a folder, or makes it.
func openFile(dir string) (kv.Store, error) {
	tables := tablesBySpace{}
	s, err := kv.Open(filepath.Join(dir, storeFile), tables.options())
	if err != nil {
		return nil, tables.explain(err)
	}
	return s, nil
}

// tablesBySpace are the tables that a file's catalog defines, by each of their
// spaces: what is wrong with the file is told by them.
type tablesBySpace map[uint64]*table

// options have what reads the file fill in the tables.
func (t tablesBySpace) options() kv.Options {
	return kv.Options{Size: storedSize, Catalog: catalog, Spaces: t.learn}
}

// learn takes a table from its definition. It returns its spaces.
func (t tablesBySpace) learn(r kv.Record) []uint64 {
	var definition tableRecord
	if json.Unmarshal(r.Value, &definition) != nil || definition.Space == 0 ||
		len(definition.Indexes) < len(definition.Definition.LocalSecondaryIndexes)+len(definition.Definition.GlobalSecondaryIndexes) {
		return nil
	}
	spaces := append([]uint64{definition.Space}, definition.Indexes...)
	if definition.TTL != nil {
		spaces = append(spaces, definition.TTL.Space)
	}
	built := definition.build()
	for _, space := range spaces {
		t[space] = built
	}
	return spaces
}

// explain words an error of the store's file.
func (t tablesBySpace) explain(err error) error {
	var damaged *kv.DamagedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &damaged):
		return fmt.Errorf("dynamodb: %s is damaged: %s; restore it from a copy, or salvage what can be read (-salvage)", damaged.File, t.describeAll(damaged.Findings))
	case errors.Is(err, kv.ErrInUse):
		return fmt.Errorf("dynamodb: %w: end it, or choose another folder", err)
	}
	return fmt.Errorf("dynamodb: %w", err)
}

// describeAll tells of the first item that is damaged, or else of the first
// finding.
func (t tablesBySpace) describeAll(all []kv.Finding) string {
	first := max(0, slices.IndexFunc(all, func(f kv.Finding) bool { return f.Key != nil }))
	text := t.describe(all[first])
	if more := len(all) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

func (t tablesBySpace) describe(f kv.Finding) string {
	owner := t[f.Space]
	switch {
	case f.Key == nil:
		return f.What
	case f.Space == catalog:
		return fmt.Sprintf("definition of table %q: %s", f.Key, f.What)
	case f.Space == tokens:
		return "a transaction's token: " + f.What
	case f.Space >= streamSpaces:
		return "a stream: " + f.What
	case owner == nil:
		return fmt.Sprintf("key %q of an unknown table: %s", f.Key, f.What)
	case f.Space == owner.space:
		return fmt.Sprintf("table %s, key %s: %s", owner.name, owner.schema.describeKey(f.Key), f.What)
	}
	for _, x := range owner.indexes() {
		if x.space == f.Space {
			return fmt.Sprintf("table %s, index %s, key %s: %s", owner.name, x.name, x.schema.describeKey(f.Key), f.What)
		}
	}
	return fmt.Sprintf("table %s, list of expiries: %s", owner.name, f.What)
}
