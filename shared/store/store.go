// Package store keeps the app's data in its four DynamoDB tables: API keys,
// tokens, connections and the ticker's state. Store is a concrete type, since
// tests run against the emulator's DynamoDB and not against a double.
//
// Times are stored as numbers, in seconds since 1970 unless a field says
// otherwise; what is hashed is stored as its hash alone.
package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"crypto-ticker/shared/awsconfig"
)

// What callers tell apart with errors.Is; any other error means that the
// database did not do its work.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("condition failed") // a conditional write found another state
)

// Store reads and writes the app's tables. It is safe for concurrent use.
type Store struct {
	db                                *dynamodb.Client
	keys, tokens, connections, ticker string // table names; empty for those the function may not use
}

// Open returns the store of a function's environment, without any request. The
// tables are named by KEYS_TABLE, TOKENS_TABLE, CONNECTIONS_TABLE and
// TICKER_TABLE; a function names those it uses, and using another is an error.
// It is an error to name none.
func Open(getenv func(string) string) (*Store, error) {
	s := &Store{
		keys:        getenv("KEYS_TABLE"),
		tokens:      getenv("TOKENS_TABLE"),
		connections: getenv("CONNECTIONS_TABLE"),
		ticker:      getenv("TICKER_TABLE"),
	}
	if s.keys == "" && s.tokens == "" && s.connections == "" && s.ticker == "" {
		return nil, errors.New("store: set KEYS_TABLE, TOKENS_TABLE, CONNECTIONS_TABLE or TICKER_TABLE to a table's name")
	}
	s.db = dynamodb.NewFromConfig(awsconfig.Load(getenv, awsconfig.AttemptTimeout), func(o *dynamodb.Options) {
		o.BaseEndpoint = awsconfig.Endpoint(getenv, "DYNAMODB")
	})
	return s, nil
}

// table returns name for a request, or an error that names the variable which
// is not set.
func table(name, variable string) (*string, error) {
	if name == "" {
		return nil, fmt.Errorf("%s is not set: this function has no such table", variable)
	}
	return aws.String(name), nil
}

// wrap adds what was attempted to an error, and turns the answer that a
// condition failed into ErrConflict. It returns nil for nil.
func wrap(op string, err error) error {
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		err = ErrConflict
	}
	if err != nil {
		err = fmt.Errorf("store: %s: %w", op, err)
	}
	return err
}

// getItem reads one item, strongly consistent; ErrNotFound if there is none.
func (s *Store) getItem(ctx context.Context, name *string, key item) (item, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: name, Key: key, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, ErrNotFound
	}
	return out.Item, nil
}

// item is an item or a key as DynamoDB has it. The methods give an attribute's
// value, or the zero value if it is missing or of another type.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
type item map[string]types.AttributeValue

func (i item) str(name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func (i item) num(name string) int64 {
	v, ok := i[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (i item) strs(name string) []string {
	if v, ok := i[name].(*types.AttributeValueMemberSS); ok {
		return v.Value
	}
	return nil
}

func (i item) bool(name string) bool {
	v, ok := i[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

// time is an attribute of seconds since 1970 as a time, the zero time if it is
// missing.
func (i item) time(name string) time.Time {
	if n := i.num(name); n != 0 {
		return time.Unix(n, 0)
	}
	return time.Time{}
}

func str(v string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: v} }
func boolean(v bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: v} }

func num(v int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
}

// strs is a set of strings. DynamoDB has no empty sets: leave the attribute out.
func strs(v []string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: v} }

func seconds(t time.Time) types.AttributeValue { return num(t.Unix()) }
