package store_test

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"crypto-ticker/shared/awsconfig"
	"crypto-ticker/shared/store"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	s, env := open(t)
	issued := time.Unix(1_700_000_000, 0)
	for _, want := range []store.Token{
		{Hash: "plain", UserID: "ada", Role: "user", IssuedAt: issued, ExpiresAt: issued.Add(time.Second), IP: "192.0.2.1", KeyLookup: "lookup01"},
		{Hash: "full", UserID: "bob", Role: "user", Policies: []string{"a_policy", "b_policy"}, IssuedAt: issued,
			ExpiresAt: issued.Add(time.Hour), IP: "2001:db8::1", KeyLookup: "lookup02"},
	} {
		t.Run(want.Hash, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if err := s.AddToken(ctx, want); err != nil {
				t.Fatal(err)
			}
			got, err := s.Token(ctx, want.Hash)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got.Policies)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("Token = %+v; want %+v", got, want)
			}
			if got, want := ttl(t, env.Getenv, want.Hash), strconv.FormatInt(want.ExpiresAt.Unix(), 10); got != want {
				t.Errorf("ttl = %s; want %s, so that DynamoDB deletes it", got, want)
			}
			for _, existed := range []bool{true, false} {
				if got, err := s.DeleteToken(ctx, want.Hash); err != nil || got != existed {
					t.Errorf("DeleteToken = %v, %v; want %v", got, err, existed)
				}
			}
			if _, err := s.Token(ctx, want.Hash); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Token after DeleteToken: %v; want ErrNotFound", err)
			}
		})
	}
}

// ttl reads what DynamoDB itself looks at.
func ttl(t *testing.T, getenv func(string) string, hash string) string {
	t.Helper()
	db := dynamodb.NewFromConfig(awsconfig.Load(getenv, awsconfig.AttemptTimeout), func(o *dynamodb.Options) {
		o.BaseEndpoint = awsconfig.Endpoint(getenv, "DYNAMODB")
	})
	out, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(getenv("TOKENS_TABLE")),
		Key:       map[string]types.AttributeValue{"token_hash": &types.AttributeValueMemberS{Value: hash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	n, ok := out.Item["ttl"].(*types.AttributeValueMemberN)
	if !ok {
		t.Fatalf("ttl = %#v; want a number", out.Item["ttl"])
	}
	return n.Value
}
