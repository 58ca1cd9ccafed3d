package store

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Key is the record of an API key, of which the key itself is no part.
type Key struct {
	Lookup     string // the part of the key that names the record
	Hash       string
	UserID     string
	Role       string
	Policies   []string // names; those that the user's tokens carry
	CreatedAt  time.Time
	DisabledAt time.Time // zero: the key is valid
}

// AddKey stores a new key. ErrConflict means that its lookup is taken.
func (s *Store) AddKey(ctx context.Context, k Key) error {
	const op = "add key"
	name, err := table(s.keys, "KEYS_TABLE")
	if err != nil {
		return wrap(op, err)
	}
	it := item{
		"lookup":     str(k.Lookup),
		"hash":       str(k.Hash),
		"user_id":    str(k.UserID),
		"role":       str(k.Role),
		"created_at": seconds(k.CreatedAt),
	}
	if len(k.Policies) > 0 {
		it["policies"] = strs(k.Policies)
	}
	if !k.DisabledAt.IsZero() {
		it["disabled_at"] = seconds(k.DisabledAt)
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: name, Item: it, ConditionExpression: aws.String("attribute_not_exists(lookup)"),
	})
	return wrap(op, err)
}

// Key reads the record of a key, or ErrNotFound.
func (s *Store) Key(ctx context.Context, lookup string) (Key, error) {
	const op = "get key"
	name, err := table(s.keys, "KEYS_TABLE")
	if err != nil {
		return Key{}, wrap(op, err)
	}
	it, err := s.getItem(ctx, name, item{"lookup": str(lookup)})
	if err != nil {
		return Key{}, wrap(op, err)
	}
	return keyOf(it), nil
}

func keyOf(it item) Key {
	return Key{
		Lookup:     it.str("lookup"),
		Hash:       it.str("hash"),
		UserID:     it.str("user_id"),
		Role:       it.str("role"),
		Policies:   it.strs("policies"),
		CreatedAt:  it.time("created_at"),
		DisabledAt: it.time("disabled_at"),
	}
}

// Keys reads all keys, in no order. It scans the table: only operators may want
// that.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	const op = "list keys"
	name, err := table(s.keys, "KEYS_TABLE")
	if err != nil {
		return nil, wrap(op, err)
	}
	var keys []Key
	pages := dynamodb.NewScanPaginator(s.db, &dynamodb.ScanInput{TableName: name, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(op, err)
		}
		for _, it := range page.Items {
			keys = append(keys, keyOf(it))
		}
	}
	return keys, nil
}

// DisableKey makes a key invalid from now on. The time of a key that was
// disabled before stays. ErrNotFound means that there is no such key.
func (s *Store) DisableKey(ctx context.Context, lookup string, now time.Time) error {
	return s.updateKey(ctx, "disable key", lookup,
		"SET disabled_at = if_not_exists(disabled_at, :now)", item{":now": seconds(now)})
}

// EnableKey makes a disabled key valid again, or returns ErrNotFound.
func (s *Store) EnableKey(ctx context.Context, lookup string) error {
	return s.updateKey(ctx, "enable key", lookup, "REMOVE disabled_at", nil)
}

func (s *Store) updateKey(ctx context.Context, op, lookup, update string, values item) error {
	name, err := table(s.keys, "KEYS_TABLE")
	if err != nil {
		return wrap(op, err)
	}
	_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 name,
		Key:                       item{"lookup": str(lookup)},
		ConditionExpression:       aws.String("attribute_exists(lookup)"), // an update makes items
		UpdateExpression:          aws.String(update),
		ExpressionAttributeValues: values,
	})
	if err = wrap(op, err); errors.Is(err, ErrConflict) {
		return wrap(op, ErrNotFound)
	}
	return err
}
