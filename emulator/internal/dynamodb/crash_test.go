package dynamodb

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/dynamodb/kv"
)

const (
	// writerDir makes the test binary a process that writes to the store in
	// that folder, until it is killed.
	writerDir = "DYNAMODB_TEST_WRITER_DIR"
	// writerFrom is, by writer, how many of its steps have been done before.
	writerFrom = "DYNAMODB_TEST_WRITER_FROM"
	// crashes is how many times TestCrash kills, instead of its default.
	crashes = "DYNAMODB_TEST_CRASHES"

	crashWriters = 6
	crashKeys    = 5 // of each writer, who alone writes them
)

// step is one request of a writer, and what it makes of each item that it
// names: nil if the item is to be gone.
type step struct {
	operation, input string
	items            map[string]map[string]string // by key, attributes by name
}

// crashStep gives a writer's step. It depends on nothing but its number, so that
// who watches the writer knows what it writes.
func crashStep(writer, number int) step {
	rnd := rand.New(rand.NewPCG(uint64(writer), uint64(number)))
	pk := fmt.Sprint("w", writer)
	some := rnd.Perm(crashKeys)
	key := func(i int) string { return fmt.Sprintf(`"pk":{"S":"%s"},"sk":{"N":"%d"}`, pk, some[i]) }
	attributes := map[string]string{"step": strconv.Itoa(number)}
	if rnd.IntN(3) > 0 {
		attributes["g"] = fmt.Sprint("g", rnd.IntN(3))
	}
	if rnd.IntN(3) > 0 {
		attributes["o"] = strconv.Itoa(rnd.IntN(9))
	}
	if rnd.IntN(4) == 0 { // so that an item takes several pages
		attributes["big"] = strings.Repeat("x", rnd.IntN(20_000))
	}
	item := func(i int) string {
		out := "{" + key(i)
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			out += fmt.Sprintf(`,"%s":%s`, name, typed(name, attributes[name]))
		}
		return out + "}"
	}
	id := func(i int) string { return pk + "/" + strconv.Itoa(some[i]) }
	const table = `"TableName":"Indexed",`
	put, gone := attributes, map[string]string(nil)
	switch rnd.IntN(6) {
	case 0:
		return step{"DeleteItem", "{" + table + `"Key":{` + key(0) + "}}", map[string]map[string]string{id(0): gone}}
	case 1:
		return step{"UpdateItem", "{" + table + `"Key":{` + key(0) + "}," + updateTo(attributes) + "}", map[string]map[string]string{id(0): put}}
	case 2:
		return step{"BatchWriteItem", `{"RequestItems":{"Indexed":[{"PutRequest":{"Item":` + item(0) + `}},{"DeleteRequest":{"Key":{` + key(1) +
			`}}},{"PutRequest":{"Item":` + item(2) + `}}]}}`, map[string]map[string]string{id(0): put, id(1): gone, id(2): put}}
	case 3:
		return step{"TransactWriteItems", `{"TransactItems":[{"Put":{` + table + `"Item":` + item(0) + `}},{"Delete":{` + table + `"Key":{` + key(1) +
			`}}},{"Update":{` + table + `"Key":{` + key(2) + "}," + updateTo(attributes) + `}}]}`,
			map[string]map[string]string{id(0): put, id(1): gone, id(2): put}}
	}
	return step{"PutItem", "{" + table + `"Item":` + item(0) + "}", map[string]map[string]string{id(0): put}}
}

// typed gives an attribute of the crash test on the wire.
func typed(name, text string) string {
	if name == "o" || name == "step" || name == "sk" {
		return `{"N":"` + text + `"}`
	}
	return `{"S":"` + text + `"}`
}

// updateTo gives the members of an update that leaves just these attributes.
func updateTo(attributes map[string]string) string {
	var set, remove, values []string
	for _, name := range []string{"big", "g", "o", "step"} {
		if text, ok := attributes[name]; ok {
			set = append(set, "#"+name+" = :"+name)
			values = append(values, fmt.Sprintf(`":%s":%s`, name, typed(name, text)))
		} else {
			remove = append(remove, "#"+name)
		}
	}
	expr := "SET " + strings.Join(set, ", ")
	if remove != nil {
		expr += " REMOVE " + strings.Join(remove, ", ")
	}
	return `"UpdateExpression":"` + expr + `","ExpressionAttributeNames":{"#big":"big","#g":"g","#o":"o","#step":"step"},` +
		`"ExpressionAttributeValues":{` + strings.Join(values, ",") + "}"
}

// writeForever has writers carry out their steps, and prints each that is
// acknowledged before the writer's next begins.
func writeForever(dir string) error {
	engine, err := Open(Config{Dir: dir, Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	var e *awsjson.Error
	_, err = engine.Do(context.Background(), "CreateTable", []byte(streamedTable))
	if err != nil && !errors.As(err, &e) { // it may be there
		return err
	}
	failed := make(chan error)
	for writer, from := range strings.Fields(os.Getenv(writerFrom)) {
		number, err := strconv.Atoi(from)
		if err != nil {
			return err
		}
		go func() {
			for ; ; number++ {
				s := crashStep(writer, number)
				if _, err := engine.Do(context.Background(), s.operation, []byte(s.input)); err != nil {
					failed <- fmt.Errorf("%s %s: %w", s.operation, s.input, err)
				}
				fmt.Println(writer, number)
			}
		}()
	}
	return <-failed
}

// TestCrash kills a process that writes at random moments, again and again, and
// each time opens what it leaves: every write that was acknowledged is there,
// of one that was not either all or nothing, and the indexes and the stream agree
// with the table. DYNAMODB_TEST_CRASHES says how many times; 10 if it does not.
func TestCrash(t *testing.T) {
	t.Parallel()
	rounds := 10
	if text := os.Getenv(crashes); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	done := make([]int, crashWriters) // steps of each writer that last
	state := make([]map[string]map[string]string, crashWriters)
	for i := range state {
		state[i] = map[string]map[string]string{}
	}
	total := 0
	for round := range rounds {
		acknowledged := killWriter(t, dir, done, round == 0)
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			total += checkCrash(t, dir, done, acknowledged, state)
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d steps in %d rounds", total, rounds)
	if rounds > 1 && total == 0 {
		t.Error("nothing was ever written")
	}
}

// killWriter starts the process and kills it. It returns how many steps of each
// writer are acknowledged. The first time the process is killed about when it
// makes the file; else when some steps are done.
func killWriter(t *testing.T, dir string, done []int, first bool) []int {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), writerDir+"="+dir, writerFrom+"="+strings.Trim(fmt.Sprint(done), "[]"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	wait := rand.N(2 * time.Millisecond)
	if first {
		time.AfterFunc(rand.N(60*time.Millisecond), func() { cmd.Process.Kill() })
	}
	acknowledged := slices.Clone(done)
	enough := 1 + rand.IntN(60)
	for lines := bufio.NewScanner(out); lines.Scan(); enough-- {
		var writer, number int
		if _, err := fmt.Sscan(lines.Text(), &writer, &number); err != nil {
			break // a line that the kill cut off
		}
		acknowledged[writer] = number + 1
		if enough == 1 {
			time.AfterFunc(wait, func() { cmd.Process.Kill() }) // more lines come, until it is dead
		}
	}
	cmd.Wait() // the kill is its error
	if stderr.Len() > 0 {
		t.Fatalf("the writer failed: %s", &stderr)
	}
	return acknowledged
}

// checkCrash opens the store and compares it with what the writers have done,
// which it brings up to date.
func checkCrash(t *testing.T, dir string, done, acknowledged []int, state []map[string]map[string]string) (steps int) {
	b := open(t, dir)
	if strings.Contains(b.must("ListTables", `{}`), `[]`) {
		if !slices.Equal(acknowledged, make([]int, crashWriters)) {
			t.Fatal("the table is lost")
		}
		return 0
	}
	got := b.crashItems("")
	for writer := range done {
		for ; done[writer] < acknowledged[writer]; done[writer]++ {
			maps.Copy(state[writer], crashStep(writer, done[writer]).items)
			steps++
		}
		pk := fmt.Sprint("w", writer)
		next := maps.Clone(state[writer])
		maps.Copy(next, crashStep(writer, done[writer]).items) // may have been done, and not acknowledged
		switch {
		case sameCrashState(got[pk], state[writer]):
		case sameCrashState(got[pk], next):
			state[writer] = next
			done[writer]++
		default:
			t.Errorf("writer %d after %d steps:\n got  %.200v\n want %.200v\n or   %.200v", writer, done[writer], got[pk], state[writer], next)
		}
	}
	index := b.crashItems("all")
	for writer := range done {
		projected := map[string]map[string]string{}
		for id, item := range state[writer] {
			if item["g"] != "" && item["o"] != "" {
				projected[id] = item
			}
		}
		if pk := fmt.Sprint("w", writer); !sameCrashState(index[pk], projected) {
			t.Errorf("index, writer %d:\n got  %.200v\n want %.200v", writer, index[pk], projected)
		}
	}
	b.wantInStep("Indexed")
	b.wantReplayed("Indexed")
	return steps
}

// crashItems reads all items, of the table or of an index, by partition and by
// key.
func (b *bench) crashItems(index string) map[string]map[string]map[string]string {
	b.t.Helper()
	out := map[string]map[string]map[string]string{}
	start := ""
	for {
		input := `{"TableName":"Indexed"` + start
		if index != "" {
			input += `,"IndexName":"` + index + `"`
		}
		var page struct {
			Items            []map[string]struct{ S, N string }
			LastEvaluatedKey json.RawMessage
		}
		if err := json.Unmarshal([]byte(b.must("Scan", input+"}")), &page); err != nil {
			b.t.Fatal(err)
		}
		for _, item := range page.Items {
			pk, sk := item["pk"].S, item["sk"].N
			if out[pk] == nil {
				out[pk] = map[string]map[string]string{}
			}
			attributes := map[string]string{}
			for name, v := range item {
				if name != "pk" && name != "sk" {
					attributes[name] = v.S + v.N
				}
			}
			out[pk][pk+"/"+sk] = attributes
		}
		if page.LastEvaluatedKey == nil {
			return out
		}
		start = `,"ExclusiveStartKey":` + string(page.LastEvaluatedKey)
	}
}

// sameCrashState compares items as read with those that should be, of which nil
// means none.
func sameCrashState(got, want map[string]map[string]string) bool {
	n := 0
	for id, attributes := range want {
		if attributes == nil {
			continue
		}
		if n++; !maps.Equal(got[id], attributes) {
			return false
		}
	}
	return n == len(got)
}

// wantInStep compares what is derived from a table's items, indexes and the
// list of expiries, with what the items would give now.
func (b *bench) wantInStep(name string) {
	b.t.Helper()
	t := b.engine.tables[name]
	want, got := map[string]string{}, map[string]string{}
	spaces := []uint64{}
	for _, x := range t.indexes() {
		spaces = append(spaces, x.space)
	}
	if ttl := t.ttl.Load(); ttl != nil {
		spaces = append(spaces, ttl.Space)
	}
	err := b.engine.store.View(func(r kv.Reader) error {
		r.Scan(t.space, nil, nil, false, func(key, stored []byte) bool {
			it, err := decodeStored(stored)
			if err != nil {
				b.t.Errorf("%x: %v", key, err)
				return true
			}
			if size := it.size(); size != storedSize(stored) {
				b.t.Errorf("%x: the stored size is %d, want %d", key, storedSize(stored), size)
			}
			for _, w := range b.engine.derive(nil, &change{t: t, key: bytes.Clone(key), new: it}) {
				if r, ok := w.Puts(); ok {
					want[fmt.Sprintf("%d %x", r.Space, r.Key)] = string(r.Value)
				}
			}
			return true
		})
		for _, space := range append(spaces, t.space) {
			var sum kv.Total
			r.Scan(space, nil, nil, false, func(key, stored []byte) bool {
				sum.Keys++
				sum.Size += storedSize(stored)
				return true
			})
			if got := r.Total(space); got != sum {
				b.t.Errorf("space %d has the total %+v, want %+v", space, got, sum)
			}
		}
		for _, space := range spaces {
			r.Scan(space, nil, nil, false, func(key, stored []byte) bool {
				got[fmt.Sprintf("%d %x", space, key)] = string(stored)
				return true
			})
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		b.t.Errorf("table %s and what is derived from it differ:\n got  %.500v\n want %.500v", name, got, want)
	}
}
