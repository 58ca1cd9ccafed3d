package store

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Token is the record of a token, of which the token itself is no part.
type Token struct {
	Hash      string // names the record
	UserID    string
	Role      string
	Policies  []string // names, resolved when the token is used
	IssuedAt  time.Time
	ExpiresAt time.Time
	IP        string // of who asked for the token
	KeyLookup string // of the API key that it was given for
}

// AddToken stores a token. DynamoDB deletes it some time after ExpiresAt, so
// readers have to look at that themselves.
func (s *Store) AddToken(ctx context.Context, t Token) error {
	const op = "add token"
	name, err := table(s.tokens, "TOKENS_TABLE")
	if err != nil {
		return wrap(op, err)
	}
	it := item{
		"token_hash": str(t.Hash),
		"user_id":    str(t.UserID),
		"role":       str(t.Role),
		"issued_at":  seconds(t.IssuedAt),
		"expires_at": seconds(t.ExpiresAt),
		"ip":         str(t.IP),
		"key_id":     str(t.KeyLookup),
		"ttl":        seconds(t.ExpiresAt),
	}
	if len(t.Policies) > 0 {
		it["policies"] = strs(t.Policies)
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: it})
	return wrap(op, err)
}

// Token reads the record of a token, expired or not, or ErrNotFound.
func (s *Store) Token(ctx context.Context, hash string) (Token, error) {
	const op = "get token"
	name, err := table(s.tokens, "TOKENS_TABLE")
	if err != nil {
		return Token{}, wrap(op, err)
	}
	it, err := s.getItem(ctx, name, item{"token_hash": str(hash)})
	if err != nil {
		return Token{}, wrap(op, err)
	}
	return Token{
		Hash:      it.str("token_hash"),
		UserID:    it.str("user_id"),
		Role:      it.str("role"),
		Policies:  it.strs("policies"),
		IssuedAt:  it.time("issued_at"),
		ExpiresAt: it.time("expires_at"),
		IP:        it.str("ip"),
		KeyLookup: it.str("key_id"),
	}, nil
}

// DeleteToken deletes the record of a token and says whether there was one.
func (s *Store) DeleteToken(ctx context.Context, hash string) (existed bool, err error) {
	const op = "delete token"
	name, err := table(s.tokens, "TOKENS_TABLE")
	if err != nil {
		return false, wrap(op, err)
	}
	out, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: name, Key: item{"token_hash": str(hash)}, ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return false, wrap(op, err)
	}
	return len(out.Attributes) > 0, nil
}
