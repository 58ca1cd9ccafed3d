package emulator

import (
	"log/slog"
	"net/http/httptest"
	"time"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/dynamodb"
)

// DynamoDB is DynamoDB with a test's means to make it behave as it does on AWS
// at times: late, throttled, broken.
type DynamoDB struct {
	engine *dynamodb.Engine
	clock  *clock.Clock
	url    string
}

// Fault makes requests fail; see DynamoDB.Fail.
type Fault = dynamodb.Fault

// Snapshot is a state of all tables; see DynamoDB.Snapshot.
type Snapshot = dynamodb.Snapshot

// RunDynamoDB runs DynamoDB alone for a test, in memory and without tables,
// until the test ends. Tests that run in parallel have one each.
func RunDynamoDB(tb TB) *DynamoDB {
	tb.Helper()
	c := clock.New()
	db, err := dynamodb.Open(dynamodb.Config{
		Region: "us-east-1", AccountID: "123456789012", Clock: c, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatalf("emulator: %v", err)
	}
	s := httptest.NewServer(db)
	tb.Cleanup(func() {
		s.Close()
		db.Close()
		c.Close()
	})
	return &DynamoDB{db, c, s.URL}
}

// DynamoDB is the one that the emulator's functions use.
func (e *Emulator) DynamoDB() *DynamoDB { return &DynamoDB{e.tables, e.clock, e.AWSURL()} }

// URL is the endpoint, for the SDKs and the aws CLI. It takes any region and any
// credentials.
func (d *DynamoDB) URL() string { return d.url }

// Advance moves its time, which tells what has expired and what Lag keeps back.
// That of Emulator.DynamoDB is the emulator's: all that is due there happens.
func (d *DynamoDB) Advance(by time.Duration) { d.clock.Advance(by) }

// Fail makes requests fail from now on, until ClearFaults, Reset, or as many
// times as the fault says. Of several faults, the first that fits a request
// counts. It is an error if no request could ever meet the fault.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func (d *DynamoDB) Fail(f Fault) error { return d.engine.Fail(f) }

// ClearFaults takes all faults away.
func (d *DynamoDB) ClearFaults() { d.engine.ClearFaults() }

// Lag makes what is eventually consistent late: reads without ConsistentRead,
// and global secondary indexes, see what was written until by ago in its time.
// 0, which it begins with, makes them see everything.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
func (d *DynamoDB) Lag(by time.Duration) { d.engine.Lag(by) }

// ExpireAfter sets how long after an item has expired it is deleted, in whole
// seconds: 0 is at once, and less than 0 is never. It begins with a minute; AWS
// takes up to some days, in which reads still find the item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
func (d *DynamoDB) ExpireAfter(delay time.Duration) { d.engine.ExpireAfter(delay) }

// Snapshot keeps the tables with their items and settings, for Restore. What
// streams have recorded is no part of it.
func (d *DynamoDB) Snapshot() (*Snapshot, error) { return d.engine.Snapshot() }

// Restore puts all tables back as they were, at once; those made since are gone.
// Streams do not record it; those made since end, and a table whose stream has
// ended since gets another.
func (d *DynamoDB) Restore(s *Snapshot) error { return d.engine.Restore(s) }

// Reset deletes all items, faults and the lag; the tables stay, with their
// settings. Streams do not record it.
func (d *DynamoDB) Reset() error { return d.engine.Reset() }
