package eventsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"crypto-ticker/emulator/internal/dynamodb"
)

// eventID are the parts of an event that differ from run to run.
var eventID = regexp.MustCompile(`"eventID":"[0-9a-f]{32}"`)

// TestEvent compares the event of some changes, one of them an expiry, with the
// example of AWS, and decodes it as functions do.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func TestEvent(t *testing.T) {
	inBubble(t, nil, nil, func(r *rig) {
		const key = `{"TableName":"Notes","Key":{"id":{"N":"101"}}`
		r.do("UpdateTimeToLive", `{"TableName":"Notes","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`)
		r.do("PutItem", `{"TableName":"Notes","Item":{"id":{"N":"101"},"Message":{"S":"New item!"}}}`)
		r.do("UpdateItem", key+`,"UpdateExpression":"SET #t = :t","ExpressionAttributeNames":{"#t":"ttl"},"ExpressionAttributeValues":{":t":{"N":"`+fmt.Sprint(r.clock.Now().Unix())+`"}}}`)
		time.Sleep(3 * time.Minute)
		consumer, err := r.tables.Consume(r.tables.LatestStream("Notes"), "test", false)
		if err != nil {
			t.Fatal(err)
		}
		records, _, err := consumer.Read(10)
		if err != nil || len(records) != 3 {
			t.Fatalf("got %d records, %v", len(records), err)
		}
		got := event(records)
		want, err := os.ReadFile("testdata/event.json")
		if err != nil {
			t.Fatal(err)
		}
		var g, w any
		if err := errors.Join(json.Unmarshal(eventID.ReplaceAll(got, []byte(`"eventID":"random"`)), &g), json.Unmarshal(want, &w)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(g, w) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		var e events.DynamoDBEvent
		if err := json.Unmarshal(got, &e); err != nil {
			t.Fatal(err)
		}
		last := e.Records[2]
		if last.EventName != "REMOVE" || last.UserIdentity == nil || last.UserIdentity.Type != "Service" || last.UserIdentity.PrincipalID != "dynamodb.amazonaws.com" ||
			last.EventSourceArn != r.tables.LatestStream("Notes") || last.Change.OldImage["Message"].String() != "New item!" {
			t.Errorf("got %+v", last)
		}
	})
}

func TestFirstFailure(t *testing.T) {
	t.Parallel()
	records := []dynamodb.StreamRecord{{Sequence: "a"}, {Sequence: "b"}, {Sequence: "c"}}
	for _, tt := range []struct {
		answer string
		done   int
		want   outcome
	}{
		{``, 3, succeeded},
		{`null`, 3, succeeded},
		{`{}`, 3, succeeded},
		{`{"batchItemFailures":null}`, 3, succeeded},
		{`{"batchItemFailures":[]}`, 3, succeeded},
		{`{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"b"}]}`, 1, reported},
		{`{"batchItemFailures":[{"itemIdentifier":"a"}]}`, 0, reported},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, 0, failed},
		{`{"batchItemFailures":[{"itemIdentifier":null}]}`, 0, failed},
		{`{"batchItemFailures":[{"item":"b"}]}`, 0, failed},
		{`{"batchItemFailures":[{"itemIdentifier":"x"}]}`, 0, failed},
		{`{"batchItemFailures":{}}`, 0, failed},
		{`"text"`, 0, failed},
	} {
		if done, o := firstFailure([]byte(tt.answer), records); done != tt.done || o != tt.want {
			t.Errorf("%s: got %d and %d, want %d and %d", tt.answer, done, o, tt.done, tt.want)
		}
	}
}
