package emulator_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"crypto-ticker/emulator"
)

// inTest stands for the *testing.T of a test.
type inTest struct{ cleanups []func() }

func (t *inTest) Helper()                   {}
func (t *inTest) Cleanup(f func())          { t.cleanups = append(t.cleanups, f) }
func (t *inTest) Logf(f string, a ...any)   { log.Printf(f, a...) }
func (t *inTest) Fatalf(f string, a ...any) { log.Fatalf(f, a...) }

func (t *inTest) end() {
	for _, f := range t.cleanups {
		f()
	}
}

// In a test, t is its *testing.T.
func ExampleRunDynamoDB() {
	t := &inTest{}
	defer t.end()

	d := emulator.RunDynamoDB(t)
	db := dynamodb.New(dynamodb.Options{BaseEndpoint: aws.String(d.URL()), Region: "us-east-1", Credentials: aws.AnonymousCredentials{}})
	d.Fail(emulator.Fault{Operation: "ListTables", Error: "InternalServerError", Times: 1}) // the SDK tries again
	out, err := db.ListTables(context.Background(), &dynamodb.ListTablesInput{})

	fmt.Println(out.TableNames, err)
	// Output: [] <nil>
}
