// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_StreamSpecification.html

package dynamodb

import (
	"encoding/json"
	"fmt"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// streamSpecification is the setting of a table.
type streamSpecification struct {
	StreamEnabled  *bool
	StreamViewType string `json:",omitempty"`
}

// enabled says whether the setting asks for a stream.
func (s *streamSpecification) enabled() bool {
	return s != nil && s.StreamEnabled != nil && *s.StreamEnabled
}

// check says whether the setting can be that of a new table, or of an old one.
func (s *streamSpecification) check(isNew bool) error {
	if s == nil {
		return nil
	}
	switch {
	case s.enabled() && s.StreamViewType == "":
		return invalidParameter("If stream is being enabled then UpdateViewType is required")
	case !s.enabled() && s.StreamViewType != "" && isNew:
		return invalidParameter("Table is being created with a stream disabled, UpdateViewType should not be specified")
	case !s.enabled() && s.StreamViewType != "":
		return invalidParameter("If stream is being disabled, then UpdateViewType must not be specified")
	}
	return nil
}

// streamChange is what an update of the store does to a table's stream. The zero
// streamChange does nothing.
type streamChange struct {
	ends   *stream // nil: none
	begins *stream // nil: none
	table  *table  // of the stream that begins
	before *stream // the latest of the table until then; nil: there was none
}

// changeStream gives what a checked setting does to the stream of a table; nil
// does nothing. e.mu is held.
func (e *Engine) changeStream(t *table, spec *streamSpecification) (streamChange, error) {
	current := t.stream.Load()
	switch {
	case spec == nil:
		return streamChange{}, nil
	case spec.enabled() && current.open():
		return streamChange{}, validation("Table already has an enabled stream: TableName: " + t.name)
	case !spec.enabled() && !current.open():
		return streamChange{}, validation("Table has no stream to disable: TableName: " + t.name)
	case spec.enabled():
		next := e.newStream(t.name, t.record().Definition.KeySchema, spec.StreamViewType)
		return streamChange{table: t, before: current, begins: next}, nil
	}
	return streamChange{ends: current}, nil
}

// apply makes the change within an update of the store, which stores the table
// and its stream anew.
func (c streamChange) apply(e *Engine) {
	if c.ends != nil {
		c.ends.close(e.cfg.Clock.Now())
	}
	if c.begins != nil {
		e.streams.add(c.begins) // before anybody can learn of it from the table
		c.table.stream.Store(c.begins)
	}
}

// undo takes back apply.
func (c streamChange) undo(e *Engine) {
	if c.ends != nil {
		c.ends.reopen()
	}
	if c.begins != nil {
		c.table.stream.Store(c.before)
		c.begins.gone.Store(true)
		e.streams.remove(c.begins)
	}
}

// close ends the recording.
func (s *stream) close(now time.Time) { s.closed.Store(&now) }

// reopen takes a close back.
func (s *stream) reopen() { s.closed.Store(nil) }

// ended says whether all that there will ever be of a stream is in the state that
// r reads. While the update that ends the stream is under way, that is not so.
func (s *stream) ended(r kv.Reader) (bool, error) {
	if s.open() { // what is stored is never ahead of it
		return false, nil
	}
	stored := r.Get(streamSpaces, []byte(s.arn))
	if stored == nil { // it has been deleted, or is not there yet
		return s.gone.Load(), nil
	}
	var info streamInfo
	if err := json.Unmarshal(stored, &info); err != nil {
		return false, fmt.Errorf("dynamodb: the definition of stream %q is damaged: %w", s.arn, err)
	}
	return !info.Closed.IsZero(), nil
}

// finish tells who waits for records of a stream that has been closed that none
// will come, and has the sweeper delete it when it can be read no more.
func (e *Engine) finish(s *stream) {
	s.notify()
	e.expect(s.closed.Load().Add(streamRetention).Unix())
}
