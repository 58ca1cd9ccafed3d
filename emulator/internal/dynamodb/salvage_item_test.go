package dynamodb

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// TestSalvageWithoutAnItem has a table with values that are no items: all others
// are saved, those are told of, and what is JSON of them is kept aside.
func TestSalvageWithoutAnItem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Run("fill", func(t *testing.T) {
		b := open(t, dir)
		b.must("CreateTable", hashTable, "Things", "S")
		for _, key := range []string{"a", "b", "c"} {
			b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%s"},"own":{"S":"of %[1]s"}}}`, key)
		}
		tb := b.engine.tables["Things"]
		err := b.engine.store.Update(func(kv.Reader) (writes []kv.Write, err error) {
			for key, stored := range map[string]string{"strange": `{"pk":{"S":"strange"},"x":{"Z":"1"}}`, "broken": `{"pk":{"S":"broken"},"x":{"S":"\`} {
				at, err := tb.schema.encode(item{{"pk", value{kind: kindString, text: key}}})
				if err != nil {
					return nil, err
				}
				writes = append(writes, kv.Put(tb.space, at, append([]byte{1}, stored...)))
			}
			return writes, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	file := filepath.Join(dir, storeFile)
	damaged, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged = bytes.ReplaceAll(damaged, []byte("of b"), []byte("or b"))
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	e, log, err := openSalvaged(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, engine: e}
	if got := b.allItems(); len(got) != 2 {
		t.Errorf("%d items are left of 3, of which one is damaged: %v", len(got), got)
	}
	b.must("UpdateTimeToLive", ttlOn)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{`left out" table=Things key="{\"pk\":{\"S\":\"strange\"}}`, `left out" table=Things key="{\"pk\":{\"S\":\"broken\"}}`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	strays, err := os.ReadFile(file + ".damaged.items.jsonl")
	if want := `"item":{"pk":{"S":"strange"},"x":{"Z":"1"}}}` + "\n"; err != nil || !bytes.HasSuffix(strays, []byte(want)) || bytes.Count(strays, []byte("\n")) != 1 {
		t.Errorf("aside is %s, %v, want %s", strays, err, want)
	}
}

// TestStoredBeyondLimits has an item that no request could write: it must not
// stand in the way of anything.
func TestStoredBeyondLimits(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", indexedTable)
	tb := b.engine.tables["Indexed"]
	deep := strings.Repeat(`{"L":[`, 40) + `{"S":"x"}` + strings.Repeat(`]}`, 40)
	stored := `{"":{"S":"x"},"d":` + deep + `,"` + strings.Repeat("n", 70_000) + `":{"S":"x"},"pk":{"S":"p"},"sk":{"N":"1"}}`
	err := b.engine.store.Update(func(kv.Reader) ([]kv.Write, error) {
		key, err := tb.schema.encode(item{{"pk", value{kind: kindString, text: "p"}}, {"sk", value{kind: kindNumber, text: "1"}}})
		return []kv.Write{kv.Put(tb.space, key, append([]byte{1}, stored...))}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.must("UpdateTimeToLive", `{"TableName":"Indexed","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`)
	b.must("UpdateTable", `{"TableName":"Indexed","AttributeDefinitions":[{"AttributeName":"z","AttributeType":"S"}],
		"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"new","KeySchema":[{"AttributeName":"z","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`)
	b.want("Scan", `{"TableName":"Indexed","FilterExpression":"attribute_exists(d)","ProjectionExpression":"sk"}`, `{"Items":[{"sk":{"N":"1"}}],"Count":1,"ScannedCount":1}`)
	b.want("DeleteItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"ConditionExpression":"size(d) = :n","ExpressionAttributeValues":{":n":{"N":"1"}}}`, `{}`)
}
