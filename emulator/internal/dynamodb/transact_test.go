package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// cancellation shows why the SDK says a transaction was cancelled.
func cancellation(err error) string {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return fmt.Sprint(err)
	}
	parts := []string{cancelled.ErrorMessage()}
	for _, r := range cancelled.CancellationReasons {
		part := aws.ToString(r.Code)
		if r.Message != nil {
			part += ": " + *r.Message
		}
		if r.Item != nil {
			part += fmt.Sprintf(" (%d attributes)", len(r.Item))
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func text(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

func TestTransaction(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", indexedTable)
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"old"},"n":{"N":"1"}}}`)
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"gone"}}}`)
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"seen"}}}`)
		things := aws.String("Things")
		it := key("p", 1)
		it["g"], it["o"] = text("g"), number(3)
		writes := []types.TransactWriteItem{
			{Put: &types.Put{TableName: aws.String("Indexed"), Item: it, ConditionExpression: aws.String("attribute_not_exists(pk)")}},
			{Update: &types.Update{TableName: things, Key: map[string]types.AttributeValue{"pk": text("old")}, UpdateExpression: aws.String("ADD n :one"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":one": number(1)}}},
			{Delete: &types.Delete{TableName: aws.String("arn:aws:dynamodb:eu-central-1:123456789012:table/Things"), Key: map[string]types.AttributeValue{"pk": text("gone")}}},
			{ConditionCheck: &types.ConditionCheck{TableName: things, Key: map[string]types.AttributeValue{"pk": text("seen")}, ConditionExpression: aws.String("attribute_exists(pk)"),
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}},
		}
		ctx := context.Background()
		if _, err := b.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes}); err != nil {
			t.Fatal(err)
		}
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"old"}}}`, `{"Item":{"n":{"N":"2"},"pk":{"S":"old"}}}`)
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"gone"}}}`, `{}`)
		b.want("Scan", `{"TableName":"Indexed","IndexName":"all","Select":"COUNT"}`, `{"Count":1,"ScannedCount":1}`)
		b.wantInStep("Indexed")

		// Now the put fails, and so do all.
		writes[3].ConditionCheck.ConditionExpression = aws.String("attribute_not_exists(pk)")
		_, err := b.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		want := "Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None, None, ConditionalCheckFailed]; " +
			"ConditionalCheckFailed: The conditional request failed; None; None; ConditionalCheckFailed: The conditional request failed (1 attributes)"
		if got := cancellation(err); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"old"}}}`, `{"Item":{"n":{"N":"2"},"pk":{"S":"old"}}}`)

		out, err := b.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal, TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: aws.String("Indexed"), Key: key("p", 1), ProjectionExpression: aws.String("#g"), ExpressionAttributeNames: map[string]string{"#g": "g"}}},
			{Get: &types.Get{TableName: things, Key: map[string]types.AttributeValue{"pk": text("gone")}}},
			{Get: &types.Get{TableName: things, Key: map[string]types.AttributeValue{"pk": text("old")}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if r := out.Responses; len(r) != 3 || len(r[0].Item) != 1 || r[1].Item != nil || len(r[2].Item) != 2 {
			t.Errorf("got %+v", r)
		}
		if c := out.ConsumedCapacity; shown(&c[0]) != "Indexed 2" || shown(&c[1]) != "Things 4" || *c[1].ReadCapacityUnits != 4 {
			t.Errorf("got %+v", c)
		}
	})
}

func TestTransactionErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", indexedTable)
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"there"},"s":{"S":"x"}}}`)
	const (
		put      = `{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"}}}}`
		schema   = "The provided key element does not match the schema"
		noString = "Validation: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"
	)
	update := func(key, members string) string {
		return `{"Update":{"TableName":"Things","Key":{"pk":` + key + `},` + members + `}}`
	}
	for _, tt := range []struct{ items, want string }{
		{`[]`, "Validation: 1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{`null`, "Validation: 1 validation error detected: Value null at 'transactItems' failed to satisfy constraint: Member must not be null"},
		{`[` + strings.Repeat(put+",", 100) + put + `]`, "Validation: 1 validation error detected: Value at 'TransactItems' failed to satisfy constraint: Member must have length less than or equal to 100"},
		{`{}`, "Serialization: Start of structure or map found where not expected"},
		{`["put"]`, "Serialization: Unexpected value type in payload"},
		{`[{}]`, "Validation: Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"},
		{`[{"Get":{"TableName":"Things"}}]`, "Validation: Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"},
		{`[{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"}}},"Delete":{"TableName":"Things","Key":{"pk":{"S":"a"}}}}]`, "Validation: TransactItems can only contain one of Check, Put, Update or Delete"},
		{`[` + put + `,` + put + `]`, "Validation: Transaction request cannot include multiple operations on one item"},
		{`[` + put + `,{"ConditionCheck":{"TableName":"Things","Key":{"pk":{"S":"a"}},"ConditionExpression":"attribute_exists(pk)"}}]`, "Validation: Transaction request cannot include multiple operations on one item"},
		{`[{"Put":{"TableName":"Nothing","Item":{"pk":{"S":"a"}}}}]`, "ResourceNotFound: Requested resource not found"},
		{`[` + put + `,{"Update":{"TableName":"bad!name","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET a = pk"}}]`,
			"Validation: 1 validation error detected: Value 'bad!name' at 'transactItems.2.member.update.tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{`[{"Put":{}},{"Update":{"TableName":"Things"}},{"ConditionCheck":{"TableName":"Things","Key":{},"ReturnValuesOnConditionCheckFailure":"OLD"}}]`,
			"Validation: 6 validation errors detected: Value null at 'transactItems.1.member.put.tableName' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'transactItems.1.member.put.item' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'transactItems.2.member.update.key' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'transactItems.2.member.update.updateExpression' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'transactItems.3.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null; " +
				"Value 'OLD' at 'transactItems.3.member.conditionCheck.returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]"},
		{`[` + put + `,` + put + `],"ReturnConsumedCapacity":"A","ReturnItemCollectionMetrics":"B","ClientRequestToken":"` + strings.Repeat("t", 37) + `"`,
			"Validation: 3 validation errors detected: Value '" + strings.Repeat("t", 37) + "' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36; " +
				"Value 'A' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; " +
				"Value 'B' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]"},
		// Actions are looked at one after the other, before tables and keys.
		{`[{"Put":{"TableName":"Gone","Item":{"pk":{"S":"b"},"d":` + nested(40) + `}}},{"Put":{"TableName":"Gone","Item":{"":{"S":"x"}}}}]`, tooDeep},
		{`[{"Put":{"TableName":"Gone","Item":{"":{"S":"x"}}}},{"Put":{"TableName":"Gone","Item":{"pk":{"S":"b"},"d":` + nested(100) + `}}}]`, "Validation: Empty attribute name"},
		{`[{"Put":{"TableName":"Gone","Item":{"d":` + nested(100) + `,"":{"S":"x"}}}}]`, "Validation: Empty attribute name"},
		{`[{"Put":{"TableName":"Gone","Item":{"":{"S":"x"},"d":` + nested(100) + `}}}]`, "Validation: Empty attribute name"},
		{`[{"Put":{"TableName":"Gone","Item":{"m":{"M":{"":{"S":"x"}}},"d":` + nested(40) + `}}}]`, tooDeep},
		{`[{"Put":{"TableName":"Gone","Item":{"m":{"M":{"":{"S":"x"}}},"d":` + nested(31) + `}}}]`, "Validation: Empty attribute name"},
		{`[{"Update":{"TableName":"Gone","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET d = :d","ExpressionAttributeValues":{":d":` + nested(33) + `}}},{"Put":{"TableName":"Gone","Item":{"":{"S":"x"}}}}]`,
			"Validation: ExpressionAttributeValues contains invalid value: " + strings.TrimPrefix(tooDeep, "Validation: ") + " for key :d"},
		{`[{"Delete":{"TableName":"Gone","Key":{"pk":` + nested(40) + `}}},{"Put":{"TableName":"Gone","Item":{"pk":{"S":"a"}},"ConditionExpression":"a = = b"}}]`, tooDeep},
		{`[{"Delete":{"TableName":"Gone","Key":{"pk":` + nested(100) + `},"ConditionExpression":"a = = b"}}]`, `Validation: Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"`},
		{`[{"Delete":{"TableName":"Gone","Key":{"pk":` + nested(100) + `},"ConditionExpression":"a = :v` + strings.Repeat(" AND a = :v", 373) + `","ExpressionAttributeValues":{":v":{"S":"x"}}}}]`,
			"Validation: Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4109"},
		{`[{"Update":{"TableName":"Gone","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET ` + strings.Repeat("a", 4093) + `"}},{"ConditionCheck":{"TableName":"Gone","Key":{"pk":` + nested(100) + `},"ConditionExpression":"attribute_exists(a)"}}]`,
			"Validation: Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;"},
		{`[{"ConditionCheck":{"TableName":"Gone","Key":{"pk":` + nested(40) + `},"ConditionExpression":"attribute_exists(a)"}},` + update(`{"S":"a"}`, `"UpdateExpression":"SET a = :v","ExpressionAttributeValues":{":v":{"S":"x"},":u":{"S":"y"}}`) + `]`, tooDeep},
		{`[` + update(`{"S":"a"}`, `"UpdateExpression":"SET a = :v","ExpressionAttributeValues":{":v":{"S":"x"},":u":{"S":"y"}}`) + `,{"ConditionCheck":{"TableName":"Gone","Key":{"pk":` + nested(40) + `},"ConditionExpression":"attribute_exists(a)"}}]`,
			"Validation: Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}"},
		{`[{"Put":{"TableName":"Gone","Item":{"pk":{"S":"a"}}}},{"ConditionCheck":{"TableName":"Things","Key":{"pk":{"S":"b"}},"ConditionExpression":"attribute_exists("}}]`,
			`Validation: Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("`},
		{`[{"Put":{"TableName":"Gone","Item":{"pk":{"S":"a"}}}},{"ConditionCheck":{"TableName":"Things","Key":{"pk":{"S":"b"}},"ConditionExpression":"attribute_exists(pk)","ExpressionAttributeValues":{":v":{"S":"x"}}}}]`,
			"Validation: Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"},
		{`[{"Delete":{"TableName":"Things","Key":{"pk":{"S":"a"}},"ConditionExpression":"a ="}}]`, `Validation: Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="`},
		{`[{"Delete":{"TableName":"Things","Key":{"pk":{"S":"a"}},"ConditionExpression":"attribute_exists(pk)","ExpressionAttributeValues":{":v":{"S":"x"}}}}]`,
			"Validation: Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"},
		{`[{"Put":{"TableName":"Things","Item":{"pk":{"S":""}}}}]`, noString},
		{`[{"Delete":{"TableName":"Things","Key":{"pk":{"S":""}}}}]`, noString},
		{`[{"Put":{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":""}}}}]`,
			"Validation: One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: all, IndexKey: g"},
		{`[{"Update":{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":{"S":""}}}}]`,
			"Validation: One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value."},
		{`[` + update(`{"S":"a"}`, `"UpdateExpression":"SET pk = :v","ExpressionAttributeValues":{":v":{"S":"b"}}`) + `]`,
			"Validation: One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"},
		{`[{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"S":"` + strings.Repeat("x", maxItemSize) + `"}}}}]`, "Validation: Item size has exceeded the maximum allowed size"},
	} {
		b.wantError("TransactWriteItems", `{"TransactItems":`+tt.items+`}`, tt.want)
	}
	for _, tt := range []struct{ item, reason string }{
		{`{"Put":{"TableName":"Things","Item":{"pk":{"N":"5"}}}}`, "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"},
		{`{"Put":{"TableName":"Things","Item":{"x":{"N":"5"}}}}`, "One or more parameter values were invalid: Missing the key pk in the item"},
		{update(`{"N":"5"}`, `"UpdateExpression":"REMOVE x"`), schema},
		{`{"Delete":{"TableName":"Things","Key":{}}}`, schema},
		{`{"ConditionCheck":{"TableName":"Things","Key":{"pk":{"L":[]}},"ConditionExpression":"attribute_exists(pk)"}}`, schema},
		{`{"Put":{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"N":"1"}}}}`, "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all"},
		{update(`{"S":"there"}`, `"UpdateExpression":"SET s = s + :one","ExpressionAttributeValues":{":one":{"N":"1"}}`), "An operand in the update expression has an incorrect data type"},
		{`{"Update":{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":{"L":[]}}}}`,
			"One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: L IndexName: all"},
		{update(`{"S":"there"}`, `"UpdateExpression":"SET s = :d","ExpressionAttributeValues":{":d":`+nested(32)+`}`), "Nesting Levels have exceeded supported limits"},
		{update(`{"S":"none"}`, `"UpdateExpression":"SET s = absent"`), "The provided expression refers to an attribute that does not exist in the item"},
	} {
		_, err := b.do("TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"Things","Item":{"pk":{"S":"other"}}}},`+tt.item+`]}`)
		wantCancelled(t, tt.item, err, tt.reason)
	}
	b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"other"}}}`, `{}`)
}

// wantCancelled compares an error with that of a transaction whose second action
// is not valid.
func wantCancelled(t *testing.T, what string, err error, reason string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if got, want := short(err), "TransactionCanceled: Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]"; got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
		return
	}
	if got, want := reasons(err), fmt.Sprint([]map[string]any{{"Code": "None"}, {"Code": "ValidationError", "Message": reason}}); got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func TestTransactGetErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	for i := range 11 {
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%d"},"x":{"S":"%s"}}}`, i, strings.Repeat("x", 390<<10))
	}
	get := func(i int) string { return fmt.Sprintf(`{"Get":{"TableName":"Things","Key":{"pk":{"S":"%d"}}}}`, i) }
	large := get(0)
	for i := range 10 {
		large += "," + get(i+1)
	}
	for _, tt := range []struct{ items, want string }{
		{`[]`, "Validation: 1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{`[` + get(1) + `,{"Get":{"TableName":"bad!name","Key":{"pk":{"S":"a"}}}}]`,
			"Validation: 1 validation error detected: Value 'bad!name' at 'transactItems.2.member.get.tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{`[{"Get":{"TableName":"Nothing","Key":{"pk":{"S":"a"}}}}]`, "ResourceNotFound: Requested resource not found"},
		{`[{"Get":{"TableName":"Things","Key":{"pk":{"S":"a"}},"ProjectionExpression":"!!!"}}]`, `Validation: Invalid ProjectionExpression: Syntax error; token: "!", near: "!!"`},
		{`[` + get(1) + `,` + get(1) + `]`, "Validation: Transaction request cannot include multiple operations on one item"},
		{`[{"Get":{"TableName":"Things","Key":{}}}]`, "TransactionCanceled: Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]"},
		{`[` + large + `]`, "Validation: Transaction request cannot include items of more than 4 MB in all"},
	} {
		b.wantError("TransactGetItems", `{"TransactItems":`+tt.items+`}`, tt.want)
	}
}

// TestLargeTransaction writes as much as fits, and more.
func TestLargeTransaction(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	puts := func(n int) string {
		var items []string
		for i := range n {
			items = append(items, fmt.Sprintf(`{"Put":{"TableName":"Things","Item":{"pk":{"S":"%03d"},"x":{"S":"%s"}}}}`, i, strings.Repeat("x", 102_400-6)))
		}
		return `{"TransactItems":[` + strings.Join(items, ",") + `]}`
	}
	b.wantError("TransactWriteItems", puts(41), "Validation: Transaction payload size cannot exceed 4 MB")
	b.wantCount(0)
	b.must("TransactWriteItems", puts(40))
	b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"039"}},"ProjectionExpression":"pk"}`, `{"Item":{"pk":{"S":"039"}}}`)

	// What is there already does not count.
	b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"more"},"x":{"S":"%s"}}}`, strings.Repeat("x", 300<<10))
	items := []string{`{"Update":{"TableName":"Things","Key":{"pk":{"S":"more"}},"UpdateExpression":"SET y = :y","ExpressionAttributeValues":{":y":{"N":"1"}}}}`}
	for i := range 40 {
		items = append(items, fmt.Sprintf(`{"Delete":{"TableName":"Things","Key":{"pk":{"S":"%03d"}}}}`, i))
	}
	b.must("TransactWriteItems", `{"TransactItems":[`+strings.Join(items, ",")+`]}`)
	b.wantCount(1)
}

// TestUnsoundTransaction has actions that fail whatever the items are: only the
// first of them is told of, and no action that would fail because of its item.
func TestUnsoundTransaction(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", indexedTable)
	const (
		fails    = `{"ConditionCheck":{"TableName":"Indexed","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ConditionExpression":"attribute_exists(pk)"}}`
		wrongKey = `{"Put":{"TableName":"Indexed","Item":{"pk":{"N":"7"},"sk":{"N":"1"}}}}`
		wrongGSI = `{"Put":{"TableName":"Indexed","Item":{"pk":{"S":"b"},"sk":{"N":"1"},"g":{"N":"1"}}}}`
		update   = `{"Update":{"TableName":"Indexed","Key":{"pk":{"S":"c"},"sk":{"N":"1"}},"UpdateExpression":"SET x = y"}}`
	)
	for _, tt := range []struct{ actions, want string }{
		{fails + "," + wrongKey + "," + wrongGSI, "None, ValidationError, None"},
		{wrongGSI + "," + wrongKey + "," + fails, "ValidationError, None, None"},
		{fails + "," + update, "ConditionalCheckFailed, ValidationError"},
	} {
		b.wantError("TransactWriteItems", `{"TransactItems":[`+tt.actions+`]}`,
			"TransactionCanceled: Transaction cancelled, please refer cancellation reasons for specific reasons ["+tt.want+"]")
	}
	const get = `{"Get":{"TableName":"Indexed","Key":{"pk":{"N":"7"},"sk":{"N":"%d"}}}}`
	b.wantError("TransactGetItems", fmt.Sprintf(`{"TransactItems":[`+get+`,`+get+`]}`, 1, 2),
		"TransactionCanceled: Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError, None]")
}

func TestTransactionCosts(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", indexedTable)
	b.must("CreateTable", hashTable, "Things", "S")
	b.want("TransactWriteItems", `{"ReturnConsumedCapacity":"INDEXES","ReturnItemCollectionMetrics":"SIZE","TransactItems":[
		{"Put":{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"o":{"N":"1"}}}},
		{"ConditionCheck":{"TableName":"Indexed","Key":{"pk":{"S":"q"},"sk":{"N":"1"}},"ConditionExpression":"attribute_not_exists(pk)"}},
		{"Delete":{"TableName":"Things","Key":{"pk":{"S":"a"}}}}]}`,
		`{"ConsumedCapacity":[{"TableName":"Indexed","CapacityUnits":6.0,"WriteCapacityUnits":6.0,"Table":{"CapacityUnits":4.0,"WriteCapacityUnits":4.0},`+
			`"LocalSecondaryIndexes":{"local":{"CapacityUnits":2.0,"WriteCapacityUnits":2.0}}},`+
			`{"TableName":"Things","CapacityUnits":2.0,"WriteCapacityUnits":2.0,"Table":{"CapacityUnits":2.0,"WriteCapacityUnits":2.0}}],`+
			`"ItemCollectionMetrics":{"Indexed":[{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}]}}`)
	b.want("TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"Things","Key":{"pk":{"S":"a"}}}}]}`, `{}`)
}

// TestTransfers has 64 clients move money between accounts: none is lost, none
// is made, and no account falls below nothing.
func TestTransfers(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		const accounts, clients, transfers, start = 8, 64, 6, 20
		b.must("CreateTable", hashTable, "Things", "S")
		for i := range accounts {
			b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%d"},"n":{"N":"%d"}}}`, i, start)
		}
		ctx := context.Background()
		change := func(account int, expr, condition string, amount int) types.TransactWriteItem {
			u := &types.Update{TableName: aws.String("Things"), Key: map[string]types.AttributeValue{"pk": text(fmt.Sprint(account))},
				UpdateExpression: &expr, ExpressionAttributeValues: map[string]types.AttributeValue{":n": number(amount)}}
			if condition != "" {
				u.ConditionExpression = &condition
			}
			return types.TransactWriteItem{Update: u}
		}
		var wg sync.WaitGroup
		for client := range clients {
			rnd := rand.New(rand.NewPCG(11, uint64(client)))
			wg.Go(func() {
				for range transfers {
					from, amount := rnd.IntN(accounts), 1+rnd.IntN(15)
					to := (from + 1 + rnd.IntN(accounts-1)) % accounts
					_, err := b.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
						change(from, "SET n = n - :n", "n >= :n", amount), change(to, "SET n = n + :n", "", amount)}})
					if err != nil && !strings.Contains(err.Error(), "[ConditionalCheckFailed, None]") {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var gets []types.TransactGetItem
		for i := range accounts {
			gets = append(gets, types.TransactGetItem{Get: &types.Get{TableName: aws.String("Things"), Key: map[string]types.AttributeValue{"pk": text(fmt.Sprint(i))}}})
		}
		out, err := b.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, r := range out.Responses {
			var n int
			fmt.Sscan(r.Item["n"].(*types.AttributeValueMemberN).Value, &n)
			if sum += n; n < 0 {
				t.Errorf("an account has %d", n)
			}
		}
		if sum != accounts*start {
			t.Errorf("accounts have %d in all, want %d", sum, accounts*start)
		}
	})
}

// TestTransactionWithoutOlderParameters gives actions parameters from before
// expressions, which are no members of theirs: they mean nothing.
func TestTransactionWithoutOlderParameters(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("TransactWriteItems", `{"TransactItems":[
		{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"S":"1"}},"Expected":{"pk":{"Exists":true,"Value":{"S":"a"}}}}},
		{"Update":{"TableName":"Things","Key":{"pk":{"S":"b"}},"UpdateExpression":"SET x = :x","ExpressionAttributeValues":{":x":{"S":"2"}},"AttributeUpdates":{"y":{"Value":{"S":"3"}}}}}]}`)
	b.want("TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"Things","Key":{"pk":{"S":"a"}},"AttributesToGet":["pk"]}},{"Get":{"TableName":"Things","Key":{"pk":{"S":"b"}}}}]}`,
		`{"Responses":[{"Item":{"pk":{"S":"a"},"x":{"S":"1"}}},{"Item":{"pk":{"S":"b"},"x":{"S":"2"}}}]}`)
}
