package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"crypto-ticker/emulator"
)

// dynamoClient is the SDK's client as it comes, but for how long it waits before
// it tries again.
func dynamoClient(t *testing.T, url string) *dynamodb.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond }),
	})
}

// newTable makes a table with the key id, and with an index by owner.
func newTable(t *testing.T, db *dynamodb.Client, name string) {
	t.Helper()
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("owner"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("byOwner"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("owner"), KeyType: types.KeyTypeHash}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

type attributes = map[string]types.AttributeValue

func note(id string) attributes {
	return attributes{"id": &types.AttributeValueMemberS{Value: id}, "owner": &types.AttributeValueMemberS{Value: "ann"}}
}

func put(t *testing.T, db *dynamodb.Client, table string, it attributes) error {
	t.Helper()
	_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it})
	return err
}

// ids lists what a table has, "" if nothing.
func ids(t *testing.T, db *dynamodb.Client, table string, consistent bool) string {
	t.Helper()
	out, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: &consistent})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, it := range out.Items {
		all = append(all, it["id"].(*types.AttributeValueMemberS).Value)
	}
	return strings.Join(all, " ")
}

func fail(t *testing.T, d *emulator.DynamoDB, f emulator.Fault) {
	t.Helper()
	if err := d.Fail(f); err != nil {
		t.Fatal(err)
	}
}

// TestFaultsAndRetries lets the SDK try again, which it does twice.
func TestFaultsAndRetries(t *testing.T) {
	t.Parallel()
	d := emulator.RunDynamoDB(t)
	db := dynamoClient(t, d.URL())
	newTable(t, db, "Notes")
	newTable(t, db, "Others")
	for _, name := range []string{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError"} {
		t.Run(name, func(t *testing.T) {
			fail(t, d, emulator.Fault{Operation: "PutItem", Table: "Notes", Error: name, Times: 2})
			if err := put(t, db, "Others", note("a")); err != nil {
				t.Errorf("another table: %v", err)
			}
			if got := ids(t, db, "Notes", true); got != "" {
				t.Errorf("another operation: got %s", got)
			}
			if err := put(t, db, "Notes", note("a")); err != nil {
				t.Errorf("the third try: %v", err)
			}
			fail(t, d, emulator.Fault{Table: "Notes", Error: name})
			err := put(t, db, "Notes", note("b"))
			var api interface{ ErrorCode() string }
			var res interface{ HTTPStatusCode() int }
			want := http.StatusBadRequest
			if name == "InternalServerError" {
				want = http.StatusInternalServerError
			}
			if !errors.As(err, &api) || api.ErrorCode() != name || !errors.As(err, &res) || res.HTTPStatusCode() != want {
				t.Errorf("got %v, want %s with status %d", err, name, want)
			}
			d.ClearFaults()
			if got := ids(t, db, "Notes", true); got != "a" {
				t.Errorf("got %s, want a", got)
			}
			if err := d.Reset(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestUnprocessed(t *testing.T) {
	t.Parallel()
	d := emulator.RunDynamoDB(t)
	db := dynamoClient(t, d.URL())
	newTable(t, db, "Notes")
	newTable(t, db, "Others")
	fail(t, d, emulator.Fault{Table: "Notes", Error: "UnprocessedItems", Times: 3})
	var writes []types.WriteRequest
	keys := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for i := range 5 {
		id := fmt.Sprint(i)
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: note(id)}})
		keys.Keys = append(keys.Keys, attributes{"id": &types.AttributeValueMemberS{Value: id}})
	}
	var left []int
	for todo := map[string][]types.WriteRequest{"Notes": writes, "Others": writes[:1]}; len(todo) > 0; {
		out, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: todo})
		if err != nil {
			t.Fatal(err)
		}
		todo = out.UnprocessedItems
		left = append(left, len(todo["Notes"]))
	}
	if got := fmt.Sprint(left); got != "[3 0]" {
		t.Errorf("the batches left %s", got)
	}
	if got := ids(t, db, "Others", true); got != "0" {
		t.Errorf("the other table has %s", got)
	}
	fail(t, d, emulator.Fault{Operation: "BatchGetItem", Error: "UnprocessedItems", Times: 1})
	got, calls := 0, 0
	for todo := map[string]types.KeysAndAttributes{"Notes": keys}; len(todo) > 0; calls++ {
		out, err := db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: todo})
		if err != nil {
			t.Fatal(err)
		}
		got += len(out.Responses["Notes"])
		todo = out.UnprocessedKeys
	}
	if got != 5 || calls != 2 {
		t.Errorf("got %d items in %d calls, want 5 in 2", got, calls)
	}
}

func TestTransactionConflict(t *testing.T) {
	t.Parallel()
	d := emulator.RunDynamoDB(t)
	db := dynamoClient(t, d.URL())
	newTable(t, db, "Notes")
	newTable(t, db, "Others")
	fail(t, d, emulator.Fault{Table: "Notes", Error: "TransactionConflictException"})
	_, err := db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String("Others"), Item: note("a")}}, {Put: &types.Put{TableName: aws.String("Notes"), Item: note("a")}}}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 2 ||
		*cancelled.CancellationReasons[0].Code != "None" || *cancelled.CancellationReasons[1].Code != "TransactionConflict" {
		t.Errorf("got %v", err)
	}
	var conflict *types.TransactionConflictException
	if err := put(t, db, "Notes", note("a")); !errors.As(err, &conflict) {
		t.Errorf("got %v, want a TransactionConflictException", err)
	}
	if got := ids(t, db, "Others", true); got != "" {
		t.Errorf("got %s, want nothing", got)
	}
}

func TestFaultMistakes(t *testing.T) {
	t.Parallel()
	d := emulator.RunDynamoDB(t)
	for _, tt := range []struct {
		fault emulator.Fault
		want  string
	}{
		{emulator.Fault{Error: "Throttling"}, `unknown error "Throttling" of a fault: it can be InternalServerError, `},
		{emulator.Fault{}, `unknown error ""`},
		{emulator.Fault{Error: "InternalServerError", Operation: "Put"}, `unknown operation "Put"`},
		{emulator.Fault{Error: "UnprocessedItems", Operation: "PutItem"}, "PutItem leaves nothing unprocessed"},
		{emulator.Fault{Error: "InternalServerError", Times: -1}, "cannot happen -1 times"},
	} {
		if err := d.Fail(tt.fault); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %s", tt.fault, err, tt.want)
		}
	}
}

func TestLag(t *testing.T) {
	t.Parallel()
	d := emulator.RunDynamoDB(t)
	db := dynamoClient(t, d.URL())
	newTable(t, db, "Notes")
	d.Lag(time.Hour)
	if err := put(t, db, "Notes", note("a")); err != nil {
		t.Fatal(err)
	}
	owned := func() int32 {
		out, err := db.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("Notes"), IndexName: aws.String("byOwner"),
			KeyConditionExpression:    aws.String("#o = :o"),
			ExpressionAttributeNames:  map[string]string{"#o": "owner"},
			ExpressionAttributeValues: attributes{":o": &types.AttributeValueMemberS{Value: "ann"}}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Count
	}
	if late, now, n := ids(t, db, "Notes", false), ids(t, db, "Notes", true), owned(); late != "" || now != "a" || n != 0 {
		t.Errorf("before: a late read has %q, a consistent one %q, the index %d", late, now, n)
	}
	d.Advance(time.Hour + time.Second)
	if late, n := ids(t, db, "Notes", false), owned(); late != "a" || n != 1 {
		t.Errorf("after: a late read has %q, the index %d", late, n)
	}
}

func TestExpireAfter(t *testing.T) {
	t.Parallel()
	d := emulator.RunDynamoDB(t)
	db := dynamoClient(t, d.URL())
	newTable(t, db, "Notes")
	_, err := db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: aws.String("Notes"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)}})
	if err != nil {
		t.Fatal(err)
	}
	setting, err := db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("Notes")})
	if err != nil || setting.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusEnabled || *setting.TimeToLiveDescription.AttributeName != "ttl" {
		t.Errorf("got %+v, %v", setting, err)
	}
	it := note("a")
	it["ttl"] = &types.AttributeValueMemberN{Value: fmt.Sprint(time.Now().Add(time.Hour).Unix())}
	if err := put(t, db, "Notes", it); err != nil {
		t.Fatal(err)
	}
	want := func(when, want string) {
		t.Helper()
		if got := ids(t, db, "Notes", true); got != want {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
	}
	d.ExpireAfter(-1)
	d.Advance(100 * time.Hour)
	want("never", "a")
	d.ExpireAfter(150 * time.Hour)
	d.Advance(50 * time.Hour)
	want("149 hours late", "a")
	d.Advance(2 * time.Hour)
	want("151 hours late", "")
	d.ExpireAfter(-1)
	if err := put(t, db, "Notes", it); err != nil {
		t.Fatal(err)
	}
	want("again", "a")
	d.ExpireAfter(0)
	want("at once", "")
}

func TestSnapshots(t *testing.T) {
	t.Parallel()
	d := emulator.RunDynamoDB(t)
	db := dynamoClient(t, d.URL())
	newTable(t, db, "Notes")
	if err := put(t, db, "Notes", note("a")); err != nil {
		t.Fatal(err)
	}
	before, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := put(t, db, "Notes", note("b")); err != nil {
			t.Fatal(err)
		}
		newTable(t, db, "Others")
		if err := d.Restore(before); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, db, "Notes", true); got != "a" {
			t.Errorf("got %q, want a", got)
		}
		var none *types.ResourceNotFoundException
		if err := put(t, db, "Others", note("a")); !errors.As(err, &none) {
			t.Errorf("the new table: got %v", err)
		}
	}
	if _, err := db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("Notes")}); err != nil {
		t.Fatal(err)
	}
	other := emulator.RunDynamoDB(t)
	for _, d := range []*emulator.DynamoDB{d, other} {
		db := dynamoClient(t, d.URL())
		if err := d.Restore(before); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, db, "Notes", true); got != "a" {
			t.Errorf("got %q, want a", got)
		}
		if err := d.Reset(); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, db, "Notes", true); got != "" {
			t.Errorf("after Reset: got %q, want nothing", got)
		}
		out, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("Notes")})
		if err != nil || *out.Table.ItemCount != 0 || *out.Table.GlobalSecondaryIndexes[0].ItemCount != 0 {
			t.Errorf("after Reset: got %+v, %v", out, err)
		}
		if err := put(t, db, "Notes", note("c")); err != nil {
			t.Error(err)
		}
	}
}
