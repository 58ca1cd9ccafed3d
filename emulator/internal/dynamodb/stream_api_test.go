package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// TestStreamsThroughSDK reads a stream as consumers of the SDK do.
func TestStreamsThroughSDK(t *testing.T) {
	t.Parallel()
	b, ctx := open(t, ""), context.Background()
	made, err := b.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("Things"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: types.KeyTypeHash}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := b.client.Options()
	client := dynamodbstreams.New(dynamodbstreams.Options{Region: o.Region, BaseEndpoint: o.BaseEndpoint, HTTPClient: o.HTTPClient, Credentials: o.Credentials})
	list, err := client.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: aws.String("Things")})
	if err != nil || len(list.Streams) != 1 || *list.Streams[0].StreamArn != *made.TableDescription.LatestStreamArn {
		t.Fatalf("ListStreams: %+v, %v; want %s", list, err, *made.TableDescription.LatestStreamArn)
	}
	arn := list.Streams[0].StreamArn
	description, err := client.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	d := description.StreamDescription
	if d.StreamStatus != streamtypes.StreamStatusEnabled || len(d.Shards) != 1 || *d.KeySchema[0].AttributeName != "Id" || b.clock.Now().Sub(*d.CreationRequestDateTime).Abs() > time.Minute {
		t.Errorf("got %+v", d)
	}
	iterator, err := client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: arn, ShardId: d.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
	if err != nil {
		t.Fatal(err)
	}
	item := map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: "a"}, "B": &types.AttributeValueMemberB{Value: []byte{1, 2}}}
	if _, err := b.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Things"), Item: item}); err != nil {
		t.Fatal(err)
	}
	out, err := client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator.ShardIterator})
	if err != nil || len(out.Records) != 1 || out.NextShardIterator == nil {
		t.Fatalf("GetRecords: %+v, %v", out, err)
	}
	r := out.Records[0]
	got := fmt.Sprint(r.EventName, *r.EventVersion, *r.AwsRegion, r.Dynamodb.Keys["Id"].(*streamtypes.AttributeValueMemberS).Value,
		r.Dynamodb.NewImage["B"].(*streamtypes.AttributeValueMemberB).Value, *r.Dynamodb.SizeBytes, len(r.Dynamodb.OldImage))
	if want := "INSERT1.1eu-central-1a[1 2] 9 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	b.clock.Advance(time.Hour)
	_, err = client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: out.NextShardIterator})
	if expired := new(streamtypes.ExpiredIteratorException); !errors.As(err, &expired) {
		t.Errorf("an iterator after an hour: %v", err)
	}
	b.clock.Advance(24 * time.Hour)
	_, err = client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: arn, ShardId: d.Shards[0].ShardId,
		ShardIteratorType: streamtypes.ShardIteratorTypeAtSequenceNumber, SequenceNumber: r.Dynamodb.SequenceNumber})
	if trimmed := new(streamtypes.TrimmedDataAccessException); !errors.As(err, &trimmed) {
		t.Errorf("a record after a day: %v", err)
	}
}

func TestListStreams(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.want("ListStreams", `{}`, `{"Streams":[]}`)
	for _, table := range []string{"Beta", "Alpha"} {
		b.must("CreateTable", strings.Replace(fmt.Sprintf(streamTable, "KEYS_ONLY"), "Things", table, 1))
	}
	first := b.must("ListStreams", `{"Limit":1}`)
	last := b.member(first, "LastEvaluatedStreamArn")
	if !strings.Contains(first, `"TableName":"Alpha"`) || last != b.engine.LatestStream("Alpha") {
		t.Errorf("got %s", first)
	}
	rest := b.must("ListStreams", `{"Limit":1,"ExclusiveStartStreamArn":"%s"}`, last)
	if !strings.Contains(rest, `"TableName":"Beta"`) || strings.Contains(rest, "LastEvaluated") {
		t.Errorf("got %s", rest)
	}
	b.want("ListStreams", `{"TableName":"Gamma"}`, `{"Streams":[]}`)
	arn := b.engine.LatestStream("Beta")
	shard := b.engine.streams.find(arn).shard
	if got := b.must("DescribeStream", `{"StreamArn":"%s","ExclusiveStartShardId":"%s"}`, arn, shard); !strings.Contains(got, `"Shards":[]`) {
		t.Errorf("behind the last shard: %s", got)
	}
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", streamTable, "KEYS_ONLY")
	b.must("PutItem", put(1, "a"))
	arn := b.engine.LatestStream("Things")
	shard := `"ShardId":"` + b.engine.streams.find(arn).shard + `"`
	const other = "arn:aws:dynamodb:eu-central-1:123456789012:table/Other/stream/2026-01-01T00:00:00.000"
	const one = "Validation: 1 validation error detected: Value "
	iterator := b.iterator("Things", "LATEST", "")
	for _, tt := range []struct{ name, operation, input, want string }{
		{"no such list length", "ListStreams", `{"Limit":0}`, one + `'0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1`},
		{"too long a list", "ListStreams", `{"Limit":101}`, one + `'101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100`},
		{"start that is no ARN", "ListStreams", `{"ExclusiveStartStreamArn":"` + strings.Repeat("x", 40) + `"}`, "Validation: Invalid StreamArn"},
		{"no ARN", "DescribeStream", `{}`, one + `null at 'streamArn' failed to satisfy constraint: Member must not be null`},
		{"short ARN", "DescribeStream", `{"StreamArn":"arn:aws"}`, one + `'arn:aws' at 'streamArn' failed to satisfy constraint: Member must have length greater than or equal to 37`},
		{"ARN of another form", "DescribeStream", `{"StreamArn":"` + strings.Repeat("x", 40) + `"}`, "Validation: Invalid StreamArn"},
		{"no such stream", "DescribeStream", `{"StreamArn":"` + other + `"}`, "ResourceNotFound: Requested resource not found: Stream: " + other + " not found"},
		{"wrong type", "DescribeStream", `{"StreamArn":7}`, "Serialization: NUMBER_VALUE cannot be converted to String"},
		{"no such shard", "GetShardIterator", `{"StreamArn":"` + arn + `","ShardId":"shardId-00000000000000000000-00000000","ShardIteratorType":"LATEST"}`, "ResourceNotFound: Requested resource not found: Shard does not exist"},
		{"no such type", "GetShardIterator", `{"StreamArn":"` + arn + `",` + shard + `,"ShardIteratorType":"FIRST"}`, one + `'FIRST' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [TRIM_HORIZON, LATEST, AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER]`},
		{"no number", "GetShardIterator", b.iteratorInput("Things", "AT_SEQUENCE_NUMBER", ""), "Validation: SequenceNumber is required for ShardIteratorType AT_SEQUENCE_NUMBER"},
		{"a number too many", "GetShardIterator", b.iteratorInput("Things", "LATEST", `,"SequenceNumber":"100000000000000000001"`), "Validation: SequenceNumber must not be given for ShardIteratorType LATEST"},
		{"no number of the shard", "GetShardIterator", b.iteratorInput("Things", "AT_SEQUENCE_NUMBER", `,"SequenceNumber":"100000000000000000001"`), "Validation: Invalid SequenceNumber: 100000000000000000001 is not in the shard"},
		{"short number", "GetShardIterator", b.iteratorInput("Things", "AT_SEQUENCE_NUMBER", `,"SequenceNumber":"1"`), one + `'1' at 'sequenceNumber' failed to satisfy constraint: Member must have length greater than or equal to 21`},
		{"no iterator", "GetRecords", `{}`, one + `null at 'shardIterator' failed to satisfy constraint: Member must not be null`},
		{"not an iterator", "GetRecords", `{"ShardIterator":"x"}`, "Validation: Invalid ShardIterator"},
		{"broken iterator", "GetRecords", `{"ShardIterator":"` + iterator[:len(iterator)-4] + `"}`, "Validation: Invalid ShardIterator"},
		{"too many records", "GetRecords", `{"Limit":1001,"ShardIterator":"` + iterator + `"}`, one + `'1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000`},
		{"no such view", "CreateTable", fmt.Sprintf(streamTable, "ALL"), one + `'ALL' at 'streamSpecification.streamViewType' failed to satisfy constraint: Member must satisfy enum value set: [NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := &bench{t: t, engine: b.engine, client: b.client}
			b.wantError(tt.operation, tt.input, tt.want)
		})
	}
	status, _, answer := b.post("DynamoDBStreams_20120810.Nothing", `{}`)
	if want := `{"__type":"com.amazon.coral.service#UnknownOperationException"}`; status != 400 || answer != want {
		t.Errorf("got %d %s, want 400 %s", status, answer, want)
	}
}
