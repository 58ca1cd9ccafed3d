// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html

package dynamodb

import (
	"encoding/json"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// Limits of a batch.
const (
	maxBatchWrites = 25
	maxBatchKeys   = 100
	maxBatchBytes  = 16 << 20
)

var (
	errDuplicateKeys = validation("Provided list of item keys contains duplicates")
)

// parseBatch reads the request, and reads each table's part with f.
func parseBatch(operation string, w way, body []byte, f func(b batchTable, s *scanner) error) (*request, error) {
	r, err := parseRequest(operation, w, body)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.batch, func(a, b batchTable) int { return strings.Compare(a.table, b.table) })
	for i, b := range r.batch {
		if i > 0 && r.batch[i-1].table == b.table {
			return nil, invalidParameter("Table %s is named twice in the request", b.table)
		}
		if err := f(b, &scanner{data: b.raw, lasting: true, way: w}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// batchWrite is one put or delete of a batch.
type batchWrite struct {
	table     string
	put, key  item
	deletes   bool
	raw       []byte // as the client sent it
	t         *table
	storedKey []byte
	stored    []byte
}

// keyed gives an item that has the key's attributes.
func (w *batchWrite) keyed() item {
	if w.deletes {
		return w.key
	}
	return w.put
}

func (e *Engine) batchWriteItem(body []byte) (json.RawMessage, error) {
	r, all, err := readBatchWrites(body)
	if err != nil {
		return nil, err
	}
	if err := e.resolveBatch(all); err != nil {
		return nil, err
	}
	all, left := e.divide(all)
	changes := make([]*change, len(all))
	for i, w := range all {
		changes[i] = &change{r: &request{}, t: w.t, key: w.storedKey,
			next: func(item) (item, []byte, error) { return w.put, w.stored, nil }}
	}
	err = e.store.Update(func(rd kv.Reader) (writes []kv.Write, err error) {
		for _, ch := range changes {
			one, err := e.attempt(rd, ch)
			if err != nil {
				return nil, err
			}
			writes = append(writes, one...)
		}
		return writes, nil
	})
	if err != nil {
		return nil, err
	}
	cost := costs{}
	var changed collections
	for i, ch := range changes {
		cost.of(ch.t.name).plus(ch.cost, 1)
		changed.add(r, ch.t, all[i].keyed())
	}
	unprocessed, err := json.Marshal(left)
	if err != nil {
		return nil, err
	}
	out := r.appendCosts(append([]byte(`{"UnprocessedItems":`), unprocessed...), cost, "")
	out, err = e.appendMetrics(out, changed)
	return append(out, '}'), err
}

// divide tells the writes to make from those that are left to the client, by
// table.
func (e *Engine) divide(all []batchWrite) (now []batchWrite, left map[string][]json.RawMessage) {
	left = map[string][]json.RawMessage{}
	for _, w := range all {
		if e.faults.leave("BatchWriteItem", w.table) {
			left[w.table] = append(left[w.table], w.raw)
		} else {
			now = append(now, w)
		}
	}
	return now, left
}

// readBatchWrites reads a request with its WriteRequests.
func readBatchWrites(body []byte) (*request, []batchWrite, error) {
	var all []batchWrite
	r, err := parseBatch("BatchWriteItem", older, body, func(b batchTable, s *scanner) error {
		if err := s.begin('['); err != nil {
			return err
		}
		for s.more() {
			start := s.pos
			w, err := readBatchWrite(s, shapes[b.shape].of)
			if err != nil {
				return err
			}
			w.table, w.raw = b.table, s.data[start:s.pos]
			all = append(all, w)
		}
		return nil
	})
	switch {
	case err != nil:
	case len(all) > maxBatchWrites:
		err = validation("Too many items requested for the BatchWriteItem call")
	}
	return r, all, err
}

// readBatchWrite reads a WriteRequest, which is of a shape.
func readBatchWrite(s *scanner, id shapeID) (w batchWrite, err error) {
	requests := 0
	err = s.structure(id, func(m member) error {
		requests++
		r, err := readRequest(s, m.shape)
		if err != nil {
			return err
		}
		w.put, w.key, w.deletes = r.item, r.key, m.name == "DeleteRequest"
		return r.invalid
	})
	switch {
	case err != nil:
	case requests == 0:
		err = validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case requests > 1:
		err = validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	return w, err
}

// resolveBatch finds the tables and encodes the keys and items of a batch.
func (e *Engine) resolveBatch(all []batchWrite) (err error) {
	seen := map[string]bool{}
	for i := range all {
		w := &all[i]
		if w.t, err = e.find(w.table); err != nil {
			return err
		}
		if w.deletes {
			w.storedKey, err = w.t.schema.ofKey(w.key)
		} else if w.storedKey, err = w.t.schema.ofBatch(w.put); err == nil {
			w.stored, err = w.t.encode(w.put, false)
		}
		if err != nil {
			return err
		}
		id := w.table + "\x00" + string(w.storedKey)
		if seen[id] {
			return errDuplicateKeys
		}
		seen[id] = true
	}
	return nil
}

// batchRead is what a batch reads from one table.
type batchRead struct {
	r     *request
	t     *table
	given []item
	keys  [][]byte
	paths []path
}

func (e *Engine) batchGetItem(body []byte) (json.RawMessage, error) {
	var reads []*batchRead
	total := 0
	r, err := parseBatch("BatchGetItem", newer, body, func(of batchTable, s *scanner) error {
		b, err := readKeysAndAttributes(s, of.shape)
		if err != nil {
			return err
		}
		b.r.table = of.table
		reads, total = append(reads, b), total+len(b.given)
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case mixes(reads):
		return nil, validation("Can not use both expression and non-expression parameters in the same request: " +
			"Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}")
	case total > maxBatchKeys:
		return nil, validation("Too many items requested for the BatchGetItem call")
	}
	for _, b := range reads {
		if err := e.resolveRead(b); err != nil {
			return nil, err
		}
	}
	return e.readBatch(r, reads)
}

// mixes says that a batch has expressions for one table, and parameters from
// before them for another.
func mixes(reads []*batchRead) bool {
	old := func(b *batchRead) bool { return b.r.legacy.has("AttributesToGet") }
	now := func(b *batchRead) bool { return b.r.projection != nil }
	return slices.ContainsFunc(reads, old) && slices.ContainsFunc(reads, now)
}

// readKeysAndAttributes reads what a batch asks of one table.
func readKeysAndAttributes(s *scanner, id shapeID) (*batchRead, error) {
	b := &batchRead{r: &request{}}
	err := s.structure(id, func(m member) (err error) {
		if m.name == "Keys" {
			b.given, err = s.keys()
			return err
		}
		return b.r.member(s, m)
	})
	return b, err
}

func (s *scanner) keys() ([]item, error) {
	if err := s.begin('['); err != nil {
		return nil, err
	}
	var keys []item
	for s.more() {
		key, err := s.item(0)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (e *Engine) resolveRead(b *batchRead) (err error) {
	if b.t, err = e.find(b.r.table); err != nil {
		return err
	}
	expressions := []named{{"ProjectionExpression", b.r.projection}}
	if err := b.r.placeholders(expressions...); err != nil {
		return err
	}
	if b.paths, err = b.r.projectionPaths(); err != nil {
		return err
	}
	if err := b.r.bind.unused(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, given := range b.given {
		key, err := b.t.schema.ofKey(given)
		if err != nil {
			return err
		}
		if seen[string(key)] {
			return errDuplicateKeys
		}
		seen[string(key)] = true
		b.keys = append(b.keys, key)
	}
	return nil
}

// readBatch reads items until there are too many bytes of them; the other keys
// go back to the client.
func (e *Engine) readBatch(r *request, reads []*batchRead) (json.RawMessage, error) {
	out := []byte(`{"Responses":{`)
	left := make(map[string]json.RawMessage)
	cost := costs{}
	size := 0
	err := e.store.View(func(rd kv.Reader) (err error) {
		for i, b := range reads {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendText(out, b.t.name), ":["...)
			first := true
			var later []item
			rd := e.late(rd, b.r.consistent)
			for j, key := range b.keys {
				if e.faults.leave("BatchGetItem", b.t.name) {
					later = append(later, b.given[j])
					continue
				}
				stored := rd.Get(b.t.space, key)
				if size += storedSize(stored); size > maxBatchBytes {
					later = append(later, b.given[j:]...)
					break
				}
				cost.of(b.t.name).table += readUnits(storedSize(stored), b.r.consistent)
				if stored == nil {
					continue
				}
				if !first {
					out = append(out, ',')
				}
				first = false
				if out, err = appendStored(out, stored, b.paths); err != nil {
					return err
				}
			}
			out = append(out, ']')
			if later != nil {
				left[b.t.name] = b.unprocessed(r, later)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	unprocessed, err := json.Marshal(left)
	if err != nil {
		return nil, err
	}
	out = append(append(out, `},"UnprocessedKeys":`...), unprocessed...)
	return append(r.appendCosts(out, cost, ""), '}'), nil
}

// unprocessed gives a table's part of the request again, with the keys that have
// not been read.
func (b *batchRead) unprocessed(r *request, later []item) json.RawMessage {
	part := map[string]json.RawMessage{}
	for _, t := range r.batch {
		if t.table == b.t.name {
			json.Unmarshal(t.raw, &part) // it is a valid object: it has been read
		}
	}
	keys := []byte{'['}
	for i, key := range later {
		if i > 0 {
			keys = append(keys, ',')
		}
		keys = key.appendJSON(keys)
	}
	part["Keys"] = append(keys, ']')
	out, _ := json.Marshal(part)
	return out
}
