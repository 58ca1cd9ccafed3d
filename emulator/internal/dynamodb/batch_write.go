// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html

package dynamodb

import (
	"encoding/json"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

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
