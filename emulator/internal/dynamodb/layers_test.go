package dynamodb

import (
	"strings"
	"testing"
)

// surfaces are the places of requests in which a client may put a value, with
// VALUE for it; "newer" and "older" are the ways in which what is wrong with it
// is told, "enveloped" and "wrapped" what that is put into.
var surfaces = []struct{ way, operation, input string }{
	{"newer enveloped", "PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":VALUE}}`},
	{"newer enveloped", "PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"M":{"y":{"L":[VALUE]}}}}}`},
	{"newer enveloped", "PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}},"ConditionExpression":"x = :v","ExpressionAttributeValues":{":v":VALUE}}`},
	{"newer enveloped", "PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}},"Expected":{"x":{"Value":VALUE}}}`},
	{"newer enveloped", "UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET x = :v","ExpressionAttributeValues":{":v":VALUE}}`},
	{"newer enveloped", "UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"AttributeUpdates":{"x":{"Value":VALUE}}}`},
	{"newer enveloped", "UpdateItem", `{"TableName":"Things","Key":{"pk":VALUE},"UpdateExpression":"REMOVE x"}`},
	{"newer enveloped", "DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ConditionExpression":"x = :v","ExpressionAttributeValues":{":v":VALUE}}`},
	{"newer enveloped", "DeleteItem", `{"TableName":"Things","Key":{"pk":VALUE}}`},
	{"newer", "GetItem", `{"TableName":"Things","Key":{"pk":VALUE}}`},
	{"newer", "BatchGetItem", `{"RequestItems":{"Things":{"Keys":[{"pk":VALUE}]}}}`},
	{"newer", "Query", `{"TableName":"Things","KeyConditionExpression":"pk = :v","ExpressionAttributeValues":{":v":VALUE}}`},
	{"newer", "Query", `{"TableName":"Things","KeyConditionExpression":"pk = :p","FilterExpression":"x = :v","ExpressionAttributeValues":{":p":{"S":"a"},":v":VALUE}}`},
	{"newer", "Query", `{"TableName":"Things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}},"ExclusiveStartKey":{"pk":VALUE}}`},
	{"newer", "Query", `{"TableName":"Things","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}},"QueryFilter":{"x":{"ComparisonOperator":"EQ","AttributeValueList":[VALUE]}}}`},
	{"older wrapped", "Scan", `{"TableName":"Things","FilterExpression":"x = :v","ExpressionAttributeValues":{":v":VALUE}}`},
	{"older", "BatchWriteItem", `{"RequestItems":{"Things":[{"PutRequest":{"Item":{"pk":{"S":"a"},"x":VALUE}}}]}}`},
	{"older", "BatchWriteItem", `{"RequestItems":{"Things":[{"DeleteRequest":{"Key":{"pk":VALUE}}}]}}`},
	{"older", "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"Things","Key":{"pk":VALUE}}}]}`},
	{"older", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"},"x":VALUE}}}]}`},
	{"older", "TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"Things","Key":{"pk":VALUE}}}]}`},
	{"older wrapped", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"}},"ConditionExpression":"x = :v","ExpressionAttributeValues":{":v":VALUE}}}]}`},
	{"older wrapped", "TransactWriteItems", `{"TransactItems":[{"Update":{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET x = :v","ExpressionAttributeValues":{":v":VALUE}}}]}`},
	{"older wrapped", "TransactWriteItems", `{"TransactItems":[{"ConditionCheck":{"TableName":"Things","Key":{"pk":{"S":"a"}},"ConditionExpression":"x = :v","ExpressionAttributeValues":{":v":VALUE}}}]}`},
}

func TestInvalidValues(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	const (
		numeric   = "The parameter cannot be converted to a numeric value"
		overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
		digits    = "Attempting to store more than 38 significant digits in a Number"
		invalid   = "One or more parameter values were invalid: "
	)
	for _, tt := range []struct{ value, newer, older string }{
		{`{"N":"abc"}`, numeric + ": abc", numeric + ": abc"},
		{`{"N":" 1"}`, numeric + ":  1", numeric + ":  1"},
		{`{"N":""}`, numeric + ": ", numeric},
		{`{"NS":["1",""]}`, numeric + ": ", numeric},
		{`{"N":"1e126"}`, overflow, overflow},
		{`{"N":"0e126"}`, overflow, overflow},
		{`{"N":"1e-131"}`, underflow, underflow},
		{`{"N":"-1e2147483647"}`, overflow, underflow},
		{`{"NS":["1e2147483647"]}`, overflow, underflow},
		{`{"N":"1e99999999999"}`, overflow, numeric + ": 1e99999999999"},
		{`{"N":"` + strings.Repeat("7", 39) + `"}`, digits, digits},
		{`{"SS":["b","a","b"]}`, invalid + `Input collection ["a", "b", "b"] contains duplicates.`, invalid + "Input collection [b, a, b] contains duplicates."},
		{`{"SS":["c","b","b","a"]}`, invalid + `Input collection ["b", "c", "b", "a"] contains duplicates.`, invalid + "Input collection [c, b, b, a] contains duplicates."},
		{`{"SS":["",""]}`, invalid + `Input collection ["", ""] contains duplicates.`, invalid + "Input collection [, ] contains duplicates."},
		{`{"BS":["/w==","AA==","AA=="]}`, invalid + `Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.`, invalid + "Input collection [/w==, AA==, AA==]of type BS contains duplicates."},
		{`{"NS":["2","1","2"]}`, invalid + "Input collection contains duplicates.", "Input collection contains duplicates"},
	} {
		for _, at := range surfaces {
			want := tt.newer
			switch at.way {
			case "newer enveloped":
				want = envelope + tt.newer
			case "older":
				want = tt.older
			case "older wrapped":
				want = "ExpressionAttributeValues contains invalid value: " + tt.older + " for key :v"
			}
			b.wantError(at.operation, strings.Replace(at.input, "VALUE", tt.value, 1), "Validation: "+want)
		}
	}
	b.want("Scan", `{"TableName":"Things","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`) // nothing was written
}

// TestDeepRequests has requests that nest so deep that writes of one item are
// checked the older way.
func TestDeepRequests(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	maps := func(depth int) string {
		return strings.Repeat(`{"M":{"n":`, depth) + `{"S":"leaf"}` + strings.Repeat(`}}`, depth)
	}
	const (
		one    = "1 validation error detected: Value "
		nested = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
		xor    = `"Expected":{"a":{"Value":VALUE},"b":{"Exists":false}},"ConditionalOperator":"XOR"`
		deeper = `"ConditionExpression":"#d = :deep","ExpressionAttributeNames":{"#d":"d"},"ExpressionAttributeValues":{":deep":VALUE}`
		enum   = "' failed to satisfy constraint: Member must satisfy enum value set: "
		older  = one + "'BOGUS' at 'returnValues" + enum + "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
	)
	for _, tt := range []struct {
		operation, members string
		depth              int
		want               string
	}{
		{"PutItem", `"Item":{"pk":{"S":"a"}},` + xor, 100, one + "'XOR' at 'conditionalOperator" + enum + "[OR, AND]"},
		{"PutItem", `"Item":{"pk":{"S":"a"}},` + xor, 40, envelope + unknownOperator},
		{"UpdateItem", `"Key":{"pk":{"S":"a"}},"AttributeUpdates":{"x":{"Value":{"S":"1"}}},` + xor, 100, one + "'XOR' at 'conditionalOperator" + enum + "[OR, AND]"},
		{"DeleteItem", `"Key":{"pk":{"S":"a"}},"ReturnValues":"BOGUS",` + deeper, 63, older},
		{"DeleteItem", `"Key":{"pk":{"S":"a"}},"ReturnValues":"BOGUS",` + deeper, 40, envelope + unknownReturn},
		{"DeleteItem", `"Key":{"pk":{"S":"a"}},"ReturnValues":"BOGUS","Expected":{"d":{"Value":VALUE}}`, 63, older},
		{"DeleteItem", `"Key":{"pk":VALUE},"ReturnValues":"BOGUS"`, 100, older},
		{"DeleteItem", `"Key":{"pk":{"S":"a"}},"ReturnValues":"UPDATED_NEW",` + deeper, 100, "ReturnValues can only be ALL_OLD or NONE"},
		{"UpdateItem", `"Key":{"pk":{"S":"a"}},"UpdateExpression":"SET t = :deep","ExpressionAttributeValues":{":deep":VALUE}`, 32, envelope + nested},
		{"PutItem", `"Item":{"pk":{"S":"a"},"d":VALUE}`, 33, envelope + nested},
		{"PutItem", `"Item":{"pk":{"S":"a"},"d":VALUE}`, 61, envelope + nested},
		{"PutItem", `"Item":{"pk":{"S":"a"},"d":VALUE}`, 63, nested},
		{"UpdateItem", `"Key":{"pk":{"S":"a"}},"UpdateExpression":"SET t = :deep","ExpressionAttributeValues":{":deep":VALUE}`, 63, "ExpressionAttributeValues contains invalid value: " + nested + " for key :deep"},
		{"Scan", `"ScanFilter":{"a":{"ComparisonOperator":"EQ","AttributeValueList":[VALUE]}},"ConditionalOperator":"AND"`, 40, nested},
	} {
		b.wantError(tt.operation, `{"TableName":"Gone",`+strings.Replace(tt.members, "VALUE", maps(tt.depth), 1)+`}`, "Validation: "+tt.want)
	}
}
