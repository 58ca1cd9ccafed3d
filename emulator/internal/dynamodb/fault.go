// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html

package dynamodb

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"crypto-ticker/emulator/internal/awsjson"
)

// Fault makes requests fail as they do on AWS at times.
type Fault struct {
	// Operation is the operation that fails, such as PutItem; "" is any.
	Operation string
	// Table is the table that requests must name to fail; "" is any, also none.
	Table string
	// Error is what happens: ProvisionedThroughputExceededException,
	// ThrottlingException, RequestLimitExceeded, InternalServerError (HTTP
	// status 500), TransactionConflictException, which cancels a transaction,
	// or UnprocessedItems, which has batches leave every other of their writes
	// or keys, the first one first, for the client to send again.
	Error string
	// Times is how many requests fail, or how many writes or keys are left; 0
	// is all that come.
	Times int

	asked int // how many writes or keys have met the fault
}

const (
	throughputExceeded  = "ProvisionedThroughputExceededException"
	transactionConflict = "TransactionConflictException"
	unprocessedItems    = "UnprocessedItems"
)

// faultErrors are the errors that a fault can be.
var faultErrors = map[string]*awsjson.Error{
	throughputExceeded: modelled(throughputExceeded,
		"The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."),
	"ThrottlingException": {Type: coralAvailability + "ThrottlingException", Message: "Rate of requests exceeds the allowed throughput."},
	"RequestLimitExceeded": modelled("RequestLimitExceeded",
		"Throughput exceeds the current throughput limit for your account. Please contact AWS Support at https://aws.amazon.com/support request a limit increase"),
	"InternalServerError": {Status: 500, Type: serviceNamespace + "InternalServerError", Message: "Internal server error"},
	transactionConflict:   modelled(transactionConflict, "Transaction is ongoing for the item"),
	unprocessedItems:      nil, // it is no error
}

// coralAvailability is the namespace of throttling.
const coralAvailability = "com.amazon.coral.availability#"

// faults are those that wait for a request.
type faults struct {
	mu  sync.Mutex
	all []*Fault
}

// Fail makes requests fail from now on. Several faults are tried in the order in
// which they came; the first that fits counts.
func (e *Engine) Fail(f Fault) error {
	if _, ok := faultErrors[f.Error]; !ok {
		known := slices.Sorted(maps.Keys(faultErrors))
		return fmt.Errorf("dynamodb: unknown error %q of a fault: it can be %s", f.Error, strings.Join(known, ", "))
	}
	if f.Operation != "" && e.service.Operations[f.Operation] == nil {
		return fmt.Errorf("dynamodb: unknown operation %q of a fault", f.Operation)
	}
	if f.Error == unprocessedItems && f.Operation != "" && !strings.HasPrefix(f.Operation, "Batch") {
		return fmt.Errorf("dynamodb: %s leaves nothing unprocessed: only BatchWriteItem and BatchGetItem do", f.Operation)
	}
	if f.Times < 0 {
		return fmt.Errorf("dynamodb: a fault cannot happen %d times", f.Times)
	}
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	e.faults.all = append(e.faults.all, &f)
	return nil
}

// ClearFaults takes all faults away.
func (e *Engine) ClearFaults() {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	e.faults.all = nil
}

// namedTables are the tables that a request names.
type namedTables struct {
	TableName     string
	RequestItems  map[string]json.RawMessage
	TransactItems []map[string]struct{ TableName string }
}

func (n *namedTables) has(table string) bool {
	if table == "" || tableOf(n.TableName) == table {
		return true
	}
	for name := range n.RequestItems {
		if tableOf(name) == table {
			return true
		}
	}
	return slices.ContainsFunc(n.TransactItems, func(a map[string]struct{ TableName string }) bool { return actsOn(a, table) })
}

// actsOn says whether an action of a transaction is about a table.
func actsOn(action map[string]struct{ TableName string }, table string) bool {
	for _, in := range action {
		if table == "" || tableOf(in.TableName) == table {
			return true
		}
	}
	return false
}

// take gives the fault that a request meets, if any, and counts it.
func (fs *faults) take(operation string, n *namedTables) (Fault, bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for i, f := range fs.all {
		if f.Error != unprocessedItems && (f.Operation == "" || f.Operation == operation) && n.has(f.Table) {
			fs.count(i)
			return *f, true
		}
	}
	return Fault{}, false
}

// leave says whether a batch leaves a write or key of a table to the client.
func (fs *faults) leave(operation, table string) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for i, f := range fs.all {
		fits := f.Error == unprocessedItems && (f.Operation == "" || f.Operation == operation) && (f.Table == "" || f.Table == table)
		if !fits {
			continue
		}
		f.asked++
		if f.asked%2 == 0 {
			return false
		}
		fs.count(i)
		return true
	}
	return false
}

// count counts that a fault has happened.
func (fs *faults) count(i int) {
	switch f := fs.all[i]; f.Times {
	case 0:
	case 1:
		fs.all = slices.Delete(fs.all, i, i+1)
	default:
		f.Times--
	}
}

func (fs *faults) none() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return len(fs.all) == 0
}

// faulty carries out an operation, unless the request meets a fault.
func (e *Engine) faulty(operation string, body []byte, op func([]byte) (json.RawMessage, error)) (json.RawMessage, error) {
	if e.faults.none() {
		return op(body)
	}
	var n namedTables
	if json.Unmarshal(body, &n) != nil {
		return op(body) // which says what is wrong
	}
	f, ok := e.faults.take(operation, &n)
	switch {
	case !ok:
		return op(body)
	case f.Error == transactionConflict && n.TransactItems != nil:
		return nil, n.conflict(f.Table)
	}
	return nil, faultErrors[f.Error]
}

// conflict cancels a transaction because of its actions on a table.
func (n *namedTables) conflict(table string) error {
	codes, reasons := make([]string, len(n.TransactItems)), make([]map[string]any, len(n.TransactItems))
	for i, action := range n.TransactItems {
		codes[i], reasons[i] = "None", map[string]any{"Code": "None"}
		if actsOn(action, table) {
			codes[i], reasons[i] = "TransactionConflict", map[string]any{"Code": "TransactionConflict", "Message": faultErrors[transactionConflict].Message}
		}
	}
	return cancelledBecause(codes, reasons)
}
