package emulator_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator"
)

const streams = "testdata/streams/template.yaml"

func putNote(t *testing.T, e *emulator.Emulator, item string) {
	t.Helper()
	call(t, e, "DynamoDB_20120810.PutItem", "1.0", `{"TableName":"Notes","Item":`+item+`}`)
}

// wantSeen waits until the function has seen a change so many times, and does
// something in between.
func wantSeen(t *testing.T, e *emulator.Emulator, change, times string, meanwhile func()) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) { // a process counts, in real time
		got = call(t, e, "DynamoDB_20120810.GetItem", "1.0", `{"TableName":"Audit","Key":{"change":{"S":"`+change+`"}}}`)
		if strings.Contains(got, `"seen":{"N":"`+times+`"}`) {
			return
		}
		meanwhile()
	}
	t.Fatalf("%s: got %s, want it seen %s times", change, got, times)
}

// TestStream has a function react to a table. One change fails six times, which
// takes longer than this test waits, but for Advance.
func TestStream(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: streams})
	putNote(t, e, `{"id":{"S":"draft/1"}}`)
	putNote(t, e, `{"id":{"S":"a"}}`)
	wantSeen(t, e, "INSERT a", "1", func() {})
	putNote(t, e, `{"id":{"S":"a"},"failures":{"N":"6"}}`)
	putNote(t, e, `{"id":{"S":"b"}}`)
	wantSeen(t, e, "MODIFY a", "7", func() { e.Advance(time.Second) })
	wantSeen(t, e, "INSERT b", "1", func() {})
	if got := call(t, e, "DynamoDB_20120810.Scan", "1.0", `{"TableName":"Audit","Select":"COUNT"}`); !strings.Contains(got, `"Count":3`) {
		t.Errorf("got %s changes, want 3: no drafts", got)
	}

	var text strings.Builder
	e.Describe(&text)
	var list struct{ Streams []struct{ StreamArn string } }
	if err := json.Unmarshal([]byte(call(t, e, "DynamoDBStreams_20120810.ListStreams", "1.0", `{}`)), &list); err != nil || len(list.Streams) != 1 {
		t.Fatalf("got streams %v, %v", list, err)
	}
	for _, want := range []string{"Stream    AuditFunctionChanges", "Notes -> AuditFunction", list.Streams[0].StreamArn} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("described without %q:\n%s", want, &text)
		}
	}
}

// TestStreamOfDataFolder starts again where it has ended, with streams that the
// template changes in between.
func TestStreamOfDataFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "template.yaml")
	src, err := os.ReadFile(streams)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 10)
	run := func(view string) *emulator.Emulator {
		t.Helper()
		text := strings.Replace(string(src), "NEW_AND_OLD_IMAGES", view, 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := emulator.Run(t.Context(), emulator.Options{Template: file, Data: filepath.Join(dir, "data"),
			Handlers: map[string]func() awslambda.Handler{"AuditFunction": func() awslambda.Handler {
				return awslambda.NewHandler(func(e events.DynamoDBEvent) {
					for _, r := range e.Records {
						seen <- r.Change.Keys["id"].String() + " " + r.Change.StreamViewType
					}
				})
			}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		return e
	}
	last := "" // what was under way when the emulator ended may come again
	want := func(want string) {
		t.Helper()
		for {
			select {
			case got := <-seen:
				if got == want {
					last = want
					return
				}
				if got != last {
					t.Errorf("got %s, want %s", got, want)
				}
			case <-time.After(patience):
				t.Fatalf("%s was not seen", want)
			}
		}
	}
	for _, step := range []struct{ id, view string }{{"1", "NEW_AND_OLD_IMAGES"}, {"2", "NEW_AND_OLD_IMAGES"}, {"3", "KEYS_ONLY"}} {
		e := run(step.view)
		for _, id := range []string{step.id, step.id + "'"} {
			putNote(t, e, `{"id":{"S":"`+id+`"}}`)
			want(id + " " + step.view)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}
