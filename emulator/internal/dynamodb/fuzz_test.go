package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/clock"
)

func FuzzExpressions(f *testing.F) {
	for _, seed := range []string{
		"s = :s AND (n BETWEEN :n1 AND :n6 OR NOT contains(l, :x))", "size(m.q) IN (:n1, n)", "attribute_type(l[2].k, :S)",
		"SET n = n + :n1, l[7] = list_append(l, :list) REMOVE m.q.n ADD ns :n1 DELETE ss :set", "SET x = if_not_exists(gone, :s)", "s, l[0], m.q", "((", "#s = :s",
		"((s) = (:s) AND (size((s))) < :n6)", "NOT (attribute_exists(s))", "SET x = ((n) + :n1), l[0] = (list_append(if_not_exists((l), :list), l))", "_s = l[01]",
	} {
		f.Add(seed)
	}
	it := testItem(f, exprItem)
	f.Fuzz(func(t *testing.T, src string) {
		if c, err := parseCondition("FilterExpression", src, testBindings(t)); err == nil {
			c.holds(it)
			c.holds(nil)
			if terms, err := keyTerms(c); err == nil {
				rangeOf(terms, schema{hash: keyAttribute{"s", kindString, maxHashSize}, sort: keyAttribute{"n", kindNumber, maxSortSize}})
			}
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

// FuzzRequests sends whole requests, to every operation.
func FuzzRequests(f *testing.F) {
	engine, err := Open(Config{Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { engine.Close() })
	b := &bench{t: f, engine: engine}
	b.must("CreateTable", indexedTable)
	b.must("UpdateTimeToLive", `{"TableName":"Indexed","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`)
	operations := slices.Sorted(maps.Keys(inputs))
	index := func(name string) uint8 {
		i, ok := slices.BinarySearch(operations, name)
		if !ok {
			f.Fatalf("there is no %s", name)
		}
		return uint8(i)
	}
	for _, seed := range []struct{ operation, body string }{
		{"CreateTable", hashTable}, {"DescribeTable", `{"TableName":"Indexed"}`}, {"DeleteTable", `{"TableName":"Indexed"}`}, {"ListTables", `{"Limit":1}`}, {"UpdateTimeToLive", ttlOn}, {"PutItem", `null`}, {"PutItem", `[]`}, {"Scan", `{`},
		{"PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1e3"},"g":{"S":"g"},"o":{"N":"2"},"ttl":{"N":"9999999999"},"x":{"L":[{"M":{"b":{"BS":["AQ=="]}}},{"NULL":true}]}},"Expected":{"x":{"Exists":false},"y":{"ComparisonOperator":"IN","AttributeValueList":[{"S":"a"}]}},"ConditionalOperator":"OR"}`},
		{"GetItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1000"}},"ProjectionExpression":"x[0].b"}`},
		{"UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1000"}},"UpdateExpression":"SET #o = o + :n","ExpressionAttributeNames":{"#o":"o"},"ExpressionAttributeValues":{":n":{"N":"0.1"}},"ReturnValues":"UPDATED_NEW"}`},
		{"UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1000"}},"AttributeUpdates":{"l":{"Action":"ADD","Value":{"L":[]}},"s":{"Action":"DELETE","Value":{"SS":["a"]}},"x":{"Action":"DELETE"}}}`},
		{"UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"AttributeUpdates":{"":{"Value":{"S":"x"}}}}`},
		{"UpdateItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"UpdateExpression":"SET #a.#b = :v, a = :v","ExpressionAttributeNames":{"#a":"m","#b":"b"},"ExpressionAttributeValues":{":v":{"M":{"n":{"S":"x"}}}}}`},
		{"DeleteItem", `{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}},"ConditionExpression":"attribute_exists(g)"}`},
		{"Query", `{"TableName":"Indexed","IndexName":"all","KeyConditionExpression":"g = :g AND o < :o","ExpressionAttributeValues":{":g":{"S":"g"},":o":{"N":"5"}},"ScanIndexForward":false,"Limit":3}`},
		{"Query", `{"TableName":"Indexed","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]},"sk":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"1"},{"N":"2"}]}},"QueryFilter":{"x":{"ComparisonOperator":"NOT_CONTAINS","AttributeValueList":[{"B":"AA=="}]}},"AttributesToGet":["x"]}`},
		{"Scan", `{"TableName":"Indexed","Segment":1,"TotalSegments":4,"Select":"COUNT","ExclusiveStartKey":{"pk":{"S":"p"},"sk":{"N":"1"}}}`},
		{"BatchWriteItem", `{"RequestItems":{"Indexed":[{"PutRequest":{"Item":{"pk":{"S":"p"},"sk":{"N":"1"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"p"},"sk":{"N":"2"}}}}]}}`},
		{"BatchGetItem", `{"RequestItems":{"Indexed":{"Keys":[{"pk":{"S":"p"},"sk":{"N":"1"}}],"ConsistentRead":true}}}`},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"}}}},{"ConditionCheck":{"TableName":"Indexed","Key":{"pk":{"S":"q"},"sk":{"N":"1"}},"ConditionExpression":"attribute_not_exists(pk)"}}],"ClientRequestToken":"t"}`},
		{"TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"Indexed","Key":{"pk":{"S":"p"},"sk":{"N":"1"}}}}]}`},
		{"UpdateTable", `{"TableName":"Indexed","AttributeDefinitions":[{"AttributeName":"z","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"new","KeySchema":[{"AttributeName":"z","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`},
		{"TagResource", `{"ResourceArn":"arn:aws:dynamodb:::table/Indexed","Tags":[{"Key":"k","Value":"v"}]}`}, {"UntagResource", `{"ResourceArn":"arn:aws:dynamodb:::table/Indexed","TagKeys":["k"]}`},
		{"UpdateContinuousBackups", `{"TableName":"Indexed","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`},
		{"ListStreams", `{"Limit":1,"TableName":"Indexed"}`}, {"DescribeStream", `{"StreamArn":"arn:aws:dynamodb:::table/Indexed/stream/2026-01-01T00:00:00.000"}`},
		{"GetShardIterator", `{"StreamArn":"arn:aws:dynamodb:::table/Indexed/stream/2026-01-01T00:00:00.000","ShardId":"shardId-00000000000000000000-00000000","ShardIteratorType":"LATEST"}`},
		{"GetRecords", `{"ShardIterator":"arn:aws:dynamodb:::table/Indexed/stream/2026-01-01T00:00:00.000|1|AAAAAAAAAAAAAAAAAAAAAA=="}`},
	} {
		f.Add(index(seed.operation), []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, operation uint8, body []byte) {
		name := operations[int(operation)%len(operations)]
		target := "DynamoDB_20120810."
		if engine.service.Operations[name] == nil {
			target = streamsTarget + "."
		}
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Header.Set("X-Amz-Target", target+name)
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, r)
		checkAnswer(t, name, w)
		if name == "DeleteTable" {
			b.do("CreateTable", indexedTable) // it may be there still
		}
		if w.Code == 200 && !reads(name) {
			wantReadable(&bench{t: t, engine: engine})
		}
	})
}

// checkAnswer says whether an answer is one that DynamoDB could give.
func checkAnswer(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	answer := w.Body.Bytes()
	var e struct {
		Type string `json:"__type"`
	}
	switch known := w.Code == 200 || w.Code == 400 || w.Code == 413; {
	case !known:
		t.Errorf("%s: got %d %s", name, w.Code, answer)
	case len(answer) > 0 && json.Unmarshal(answer, &e) != nil:
		t.Errorf("%s: the answer is no JSON: %s", name, answer)
	case (w.Code == 200) != (e.Type == ""):
		t.Errorf("%s: got %d with the type %q", name, w.Code, e.Type)
	}
	if got, want := w.Header().Get("X-Amz-Crc32"), fmt.Sprint(crc32.ChecksumIEEE(answer)); got != want {
		t.Errorf("%s: got the checksum %s of what has %s", name, got, want)
	}
	if id := w.Header().Get("X-Amzn-Requestid"); len(id) < 20 {
		t.Errorf("%s: got the request id %q", name, id)
	}
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
