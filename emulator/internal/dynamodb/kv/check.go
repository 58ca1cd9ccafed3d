package kv

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// Finding is one thing that is wrong with a file.
type Finding struct {
	What  string
	Space uint64
	Key   []byte // nil: it is not about one key
}

// DamagedError says what is wrong with a file: Findings has at least one. A caller
// who knows what the spaces are can tell more of them.
type DamagedError struct {
	File     string
	Findings []Finding
}

func (e *DamagedError) Error() string {
	text := fmt.Sprintf("%s is damaged: %s", e.File, e.Findings[0].What)
	if more := len(e.Findings) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// checkFile reads all of the store's file, if there is one, and counts what it
// holds; upgrade says that its values have no checksums yet.
func checkFile(file string, o Options) (sums totals, upgrade bool, err error) {
	sums = totals{}
	p, err := examine(file, o, func(r Record) {
		sum := sums[r.Space]
		o.replace(&sum, nil, r.Value)
		sums[r.Space] = sum
	})
	switch {
	case err != nil || p == nil:
		return sums, false, err
	case len(p.findings) > 0:
		return nil, false, &DamagedError{file, p.told()}
	}
	return sums, p.upgrade, nil
}

// Examine reads all of a store's file, whole or damaged, while nobody writes to
// it, and calls visit for each record that is whole: a record of the catalog once,
// others of a damaged file perhaps more than once, the best one first. It returns
// what is wrong; nothing if there is no file. A *DamagedError says that nothing of
// the file can be read, one that wraps ErrInUse that a process writes to it.
func Examine(file string, o Options, visit func(Record)) ([]Finding, error) {
	p, err := examine(file, o, visit)
	if err != nil || p == nil {
		return nil, err
	}
	return p.told(), nil
}

// examine does what Examine does. It returns the reader with what it has found
// wrong, nil if there is no file.
func examine(file string, o Options, visit func(Record)) (*pageReader, error) {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil, nil
	}
	locked, lockErr := openBolt(file, true)
	if errors.Is(lockErr, ErrInUse) {
		return nil, lockErr
	} else if lockErr == nil {
		defer locked.Close()
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &pageReader{file: f, catalog: o.Catalog}
	p.visit = p.visitor(o, visit)
	if err := p.read(); err != nil {
		return nil, &DamagedError{file, []Finding{{What: err.Error()}}}
	}
	if lockErr != nil && len(p.findings) == 0 {
		p.find("%v", lockErr)
	}
	return p, nil
}

// visitor gives what is done with each record: what only the file needs is left
// out, and of the two copies of the catalog each record comes once.
func (p *pageReader) visitor(o Options, visit func(Record)) func(Record) {
	defined := map[string]bool{}
	return func(r Record) {
		switch r.Space {
		case formatSpace:
			return
		case catalogCopy, o.Catalog:
			if defined[string(r.Key)] {
				return
			}
			defined[string(r.Key)] = true
			r.Space = o.Catalog
			if o.Spaces != nil {
				p.spaces = append(p.spaces, o.Spaces(r)...)
			}
		}
		visit(r)
	}
}

// told gives the findings as they are told: spaces that only a file has mean
// nothing to others.
func (p *pageReader) told() []Finding {
	all := slices.Clone(p.findings)
	for i, f := range all {
		switch f.Space {
		case formatSpace:
			all[i] = Finding{What: f.What}
		case catalogCopy:
			all[i].Space = p.catalog
		}
	}
	return all
}
