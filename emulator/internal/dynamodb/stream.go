// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html

package dynamodb

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// streamSpaces is the first of the spaces that belong to streams. It holds what
// is known of each, by ARN; every other one holds the records of a stream.
const streamSpaces = 1 << 63

// streamRetention is how long a record can be read.
const streamRetention = 24 * time.Hour

// streamInfo is a stream as it is stored.
type streamInfo struct {
	Table   string
	Label   string // the time of its making; part of the ARN
	Space   uint64 // streamSpaces plus a number that no other space has
	View    string
	Key     []keyElement
	Created time.Time
	Closed  time.Time `json:",omitzero"` // when the stream was disabled
}

// stream is the list of a table's changes, in one shard. It outlives its table.
type stream struct {
	streamInfo
	arn   string
	shard string
	keys  []string
	// closed is when the recording has ended, nil while it goes on. It is
	// set within an update, before others can see what that stores: who
	// reads the stream asks ended.
	closed atomic.Pointer[time.Time]
	gone   atomic.Bool // the last record has been deleted, and the stream with it
	last   uint64      // the last number given away; 0: look. Only updates use it.

	mu      sync.Mutex
	changed chan struct{} // closed when there is something new; nil if nobody waits
}

func (e *Engine) buildStream(info streamInfo) *stream {
	s := &stream{streamInfo: info, arn: e.streamARN(info.Table, info.Label)}
	h := fnv.New32a()
	h.Write([]byte(s.arn))
	s.shard = fmt.Sprintf("shardId-%020d-%08x", info.Created.UnixMilli(), h.Sum32())
	for _, k := range info.Key {
		s.keys = append(s.keys, k.AttributeName)
	}
	if !info.Closed.IsZero() {
		s.closed.Store(&info.Closed)
	}
	return s
}

func (e *Engine) tableARN(name string) string {
	return "arn:aws:dynamodb:" + e.cfg.Region + ":" + e.cfg.AccountID + ":table/" + name
}

func (e *Engine) streamARN(table, label string) string { return e.tableARN(table) + "/stream/" + label }

func streamLabel(t time.Time) string { return t.Format("2006-01-02T15:04:05.000") }

// newStream makes a stream for a table with a key. e.mu is held.
func (e *Engine) newStream(table string, key []keyElement, view string) *stream {
	e.lastSpace++
	now := e.cfg.Clock.Now().UTC().Truncate(time.Millisecond)
	for e.streams.find(e.streamARN(table, streamLabel(now))) != nil {
		now = now.Add(time.Millisecond) // no two have the same ARN
	}
	return e.buildStream(streamInfo{Table: table, Label: streamLabel(now), Space: streamSpaces + e.lastSpace,
		View: view, Key: key, Created: now})
}

// save gives the write that stores what is known of the stream.
func (s *stream) save() (kv.Write, error) {
	info := s.streamInfo
	if closed := s.closed.Load(); closed != nil {
		info.Closed = *closed
	}
	b, err := json.Marshal(info)
	if err != nil {
		return kv.Write{}, fmt.Errorf("dynamodb: encode stream: %w", err)
	}
	return kv.Put(streamSpaces, []byte(s.arn), b), nil
}

// open says whether changes are recorded. A nil stream is not open.
func (s *stream) open() bool { return s != nil && s.closed.Load() == nil }

// start is the number that stands before all records of the stream. Streams of
// one table grow from one to the next.
func (s *stream) start() uint64 { return (s.Space - streamSpaces) << 40 }

// streams holds all streams that can be read. Its lock is held only for a
// moment, within any other.
type streams struct {
	mu      sync.RWMutex
	byARN   map[string]*stream
	bySpace map[uint64]*stream
}

func (all *streams) add(s *stream) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.byARN == nil {
		all.byARN, all.bySpace = map[string]*stream{}, map[uint64]*stream{}
	}
	all.byARN[s.arn], all.bySpace[s.Space] = s, s
}

func (all *streams) remove(s *stream) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.byARN, s.arn)
	delete(all.bySpace, s.Space)
}

func (all *streams) find(arn string) *stream {
	all.mu.RLock()
	defer all.mu.RUnlock()
	return all.byARN[arn]
}

func (all *streams) list() []*stream {
	all.mu.RLock()
	defer all.mu.RUnlock()
	list := make([]*stream, 0, len(all.byARN))
	for _, s := range all.byARN {
		list = append(list, s)
	}
	return list
}

// loadStreams reads what is known of all streams.
func (e *Engine) loadStreams(r kv.Reader) (err error) {
	r.Scan(streamSpaces, nil, nil, false, func(key, value []byte) bool {
		var info streamInfo
		if bad := json.Unmarshal(value, &info); bad != nil {
			err = fmt.Errorf("dynamodb: the definition of stream %q is damaged: %w", key, bad)
			return false
		}
		e.streams.add(e.buildStream(info))
		e.lastSpace = max(e.lastSpace, info.Space-streamSpaces)
		return true
	})
	return err
}

// notifier is a store that tells streams when records have been added.
type notifier struct {
	kv.Store
	streams *streams
}

func (n notifier) Update(f func(kv.Reader) ([]kv.Write, error), undo ...func()) error {
	var spaces []uint64
	err := n.Store.Update(func(r kv.Reader) ([]kv.Write, error) {
		spaces = spaces[:0] // should the store try again
		writes, err := f(r)
		for _, w := range writes {
			if r, ok := w.Puts(); ok && r.Space > streamSpaces && r.Key[0] == recordKeys {
				spaces = append(spaces, r.Space)
			}
		}
		return writes, err
	}, undo...)
	if err != nil {
		return err
	}
	for _, space := range spaces {
		n.streams.mu.RLock()
		s := n.streams.bySpace[space]
		n.streams.mu.RUnlock()
		if s != nil {
			s.notify()
		}
	}
	return nil
}

func (s *stream) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// wait gives a channel that is closed when there is something new.
func (s *stream) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// Within the space of a stream, records stand behind a letter by number,
// beside the last number that was trimmed and the positions of consumers.
const (
	recordKeys   = 'r'
	recordsEnd   = recordKeys + 1
	trimmedKey   = "t"
	positionKeys = "p"
)

func recordKey(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{recordKeys}, number)
}

func recordNumber(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

// sequence is a number as it is on the wire: 21 digits, the fewest there may be.
func sequence(number uint64) string { return fmt.Sprintf("1%020d", number) }
