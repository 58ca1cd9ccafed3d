package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestItemRoundTrip(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		b.want("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"ä\"\u0007"},"z":{"N":"-001.50e1"},"b":{"B":"AAEC/w=="},"t":{"BOOL":true},"n":{"NULL":true},
			"l":{"L":[{"S":""},{"M":{"deep":{"L":[]}}}]},"ss":{"SS":["b","a"]},"ns":{"NS":["10","9.0","-1"]},"bs":{"BS":["Ag==","AQ=="]},"u":{"S":"\ud83d\ude00"}}}`, `{}`)
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"ä\"\u0007"}}}`,
			`{"Item":{"b":{"B":"AAEC/w=="},"bs":{"BS":["AQ==","Ag=="]},"l":{"L":[{"S":""},{"M":{"deep":{"L":[]}}}]},"n":{"NULL":true},"ns":{"NS":["-1","9","10"]},`+
				`"pk":{"S":"ä\"\u0007"},"ss":{"SS":["a","b"]},"t":{"BOOL":true},"u":{"S":"😀"},"z":{"N":"-15"}}}`)
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"other"}}}`, `{}`)
		b.want("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"s"},"ss":{"SS":["a",""]},"bs":{"BS":[""]}}}`, `{}`) // a set may hold what is empty
		b.want("GetItem", `{"TableName":"arn:aws:dynamodb:eu-central-1:123456789012:table/Things","Key":{"pk":{"S":"ä\"\u0007"}},
			"ProjectionExpression":"l[1].deep, #b, absent","ExpressionAttributeNames":{"#b":"b"},"ReturnConsumedCapacity":"TOTAL","ConsistentRead":true}`,
			`{"Item":{"b":{"B":"AAEC/w=="},"l":{"L":[{"M":{"deep":{"L":[]}}}]}},"ConsumedCapacity":{"TableName":"Things","CapacityUnits":1.0}}`)
	})
}

func TestNameOfTable(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	for _, name := range []string{"a_b", "___", "...", "---", "azAZ09._-"} {
		b.must("CreateTable", hashTable, name, "S")
		b.want("PutItem", `{"TableName":"`+name+`","Item":{"pk":{"S":"a"}}}`, `{}`)
		b.want("BatchGetItem", `{"RequestItems":{"`+name+`":{"Keys":[{"pk":{"S":"a"}}]}}}`,
			`{"Responses":{"`+name+`":[{"pk":{"S":"a"}}]},"UnprocessedKeys":{}}`)
		b.wantError("Query", `{"TableName":"`+name+`","IndexName":"`+name+`","KeyConditionExpression":"pk = :v","ExpressionAttributeValues":{":v":{"S":"a"}}}`,
			"Validation: The table does not have the specified index: "+name)
	}
}

func TestReturnValues(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		put := `{"TableName":"Things","Item":{"pk":{"S":"a"},"n":{"N":"%d"}},"ReturnValues":"ALL_OLD"}`
		b.want("PutItem", fmt.Sprintf(put, 1), `{}`)
		b.want("PutItem", fmt.Sprintf(put, 2), `{"Attributes":{"n":{"N":"1"},"pk":{"S":"a"}}}`)
		update := `{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET n = n + :one, m = :m REMOVE gone","ExpressionAttributeValues":{":one":{"N":"1"},":m":{"M":{}}},"ReturnValues":"%s"}`
		b.want("UpdateItem", fmt.Sprintf(update, "UPDATED_OLD"), `{"Attributes":{"n":{"N":"2"}}}`)
		b.want("UpdateItem", fmt.Sprintf(update, "UPDATED_NEW"), `{"Attributes":{"m":{"M":{}},"n":{"N":"4"}}}`)
		b.want("UpdateItem", fmt.Sprintf(update, "ALL_OLD"), `{"Attributes":{"m":{"M":{}},"n":{"N":"4"},"pk":{"S":"a"}}}`)
		b.want("UpdateItem", fmt.Sprintf(update, "ALL_NEW"), `{"Attributes":{"m":{"M":{}},"n":{"N":"6"},"pk":{"S":"a"}}}`)
		b.want("UpdateItem", fmt.Sprintf(update, "NONE"), `{}`)
		const nothing = `{"TableName":"Things","Key":{"pk":{"S":"a"}},%s"ReturnValues":"%s"}`
		for _, updates := range []string{"", `"AttributeUpdates":{},`} {
			b.want("UpdateItem", fmt.Sprintf(nothing, updates, "UPDATED_OLD"), `{}`)
			b.want("UpdateItem", fmt.Sprintf(nothing, updates, "UPDATED_NEW"), `{}`)
			b.want("UpdateItem", fmt.Sprintf(nothing, updates, "ALL_NEW"), `{"Attributes":{"m":{"M":{}},"n":{"N":"7"},"pk":{"S":"a"}}}`)
		}
		b.want("DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ReturnValues":"ALL_OLD","ReturnConsumedCapacity":"INDEXES"}`,
			`{"Attributes":{"m":{"M":{}},"n":{"N":"7"},"pk":{"S":"a"}},"ConsumedCapacity":{"TableName":"Things","CapacityUnits":1.0,"Table":{"CapacityUnits":1.0}}}`)
		b.want("DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ReturnValues":"ALL_OLD"}`, `{}`)
		b.wantError("DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ReturnValues":"ALL_NEW"}`, "Validation: 1 validation error detected: ReturnValues can only be ALL_OLD or NONE")
	})
}

func TestUpdateOfMissingItem(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		b.want("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":"REMOVE x","ReturnValues":"ALL_NEW"}`, `{}`)
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}}}`, `{}`)
		b.want("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}}}`, `{}`)
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}}}`, `{"Item":{"pk":{"S":"a"}}}`)
		b.want("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"b"}},"UpdateExpression":"ADD n :n","ExpressionAttributeValues":{":n":{"N":"5"}},"ReturnValues":"ALL_NEW"}`,
			`{"Attributes":{"n":{"N":"5"},"pk":{"S":"b"}}}`)
	})
}

func TestConditionFailedThroughSDK(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		put := &dynamodb.PutItemInput{
			TableName: aws.String("Things"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
			Item:                                map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		if _, err := b.client.PutItem(context.Background(), put); err != nil {
			t.Fatal(err)
		}
		_, err := b.client.PutItem(context.Background(), put)
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Fatalf("got %v", err)
		}
		if got := failed.Item["pk"].(*types.AttributeValueMemberS).Value; got != "a" {
			t.Errorf("got item with key %q", got)
		}
		if got, want := failed.ErrorMessage(), "The conditional request failed"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		put.TableName = aws.String("Nothing")
		_, err = b.client.PutItem(context.Background(), put)
		if notFound := new(types.ResourceNotFoundException); !errors.As(err, &notFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestItemErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("CreateTable", sortTable, "Rows", "N")
	for _, tt := range []struct{ operation, input, want string }{
		{"PutItem", `{"TableName":"Things"}`, "Validation: 1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null"},
		{"PutItem", `{"Item":{}}`, "Validation: 1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"},
		{"PutItem", `{"TableName":"Things","Item":{}}`, "Validation: One or more parameter values were invalid: Missing the key pk in the item"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"N":"1"}}}`, "Validation: One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":""}}}`, "Validation: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{}}}`, "Validation: 1 validation error detected: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":null}}`, "Validation: 1 validation error detected: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a","N":"1"}}}`, "Validation: 1 validation error detected: Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":1}}}`, "Serialization: NUMBER_VALUE cannot be converted to String"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":"a"}}`, "Serialization: Unexpected value type in payload"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"SS":[]}}}`, "Validation: 1 validation error detected: One or more parameter values were invalid: An string set  may not be empty"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"SS":["a","a"]}}}`, "Validation: 1 validation error detected: One or more parameter values were invalid: Input collection [\"a\", \"a\"] contains duplicates."},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"NS":["1","1.0"]}}}`, "Validation: 1 validation error detected: One or more parameter values were invalid: Input collection contains duplicates."},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"NULL":false}}}`, "Validation: 1 validation error detected: One or more parameter values were invalid: Null attribute value types must have the value of true"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"N":"b"}}}`, "Validation: 1 validation error detected: The parameter cannot be converted to a numeric value: b"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}},"ReturnValues":"ALL"}`,
			"Validation: 1 validation error detected: Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"` + strings.Repeat("x", 2049) + `"}}}`, "Validation: One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"NS":[]}}}`, "Validation: 1 validation error detected: One or more parameter values were invalid: An number set  may not be empty"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"BS":[]}}}`, "Validation: 1 validation error detected: One or more parameter values were invalid: Binary sets should not be empty"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"NS":[""]}}}`, "Validation: 1 validation error detected: The parameter cannot be converted to a numeric value: "},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"BS":["AQ==","AQ=="]}}}`, "Validation: 1 validation error detected: One or more parameter values were invalid: Input collection [\"AQ==\",\"AQ==\"]of type BS contains duplicates."},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"N":"1e126"}}}`, "Validation: 1 validation error detected: Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"N":"1e-131"}}}`, "Validation: 1 validation error detected: Number underflow. Attempting to store a number with magnitude smaller than supported range"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"N":"` + strings.Repeat("1", 39) + `"}}}`, "Validation: 1 validation error detected: Attempting to store more than 38 significant digits in a Number"},
		{"PutItem", `{"TableName":"Rows","Item":{"pk":{"S":"a"}}}`, "Validation: One or more parameter values were invalid: Missing the key sk in the item"},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}},"ConditionExpression":"pk.a = pk[0]"}`, "Validation: Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"},
		{"GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ProjectionExpression":"pk[1]"}`, "Validation: Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"},
		{"UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET pk.a = pk.b"}`, "Validation: One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"},
		{"UpdateItem", `{"TableName":"Nothing","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET"}`, `Validation: 1 validation error detected: Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "SET"`},
		{"GetItem", `{"TableName":"Things","Key":{"pk":{"N":"1"}}}`, "Validation: The provided key element does not match the schema"},
		{"GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"},"x":{"S":"b"}}}`, "Validation: The provided key element does not match the schema"},
		{"GetItem", `{"TableName":"Rows","Key":{"pk":{"S":"a"}}}`, "Validation: The provided key element does not match the schema"},
		{"UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET pk = :x","ExpressionAttributeValues":{":x":{"S":"b"}}}`,
			"Validation: One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"},
		{"UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ExpressionAttributeValues":{":x":{"S":"b"}}}`,
			"Validation: 1 validation error detected: ExpressionAttributeValues can only be specified when using expressions"},
		{"GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ExpressionAttributeNames":{"#x":"b"}}`, "Validation: ExpressionAttributeNames can only be specified when using expressions"},
	} {
		b.wantError(tt.operation, tt.input, tt.want)
	}
}

func TestItemSizeLimit(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	item := func(n int) string { // pk + a: 3 bytes, x: 1 byte
		return `{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"S":"` + strings.Repeat("x", n-4) + `"}}}`
	}
	b.must("PutItem", item(409600))
	if _, err := b.do("PutItem", item(409601)); err == nil || short(err) != "Validation: Item size has exceeded the maximum allowed size" {
		t.Errorf("got %v", err)
	}
	b.wantError("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET y = :y","ExpressionAttributeValues":{":y":{"BOOL":true}}}`,
		"Validation: Item size to update has exceeded the maximum allowed size")
}

// TestUpdateIsBounded has a short expression that asks for gigabytes. It fails on
// the way, not when the item is complete.
func TestUpdateIsBounded(t *testing.T) {
	t.Parallel()
	old := item{{"l", value{kind: kindList, list: make([]value, 200_000)}}}
	for i := range old[0].value.list {
		old[0].value.list[i] = value{kind: kindNull, flag: true}
	}
	var sets []string
	for i := range 150 {
		sets = append(sets, fmt.Sprintf("a%d = list_append(l, l)", i))
	}
	u, err := parseUpdate("SET "+strings.Join(sets, ", "), testBindings(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.apply(old); err != errUpdateTooLarge {
		t.Errorf("got %v", err)
	}
}

// TestConditionsAreExact lets many clients count with conditional writes: every
// acknowledged one must count once.
func TestConditionsAreExact(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		const clients, rounds = 64, 5
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"n"},"sum":{"N":"0"},"version":{"N":"0"}}}`)
		var won sync.Map
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				for version := range rounds {
					_, err := b.client.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{
						TableName: aws.String("Things"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "n"}},
						UpdateExpression: aws.String("SET version = version + :one"), ConditionExpression: aws.String("version = :v"),
						ExpressionAttributeValues: map[string]types.AttributeValue{
							":one": &types.AttributeValueMemberN{Value: "1"}, ":v": &types.AttributeValueMemberN{Value: fmt.Sprint(version)}},
					})
					if err == nil {
						if _, twice := won.LoadOrStore(version, true); twice {
							t.Errorf("two clients won version %d", version)
						}
					} else if code(err) != "ConditionalCheckFailedException" {
						t.Error(err)
					}
					if _, err := b.do("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"n"}},"UpdateExpression":"ADD #s :one","ExpressionAttributeNames":{"#s":"sum"},"ExpressionAttributeValues":{":one":{"N":"1"}}}`); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"n"}}}`,
			fmt.Sprintf(`{"Item":{"pk":{"S":"n"},"sum":{"N":"%d"},"version":{"N":"%d"}}}`, clients*rounds, rounds))
	})
}
