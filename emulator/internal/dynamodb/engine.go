// Package dynamodb is a DynamoDB engine behind DynamoDB's own protocol.
//
// Items lie in a store of ordered keys, in memory or in a file, in the form that
// they have on the wire, so that reading one is mostly copying it. A key is encoded
// so that its bytes order as DynamoDB orders keys.
//
// Sums of numbers are made by github.com/cockroachdb/apd, because they have to
// be exact to 38 digits, which no type of the standard library is.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html
package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// Config says what Open opens.
type Config struct {
	// Dir is the folder of the store's file; it is made if it is missing.
	// If Dir is empty, tables live in memory and end with the Engine.
	Dir string
	// Salvage makes Open save what can be read of a file that is damaged:
	// into a new one, beside which the damaged file stays under another
	// name. Log tells what is lost.
	Salvage   bool
	Region    string // of the tables' ARNs
	AccountID string // of the tables' ARNs
	// Clock tells when items expire; Log gets what fails without a client
	// to tell. Both are required.
	Clock *clock.Clock
	Log   *slog.Logger
}

// Engine holds tables and carries out operations on them. Its methods may be
// called at the same time.
type Engine struct {
	cfg     Config
	store   kv.Store
	service awsjson.Service // DynamoDB
	changes awsjson.Service // DynamoDB Streams
	sweeper sweeper
	faults  faults
	lag     *kv.Lagging // the store, of which it also reads the past
	streams streams

	// mu guards what follows and the definitions of tables: it is held while a
	// table is made, changed or deleted.
	mu        sync.RWMutex
	tables    map[string]*table
	lastSpace uint64 // the last number of a space that has been given away
}

// maxBody is how large a request may be, in bytes.
const maxBody = 16 << 20

// Open makes an Engine with the tables that its folder holds. A file that is
// damaged, or in use by another process, is an error that says so.
func Open(cfg Config) (*Engine, error) {
	e := &Engine{cfg: cfg, tables: map[string]*table{}}
	inner, err := openStore(cfg)
	if err != nil {
		return nil, err
	}
	e.lag = kv.NewLagging(notifier{inner, &e.streams}, cfg.Clock.Now)
	e.store = e.lag
	e.service = awsjson.Service{
		Target: "DynamoDB_20120810", Version: "1.0", MaxBody: maxBody, Compress: 4 << 10,
		Operations: e.operations(), Unknown: e.unknown,
		Internal: serviceNamespace + "InternalServerError", Log: cfg.Log,
	}
	e.changes = e.service
	e.changes.Target, e.changes.Operations = streamsTarget, e.streamOperations()
	if err := e.load(); err != nil {
		e.store.Close()
		return nil, err
	}
	e.startSweeper()
	return e, nil
}

// openStore opens the file, of which it first salvages what it can if that is
// asked for, or makes a store in memory.
func openStore(cfg Config) (kv.Store, error) {
	if cfg.Dir == "" {
		return kv.Memory(kv.Options{Size: storedSize}), nil
	}
	if cfg.Salvage {
		if err := salvage(cfg); err != nil {
			return nil, err
		}
	}
	return openFile(cfg.Dir)
}

// Close ends the Engine. What it has acknowledged is in its file; what comes
// later fails. Closing again does nothing.
func (e *Engine) Close() error {
	if !e.sweeper.stop() {
		return nil
	}
	if err := e.store.Close(); err != nil {
		return fmt.Errorf("dynamodb: %w", err)
	}
	return nil
}

// ServeHTTP answers one request of a client of DynamoDB or of DynamoDB Streams.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("X-Amz-Target"), streamsTarget+".") {
		e.changes.ServeHTTP(w, r)
		return
	}
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeEndpoints") {
		r = withHost(r)
	}
	e.service.ServeHTTP(w, r)
}

// Do carries out an operation, such as CreateTable, in process: input and
// result are those of the protocol, and an error of DynamoDB is an
// *awsjson.Error.
func (e *Engine) Do(ctx context.Context, operation string, input []byte) (json.RawMessage, error) {
	op := e.service.Operations[operation]
	if op == nil {
		op = e.changes.Operations[operation]
	}
	if op == nil {
		return nil, e.unknown(operation)
	}
	out, err := op(ctx, input)
	if err != nil {
		return nil, fmt.Errorf("dynamodb: %s: %w", operation, err)
	}
	return out.(json.RawMessage), nil
}

func (e *Engine) operations() map[string]awsjson.Operation {
	all := map[string]func([]byte) (json.RawMessage, error){
		"CreateTable":               e.createTable,
		"DescribeTable":             e.describeTable,
		"ListTables":                e.listTables,
		"UpdateTable":               e.updateTable,
		"DeleteTable":               e.deleteTable,
		"UpdateTimeToLive":          e.updateTimeToLive,
		"DescribeTimeToLive":        e.describeTimeToLive,
		"PutItem":                   e.putItem,
		"GetItem":                   e.getItem,
		"UpdateItem":                e.updateItem,
		"DeleteItem":                e.deleteItem,
		"Query":                     e.query,
		"Scan":                      e.scan,
		"BatchWriteItem":            e.batchWriteItem,
		"BatchGetItem":              e.batchGetItem,
		"TransactWriteItems":        e.transactWriteItems,
		"TransactGetItems":          e.transactGetItems,
		"TagResource":               e.tagResource,
		"UntagResource":             e.untagResource,
		"ListTagsOfResource":        e.listTagsOfResource,
		"DescribeLimits":            e.describeLimits,
		"DescribeContinuousBackups": e.describeContinuousBackups,
		"UpdateContinuousBackups":   e.updateContinuousBackups,
	}
	operations := make(map[string]awsjson.Operation, len(all))
	for name, op := range all {
		op = checked(name, op)
		operations[name] = func(_ context.Context, body []byte) (any, error) { return e.faulty(name, body, op) }
	}
	operations["DescribeEndpoints"] = e.describeEndpoints
	return operations
}

// unknown answers for what is no operation, or none that is emulated.
func (e *Engine) unknown(operation string) *awsjson.Error {
	e.cfg.Log.Warn("dynamodb: operation not emulated", "operation", operation)
	return unknownOperation()
}
