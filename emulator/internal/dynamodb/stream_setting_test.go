package dynamodb

import (
	"errors"
	"testing"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// failing is a store one of whose updates fails.
type failing struct {
	kv.Store
	after int // so many others
}

var errFull = errors.New("the disk is full")

func (s *failing) Update(f func(kv.Reader) ([]kv.Write, error), undo ...func()) error {
	s.after--
	return s.Store.Update(func(r kv.Reader) ([]kv.Write, error) {
		writes, err := f(r)
		if err == nil && s.after < 0 {
			err = errFull
		}
		return writes, err
	}, undo...)
}

// state shows a table and all streams.
func (b *bench) state(table string) string {
	b.t.Helper()
	text := b.must("DescribeTable", `{"TableName":"%s"}`, table)
	streams, _ := decodeJSON(b.t, b.must("ListStreams", `{}`))["Streams"].([]any)
	for _, s := range streams {
		text += "\n" + b.must("DescribeStream", `{"StreamArn":"%s"}`, s.(map[string]any)["StreamArn"])
	}
	return text
}

// TestStreamChangesAtOnce lets what changes a stream and more fail at each of its
// commits: then nothing has changed, and neither has it for who opens the folder
// again, as after a death at that moment.
func TestStreamChangesAtOnce(t *testing.T) {
	t.Parallel()
	const (
		disable = `{"TableName":"Indexed","StreamSpecification":{"StreamEnabled":false}%s}`
		enable  = `{"TableName":"Indexed","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}%s}`
		index   = `,"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"all","OnDemandThroughput":{"MaxReadRequestUnits":7}}}]`
	)
	type step func(*bench, *Snapshot) error
	do := func(operation, input string, args ...any) step {
		return func(b *bench, _ *Snapshot) error { _, err := b.do(operation, input, args...); return err }
	}
	restore := func(b *bench, s *Snapshot) error { return b.engine.Restore(s) }
	for name, tt := range map[string]struct {
		prepare []step // after the table was made, and the snapshot taken
		change  step
	}{
		"disable":                  {nil, do("UpdateTable", disable, index)},
		"enable":                   {[]step{do("UpdateTable", disable, "")}, do("UpdateTable", enable, index)},
		"delete":                   {nil, do("DeleteTable", `{"TableName":"Indexed"}`)},
		"restore an ended one":     {[]step{do("UpdateTable", disable, "")}, restore},
		"restore beside a new one": {[]step{do("UpdateTable", disable, ""), do("UpdateTable", enable, "")}, restore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n++ {
				dir, before, failed := t.TempDir(), "", false
				t.Run("change", func(t *testing.T) {
					b := openAlone(t, dir)
					b.must("CreateTable", streamedTable)
					b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}`)
					snapshot, err := b.engine.Snapshot()
					for _, prepare := range tt.prepare {
						err = errors.Join(err, prepare(b, snapshot))
					}
					if err != nil {
						t.Fatal(err)
					}
					before = b.state("Indexed")
					b.engine.store = &failing{b.engine.store, n}
					failed = tt.change(b, snapshot) != nil
					if failed && b.state("Indexed") != before {
						t.Errorf("commit %d has failed: got\n%s\nwant\n%s", n+1, b.state("Indexed"), before)
					}
				})
				if !failed {
					break
				}
				if got := openAlone(t, dir).state("Indexed"); got != before {
					t.Errorf("commit %d has failed: opened again, got\n%s\nwant\n%s", n+1, got, before)
				}
			}
		})
	}
}
