package dynamodb

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

const ttlOn = `{"TableName":"Things","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`

// putExpiring puts an item that expires some time from now.
func (b *bench) putExpiring(key string, in time.Duration) {
	b.t.Helper()
	b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%s"},"ttl":{"N":"%d"}}}`, key, b.clock.Now().Add(in).Unix())
}

func (b *bench) wantCount(want int) {
	b.t.Helper()
	b.want("Scan", `{"TableName":"Things","Select":"COUNT"}`, fmt.Sprintf(`{"Count":%d,"ScannedCount":%d}`, want, want))
}

// spaceLen counts the keys of a space.
func (b *bench) spaceLen(space uint64) (n int) {
	b.t.Helper()
	err := b.engine.store.View(func(r kv.Reader) error {
		r.Scan(space, nil, nil, false, func(_, _ []byte) bool { n++; return true })
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestExpiry(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		b.putExpiring("before", time.Hour) // while expiry is off
		b.must("UpdateTimeToLive", ttlOn)
		b.putExpiring("renewed", time.Hour)
		b.putExpiring("deleted", time.Hour)
		b.putExpiring("later", 3*time.Hour)
		b.putExpiring("ancient", -6*365*24*time.Hour)
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"never"}}}`)
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"text"},"ttl":{"S":"1"}}}`)
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"far"},"ttl":{"N":"9223372036854775807"}}}`)
		b.must("UpdateItem", `{"TableName":"Things","Key":{"pk":{"S":"renewed"}},"UpdateExpression":"SET #t = #t + :h","ExpressionAttributeNames":{"#t":"ttl"},"ExpressionAttributeValues":{":h":{"N":"3600"}}}`)
		b.must("DeleteItem", `{"TableName":"Things","Key":{"pk":{"S":"deleted"}}}`)
		b.wantCount(7)
		b.clock.Advance(time.Hour)
		b.wantCount(7) // expired, but not swept yet
		b.clock.Advance(sweepDelay + 2*time.Second)
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"before"}}}`, `{}`)
		b.wantCount(6)
		b.clock.Advance(time.Hour)
		b.want("GetItem", `{"TableName":"Things","Key":{"pk":{"S":"renewed"}}}`, `{}`)
		b.clock.Advance(100 * 24 * time.Hour)
		b.wantCount(4) // ancient, never, text, far
		if got := b.spaceLen(b.engine.tables["Things"].ttl.Load().Space); got != 1 {
			t.Errorf("%d expiries are left, want that of far", got)
		}
	})
}

func TestExpiryOfMany(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", `{"TableName":"Things","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"g","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"GlobalSecondaryIndexes":[{"IndexName":"byG","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]}`)
	b.must("UpdateTimeToLive", ttlOn)
	for i := range 2*maxSweep + 10 {
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%d"},"g":{"S":"g"},"ttl":{"N":"%d"}}}`, i, b.clock.Now().Unix()+int64(i%7))
	}
	b.clock.Advance(2 * time.Minute)
	b.wantCount(0)
	b.want("Scan", `{"TableName":"Things","IndexName":"byG","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`)
}

// lame is a store whose updates fail while it is broken.
type lame struct {
	kv.Store
	broken atomic.Bool
}

func (s *lame) Update(f func(kv.Reader) ([]kv.Write, error), undo ...func()) error {
	if s.broken.Load() {
		return errors.New("disk is full")
	}
	return s.Store.Update(f, undo...)
}

// TestExpiryAfterFailure sweeps when the store works again, though nothing else is
// written.
func TestExpiryAfterFailure(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	s := &lame{Store: b.engine.store}
	b.engine.store = s
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("UpdateTimeToLive", ttlOn)
	b.putExpiring("a", time.Minute)
	s.broken.Store(true)
	b.clock.Advance(time.Hour)
	b.wantCount(1)
	s.broken.Store(false)
	b.clock.Advance(2 * sweepDelay)
	b.wantCount(0)
}

func TestTimeToLiveSettings(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	const disabled = `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`
	ttlOff := `{"TableName":"Things","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":false}}`
	b.want("DescribeTimeToLive", `{"TableName":"Things"}`, disabled)
	b.wantError("UpdateTimeToLive", ttlOff, "Validation: TimeToLive is already disabled")
	b.want("UpdateTimeToLive", ttlOn, `{"TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`)
	b.want("DescribeTimeToLive", `{"TableName":"Things"}`, `{"TimeToLiveDescription":{"AttributeName":"ttl","TimeToLiveStatus":"ENABLED"}}`)
	b.wantError("UpdateTimeToLive", ttlOn, "Validation: TimeToLive is already enabled")
	b.wantError("UpdateTimeToLive", `{"TableName":"Things","TimeToLiveSpecification":{"AttributeName":"other","Enabled":true}}`,
		"Validation: TimeToLive is active on a different AttributeName: current AttributeName is ttl")
	b.putExpiring("a", time.Minute)
	b.must("UpdateTimeToLive", ttlOff)
	b.clock.Advance(time.Hour)
	b.wantCount(1)
	b.want("DescribeTimeToLive", `{"TableName":"Things"}`, disabled)
	b.must("UpdateTimeToLive", ttlOn)
	b.clock.Advance(time.Hour)
	b.wantCount(0)
	b.wantError("UpdateTimeToLive", `{"TableName":"Things"}`, "Validation: 1 validation error detected: Value null at 'timeToLiveSpecification' failed to satisfy constraint: Member must not be null")
	b.wantError("DescribeTimeToLive", `{"TableName":"Nothing"}`, "ResourceNotFound: Requested resource not found: Table: Nothing not found")
}

// TestExpiryMovedLate moves the expiry of an item that was to be deleted so long
// ago that AWS would not do it any more: the old time must not count.
func TestExpiryMovedLate(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	b.must("UpdateTimeToLive", ttlOn)
	b.engine.ExpireAfter(-1)
	b.putExpiring("a", time.Minute)
	b.clock.Advance(maxOverdue + time.Hour)
	b.putExpiring("a", time.Hour)
	b.engine.ExpireAfter(0)
	b.wantCount(1)
	b.clock.Advance(2 * time.Hour)
	b.wantCount(0)
}
