// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html

package dynamodb

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
	"crypto-ticker/emulator/internal/ids"
)

// catalog is the space that holds the tables' definitions, by name.
const catalog = 0

// table is a table as operations on items see it.
type table struct {
	name    string
	space   uint64
	schema  schema
	layout  atomic.Pointer[layout]
	ttl     atomic.Pointer[ttlSetting] // nil: disabled
	stream  atomic.Pointer[stream]     // the latest; nil: there was none
	dropped atomic.Bool
}

// layout is what can change of a table in its life. It is exchanged within an
// update of the store, so that a write that follows sees the new one.
type layout struct {
	record  tableRecord
	indexes []*index
}

func (t *table) indexes() []*index   { return t.layout.Load().indexes }
func (t *table) record() tableRecord { return t.layout.Load().record }

// tableRecord is a table's definition as it is stored.
type tableRecord struct {
	ID         string
	Space      uint64
	Indexes    []uint64 // spaces of the local, then of the global indexes
	Created    time.Time
	Definition tableDefinition
	TTL        *ttlSetting `json:",omitempty"`
	Stream     string      `json:",omitempty"` // label of the latest
	OnDemand   time.Time   `json:",omitzero"`  // since when; zero if it never was
	Classed    time.Time   `json:",omitzero"`  // when the class was changed
	Tags       []tag       `json:",omitempty"`
	Recovery   *recovery   `json:",omitempty"` // nil: disabled
	// Throughput tells when that of an index was changed, or under "" that of
	// the table. It is never written to once others can see it.
	Throughput map[string]throughputChanges `json:",omitempty"`
}

// build makes the table of a valid definition.
func (r tableRecord) build() *table {
	d := r.Definition
	t := &table{name: d.TableName, space: r.Space, schema: d.schema(d.KeySchema)}
	t.ttl.Store(r.TTL)
	t.layout.Store(r.layout())
	return t
}

// layout makes the indexes of a valid definition.
func (r tableRecord) layout() *layout {
	d, l := r.Definition, &layout{record: r}
	for i, x := range slices.Concat(d.LocalSecondaryIndexes, d.GlobalSecondaryIndexes) {
		extra := map[string]bool{}
		for _, name := range x.Projection.NonKeyAttributes {
			extra[name] = true
		}
		l.indexes = append(l.indexes, &index{
			name: x.IndexName, space: r.Indexes[i], global: i >= len(d.LocalSecondaryIndexes),
			schema: d.schema(x.KeySchema), all: x.Projection.ProjectionType == "ALL", extra: extra,
		})
	}
	return l
}

func (d *tableDefinition) schema(elements []keyElement) schema {
	var s schema
	for _, e := range elements {
		a := keyAttribute{name: e.AttributeName}
		for _, def := range d.AttributeDefinitions {
			if def.AttributeName == e.AttributeName {
				a.kind = kind(def.AttributeType)
			}
		}
		if e.KeyType == "HASH" {
			a.limit = maxHashSize
			s.hash = a
		} else {
			a.limit = maxSortSize
			s.sort = a
		}
	}
	return s
}

// load reads what is known of all streams and tables.
func (e *Engine) load() error {
	return e.store.View(func(r kv.Reader) error {
		if err := e.loadStreams(r); err != nil {
			return err
		}
		return e.loadTables(r)
	})
}

// loadTables reads the definitions of all tables.
func (e *Engine) loadTables(r kv.Reader) (err error) {
	r.Scan(catalog, nil, nil, false, func(key, value []byte) bool {
		var record tableRecord
		if bad := json.Unmarshal(value, &record); bad != nil {
			err = fmt.Errorf("dynamodb: the definition of table %q is damaged: %w", key, bad)
			return false
		}
		t := record.build()
		t.stream.Store(e.streams.find(e.streamARN(t.name, record.Stream)))
		e.tables[t.name] = t
		e.lastSpace = max(e.lastSpace, record.Space, slices.Max(append(record.Indexes, 0)))
		if record.TTL != nil {
			e.lastSpace = max(e.lastSpace, record.TTL.Space)
		}
		return true
	})
	return err
}

// find gives a table that a request names.
func (e *Engine) find(name string) (*table, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	t := e.tables[name]
	if t == nil {
		return nil, resourceNotFound("Requested resource not found")
	}
	return t, nil
}

// findNamed is find for an operation on the table itself, whose error names it.
func (e *Engine) findNamed(name string) (*table, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.named(name)
}

// named is findNamed where e.mu is held.
func (e *Engine) named(name string) (*table, error) {
	if t := e.tables[name]; t != nil {
		return t, nil
	}
	return nil, resourceNotFound("Requested resource not found: Table: " + name + " not found")
}

func (e *Engine) createTable(body []byte) (json.RawMessage, error) {
	var d tableDefinition
	if err := decodeInput(body, &d); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	d.TableName = tableOf(d.TableName)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tables[d.TableName] != nil {
		return nil, resourceInUse("Table already exists: " + d.TableName)
	}
	e.lastSpace++
	record := tableRecord{ID: ids.RequestID(), Space: e.lastSpace, Created: e.cfg.Clock.Now().UTC(), Definition: d}
	record.Definition.StreamSpecification = nil // it can change; the stream knows
	record.Tags, record.Definition.Tags = d.Tags, nil
	if d.BillingMode == "PAY_PER_REQUEST" {
		record.OnDemand = record.Created
	}
	for range len(d.LocalSecondaryIndexes) + len(d.GlobalSecondaryIndexes) {
		e.lastSpace++
		record.Indexes = append(record.Indexes, e.lastSpace)
	}
	t := record.build()
	if d.StreamSpecification.enabled() {
		t.stream.Store(e.newStream(t.name, d.KeySchema, d.StreamSpecification.StreamViewType))
	}
	err := e.store.Update(func(kv.Reader) ([]kv.Write, error) { return t.save() })
	if err != nil {
		return nil, err
	}
	if s := t.stream.Load(); s != nil {
		e.streams.add(s)
	}
	e.tables[t.name] = t
	return json.Marshal(map[string]any{"TableDescription": e.describe(t, "CREATING")})
}

// save gives the write that stores the table's definition.
func (t *table) save() ([]kv.Write, error) {
	record := t.record()
	record.TTL = t.ttl.Load()
	var writes []kv.Write
	if s := t.stream.Load(); s != nil && !s.gone.Load() {
		record.Stream = s.Label
		w, err := s.save()
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	b, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("dynamodb: encode table: %w", err)
	}
	return append(writes, kv.Put(catalog, []byte(t.name), b)), nil
}

func (e *Engine) describeTable(body []byte) (json.RawMessage, error) {
	name, err := tableInput(body)
	if err != nil {
		return nil, err
	}
	t, err := e.findNamed(name)
	if err != nil {
		return nil, err
	}
	out, err := e.measured(t)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"Table": out})
}

func (e *Engine) deleteTable(body []byte) (json.RawMessage, error) {
	name, err := tableInput(body)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.named(name)
	if err != nil {
		return nil, err
	}
	if t.record().Definition.DeletionProtectionEnabled {
		return nil, validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	s := t.stream.Load()
	closes := s.open()
	err = e.store.Update(func(kv.Reader) ([]kv.Write, error) {
		writes := []kv.Write{kv.Delete(catalog, []byte(name)), kv.Drop(t.space)}
		for _, x := range t.indexes() {
			writes = append(writes, kv.Drop(x.space))
		}
		if ttl := t.ttl.Load(); ttl != nil {
			writes = append(writes, kv.Drop(ttl.Space))
		}
		if closes {
			s.close(e.cfg.Clock.Now())
			w, err := s.save()
			if err != nil {
				return nil, err
			}
			writes = append(writes, w)
		}
		t.dropped.Store(true) // later updates must not bring a space back
		return writes, nil
	}, func() {
		t.dropped.Store(false)
		if closes {
			s.reopen()
		}
	})
	if err != nil {
		return nil, err
	}
	if closes {
		e.finish(s)
	}
	delete(e.tables, name)
	return json.Marshal(map[string]any{"TableDescription": e.describe(t, "ACTIVE").deleted()})
}

// maxTablesListed is how many names ListTables gives at once.
const maxTablesListed = 100

func (e *Engine) listTables(body []byte) (json.RawMessage, error) {
	var in struct {
		ExclusiveStartTableName string
		Limit                   *int
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	limit := maxTablesListed
	if in.Limit != nil {
		limit = *in.Limit
	}
	e.mu.RLock()
	names := make([]string, 0, len(e.tables))
	for name := range e.tables {
		if name > in.ExclusiveStartTableName {
			names = append(names, name)
		}
	}
	e.mu.RUnlock()
	slices.Sort(names)
	out := map[string]any{}
	if len(names) > limit {
		names = names[:limit]
		out["LastEvaluatedTableName"] = names[limit-1]
	}
	out["TableNames"] = names
	return json.Marshal(out)
}

// tableInput reads the name from an input that has nothing else.
func tableInput(body []byte) (string, error) {
	var in struct{ TableName *string }
	if err := decodeInput(body, &in); err != nil {
		return "", err
	}
	return checkTableName(in.TableName)
}

func checkTableName(given *string) (string, error) {
	var c constraints
	if given == nil {
		c.require(false, nil, "tableName", "not be null")
		return "", c.err()
	}
	name := tableOf(*given)
	c.tableName(name)
	return name, c.err()
}

func (c *constraints) tableName(name string) {
	const member = "tableName"
	valid := strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
	}) < 0 && name != ""
	if valid && len(name) >= 3 && len(name) <= 255 {
		return // without the cost of boxing the name
	}
	c.require(len(name) >= 3, name, member, "have length greater than or equal to 3")
	c.require(len(name) <= 255, name, member, "have length less than or equal to 255")
	c.require(valid, name, member, "satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
}
