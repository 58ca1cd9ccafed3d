package dynamodb

import (
	"fmt"
	"strings"
	"testing"
)

// TestShapes looks whether the table of shapes is what the validator takes it
// for.
func TestShapes(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	for name := range b.engine.service.Operations {
		if _, ok := inputs[name]; !ok {
			t.Errorf("%s has no shape: add it to gen_shapes.go and run go generate", name)
		}
	}
	for name, id := range inputs {
		if shapes[id].kind != structureShape {
			t.Errorf("the input of %s is no structure", name)
		}
	}
	for i, sh := range shapes {
		if len(sh.members) > 64 {
			t.Errorf("%s has %d members, inputCheck can tell 64 apart", sh.name, len(sh.members))
		}
		if sh.pattern != "" && sh.pattern != namePattern {
			t.Errorf("%s has the pattern %s, which is not checked", sh.name, sh.pattern)
		}
		if strings.Contains(sh.enum, ",") && !strings.Contains(sh.enum, ", ") || sh.hasMin && sh.hasMax && sh.min > sh.max {
			t.Errorf("%+v", sh)
		}
		if inside := max(int(sh.of), int(sh.key)); inside >= len(shapes) || inside == i && i > 0 {
			t.Errorf("%s is made of %d", sh.name, inside)
		}
	}
}

func TestConstraints(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	const thing = `"TableName":"Things","Key":{"pk":{"S":"a"}}`
	const one, at = "1 validation error detected: Value ", "' failed to satisfy constraint: Member must "
	long := strings.Repeat("n", 256)
	for _, tt := range []struct{ operation, members, want string }{
		{"PutItem", ``, one + "null at 'tableName" + at + "not be null"},
		{"PutItem", `"TableName":null,"Item":{}`, one + "null at 'tableName" + at + "not be null"},
		{"PutItem", `"TableName":"","Item":{},"ReturnValues":"SOME"`, one + "at 'TableName" + at + "have length greater than or equal to 1"},
		{"DeleteItem", `"TableName":"","Key":{}`, one + "at 'TableName" + at + "have length greater than or equal to 1"},
		{"UpdateItem", `"TableName":"","Key":{}`, one + "at 'TableName" + at + "have length greater than or equal to 1"},
		{"UpdateItem", `"TableName":"x!","Key":{}`, one + "'x!' at 'tableName" + at + "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{"UpdateItem", `"TableName":"","ReturnConsumedCapacity":"a","ReturnValues":"b"`, "4 validation errors detected: Value 'a' at 'returnConsumedCapacity" + at + "satisfy enum value set: [INDEXES, TOTAL, NONE]; " +
			"Value '' at 'tableName" + at + "have length greater than or equal to 1; Value 'b' at 'returnValues" + at + "satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; Value null at 'key" + at + "not be null"},
		{"UpdateItem", `"TableName":"Gone","Expected":{"a":{"Exists":false},"b":{"Exists":false}},"ConditionalOperator":"XOR"`, "2 validation errors detected: Value 'XOR' at 'conditionalOperator" + at + "satisfy enum value set: [OR, AND]; Value null at 'key" + at + "not be null"},
		{"UpdateItem", thing + `,"ReturnValues":"a","ReturnConsumedCapacity":"b"`, envelope + unknownReturn},
		{"UpdateItem", thing + `,"ConditionalOperator":"XOR"`, envelope + unknownOperator},
		{"DeleteItem", thing + `,"ReturnValues":"a","ReturnConsumedCapacity":"b"`, "2 validation errors detected: Value 'b' at 'returnConsumedCapacity" + at + "satisfy enum value set: [INDEXES, TOTAL, NONE]; " + unknownReturn},
		{"PutItem", `"TableName":"Things","Item":{},"ReturnValues":"a","ReturnConsumedCapacity":"b","ReturnItemCollectionMetrics":"c"`, "3 validation errors detected: Value 'b' at 'returnConsumedCapacity" + at +
			"satisfy enum value set: [INDEXES, TOTAL, NONE]; " + unknownReturn + "; Value 'c' at 'returnItemCollectionMetrics" + at + "satisfy enum value set: [SIZE, NONE]"},
		{"Query", `"TableName":"Gone","ConditionalOperator":"XOR","Select":"BOGUS"`, unknownOperator},
		{"PutItem", `"TableName":"x!","Item":{}`, one + "'x!' at 'tableName" + at + "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{"PutItem", `"TableName":"` + long + `","Item":{}`, one + "'" + long + "' at 'tableName" + at + "have length less than or equal to 255"},
		{"PutItem", `"TableName":"Things"`, one + "null at 'item" + at + "not be null"},
		{"PutItem", `"TableName":"Things","ReturnValues":"a","ReturnConsumedCapacity":"b","ReturnItemCollectionMetrics":"c","ConditionalOperator":"d","ReturnValuesOnConditionCheckFailure":"e"`,
			"6 validation errors detected: Value 'b' at 'returnConsumedCapacity" + at + "satisfy enum value set: [INDEXES, TOTAL, NONE]; Value null at 'item" + at + "not be null; " +
				"Value 'd' at 'conditionalOperator" + at + "satisfy enum value set: [OR, AND]; Value 'a' at 'returnValues" + at + "satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; " +
				"Value 'c' at 'returnItemCollectionMetrics" + at + "satisfy enum value set: [SIZE, NONE]; Value 'e' at 'returnValuesOnConditionCheckFailure" + at + "satisfy enum value set: [ALL_OLD, NONE]"},
		{"DeleteItem", thing + `,"Expected":{"x":{"ComparisonOperator":"eq"}}`, one + "'eq' at 'expected.x.member.comparisonOperator" + at +
			"satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"},
		{"UpdateItem", thing + `,"AttributeUpdates":{"x":{"Action":"SET"}}`, one + "'SET' at 'attributeUpdates.x.member.action" + at + "satisfy enum value set: [ADD, DELETE, PUT]"},
		{"GetItem", thing + `,"AttributesToGet":[]`, one + "'[]' at 'attributesToGet" + at + "have length greater than or equal to 1"},
		{"Scan", `"TableName":"Things","ScanFilter":{"x":{}}`, one + "null at 'scanFilter.x.member.comparisonOperator" + at + "not be null"},
		{"Scan", `"TableName":"Things","Limit":0.9,"IndexName":"a!","Segment":-1,"TotalSegments":1000001`, "5 validation errors detected: " +
			"Value 'a!' at 'indexName" + at + "satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value 'a!' at 'indexName" + at + "have length greater than or equal to 3; " +
			"Value '1000001' at 'totalSegments" + at + "have value less than or equal to 1000000; Value '-1' at 'segment" + at + "have value greater than or equal to 0; " +
			"Value '0.9' at 'limit" + at + "have value greater than or equal to 1"},
		{"Query", `"TableName":"Things","Select":"x","Limit":0`, "2 validation errors detected: Value 'x' at 'select" + at + "satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]; " +
			"Value at 'Limit" + at + "have value greater than or equal to 1"},
		{"CreateTable", `"TableName":"ab","KeySchema":[],"AttributeDefinitions":[]`, one + "'ab' at 'tableName" + at + "have length greater than or equal to 3"},
		{"CreateTable", `"TableName":"abc","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"},{"AttributeName":"c"}],"AttributeDefinitions":[]`,
			"2 validation errors detected: Value '[KeySchemaElement(attributeName=a, keyType=HASH), KeySchemaElement(attributeName=b, keyType=RANGE), KeySchemaElement(attributeName=c, keyType=null)]' at 'keySchema" + at +
				"have length less than or equal to 2; Value null at 'keySchema.3.member.keyType" + at + "not be null"},
		{"CreateTable", `"TableName":"abc","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"AttributeDefinitions":[],"GlobalSecondaryIndexes":[{"IndexName":"xy","KeySchema":[],"Projection":{"ProjectionType":"SOME","NonKeyAttributes":[]}}]`,
			"4 validation errors detected: Value 'xy' at 'globalSecondaryIndexes.1.member.indexName" + at + "have length greater than or equal to 3; Value '[]' at 'globalSecondaryIndexes.1.member.keySchema" + at + "have length greater than or equal to 1; " +
				"Value 'SOME' at 'globalSecondaryIndexes.1.member.projection.projectionType" + at + "satisfy enum value set: [ALL, INCLUDE, KEYS_ONLY]; Value '[]' at 'globalSecondaryIndexes.1.member.projection.nonKeyAttributes" + at + "have length greater than or equal to 1"},
		{"CreateTable", `"TableName":"abc","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"AttributeDefinitions":[],"LocalSecondaryIndexes":[{"IndexName":"aa","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{}}],
			"GlobalSecondaryIndexes":[{"IndexName":"zz","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{}}]`,
			"2 validation errors detected: Value 'zz' at 'globalSecondaryIndexes.1.member.indexName" + at + "have length greater than or equal to 3; Value 'aa' at 'localSecondaryIndexes.1.member.indexName" + at + "have length greater than or equal to 3"},
		{"ListTables", `"Limit":101`, one + "'101' at 'limit" + at + "have value less than or equal to 100"},
		{"UpdateTimeToLive", `"TableName":"Things","TimeToLiveSpecification":{}`, "2 validation errors detected: Value null at 'timeToLiveSpecification.enabled" + at + "not be null; Value null at 'timeToLiveSpecification.attributeName" + at + "not be null"},
		// A wrong type counts before all that, and wherever it is.
		{"PutItem", `"TableName":"x!","Item":{"a":{"N":"?"},"b":{"L":[{"S":1}]}}`, "NUMBER_VALUE cannot be converted to String"},
		{"PutItem", `"TableName":"Things","Item":{"a":{"N":"?"},"b":{"SS":"x"}}`, "Unexpected field type"},
		{"PutItem", `"TableName":"Things","Item":{"a":{"BOOL":1.5}}`, "DECIMAL_VALUE cannot be converted to Boolean"},
		{"PutItem", `"TableName":"Things","Item":{"a":{"B":true}}`, "only base-64-encoded strings are convertible to bytes"},
		{"PutItem", `"TableName":"Things","Item":{"a":[]}`, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"},
		{"PutItem", `"TableName":"Things","Item":"a"`, "Unexpected field type"},
		{"UpdateItem", thing + `,"Expected":{"x":[]}`, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue"},
		{"BatchWriteItem", `"RequestItems":{"Things":"a"}`, nestedType},
		{"BatchWriteItem", `"RequestItems":[]`, "Unrecognized collection type java.util.Map<java.lang.String, java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>"},
		{"BatchGetItem", `"RequestItems":{"Things":{"Keys":[7]}}`, nestedType},
		{"GetItem", thing + `,"ExpressionAttributeNames":[]`, "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>"},
		{"CreateTable", `"TableName":"abc","ProvisionedThroughput":{"ReadCapacityUnits":"5"}`, "STRING_VALUE cannot be converted to Long"},
		{"CreateTable", `"TableName":"abc","ProvisionedThroughput":{"ReadCapacityUnits":99999999999999999999}`, "NUMBER_VALUE cannot be converted to Long"},
	} {
		kind := "Validation: "
		if !strings.Contains(tt.want, "constraint") {
			kind = "Serialization: "
		}
		b.wantError(tt.operation, "{"+tt.members+"}", kind+tt.want)
	}
	b.must("Scan", `{"TableName":"Things","Limit":2.7,"ConsistentRead":"yes"}`) // as generous as the original
}

// TestManyViolations shows no more than ten of them, and not all of a long value.
func TestManyViolations(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	element := `{"AttributeName":"a","AttributeType":"X"},`
	_, err := b.do("CreateTable", `{"TableName":"abc","KeySchema":[],"AttributeDefinitions":[%s]}`, strings.TrimSuffix(strings.Repeat(element, 20), ","))
	if want := "Validation: 10 validation errors detected: "; err == nil || !strings.HasPrefix(short(err), want) || strings.Count(short(err), "Member must") != 10 {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = b.do("BatchWriteItem", `{"RequestItems":{"Things":[%s]}}`, strings.TrimSuffix(strings.Repeat("{},", 100_000), ","))
	if err == nil || len(err.Error()) > maxShown+1000 {
		t.Errorf("got an error of %d bytes", len(fmt.Sprint(err)))
	}
}

// TestNamesInOtherCase has members that are none, which encoding/json would take
// for some.
func TestNamesInOtherCase(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", strings.Replace(fmt.Sprintf(hashTable, "Things", "S"), "{", `{"keyschema":null,"tablename":7,`, 1))
	b.want("ListTables", `{"limit":"x","Limit":1,"Limit":null,"Other":[{"a":null}]}`, `{"TableNames":["Things"]}`)
	b.must("UpdateTimeToLive", `{"TableName":"Things","TimeToLiveSpecification":{"AttributeName":"t","Enabled":true,"enabled":null},"timeToLiveSpecification":null}`)
}
