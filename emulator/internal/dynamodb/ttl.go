// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html

package dynamodb

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// ttlSetting says which attribute holds the time of expiry. Its space has an
// entry for each item with such a time: eight bytes of seconds since 1970, and
// the item's key.
type ttlSetting struct {
	Attribute string
	Space     uint64
}

// maxOverdue is how long ago an item may have expired and still be deleted.
const maxOverdue = 5 * 365 * 24 * time.Hour

type ttlSpecification struct {
	AttributeName string
	Enabled       *bool
}

func (e *Engine) updateTimeToLive(body []byte) (json.RawMessage, error) {
	var in struct {
		TableName               *string
		TimeToLiveSpecification *ttlSpecification
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	name, err := checkTableName(in.TableName)
	if err != nil {
		return nil, err
	}
	var c constraints
	spec := in.TimeToLiveSpecification
	c.require(spec != nil, nil, "timeToLiveSpecification", "not be null")
	if spec != nil {
		c.require(spec.Enabled != nil, nil, "timeToLiveSpecification.enabled", "not be null")
		c.require(len(spec.AttributeName) >= 1 && len(spec.AttributeName) <= 255, spec.AttributeName,
			"timeToLiveSpecification.attributeName", "have length between 1 and 255")
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.named(name)
	if err != nil {
		return nil, err
	}
	if err := t.checkTTL(spec.AttributeName, *spec.Enabled); err != nil {
		return nil, err
	}
	if err := e.setTTL(t, spec.AttributeName, *spec.Enabled); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"TimeToLiveSpecification": spec})
}

// checkTTL refuses what changes nothing.
func (t *table) checkTTL(attribute string, enabled bool) error {
	current := t.ttl.Load()
	switch {
	case enabled && current == nil, !enabled && current != nil && current.Attribute == attribute:
		return nil
	case current == nil:
		return validation("TimeToLive is already disabled")
	case current.Attribute != attribute:
		return validation("TimeToLive is active on a different AttributeName: current AttributeName is " + current.Attribute)
	}
	return validation("TimeToLive is already enabled")
}

// setTTL turns expiry on or off, and lists when the items that there are
// expire. e.mu is held.
func (e *Engine) setTTL(t *table, attribute string, enabled bool) error {
	current := t.ttl.Load()
	e.lastSpace++
	next := &ttlSetting{Attribute: attribute, Space: e.lastSpace}
	return e.store.Update(func(r kv.Reader) ([]kv.Write, error) {
		if !enabled {
			t.ttl.Store(nil)
			writes, err := t.save()
			return append(writes, kv.Drop(current.Space)), err
		}
		var writes []kv.Write
		var bad error
		r.Scan(t.space, nil, nil, false, func(key, stored []byte) bool {
			var it item
			if it, bad = decodeStored(stored); bad == nil {
				writes = e.deriveExpiry(writes, next, key, nil, it)
			}
			return bad == nil
		})
		if bad != nil {
			return nil, bad
		}
		t.ttl.Store(next)
		saved, err := t.save()
		return append(writes, saved...), err
	}, func() { t.ttl.Store(current) })
}

func (e *Engine) describeTimeToLive(body []byte) (json.RawMessage, error) {
	name, err := tableInput(body)
	if err != nil {
		return nil, err
	}
	t, err := e.findNamed(name)
	if err != nil {
		return nil, err
	}
	out := map[string]string{"TimeToLiveStatus": "DISABLED"}
	if ttl := t.ttl.Load(); ttl != nil {
		out = map[string]string{"TimeToLiveStatus": "ENABLED", "AttributeName": ttl.Attribute}
	}
	return json.Marshal(map[string]any{"TimeToLiveDescription": out})
}

// expiry gives when an item expires, in seconds since 1970; ok is false if it
// never does: the attribute is missing, no number, or too far in the past.
func (s *ttlSetting) expiry(it item, now time.Time) (seconds int64, ok bool) {
	v, found := it.get(s.Attribute)
	if !found || v.kind != kindNumber {
		return 0, false
	}
	whole, _, _ := strings.Cut(v.text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds < now.Add(-maxOverdue).Unix() {
		return 0, false
	}
	return seconds, true
}
