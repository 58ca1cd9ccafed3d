// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ItemCollections

package dynamodb

import (
	"maps"
	"slices"
	"strconv"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// An item collection is all that a table and its local indexes hold of one
// partition key. Its size is told as the two whole numbers of GB that it lies
// between. On AWS a collection ends at 10 GB; here it does not.

// collections are item collections that an operation has changed.
type collections struct {
	tables []*table
	keys   []value // the partition keys, one for each of tables
}

// add notes the collection of an item, or of its key, if the table has any.
func (c *collections) add(r *request, t *table, it item) {
	local := func(x *index) bool { return !x.global }
	if r.returnMetrics != "SIZE" || !slices.ContainsFunc(t.indexes(), local) {
		return
	}
	hash, _ := it.get(t.schema.hash.name)
	for i := range c.tables {
		if c.tables[i] == t && c.keys[i].equal(hash) {
			return
		}
	}
	c.tables, c.keys = append(c.tables, t), append(c.keys, hash)
}

// appendMetric appends the answer's member for the one collection, if there is
// one.
func (e *Engine) appendMetric(dst []byte, c collections) ([]byte, error) {
	if len(c.tables) == 0 {
		return dst, nil
	}
	if len(dst) > 1 {
		dst = append(dst, ',')
	}
	out, t, key := append(dst, `"ItemCollectionMetrics":`...), c.tables[0], c.keys[0]
	err := e.store.View(func(rd kv.Reader) error {
		out = t.appendCollection(out, rd, key)
		return nil
	})
	return out, err
}

// appendMetrics appends the answer's member for collections of several tables,
// if there are any.
func (e *Engine) appendMetrics(dst []byte, c collections) ([]byte, error) {
	if len(c.tables) == 0 {
		return dst, nil
	}
	byTable := map[string][]byte{}
	err := e.store.View(func(rd kv.Reader) error {
		for i, t := range c.tables {
			list := byTable[t.name]
			if list != nil {
				list = append(list, ',')
			}
			byTable[t.name] = t.appendCollection(list, rd, c.keys[i])
		}
		return nil
	})
	sep := `"ItemCollectionMetrics":{`
	if len(dst) > 1 {
		sep = "," + sep
	}
	for _, name := range slices.Sorted(maps.Keys(byTable)) {
		dst = append(append(dst, sep...), `"`+name+`":[`...)
		dst = append(append(dst, byTable[name]...), ']')
		sep = ","
	}
	return append(dst, '}'), err
}

// appendCollection appends an ItemCollectionMetrics.
func (t *table) appendCollection(dst []byte, rd kv.Reader, hash value) []byte {
	from := appendPartition(nil, hash)
	to, size := after(from), 0
	count := func(_, stored []byte) bool {
		size += storedSize(stored)
		return true
	}
	rd.Scan(t.space, from, to, false, count)
	for _, x := range t.indexes() {
		if !x.global {
			rd.Scan(x.space, from, to, false, count)
		}
	}
	gigabytes := int64(size >> 30)
	dst = append(dst, `{"ItemCollectionKey":`...)
	dst = item{{t.schema.hash.name, hash}}.appendJSON(dst)
	dst = append(dst, `,"SizeEstimateRangeGB":[`...)
	dst = strconv.AppendInt(dst, gigabytes, 10)
	dst = append(dst, ".0,"...)
	dst = strconv.AppendInt(dst, gigabytes+1, 10)
	return append(dst, ".0]}"...)
}
