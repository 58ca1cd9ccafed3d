package dynamodb

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// TestStreamAfterRestart opens a folder again: records, numbers and consumers go on.
func TestStreamAfterRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	b.must("CreateTable", streamTable, "KEYS_ONLY")
	b.must("PutItem", put(1, "a"))
	b.must("PutItem", put(2, "a"))
	arn := b.engine.LatestStream("Things")
	consumer, err := b.engine.Consume(arn, "f", false)
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := consumer.Read(1)
	if err != nil || len(first) != 1 {
		t.Fatalf("got %d records, %v", len(first), err)
	}
	if err := consumer.Commit(first[0].Sequence); err != nil {
		t.Fatal(err)
	}
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}

	b = open(t, dir)
	b.must("PutItem", put(3, "a"))
	if again := b.engine.LatestStream("Things"); again != arn {
		t.Fatalf("the stream is %s, was %s", again, arn)
	}
	records, _ := b.records(b.iterator("Things", "TRIM_HORIZON", ""))
	if len(records) != 3 || records[2].Dynamodb.SequenceNumber <= records[1].Dynamodb.SequenceNumber {
		t.Errorf("got %+v", records)
	}
	if consumer, err = b.engine.Consume(arn, "f", true); err != nil {
		t.Fatal(err)
	}
	rest, _, err := consumer.Read(10)
	if err != nil || len(rest) != 2 || rest[0].Sequence <= first[0].Sequence {
		t.Errorf("got %d records after the restart, %v", len(rest), err)
	}
}

// TestConsumer waits for a record and for the end.
func TestConsumer(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", streamTable, "KEYS_ONLY")
		b.must("PutItem", put(1, "a"))
		consumer, err := b.engine.Consume(b.engine.LatestStream("Things"), "f", true)
		if err != nil {
			t.Fatal(err)
		}
		read := func(want int) <-chan struct{} {
			t.Helper()
			records, changed, err := consumer.Read(10)
			if err != nil || len(records) != want {
				t.Fatalf("got %d records and %v, want %d", len(records), err, want)
			}
			return changed
		}
		changed := read(0)
		b.must("PutItem", put(2, "a"))
		<-changed
		changed = read(1)
		b.must("DeleteTable", `{"TableName":"Things"}`)
		<-changed
		if _, _, err := consumer.Read(10); !errors.Is(err, ErrStreamEnd) {
			t.Errorf("behind the end: %v", err)
		}
	})
}

// streamedTable is indexedTable with a stream.
var streamedTable = strings.TrimSuffix(indexedTable, "}") + `,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`

// wantReplayed makes a table's items anew from all records of its stream, each of
// which must begin where the one before has ended, and compares them with those
// that there are.
func (b *bench) wantReplayed(name string) {
	b.t.Helper()
	consumer, err := b.engine.Consume(b.engine.LatestStream(name), "replay"+b.t.Name(), false)
	if err != nil {
		b.t.Fatal(err)
	}
	got := map[string]string{} // images by key
	for {
		records, _, err := consumer.Read(maxRecords)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			var event struct {
				Dynamodb struct{ Keys, NewImage, OldImage json.RawMessage }
			}
			if err := json.Unmarshal(r.Event, &event); err != nil {
				b.t.Fatal(err)
			}
			key := string(event.Dynamodb.Keys)
			if got[key] != string(event.Dynamodb.OldImage) {
				b.t.Fatalf("record %s: the old image is %.200s, was %.200s", r.Sequence, event.Dynamodb.OldImage, got[key])
			}
			got[key] = string(event.Dynamodb.NewImage)
		}
	}
	maps.DeleteFunc(got, func(_, image string) bool { return image == "" })
	t, want := b.engine.tables[name], map[string]string{}
	err = b.engine.store.View(func(r kv.Reader) error {
		r.Scan(t.space, nil, nil, false, func(_, stored []byte) bool {
			it, err := decodeStored(stored)
			if err != nil {
				b.t.Error(err)
			}
			key := slices.DeleteFunc(slices.Clone(it), func(a attribute) bool { return !t.schema.has(a.name) })
			want[string(key.appendJSON(nil))] = string(it.appendJSON(nil))
			return true
		})
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		b.t.Errorf("table %s and what its stream makes differ:\n got  %.500v\n want %.500v", name, got, want)
	}
}
