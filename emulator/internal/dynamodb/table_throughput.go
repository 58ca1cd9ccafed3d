// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ProvisionedThroughputDescription.html

package dynamodb

import (
	"maps"
	"time"
)

// throughputChanges tells when the throughput of a table or index was changed.
type throughputChanges struct {
	Increased time.Time `json:",omitzero"`
	Decreased time.Time `json:",omitzero"`
	Decreases int       `json:",omitempty"` // on the day of the last
}

// noteThroughput notes a change of the throughput of an index, or under "" of the
// table. A change of the billing mode, before or after which there is none, does
// not count.
func (r *tableRecord) noteThroughput(index string, before, after *throughput, now time.Time) {
	if before == nil || after == nil {
		return
	}
	c := r.Throughput[index]
	if after.ReadCapacityUnits > before.ReadCapacityUnits || after.WriteCapacityUnits > before.WriteCapacityUnits {
		c.Increased = now
	}
	if after.ReadCapacityUnits < before.ReadCapacityUnits || after.WriteCapacityUnits < before.WriteCapacityUnits {
		c.Decreased, c.Decreases = now, c.decreases(now)+1
	}
	changes := maps.Clone(r.Throughput)
	if changes == nil {
		changes = map[string]throughputChanges{}
	}
	changes[index] = c
	r.Throughput = changes
}

// decreases counts the decreases on the day of now, which begins at midnight UTC.
func (c throughputChanges) decreases(now time.Time) int {
	const day = 24 * time.Hour
	if !c.Decreased.Truncate(day).Equal(now.Truncate(day)) {
		return 0
	}
	return c.Decreases
}

func (t *throughput) describe(c throughputChanges, now time.Time) throughputDescription {
	if t == nil {
		return throughputDescription{}
	}
	out := throughputDescription{NumberOfDecreasesToday: c.decreases(now), ReadCapacityUnits: t.ReadCapacityUnits, WriteCapacityUnits: t.WriteCapacityUnits}
	if !c.Increased.IsZero() {
		out.LastIncreaseDateTime = seconds(c.Increased)
	}
	if !c.Decreased.IsZero() {
		out.LastDecreaseDateTime = seconds(c.Decreased)
	}
	return out
}
