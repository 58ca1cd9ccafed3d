package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	tableRows   = 100_000
	tableShards = 16
	batch       = 25 // rows that one request writes
)

// measureDynamoDB measures puts and gets with the SDK as it comes, by turns to
// the emulator and to a server that does nothing else, and queries of many rows
// without the SDK, whose decoding would take most of the time.
func measureDynamoDB(ctx context.Context, b *bench) error {
	s, err := startApp(ctx, b.emulator)
	if err != nil {
		return err
	}
	defer s.close()
	bare, err := startBare(ctx)
	if err != nil {
		return err
	}
	defer bare.close()
	db, none := tableClient("http://"+s.aws), tableClient("http://"+bare.addr)
	if err := makeRows(ctx, db); err != nil {
		return err
	}
	var next atomic.Int64
	for _, m := range []struct {
		name string
		call func(*dynamodb.Client) error
	}{
		{"PutItem", func(db *dynamodb.Client) error {
			_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Rows"), Item: row(int(next.Add(1) % tableRows))})
			return err
		}},
		{"GetItem", func(db *dynamodb.Client) error {
			it := row(int(next.Add(1) % tableRows))
			_, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("Rows"),
				Key: map[string]types.AttributeValue{"shard": it["shard"], "sort": it["sort"]}})
			return err
		}},
	} {
		var all [2][]figures
		for range b.runs {
			for i, to := range []*system{s, bare} {
				r, err := to.run(func() (int, []time.Duration, error) {
					return together(workers, b.d, func(int) error { return m.call([]*dynamodb.Client{db, none}[i]) })
				})
				if err != nil {
					return fmt.Errorf("%s: %w", m.name, err)
				}
				all[i] = append(all[i], r)
			}
		}
		for i, r := range all[0] {
			all[0][i].ratio = r.serverCPU / all[1][i].serverCPU
		}
		b.row(m.name+" with the SDK, 32 at a time", all[0], "%.0f %% of the bare server's CPU", 100*median(all[0], func(r figures) float64 { return r.ratio }))
		b.row("the same to a bare server", all[1], "")
	}
	return measureQueries(ctx, b, s)
}

func measureQueries(ctx context.Context, b *bench, s *system) error {
	one := func(f func() error) work {
		return func() (int, []time.Duration, error) { return together(1, b.d, func(int) error { return f() }) }
	}
	var answer bytes.Buffer
	page, err := b.repeat(s, one(func() error {
		_, err := queryPage(ctx, s, &answer, 0, "")
		return err
	}))
	if err != nil {
		return err
	}
	b.row("Query of a page of 1 MB", page, "")
	refresh, err := b.repeat(s, one(func() error {
		for shard := range tableShards {
			for start, more := "", true; more; more = start != "" {
				var err error
				if start, err = queryPage(ctx, s, &answer, shard, start); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	if err == nil {
		b.row("Query of 100,000 rows in 16 shards", refresh, "")
	}
	return err
}

func tableClient(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{Region: "us-east-1", Credentials: credentials, BaseEndpoint: &url})
}

// row is a row as a connection of Crypto Ticker has one.
func row(i int) map[string]types.AttributeValue {
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	return map[string]types.AttributeValue{
		"shard": text(fmt.Sprint(i % tableShards)), "sort": text(fmt.Sprintf("%013d#Jx-TaE0_GjQFvSw=", i)), "user_id": text("demo"),
		"token_hash": text(strings.Repeat("0123456789abcdef", 4)), "key_id": text("abcdefgh"), "ip": text("203.0.113.7"),
		"expires_at": &types.AttributeValueMemberN{Value: "4000000000"}, "ttl": &types.AttributeValueMemberN{Value: fmt.Sprint(4000000000 + i)},
		"symbols": &types.AttributeValueMemberSS{Value: []string{"BTC", "ETH"}}, "greeted": &types.AttributeValueMemberBOOL{Value: true},
	}
}

func makeRows(ctx context.Context, db *dynamodb.Client) error {
	_, err := db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("Rows"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("shard"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("sort"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("shard"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sort"), KeyType: types.KeyTypeRange}},
	})
	for i := 0; i < tableRows && err == nil; i += batch {
		var writes []types.WriteRequest
		for j := range batch {
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: row(i + j)}})
		}
		_, err = db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"Rows": writes}})
	}
	return err
}

// queryPage reads a page of a shard into answer, and returns the key from which
// the next one starts; "" if there is none.
func queryPage(ctx context.Context, s *system, answer *bytes.Buffer, shard int, start string) (next string, err error) {
	if start != "" {
		start = `,"ExclusiveStartKey":` + start
	}
	body := fmt.Sprintf(`{"TableName":"Rows","KeyConditionExpression":"#shard = :shard AND #sort >= :since",
		"ExpressionAttributeNames":{"#shard":"shard","#sort":"sort"},"ExpressionAttributeValues":{":shard":{"S":"%d"},":since":{"S":"0"}}%s}`, shard, start)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.aws, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.Query")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer.Reset() // it keeps its memory: what is measured is the server
	if _, err := answer.ReadFrom(res.Body); err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("query: %s %.200s", res.Status, answer)
	}
	_, rest, found := bytes.Cut(answer.Bytes(), []byte(`"LastEvaluatedKey":`))
	if !found {
		return "", nil
	}
	var key json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(rest)).Decode(&key); err != nil {
		return "", fmt.Errorf("query: %w", err)
	}
	return string(key), nil
}
