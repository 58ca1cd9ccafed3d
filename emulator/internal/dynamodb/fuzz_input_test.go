package dynamodb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"crypto-ticker/emulator/internal/clock"
)

// wantReadable reads all items of the table Indexed by every way that looks into
// them: what has been written can be read, conditioned on and projected. So that
// this stays quick, items go once there are some.
func wantReadable(b *bench) {
	b.t.Helper()
	var all struct{ Items []map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(b.must("Scan", `{"TableName":"Indexed"}`)), &all); err != nil {
		b.t.Fatal(err)
	}
	seen := b.must("Scan", `{"TableName":"Indexed","FilterExpression":"attribute_exists(pk) AND size(sk) <> pk","ProjectionExpression":"pk, gone[1].m"}`)
	if want := fmt.Sprintf(`"Count":%d,`, len(all.Items)); !strings.Contains(seen, want) {
		b.t.Errorf("got %s, want %s", seen, want)
	}
	if len(all.Items) < 8 {
		return
	}
	for _, it := range all.Items {
		before, err := json.Marshal(it)
		if err != nil {
			b.t.Fatal(err)
		}
		got := b.must("DeleteItem", `{"TableName":"Indexed","Key":{"pk":%s,"sk":%s},"ConditionExpression":"attribute_exists(sk)","ReturnValues":"ALL_OLD"}`, it["pk"], it["sk"])
		var old struct{ Attributes map[string]json.RawMessage }
		if err := json.Unmarshal([]byte(got), &old); err != nil {
			b.t.Fatal(err)
		}
		if after, err := json.Marshal(old.Attributes); err != nil || !bytes.Equal(after, before) {
			b.t.Errorf("got %s, %v, want %s", after, err, before)
		}
	}
}

// FuzzMembersTwice asks with one body behind another, as one object: that must be
// answered as if of members with one name there were the last alone.
func FuzzMembersTwice(f *testing.F) {
	clock := clock.New()
	f.Cleanup(clock.Close)
	engine, err := Open(Config{Clock: clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { engine.Close() })
	b := &bench{t: f, engine: engine}
	b.must("CreateTable", indexedTable)
	b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"S":"g"},"o":{"N":"2"}}}`)
	operations := slices.DeleteFunc(slices.Sorted(maps.Keys(inputs)), func(name string) bool { return !reads(name) || name == "GetShardIterator" })
	for _, seed := range []struct{ operation, first, second string }{
		{"ListTables", `{"Limit":0}`, `{"Limit":null}`}, {"ListStreams", `{"Limit":1}`, `{"limit":0}`},
		{"Scan", `{"TableName":"Indexed","Segment":-1,"TotalSegments":0}`, `{"Segment":null,"TotalSegments":null}`},
		{"Scan", `{"TableName":"Indexed","ScanFilter":{"a":{"ComparisonOperator":"X"}}}`, `{"ScanFilter":{"a":{"ComparisonOperator":"NULL"}}}`},
		{"Query", `{"TableName":"Indexed","KeyConditionExpression":"","Select":"COUNT"}`, `{"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}}}`},
		{"BatchGetItem", `{"RequestItems":{}}`, `{"RequestItems":{"Indexed":{"Keys":[{"pk":{"S":"p"},"sk":{"N":"1"}}]}}}`},
		{"TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}}}}]}`, `{"TransactItems":[]}`},
		{"GetItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"Limit":"x"}`, `{"Key":{},"AttributesToGet":["g","o"]}`},
	} {
		i, ok := slices.BinarySearch(operations, seed.operation)
		if !ok {
			f.Fatalf("there is no %s", seed.operation)
		}
		f.Add(uint8(i), []byte(seed.first), []byte(seed.second))
	}
	f.Fuzz(func(t *testing.T, operation uint8, first, second []byte) {
		name := operations[int(operation)%len(operations)]
		both, last, ok := joined(first, second)
		if !ok {
			return
		}
		b := &bench{t: t, engine: engine}
		got, bad := b.do(name, "%s", both)
		want, worse := b.do(name, "%s", last)
		if bad != nil {
			wantClientError(t, bad)
			if isSerialization(bad) { // a wrong type counts wherever it is
				return
			}
		}
		if got != want || fmt.Sprint(bad) != fmt.Sprint(worse) {
			t.Errorf("%s %s:\n got %s, %v\nof the last alone\n     %s, %v", name, both, got, bad, want, worse)
		}
	})
}

// joined makes one object of two, and one of that which has the last alone of
// members with one name.
func joined(first, second []byte) (both, last []byte, ok bool) {
	var members map[string]json.RawMessage
	for _, body := range [][]byte{first, second} {
		s := &scanner{data: body}
		if !json.Valid(body) || s.peek() != '{' {
			return nil, nil, false
		}
		if members == nil {
			members = map[string]json.RawMessage{}
		}
		for _, m := range s.lastMembers() {
			members[m.name] = m.value
		}
	}
	trim := func(body []byte) []byte {
		body = bytes.TrimSpace(body)
		return body[1 : len(body)-1]
	}
	both = slices.Concat([]byte("{"), trim(first), []byte(","), trim(second), []byte("}"))
	if !json.Valid(both) || !utf8.Valid(both) { // one of them is empty, or an error would show it otherwise
		return nil, nil, false
	}
	var alone bytes.Buffer
	e := json.NewEncoder(&alone)
	e.SetEscapeHTML(false) // an error may show it as it is
	err := e.Encode(members)
	return both, alone.Bytes(), err == nil
}
