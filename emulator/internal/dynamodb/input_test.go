package dynamodb

import (
	"fmt"
	"strings"
	"testing"
)

const (
	emptyName = "Empty attribute name"
	longName  = "Attribute name is too large, must be less than 65536 bytes"
)

// TestNames has names that no attribute can have, wherever a request can have
// one. In the last ones, characters are fewer than bytes.
func TestNames(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}}}`)
	const thing = `"TableName":"Things","Key":{"pk":{"S":"a"}}`
	const named = `,"ExpressionAttributeNames":{"#a":"NAME"}`
	const valued = named + `,"ExpressionAttributeValues":{":v":{"S":"x"}}`
	for _, name := range []string{"", strings.Repeat("n", 65536), strings.Repeat("ä", 40_000)} {
		what, forPlaceholder := longName, longName
		if name == "" {
			what, forPlaceholder = emptyName, "ExpressionAttributeNames contains invalid value: "+emptyName+" for key #a"
		}
		oldForPlaceholder := "ExpressionAttributeNames contains invalid value: " + what + " for key #a"
		for _, tt := range []struct{ operation, members, want string }{
			{"PutItem", `"TableName":"Things","Item":{"pk":{"S":"a"},"NAME":{"S":"x"}}`, envelope + what},
			{"PutItem", `"TableName":"Things","Item":{"pk":{"S":"a"},"m":{"M":{"NAME":{"S":"x"}}}}`, envelope + what},
			{"PutItem", `"TableName":"Things","Item":{"pk":{"S":"a"}},"Expected":{"NAME":{"Exists":false}}`, envelope + what},
			{"PutItem", `"TableName":"Things","Item":{"pk":{"S":"a"}},"ConditionExpression":"#a <> :v"` + valued, envelope + forPlaceholder},
			{"UpdateItem", thing + `,"AttributeUpdates":{"NAME":{"Value":{"S":"x"}}}`, envelope + what},
			{"UpdateItem", thing + `,"AttributeUpdates":{"NAME":{"Action":"DELETE"}}`, envelope + what},
			{"UpdateItem", thing + `,"AttributeUpdates":{"m":{"Value":{"M":{"NAME":{"S":"x"}}}}}`, envelope + what},
			{"UpdateItem", thing + `,"UpdateExpression":"SET #a = :v"` + valued, envelope + forPlaceholder},
			{"UpdateItem", thing + `,"UpdateExpression":"SET m.#a = :v"` + valued, envelope + forPlaceholder},
			{"UpdateItem", thing + `,"UpdateExpression":"REMOVE #a"` + named, envelope + forPlaceholder},
			{"UpdateItem", thing + `,"UpdateExpression":"SET a = :v","ExpressionAttributeValues":{":v":{"M":{"NAME":{"S":"x"}}}}`, envelope + what},
			{"DeleteItem", thing + `,"ConditionExpression":"#a <> :v"` + valued, envelope + forPlaceholder},
			{"GetItem", thing + `,"ProjectionExpression":"#a"` + named, forPlaceholder},
			{"GetItem", thing + `,"AttributesToGet":["NAME"]`, what},
			{"BatchGetItem", `"RequestItems":{"Things":{"Keys":[{"pk":{"S":"a"}}],"AttributesToGet":["NAME"]}}`, what},
			{"Query", `"TableName":"Things","KeyConditions":{"NAME":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}}`, what},
			{"Query", `"TableName":"Things","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}},"QueryFilter":{"NAME":{"ComparisonOperator":"NULL"}}`, what},
			{"Scan", `"TableName":"Things","ScanFilter":{"NAME":{"ComparisonOperator":"NULL"}}`, what},
			{"Scan", `"TableName":"Things","FilterExpression":"#a <> :v"` + valued, oldForPlaceholder},
			{"BatchWriteItem", `"RequestItems":{"Things":[{"PutRequest":{"Item":{"pk":{"S":"a"},"NAME":{"S":"x"}}}}]}`, what},
			{"TransactWriteItems", `"TransactItems":[{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"},"NAME":{"S":"x"}}}}]`, what},
			{"TransactWriteItems", `"TransactItems":[{"Update":{` + thing + `,"UpdateExpression":"SET #a = :v"` + valued + `}}]`, oldForPlaceholder},
		} {
			b.wantError(tt.operation, `{`+strings.Replace(tt.members, "NAME", name, 1)+`}`, "Validation: "+tt.want)
		}
	}
	b.want("GetItem", `{`+thing+`}`, `{"Item":{"pk":{"S":"a"}}}`)
}

// TestLongestName has names as long as they may be, by either way to write them.
func TestLongestName(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	for i, name := range []string{strings.Repeat("n", 65535), strings.Repeat("ä", 32767)} {
		key := fmt.Sprintf(`"TableName":"Things","Key":{"pk":{"S":"%d"}}`, i)
		named := `,"ExpressionAttributeNames":{"#a":"` + name + `"}`
		b.must("UpdateItem", `{`+key+`,"AttributeUpdates":{"`+name+`":{"Value":{"M":{}}}}}`)
		b.must("UpdateItem", `{`+key+`,"UpdateExpression":"SET #a.#a = :v","ConditionExpression":"attribute_exists(#a)"`+named+`,"ExpressionAttributeValues":{":v":{"S":"x"}}}`)
		b.want("GetItem", `{`+key+`,"ProjectionExpression":"#a.#a"`+named+`}`, `{"Item":{"`+name+`":{"M":{"`+name+`":{"S":"x"}}}}}`)
		b.must("DeleteItem", `{`+key+`,"Expected":{"`+name+`":{"Exists":true,"Value":{"M":{"`+name+`":{"S":"x"}}}}}}`)
	}
}

// TestMembersTwice has members that stand in a request twice: the last counts,
// as if there were no other, also if it is null.
func TestMembersTwice(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	const item = `{"Item":{"pk":{"S":"a"}}}`
	b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}}}`)
	const thing = `"TableName":"Things","Item":{"pk":{"S":"a"}}`
	for _, tt := range []struct{ operation, input, want string }{
		{"ListTables", `{"Limit":0,"Limit":null}`, `{"TableNames":["Things"]}`},
		{"ListTables", `{"Limit":0,"Limit":1}`, `{"TableNames":["Things"]}`},
		{"Scan", `{"TableName":"Things","Segment":-1,"Segment":null,"TotalSegments":0,"TotalSegments":null}`, `{"Items":[{"pk":{"S":"a"}}],"Count":1,"ScannedCount":1}`},
		{"GetItem", `{"TableName":"Gone","TableName":"Things","Key":{"pk":{"S":"a"}}}`, item},
		{"GetItem", `{"TableName":"Things","Key":{"pk":{"S":"b"}},"Key":{"pk":{"S":"a"}}}`, item},
		{"GetItem", `{"TableName":"Things","Key":{"pk":{"S":"b"},"pk":{"S":"a"}}}`, item},
		{"GetItem", `{"TableName":"Things","Key":{"pk":{"SS":[]}},"Key":{"pk":{"S":"a"}}}`, item},
		{"PutItem", `{` + thing + `,"ReturnValues":"bad","ReturnValues":null}`, `{}`},
		{"PutItem", `{` + thing + `,"ReturnValues":"bad","ReturnValues":"ALL_OLD"}`, `{"Attributes":{"pk":{"S":"a"}}}`},
		{"PutItem", `{` + thing + `,"ReturnValues":"ALL_OLD","ReturnValues":null}`, `{}`},
		{"PutItem", `{` + thing + `,"Expected":{"pk":{"ComparisonOperator":"bad"},"pk":{"ComparisonOperator":"NOT_NULL"}}}`, `{}`},
		{"PutItem", `{` + thing + `,"Expected":{"pk":{"ComparisonOperator":"NULL"},"pk":{"ComparisonOperator":"NOT_NULL"}}}`, `{}`},
		{"PutItem", `{` + thing + `,"Expected":{"pk":{"ComparisonOperator":"bad"}},"Expected":null}`, `{}`},
		{"BatchGetItem", `{"RequestItems":{"Things":{"Keys":[{"pk":{"S":"b"}}]},"Things":{"Keys":[{"pk":{"S":"a"}}]}}}`, `{"Responses":{"Things":[{"pk":{"S":"a"}}]},"UnprocessedKeys":{}}`},
		{"BatchGetItem", `{"RequestItems":{"Things":{"Keys":[],"Keys":[{"pk":{"S":"a"}}]}}}`, `{"Responses":{"Things":[{"pk":{"S":"a"}}]},"UnprocessedKeys":{}}`},
		{"TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"Things","Key":{"pk":{"S":"b"}}},"Get":{"TableName":"Things","Key":{"pk":{"S":"a"}}}}]}`, `{"Responses":[` + item + `]}`},
		{"UpdateTimeToLive", `{"TableName":"Things","TimeToLiveSpecification":{"AttributeName":"","Enabled":false},"TimeToLiveSpecification":{"AttributeName":"t","Enabled":true}}`,
			`{"TimeToLiveSpecification":{"AttributeName":"t","Enabled":true}}`},
		{"ListStreams", `{"Limit":0,"Limit":null}`, `{"Streams":[]}`},
	} {
		b.want(tt.operation, tt.input, tt.want)
	}
	const one, at = "1 validation error detected: Value ", "' failed to satisfy constraint: Member must "
	for _, tt := range []struct{ operation, input, want string }{
		{"ListTables", `{"Limit":1,"Limit":0}`, "Validation: " + one + "'0' at 'limit" + at + "have value greater than or equal to 1"},
		{"GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"Key":null}`, "Validation: " + one + "null at 'key" + at + "not be null"},
		{"Scan", `{"TableName":"Things","Limit":1,"Limit":0}`, "Validation: " + one + "'0' at 'limit" + at + "have value greater than or equal to 1"},
		{"Scan", `{"TableName":"Things","ScanFilter":{"a":{"ComparisonOperator":"NULL","ComparisonOperator":null}}}`, "Validation: " + one + "null at 'scanFilter.a.member.comparisonOperator" + at + "not be null"},
		// What nothing of is merged into another is not there.
		{"CreateTable", `{"TableName":"Other","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
			"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":7},"ProvisionedThroughput":{"WriteCapacityUnits":7}}`,
			"Validation: " + one + "null at 'provisionedThroughput.readCapacityUnits" + at + "not be null"},
		// A wrong type counts wherever it is.
		{"ListTables", `{"Limit":"x","Limit":1}`, "Serialization: STRING_VALUE cannot be converted to Integer"},
	} {
		b.wantError(tt.operation, tt.input, tt.want)
	}
}

// TestMembersOfOthers sends members that other operations have: they do not
// count, whatever they are.
func TestMembersOfOthers(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	for _, key := range []string{"1", "2"} {
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%s"}}}`, key)
	}
	const first, second = `"TableName":"Things","Key":{"pk":{"S":"1"}}`, `"TableName":"Things","Key":{"pk":{"S":"2"}}`
	const one = `{"Item":{"pk":{"S":"1"}}}`
	for _, tt := range []struct{ operation, input, want string }{
		{"GetItem", `{` + first + `,"ExpressionAttributeValues":{":v":{"S":"x"}},"Limit":"x","Item":7,"KeyConditionExpression":[],"Expected":""}`, one},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"1"}},"Key":{"pk":7},"AttributeUpdates":7}`, `{}`},
		{"DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"3"}},"Item":{"pk":{"S":"1"}},"UpdateExpression":7}`, `{}`},
		{"Scan", `{"TableName":"Things","Select":"COUNT","KeyConditionExpression":7,"ScanIndexForward":"x","KeyConditions":7,"ScanFilter":{"gone":{"ComparisonOperator":"NULL","Exists":"x","Value":7}}}`,
			`{"Count":2,"ScannedCount":2}`},
		{"Query", `{"TableName":"Things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"1"}},"Segment":3,"TotalSegments":"x"}`, `{"Items":[{"pk":{"S":"1"}}],"Count":1,"ScannedCount":1}`},
		{"BatchWriteItem", `{"RequestItems":{"Things":[{"PutRequest":{"Item":{"pk":{"S":"1"}},"Key":{"pk":7}}}]}}`, `{"UnprocessedItems":{}}`},
		{"BatchGetItem", `{"RequestItems":{"Things":{"Keys":[{"pk":{"S":"1"}}],"ExpressionAttributeValues":{":v":{"S":"x"}},"Limit":"x"}}}`, `{"Responses":{"Things":[{"pk":{"S":"1"}}]},"UnprocessedKeys":{}}`},
		{"TransactGetItems", `{"TransactItems":[{"Get":{` + first + `,"ConsistentRead":"maybe","AttributesToGet":["a","a"],"Item":7}}]}`, `{"Responses":[` + one + `]}`},
		{"TransactWriteItems", `{"TransactItems":[{"Update":{` + second + `,"Item":{"pk":{"S":"3"}},"UpdateExpression":"SET x = :v","ExpressionAttributeValues":{":v":{"S":"x"}}}}]}`, `{}`},
		{"GetItem", `{` + second + `}`, `{"Item":{"pk":{"S":"2"},"x":{"S":"x"}}}`},
		{"TransactWriteItems", `{"TransactItems":[{"Delete":{` + second + `,"Item":{"pk":{"S":"1"}}}}]}`, `{}`},
		{"GetItem", `{` + second + `}`, `{}`},
		{"GetItem", `{` + first + `}`, one},
	} {
		b.want(tt.operation, tt.input, tt.want)
	}
}
