// Package storetest makes the app's tables for a test, on the DynamoDB that the
// test runs, and the environment in which a function finds them.
package storetest

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"crypto-ticker/shared/awsconfig"
)

// Env is a function's environment.
type Env map[string]string

// Getenv is os.Getenv for this environment.
func (e Env) Getenv(name string) string { return e[name] }

// With returns a copy of the environment with other values for the variables,
// which come as names and values in turn.
func (e Env) With(nameValues ...string) Env {
	e = maps.Clone(e)
	for i := 0; i < len(nameValues); i += 2 {
		e[nameValues[i]] = nameValues[i+1]
	}
	return e
}

// New makes the four tables, as template.yaml has them, on the DynamoDB at
// endpoint. It returns an environment with them, a region, credentials, a token
// key and a pepper.
func New(tb testing.TB, endpoint string) Env {
	tb.Helper()
	env := Env{
		"AWS_REGION":                "us-east-1",
		"AWS_ACCESS_KEY_ID":         "test",
		"AWS_SECRET_ACCESS_KEY":     "test",
		"AWS_ENDPOINT_URL_DYNAMODB": endpoint,
		"KEYS_TABLE":                "Keys",
		"TOKENS_TABLE":              "Tokens",
		"CONNECTIONS_TABLE":         "Connections",
		"TICKER_TABLE":              "Ticker",
		"TOKEN_KEY":                 "a token key that is for tests and nothing else",
		"KEY_PEPPER":                "a pepper that is for tests and nothing else",
	}
	db := dynamodb.NewFromConfig(awsconfig.Load(env.Getenv, awsconfig.AttemptTimeout), func(o *dynamodb.Options) {
		o.BaseEndpoint = &endpoint
	})
	for _, t := range []struct{ name, hash, sort string }{
		{"Keys", "lookup", ""},
		{"Tokens", "token_hash", ""},
		{"Connections", "shard", "sort"},
		{"Ticker", "name", ""},
	} {
		in := &dynamodb.CreateTableInput{TableName: &t.name, BillingMode: types.BillingModePayPerRequest}
		addKey(in, t.hash, types.KeyTypeHash)
		if t.sort != "" {
			addKey(in, t.sort, types.KeyTypeRange)
		}
		if _, err := db.CreateTable(tb.Context(), in); err != nil {
			tb.Fatalf("storetest: create table %s: %v", t.name, err)
		}
	}
	return env
}

func addKey(in *dynamodb.CreateTableInput, name string, kind types.KeyType) {
	in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
		AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS,
	})
	in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind})
}
