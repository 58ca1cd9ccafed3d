// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html

package dynamodb

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
	"crypto-ticker/emulator/internal/ids"
)

// A record is stored as its time in milliseconds since 1970, in eight bytes,
// whether it is an expiry, in one, and its JSON without the last brace: the
// API and Lambda have different ends for it.
const recordHead = 9

func recordTime(stored []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(stored)))
}

// emit appends the write that records a change of an item in the table's
// stream; old or next is nil if there is none. It belongs into the same update
// as the change.
func (e *Engine) emit(writes []kv.Write, r kv.Reader, t *table, old, next item, expired bool) []kv.Write {
	s := t.stream.Load()
	if !s.open() || old == nil && next == nil {
		return writes
	}
	if s.last == 0 {
		s.last = s.end(r)
	}
	s.last++
	now := e.cfg.Clock.Now()
	e.expect(now.Add(streamRetention).Unix())
	return append(writes, kv.Put(s.Space, recordKey(s.last), s.encode(s.last, now, e.cfg.Region, old, next, expired)))
}

// encode gives a record as it is stored.
func (s *stream) encode(number uint64, now time.Time, region string, old, next item, expired bool) []byte {
	name, of := "MODIFY", next
	switch {
	case old == nil:
		name = "INSERT"
	case next == nil:
		name, of = "REMOVE", old
	}
	var keys item
	for _, k := range s.keys {
		if v, ok := of.get(k); ok {
			keys = keys.with(k, v)
		}
	}
	size := keys.size()
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 512), uint64(now.UnixMilli()))
	b = append(b, 0)
	if expired {
		b[recordHead-1] = 1
	}
	b = append(b, `{"awsRegion":"`+region+`","dynamodb":{"ApproximateCreationDateTime":`...)
	b = strconv.AppendInt(b, now.Unix(), 10)
	b = keys.appendJSON(append(b, `,"Keys":`...))
	if next != nil && (s.View == "NEW_IMAGE" || s.View == "NEW_AND_OLD_IMAGES") {
		b = next.appendJSON(append(b, `,"NewImage":`...))
		size += next.size()
	}
	if old != nil && (s.View == "OLD_IMAGE" || s.View == "NEW_AND_OLD_IMAGES") {
		b = old.appendJSON(append(b, `,"OldImage":`...))
		size += old.size()
	}
	b = append(b, `,"SequenceNumber":"`+sequence(number)+`","SizeBytes":`...)
	b = strconv.AppendInt(b, int64(size), 10)
	b = append(b, `,"StreamViewType":"`+s.View+`"},"eventID":"`+ids.Hex(16)+`","eventName":"`+name+
		`","eventSource":"aws:dynamodb","eventVersion":"1.1"`...)
	return slices.Clip(b)
}

// appendRecord appends a record as GetRecords gives it.
func appendRecord(dst, stored []byte) []byte {
	dst = append(dst, stored[recordHead:]...)
	if stored[recordHead-1] == 1 {
		dst = append(dst, `,"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`...)
	}
	return append(dst, '}')
}

// appendEvent appends a record as Lambda gives it to functions.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func appendEvent(dst, stored []byte, arn string) []byte {
	dst = append(dst, stored[recordHead:]...)
	dst = append(dst, `,"eventSourceARN":"`+arn+`"`...)
	if stored[recordHead-1] == 1 {
		dst = append(dst, `,"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"}`...)
	}
	return append(dst, '}')
}

// trimmed gives the last number whose record can be read no more; all after it
// can.
func (s *stream) trimmed(r kv.Reader, now time.Time) uint64 {
	number := s.erased(r)
	r.Scan(s.Space, []byte{recordKeys}, []byte{recordsEnd}, false, func(key, stored []byte) bool {
		old := isTrimmed(stored, now)
		if old {
			number = recordNumber(key)
		}
		return old
	})
	return number
}

func isTrimmed(stored []byte, now time.Time) bool {
	return !recordTime(stored).Add(streamRetention).After(now)
}

// erased gives the last number whose record has been deleted.
func (s *stream) erased(r kv.Reader) uint64 {
	if v := r.Get(s.Space, []byte(trimmedKey)); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return s.start()
}

// end gives the last number that there is.
func (s *stream) end(r kv.Reader) uint64 {
	number := s.erased(r)
	r.Scan(s.Space, []byte{recordKeys}, []byte{recordsEnd}, true, func(key, _ []byte) bool {
		number = recordNumber(key)
		return false
	})
	return number
}

// read calls f for the records behind a number, in order, until it is false.
func (s *stream) read(r kv.Reader, after uint64, f func(number uint64, stored []byte) bool) {
	r.Scan(s.Space, recordKey(after+1), []byte{recordsEnd}, false, func(key, stored []byte) bool {
		return f(recordNumber(key), stored)
	})
}

// sweepStream deletes the records that can be read no more, and the stream with
// the last of them if it is closed.
func (e *Engine) sweepStream(s *stream) error {
	for more := true; more; {
		err := e.store.Update(func(r kv.Reader) (writes []kv.Write, err error) {
			writes, more = e.trim(r, s)
			return writes, nil
		}, func() { s.gone.Store(false) })
		if err != nil {
			return err
		}
	}
	if s.gone.Load() {
		e.streams.remove(s)
	}
	return nil
}

// trim gives the writes that delete old records, and maybe the stream; more says
// that there are others. It has the sweeper wait for the next.
func (e *Engine) trim(r kv.Reader, s *stream) (writes []kv.Write, more bool) {
	now := e.cfg.Clock.Now()
	var next time.Time
	var last uint64
	r.Scan(s.Space, []byte{recordKeys}, []byte{recordsEnd}, false, func(key, stored []byte) bool {
		if !isTrimmed(stored, now) {
			next = recordTime(stored).Add(streamRetention)
			return false
		}
		if more = len(writes) == maxSweep; more {
			return false
		}
		writes, last = append(writes, kv.Delete(s.Space, bytes.Clone(key))), recordNumber(key)
		return true
	})
	closed := s.closed.Load()
	if closed != nil && next.IsZero() {
		next = closed.Add(streamRetention)
	}
	switch {
	case more:
	case !next.IsZero() && next.After(now):
		e.expect(next.Unix())
	case closed != nil:
		s.gone.Store(true)
		return []kv.Write{kv.Drop(s.Space), kv.Delete(streamSpaces, []byte(s.arn))}, false
	}
	if len(writes) > 0 {
		writes = append(writes, kv.Put(s.Space, []byte(trimmedKey), binary.BigEndian.AppendUint64(nil, last)))
	}
	return writes, more
}
