package dynamodb

import (
	"slices"
	"strings"
)

// Limits of a batch.
const (
	maxBatchWrites = 25
	maxBatchKeys   = 100
	maxBatchBytes  = 16 << 20
)

var errDuplicateKeys = validation("Provided list of item keys contains duplicates")

// parseBatch reads the request, and reads each table's part with f.
func parseBatch(operation string, w way, body []byte, f func(b batchTable, s *scanner) error) (*request, error) {
	r, err := parseRequest(operation, w, body)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.batch, func(a, b batchTable) int { return strings.Compare(a.table, b.table) })
	for i, b := range r.batch {
		if i > 0 && r.batch[i-1].table == b.table {
			return nil, invalidParameter("Table %s is named twice in the request", b.table)
		}
		if err := f(b, &scanner{data: b.raw, lasting: true, way: w}); err != nil {
			return nil, err
		}
	}
	return r, nil
}
