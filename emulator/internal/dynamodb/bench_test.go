//go:build unix

package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// connection is an item as a WebSocket connection has one.
func connection(i int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: fmt.Sprint("shard-", i%8)}, "sk": &types.AttributeValueMemberS{Value: fmt.Sprintf("%013d#Jx-TaE0_GjQFvSw=", i)},
		"user_id": &types.AttributeValueMemberS{Value: "demo"}, "ttl": &types.AttributeValueMemberN{Value: fmt.Sprint(4000000000 + i)},
		"rooms": &types.AttributeValueMemberSS{Value: []string{"attic", "cellar", "kitchen"}}, "ip": &types.AttributeValueMemberS{Value: "203.0.113.7"},
	}
}

func benchOnStores(b *testing.B, f func(b *testing.B, e *bench)) {
	for _, store := range []string{"memory", "file"} {
		b.Run(store, func(b *testing.B) {
			dir := ""
			if store == "file" {
				dir = b.TempDir()
			}
			e := open(b, dir)
			e.must("CreateTable", sortTable, "Rows", "S")
			e.must("UpdateTimeToLive", `{"TableName":"Rows","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`)
			b.ReportAllocs()
			before := cpu(b)
			f(b, e)
			b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is the processor time that the process has taken: unlike the time on the
// clock, it can be compared when the machine is busy.
func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkPutSDK(b *testing.B) {
	benchOnStores(b, func(b *testing.B, e *bench) {
		for i := 0; b.Loop(); i++ {
			if _, err := e.client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("Rows"), Item: connection(i)}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGetSDK(b *testing.B) {
	benchOnStores(b, func(b *testing.B, e *bench) {
		it := connection(1)
		if _, err := e.client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("Rows"), Item: it}); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := e.client.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: aws.String("Rows"), Key: map[string]types.AttributeValue{"pk": it["pk"], "sk": it["sk"]}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

const putConnection = `{"TableName":"Rows","Item":{"pk":{"S":"shard-%d"},"sk":{"S":"%013d#Jx-TaE0_GjQFvSw="},"user_id":{"S":"demo"},"ttl":{"N":"%d"},"rooms":{"SS":["attic","cellar","kitchen"]},"ip":{"S":"203.0.113.7"}}}`

// BenchmarkPut is what the engine itself takes.
func BenchmarkPut(b *testing.B) {
	benchOnStores(b, func(b *testing.B, e *bench) {
		for i := 0; b.Loop(); i++ {
			e.must("PutItem", putConnection, i%8, i, 4000000000+i)
		}
	})
}

func BenchmarkGet(b *testing.B) {
	benchOnStores(b, func(b *testing.B, e *bench) {
		e.must("PutItem", putConnection, 1, 1, 4000000000)
		for b.Loop() {
			e.must("GetItem", `{"TableName":"Rows","Key":{"pk":{"S":"shard-1"},"sk":{"S":"0000000000001#Jx-TaE0_GjQFvSw="}}}`)
		}
	})
}

// BenchmarkPutTogether has 64 writers at once, which share commits.
func BenchmarkPutTogether(b *testing.B) {
	benchOnStores(b, func(b *testing.B, e *bench) {
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				e.must("PutItem", putConnection, i%8, i, 4000000000+i)
			}
		})
	})
}

// BenchmarkRenew is a conditional update as a lease has it.
func BenchmarkRenew(b *testing.B) {
	benchOnStores(b, func(b *testing.B, e *bench) {
		e.must("PutItem", putConnection, 1, 1, 4000000000)
		for i := 0; b.Loop(); i++ {
			e.must("UpdateItem", `{"TableName":"Rows","Key":{"pk":{"S":"shard-1"},"sk":{"S":"0000000000001#Jx-TaE0_GjQFvSw="}},"UpdateExpression":"SET version = :v, epoch = if_not_exists(epoch, :z) + :o",
				"ConditionExpression":"attribute_exists(pk)","ExpressionAttributeValues":{":v":{"N":"%d"},":z":{"N":"0"},":o":{"N":"1"}}}`, i)
		}
	})
}

// BenchmarkQueryPage reads a page of 1 MB.
func BenchmarkQueryPage(b *testing.B) {
	benchOnStores(b, func(b *testing.B, e *bench) {
		pad := strings.Repeat("x", 1000)
		for i := 0; i < 1100; i += 25 {
			var batch []string
			for j := range 25 {
				batch = append(batch, fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"p"},"sk":{"S":"%06d"},"pad":{"S":"%s"}}}}`, i+j, pad))
			}
			e.must("BatchWriteItem", `{"RequestItems":{"Rows":[%s]}}`, strings.Join(batch, ","))
		}
		for b.Loop() {
			e.must("Query", `{"TableName":"Rows","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}}}`)
		}
	})
}
