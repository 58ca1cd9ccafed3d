package dynamodb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// ErrStreamEnd is the error of reading a stream that has been disabled, or whose
// table has been deleted, behind its last record.
var ErrStreamEnd = errors.New("dynamodb: the stream has ended")

// StreamRecord is a record of a stream as Lambda gives it to functions.
type StreamRecord struct {
	Sequence string // 21 digits
	Created  time.Time
	Event    []byte // JSON
}

// Consumer reads a stream in process. It remembers how far it has come as long
// as the stream lasts: with Config.Dir, from one Engine to the next. It belongs
// to one goroutine.
type Consumer struct {
	e    *Engine
	s    *stream
	name []byte
	at   uint64 // the record that was read last
}

// LatestStream gives the ARN of a table's latest stream; "" if there has been
// none, or no such table.
func (e *Engine) LatestStream(table string) string {
	t, err := e.find(table)
	if err != nil {
		return ""
	}
	if s := t.stream.Load(); s != nil {
		return s.arn
	}
	return ""
}

// Consume gives the consumer of a name. One that is new begins with the oldest
// record or, if latest is true, behind the last.
func (e *Engine) Consume(streamARN, name string, latest bool) (*Consumer, error) {
	s, err := e.findStream(streamARN)
	if err != nil {
		return nil, fmt.Errorf("dynamodb: consume: %w", err)
	}
	c := &Consumer{e: e, s: s, name: []byte(positionKeys + name)}
	return c, e.store.Update(func(r kv.Reader) ([]kv.Write, error) {
		if s.gone.Load() { // since it was found; its space must not come back
			return nil, noStream(streamARN)
		}
		stored := r.Get(s.Space, c.name)
		switch {
		case stored != nil:
			c.at = binary.BigEndian.Uint64(stored)
			return nil, nil
		case latest:
			c.at = s.end(r)
		default:
			c.at = s.start()
		}
		return c.position(c.at), nil
	})
}

func (c *Consumer) position(number uint64) []kv.Write {
	return []kv.Write{kv.Put(c.s.Space, c.name, binary.BigEndian.AppendUint64(nil, number))}
}

// Read gives the next records, at most so many and less than 1 MB of them, but
// one at least if there is one; it passes over those that are older than 24
// hours. If there are none, changed is closed when there may be, and the error
// is ErrStreamEnd if none will come.
func (c *Consumer) Read(limit int) (records []StreamRecord, changed <-chan struct{}, err error) {
	changed = c.s.wait()
	now, size, ended := c.e.cfg.Clock.Now(), 0, false
	err = c.e.store.View(func(r kv.Reader) (err error) {
		if ended, err = c.s.ended(r); err != nil {
			return err
		}
		c.at = max(c.at, c.s.trimmed(r, now))
		c.s.read(r, c.at, func(number uint64, stored []byte) bool {
			if len(records) == limit || len(records) > 0 && size+len(stored) > maxRecordBytes {
				return false
			}
			size += len(stored)
			records = append(records, StreamRecord{sequence(number), recordTime(stored), appendEvent(nil, stored, c.s.arn)})
			c.at = number
			return true
		})
		return nil
	})
	if err == nil && len(records) == 0 && ended {
		err = ErrStreamEnd
	}
	return records, changed, err
}

// Commit remembers that all records up to that of a sequence number are dealt
// with. A consumer that begins anew begins behind it.
func (c *Consumer) Commit(sequence string) error {
	number, ok := parseSequence(sequence)
	if !ok {
		return fmt.Errorf("dynamodb: commit: %q is no sequence number", sequence)
	}
	return c.e.store.Update(func(kv.Reader) ([]kv.Write, error) {
		if c.s.gone.Load() { // its space must not come back
			return nil, nil
		}
		return c.position(number), nil
	})
}
