// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html

package dynamodb

import (
	"encoding/json"
	"slices"
	"strconv"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// maxPage is how many bytes of items a query or scan reads, before its filter.
const maxPage = 1 << 20

// page is a query or scan under way.
type page struct {
	r        *request
	t        *table
	x        *index // nil for the table itself
	schema   schema // of the table or index
	space    uint64
	from, to []byte    // the keys to read
	terms    []keyTerm // of a query
	filter   *condition
	paths    []path
	count    bool // the items themselves are not wanted
	whole    bool // the index lacks attributes: they are read from the table

	size, scanned, matched int
	fetched                float64 // units of items read from the table for an index
	out                    []byte
	last                   item // key of the last item, if there may be more
}

// read reads the page and gives the operation's answer.
func (e *Engine) read(p *page) (json.RawMessage, error) {
	if err := p.resume(); err != nil {
		return nil, err
	}
	p.out = append(p.out, '{')
	if !p.count {
		p.out = append(p.out, `"Items":[`...)
	}
	err := e.store.View(func(r kv.Reader) error {
		var err error
		r = e.late(r, p.r.consistent) // a global index can only be read so
		r.Scan(p.space, p.from, p.to, p.r.backwards, func(key, stored []byte) bool {
			var more bool
			more, err = p.take(r, stored)
			return more
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return p.answer()
}

// take deals with one item; more is false if the page is full.
func (p *page) take(r kv.Reader, stored []byte) (more bool, err error) {
	p.scanned++
	p.size += storedSize(stored)
	if err := p.match(r, stored); err != nil {
		return false, err
	}
	if p.size < maxPage && (p.r.limit == nil || p.scanned < *p.r.limit) {
		return true, nil
	}
	it, err := decodeStored(stored)
	if err != nil {
		return false, err
	}
	for _, a := range it {
		if p.schema.has(a.name) || p.t.schema.has(a.name) {
			p.last = append(p.last, a)
		}
	}
	return false, nil
}

// match puts an item into the answer, if the filter lets it pass.
func (p *page) match(r kv.Reader, stored []byte) error {
	var it item
	var err error
	if p.whole || p.filter != nil || p.paths != nil {
		if it, err = decodeStored(stored); err != nil {
			return err
		}
	}
	if p.whole {
		key, err := p.t.schema.of(it)
		if err != nil {
			return err
		}
		if stored = r.Get(p.t.space, key); stored == nil {
			return nil
		}
		p.fetched += readUnits(storedSize(stored), p.r.consistent)
		if it, err = decodeStored(stored); err != nil {
			return err
		}
	}
	if p.filter != nil && !p.filter.holds(it) {
		return nil
	}
	p.matched++
	if p.count {
		return nil
	}
	if p.matched > 1 {
		p.out = append(p.out, ',')
	}
	if p.paths != nil {
		p.out = it.project(p.paths).appendJSON(p.out)
		return nil
	}
	text := storedJSON(stored)
	if len(text) > cap(p.out)-len(p.out) { // a page is copied less often than if it doubled
		p.out = slices.Grow(p.out, max(len(text), 3*len(p.out)))
	}
	p.out = append(p.out, text...)
	return nil
}

// answer ends the answer.
func (p *page) answer() (json.RawMessage, error) {
	if !p.count {
		p.out = append(p.out, "],"...)
	}
	p.out = append(p.out, `"Count":`...)
	p.out = strconv.AppendInt(p.out, int64(p.matched), 10)
	p.out = append(p.out, `,"ScannedCount":`...)
	p.out = strconv.AppendInt(p.out, int64(p.scanned), 10)
	if p.last != nil {
		p.out = append(p.out, `,"LastEvaluatedKey":`...)
		p.out = p.last.appendJSON(p.out)
	}
	p.out = p.r.appendCapacity(p.out, p.t.name, p.cost())
	return append(p.out, '}'), nil
}

func (p *page) cost() usage {
	units := readUnits(p.size, p.r.consistent)
	if p.x == nil {
		return usage{table: units}
	}
	return usage{table: p.fetched, indexes: []indexUsage{{p.x, units}}}
}
