package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
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
// the emulator, to a server that does nothing else, and to Amazon's DynamoDB
// Local if what that needs is there. Queries of many rows go without the SDK,
// whose decoding would take most of the time.
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
	peers := []peer{{"", s, tableClient("http://" + s.aws)}, {"bare server", bare, tableClient("http://" + bare.addr)}}
	if err := makeRows(ctx, peers[0].db); err != nil {
		return err
	}
	local, err := startLocal(ctx)
	switch {
	case err == nil:
		defer local.close()
		peers = append(peers, peer{"DynamoDB Local", local, tableClient("http://" + local.aws)})
		err = warm(ctx, peers[2].db, b)
	case errors.Is(err, exec.ErrNotFound):
		fmt.Fprintf(b.w, "DynamoDB Local is not measured: %s\n", err)
		err = nil
	}
	if err == nil {
		err = measureItems(ctx, b, peers)
	}
	if err != nil {
		return err
	}
	return measureQueries(ctx, b, s)
}

// peer is a server that is measured by turns with others.
type peer struct {
	name string
	*system
	db *dynamodb.Client
}

// items are the operations on items that are measured, each on the i-th row.
var items = []struct {
	name string
	call func(ctx context.Context, db *dynamodb.Client, i int) error
}{
	{"PutItem", func(ctx context.Context, db *dynamodb.Client, i int) error {
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Rows"), Item: row(i)})
		return err
	}},
	{"GetItem", func(ctx context.Context, db *dynamodb.Client, i int) error {
		it := row(i)
		_, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("Rows"),
			Key: map[string]types.AttributeValue{"shard": it["shard"], "sort": it["sort"]}})
		return err
	}},
}

// measureItems measures the first peer, and says what part that is of what each
// of the others takes.
func measureItems(ctx context.Context, b *bench, peers []peer) error {
	var next atomic.Int64
	for _, m := range items {
		all := make([][]figures, len(peers))
		for range b.runs {
			for i, p := range peers {
				r, err := p.run(func() (int, []time.Duration, error) {
					return together(workers, b.d, func(int) error { return m.call(ctx, p.db, int(next.Add(1)%tableRows)) })
				})
				if err != nil {
					return fmt.Errorf("%s: %s: %w", m.name, p.name, err)
				}
				all[i] = append(all[i], r)
			}
		}
		b.row(m.name+" with the SDK, 32 at a time", all[0], "")
		for i, p := range peers[1:] {
			ratios := make([]figures, b.runs)
			for j, r := range all[i+1] {
				ratios[j].ratio = all[0][j].serverCPU / r.serverCPU
			}
			b.row("the same to "+p.name, all[i+1], "%.0f %% of its CPU by the emulator", 100*median(ratios, func(r figures) float64 { return r.ratio }))
		}
	}
	return nil
}

// startLocal starts Amazon's DynamoDB Local. The error is exec.ErrNotFound if a
// program is missing that it needs.
func startLocal(ctx context.Context) (*system, error) {
	for _, program := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, err
		}
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	s, _, err := launch(ctx, "Port:", ".ci/dynamodb-local", port)
	if err != nil {
		return nil, err
	}
	s.aws = addr
	return s, nil
}

// warm makes the rows and lets Java compile what is measured: its first calls
// take a hundred times as long as those after tens of thousands. Until it
// listens, the SDK tries again.
func warm(ctx context.Context, db *dynamodb.Client, b *bench) error {
	if err := makeRows(ctx, db); err != nil {
		return err
	}
	for _, m := range items {
		_, _, err := together(workers, 20*b.d, func(i int) error { return m.call(ctx, db, i) })
		if err != nil {
			return err
		}
	}
	return nil
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
	r.Header.Set("Accept-Encoding", "identity") // as the SDK has it
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
