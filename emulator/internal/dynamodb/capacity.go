// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html

package dynamodb

import (
	"maps"
	"slices"
	"strconv"
)

// readUnits is what reading so many bytes costs: a unit for each 4 KB, half of
// it for an eventually consistent read.
func readUnits(size int, consistent bool) float64 {
	units := float64(max(1, (size+4095)/4096))
	if consistent {
		return units
	}
	return units / 2
}

// writeUnits is what writing an item of so many bytes costs: a unit for each KB.
func writeUnits(size int) float64 { return float64(max(1, (size+1023)/1024)) }

// wantsCapacity says that the request wants to know its cost.
func (r *request) wantsCapacity() bool {
	return r.returnCapacity == "TOTAL" || r.returnCapacity == "INDEXES"
}

// appendCapacity appends the answer's member ConsumedCapacity, if it is wanted.
func (r *request) appendCapacity(dst []byte, table string, units float64) []byte {
	if !r.wantsCapacity() {
		return dst
	}
	if len(dst) > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, `"ConsumedCapacity":`...)
	return r.appendCost(dst, table, units)
}

func (r *request) appendCost(dst []byte, table string, units float64) []byte {
	dst = append(dst, `{"TableName":"`...)
	dst = append(dst, table...)
	dst = append(dst, `","CapacityUnits":`...)
	dst = strconv.AppendFloat(dst, units, 'f', 1, 64)
	if r.returnCapacity == "INDEXES" {
		dst = append(dst, `,"Table":{"CapacityUnits":`...)
		dst = strconv.AppendFloat(dst, units, 'f', 1, 64)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendCosts appends a batch's member ConsumedCapacity, if it is wanted.
func (r *request) appendCosts(dst []byte, cost map[string]float64) []byte {
	if !r.wantsCapacity() {
		return dst
	}
	dst = append(dst, `,"ConsumedCapacity":[`...)
	for i, table := range slices.Sorted(maps.Keys(cost)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.appendCost(dst, table, cost[table])
	}
	return append(dst, ']')
}
