// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html

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

// usage is what an operation costs a table and those of its indexes that it
// touches, in units.
type usage struct {
	table   float64
	indexes []indexUsage
}

type indexUsage struct {
	index *index
	units float64
}

// add counts units of an index.
func (u *usage) add(x *index, units float64) {
	i := slices.IndexFunc(u.indexes, func(other indexUsage) bool { return other.index.name == x.name })
	if i < 0 {
		u.indexes = append(u.indexes, indexUsage{x, units})
		return
	}
	u.indexes[i].units += units
}

// plus counts what another operation costs, so many times.
func (u *usage) plus(v usage, times float64) {
	u.table += v.table * times
	for _, x := range v.indexes {
		u.add(x.index, x.units*times)
	}
}

func (u *usage) total() float64 {
	total := u.table
	for _, x := range u.indexes {
		total += x.units
	}
	return total
}

// wantsCapacity says that the request wants to know its cost.
func (r *request) wantsCapacity() bool {
	return r.returnCapacity == "TOTAL" || r.returnCapacity == "INDEXES"
}

// appendCapacity appends the answer's member ConsumedCapacity, if it is wanted.
func (r *request) appendCapacity(dst []byte, table string, u usage) []byte {
	if !r.wantsCapacity() {
		return dst
	}
	if len(dst) > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, `"ConsumedCapacity":`...)
	return r.appendUsage(dst, table, u, "")
}

// appendUsage appends a ConsumedCapacity. In transactions, kind is Read or Write,
// and what is of that kind is told once more under that name.
func (r *request) appendUsage(dst []byte, table string, u usage, kind string) []byte {
	dst = append(dst, `{"TableName":"`...)
	dst = append(dst, table...)
	dst = append(dst, `",`...)
	dst = appendUnits(dst, u.total(), kind)
	if r.returnCapacity == "INDEXES" {
		dst = append(dst, `,"Table":{`...)
		dst = append(appendUnits(dst, u.table, kind), '}')
		dst = u.appendIndexes(dst, `,"LocalSecondaryIndexes":{`, false, kind)
		dst = u.appendIndexes(dst, `,"GlobalSecondaryIndexes":{`, true, kind)
	}
	return append(dst, '}')
}

// appendIndexes appends a member for the local or the global indexes, if any of
// them cost something.
func (u *usage) appendIndexes(dst []byte, member string, global bool, kind string) []byte {
	sep := member
	for _, x := range u.indexes {
		if x.index.global != global {
			continue
		}
		dst = append(dst, sep...)
		dst = append(appendText(dst, x.index.name), ":{"...)
		dst = append(appendUnits(dst, x.units, kind), '}')
		sep = ","
	}
	if sep != member {
		dst = append(dst, '}')
	}
	return dst
}

func appendUnits(dst []byte, units float64, kind string) []byte {
	dst = append(dst, `"CapacityUnits":`...)
	dst = strconv.AppendFloat(dst, units, 'f', 1, 64)
	if kind != "" {
		dst = append(dst, `,"`+kind+`CapacityUnits":`...)
		dst = strconv.AppendFloat(dst, units, 'f', 1, 64)
	}
	return dst
}

// costs are what an operation costs several tables, by name.
type costs map[string]*usage

func (c costs) of(table string) *usage {
	if c[table] == nil {
		c[table] = &usage{}
	}
	return c[table]
}

// appendCosts appends the member ConsumedCapacity of an operation on several
// tables, if it is wanted.
func (r *request) appendCosts(dst []byte, c costs, kind string) []byte {
	if !r.wantsCapacity() {
		return dst
	}
	if len(dst) > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, `"ConsumedCapacity":[`...)
	for i, table := range slices.Sorted(maps.Keys(c)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.appendUsage(dst, table, *c[table], kind)
	}
	return append(dst, ']')
}
