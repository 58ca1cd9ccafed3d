package dynamodb

import (
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// TestRestoreStreams restores a snapshot of a table with a stream after what can
// have happened to the stream.
func TestRestoreStreams(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		if b.engine.Restore(nil) == nil {
			t.Error("no snapshot is restored")
		}
		b.must("CreateTable", streamTable, "NEW_IMAGE")
		first := b.engine.LatestStream("Things")
		s, err := b.engine.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		restore := func(b *bench) (arn string) {
			t.Helper()
			if err := b.engine.Restore(s); err != nil {
				t.Fatal(err)
			}
			arn = b.engine.LatestStream("Things")
			description := b.must("DescribeStream", `{"StreamArn":"%s"}`, arn)
			if !strings.Contains(description, `"ENABLED"`) || !strings.Contains(description, `"NEW_IMAGE"`) {
				t.Errorf("got the stream %s", description)
			}
			iterator := b.iterator("Things", "LATEST", "")
			b.must("PutItem", put(1, "again"))
			if got, _ := b.records(iterator); len(got) != 1 {
				t.Errorf("%d changes are recorded, want one", len(got))
			}
			return arn
		}
		ended := func(arn string) {
			t.Helper()
			if got := b.must("DescribeStream", `{"StreamArn":"%s"}`, arn); !strings.Contains(got, `"DISABLED"`) {
				t.Errorf("got %s, want that it has ended", got)
			}
		}

		b.must("PutItem", put(1, "a"))
		if arn := restore(b); arn != first {
			t.Errorf("the table has the stream %s, want %s as before", arn, first)
		}

		b.must("UpdateTable", `{"TableName":"Things","StreamSpecification":{"StreamEnabled":false}}`)
		b.must("UpdateTable", `{"TableName":"Things","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`)
		other := b.engine.LatestStream("Things")
		second := restore(b)
		if second == first || second == other {
			t.Errorf("the table has the stream %s, which had ended", second)
		}
		ended(other)

		b.must("DeleteTable", `{"TableName":"Things"}`)
		b.must("CreateTable", strings.Replace(streamTable, "Things", "Others", 1), "KEYS_ONLY")
		other = b.engine.LatestStream("Others")
		restore(b)
		ended(second)
		ended(other)

		restore(open(t, ""))
	})
}

// TestEmptyStreamEnds disables a stream that has never had a record: nothing else
// brings the sweeper to it.
func TestEmptyStreamEnds(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", streamTable, "KEYS_ONLY")
		b.clock.Advance(time.Hour)
		b.must("UpdateTable", `{"TableName":"Things","StreamSpecification":{"StreamEnabled":false}}`)
		b.clock.Advance(23 * time.Hour)
		if got := b.must("ListStreams", `{}`); !strings.Contains(got, "Things") {
			t.Errorf("after 23 hours: got %s, want the stream", got)
		}
		b.clock.Advance(2 * time.Hour)
		b.want("ListStreams", `{}`, `{"Streams":[]}`)
		b.must("TagResource", `{"ResourceArn":"%s","Tags":[{"Key":"a","Value":"b"}]}`, b.engine.tableARN("Things"))
		n := 0
		if err := b.engine.store.View(func(r kv.Reader) error {
			r.Scan(streamSpaces, nil, nil, false, func(_, _ []byte) bool { n++; return true })
			return nil
		}); err != nil || n != 0 {
			t.Errorf("%d streams are stored, %v; want none", n, err)
		}
	})
}
