// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html

package dynamodb

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/dynamodb/kv"
)

const (
	// maxTransactBytes is how much a transaction may write, or read, in all.
	maxTransactBytes = 4 << 20
	// transactional is how many times as much an operation costs in a
	// transaction.
	transactional = 2
)

var (
	errSameItem        = validation("Transaction request cannot include multiple operations on one item")
	errTransactBytes   = validation("Transaction request cannot include items of more than 4 MB in all")
	errTransactPayload = validation("Transaction payload size cannot exceed 4 MB")
)

// transaction is a request of TransactWriteItems or TransactGetItems.
type transaction struct {
	r       *request // with what is wanted back
	token   *string
	raw     []byte // TransactItems as the client sent it; nil if it did not
	actions []*transactItem
}

// transactItem is one action of a transaction.
type transactItem struct {
	kind string // Put, Update, Delete, ConditionCheck or Get
	r    *request
	t    *table
	key  []byte
	ch   *change // of a write
	// reason is what cancels the transaction because of this action, if it is
	// known before the item is.
	reason error
	paths  []path // of a Get
}

// parseTransaction reads a request. Its members have been checked against the
// model.
func parseTransaction(operation string, body []byte) (*transaction, error) {
	s, err := scan(body)
	if err != nil {
		return nil, err
	}
	s.way = older
	tx := &transaction{r: &request{}}
	if err := s.structure(inputs[operation], func(m member) error { return tx.member(s, m) }); err != nil {
		return nil, err
	}
	if slices.Contains(tx.actions, nil) {
		return nil, validation("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
	}
	return tx, nil
}

func (tx *transaction) member(s *scanner, m member) (err error) {
	switch m.name {
	case "TransactItems":
		start := s.pos
		err = tx.items(s, shapes[m.shape].of)
		tx.raw = s.data[start:min(s.pos, len(s.data))]
	case "ClientRequestToken":
		var token string
		token, err = s.text()
		tx.token = &token
	default:
		err = tx.r.member(s, m)
	}
	return err
}

// items reads the actions, which are of a shape; one without an operation is
// nil.
func (tx *transaction) items(s *scanner, id shapeID) error {
	if err := s.begin('['); err != nil {
		return err
	}
	for s.more() {
		var a *transactItem
		err := s.structure(id, func(m member) error {
			if a != nil {
				return validation("TransactItems can only contain one of Check, Put, Update or Delete")
			}
			r, err := readRequest(s, m.shape)
			a = &transactItem{kind: m.name, r: r}
			return err
		})
		if err != nil {
			return err
		}
		tx.actions = append(tx.actions, a)
	}
	return nil
}

// resolve finds the tables of the actions and encodes their keys. What is wrong
// with one action alone becomes its reason.
func (e *Engine) resolve(tx *transaction) (err error) {
	seen := map[string]bool{}
	for _, a := range tx.actions {
		if a.t, err = e.find(a.r.table); err != nil {
			return err
		}
		if a.kind == "Put" {
			a.reason = a.t.schema.fits(a.r.item)
		} else {
			a.reason = a.t.schema.fitsKey(a.r.key)
		}
		if a.reason != nil {
			continue
		}
		if a.key, err = a.t.schema.encode(a.r.keyed()); err != nil {
			return err
		}
		id := a.t.name + "\x00" + string(a.key)
		if seen[id] {
			return errSameItem
		}
		seen[id] = true
	}
	return nil
}

// unsound gives the failure of the first action that cannot be carried out
// whatever the items are; nil if each can. AWS looks for it before it looks at
// items and other actions, which then have no reason to fail.
func (tx *transaction) unsound() []error {
	for i, a := range tx.actions {
		if a.reason != nil {
			failures := make([]error, len(tx.actions))
			failures[i] = a.reason
			return failures
		}
	}
	return nil
}

// cancelled is the error of a transaction of which some actions fail; none if
// none does. There is an entry for each action; nil for one that does not fail.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
func cancelled(failures []error) error {
	codes := make([]string, len(failures))
	reasons := make([]map[string]any, len(failures))
	failed := false
	for i, failure := range failures {
		codes[i] = "None"
		reasons[i] = map[string]any{}
		if e := new(awsjson.Error); errors.As(failure, &e) {
			failed = true
			codes[i] = "ConditionalCheckFailed"
			if e.Type == validateNamespace+"ValidationException" {
				codes[i] = "ValidationError"
			}
			reasons[i]["Message"] = e.Message
			if it, ok := e.Fields["Item"]; ok {
				reasons[i]["Item"] = it
			}
		}
		reasons[i]["Code"] = codes[i]
	}
	if !failed {
		return nil
	}
	return cancelledBecause(codes, reasons)
}

// cancelledBecause is the error of a transaction that has a code and a reason
// for each of its actions.
func cancelledBecause(codes []string, reasons []map[string]any) error {
	e := modelled("TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons ["+strings.Join(codes, ", ")+"]")
	e.Fields = map[string]any{"CancellationReasons": reasons}
	return e
}

func (e *Engine) transactGetItems(body []byte) (json.RawMessage, error) {
	tx, err := parseTransaction("TransactGetItems", body)
	if err != nil {
		return nil, err
	}
	for _, a := range tx.actions {
		if a.paths, err = a.r.onlyProjection(); err != nil {
			return nil, err
		}
		if a.r.invalid != nil {
			return nil, a.r.invalid
		}
	}
	if err := e.resolve(tx); err != nil {
		return nil, err
	}
	if err := cancelled(tx.unsound()); err != nil {
		return nil, err
	}
	return e.readAll(tx)
}

// readAll reads the items of a transaction, all at one moment.
func (e *Engine) readAll(tx *transaction) (json.RawMessage, error) {
	out, cost := []byte(`{"Responses":[`), costs{}
	err := e.store.View(func(rd kv.Reader) (err error) {
		size := 0
		for i, a := range tx.actions {
			stored := rd.Get(a.t.space, a.key)
			if size += storedSize(stored); size > maxTransactBytes {
				return errTransactBytes
			}
			cost.of(a.t.name).table += transactional * readUnits(storedSize(stored), true)
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, '{')
			if stored != nil {
				if out, err = appendStored(append(out, `"Item":`...), stored, a.paths); err != nil {
					return err
				}
			}
			out = append(out, '}')
		}
		return nil
	})
	out = tx.r.appendCosts(append(out, ']'), cost, "Read")
	return append(out, '}'), err
}
