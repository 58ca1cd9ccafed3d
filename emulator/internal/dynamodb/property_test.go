package dynamodb

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestQueryAgainstScan compares a query with a scan that has the same expression
// as its filter: two ways through the engine that share no code for keys.
func TestQueryAgainstScan(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		rnd := rand.New(rand.NewPCG(5, 6))
		random := map[string]func() string{
			"N": func() string { return orderedNumbers[rnd.IntN(len(orderedNumbers))] },
			"S": func() string { return []string{"a", "a#", "a#1", "ab", "b", "ä", "z"}[rnd.IntN(7)] },
			"B": func() string {
				raw := make([]byte, 1+rnd.IntN(3))
				for i := range raw {
					raw[i] = []byte{0, 1, 0x7f, 0xff}[rnd.IntN(4)]
				}
				return base64.StdEncoding.EncodeToString(raw)
			},
		}
		for kind, next := range random {
			table := "Rows" + kind
			b.must("CreateTable", sortTable, table, kind)
			for range 40 {
				b.must("PutItem", `{"TableName":"%s","Item":{"pk":{"S":"%c"},"sk":{"%s":"%s"}}}`, table, 'p'+rnd.IntN(2), kind, next())
			}
			for range 60 {
				expr, values := randomKeyCondition(rnd, kind, next)
				input := `{"TableName":"` + table + `","%s":"` + expr + `","ExpressionAttributeValues":{":p":{"S":"p"}` + values + `}}`
				got := strings.Fields(sorts(t, b.must("Query", input, "KeyConditionExpression")))
				want := strings.Fields(sorts(t, b.must("Scan", input, "FilterExpression")))
				if kind == "N" && !slices.IsSortedFunc(got, compareNumbers) || kind == "S" && !slices.IsSorted(got) {
					t.Errorf("%s %s: %v is not in order", expr, values, got)
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%s %s:\n query %v\n scan  %v", expr, values, got, want)
				}
			}
		}
	})
}

// randomKeyCondition gives a condition on pk and sk, and its values but :p.
func randomKeyCondition(rnd *rand.Rand, kind string, next func() string) (expr, values string) {
	low, high := next(), next()
	one := fmt.Sprintf(`,":a":{"%s":"%s"}`, kind, low)
	switch n := rnd.IntN(7); n {
	case 5:
		v, w := value{text: low}, value{text: high}
		if v.kind = "S"; kind == "N" {
			v.kind = "N"
		} else if kind == "B" {
			raw, _ := base64.StdEncoding.DecodeString(low)
			v.text = string(raw)
			raw, _ = base64.StdEncoding.DecodeString(high)
			w.text = string(raw)
		}
		w.kind = v.kind
		if c, _ := v.compare(w); c > 0 {
			low, high = high, low
		}
		return "pk = :p AND sk BETWEEN :a AND :b", fmt.Sprintf(`,":a":{"%s":"%s"},":b":{"%s":"%s"}`, kind, low, kind, high)
	case 6:
		if kind != "N" {
			return "pk = :p AND begins_with(sk, :a)", one
		}
		return "pk = :p AND sk = :a", one
	default:
		return "pk = :p AND sk " + []string{"=", "<", "<=", ">", ">="}[n] + " :a", one
	}
}

// TestDerivedStaysInStep lets clients write at random, at the same time, and
// then compares indexes and the list of expiries with the table.
func TestDerivedStaysInStep(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", indexedTable)
		b.must("UpdateTimeToLive", `{"TableName":"Indexed","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`)
		later := b.clock.Now().Add(time.Hour).Unix()
		var wg sync.WaitGroup
		for client := range 8 {
			rnd := rand.New(rand.NewPCG(7, uint64(client)))
			wg.Go(func() {
				for range 60 {
					key := fmt.Sprintf(`{"pk":{"S":"p%d"},"sk":{"N":"%d"}`, rnd.IntN(3), rnd.IntN(5))
					var err error
					switch rnd.IntN(5) {
					case 0:
						_, err = b.do("DeleteItem", `{"TableName":"Indexed","Key":%s}}`, key)
					case 1:
						_, err = b.do("UpdateItem", `{"TableName":"Indexed","Key":%s},"UpdateExpression":"SET o = :o REMOVE #t","ExpressionAttributeNames":{"#t":"ttl"},"ExpressionAttributeValues":{":o":{"N":"%d"}}}`, key, rnd.IntN(9))
					case 2:
						_, err = b.do("BatchWriteItem", `{"RequestItems":{"Indexed":[{"PutRequest":{"Item":%s,"g":{"S":"batch"}}}}]}}`, key)
					default:
						_, err = b.do("PutItem", `{"TableName":"Indexed","Item":%s,"g":{"S":"g%d"},"o":{"N":"%d"},"ttl":{"N":"%d"}}}`, key, rnd.IntN(2), rnd.IntN(9), later+rnd.Int64N(3))
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		count := func(index, filter string) string {
			return b.must("Scan", `{"TableName":"Indexed"%s,"Select":"COUNT"%s}`, index, filter)[len(`{"Count":`):]
		}
		for index, filter := range map[string]string{
			"all": "attribute_exists(g) AND attribute_exists(o)", "some": "attribute_exists(g)", "local": "attribute_exists(o)",
		} {
			got, _, _ := strings.Cut(count(`,"IndexName":"`+index+`"`, ""), ",")
			want, _, _ := strings.Cut(count("", `,"FilterExpression":"`+filter+`"`), ",")
			if got != want {
				t.Errorf("index %s has %s items, the table %s", index, got, want)
			}
		}
		got := b.spaceLen(b.engine.tables["Indexed"].ttl.Load().Space)
		want, _, _ := strings.Cut(count("", `,"FilterExpression":"attribute_exists(#t)","ExpressionAttributeNames":{"#t":"ttl"}`), ",")
		if fmt.Sprint(got) != want {
			t.Errorf("%d expiries are listed, %s items have one", got, want)
		}
		b.clock.Advance(2 * time.Hour)
		if got := count("", `,"FilterExpression":"attribute_exists(#t)","ExpressionAttributeNames":{"#t":"ttl"}`); !strings.HasPrefix(got, "0,") {
			t.Errorf("after expiry: %s", got)
		}
	})
}
