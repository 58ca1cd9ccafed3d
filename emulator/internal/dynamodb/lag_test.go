package dynamodb

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLag writes at random as time passes, and compares each late read with what
// a consistent one has seen at that time.
func TestLag(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		const by = 3
		rnd := rand.New(rand.NewPCG(10, 11))
		b.must("CreateTable", indexedTable)
		b.engine.Lag(by * time.Minute)
		read := func(input string, consistent, backwards bool) []string {
			return strings.Fields(sorts(t, b.must("Query", `{"TableName":"Indexed","KeyConditionExpression":%s,"ConsistentRead":%v,"ScanIndexForward":%v}`,
				input, consistent, !backwards)))
		}
		const table = `"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}}`
		const index = `"g = :p","IndexName":"some","ExpressionAttributeValues":{":p":{"S":"g"}}`
		past := [][]string{nil, nil, nil}
		for minute := range 60 {
			for range rnd.IntN(4) {
				key := fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"N":"%d"}`, rnd.IntN(6))
				switch rnd.IntN(3) {
				case 0:
					b.must("DeleteItem", `{"TableName":"Indexed","Key":%s}}`, key)
				case 1:
					b.must("BatchWriteItem", `{"RequestItems":{"Indexed":[{"PutRequest":{"Item":%s,"g":{"S":"g"}}}}]}}`, key)
				default:
					b.must("PutItem", `{"TableName":"Indexed","Item":%s,"g":{"S":"g"}}}`, key)
				}
			}
			past = append(past, read(table, true, false))
			want := past[len(past)-1-by]
			if got := read(table, false, false); !slices.Equal(got, want) {
				t.Fatalf("minute %d: got %v, want %v", minute, got, want)
			}
			if got := read(index, false, false); !slices.Equal(got, want) { // all items are in the index
				t.Fatalf("minute %d: the index has %v, want %v", minute, got, want)
			}
			got := read(table, false, true)
			if slices.Reverse(got); !slices.Equal(got, want) {
				t.Fatalf("minute %d, backwards: got %v, want %v", minute, got, want)
			}
			for i := range 6 {
				key := fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"N":"%d"}}`, i)
				one := b.must("GetItem", `{"TableName":"Indexed","Key":%s}`, key) != `{}`
				many := strings.Contains(b.must("BatchGetItem", `{"RequestItems":{"Indexed":{"Keys":[%s]}}}`, key), `"g"`)
				if has := slices.Contains(want, fmt.Sprint(i)); one != has || many != has {
					t.Fatalf("minute %d: item %d: GetItem %v, BatchGetItem %v, want %v", minute, i, one, many, has)
				}
			}
			b.clock.Advance(time.Minute)
		}
		b.engine.Lag(0)
		if got, want := read(table, false, false), past[len(past)-1]; !slices.Equal(got, want) {
			t.Errorf("without lag: got %v, want %v", got, want)
		}
	})
}
