// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html

package dynamodb

import (
	"encoding/json"
	"slices"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// tableUpdate is the input of UpdateTable, as far as it is used.
type tableUpdate struct {
	TableName                   *string
	AttributeDefinitions        []attributeDefinition
	BillingMode                 string
	ProvisionedThroughput       *throughput
	OnDemandThroughput          *onDemandThroughput
	GlobalSecondaryIndexUpdates []indexUpdate
	DeletionProtectionEnabled   *bool
	TableClass                  string
	SSESpecification            *sseSpecification
	StreamSpecification         *streamSpecification
	unsupported
}

// unsupported are members that mean something which the emulator does not have.
// They are refused rather than passed over: a client that sends them relies on
// it.
type unsupported struct {
	ReplicaUpdates            json.RawMessage `json:",omitempty"`
	GlobalTableWitnessUpdates json.RawMessage `json:",omitempty"`
	MultiRegionConsistency    json.RawMessage `json:",omitempty"`
	VectorIndexUpdates        json.RawMessage `json:",omitempty"`
	VectorIndexes             json.RawMessage `json:",omitempty"`
}

func (u *unsupported) check() error {
	for name, member := range map[string]json.RawMessage{
		"ReplicaUpdates": u.ReplicaUpdates, "GlobalTableWitnessUpdates": u.GlobalTableWitnessUpdates,
		"MultiRegionConsistency": u.MultiRegionConsistency, "VectorIndexUpdates": u.VectorIndexUpdates, "VectorIndexes": u.VectorIndexes,
	} {
		if member != nil && string(member) != "null" {
			return validation("The parameter " + name + " is not supported here")
		}
	}
	return nil
}

// indexUpdate makes, changes or deletes one global index.
type indexUpdate struct {
	Create *indexDefinition
	Update *struct {
		IndexName             string
		ProvisionedThroughput *throughput
		OnDemandThroughput    *onDemandThroughput
	}
	Delete *struct{ IndexName string }
}

func (u *indexUpdate) name() string {
	switch {
	case u.Create != nil:
		return u.Create.IndexName
	case u.Update != nil:
		return u.Update.IndexName
	}
	return u.Delete.IndexName
}

func (e *Engine) updateTable(body []byte) (json.RawMessage, error) {
	var in tableUpdate
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	name, err := checkTableName(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.named(name)
	if err != nil {
		return nil, err
	}
	next := t.record()
	if err := e.settle(&next, &in); err != nil {
		return nil, err
	}
	dropped, err := e.reindex(&next, &in)
	if err != nil {
		return nil, err
	}
	change, err := e.changeStream(t, in.StreamSpecification)
	if err != nil {
		return nil, err
	}
	before := e.describe(t, "ACTIVE")
	if err := e.relayout(t, next, dropped, change); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"TableDescription": in.describe(e.describe(t, "ACTIVE"), before)})
}

// describe gives what UpdateTable answers: the table as it will be, on its way
// there. Here it is there already.
func (in *tableUpdate) describe(after, before *tableDescription) *tableDescription {
	if in.DeletionProtectionEnabled == nil {
		after.TableStatus = "UPDATING"
	}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		status := "UPDATING"
		if u.Delete != nil {
			status = "DELETING"
			i := slices.IndexFunc(before.GlobalSecondaryIndexes, func(x indexDescription) bool { return x.IndexName == u.name() })
			after.GlobalSecondaryIndexes = append(after.GlobalSecondaryIndexes, before.GlobalSecondaryIndexes[i])
		}
		for i := range after.GlobalSecondaryIndexes {
			x := &after.GlobalSecondaryIndexes[i]
			if x.IndexName != u.name() {
				continue
			}
			if x.IndexStatus = status; u.Create != nil {
				x.IndexStatus, x.Backfilling = "CREATING", new(bool)
			}
		}
	}
	return after
}

// relayout exchanges a table's definition for another, and its stream with it: it
// fills indexes that are new and deletes the spaces of those that are dropped.
// e.mu is held.
func (e *Engine) relayout(t *table, next tableRecord, dropped []uint64, change streamChange) error {
	before := t.layout.Load()
	old := map[uint64]bool{}
	for _, x := range before.indexes {
		old[x.space] = true
	}
	err := e.store.Update(func(r kv.Reader) ([]kv.Write, error) {
		after := next.layout()
		var writes []kv.Write
		for _, space := range dropped {
			writes = append(writes, kv.Drop(space))
		}
		for _, x := range after.indexes {
			if !old[x.space] {
				filling, err := t.fill(r, x)
				if err != nil {
					return nil, err
				}
				writes = append(writes, filling...)
			}
		}
		t.layout.Store(after)
		change.apply(e)
		saved, err := t.save()
		return append(writes, saved...), err
	}, func() {
		t.layout.Store(before)
		change.undo(e)
	})
	if err == nil && change.ends != nil {
		e.finish(change.ends)
	}
	return err
}

// fill gives the writes that put a table's items into an index.
func (t *table) fill(r kv.Reader, x *index) (writes []kv.Write, bad error) {
	r.Scan(t.space, nil, nil, false, func(key, stored []byte) bool {
		var it item
		if it, bad = decodeStored(stored); bad != nil {
			return false
		}
		if entry, held := x.held(it, t, key); entry != nil {
			writes = append(writes, kv.Put(x.space, entry, encodeStored(held, held.size())))
		}
		return true
	})
	return writes, bad
}
