// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html

package dynamodb

import (
	"encoding/json"
	"slices"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

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
	if b.paths, err = b.r.onlyProjection(); err != nil {
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

// batchAnswer is what a batch has read so far.
type batchAnswer struct {
	out  []byte
	size int
	cost costs
	left map[string]json.RawMessage // of the request, by table
}

// readBatch reads items until there are too many bytes of them; the other keys
// go back to the client.
func (e *Engine) readBatch(r *request, reads []*batchRead) (json.RawMessage, error) {
	a := &batchAnswer{out: []byte(`{"Responses":{`), cost: costs{}, left: map[string]json.RawMessage{}}
	err := e.store.View(func(rd kv.Reader) error {
		for i, b := range reads {
			if i > 0 {
				a.out = append(a.out, ',')
			}
			a.out = append(appendText(a.out, b.t.name), ":["...)
			later, err := e.readPart(e.late(rd, b.r.consistent), b, a)
			if err != nil {
				return err
			}
			a.out = append(a.out, ']')
			if later != nil {
				a.left[b.t.name] = b.unprocessed(r, later)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	unprocessed, err := json.Marshal(a.left)
	if err != nil {
		return nil, err
	}
	out := append(append(a.out, `},"UnprocessedKeys":`...), unprocessed...)
	return append(r.appendCosts(out, a.cost, ""), '}'), nil
}

// readPart reads the items of one table. It returns the keys of those that are
// left to the client.
func (e *Engine) readPart(rd kv.Reader, b *batchRead, a *batchAnswer) (later []item, err error) {
	first := true
	for i, key := range b.keys {
		if e.faults.leave("BatchGetItem", b.t.name) {
			later = append(later, b.given[i])
			continue
		}
		stored := rd.Get(b.t.space, key)
		if a.size += storedSize(stored); a.size > maxBatchBytes {
			return append(later, b.given[i:]...), nil
		}
		a.cost.of(b.t.name).table += readUnits(storedSize(stored), b.r.consistent)
		if stored == nil {
			continue
		}
		if !first {
			a.out = append(a.out, ',')
		}
		first = false
		if a.out, err = appendStored(a.out, stored, b.paths); err != nil {
			return nil, err
		}
	}
	return later, nil
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
