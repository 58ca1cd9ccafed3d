// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html

package dynamodb

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"crypto-ticker/emulator/internal/awsjson"
)

const streamsTarget = "DynamoDBStreams_20120810"

// Limits of the answers.
const (
	maxStreams     = 100 // of ListStreams
	maxShards      = 100 // of DescribeStream
	maxRecords     = 1000
	maxRecordBytes = 1 << 20
)

func (e *Engine) streamOperations() map[string]awsjson.Operation {
	operations := map[string]awsjson.Operation{}
	for name, op := range map[string]func([]byte) (json.RawMessage, error){
		"ListStreams":      e.listStreams,
		"DescribeStream":   e.describeStream,
		"GetShardIterator": e.getShardIterator,
		"GetRecords":       e.getRecords,
	} {
		operations[name] = func(_ context.Context, body []byte) (any, error) { return op(body) }
	}
	return operations
}

func (c *constraints) limit(limit *int, most int) int {
	if limit == nil {
		return most
	}
	c.require(*limit >= 1, *limit, "limit", "have value greater than or equal to 1")
	return *limit
}

func (c *constraints) length(value *string, member string, least, most int) string {
	if value == nil {
		c.require(false, nil, member, "not be null")
		return ""
	}
	c.require(len(*value) >= least, *value, member, "have length greater than or equal to "+strconv.Itoa(least))
	c.require(len(*value) <= most, *value, member, "have length less than or equal to "+strconv.Itoa(most))
	return *value
}

func (e *Engine) listStreams(body []byte) (json.RawMessage, error) {
	var in struct {
		ExclusiveStartStreamArn *string
		Limit                   *int
		TableName               *string
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	var c constraints
	var table, after string
	if in.ExclusiveStartStreamArn != nil {
		after = c.streamARN(in.ExclusiveStartStreamArn)
	}
	limit := c.limit(in.Limit, maxStreams)
	c.require(limit <= maxStreams, limit, "limit", "have value less than or equal to 100")
	if in.TableName != nil {
		table = tableOf(*in.TableName)
		c.tableName(table)
	}
	err := c.err()
	if err == nil && after != "" {
		err = checkStreamARN(after)
	}
	if err != nil {
		return nil, err
	}
	all := e.streams.list()
	all = slices.DeleteFunc(all, func(s *stream) bool { return s.arn <= after || table != "" && s.Table != table })
	slices.SortFunc(all, func(a, b *stream) int { return strings.Compare(a.arn, b.arn) })
	out := map[string]any{}
	if len(all) > limit {
		all = all[:limit]
		out["LastEvaluatedStreamArn"] = all[limit-1].arn
	}
	list := []map[string]string{}
	for _, s := range all {
		list = append(list, map[string]string{"StreamArn": s.arn, "StreamLabel": s.Label, "TableName": s.Table})
	}
	out["Streams"] = list
	return json.Marshal(out)
}

func (c *constraints) streamARN(arn *string) string { return c.length(arn, "streamArn", 37, 1024) }

var streamARNForm = regexp.MustCompile(`^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/[a-zA-Z0-9_.-]+/stream/[0-9T:.-]+$`)

func checkStreamARN(arn string) error {
	if !streamARNForm.MatchString(arn) {
		return validation("Invalid StreamArn")
	}
	return nil
}

// findStream gives a stream that a request names.
func (e *Engine) findStream(arn string) (*stream, error) {
	if err := checkStreamARN(arn); err != nil {
		return nil, err
	}
	s := e.streams.find(arn)
	if s == nil {
		return nil, resourceNotFound("Requested resource not found: Stream: " + arn + " not found")
	}
	return s, nil
}

// sequenceRange is where a shard begins and, once it is closed, ends.
type sequenceRange struct {
	StartingSequenceNumber string
	EndingSequenceNumber   string `json:",omitempty"`
}

type shard struct {
	ShardId             string
	SequenceNumberRange sequenceRange
}

type streamDescription struct {
	CreationRequestDateTime float64 // seconds since 1970
	KeySchema               []keyElement
	Shards                  []shard
	StreamArn               string
	StreamLabel             string
	StreamStatus            string
	StreamViewType          string
	TableName               string
}

func (e *Engine) describeStream(body []byte) (json.RawMessage, error) {
	var in struct {
		ExclusiveStartShardId *string
		Limit                 *int
		StreamArn             *string
		ShardFilter           *struct{ Type, ShardId string }
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	var c constraints
	var after string
	if in.ExclusiveStartShardId != nil {
		after = c.length(in.ExclusiveStartShardId, "exclusiveStartShardId", 28, 65)
	}
	limit := c.limit(in.Limit, maxShards)
	c.require(limit <= maxShards, limit, "limit", "have value less than or equal to 100")
	arn := c.streamARN(in.StreamArn)
	if err := c.err(); err != nil {
		return nil, err
	}
	s, err := e.findStream(arn)
	if err != nil {
		return nil, err
	}
	out := streamDescription{
		CreationRequestDateTime: float64(s.Created.UnixMilli()) / 1000, KeySchema: s.Key, Shards: []shard{},
		StreamArn: s.arn, StreamLabel: s.Label, StreamStatus: "ENABLED", StreamViewType: s.View, TableName: s.Table,
	}
	numbers := sequenceRange{StartingSequenceNumber: sequence(s.start())}
	if !s.open() {
		out.StreamStatus = "DISABLED"
		err = e.store.view(func(r reader) error {
			numbers.EndingSequenceNumber = sequence(s.end(r))
			return nil
		})
	}
	if after < s.shard && in.ShardFilter == nil { // a filter asks for children, of which a shard has none here
		out.Shards = append(out.Shards, shard{s.shard, numbers})
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"StreamDescription": out})
}

func (e *Engine) getShardIterator(body []byte) (json.RawMessage, error) {
	var in struct{ SequenceNumber, ShardId, ShardIteratorType, StreamArn *string }
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	var c constraints
	arn := c.streamARN(in.StreamArn)
	shard := c.length(in.ShardId, "shardId", 28, 65)
	kind := c.length(in.ShardIteratorType, "shardIteratorType", 0, 100)
	if in.ShardIteratorType != nil {
		c.require(slices.Contains(iteratorTypes, kind), kind, "shardIteratorType", "satisfy enum value set: ["+strings.Join(iteratorTypes, ", ")+"]")
	}
	if in.SequenceNumber != nil {
		c.length(in.SequenceNumber, "sequenceNumber", 21, 40)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	s, err := e.findStream(arn)
	if err != nil {
		return nil, err
	}
	if shard != s.shard {
		return nil, resourceNotFound("Requested resource not found: Shard does not exist")
	}
	it := iterator{stream: s, made: e.cfg.Clock.Now()}
	err = e.store.view(func(r reader) (err error) {
		it.after, err = s.position(r, kind, in.SequenceNumber, it.made)
		return err
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{"ShardIterator": it.String()})
}

func (e *Engine) getRecords(body []byte) (json.RawMessage, error) {
	var in struct {
		Limit         *int
		ShardIterator *string
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	var c constraints
	limit := c.limit(in.Limit, maxRecords)
	c.require(limit <= maxRecords, limit, "limit", "have value less than or equal to 1000")
	text := c.length(in.ShardIterator, "shardIterator", 1, 2048)
	if err := c.err(); err != nil {
		return nil, err
	}
	now := e.cfg.Clock.Now()
	it, err := e.parseIterator(text, now)
	if err != nil {
		return nil, err
	}
	out := []byte(`{"Records":[`)
	ended := !it.stream.open() // before the records are read, so that it has all of them
	err = e.store.view(func(r reader) error {
		if it.after < it.stream.trimmed(r, now) {
			return errTrimmed
		}
		count, size := 0, 0
		it.stream.read(r, it.after, func(number uint64, stored []byte) bool {
			if count++; count > limit || count > 1 && size+len(stored) > maxRecordBytes {
				ended = false
				return false
			}
			if count > 1 {
				out = append(out, ',')
			}
			size += len(stored)
			out = appendRecord(out, stored)
			it.after = number
			return true
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	out = append(out, ']')
	if !ended {
		it.made = now
		out = appendText(append(out, `,"NextShardIterator":`...), it.String())
	}
	return append(out, '}'), nil
}
