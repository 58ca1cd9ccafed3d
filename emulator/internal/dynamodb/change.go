// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html

package dynamodb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// maxItemSize is how large an item may be, in bytes as value.size counts them.
const maxItemSize = 400 << 10

var errItemTooLarge = validation("Item size has exceeded the maximum allowed size")

// An item is stored as its size, as a varint, and its JSON.

// encode gives an item as it is stored, if the table can hold it. What an update
// makes has errors of its own, and may nest too deep: that of what a client
// sends is checked where it is read.
func (t *table) encode(it item, updated bool) ([]byte, error) {
	size := it.size()
	switch tooDeep := func(a attribute) bool { return !a.value.within(maxNesting) }; {
	case size > maxItemSize && updated:
		return nil, errUpdateTooLarge
	case size > maxItemSize:
		return nil, errItemTooLarge
	case updated && slices.ContainsFunc(it, tooDeep):
		return nil, errTooDeep
	}
	if err := t.firstOf(func(x *index) error { return x.check(it, updated) }); err != nil {
		return nil, err
	}
	return encodeStored(it, size), nil
}

func encodeStored(it item, size int) []byte {
	stored := binary.AppendUvarint(make([]byte, 0, size+size/2+64), uint64(size))
	return bytes.Clone(it.appendJSON(stored)) // as long as it has to be: it stays
}

// storedSize gives the size of a stored item; 0 for nil.
func storedSize(stored []byte) int {
	size, _ := binary.Uvarint(stored)
	return int(size)
}

// storedJSON gives the JSON of a stored item.
func storedJSON(stored []byte) []byte {
	_, n := binary.Uvarint(stored)
	return stored[max(n, 0):]
}

// decodeStored reads a stored item. No limit of requests holds for it: one that
// has got past them, or that was another once, must not stand in the way of all
// that deals with its table.
func decodeStored(stored []byte) (item, error) {
	s := &scanner{data: storedJSON(stored), stored: true}
	it, err := s.item(0)
	if err != nil {
		return nil, fmt.Errorf("dynamodb: stored item is damaged: %s", err)
	}
	return it, nil
}

// appendStored appends what the paths select of a stored item; nil paths mean
// all of it.
func appendStored(dst, stored []byte, paths []path) ([]byte, error) {
	if paths == nil {
		return append(dst, storedJSON(stored)...), nil
	}
	it, err := decodeStored(stored)
	if err != nil {
		return dst, err
	}
	return it.project(paths).appendJSON(dst), nil
}

// change is a write of one item that is under way.
type change struct {
	r         *request
	t         *table
	key       []byte
	condition *condition
	update    *update
	// next gives the item that is to be, and how it is stored; nil to
	// delete it. old is nil if there is none. Without a next, the change is
	// only a condition.
	next     func(old item) (item, []byte, error)
	needsOld bool // next wants to see the old item

	old, new item // after the change
	hadOld   bool
	oldSize  int
	cost     usage
}

// newChange parses the expressions of a write.
func newChange(r *request, more ...parameter) (*change, error) {
	ch := &change{r: r, update: &update{}}
	expressions := append(more, parameter{"ConditionExpression", r.condition})
	if err := r.checkMixed(expressions, []string{"AttributeUpdates", "Expected"}); err != nil {
		return nil, err
	}
	// The older way looks at a key after the expressions.
	keyLast := r.way == older && r.item == nil
	if r.invalid != nil && !keyLast {
		return nil, r.invalid
	}
	err := r.placeholders(expressions...)
	if err != nil {
		return nil, err
	}
	switch updates := len(more) > 0; {
	case updates && r.update != nil:
		ch.update, err = parseUpdate(*r.update, &r.bind)
	case updates:
		ch.update, err = r.legacy.update()
	}
	if err != nil {
		return nil, err
	}
	if r.condition != nil {
		ch.condition, err = parseCondition("ConditionExpression", *r.condition, &r.bind)
	} else {
		ch.condition, err = r.legacy.expectedCondition()
	}
	if err != nil {
		return nil, err
	}
	ch.needsOld = r.returnValues != "" && r.returnValues != "NONE"
	return ch, cmp.Or(r.bind.unused(), r.invalid)
}

// carryOut makes the change and gives the operation's answer.
func (e *Engine) carryOut(ch *change) (json.RawMessage, error) {
	err := e.store.Update(func(rd kv.Reader) ([]kv.Write, error) { return e.attempt(rd, ch) })
	if err != nil {
		return nil, err
	}
	out := []byte{'{'}
	if attributes, ok := ch.returned(); ok {
		out = append(out, `"Attributes":`...)
		out = attributes.appendJSON(out)
	}
	out = ch.r.appendCapacity(out, ch.t.name, ch.cost)
	var changed collections
	changed.add(ch.r, ch.t, ch.r.keyed())
	out, err = e.appendMetric(out, changed)
	return append(out, '}'), err
}

// attempt checks the condition and gives the writes of a change.
func (e *Engine) attempt(rd kv.Reader, ch *change) ([]kv.Write, error) {
	if ch.t.dropped.Load() {
		return nil, resourceNotFound("Requested resource not found")
	}
	stored := rd.Get(ch.t.space, ch.key)
	ch.hadOld, ch.oldSize = stored != nil, storedSize(stored)
	recorded := ch.t.stream.Load().open()
	derived := recorded || len(ch.t.indexes()) > 0 || ch.t.ttl.Load() != nil
	if stored != nil && (ch.condition != nil || ch.needsOld || derived) {
		var err error
		if ch.old, err = decodeStored(stored); err != nil {
			return nil, err
		}
	}
	if ch.condition != nil && !ch.condition.holds(ch.old) {
		if stored == nil || ch.r.returnOnFailure != "ALL_OLD" {
			return nil, conditionFailed(nil)
		}
		return nil, conditionFailed(bytes.Clone(storedJSON(stored)))
	}
	if ch.next == nil { // a ConditionCheck
		ch.cost = usage{table: writeUnits(ch.oldSize)}
		return nil, nil
	}
	next, nextStored, err := ch.next(ch.old)
	if err != nil {
		return nil, err
	}
	ch.new = next
	ch.cost = usage{table: writeUnits(max(ch.oldSize, storedSize(nextStored)))}
	if stored == nil && nextStored == nil {
		return nil, nil
	}
	write := kv.Put(ch.t.space, ch.key, nextStored)
	if nextStored == nil {
		write = kv.Delete(ch.t.space, ch.key)
	}
	writes := []kv.Write{write}
	if derived {
		writes = e.derive(writes, ch)
	}
	if recorded && !bytes.Equal(stored, nextStored) {
		writes = e.emit(writes, rd, ch.t, ch.old, next, false)
	}
	return writes, nil
}

// derive appends the writes that keep a table's indexes and expiries in step
// with the change.
func (e *Engine) derive(writes []kv.Write, ch *change) []kv.Write {
	for _, x := range ch.t.indexes() {
		writes = x.derive(writes, ch)
	}
	if ttl := ch.t.ttl.Load(); ttl != nil {
		writes = e.deriveExpiry(writes, ttl, ch.key, ch.old, ch.new)
	}
	return writes
}

// derive appends the writes that keep an index in step with a change, and counts
// what they cost: nothing if what the index holds stays as it is.
func (x *index) derive(writes []kv.Write, ch *change) []kv.Write {
	before, was := x.held(ch.old, ch.t, ch.key)
	after, is := x.held(ch.new, ch.t, ch.key)
	if before == nil && after == nil {
		return writes
	}
	size, units := is.size(), 0.0
	switch moved := !bytes.Equal(before, after); {
	case !moved && was.equal(is):
		return writes
	case !moved:
		units = writeUnits(max(was.size(), size))
	default:
		if before != nil {
			writes = append(writes, kv.Delete(x.space, before))
			units += writeUnits(was.size())
		}
		if after != nil {
			units += writeUnits(size)
		}
	}
	ch.cost.add(x, units)
	if after != nil {
		writes = append(writes, kv.Put(x.space, after, encodeStored(is, size)))
	}
	return writes
}

// held gives what an index holds of an item, and under which key; nothing of one
// that it passes over.
func (x *index) held(it item, t *table, key []byte) ([]byte, item) {
	if it == nil {
		return nil, nil
	}
	entry := x.entry(it, key)
	if entry == nil {
		return nil, nil
	}
	return entry, x.projected(it, t.schema)
}

// returned gives the attributes that the request wants back, if any.
func (ch *change) returned() (item, bool) {
	paths := ch.update.paths()
	switch ch.r.returnValues {
	case "ALL_OLD":
		return ch.old, ch.hadOld
	case "ALL_NEW":
		return ch.new, ch.new != nil
	case "UPDATED_OLD":
		it := ch.old.project(paths)
		return it, len(it) > 0
	case "UPDATED_NEW":
		it := ch.new.project(paths)
		return it, len(it) > 0
	}
	return nil, false
}
