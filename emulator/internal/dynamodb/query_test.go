package dynamodb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sorts gives the sort keys of an answer's items, in their order.
func sorts(t testing.TB, answer string) string {
	t.Helper()
	var keys []string
	for _, it := range decodeJSON(t, answer)["Items"].([]any) {
		for _, v := range it.(map[string]any)["sk"].(map[string]any) {
			keys = append(keys, fmt.Sprint(v))
		}
	}
	return strings.Join(keys, " ")
}

func TestQueryKeyConditions(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", sortTable, "Rows", "N")
		for _, n := range []int{3, -20, 100, 0, 10, -3, 2} {
			b.must("PutItem", `{"TableName":"Rows","Item":{"pk":{"S":"p"},"sk":{"N":"%d"}}}`, n)
		}
		b.must("PutItem", `{"TableName":"Rows","Item":{"pk":{"S":"q"},"sk":{"N":"3"}}}`)
		for _, tt := range []struct{ expr, values, want string }{
			{"pk = :p", ``, "-20 -3 0 2 3 10 100"},
			{":p = pk AND :a > sk", `,":a":{"N":"0"}`, "-20 -3"},
			{":p = pk AND :a >= sk", `,":a":{"N":"0"}`, "-20 -3 0"},
			{":p = pk AND :a < sk", `,":a":{"N":"3"}`, "10 100"},
			{":p = pk AND (sk = :a)", `,":a":{"N":"3.0"}`, "3"},
			{"pk = :p AND sk < :a", `,":a":{"N":"2"}`, "-20 -3 0"},
			{"sk <= :a AND pk = :p", `,":a":{"N":"2"}`, "-20 -3 0 2"},
			{"pk = :p AND sk > :a", `,":a":{"N":"3"}`, "10 100"},
			{"pk = :p AND :a <= sk", `,":a":{"N":"3"}`, "3 10 100"},
			{"pk = :p AND sk BETWEEN :a AND :b", `,":a":{"N":"-3"},":b":{"N":"3"}`, "-3 0 2 3"},
			{"pk = :p AND sk > :a", `,":a":{"N":"100"}`, ""},
			{"pk = :p AND sk = :a", `,":a":{"N":"5"}`, ""},
		} {
			for _, forward := range []bool{true, false} {
				got := sorts(t, b.must("Query", `{"TableName":"Rows","KeyConditionExpression":"%s","ExpressionAttributeValues":{":p":{"S":"p"}%s},"ScanIndexForward":%v}`, tt.expr, tt.values, forward))
				want := strings.Fields(tt.want)
				if !forward {
					slices.Reverse(want)
				}
				if got != strings.Join(want, " ") {
					t.Errorf("%s, forward %v: got %s, want %s", tt.expr, forward, got, want)
				}
			}
		}
	})
}

func TestQueryTextKeys(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", sortTable, "Rows", "S")
		for _, s := range []string{"b", "a#1", "a", "a#", "ab", "ä", `a#\u0000`, "Z"} {
			b.must("PutItem", `{"TableName":"Rows","Item":{"pk":{"S":"p"},"sk":{"S":"`+s+`"}}}`)
		}
		for _, tt := range []struct{ expr, a, want string }{
			{"pk = :p", "", "Z a a# a#\x00 a#1 ab b ä"},
			{"pk = :p AND begins_with(sk, :a)", "a#", "a# a#\x00 a#1"},
			{"pk = :p AND begins_with(sk, :a)", "x", ""},
			{"pk = :p AND sk > :a", "a#", "a#\x00 a#1 ab b ä"},
		} {
			values := `":p":{"S":"p"}`
			if tt.a != "" {
				values += `,":a":{"S":"` + tt.a + `"}`
			}
			if got := sorts(t, b.must("Query", `{"TableName":"Rows","KeyConditionExpression":"%s","ExpressionAttributeValues":{%s}}`, tt.expr, values)); got != tt.want {
				t.Errorf("%s %s: got %q, want %q", tt.expr, tt.a, got, tt.want)
			}
		}
	})
}

func TestQueryErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", sortTable, "Rows", "N")
	const operand = "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: "
	b.wantError("Query", `{"TableName":"Gone","KeyConditionExpression":"pk = :n AND begins_with(sk, :n)","ExpressionAttributeValues":{":n":{"N":"1"}}}`, "Validation: "+operand+"begins_with, operand type: N")
	for _, tt := range []struct{ expr, want string }{
		{"sk = :n", "Query condition missed key schema element: pk"},
		{"pk = :s AND x = :n", "Query condition missed key schema element: sk"},
		{"pk > :s", "Query key condition not supported"},
		{"pk = :s AND sk > :n AND sk < :n", "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"},
		{"pk = :s AND sk > :n AND extra = :n", "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)"},
		{"pk = :s AND pk = :s", "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"},
		{"pk = :s AND sk = :t", "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		// Of several mistakes, that on the left is told.
		{"pk = :s AND sk < :t", operand + "<, operand type: BOOL"},
		{"pk = :s AND :t >= sk", operand + ">=, operand type: BOOL"},
		{"pk = :s AND sk BETWEEN :t AND :t", operand + "BETWEEN, operand type: BOOL"},
		{"pk = :s AND begins_with(sk, :n)", operand + "begins_with, operand type: N"},
		{"pk = :s AND begins_with(sk, :n) AND sk = :gone", operand + "begins_with, operand type: N"},
		{"pk = :s AND begins_with(sk, :n) AND sk > :s", operand + "begins_with, operand type: N"},
		{"begins_with(sk, :n) AND pk = :gone", operand + "begins_with, operand type: N"},
		{"pk = :gone AND begins_with(sk, :n)", "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :gone"},
		{"pk = :s OR sk = :n", "Invalid operator used in KeyConditionExpression: OR"},
		{"pk = :s AND sk <> :n", "Invalid operator used in KeyConditionExpression: <>"},
		{"pk = :s AND contains(sk, :n)", "Invalid operator used in KeyConditionExpression: contains"},
		{"pk = :n", "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		{"pk = :s AND sk = :s", "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		{"pk = :e", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"pk = :s AND begins_with(sk, :s)", "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		{"pk = :s AND size(sk) = :n", "KeyConditionExpressions cannot contain nested operations"},
		{"pk = sk AND sk = :n", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"},
		{":s = :s AND sk = :n", "Invalid condition in KeyConditionExpression: No key attribute specified"},
		{"pk = :s AND :n BETWEEN sk AND :n", "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand"},
		{"begins_with(:s, pk)", "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand"},
		{"pk.a = :s", "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"pk", `Invalid KeyConditionExpression: Syntax error; token: "<EOF>", near: "pk"`},
	} {
		var values []string
		for name, v := range map[string]string{":s": `{"S":"a"}`, ":n": `{"N":"1"}`, ":e": `{"S":""}`, ":t": `{"BOOL":true}`} {
			if strings.Contains(tt.expr, name) {
				values = append(values, `"`+name+`":`+v)
			}
		}
		if values == nil {
			values = []string{`":s":{"S":"a"}`}
		}
		b.wantError("Query", fmt.Sprintf(`{"TableName":"Rows","KeyConditionExpression":"%s","ExpressionAttributeValues":{%s}}`, tt.expr, strings.Join(values, ",")), "Validation: "+tt.want)
	}
	ok := `"TableName":"Rows","KeyConditionExpression":"pk = :s","ExpressionAttributeValues":{":s":{"S":"a"}}`
	for _, tt := range []struct{ members, want string }{
		{`,"Limit":0`, "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{`,"FilterExpression":"sk = :s"`, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		{`,"FilterExpression":"size(pk) = :s"`, "Filter Expression can only contain non-primary key attributes: Primary key attribute: pk"},
		{`,"FilterExpression":"attribute_exists(x) AND NOT (x = :s OR begins_with(sk, :s))"`, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		{`,"FilterExpression":"x ="`, `Invalid FilterExpression: Syntax error; token: "<EOF>", near: "="`},
		{`,"ProjectionExpression":"x,"`, `Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","`},
		{`,"Select":"SPECIFIC_ATTRIBUTES"`, "1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		{`,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"a"}}`, "The provided key element does not match the schema"},
		{`,"ExclusiveStartKey":{"pk":{"S":"a"},"x":{"S":"a"}}`, "The provided starting key is invalid"},
		{`,"ExclusiveStartKey":{"pk":{"S":""},"sk":{"N":"1"}}`, "The provided starting key is invalid: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{`,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"NULL":false}}`, "The provided starting key is invalid: One or more parameter values were invalid: Null attribute value types must have the value of true"},
		{`,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"N":"x"}}`, "The parameter cannot be converted to a numeric value: x"},
		{`,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"N":"1"}}`, "The provided starting key is invalid"},
		{`,"IndexName":"none"`, "The table does not have the specified index: none"},
		{`,"Select":"ALL_PROJECTED_ATTRIBUTES"`, "One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
		{`,"Select":"COUNT","ProjectionExpression":"x"`, "Cannot specify the ProjectionExpression when choosing to get COUNT"},
		{`,"ExclusiveStartKey":{"pk":{"S":"a"}}`, "The provided starting key is invalid"},
		{`,"ExclusiveStartKey":{"pk":{"S":"b"},"sk":{"N":"1"}}`, "The provided starting key is outside query boundaries based on provided conditions"},
	} {
		b.wantError("Query", "{"+ok+tt.members+"}", "Validation: "+tt.want)
	}
	sorted := `{"TableName":"Rows","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]},"sk":{"ComparisonOperator":"GT","AttributeValueList":[{"N":"5"}]}},"ExclusiveStartKey":{"pk":{"S":"%s"},"sk":{"N":"%d"}}}`
	b.wantError("Query", fmt.Sprintf(sorted, "a", 5), "Validation: The provided starting key does not match the range key predicate")
	b.wantError("Query", fmt.Sprintf(sorted, "b", 6), "Validation: The query can return at most one row and cannot be restarted")
	b.must("Query", fmt.Sprintf(sorted, "a", 6))
	b.wantError("Scan", `{"TableName":"Rows","ExclusiveStartKey":{"pk":{"S":"a"}}}`, "Validation: The provided starting key is invalid: The provided key element does not match the schema")
	b.wantError("Query", `{"TableName":"Rows"}`, "Validation: Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	b.wantError("Scan", `{"TableName":"Rows","Segment":3,"TotalSegments":3}`, "Validation: The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 3 is not less than TotalSegments: 3")
	b.wantError("Scan", `{"TableName":"Rows","Segment":3}`, "Validation: The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
}

// TestPages reads through the SDK's paginators, in pages cut by Limit and by
// size, forwards and backwards.
func TestPages(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", sortTable, "Rows", "S")
		big := strings.Repeat("x", 300<<10)
		for i := range 10 {
			b.must("PutItem", `{"TableName":"Rows","Item":{"pk":{"S":"p"},"sk":{"S":"%02d"},"even":{"BOOL":%v},"big":{"S":"%s"}}}`, i, i%2 == 0, big)
		}
		for _, tt := range []struct {
			name                        string
			limit                       int32
			backwards                   bool
			filter                      bool
			pages, items                int
			firstScanned, firstReturned int32
		}{
			{"size", 0, false, false, 3, 10, 4, 4},
			{"size backwards", 0, true, false, 3, 10, 4, 4},
			{"limit", 3, false, false, 4, 10, 3, 3},
			{"limit backwards with filter", 3, true, true, 4, 5, 3, 1},
			{"filter", 0, false, true, 3, 5, 4, 2},
		} {
			in := &dynamodb.QueryInput{TableName: aws.String("Rows"), KeyConditionExpression: aws.String("pk = :p"), ScanIndexForward: aws.Bool(!tt.backwards),
				ProjectionExpression: aws.String("sk"), ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: "p"}}}
			if tt.limit > 0 {
				in.Limit = aws.Int32(tt.limit)
			}
			if tt.filter {
				in.FilterExpression = aws.String("even = :t")
				in.ExpressionAttributeValues[":t"] = &types.AttributeValueMemberBOOL{Value: true}
			}
			var keys []string
			pages := 0
			for p := dynamodb.NewQueryPaginator(b.client, in); p.HasMorePages(); pages++ {
				out, err := p.NextPage(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if pages == 0 && (out.ScannedCount != tt.firstScanned || out.Count != tt.firstReturned) {
					t.Errorf("%s: first page: got %d of %d, want %d of %d", tt.name, out.Count, out.ScannedCount, tt.firstReturned, tt.firstScanned)
				}
				for _, it := range out.Items {
					keys = append(keys, it["sk"].(*types.AttributeValueMemberS).Value)
				}
			}
			ordered := slices.IsSorted(keys)
			if tt.backwards {
				slices.Reverse(keys)
				ordered = slices.IsSorted(keys)
			}
			if pages != tt.pages || len(slices.Compact(keys)) != tt.items || !ordered {
				t.Errorf("%s: got %d pages, %v; want %d pages, %d items", tt.name, pages, keys, tt.pages, tt.items)
			}
		}
		b.want("Query", `{"TableName":"Rows","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}},"Select":"COUNT","Limit":2,"ReturnConsumedCapacity":"TOTAL"}`,
			`{"Count":2,"ScannedCount":2,"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"S":"01"}},"ConsumedCapacity":{"TableName":"Rows","CapacityUnits":75.5}}`)
		b.want("Query", `{"TableName":"Rows","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"none"}}}`, `{"Items":[],"Count":0,"ScannedCount":0}`)
	})
}

func TestScan(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		const items = 200
		b.must("CreateTable", hashTable, "Things", "N")
		for i := range items {
			b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"N":"%d"}}}`, i)
		}
		for _, segments := range []int{1, 2, 3, 7, 1000} {
			seen := map[string]int{}
			for segment := range segments {
				in := &dynamodb.ScanInput{TableName: aws.String("Things"), Limit: aws.Int32(17), Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(segments))}
				for p := dynamodb.NewScanPaginator(b.client, in); p.HasMorePages(); {
					out, err := p.NextPage(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					for _, it := range out.Items {
						seen[it["pk"].(*types.AttributeValueMemberN).Value]++
					}
				}
			}
			for key, times := range seen {
				if times != 1 {
					t.Errorf("%d segments: %s came %d times", segments, key, times)
				}
			}
			if len(seen) != items {
				t.Errorf("%d segments: got %d items", segments, len(seen))
			}
		}
		b.wantError("Scan", `{"TableName":"Things","Select":"SPECIFIC_ATTRIBUTES"}`, "Validation: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
		wrong := 0 // the item's key is in one of two segments, whatever expression stands there for a query
		for segment := range 2 {
			_, err := b.do("Scan", `{"TableName":"Things","KeyConditionExpression":"pk = :p","Segment":%d,"TotalSegments":2,"ExclusiveStartKey":{"pk":{"N":"7"}}}`, segment)
			want := fmt.Sprintf("Validation: The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: %d", segment)
			if err != nil && short(err) == want {
				wrong++
			}
		}
		if wrong != 1 {
			t.Errorf("a key is in the wrong one of two segments %d times", wrong)
		}
		b.want("Scan", `{"TableName":"Things","FilterExpression":"pk IN (:a, :b)","ExpressionAttributeValues":{":a":{"N":"7"},":b":{"N":"-7"}}}`, `{"Items":[{"pk":{"N":"7"}}],"Count":1,"ScannedCount":200}`)
	})
}

const indexedTable = `{"TableName":"Indexed","BillingMode":"PAY_PER_REQUEST",
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"o","AttributeType":"N"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
	"LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"o","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
	"GlobalSecondaryIndexes":[{"IndexName":"all","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"o","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}},
		{"IndexName":"some","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["x"]}}]}`

func TestIndexes(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", indexedTable)
		for i, o := range []int{30, 10, 20, 10} {
			b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},"g":{"S":"g"},"o":{"N":"%d"},"x":{"S":"x%d"},"y":{"S":"y"}}}`, i, o, i)
		}
		b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"9"}}}`) // in no index
		query := func(index, rest string) string {
			return b.must("Query", `{"TableName":"Indexed","IndexName":"%s","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"g"}}%s}`, index, rest)
		}
		if got, want := sorts(t, query("all", "")), "1 3 2 0"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := query("all", `,"Limit":1`), `{"Items":[{"g":{"S":"g"},"o":{"N":"10"},"pk":{"S":"p"},"sk":{"N":"1"},"x":{"S":"x1"},"y":{"S":"y"}}],"Count":1,"ScannedCount":1,`+
			`"LastEvaluatedKey":{"g":{"S":"g"},"o":{"N":"10"},"pk":{"S":"p"},"sk":{"N":"1"}}}`; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if got, want := sorts(t, query("all", `,"ExclusiveStartKey":{"g":{"S":"g"},"o":{"N":"10"},"pk":{"S":"p"},"sk":{"N":"1"}}`)), "3 2 0"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := query("some", `,"Limit":1`), `{"Items":[{"g":{"S":"g"},"pk":{"S":"p"},"sk":{"N":"0"},"x":{"S":"x0"}}],"Count":1,"ScannedCount":1,"LastEvaluatedKey":{"g":{"S":"g"},"pk":{"S":"p"},"sk":{"N":"0"}}}`; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		local := `{"TableName":"Indexed","IndexName":"local","KeyConditionExpression":"pk = :p AND o >= :o","ExpressionAttributeValues":{":p":{"S":"p"},":o":{"N":"30"}}%s}`
		b.want("Query", fmt.Sprintf(local, ""), `{"Items":[{"o":{"N":"30"},"pk":{"S":"p"},"sk":{"N":"0"}}],"Count":1,"ScannedCount":1}`)
		b.want("Query", fmt.Sprintf(local, `,"ProjectionExpression":"y","ConsistentRead":true`), `{"Items":[{"y":{"S":"y"}}],"Count":1,"ScannedCount":1}`)
		b.want("Query", fmt.Sprintf(local, `,"Select":"ALL_ATTRIBUTES"`), `{"Items":[{"g":{"S":"g"},"o":{"N":"30"},"pk":{"S":"p"},"sk":{"N":"0"},"x":{"S":"x0"},"y":{"S":"y"}}],"Count":1,"ScannedCount":1}`)

		b.want("Query", fmt.Sprintf(local, `,"ProjectionExpression":"o, sk"`), `{"Items":[{"o":{"N":"30"},"sk":{"N":"0"}}],"Count":1,"ScannedCount":1}`)
		b.wantError("Query", fmt.Sprintf(local, `,"FilterExpression":"attribute_exists(y) OR sk = :o"`), "Validation: One or more parameter values were invalid: Secondary index local does not project one or more filter attributes: [y]")
		b.wantError("Query", fmt.Sprintf(local, `,"Select":"ALL_ATTRIBUTES","FilterExpression":"x <> y"`), "Validation: One or more parameter values were invalid: Secondary index local does not project one or more filter attributes: [x, y]")
		for _, index := range []string{"local", "some"} { // to a scan's filter, attributes that are not projected are missing
			b.want("Scan", fmt.Sprintf(`{"TableName":"Indexed","IndexName":"%s","FilterExpression":"attribute_exists(y)"}`, index), `{"Items":[],"Count":0,"ScannedCount":4}`)
		}

		b.must("UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"UpdateExpression":"SET o = :o","ExpressionAttributeValues":{":o":{"N":"99"}}}`)
		b.must("UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"2"}},"UpdateExpression":"REMOVE g"}`)
		b.must("DeleteItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"3"}}}`)
		if got, want := sorts(t, query("all", "")), "0 1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		b.want("Scan", `{"TableName":"Indexed","IndexName":"local","Select":"COUNT"}`, `{"Count":3,"ScannedCount":3}`)

		b.wantError("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"N":"1"}}}`, "Validation: One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all")
		b.wantError("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":""}}}`, "Validation: One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: all, IndexKey: g")
		for value, want := range map[string]string{
			`{"N":"1"}`: "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all",
			`{"S":""}`:  "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value.",
			`{"S":"` + strings.Repeat("x", 2049) + `"}`: "The update expression attempted to update the secondary index key beyond allowed size limits",
		} {
			b.wantError("UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":`+value+`}}`, "Validation: "+want)
		}
		b.must("UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"2"}},"UpdateExpression":"SET n = sk"}`)
		for expr, want := range map[string]string{
			"SET g = n":             "The update expression attempted to update the secondary index key to unsupported type",
			"SET g.x = n ADD g :n":  "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [g, x], path two: [g]",
			"SET x = g[1] ADD g :n": "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all",
			"SET g = n + :n":        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all",
		} {
			values := `,"ExpressionAttributeValues":{":n":{"N":"1"}}`
			if !strings.Contains(expr, ":n") {
				values = ""
			}
			if strings.HasPrefix(want, "Invalid") {
				want = envelope + want
			}
			b.wantError("UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"2"}},"UpdateExpression":"`+expr+`"`+values+`}`, "Validation: "+want)
		}
		b.wantError("Query", `{"TableName":"Indexed","IndexName":"all","ConsistentRead":true,"KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"g"}}}`, "Validation: Consistent reads are not supported on global secondary indexes")
		b.wantError("Query", `{"TableName":"Indexed","IndexName":"some","Select":"ALL_ATTRIBUTES","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"g"}}}`,
			"Validation: One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index some because its projection type is not ALL")
		some := `{"TableName":"Indexed","IndexName":"some","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"g"}},%s}`
		b.wantError("Query", fmt.Sprintf(some, `"ProjectionExpression":"y, pk, x, o"`), "Validation: One or more parameter values were invalid: Global secondary index some does not project [o, y]")
		b.wantError("Query", fmt.Sprintf(some, `"FilterExpression":"size(y) > x OR y = :g"`), "Validation: One or more parameter values were invalid: Secondary index some does not project one or more filter attributes: [y]")
		for _, members := range []string{
			`"FilterExpression":"x = :v"`, `"FilterExpression":"x = :v","Select":"ALL_ATTRIBUTES"`, `"FilterExpression":"x = :v","ProjectionExpression":"x"`,
		} {
			b.wantError("Query", `{"TableName":"Indexed","IndexName":"local","KeyConditionExpression":"pk = :v","ExpressionAttributeValues":{":v":{"S":"p"}},`+members+`}`,
				"Validation: One or more parameter values were invalid: Secondary index local does not project one or more filter attributes: [x]")
		}
		b.want("Query", `{"TableName":"Indexed","IndexName":"local","KeyConditionExpression":"pk = :v","FilterExpression":"sk = :one","ProjectionExpression":"x","ExpressionAttributeValues":{":v":{"S":"p"},":one":{"N":"1"}}}`,
			`{"Items":[{"x":{"S":"x1"}}],"Count":1,"ScannedCount":3}`)
		b.want("Query", fmt.Sprintf(some, `"ProjectionExpression":"x, sk","FilterExpression":"x <> :g"`), `{"Items":[{"sk":{"N":"0"},"x":{"S":"x0"}},{"sk":{"N":"1"},"x":{"S":"x1"}}],"Count":2,"ScannedCount":2}`)
	})
}
