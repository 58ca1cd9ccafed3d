package dynamodb

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// streamTable is a table whose stream has the view of its argument.
const streamTable = `{"TableName":"Things","AttributeDefinitions":[{"AttributeName":"Id","AttributeType":"N"}],
	"KeySchema":[{"AttributeName":"Id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST",
	"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"%s"}}`

func put(id int, message string) string {
	return fmt.Sprintf(`{"TableName":"Things","Item":{"Id":{"N":"%d"},"Message":{"S":"%s"}}}`, id, message)
}

// member gives a text member of a JSON object.
func (b *bench) member(text, name string) string {
	b.t.Helper()
	s, _ := decodeJSON(b.t, text)[name].(string)
	return s
}

// iteratorInput is the input of GetShardIterator for the shard of a table's
// latest stream.
func (b *bench) iteratorInput(table, kind, more string) string {
	b.t.Helper()
	s := b.engine.streams.find(b.engine.LatestStream(table))
	return fmt.Sprintf(`{"StreamArn":%q,"ShardId":%q,"ShardIteratorType":%q%s}`, s.arn, s.shard, kind, more)
}

func (b *bench) iterator(table, kind, more string) string {
	b.t.Helper()
	return b.member(b.must("GetShardIterator", b.iteratorInput(table, kind, more)), "ShardIterator")
}

// record is what tests look at in a record.
type record struct {
	EventName    string
	Dynamodb     struct{ SequenceNumber string }
	UserIdentity map[string]string
}

// records reads from an iterator, and gives the next one, or "".
func (b *bench) records(iterator string) (records []record, next string) {
	b.t.Helper()
	var out struct {
		Records           []record
		NextShardIterator string
	}
	if err := json.Unmarshal([]byte(b.must("GetRecords", `{"ShardIterator":"%s"}`, iterator)), &out); err != nil {
		b.t.Fatal(err)
	}
	return out.Records, out.NextShardIterator
}

// random are the parts of records that differ from run to run.
var random = regexp.MustCompile(`"eventID":"[0-9a-f]{32}"|"ApproximateCreationDateTime":\d{10}|"SequenceNumber":"1\d{20}"`)

// TestStreamRecords makes the changes of Lambda's example event, whose sizes these
// are, and some that change nothing.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func TestStreamRecords(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", streamTable, "NEW_AND_OLD_IMAGES")
		const key = `{"TableName":"Things","Key":{"Id":{"N":"101"}}`
		b.must("DeleteItem", key+`}`)
		b.must("PutItem", put(101, "New item!"))
		b.must("PutItem", put(101, "New item!"))
		b.must("UpdateItem", key+`,"UpdateExpression":"SET Message = :m","ExpressionAttributeValues":{":m":{"S":"New item!"}}}`)
		if _, err := b.do("DeleteItem", key+`,"ConditionExpression":"attribute_not_exists(Id)"}`); err == nil {
			t.Error("a delete with a false condition succeeded")
		}
		b.must("BatchWriteItem", `{"RequestItems":{"Things":[{"PutRequest":{"Item":{"Id":{"N":"101"},"Message":{"S":"This item has changed"}}}}]}}`)
		b.must("DeleteItem", key+`}`)
		got := b.must("GetRecords", `{"ShardIterator":"%s"}`, b.iterator("Things", "TRIM_HORIZON", ""))
		const event = `{"awsRegion":"eu-central-1","dynamodb":{*,"Keys":{"Id":{"N":"101"}},%s,*,"SizeBytes":%d,"StreamViewType":"NEW_AND_OLD_IMAGES"},*,"eventName":"%s","eventSource":"aws:dynamodb","eventVersion":"1.1"}`
		const first, second = `{"Id":{"N":"101"},"Message":{"S":"New item!"}}`, `{"Id":{"N":"101"},"Message":{"S":"This item has changed"}}`
		want := `{"Records":[` + fmt.Sprintf(event, `"NewImage":`+first, 26, "INSERT") + `,` +
			fmt.Sprintf(event, `"NewImage":`+second+`,"OldImage":`+first, 59, "MODIFY") + `,` +
			fmt.Sprintf(event, `"OldImage":`+second, 38, "REMOVE") + `],"NextShardIterator":`
		got, _, _ = strings.Cut(random.ReplaceAllString(got, "*"), `"arn:`)
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestStreamViews(t *testing.T) {
	t.Parallel()
	for view, want := range map[string]string{
		"KEYS_ONLY": `*,"Keys":{"Id":{"N":"1"}},*,"SizeBytes":4,`,
		"NEW_IMAGE": `*,"Keys":{"Id":{"N":"1"}},"NewImage":{"Id":{"N":"1"},"Message":{"S":"b"}},*,"SizeBytes":16,`,
		"OLD_IMAGE": `*,"Keys":{"Id":{"N":"1"}},"OldImage":{"Id":{"N":"1"},"Message":{"S":"a"}},*,"SizeBytes":16,`,
	} {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			b := open(t, "")
			b.must("CreateTable", streamTable, view)
			b.must("PutItem", put(1, "a"))
			latest := b.iterator("Things", "LATEST", "")
			b.must("PutItem", put(1, "b"))
			got := random.ReplaceAllString(b.must("GetRecords", `{"ShardIterator":"%s"}`, latest), "*")
			if !strings.Contains(got, want) || strings.Count(got, "eventName") != 1 {
				t.Errorf("got %s, want one record with %s", got, want)
			}
		})
	}
}

func TestStreamOfExpired(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", streamTable, "KEYS_ONLY")
	b.must("UpdateTimeToLive", ttlOn)
	b.must("PutItem", `{"TableName":"Things","Item":{"Id":{"N":"1"},"ttl":{"N":"%d"}}}`, b.clock.Now().Unix()+60)
	b.must("PutItem", put(2, "a"))
	b.must("DeleteItem", `{"TableName":"Things","Key":{"Id":{"N":"2"}}}`)
	b.clock.Advance(3 * time.Minute)
	records, _ := b.records(b.iterator("Things", "TRIM_HORIZON", ""))
	if len(records) != 4 || records[3].EventName != "REMOVE" || records[2].UserIdentity != nil {
		t.Fatalf("got %+v", records)
	}
	if got := records[3].UserIdentity; got["Type"] != "Service" || got["PrincipalId"] != "dynamodb.amazonaws.com" {
		t.Errorf("got identity %v", got)
	}
}

func TestStreamIterators(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", streamTable, "KEYS_ONLY")
		latest := b.iterator("Things", "LATEST", "")
		for i := range 5 {
			b.must("PutItem", put(i, "a"))
		}
		all, next := b.records(b.iterator("Things", "TRIM_HORIZON", ""))
		if len(all) != 5 {
			t.Fatalf("got %d records, want 5", len(all))
		}
		for i := range 4 {
			if all[i].Dynamodb.SequenceNumber >= all[i+1].Dynamodb.SequenceNumber {
				t.Errorf("%s is not less than %s", all[i].Dynamodb.SequenceNumber, all[i+1].Dynamodb.SequenceNumber)
			}
		}
		third := `,"SequenceNumber":"` + all[2].Dynamodb.SequenceNumber + `"`
		start := decodeJSON(t, b.must("DescribeStream", `{"StreamArn":"%s"}`, b.engine.LatestStream("Things")))
		shard := start["StreamDescription"].(map[string]any)["Shards"].([]any)[0].(map[string]any)
		first := shard["SequenceNumberRange"].(map[string]any)["StartingSequenceNumber"].(string)
		for _, tt := range []struct {
			iterator string
			want     int
		}{
			{latest, 5}, {next, 0}, {b.iterator("Things", "LATEST", ""), 0},
			{b.iterator("Things", "AT_SEQUENCE_NUMBER", third), 3}, {b.iterator("Things", "AFTER_SEQUENCE_NUMBER", third), 2},
			{b.iterator("Things", "AT_SEQUENCE_NUMBER", `,"SequenceNumber":"`+first+`"`), 5},
		} {
			if got, _ := b.records(tt.iterator); len(got) != tt.want {
				t.Errorf("%s: got %d records, want %d", tt.iterator, len(got), tt.want)
			}
		}
		b.must("PutItem", put(9, "a"))
		if got, _ := b.records(next); len(got) != 1 {
			t.Errorf("got %d records from the next iterator, want 1", len(got))
		}
		two := b.must("GetRecords", `{"Limit":2,"ShardIterator":"%s"}`, latest)
		if got, _ := b.records(b.member(two, "NextShardIterator")); len(got) != 4 {
			t.Errorf("got %d records behind two of six", len(got))
		}
	})
}

// TestStreamPages reads records of more than 1 MB.
func TestStreamPages(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", streamTable, "NEW_IMAGE")
	iterator := b.iterator("Things", "TRIM_HORIZON", "")
	for i := range 4 {
		b.must("PutItem", put(i, strings.Repeat("x", 390<<10)))
	}
	for _, want := range []int{2, 2, 0} {
		var got []record
		if got, iterator = b.records(iterator); len(got) != want {
			t.Errorf("got %d records, want %d", len(got), want)
		}
	}
}

func TestStreamAges(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", streamTable, "KEYS_ONLY")
		b.must("PutItem", put(1, "a"))
		old := b.iterator("Things", "TRIM_HORIZON", "")
		records, _ := b.records(old)
		number := `,"SequenceNumber":"` + records[0].Dynamodb.SequenceNumber + `"`
		b.clock.Advance(15*time.Minute + time.Second)
		if _, err := b.do("GetRecords", `{"ShardIterator":"%s"}`, old); !strings.HasPrefix(short(err), "ExpiredIterator: Iterator expired.") {
			t.Errorf("an old iterator: %v", err)
		}
		b.must("PutItem", put(2, "a"))
		b.clock.Advance(23*time.Hour + 44*time.Minute + 55*time.Second) // the first record is about to go
		from := b.iterator("Things", "TRIM_HORIZON", "")
		b.clock.Advance(10 * time.Second)
		const trimmed = "TrimmedDataAccess: The operation attempted to read past the oldest stream record in a shard."
		b.wantError("GetRecords", `{"ShardIterator":"`+from+`"}`, trimmed)
		b.wantError("GetShardIterator", b.iteratorInput("Things", "AT_SEQUENCE_NUMBER", number), trimmed)
		if got, _ := b.records(b.iterator("Things", "TRIM_HORIZON", "")); len(got) != 1 {
			t.Errorf("got %d records, want the second", len(got))
		}
		b.clock.Advance(2 * time.Hour) // swept
		s := b.engine.tables["Things"].stream.Load()
		if got := b.spaceLen(s.Space); got != 1 { // where it was trimmed
			t.Errorf("%d keys are left, want 1", got)
		}
		b.must("PutItem", put(3, "a"))
		if got, _ := b.records(b.iterator("Things", "AFTER_SEQUENCE_NUMBER", `,"SequenceNumber":"`+sequence(s.start()+2)+`"`)); len(got) != 1 {
			t.Errorf("got %d records, want the third", len(got))
		}
	})
}

// TestStreamEnd closes a stream by its table's end: it can be read for a day.
func TestStreamEnd(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", streamTable, "KEYS_ONLY")
		b.must("PutItem", put(1, "a"))
		iterator, arn := b.iterator("Things", "TRIM_HORIZON", ""), b.engine.LatestStream("Things")
		b.must("DeleteTable", `{"TableName":"Things"}`)
		if got, next := b.records(iterator); len(got) != 1 || next != "" {
			t.Errorf("got %d records and a next iterator %q, want one and none", len(got), next)
		}
		description := b.must("DescribeStream", `{"StreamArn":"%s"}`, arn)
		if !strings.Contains(description, `"StreamStatus":"DISABLED"`) || !strings.Contains(description, `EndingSequenceNumber`) {
			t.Errorf("got %s", description)
		}
		b.must("CreateTable", streamTable, "KEYS_ONLY")
		if again := b.engine.LatestStream("Things"); again == arn {
			t.Errorf("the new stream is %s too", again)
		}
		b.clock.Advance(26 * time.Hour)
		b.wantError("DescribeStream", `{"StreamArn":"`+arn+`"}`, "ResourceNotFound: Requested resource not found: Stream: "+arn+" not found")
	})
}

func TestStreamSetting(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		latest := func() string { return b.engine.LatestStream("Things") }
		var first string
		for _, step := range []struct{ spec, want string }{
			{`{"StreamEnabled":false}`, "Validation: Table has no stream to disable: TableName: Things"},
			{`{"StreamEnabled":true}`, "Validation: One or more parameter values were invalid: If stream is being enabled then UpdateViewType is required"},
			{`{}`, "Validation: 1 validation error detected: Value null at 'streamSpecification.streamEnabled' failed to satisfy constraint: Member must not be null"},
			{`{"StreamEnabled":true,"StreamViewType":"ALL"}`, "Validation: 1 validation error detected: Value 'ALL' at 'streamSpecification.streamViewType' failed to satisfy constraint: Member must satisfy enum value set: [NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]"},
			{`{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}`, ""},
			{`{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}`, "Validation: Table already has an enabled stream: TableName: Things"},
			{`{"StreamEnabled":false,"StreamViewType":"NEW_IMAGE"}`, "Validation: One or more parameter values were invalid: If stream is being disabled, then UpdateViewType must not be specified"},
			{`{"StreamEnabled":false}`, ""},
			{`{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}`, ""},
		} {
			got := ""
			if _, err := b.do("UpdateTable", `{"TableName":"Things","StreamSpecification":%s}`, step.spec); err != nil {
				got = short(err)
			}
			if got != step.want {
				t.Errorf("%s: got %q, want %q", step.spec, got, step.want)
			}
			if first == "" {
				first = latest()
			}
		}
		if again := latest(); again == "" || again <= first {
			t.Errorf("the second stream is %s, the first %s", again, first)
		}
		table := decodeJSON(t, b.must("DescribeTable", `{"TableName":"Things"}`))["Table"].(map[string]any)
		if spec := fmt.Sprint(table["StreamSpecification"]); spec != "map[StreamEnabled:true StreamViewType:NEW_IMAGE]" || table["LatestStreamArn"] != latest() {
			t.Errorf("got %v", table)
		}
	})
}

// TestStreamOfTransactions records what a transaction changes, if it does.
func TestStreamOfTransactions(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", streamTable, "KEYS_ONLY")
		b.must("PutItem", put(1, "a"))
		latest := b.iterator("Things", "LATEST", "")
		write := func(condition string) error {
			_, err := b.do("TransactWriteItems", `{"TransactItems":[{"Put":`+put(2, "a")+`},{"Delete":{"TableName":"Things","Key":{"Id":{"N":"3"}}}},
				{"ConditionCheck":{"TableName":"Things","Key":{"Id":{"N":"1"}},"ConditionExpression":"`+condition+`"}}]}`)
			return err
		}
		if err := write("attribute_not_exists(Id)"); err == nil {
			t.Error("a transaction with a false condition succeeded")
		}
		if got, _ := b.records(latest); len(got) != 0 {
			t.Errorf("a transaction that was cancelled left %+v", got)
		}
		if err := write("attribute_exists(Id)"); err != nil {
			t.Error(err)
		}
		if got, _ := b.records(latest); len(got) != 1 || got[0].EventName != "INSERT" {
			t.Errorf("got %+v, want one INSERT", got)
		}
	})
}
