package dynamodb

import (
	"testing"
	"time"
)

func TestThroughputChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	const key = `"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]`
	const units = `"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":5}`
	b.must("CreateTable", `{"TableName":"Things","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],`+key+`,`+units+`,
		"GlobalSecondaryIndexes":[{"IndexName":"idx",`+key+`,"Projection":{"ProjectionType":"ALL"},`+units+`}]}`)
	const index = `"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"idx","ProvisionedThroughput":{"ReadCapacityUnits":%d,"WriteCapacityUnits":%d}}}]`
	const table = `"ProvisionedThroughput":{"ReadCapacityUnits":%d,"WriteCapacityUnits":%d}`

	// want compares the changes of the table and of its index since a time.
	type changes struct {
		increased, decreased bool
		today                float64
	}
	want := func(since time.Time, want ...changes) {
		t.Helper()
		description := decodeJSON(t, b.must("DescribeTable", `{"TableName":"Things"}`))["Table"].(map[string]any)
		x := description["GlobalSecondaryIndexes"].([]any)[0].(map[string]any)
		for i, of := range []map[string]any{description, x} {
			units := of["ProvisionedThroughput"].(map[string]any)
			after := func(member string) bool {
				at, ok := units[member].(float64)
				return ok && at >= seconds(since) && at <= seconds(b.clock.Now())
			}
			if got := (changes{after("LastIncreaseDateTime"), after("LastDecreaseDateTime"), units["NumberOfDecreasesToday"].(float64)}); got != want[i] {
				t.Errorf("%d: got %+v, want %+v: %v", i, got, want[i], units)
			}
		}
	}
	// A new day begins, so that none does on the way.
	now := b.clock.Now()
	b.clock.Advance(now.Truncate(24 * time.Hour).Add(25 * time.Hour).Sub(now))
	start := b.clock.Now().Add(-time.Millisecond)
	want(time.Time{}, changes{}, changes{})
	b.must("UpdateTable", `{"TableName":"Things",`+table+`}`, 6, 5)
	want(start, changes{increased: true}, changes{})
	b.must("UpdateTable", `{"TableName":"Things",`+table+`,`+index+`}`, 6, 4, 5, 4)
	want(start, changes{true, true, 1}, changes{false, true, 1})

	b.clock.Advance(time.Hour)
	later := b.clock.Now().Add(-time.Millisecond)
	b.must("UpdateTable", `{"TableName":"Things",`+index+`}`, 6, 3) // more reads, fewer writes
	want(later, changes{today: 1}, changes{true, true, 2})
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}

	again := open(t, dir)
	again.clock.Advance(b.clock.Now().Sub(again.clock.Now()))
	b = again
	want(start, changes{true, true, 1}, changes{true, true, 2})
	b.clock.Advance(24 * time.Hour)
	want(start, changes{true, true, 0}, changes{true, true, 0})
}
