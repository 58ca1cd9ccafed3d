// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html

package dynamodb

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// iteratorLife is how long an iterator can be used.
const iteratorLife = 15 * time.Minute

var (
	errTrimmed    = modelled("TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard.")
	errNoIterator = validation("Invalid ShardIterator")
)

// iterator is a place in a stream's shard: behind the record of a number.
type iterator struct {
	stream *stream
	after  uint64
	made   time.Time
}

// position gives the number behind which an iterator of a type begins.
func (s *stream) position(r kv.Reader, kind string, given *string, now time.Time) (uint64, error) {
	numbered := kind == "AT_SEQUENCE_NUMBER" || kind == "AFTER_SEQUENCE_NUMBER"
	switch {
	case numbered && given == nil:
		return 0, validation("SequenceNumber is required for ShardIteratorType " + kind)
	case !numbered && given != nil:
		return 0, validation("SequenceNumber must not be given for ShardIteratorType " + kind)
	case kind == "LATEST":
		return s.end(r), nil
	case kind == "TRIM_HORIZON":
		return s.trimmed(r, now), nil
	}
	number, ok := parseSequence(*given)
	if !ok || number < s.start() || number > s.end(r) {
		return 0, validation("Invalid SequenceNumber: " + *given + " is not in the shard")
	}
	if kind == "AT_SEQUENCE_NUMBER" {
		number = max(number-1, s.start())
	}
	if number < s.trimmed(r, now) {
		return 0, errTrimmed
	}
	return number, nil
}

// parseSequence reads a number as sequence writes it.
func parseSequence(text string) (uint64, bool) {
	digits, ok := strings.CutPrefix(text, "1")
	number, err := strconv.ParseUint(digits, 10, 64)
	return number, ok && err == nil && len(digits) == 20
}

// String gives an iterator as clients hold it.
func (it iterator) String() string {
	b := binary.BigEndian.AppendUint64(nil, it.after)
	b = binary.BigEndian.AppendUint64(b, uint64(it.made.UnixMilli()))
	return it.stream.arn + "|1|" + base64.StdEncoding.EncodeToString(b)
}

// parseIterator reads an iterator that a client has been given.
func (e *Engine) parseIterator(text string, now time.Time) (iterator, error) {
	parts := strings.Split(text, "|")
	if len(parts) != 3 || parts[1] != "1" {
		return iterator{}, errNoIterator
	}
	b, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(b) != 16 || checkStreamARN(parts[0]) != nil {
		return iterator{}, errNoIterator
	}
	s, err := e.findStream(parts[0])
	if err != nil {
		return iterator{}, err
	}
	it := iterator{s, binary.BigEndian.Uint64(b), time.UnixMilli(int64(binary.BigEndian.Uint64(b[8:])))}
	if now.Sub(it.made) > iteratorLife {
		const form = "Mon Jan 02 15:04:05 UTC 2006"
		return iterator{}, modelled("ExpiredIteratorException", fmt.Sprintf(
			"Iterator expired. The iterator was created at time %s while right now it is %s which is further in the future than the tolerated delay of %d milliseconds.",
			it.made.UTC().Format(form), now.UTC().Format(form), iteratorLife.Milliseconds()))
	}
	return it, nil
}
