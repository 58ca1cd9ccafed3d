package dynamodb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// shown writes what an operation has cost: in all, the table, and each index.
func shown(c *types.ConsumedCapacity) string {
	if c == nil {
		return "nothing told"
	}
	parts := []string{fmt.Sprint(aws.ToString(c.TableName), " ", aws.ToFloat64(c.CapacityUnits))}
	if c.Table != nil {
		parts = append(parts, fmt.Sprint("table ", *c.Table.CapacityUnits))
	}
	for _, indexes := range []map[string]types.Capacity{c.LocalSecondaryIndexes, c.GlobalSecondaryIndexes} {
		for _, name := range slices.Sorted(maps.Keys(indexes)) {
			parts = append(parts, fmt.Sprint(name, " ", *indexes[name].CapacityUnits))
		}
	}
	return strings.Join(parts, ", ")
}

func key(pk string, sk int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberN{Value: fmt.Sprint(sk)}}
}

// TestCapacityOfWrites follows one item through the indexes of its table.
func TestCapacityOfWrites(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", indexedTable)
		ctx, name := context.Background(), aws.String("Indexed")
		put := func(y string) *types.ConsumedCapacity {
			it := key("p", 1)
			it["g"], it["y"] = &types.AttributeValueMemberS{Value: "g"}, &types.AttributeValueMemberS{Value: y}
			it["o"] = &types.AttributeValueMemberN{Value: "1"}
			out, err := b.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: it, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
			if err != nil {
				t.Fatal(err)
			}
			return out.ConsumedCapacity
		}
		update := func(expr string) *types.ConsumedCapacity {
			out, err := b.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: name, Key: key("p", 1), UpdateExpression: &expr, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
			if err != nil {
				t.Fatal(err)
			}
			return out.ConsumedCapacity
		}
		for _, tt := range []struct {
			what string
			got  *types.ConsumedCapacity
			want string
		}{
			{"into all indexes", put("short"), "Indexed 4, table 1, local 1, all 1, some 1"},
			{"not projected by two", put(strings.Repeat("y", 1500)), "Indexed 4, table 2, all 2"},
			{"nothing changed", put(strings.Repeat("y", 1500)), "Indexed 2, table 2"},
			{"other key in two", update("SET o = sk REMOVE y"), "Indexed 4, table 2, all 2"},
			{"moved in two", update("SET x = sk REMOVE o"), "Indexed 4, table 1, local 1, all 1, some 1"},
			{"out of one", update("REMOVE g"), "Indexed 2, table 1, some 1"},
		} {
			if got := shown(tt.got); got != tt.want {
				t.Errorf("%s:\n got %s\nwant %s", tt.what, got, tt.want)
			}
		}
		out, err := b.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: name, Key: key("p", 1), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := shown(out.ConsumedCapacity), "Indexed 1"; got != want {
			t.Errorf("delete: got %s, want %s", got, want)
		}
	})
}

// TestIndexFollowsItsKey moves an item within an index and back.
func TestIndexFollowsItsKey(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", indexedTable)
		for _, o := range []string{"1", "2", "2", "1"} {
			b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"o":{"N":"%s"}}}`, o)
			b.want("Scan", `{"TableName":"Indexed","IndexName":"local"}`, `{"Items":[{"o":{"N":"`+o+`"},"pk":{"S":"p"},"sk":{"N":"1"}}],"Count":1,"ScannedCount":1}`)
		}
	})
}

func TestCapacityOfReads(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", indexedTable)
	for i := range 2 {
		b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},"g":{"S":"g"},"o":{"N":"1"},"y":{"S":"%s"}}}`, i, strings.Repeat("y", 5000))
	}
	for _, tt := range []struct{ what, input, want string }{
		{"table", `"KeyConditionExpression":"pk = :k","ExpressionAttributeValues":{":k":{"S":"p"}}`, `{"TableName":"Indexed","CapacityUnits":1.5,"Table":{"CapacityUnits":1.5}}`},
		{"global", `"IndexName":"all","KeyConditionExpression":"g = :k","ExpressionAttributeValues":{":k":{"S":"g"}}`,
			`{"TableName":"Indexed","CapacityUnits":1.5,"Table":{"CapacityUnits":0.0},"GlobalSecondaryIndexes":{"all":{"CapacityUnits":1.5}}}`},
		{"keys alone", `"IndexName":"some","KeyConditionExpression":"g = :k","ExpressionAttributeValues":{":k":{"S":"g"}}`,
			`{"TableName":"Indexed","CapacityUnits":0.5,"Table":{"CapacityUnits":0.0},"GlobalSecondaryIndexes":{"some":{"CapacityUnits":0.5}}}`},
		{"local", `"ConsistentRead":true,"IndexName":"local","KeyConditionExpression":"pk = :k","ExpressionAttributeValues":{":k":{"S":"p"}}`,
			`{"TableName":"Indexed","CapacityUnits":1.0,"Table":{"CapacityUnits":0.0},"LocalSecondaryIndexes":{"local":{"CapacityUnits":1.0}}}`},
		{"local, items read from the table", `"Select":"ALL_ATTRIBUTES","IndexName":"local","KeyConditionExpression":"pk = :k","ExpressionAttributeValues":{":k":{"S":"p"}}`,
			`{"TableName":"Indexed","CapacityUnits":2.5,"Table":{"CapacityUnits":2.0},"LocalSecondaryIndexes":{"local":{"CapacityUnits":0.5}}}`},
		{"local, one attribute from the table", `"ProjectionExpression":"sk, y","IndexName":"local","KeyConditionExpression":"pk = :k","ExpressionAttributeValues":{":k":{"S":"p"}}`,
			`{"TableName":"Indexed","CapacityUnits":2.5,"Table":{"CapacityUnits":2.0},"LocalSecondaryIndexes":{"local":{"CapacityUnits":0.5}}}`},
		{"local, projected attributes", `"ProjectionExpression":"pk, o","Select":"SPECIFIC_ATTRIBUTES","IndexName":"local","KeyConditionExpression":"pk = :k","ExpressionAttributeValues":{":k":{"S":"p"}}`,
			`{"TableName":"Indexed","CapacityUnits":0.5,"Table":{"CapacityUnits":0.0},"LocalSecondaryIndexes":{"local":{"CapacityUnits":0.5}}}`},
		{"local, AttributesToGet", `"AttributesToGet":["o"],"IndexName":"local","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]}}`,
			`{"TableName":"Indexed","CapacityUnits":0.5,"Table":{"CapacityUnits":0.0},"LocalSecondaryIndexes":{"local":{"CapacityUnits":0.5}}}`},
	} {
		got := b.must("Query", `{"TableName":"Indexed","ReturnConsumedCapacity":"INDEXES",`+tt.input+`}`)
		if _, got, _ = strings.Cut(got, `"ConsumedCapacity":`); got != tt.want+"}" {
			t.Errorf("%s:\n got %s\nwant %s}", tt.what, got, tt.want)
		}
	}
}

func TestItemCollectionMetrics(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", indexedTable)
	b.must("CreateTable", hashTable, "Things", "S")
	const metrics = `{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}`
	keyed := `"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"ReturnItemCollectionMetrics":`
	b.want("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"}},"ReturnItemCollectionMetrics":"SIZE"}`, `{"ItemCollectionMetrics":`+metrics+`}`)
	b.want("UpdateItem", `{`+keyed+`"SIZE"}`, `{"ItemCollectionMetrics":`+metrics+`}`)
	b.want("DeleteItem", `{`+keyed+`"SIZE","ReturnValues":"ALL_OLD"}`, `{"Attributes":{"pk":{"S":"p"},"sk":{"N":"1"}},"ItemCollectionMetrics":`+metrics+`}`)
	b.want("DeleteItem", `{`+keyed+`"NONE"}`, `{}`)
	b.want("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"p"}},"ReturnItemCollectionMetrics":"SIZE"}`, `{}`) // no local index
	out, err := b.client.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{
		ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize,
		RequestItems: map[string][]types.WriteRequest{
			"Things": {{DeleteRequest: &types.DeleteRequest{Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "p"}}}}},
			"Indexed": {{PutRequest: &types.PutRequest{Item: key("p", 1)}}, {PutRequest: &types.PutRequest{Item: key("p", 2)}},
				{DeleteRequest: &types.DeleteRequest{Key: key("q", 1)}}},
		}})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.ItemCollectionMetrics; len(got) != 1 || len(got["Indexed"]) != 2 || !slices.Equal(got["Indexed"][0].SizeEstimateRangeGB, []float64{0, 1}) {
		t.Errorf("got %+v", got)
	}
	b.wantError("BatchWriteItem", `{"RequestItems":{"Things":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}}]},"ReturnItemCollectionMetrics":"ALL"}`,
		"Validation: 1 validation error detected: Value 'ALL' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]")
}

// TestDescribeMeasuresIndexes counts what each index holds.
func TestDescribeMeasuresIndexes(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", indexedTable)
		b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"o":{"N":"1"},"y":{"S":"not in local"}}}`)
		b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"2"},"g":{"S":"g"}}}`)
		out, err := b.client.DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: aws.String("Indexed")})
		if err != nil {
			t.Fatal(err)
		}
		local, all, some := out.Table.LocalSecondaryIndexes[0], out.Table.GlobalSecondaryIndexes[0], out.Table.GlobalSecondaryIndexes[1]
		got := fmt.Sprint(*out.Table.ItemCount, *out.Table.TableSizeBytes, *local.ItemCount, *local.IndexSizeBytes,
			*all.ItemCount, *all.IndexSizeBytes, *some.ItemCount, *some.IndexSizeBytes)
		if want := fmt.Sprint(2, 32, 1, 10, 0, 0, 1, 9); got != want {
			t.Errorf("got items and bytes %s, want %s", got, want)
		}
	})
}
