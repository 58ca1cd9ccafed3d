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
	"crypto-ticker/emulator/internal/dynamodb/kv"
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
		op = checked(name, op)
		operations[name] = func(_ context.Context, body []byte) (any, error) { return op(body) }
	}
	return operations
}

// limited gives a Limit, of which the model knows only the least.
func limited(limit *int, most int) (int, error) {
	if limit == nil {
		return most, nil
	}
	var c constraints
	c.require(*limit <= most, *limit, "limit", "have value less than or equal to "+strconv.Itoa(most))
	return *limit, c.err()
}

func (e *Engine) listStreams(body []byte) (json.RawMessage, error) {
	var in struct {
		ExclusiveStartStreamArn, TableName string
		Limit                              *int
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	limit, err := limited(in.Limit, maxStreams)
	if err == nil && in.ExclusiveStartStreamArn != "" {
		err = checkStreamARN(in.ExclusiveStartStreamArn)
	}
	if err != nil {
		return nil, err
	}
	all := e.streams.list()
	all = slices.DeleteFunc(all, func(s *stream) bool {
		return s.arn <= in.ExclusiveStartStreamArn || in.TableName != "" && s.Table != in.TableName
	})
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
		return nil, noStream(arn)
	}
	return s, nil
}

func noStream(arn string) error {
	return resourceNotFound("Requested resource not found: Stream: " + arn + " not found")
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
		ExclusiveStartShardId, StreamArn string
		Limit                            *int
		ShardFilter                      *struct{ Type, ShardId string }
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	if _, err := limited(in.Limit, maxShards); err != nil {
		return nil, err
	}
	s, err := e.findStream(in.StreamArn)
	if err != nil {
		return nil, err
	}
	out := streamDescription{
		CreationRequestDateTime: seconds(s.Created), KeySchema: s.Key, Shards: []shard{},
		StreamArn: s.arn, StreamLabel: s.Label, StreamStatus: "ENABLED", StreamViewType: s.View, TableName: s.Table,
	}
	numbers := sequenceRange{StartingSequenceNumber: sequence(s.start())}
	err = e.store.View(func(r kv.Reader) error {
		ended, err := s.ended(r)
		if ended {
			out.StreamStatus, numbers.EndingSequenceNumber = "DISABLED", sequence(s.end(r))
		}
		return err
	})
	if in.ExclusiveStartShardId < s.shard && in.ShardFilter == nil { // a filter asks for children, of which a shard has none here
		out.Shards = append(out.Shards, shard{s.shard, numbers})
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"StreamDescription": out})
}

func (e *Engine) getShardIterator(body []byte) (json.RawMessage, error) {
	var in struct {
		ShardId, ShardIteratorType, StreamArn string
		SequenceNumber                        *string
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	s, err := e.findStream(in.StreamArn)
	if err != nil {
		return nil, err
	}
	if in.ShardId != s.shard {
		return nil, resourceNotFound("Requested resource not found: Shard does not exist")
	}
	it := iterator{stream: s, made: e.cfg.Clock.Now()}
	err = e.store.View(func(r kv.Reader) (err error) {
		it.after, err = s.position(r, in.ShardIteratorType, in.SequenceNumber, it.made)
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
		ShardIterator string
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	limit, err := limited(in.Limit, maxRecords)
	if err != nil {
		return nil, err
	}
	now := e.cfg.Clock.Now()
	it, err := e.parseIterator(in.ShardIterator, now)
	if err != nil {
		return nil, err
	}
	out := []byte(`{"Records":[`)
	var ended bool
	err = e.store.View(func(r kv.Reader) (err error) {
		if ended, err = it.stream.ended(r); err != nil {
			return err
		}
		if it.after < it.stream.trimmed(r, now) {
			return errTrimmed
		}
		var more bool
		out, more = it.appendRecords(out, r, limit)
		ended = ended && !more
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

// appendRecords appends as many records as an answer takes, and sets the iterator
// behind them; it says whether there are more.
func (it *iterator) appendRecords(out []byte, r kv.Reader, limit int) (_ []byte, more bool) {
	count, size := 0, 0
	it.stream.read(r, it.after, func(number uint64, stored []byte) bool {
		if count++; count > limit || count > 1 && size+len(stored) > maxRecordBytes {
			more = true
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
	return out, more
}
