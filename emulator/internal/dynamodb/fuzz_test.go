package dynamodb

import (
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/clock"
)

func FuzzExpressions(f *testing.F) {
	for _, seed := range []string{
		"s = :s AND (n BETWEEN :n1 AND :n6 OR NOT contains(l, :x))", "size(m.q) IN (:n1, n)", "attribute_type(l[2].k, :S)",
		"SET n = n + :n1, l[7] = list_append(l, :list) REMOVE m.q.n ADD ns :n1 DELETE ss :set", "SET x = if_not_exists(gone, :s)", "s, l[0], m.q", "((", "#s = :s",
	} {
		f.Add(seed)
	}
	it := testItem(f, exprItem)
	f.Fuzz(func(t *testing.T, src string) {
		if c, err := parseCondition("FilterExpression", src, testBindings(t)); err == nil {
			c.holds(it)
			c.holds(nil)
			keyRange(c, schema{hash: keyAttribute{"s", kindString}, sort: keyAttribute{"n", kindNumber}})
		} else {
			wantClientError(t, err)
		}
		if paths, err := parseProjection(src, testBindings(t)); err == nil {
			it.project(paths)
		} else {
			wantClientError(t, err)
		}
		u, err := parseUpdate(src, testBindings(t))
		if err != nil {
			wantClientError(t, err)
			return
		}
		before := string(it.appendJSON(nil))
		after, err := u.apply(it)
		if err != nil {
			wantClientError(t, err)
			return
		}
		if got := string(it.appendJSON(nil)); got != before {
			t.Errorf("the update has changed its input to %s", got)
		}
		if again := testItem(t, string(after.appendJSON(nil))); again.size() != after.size() {
			t.Errorf("what is stored is not what is read: %s", after.appendJSON(nil))
		}
		after.project(u.paths())
	})
}

// wantClientError lets an error be one of DynamoDB's, and the client's fault.
func wantClientError(t *testing.T, err error) {
	t.Helper()
	var e *awsjson.Error
	if !errors.As(err, &e) || e.Status >= 500 {
		t.Errorf("not the client's fault: %v", err)
	}
}

func FuzzRequests(f *testing.F) {
	engine, err := Open(Config{Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { engine.Close() })
	b := &bench{t: f, engine: engine}
	b.must("CreateTable", indexedTable)
	b.must("UpdateTimeToLive", `{"TableName":"Indexed","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`)
	operations := []string{"CreateTable", "DescribeTable", "ListTables", "UpdateTimeToLive", "DescribeTimeToLive", "PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchWriteItem", "BatchGetItem",
		"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"}
	for i, seed := range []string{
		hashTable, `{"TableName":"Indexed"}`, `{"Limit":1}`, ttlOn, `null`,
		`{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1e3"},"g":{"S":"g"},"o":{"N":"2"},"ttl":{"N":"9999999999"},"x":{"L":[{"M":{"b":{"BS":["AQ=="]}}},{"NULL":true}]}}}`,
		`{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1000"}},"ProjectionExpression":"x[0].b"}`,
		`{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1000"}},"UpdateExpression":"SET #o = o + :n","ExpressionAttributeNames":{"#o":"o"},"ExpressionAttributeValues":{":n":{"N":"0.1"}},"ReturnValues":"UPDATED_NEW"}`,
		`{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"ConditionExpression":"attribute_exists(g)"}`,
		`{"TableName":"Indexed","IndexName":"all","KeyConditionExpression":"g = :g AND o < :o","ExpressionAttributeValues":{":g":{"S":"g"},":o":{"N":"5"}},"ScanIndexForward":false,"Limit":3}`,
		`{"TableName":"Indexed","Segment":1,"TotalSegments":4,"Select":"COUNT","ExclusiveStartKey":{"pk":{"S":"p"},"sk":{"N":"1"}}}`,
		`{"RequestItems":{"Indexed":[{"PutRequest":{"Item":{"pk":{"S":"p"},"sk":{"N":"1"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"p"},"sk":{"N":"2"}}}}]}}`,
		`{"RequestItems":{"Indexed":{"Keys":[{"pk":{"S":"p"},"sk":{"N":"1"}}],"ConsistentRead":true}}}`,
		`{"Limit":1,"TableName":"Indexed"}`, `{"StreamArn":"arn:aws:dynamodb:::table/Indexed/stream/2026-01-01T00:00:00.000"}`,
		`{"StreamArn":"arn:aws:dynamodb:::table/Indexed/stream/2026-01-01T00:00:00.000","ShardId":"shardId-00000000000000000000-00000000","ShardIteratorType":"LATEST"}`,
		`{"ShardIterator":"arn:aws:dynamodb:::table/Indexed/stream/2026-01-01T00:00:00.000|1|AAAAAAAAAAAAAAAAAAAAAA=="}`,
	} {
		f.Add(uint8(i), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, operation uint8, body []byte) {
		name := operations[int(operation)%len(operations)]
		out, err := b.do(name, "%s", body)
		if err != nil {
			wantClientError(t, err)
		} else if !json.Valid([]byte(out)) {
			t.Errorf("%s: answer is no JSON: %s", name, out)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"1", "-0.5e-7", "1e125", "00.100", "9e-130"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		normal, err := normalNumber(s)
		if err != nil {
			wantClientError(t, err)
			return
		}
		if again, err := normalNumber(normal); err != nil || again != normal {
			t.Errorf("%q: %s is not normal: %s, %v", s, normal, again, err)
		}
		if sum, err := addNumbers(normal, "0", false); err != nil || sum != normal {
			t.Errorf("%q: got %s + 0 = %s, %v", s, normal, sum, err)
		}
	})
}
