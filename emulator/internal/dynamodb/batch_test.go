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

func TestBatches(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Left", "S")
		b.must("CreateTable", hashTable, "Right", "S")
		b.must("PutItem", `{"TableName":"Left","Item":{"pk":{"S":"old"}}}`)
		b.want("BatchWriteItem", `{"RequestItems":{"Right":[{"PutRequest":{"Item":{"pk":{"S":"r"},"x":{"N":"1"}}}}],
			"Left":[{"PutRequest":{"Item":{"pk":{"S":"l"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"old"}}}}]},"ReturnConsumedCapacity":"TOTAL"}`,
			`{"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"Left","CapacityUnits":2.0},{"TableName":"Right","CapacityUnits":1.0}]}`)
		b.want("BatchGetItem", `{"RequestItems":{"Right":{"Keys":[{"pk":{"S":"none"}},{"pk":{"S":"r"}}],"ProjectionExpression":"#x","ExpressionAttributeNames":{"#x":"x"}},
			"Left":{"ConsistentRead":true,"Keys":[{"pk":{"S":"l"}},{"pk":{"S":"old"}}]}}}`,
			`{"Responses":{"Left":[{"pk":{"S":"l"}}],"Right":[{"x":{"N":"1"}}]},"UnprocessedKeys":{}}`)
	})
}

func TestBatchErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	put := `{"PutRequest":{"Item":{"pk":{"S":"%d"}}}}`
	puts, keys := []string{}, []string{}
	for i := range 101 {
		puts, keys = append(puts, fmt.Sprintf(put, i)), append(keys, fmt.Sprintf(`{"pk":{"S":"%d"}}`, i))
	}
	const unknownCapacity = "Value 'A' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
	const missing = "Validation: 1 validation error detected: Value null at 'requestItems' failed to satisfy constraint: Member must not be null"
	for _, tt := range []struct{ operation, items, want string }{
		{"BatchWriteItem", `null`, missing},
		{"BatchGetItem", `null`, missing},
		{"BatchWriteItem", `{"Things":[` + strings.Join(puts[:20], ",") + `],"More":[` + strings.Join(puts[:6], ",") + `]}`, "Validation: Too many items requested for the BatchWriteItem call"},
		{"BatchGetItem", `{"Things":{"Keys":[` + strings.Join(keys, ",") + `]}}`, "Validation: 1 validation error detected: Value at 'RequestItems.Things.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100"},
		{"BatchGetItem", `{"Things":{"Keys":[` + strings.Join(keys[:90], ",") + `]},"More":{"Keys":[` + strings.Join(keys[:11], ",") + `]}}`, "Validation: Too many items requested for the BatchGetItem call"},
		{"BatchWriteItem", `{}`, "Validation: The requestItems parameter is required for BatchWriteItem"},
		{"BatchGetItem", `{}`, "Validation: 1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"BatchWriteItem", `{"Things":[]}`, "Validation: 1 validation error detected: Value '{Things=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"},
		{"BatchGetItem", `{"a!": {"Keys":[{}]}}`, `Validation: 1 validation error detected: Value '{"a!":{"Keys":[{}]}}' at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]`},
		{"BatchWriteItem", `{"a!":[` + puts[1] + `]}`, "Validation: 1 validation error detected: Value '{a!=[WriteRequest(putRequest=PutRequest(item={pk=AttributeValue(s=1, n=null, b=null, iNT=null, dECIMAL=null, dOUBLE=null, sS=null, nS=null, bS=null, iNTSET=null, dECIMALSET=null, dOUBLESET=null, m=null, l=null, nULL=null, bOOL=null)}, workloadProfileName=null), deleteRequest=null)]}' " +
			"at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"},
		// What is unknown is told before tables are looked for, and BatchGetItem tells of a name before it.
		{"BatchWriteItem", `{"Nothing":[` + puts[1] + `]},"ReturnConsumedCapacity":"A","ReturnItemCollectionMetrics":"B"`, "Validation: 2 validation errors detected: " + unknownCapacity + "; " +
			"Value 'B' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]"},
		{"BatchGetItem", `{"Nothing":{"Keys":[` + keys[1] + `]}},"ReturnConsumedCapacity":"A"`, "Validation: 1 validation error detected: " + unknownCapacity},
		{"BatchWriteItem", `{"a!":[` + puts[1] + `]},"ReturnConsumedCapacity":"A"`, "Validation: 1 validation error detected: " + unknownCapacity},
		{"BatchGetItem", `{"a!":{"Keys":[{"pk":{"S":"a"}}]}},"ReturnConsumedCapacity":"A"`, `Validation: 2 validation errors detected: Value '{"a!":{"Keys":[{"pk":{"S":"a"}}]}}'` + " at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: " +
			"[Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]; " + unknownCapacity},
		{"BatchWriteItem", `{"Things":[` + puts[1] + `,{"DeleteRequest":{"Key":{"pk":{"S":"1"}}}}]}`, "Validation: Provided list of item keys contains duplicates"},
		{"BatchGetItem", `{"Things":{"Keys":[` + keys[1] + `,` + keys[1] + `]}}`, "Validation: Provided list of item keys contains duplicates"},
		{"BatchWriteItem", `{"Nothing":[` + puts[1] + `]}`, "ResourceNotFound: Requested resource not found"},
		{"BatchGetItem", `{"Nothing":{"Keys":[` + keys[1] + `]}}`, "ResourceNotFound: Requested resource not found"},
		{"BatchWriteItem", `{"Things":[{}]}`, "Validation: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"BatchWriteItem", `{"Things":[{"PutRequest":null,"Other":[1]}]}`, "Validation: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"BatchWriteItem", `{"Things":[{"PutRequest":{"Item":{"pk":{"S":"a"}}},"DeleteRequest":{"Key":{"pk":{"S":"a"}}}}]}`, "Validation: Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		{"BatchWriteItem", `{"Things":[{"PutRequest":{}}]}`, "Validation: 1 validation error detected: Value null at 'requestItems.Things.member.1.member.putRequest.item' failed to satisfy constraint: Member must not be null"},
		{"BatchWriteItem", `{"Things":[{"DeleteRequest":{"Key":{"pk":{"N":"1"}}}}]}`, "Validation: The provided key element does not match the schema"},
		{"BatchWriteItem", `{"Things":[{"PutRequest":{"Item":{"x":{"N":"1"}}}}]}`, "Validation: The provided key element does not match the schema"},
		{"BatchWriteItem", `{"Things":["put"]}`, "Serialization: Unexpected value type in payload"},
		{"BatchGetItem", `{"Things":{"Keys":[{"pk":{"S":"a"}}],"ProjectionExpression":"a b"}}`, `Validation: Invalid ProjectionExpression: Syntax error; token: "b", near: "a b"`},
		{"BatchGetItem", `{"Things":{"Keys":[]}}`, "Validation: 1 validation error detected: Value at 'RequestItems.Things.member.Keys' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"BatchGetItem", `{"Things":{}}`, "Validation: 1 validation error detected: Value null at 'requestItems.Things.member.keys' failed to satisfy constraint: Member must not be null"},
		{"BatchGetItem", `{"Things":{"Keys":[` + keys[1] + `],"AttributesToGet":["pk"]},"More":{"Keys":[` + keys[1] + `],"ProjectionExpression":"pk"}}`,
			"Validation: Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"},
		{"BatchWriteItem", `{"Things":{}}`, "Serialization: Start of structure or map found where not expected"},
		{"BatchGetItem", `{"Things":[]}`, "Serialization: Unrecognized collection type class com.amazonaws.dynamodb.v20120810.KeysAndAttributes"},
		{"BatchGetItem", `{"Things":{"Keys":[{"pk":{"N":"1"}}]}}`, "Validation: The provided key element does not match the schema"},
	} {
		b.wantError(tt.operation, `{"RequestItems":`+tt.items+`}`, tt.want)
	}
	b.want("Scan", `{"TableName":"Things","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`)
}

// TestBatchGetInParts asks for more than one answer may hold, until all is
// there.
func TestBatchGetInParts(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	const items = 60
	big := strings.Repeat("x", 390<<10)
	want := types.KeysAndAttributes{}
	for i := range items {
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%d"},"big":{"S":"%s"}}}`, i, big)
		want.Keys = append(want.Keys, map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: fmt.Sprint(i)}})
	}
	got, calls := 0, 0
	for left := map[string]types.KeysAndAttributes{"Things": want}; len(left) > 0; calls++ {
		out, err := b.client.BatchGetItem(context.Background(), &dynamodb.BatchGetItemInput{RequestItems: left})
		if err != nil {
			t.Fatal(err)
		}
		got += len(out.Responses["Things"])
		left = out.UnprocessedKeys
	}
	if got != items || calls != 2 {
		t.Errorf("got %d items in %d calls, want %d in 2", got, calls, items)
	}
}

// TestUnprocessed leaves every other part of a batch to the client, who gets all
// done by sending again what is left.
func TestUnprocessed(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		ctx := context.Background()
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("CreateTable", hashTable, "Others", "S")
		b.must("PutItem", `{"TableName":"Others","Item":{"pk":{"S":"old"}}}`)
		if err := b.engine.Fail(Fault{Error: "UnprocessedItems"}); err != nil {
			t.Fatal(err)
		}
		writes := map[string][]types.WriteRequest{"Others": {{DeleteRequest: &types.DeleteRequest{Key: map[string]types.AttributeValue{"pk": text("old")}}}}}
		keys := types.KeysAndAttributes{ProjectionExpression: aws.String("#n"), ExpressionAttributeNames: map[string]string{"#n": "n"}}
		for i := range 9 {
			it := map[string]types.AttributeValue{"pk": text(fmt.Sprint(i)), "n": number(i)}
			writes["Things"] = append(writes["Things"], types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
			keys.Keys = append(keys.Keys, map[string]types.AttributeValue{"pk": it["pk"]})
		}
		calls := 0
		for ; len(writes) > 0; calls++ {
			out, err := b.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: writes})
			if err != nil {
				t.Fatal(err)
			}
			writes = out.UnprocessedItems
		}
		b.wantCount(9)
		b.want("Scan", `{"TableName":"Others","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`)
		got := 0
		for left := map[string]types.KeysAndAttributes{"Things": keys}; len(left) > 0; {
			out, err := b.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: left})
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range out.Responses["Things"] {
				if got++; len(it) != 1 {
					t.Errorf("the projection was lost: %v", it)
				}
			}
			left = out.UnprocessedKeys
		}
		if got != 9 || calls < 2 {
			t.Errorf("got %d items after %d calls to write them, want 9 after several", got, calls)
		}
	})
}
