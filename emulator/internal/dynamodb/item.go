// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html

package dynamodb

import (
	"cmp"
	"encoding/json"
	"slices"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

func (e *Engine) putItem(body []byte) (json.RawMessage, error) {
	ch, r, err := newWrite("PutItem", body)
	if err != nil {
		return nil, err
	}
	if ch.t, err = e.find(r.table); err != nil {
		return nil, err
	}
	if ch.key, err = ch.t.schema.of(r.item); err != nil {
		return nil, err
	}
	if err := ch.checkPaths(); err != nil {
		return nil, err
	}
	stored, err := ch.t.encode(r.item, false)
	if err != nil {
		return nil, err
	}
	ch.next = func(item) (item, []byte, error) { return r.item, stored, nil }
	return e.carryOut(ch)
}

func (e *Engine) deleteItem(body []byte) (json.RawMessage, error) {
	ch, r, err := newWrite("DeleteItem", body)
	if err != nil {
		return nil, err
	}
	if ch.t, err = e.find(r.table); err != nil {
		return nil, err
	}
	if ch.key, err = ch.t.schema.ofKey(r.key); err != nil {
		return nil, err
	}
	if err := ch.checkPaths(); err != nil {
		return nil, err
	}
	ch.next = func(item) (item, []byte, error) { return nil, nil, nil }
	return e.carryOut(ch)
}

// newWrite reads a write of one item, and checks what can be without its table.
func newWrite(operation string, body []byte) (*change, *request, error) {
	ch, r, err := readWrite(operation, newer, body)
	if isValidation(err) && deep(body, maxRequestDepth) {
		return readWrite(operation, older, body)
	}
	return ch, r, enveloped(err)
}

func readWrite(operation string, w way, body []byte) (*change, *request, error) {
	r, err := parseRequest(operation, w, body)
	if err != nil {
		return nil, nil, err
	}
	var more []parameter
	if operation == "UpdateItem" {
		more = append(more, parameter{"UpdateExpression", r.update})
	} else if err := oldOrNone(r); err != nil {
		return nil, nil, err
	}
	ch, err := newChange(r, more...)
	return ch, r, err
}

// checkPaths refuses paths of a change's expressions that lead into keys.
func (ch *change) checkPaths() error {
	paths := ch.condition.paths(ch.update.paths())
	for _, a := range ch.update.actions {
		paths = operandPaths([]operand{a.operand}, paths)
	}
	return ch.t.checkScalars(paths)
}

// oldOrNone refuses the return values that only an update has.
func oldOrNone(r *request) error {
	switch r.returnValues {
	case "", "NONE", "ALL_OLD":
		return nil
	}
	return validation("ReturnValues can only be ALL_OLD or NONE")
}

func (e *Engine) updateItem(body []byte) (json.RawMessage, error) {
	ch, r, err := newWrite("UpdateItem", body)
	if err != nil {
		return nil, err
	}
	if ch.t, err = e.find(r.table); err != nil {
		return nil, err
	}
	if ch.key, err = ch.t.schema.ofKey(r.key); err != nil {
		return nil, err
	}
	if err := cmp.Or(ch.t.updatable(ch.update), ch.t.checkKinds(ch.update)); err != nil {
		return nil, err
	}
	if err := ch.checkPaths(); err != nil {
		return nil, err
	}
	ch.needsOld = true
	if ch.update.charge() > maxItemSize {
		return nil, errUpdateTooLarge
	}
	ch.next = func(old item) (item, []byte, error) { return ch.t.updated(r.key, ch.update, old) }
	return e.carryOut(ch)
}

// updatable refuses to change a key.
func (t *table) updatable(u *update) error {
	for _, a := range u.actions {
		if name := a.path[0].name; t.schema.has(name) {
			return invalidParameter("Cannot update attribute %s. This attribute is part of the key", name)
		}
	}
	return nil
}

// updated gives an item as an update makes it; old is nil if there is none.
func (t *table) updated(key item, u *update, old item) (item, []byte, error) {
	if old == nil {
		if !u.creates() {
			return nil, nil, nil
		}
		old = key
	}
	it, err := u.apply(old)
	if err != nil {
		return nil, nil, err
	}
	stored, err := t.encode(it, true)
	return it, stored, err
}

func (e *Engine) getItem(body []byte) (json.RawMessage, error) {
	r, err := parseRequest("GetItem", newer, body)
	if err != nil {
		return nil, err
	}
	if err := r.checkMixed([]parameter{{"ProjectionExpression", r.projection}}, []string{"AttributesToGet"}); err != nil {
		return nil, err
	}
	if r.invalid != nil {
		return nil, r.invalid
	}
	paths, err := r.onlyProjection()
	if err != nil {
		return nil, err
	}
	t, err := e.find(r.table)
	if err != nil {
		return nil, err
	}
	if err := t.checkScalars(paths); err != nil {
		return nil, err
	}
	key, err := t.schema.ofKey(r.key)
	if err != nil {
		return nil, err
	}
	out := []byte{'{'}
	err = e.store.View(func(rd kv.Reader) error {
		stored := e.late(rd, r.consistent).Get(t.space, key)
		if stored != nil {
			const around = `{"Item":}`
			out = append(slices.Grow(out, len(around)+len(stored)), `"Item":`...)
			if out, err = appendStored(out, stored, paths); err != nil {
				return err
			}
		}
		out = r.appendCapacity(out, t.name, usage{table: readUnits(storedSize(stored), r.consistent)})
		return nil
	})
	return append(out, '}'), err
}
