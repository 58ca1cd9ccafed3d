package dynamodb

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// gate is a store whose updates stop behind their functions, before the commit,
// until they are let through one by one.
type gate struct {
	kv.Store
	open chan struct{} // nil: nothing stops
}

func (g *gate) Update(f func(kv.Reader) ([]kv.Write, error), undo ...func()) error {
	return g.Store.Update(func(r kv.Reader) ([]kv.Write, error) {
		writes, err := f(r)
		if g.open != nil {
			<-g.open
		}
		return writes, err
	}, undo...)
}

// TestStreamEndsWithItsCommit has a change and the end of its stream share a
// commit, and reads the stream before that is made: there is neither yet.
func TestStreamEndsWithItsCommit(t *testing.T) {
	t.Parallel()
	for operation, input := range map[string]string{
		"UpdateTable": `{"TableName":"Things","StreamSpecification":{"StreamEnabled":false}}`,
		"DeleteTable": `{"TableName":"Things"}`,
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				b := openAlone(t, dir)
				b.must("CreateTable", streamTable, "KEYS_ONLY")
				arn, iterator := b.engine.LatestStream("Things"), b.iterator("Things", "TRIM_HORIZON", "")
				consumer, err := b.engine.Consume(arn, "f", false)
				if err != nil {
					t.Fatal(err)
				}
				g := &gate{b.engine.store, make(chan struct{})}
				b.engine.store = g
				var running sync.WaitGroup
				defer running.Wait()
				open := sync.OnceFunc(func() { close(g.open) })
				defer open()
				begin := func(operation, input string) {
					running.Go(func() {
						if _, err := b.do(operation, input); err != nil {
							t.Errorf("%s: %v", operation, err)
						}
					})
				}
				begin("PutItem", put(1, "a"))
				synctest.Wait() // its function has run
				begin(operation, input)
				synctest.Wait() // it waits to share the commit
				g.open <- struct{}{}
				synctest.Wait() // and its function has run

				records, changed, err := consumer.Read(10)
				if err != nil || len(records) != 0 {
					t.Fatalf("before the commit: got %d records and %v, want neither", len(records), err)
				}
				if got, next := b.records(iterator); len(got) != 0 || next == "" {
					t.Errorf("before the commit: got %d records, and %q as the next iterator", len(got), next)
				}
				describe := func() string { return b.must("DescribeStream", `{"StreamArn":"%s"}`, arn) }
				if got := describe(); !strings.Contains(got, `"ENABLED"`) || strings.Contains(got, "EndingSequenceNumber") {
					t.Errorf("before the commit: got %s", got)
				}
				open()
				synctest.Wait() // the commit is made
				select {
				case <-changed:
				default:
					t.Error("nobody is told of the record")
				}
				if records, _, err = consumer.Read(10); err != nil || len(records) != 1 {
					t.Fatalf("got %d records and %v, want one", len(records), err)
				}
				if _, _, err = consumer.Read(10); !errors.Is(err, ErrStreamEnd) {
					t.Errorf("behind the last record: got %v", err)
				}
				if got, next := b.records(iterator); len(got) != 1 || next != "" {
					t.Errorf("got %d records, and %q as the next iterator; want one, and none", len(got), next)
				}
				if got := describe(); !strings.Contains(got, `"EndingSequenceNumber":"`+records[0].Sequence+`"`) {
					t.Errorf("got %s, want that it ends with %s", got, records[0].Sequence)
				}
			})
		})
	}
}
