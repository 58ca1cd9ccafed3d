package dynamodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
)

// checkedFile is what a file that has been read holds.
type checkedFile struct {
	totals  totals
	upgrade bool // its values have no checksums yet
}

// checkFile reads all of the store's file, if there is one. Damage of any kind
// is an error: a store that goes on with it may make it worse.
func checkFile(file string) (checkedFile, error) {
	checked := checkedFile{totals: totals{}}
	p, tables, err := examine(file, func(r fileRecord) {
		sum := checked.totals[r.space]
		sum.replace(nil, r.value)
		checked.totals[r.space] = sum
	})
	switch {
	case err != nil || p == nil:
		return checked, err
	case len(p.findings) > 0:
		return checked, damaged(file, describeFindings(p.findings, tables))
	}
	checked.upgrade = p.upgrade
	return checked, nil
}

// examine reads all of the store's file while nobody writes to it, and calls
// visit for each record that is whole. It returns the reader with what it has
// found wrong, nil if there is no file, and the tables by their spaces.
func examine(file string, visit func(fileRecord)) (p *pageReader, tables map[uint64]*table, err error) {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil, nil, nil
	}
	locked, lockErr := openBolt(file, true)
	if errors.Is(lockErr, errInUse) {
		return nil, nil, lockErr
	} else if lockErr == nil {
		defer locked.Close()
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("dynamodb: %w", err)
	}
	defer f.Close()
	p, tables = &pageReader{file: f}, map[uint64]*table{}
	defined := map[string]bool{}
	p.visit = func(r fileRecord) {
		if r.space == catalogCopy {
			r.space = catalog
		}
		if r.space == catalog {
			if defined[string(r.key)] {
				return
			}
			defined[string(r.key)] = true
			maps.Copy(tables, p.learn(r))
		}
		visit(r)
	}
	if err := p.read(); err != nil {
		return nil, nil, damaged(file, err.Error())
	}
	if lockErr != nil && len(p.findings) == 0 {
		p.find("%v", lockErr)
	}
	return p, tables, nil
}

// learn takes the spaces from a table's definition; it returns the table by its
// spaces.
func (p *pageReader) learn(r fileRecord) map[uint64]*table {
	var definition tableRecord
	if json.Unmarshal(r.value, &definition) != nil || definition.Space == 0 ||
		len(definition.Indexes) < len(definition.Definition.LocalSecondaryIndexes)+len(definition.Definition.GlobalSecondaryIndexes) {
		return nil
	}
	t := definition.build()
	tables := map[uint64]*table{definition.Space: t}
	for _, space := range definition.Indexes {
		tables[space] = t
	}
	if definition.TTL != nil {
		tables[definition.TTL.Space] = t
	}
	for space := range tables {
		p.spaces = append(p.spaces, space)
	}
	return tables
}

func damaged(file, what string) error {
	return fmt.Errorf("dynamodb: %s is damaged: %s; restore it from a copy, or salvage what can be read (-salvage)", file, what)
}

// describeFindings tells of the first item that is damaged, or else of the first
// finding.
func describeFindings(all []finding, tables map[uint64]*table) string {
	first := all[0]
	for _, f := range all {
		if f.key != nil {
			first = f
			break
		}
	}
	text := describeFinding(first, tables)
	if more := len(all) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

func describeFinding(f finding, tables map[uint64]*table) string {
	t := tables[f.space]
	switch {
	case f.key == nil || f.space == formatSpace:
		return f.what
	case f.space == catalog || f.space == catalogCopy:
		return fmt.Sprintf("definition of table %q: %s", f.key, f.what)
	case f.space == tokens:
		return "a transaction's token: " + f.what
	case f.space >= streamSpaces:
		return "a stream: " + f.what
	case t == nil:
		return fmt.Sprintf("key %q of an unknown table: %s", f.key, f.what)
	}
	if f.space == t.space {
		return fmt.Sprintf("table %s, key %s: %s", t.name, t.schema.describeKey(f.key), f.what)
	}
	for _, x := range t.indexes() {
		if x.space == f.space {
			return fmt.Sprintf("table %s, index %s, key %s: %s", t.name, x.name, x.schema.describeKey(f.key), f.what)
		}
	}
	return fmt.Sprintf("table %s, list of expiries: %s", t.name, f.what)
}
