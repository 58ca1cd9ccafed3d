// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html

package dynamodb

import (
	"encoding/json"
	"errors"
	"strings"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/dynamodb/kv"
)

func (e *Engine) transactWriteItems(body []byte) (json.RawMessage, error) {
	tx, err := parseTransaction("TransactWriteItems", body)
	if err != nil {
		return nil, err
	}
	for _, a := range tx.actions {
		var more []parameter
		if a.kind == "Update" {
			more = append(more, parameter{"UpdateExpression", a.r.update})
		}
		if a.ch, err = newChange(a.r, more...); err != nil {
			return nil, err
		}
	}
	if err := e.resolve(tx); err != nil {
		return nil, err
	}
	for _, a := range tx.actions {
		if err := a.plan(); err != nil {
			return nil, err
		}
	}
	if err := tx.checkPayload(); err != nil {
		return nil, err
	}
	replay, err := e.carryOutAll(tx)
	if err != nil {
		return nil, err
	}
	if replay {
		return e.replayed(tx)
	}
	cost := costs{}
	var changed collections
	for _, a := range tx.actions {
		cost.of(a.t.name).plus(a.ch.cost, transactional)
		if a.kind != "ConditionCheck" {
			changed.add(tx.r, a.t, a.r.keyed())
		}
	}
	out := tx.r.appendCosts([]byte{'{'}, cost, "Write")
	out, err = e.appendMetrics(out, changed)
	return append(out, '}'), err
}

// plan completes the change that an action makes.
func (a *transactItem) plan() error {
	ch := a.ch
	ch.t, ch.key = a.t, a.key
	if a.reason != nil {
		return nil
	}
	switch a.kind {
	case "Put":
		stored, err := a.t.encode(a.r.item, false)
		if a.reason = err; upFront(err) || err == errItemTooLarge {
			return err
		}
		ch.next = func(item) (item, []byte, error) { return a.r.item, stored, nil }
	case "Update":
		if err := a.t.updatable(ch.update); err != nil {
			return err
		}
		if a.reason = a.t.checkKinds(ch.update); a.reason != nil {
			return nil
		}
		ch.needsOld = true
		ch.next = func(old item) (item, []byte, error) { return a.t.updated(a.r.key, ch.update, old) }
	case "Delete":
		ch.next = func(item) (item, []byte, error) { return nil, nil, nil }
	}
	return nil
}

// upFront says that an error concerns the request and not one of its actions:
// values that are not valid as keys, unlike those of a wrong type.
func upFront(err error) bool {
	var e *awsjson.Error
	return errors.As(err, &e) && strings.HasPrefix(e.Message, "One or more parameter values are not valid.")
}

// carryOutAll makes the changes of a transaction, all of them or none. It makes
// none, and says so, if the transaction has been carried out under its token.
func (e *Engine) carryOutAll(tx *transaction) (replay bool, err error) {
	var refused error
	err = e.store.Update(func(rd kv.Reader) ([]kv.Write, error) {
		use, done, err := e.checkToken(rd, tx)
		if err != nil {
			return nil, err
		}
		if replay = done; done {
			return nil, nil
		}
		writes, failures, err := e.attemptAll(rd, tx)
		if err != nil {
			return nil, err
		}
		// A token is kept for its request even if that is cancelled, but
		// then the request may be tried again.
		if refused = cancelled(failures); refused != nil {
			return use.keep(false), nil
		}
		return append(writes, use.keep(true)...), nil
	})
	if err == nil {
		err = refused
	}
	return replay, err
}

// checkPayload refuses a transaction that is too large: what counts is what it
// brings along, not the items that it changes.
func (tx *transaction) checkPayload() error {
	size := 0
	for _, a := range tx.actions {
		size += a.r.keyed().size()
		for _, v := range a.r.bind.values {
			size += v.size()
		}
	}
	if size > maxTransactBytes {
		return errTransactPayload
	}
	return nil
}

// attemptAll gives the writes of all actions, and which of these fail.
func (e *Engine) attemptAll(rd kv.Reader, tx *transaction) ([]kv.Write, []error, error) {
	if failures := tx.unsound(); failures != nil {
		return nil, failures, nil
	}
	var writes []kv.Write
	failures := make([]error, len(tx.actions))
	for i, a := range tx.actions {
		one, err := e.attempt(rd, a.ch)
		if e := new(awsjson.Error); err != nil && (!errors.As(err, &e) || !reasonable(e)) {
			return nil, nil, err
		}
		failures[i] = err
		writes = append(writes, one...)
	}
	return writes, failures, nil
}

// reasonable says that an error can be one action's reason.
func reasonable(e *awsjson.Error) bool {
	return e.Type == serviceNamespace+"ConditionalCheckFailedException" ||
		e.Type == validateNamespace+"ValidationException" && !upFront(e)
}

// replayed answers a transaction that has been carried out before: it changes
// nothing and costs what reading the items costs.
func (e *Engine) replayed(tx *transaction) (json.RawMessage, error) {
	cost := costs{}
	err := e.store.View(func(rd kv.Reader) error {
		for _, a := range tx.actions {
			cost.of(a.t.name).table += transactional * readUnits(storedSize(rd.Get(a.t.space, a.key)), true)
		}
		return nil
	})
	return append(tx.r.appendCosts([]byte{'{'}, cost, "Read"), '}'), err
}
