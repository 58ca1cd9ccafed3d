package dynamodb

import (
	"fmt"
	"strings"
	"testing"
)

// TestImpossibleStart begins behind what no index can hold: that is an error, and
// not the beginning.
func TestImpossibleStart(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", indexedTable)
		b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"},"o":{"N":"1"}}}`)
		const query = `"KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"g"}},`
		const empty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: g"
		for value, want := range map[string]string{
			"":                                 empty,
			strings.Repeat("x", maxHashSize+1): "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
		} {
			start := fmt.Sprintf(`"ExclusiveStartKey":{"pk":{"S":"p"},"sk":{"N":"1"},"o":{"N":"1"},"g":{"S":"%s"}}}`, value)
			b.wantError("Scan", `{"TableName":"Indexed","IndexName":"all",`+start, "Validation: The provided starting key is invalid: "+want)
			b.wantError("Query", `{"TableName":"Indexed","IndexName":"all",`+query+start, "Validation: The provided starting key is invalid: "+want)
		}
		b.want("Scan", `{"TableName":"Indexed","IndexName":"all","ExclusiveStartKey":{"pk":{"S":"p"},"sk":{"N":"1"},"o":{"N":"1"},"g":{"S":"g"}}}`,
			`{"Items":[],"Count":0,"ScannedCount":0}`)
	})
}
