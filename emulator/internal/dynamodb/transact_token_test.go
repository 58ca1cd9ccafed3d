package dynamodb

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/awsjson"
)

// reasons shows the cancellation reasons of an error.
func reasons(err error) string {
	var e *awsjson.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(e.Fields["CancellationReasons"])
}

const mismatch = "IdempotentParameterMismatch: The token of the request has been used with other parameters"

// tokened is a transaction that counts up, under a token.
func tokened(token string, by int) string {
	return fmt.Sprintf(`{"ClientRequestToken":"%s","TransactItems":[{"Update":{"TableName":"Things","Key":{"pk":{"S":"a"}},
		"UpdateExpression":"ADD n :n","ExpressionAttributeValues":{":n":{"N":"%d"}}}}]}`, token, by)
}

func (b *bench) wantN(want string) {
	b.t.Helper()
	b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}},"ProjectionExpression":"n"}`, `{"Item":{"n":{"N":"`+want+`"}}}`)
}

func TestTokens(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		for range 3 {
			b.want("TransactWriteItems", tokened("one", 1), `{}`)
		}
		b.must("TransactWriteItems", tokened("two", 1))
		b.wantN("2")
		b.wantError("TransactWriteItems", tokened("one", 2), mismatch)
		b.clock.Advance(tokenLife - time.Minute) // the rest goes by itself, too
		b.must("TransactWriteItems", tokened("one", 1))
		b.wantN("2")
		b.clock.Advance(2 * time.Minute)
		b.must("TransactWriteItems", tokened("one", 5)) // too old to be known
		b.must("TransactWriteItems", tokened("one", 5))
		b.wantN("7")
		if got := b.spaceLen(tokens); got != 2 {
			t.Errorf("the store has %d keys for tokens, want the two of one", got)
		}
	})
}

// TestTokenOfACancelledTransaction tries it again: with the parameters that it
// had, it is carried out when it can be; with others it is refused, as on AWS
// and unlike in DynamoDB Local.
func TestTokenOfACancelledTransaction(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		put := func(n int) string {
			return fmt.Sprintf(`{"ClientRequestToken":"t","TransactItems":[{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"},"n":{"N":"%d"}},"ConditionExpression":"attribute_not_exists(pk)"}}]}`, n)
		}
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"n":{"N":"0"}}}`)
		const cancelled = "TransactionCanceled: Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed]"
		b.wantError("TransactWriteItems", put(1), cancelled)
		b.wantError("TransactWriteItems", put(1), cancelled)
		b.must("DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}}}`)
		b.wantError("TransactWriteItems", put(2), mismatch)
		b.must("TransactWriteItems", put(1))
		b.must("DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}}}`)
		b.must("TransactWriteItems", put(1)) // it has been carried out
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"a"}}}`, `{}`)
	})
}

// TestTokenOutlivesTheProcess sends a transaction again when the store has been
// closed and opened.
func TestTokenOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Run("first", func(t *testing.T) {
		b := open(t, dir)
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("TransactWriteItems", tokened("one", 1))
	})
	t.Run("second", func(t *testing.T) {
		b := open(t, dir)
		b.must("TransactWriteItems", tokened("one", 1))
		b.wantN("1")
		b.must("CreateTable", hashTable, "Another", "S") // takes no space of the tokens
		b.want("Scan", `{"TableName":"Another"}`, `{"Items":[],"Count":0,"ScannedCount":0}`)
	})
}

func TestTokenDetails(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	// The order of members is no parameter, nor is what is wanted back.
	b.want("TransactWriteItems", `{"ReturnConsumedCapacity":"TOTAL","ClientRequestToken":"t","TransactItems":[{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"},"n":{"N":"1"}}}}]}`,
		`{"ConsumedCapacity":[{"TableName":"Things","CapacityUnits":2.0,"WriteCapacityUnits":2.0}]}`)
	b.want("TransactWriteItems", `{"TransactItems":[ {"Put":{"Item":{"n":{"N":"1"},"pk":{"S":"a"}},"TableName":"Things"}}],"ClientRequestToken":"t","ReturnConsumedCapacity":"INDEXES"}`,
		`{"ConsumedCapacity":[{"TableName":"Things","CapacityUnits":2.0,"ReadCapacityUnits":2.0,"Table":{"CapacityUnits":2.0,"ReadCapacityUnits":2.0}}]}`)
	b.wantError("TransactWriteItems", tokened("", 1), "Validation: 1 validation error detected: Value '' at 'clientRequestToken' failed to satisfy constraint: Member must have length greater than or equal to 1")
	b.wantError("TransactWriteItems", tokened("1234567890123456789012345678901234567", 1),
		"Validation: 1 validation error detected: Value '1234567890123456789012345678901234567' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36")
	for i := range 3 * maxForgotten {
		b.must("TransactWriteItems", tokened(fmt.Sprint("token", i), 1))
	}
	b.clock.Advance(time.Hour)
	for i := range 6 {
		b.must("TransactWriteItems", tokened(fmt.Sprint("later", i), 1))
	}
	if got, want := b.spaceLen(tokens), 2*6; got != want {
		t.Errorf("the store has %d keys for tokens, want %d", got, want)
	}
}
