package dynamodb

import (
	"strings"
	"testing"
)

// TestUpdateCharge has the sizes that were measured on AWS: what a clause counts
// next to "SET b = :pad", which the longest pad shows that is accepted.
func TestUpdateCharge(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"K"},"abcdefghij":{"S":"x"},"n":{"N":"12345678901234567890"},"m":{"M":{"z":{"S":"y"},"a":{"M":{"z":{"S":"y"}}}}},
		"l":{"L":[{"S":"e"}]},"ss":{"SS":["ppppp"]}}}`)
	values := map[string]string{":one": `{"N":"1"}`, ":list": `{"L":[{"S":"yyyyyyyyyy"}]}`, ":text": `{"S":"ssssssssss"}`, ":map": `{"M":{"a":{"S":"yyyyyyyyyy"}}}`, ":set": `{"SS":["rrrrrrrrrrrrrrrrrrrr"]}`}
	for _, tt := range []struct {
		clause string
		want   int
	}{
		{"", 0},
		{"SET c = :text", 19 + 1 + 10}, {"SET c = :map", 19 + 1 + 3 + 1 + 1 + 10},
		{"SET c = abcdefghij", 19 + 1 + 15 + 10}, {"SET c = m.z", 19 + 1 + 1 + 15 + 15}, {"SET c = m.a.z", 19 + 1 + 1 + 15 + 15 + 15}, {"SET c = l[0]", 19 + 1 + 1 + 15 + 15},
		{"SET m.leaf = :text", 19 + 1 + 4 + 4 + 10}, {"SET l[10] = :text", 19 + 1 + 4 + 2 + 10},
		{"SET l = list_append(l, :list)", 19 + 1 + 37 + 16 + 14}, {"SET l = list_append(:list, :list)", 19 + 1 + 37 + 14 + 14},
		{"SET n = n + :one", 19 + 1 + 34 + 16 + 2}, {"SET n = n - :one", 19 + 1 + 37 + 16 + 2},
		{"SET c = if_not_exists(c, :text)", 19 + 1 + 39 + 16 + 10}, {"SET c = if_not_exists(c, :text), d = if_not_exists(d, :text)", 2 * (19 + 1 + 39 + 16 + 10)},
		{"ADD n :one", 19 + 1 + 2}, {"ADD ss :set", 19 + 2 + 20},
		{"REMOVE abcdefghij", 1 + 10}, {"REMOVE m.z", 1 + 1 + 4 + 1}, {"REMOVE l[10]", 1 + 1 + 4 + 2}, {"DELETE ss :set", 1 + 2},
	} {
		expr := "SET b = :pad " + tt.clause
		if rest, ok := strings.CutPrefix(tt.clause, "SET "); ok {
			expr = "SET b = :pad, " + rest
		}
		var used []string
		for name, v := range values {
			if strings.Contains(expr, name) {
				used = append(used, `"`+name+`":`+v)
			}
		}
		set := func(pad int) error {
			_, err := b.do("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"K"}},"UpdateExpression":"%s","ConditionExpression":"attribute_exists(gone)","ExpressionAttributeValues":{%s}}`,
				expr, strings.Join(append(used, `":pad":{"S":"`+strings.Repeat("x", pad)+`"}`), ","))
			return err
		}
		most := maxItemSize - 3 - 19 - 1 - tt.want
		if err := set(most); err == nil || short(err) != "ConditionalCheckFailed: The conditional request failed" {
			t.Errorf("%s: got %v for what is accepted", tt.clause, err)
		}
		if err := set(most + 1); err == nil || short(err) != "Validation: Item size to update has exceeded the maximum allowed size" {
			t.Errorf("%s: got %v for what is too large", tt.clause, err)
		}
	}
}

// TestUpdateSizeElsewhere has updates that count as the item that they leave.
func TestUpdateSizeElsewhere(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	pad := func(n int) string { return `{"S":"` + strings.Repeat("x", n-4) + `"}` } // pk, K and b are 4 bytes
	const tooLarge = "Item size to update has exceeded the maximum allowed size"
	legacy := func(n int) string {
		return `{"TableName":"Things","Key":{"pk":{"S":"K"}},"AttributeUpdates":{"b":{"Value":` + pad(n) + `}}}`
	}
	b.must("UpdateItem", legacy(maxItemSize))
	b.wantError("UpdateItem", legacy(maxItemSize+1), "Validation: "+tooLarge)
	update := func(n int) string {
		return `{"TransactItems":[{"Update":{"TableName":"Things","Key":{"pk":{"S":"K"}},"UpdateExpression":"SET b = :b","ExpressionAttributeValues":{":b":` + pad(n) + `}}}]}`
	}
	b.must("TransactWriteItems", update(maxItemSize))
	_, err := b.do("TransactWriteItems", update(maxItemSize+1))
	if err == nil || !strings.HasPrefix(short(err), "TransactionCanceled") || !strings.HasSuffix(short(err), "[ValidationError]") {
		t.Errorf("got %v", err)
	}
	put := func(n int) string { return `{"Put":{"TableName":"Things","Item":{"pk":{"S":"K"},"b":` + pad(n) + `}}}` }
	b.must("TransactWriteItems", `{"TransactItems":[`+put(maxItemSize)+`]}`)
	b.wantError("TransactWriteItems", `{"TransactItems":[`+put(maxItemSize+1)+`]}`, "Validation: Item size has exceeded the maximum allowed size")
	batch := func(n int) string {
		return `{"RequestItems":{"Things":[{"PutRequest":{"Item":{"pk":{"S":"K"},"b":` + pad(n) + `}}}]}}`
	}
	b.must("BatchWriteItem", batch(maxItemSize))
	b.wantError("BatchWriteItem", batch(maxItemSize+1), "Validation: Item size has exceeded the maximum allowed size")
}
