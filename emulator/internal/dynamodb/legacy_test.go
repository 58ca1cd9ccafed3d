package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const legacyItem = `{"pk":{"S":"a"},"s":{"S":"hello"},"n":{"N":"5"},"b":{"B":"AQID"},"t":{"BOOL":true},"ns":{"NS":["1","2"]},"l":{"L":[{"S":"x"},{"N":"7"}]},"m":{"M":{"k":{"S":"v"}}}}`

func TestExpected(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("PutItem", `{"TableName":"Things","Item":`+legacyItem+`}`)
	for _, tt := range []struct {
		name, op, values string
		want             bool
	}{
		{"s", "EQ", `{"S":"hello"}`, true}, {"s", "EQ", `{"S":"x"}`, false}, {"s", "EQ", `{"N":"1"}`, false}, {"gone", "EQ", `{"S":"x"}`, false},
		{"ns", "EQ", `{"NS":["2","1"]}`, true}, {"t", "EQ", `{"BOOL":true}`, true}, {"m", "EQ", `{"M":{"k":{"S":"v"}}}`, true},
		{"n", "NE", `{"N":"5.0"}`, false}, {"n", "NE", `{"S":"5"}`, true}, {"gone", "NE", `{"N":"5"}`, true}, {"l", "NE", `{"L":[]}`, true},
		{"n", "LE", `{"N":"5"}`, true}, {"n", "LT", `{"N":"5"}`, false}, {"n", "GE", `{"N":"5"}`, true}, {"n", "GT", `{"N":"4"}`, true}, {"n", "GT", `{"S":"4"}`, false}, {"b", "LT", `{"B":"/w=="}`, true},
		{"s", "NOT_NULL", ``, true}, {"gone", "NOT_NULL", ``, false}, {"s", "NULL", ``, false}, {"gone", "NULL", ``, true},
		{"s", "CONTAINS", `{"S":"ell"}`, true}, {"ns", "CONTAINS", `{"N":"2"}`, true}, {"l", "CONTAINS", `{"N":"7"}`, true}, {"b", "CONTAINS", `{"B":"Ag=="}`, true}, {"s", "CONTAINS", `{"N":"1"}`, false}, {"gone", "CONTAINS", `{"N":"1"}`, false},
		{"s", "NOT_CONTAINS", `{"S":"x"}`, true}, {"s", "NOT_CONTAINS", `{"S":"ell"}`, false}, {"ns", "NOT_CONTAINS", `{"N":"3"}`, true}, {"s", "NOT_CONTAINS", `{"N":"1"}`, true}, {"gone", "NOT_CONTAINS", `{"N":"1"}`, false},
		{"s", "BEGINS_WITH", `{"S":"he"}`, true}, {"b", "BEGINS_WITH", `{"B":"AQ=="}`, true}, {"n", "BEGINS_WITH", `{"S":"5"}`, false},
		{"n", "IN", `{"N":"4"},{"N":"5"}`, true}, {"n", "IN", `{"N":"4"}`, false}, {"gone", "IN", `{"N":"4"}`, false},
		{"n", "BETWEEN", `{"N":"4"},{"N":"5"}`, true}, {"n", "BETWEEN", `{"N":"6"},{"N":"7"}`, false}, {"gone", "BETWEEN", `{"N":"6"},{"N":"7"}`, false}, {"s", "BETWEEN", `{"S":"a"},{"S":"z"}`, true},
	} {
		t.Run(fmt.Sprintf("%s %s %s", tt.name, tt.op, tt.values), func(t *testing.T) {
			t.Parallel()
			out, err := b.do("DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"gone"}},"Expected":{"pk":{"ComparisonOperator":"NOT_NULL"}}}`)
			if err == nil {
				t.Fatalf("a condition on a missing item holds: %s", out)
			}
			_, err = b.do("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"Expected":{"%s":{"ComparisonOperator":"%s","AttributeValueList":[%s]}}}`, tt.name, tt.op, tt.values)
			if got := err == nil; got != tt.want {
				t.Errorf("got %v (%v), want %v", got, err, tt.want)
			}
			if err != nil && short(err) != "ConditionalCheckFailed: The conditional request failed" {
				t.Error(err)
			}
			scanned := decodeJSON(t, b.must("Scan", `{"TableName":"Things","ScanFilter":{"%s":{"ComparisonOperator":"%s","AttributeValueList":[%s]}}}`, tt.name, tt.op, tt.values))
			if got := scanned["Count"] == 1.0; got != tt.want {
				t.Errorf("as ScanFilter: got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestManyConditions has more conditions than could call each other: they are
// one operator's operands, whatever their number.
func TestManyConditions(t *testing.T) {
	t.Parallel()
	const many = 100_000
	for _, operator := range []string{"", "AND", "OR"} {
		l := legacy{operator: operator}
		for i := range many {
			l.expected = append(l.expected, legacyCondition{name: fmt.Sprint("a", i), op: []string{"NOT_NULL", "NULL"}[i%2]})
		}
		c, err := l.expectedCondition()
		if err != nil {
			t.Fatal(err)
		}
		if len(c.kids) != many {
			t.Errorf("%s: %d operands, want %d", operator, len(c.kids), many)
		}
		if got, want := c.holds(nil), operator == "OR"; got != want {
			t.Errorf("%s: got %v, want %v", operator, got, want)
		}
		if got := len(c.paths(nil)); got != many {
			t.Errorf("%s: got %d paths, want %d", operator, got, many)
		}
	}
}

// TestExpectedThroughSDK has the older form of Expected, and ConditionalOperator.
func TestExpectedThroughSDK(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("PutItem", `{"TableName":"Things","Item":`+legacyItem+`}`)
	hello := &types.AttributeValueMemberS{Value: "hello"}
	other := &types.AttributeValueMemberS{Value: "other"}
	is := func(v types.AttributeValue) types.ExpectedAttributeValue {
		return types.ExpectedAttributeValue{Value: v}
	}
	for _, tt := range []struct {
		name     string
		expected map[string]types.ExpectedAttributeValue
		operator types.ConditionalOperator
		want     string
	}{
		{"value", map[string]types.ExpectedAttributeValue{"s": is(hello)}, "", "<nil>"},
		{"other value", map[string]types.ExpectedAttributeValue{"s": is(other)}, "", "ConditionalCheckFailedException"},
		{"exists", map[string]types.ExpectedAttributeValue{"s": {Exists: aws.Bool(true), Value: hello}}, "", "<nil>"},
		{"does not exist", map[string]types.ExpectedAttributeValue{"gone": {Exists: aws.Bool(false)}}, "", "<nil>"},
		{"exists after all", map[string]types.ExpectedAttributeValue{"s": {Exists: aws.Bool(false)}}, "", "ConditionalCheckFailedException"},
		{"operator with value", map[string]types.ExpectedAttributeValue{"s": {ComparisonOperator: types.ComparisonOperatorNe, Value: other}}, "", "<nil>"},
		{"both", map[string]types.ExpectedAttributeValue{"s": is(hello), "n": is(other)}, "", "ConditionalCheckFailedException"},
		{"AND", map[string]types.ExpectedAttributeValue{"s": is(hello), "n": is(other)}, types.ConditionalOperatorAnd, "ConditionalCheckFailedException"},
		{"OR", map[string]types.ExpectedAttributeValue{"s": is(hello), "n": is(other)}, types.ConditionalOperatorOr, "<nil>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := b.client.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{
				TableName: aws.String("Things"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}},
				Expected: tt.expected, ConditionalOperator: tt.operator,
			})
			if got := code(err); got != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestAttributeUpdates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ updates, want string }{ // want: the attributes that the update leaves different
		{`"s":{"Value":{"S":"v"}}`, `s={"S":"v"}`}, {`"x":{"Action":"PUT","Value":{"M":{}}}`, `x={"M":{}}`},
		{`"s":{"Action":"DELETE"}`, `-s`}, {`"gone":{"Action":"DELETE"}`, ``},
		{`"n":{"Action":"ADD","Value":{"N":"-0.5"}}`, `n={"N":"4.5"}`}, {`"x":{"Action":"ADD","Value":{"N":"1"}}`, `x={"N":"1"}`},
		{`"ns":{"Action":"ADD","Value":{"NS":["2","3"]}}`, `ns={"NS":["1","2","3"]}`}, {`"x":{"Action":"ADD","Value":{"SS":["q"]}}`, `x={"SS":["q"]}`},
		{`"l":{"Action":"ADD","Value":{"L":[{"S":"y"}]}}`, `l={"L":[{"S":"x"},{"N":"7"},{"S":"y"}]}`},
		{`"ns":{"Action":"DELETE","Value":{"NS":["1","9"]}}`, `ns={"NS":["2"]}`}, {`"ns":{"Action":"DELETE","Value":{"NS":["1","2"]}}`, `-ns`}, {`"gone":{"Action":"DELETE","Value":{"NS":["1"]}}`, ``},
		{`"ns":{"Action":"DELETE","Value":{"NS":["10","2.0","-1","0.5"]}}`, `ns={"NS":["1"]}`},
		{`"n":{"Action":"ADD","Value":{"N":"1"}},"s":{"Action":"DELETE"},"a.b":{"Value":{"BOOL":false}}`, `n={"N":"6"} -s a.b={"BOOL":false}`},
	} {
		t.Run(tt.updates, func(t *testing.T) {
			t.Parallel()
			b := open(t, "")
			b.must("CreateTable", hashTable, "Things", "S")
			b.must("PutItem", `{"TableName":"Things","Item":`+legacyItem+`}`)
			out := b.must("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"AttributeUpdates":{%s},"ReturnValues":"ALL_NEW"}`, tt.updates)
			after := testItem(t, strings.TrimSuffix(strings.TrimPrefix(out, `{"Attributes":`), `}`))
			if got := differences(testItem(t, legacyItem), after); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestAttributeUpdatesOfMissingItem(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	update := `{"TableName":"Things","Key":{"pk":{"S":"a"}},"AttributeUpdates":{"x":%s},"ReturnValues":"UPDATED_NEW"}`
	b.want("UpdateItem", fmt.Sprintf(update, `{"Action":"DELETE"}`), `{}`)
	b.want("Scan", `{"TableName":"Things","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`)
	b.want("UpdateItem", fmt.Sprintf(update, `{"Action":"ADD","Value":{"N":"2"}}`), `{"Attributes":{"x":{"N":"2"}}}`)
	b.want("Scan", `{"TableName":"Things"}`, `{"Items":[{"pk":{"S":"a"},"x":{"N":"2"}}],"Count":1,"ScannedCount":1}`)
}

func TestKeyConditions(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", sortTable, "Rows", "S")
	for _, sk := range []string{"a", "ab", "b", "c"} {
		b.must("PutItem", `{"TableName":"Rows","Item":{"pk":{"S":"p"},"sk":{"S":"%s"},"x":{"S":"%s!"}}}`, sk, sk)
	}
	const hash = `"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]}`
	for _, tt := range []struct{ members, want string }{
		{`"KeyConditions":{` + hash + `}`, "a ab b c"},
		{`"KeyConditions":{` + hash + `,"sk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"b"}]}}`, "b"},
		{`"KeyConditions":{"sk":{"ComparisonOperator":"GT","AttributeValueList":[{"S":"a"}]},` + hash + `},"ScanIndexForward":false`, "c b ab"},
		{`"KeyConditions":{` + hash + `,"sk":{"ComparisonOperator":"LE","AttributeValueList":[{"S":"ab"}]}}`, "a ab"},
		{`"KeyConditions":{` + hash + `,"sk":{"ComparisonOperator":"BEGINS_WITH","AttributeValueList":[{"S":"a"}]}}`, "a ab"},
		{`"KeyConditions":{` + hash + `,"sk":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"S":"ab"},{"S":"b"}]}}`, "ab b"},
		{`"KeyConditions":{` + hash + `},"QueryFilter":{"x":{"ComparisonOperator":"BEGINS_WITH","AttributeValueList":[{"S":"a"}]}}`, "a ab"},
		{`"KeyConditions":{` + hash + `},"QueryFilter":{"x":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"b!"}]},"y":{"ComparisonOperator":"NOT_NULL"}},"ConditionalOperator":"OR"`, "b"},
		// KeyConditions may stand next to other expressions.
		{`"KeyConditions":{` + hash + `},"FilterExpression":"x > :x","ExpressionAttributeValues":{":x":{"S":"b"}}`, "b c"},
	} {
		var got []string
		for _, it := range decodeJSON(t, b.must("Query", `{"TableName":"Rows",%s}`, tt.members))["Items"].([]any) {
			got = append(got, it.(map[string]any)["sk"].(map[string]any)["S"].(string))
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.members, got, tt.want)
		}
	}
	b.want("Query", `{"TableName":"Rows","KeyConditions":{`+hash+`},"AttributesToGet":["x","gone"],"Limit":1}`,
		`{"Items":[{"x":{"S":"a!"}}],"Count":1,"ScannedCount":1,"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"S":"a"}}}`)
	b.want("GetItem", `{"TableName":"Rows","Key":{"pk":{"S":"p"},"sk":{"S":"a"}},"AttributesToGet":["x"]}`, `{"Item":{"x":{"S":"a!"}}}`)
	b.want("BatchGetItem", `{"RequestItems":{"Rows":{"Keys":[{"pk":{"S":"p"},"sk":{"S":"a"}}],"AttributesToGet":["sk"]}}}`, `{"Responses":{"Rows":[{"sk":{"S":"a"}}]},"UnprocessedKeys":{}}`)
}

func TestLegacyErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("CreateTable", sortTable, "Rows", "N")
	b.must("PutItem", `{"TableName":"Things","Item":`+legacyItem+`}`)
	const invalid = "One or more parameter values were invalid: "
	const mixed = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
	const pk = `"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]}`
	for _, tt := range []struct{ operation, members, want string }{
		{"PutItem", `"Expected":{"x":{"Exists":false}},"ConditionExpression":"attribute_exists(x)"`, mixed + "{Expected} Expression parameters: {ConditionExpression}"},
		{"UpdateItem", `"AttributeUpdates":{},"Expected":{},"UpdateExpression":"x","ConditionExpression":"y"`, mixed + "{AttributeUpdates, Expected} Expression parameters: {UpdateExpression, ConditionExpression}"},
		{"GetItem", `"AttributesToGet":["x"],"ProjectionExpression":"x"`, mixed + "{AttributesToGet} Expression parameters: {ProjectionExpression}"},
		{"Scan", `"AttributesToGet":["x"],"ScanFilter":{},"ConditionalOperator":"OR","FilterExpression":"x"`, mixed + "{AttributesToGet, ScanFilter, ConditionalOperator} Expression parameters: {FilterExpression}"},
		{"Query", `"KeyConditions":{},"QueryFilter":{},"KeyConditionExpression":"x"`, mixed + "{QueryFilter, KeyConditions} Expression parameters: {KeyConditionExpression}"},
		{"PutItem", `"Expected":{"x":{}}`, invalid + "Value must be provided when Exists is null for Attribute: x"},
		{"PutItem", `"Expected":{"x":{"Exists":true}}`, invalid + "Value must be provided when Exists is true for Attribute: x"},
		{"PutItem", `"Expected":{"x":{"Exists":false,"Value":{"S":"a"}}}`, invalid + "Value cannot be used when Exists is false for Attribute: x"},
		{"PutItem", `"Expected":{"x":{"Exists":false,"ComparisonOperator":"NULL"}}`, invalid + "Exists and ComparisonOperator cannot be used together for Attribute: x"},
		{"PutItem", `"Expected":{"x":{"AttributeValueList":[]}}`, invalid + "AttributeValueList can only be used with a ComparisonOperator for Attribute: x"},
		{"PutItem", `"Expected":{"x":{"AttributeValueList":[],"Value":{"S":"a"}}}`, invalid + "Value and AttributeValueList cannot be used together for Attribute: x"},
		{"PutItem", `"Expected":{"x":{"ComparisonOperator":"EQ"}}`, invalid + "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: x"},
		{"PutItem", `"Expected":{"x":{"ComparisonOperator":"EQ","AttributeValueList":[]}}`, invalid + "Invalid number of argument(s) for the EQ ComparisonOperator"},
		{"PutItem", `"Expected":{"x":{"ComparisonOperator":"NULL","AttributeValueList":[{"S":"a"}]}}`, invalid + "Invalid number of argument(s) for the NULL ComparisonOperator"},
		{"PutItem", `"Expected":{"x":{"ComparisonOperator":"EQ","AttributeValueList":[{"SS":[]}]}}`, invalid + "An string set  may not be empty"},
		{"PutItem", `"Expected":{"x":{"ComparisonOperator":"IN","AttributeValueList":[{"S":"a"},{"N":"1"}]}}`, invalid + "AttributeValues inside AttributeValueList must be of same type"},
		{"PutItem", `"Expected":{"x":{"ComparisonOperator":"CONTAINS","AttributeValueList":[{"L":[]}]}}`, invalid + "ComparisonOperator CONTAINS is not valid for L AttributeValue type"},
		{"PutItem", `"Expected":{"x":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"2"},{"N":"1"}]}}`, "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"},
		{"PutItem", `"ConditionalOperator":"AND"`, "ConditionalOperator cannot be used without Filter or Expected"},
		{"PutItem", `"ConditionalOperator":"AND","Expected":{"x":{"Exists":false}}`, "ConditionalOperator can only be used when Filter or Expected has two or more elements"},
		{"UpdateItem", `"AttributeUpdates":{"x":{"Action":"PUT"}}`, invalid + "Only DELETE action is allowed when no attribute value is specified"},
		{"UpdateItem", `"AttributeUpdates":{"x":{"Action":"DELETE","Value":{"S":"a"}}}`, invalid + "DELETE action with value is not supported for the type S"},
		{"UpdateItem", `"AttributeUpdates":{"x":{"Action":"ADD","Value":{"S":"a"}}}`, invalid + "ADD action is not supported for the type S"},
		{"UpdateItem", `"AttributeUpdates":{"x":{"Value":{"N":"a"}}}`, "The parameter cannot be converted to a numeric value: a"},
		{"UpdateItem", `"AttributeUpdates":{"s":{"Action":"ADD","Value":{"N":"1"}}}`, "Type mismatch for attribute to update"},
		{"UpdateItem", `"AttributeUpdates":{"pk":{"Value":{"S":"b"}}}`, invalid + "Cannot update attribute pk. This attribute is part of the key"},
		{"GetItem", `"AttributesToGet":["x","y","x"]`, invalid + "Duplicate value in attribute name: x"},
		{"Scan", `"AttributesToGet":["x"],"Select":"COUNT"`, "Cannot specify the AttributesToGet when choosing to get COUNT"},
		{"Scan", `"ScanFilter":{"x":{"ComparisonOperator":"GT","AttributeValueList":[{"BOOL":true}]}}`, invalid + "ComparisonOperator GT is not valid for BOOL AttributeValue type"},
		{"Query", `"QueryFilter":{}`, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		{"Query", `"KeyConditions":{}`, "Conditions can be of length 1 or 2 only"},
		{"Query", `"KeyConditions":{"x":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]}}`, "Query condition missed key schema element: pk"},
		{"Query", `"KeyConditions":{` + pk + `,"x":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]}}`, "Query condition missed key schema element: sk"},
		{"Query", `"KeyConditions":{"pk":{"ComparisonOperator":"GT","AttributeValueList":[{"S":"p"}]}}`, "Query key condition not supported"},
		{"Query", `"KeyConditions":{` + pk + `,"sk":{"ComparisonOperator":"NE","AttributeValueList":[{"N":"1"}]}}`, "Attempted conditional constraint is not an indexable operation"},
		{"Query", `"KeyConditions":{` + pk + `,"sk":{"ComparisonOperator":"BEGINS_WITH","AttributeValueList":[{"N":"1"}]}}`, invalid + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"},
		{"Query", `"KeyConditions":{` + pk + `,"sk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"1"}]}}`, invalid + "Condition parameter type does not match schema type"},
		{"Query", `"KeyConditions":{` + pk + `},"QueryFilter":{"sk":{"ComparisonOperator":"NOT_NULL"}}`, "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk"},
	} {
		table := map[string]string{"Query": `"Rows"`}[tt.operation]
		if table == "" {
			table = `"Things","Key":{"pk":{"S":"a"}},"Item":{"pk":{"S":"a"}}`
		}
		if !strings.HasSuffix(tt.want, "to update") && !strings.HasSuffix(tt.want, "part of the key") && (tt.operation == "PutItem" || tt.operation == "UpdateItem") {
			tt.want = envelope + tt.want // it is found before the table is looked for
		}
		b.wantError(tt.operation, `{"TableName":`+table+`,`+tt.members+`}`, "Validation: "+tt.want)
	}
}
