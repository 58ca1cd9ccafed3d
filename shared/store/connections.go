package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Shards is the number of partitions that connections are spread over. Rows
// that exist are lost when it changes, until their clients connect again.
const Shards = 8

// connectionLife is how long a row may outlive its $disconnect: API Gateway ends
// every connection after 2 hours.
const connectionLife = 2*time.Hour + 10*time.Minute

// ConnectionRef names a connection by what every event of it carries. It is the
// whole key of its row, so no index and no scan are needed.
type ConnectionRef struct {
	ConnectionID string
	ConnectedAt  int64 // requestContext.connectedAt, milliseconds since 1970
}

// Connection is a row of the Connections table.
type Connection struct {
	ConnectionRef
	Actor     string // such as user:demo
	TokenHash string
	KeyLookup string    // of the API key that the token was given for
	ExpiresAt time.Time // of the token; the connection ends with it
	Symbols   []string  // what it is subscribed to, in no order
	Mode      string    // ModeAll or ModeLatest
	Greeted   bool      // welcome and snapshot are sent: ticks may follow
	Epoch     int64     // of the snapshot
	Seq       int64     // the newest tick in the snapshot
}

// What a connection gets of the ticks since its last message.
const (
	ModeAll    = ""       // all of them
	ModeLatest = "latest" // the newest price of each symbol
)

// Shard is the number of the partition that the connection is in, from 0 to
// Shards - 1.
func (r ConnectionRef) Shard() int {
	h := fnv.New32a()
	h.Write([]byte(r.ConnectionID))
	return int(h.Sum32() % Shards)
}

// Age is how long ago the connection was made.
func (r ConnectionRef) Age(now time.Time) time.Duration {
	return now.Sub(time.UnixMilli(r.ConnectedAt))
}

func (r ConnectionRef) key() item {
	return item{"shard": str(strconv.Itoa(r.Shard())), "sort": str(sortKey(r.ConnectedAt) + "#" + r.ConnectionID)}
}

// sortKey is a time as text that sorts as times do.
func sortKey(milliseconds int64) string { return fmt.Sprintf("%014d", max(0, milliseconds)) }

// AddConnection stores a new connection. It is ErrConflict if it exists.
func (s *Store) AddConnection(ctx context.Context, c Connection) error {
	const op = "add connection"
	name, err := table(s.connections, "CONNECTIONS_TABLE")
	if err != nil {
		return wrap(op, err)
	}
	row := c.key()
	for attribute, value := range map[string]string{
		"actor": c.Actor, "token_hash": c.TokenHash, "key_id": c.KeyLookup, "mode": c.Mode,
	} {
		row[attribute] = str(value)
	}
	row["greeted"] = boolean(c.Greeted)
	row["expires_at"] = seconds(c.ExpiresAt)
	row["ttl"] = seconds(time.UnixMilli(c.ConnectedAt).Add(connectionLife))
	if len(c.Symbols) > 0 {
		row["symbols"] = strs(c.Symbols)
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: name, Item: row,
		ConditionExpression: aws.String("attribute_not_exists(#shard)"), ExpressionAttributeNames: names("#shard"),
	})
	return wrap(op, err)
}

// RemoveConnection forgets a connection; one that is not there is no error.
func (s *Store) RemoveConnection(ctx context.Context, r ConnectionRef) error {
	const op = "remove connection"
	name, err := table(s.connections, "CONNECTIONS_TABLE")
	if err != nil {
		return wrap(op, err)
	}
	_, err = s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: name, Key: r.key()})
	return wrap(op, err)
}

// Connection reads a connection, or returns ErrNotFound.
func (s *Store) Connection(ctx context.Context, r ConnectionRef) (Connection, error) {
	const op = "read connection"
	name, err := table(s.connections, "CONNECTIONS_TABLE")
	if err != nil {
		return Connection{}, wrap(op, err)
	}
	row, err := s.getItem(ctx, name, r.key())
	if err != nil {
		return Connection{}, wrap(op, err)
	}
	return connection(row), nil
}

// ClaimGreeting notes who greets a connection. It is ErrConflict if the
// connection is gone or somebody else greets it or has done so. The same one may
// claim it twice, so a request whose answer was lost may be repeated.
func (s *Store) ClaimGreeting(ctx context.Context, r ConnectionRef, by string) error {
	_, err := s.updateConnection(ctx, "claim greeting", r, "SET greeter = :by",
		"attribute_exists(#shard) AND greeted = :false AND (attribute_not_exists(greeter) OR greeter = :by)",
		item{":by": str(by), ":false": boolean(false)})
	return err
}

// MarkGreeted notes that a connection has got its welcome and a snapshot with the
// tick seq of an epoch. It is ErrConflict if the connection is gone or somebody
// else has greeted it.
func (s *Store) MarkGreeted(ctx context.Context, r ConnectionRef, epoch, seq int64) error {
	_, err := s.updateConnection(ctx, "mark greeted", r,
		"SET greeted = :true, epoch = :epoch, seq = :seq", "attribute_exists(#shard) AND greeted = :false",
		item{":true": boolean(true), ":false": boolean(false), ":epoch": num(epoch), ":seq": num(seq)})
	return err
}

// EndConnection has a connection end now as if its token expired. One that is gone
// is no error.
func (s *Store) EndConnection(ctx context.Context, r ConnectionRef, now time.Time) error {
	_, err := s.updateConnection(ctx, "end connection", r, "SET expires_at = :now", "attribute_exists(#shard)", item{":now": seconds(now)})
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// Subscribe adds symbols, of which there must be one, to a connection, sets its
// mode, and returns the connection as it is then. It is ErrNotFound if the
// connection is gone.
func (s *Store) Subscribe(ctx context.Context, r ConnectionRef, symbols []string, mode string) (Connection, error) {
	return s.subscription(ctx, "subscribe", r, "ADD symbols :symbols SET #mode = :mode",
		item{":symbols": strs(symbols), ":mode": str(mode)})
}

// Unsubscribe takes symbols, of which there must be one, from a connection and
// returns the connection as it is then. It is ErrNotFound if the connection is
// gone.
func (s *Store) Unsubscribe(ctx context.Context, r ConnectionRef, symbols []string) (Connection, error) {
	return s.subscription(ctx, "unsubscribe", r, "DELETE symbols :symbols", item{":symbols": strs(symbols)})
}

// subscription changes the set of symbols in one step, since the messages of one
// connection are handled at the same time.
func (s *Store) subscription(ctx context.Context, op string, r ConnectionRef, update string, values item) (Connection, error) {
	row, err := s.updateConnection(ctx, op, r, update, "attribute_exists(#shard)", values)
	if errors.Is(err, ErrConflict) {
		return Connection{}, fmt.Errorf("store: %s: %w", op, ErrNotFound)
	}
	if err != nil {
		return Connection{}, err
	}
	return connection(row), nil
}

func (s *Store) updateConnection(ctx context.Context, op string, r ConnectionRef, update, condition string, values item) (item, error) {
	name, err := table(s.connections, "CONNECTIONS_TABLE")
	if err != nil {
		return nil, wrap(op, err)
	}
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: name, Key: r.key(), UpdateExpression: aws.String(update), ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: names(update, condition), ExpressionAttributeValues: values,
		ReturnValues: types.ReturnValueAllNew,
	})
	if err != nil {
		return nil, wrap(op, err)
	}
	return out.Attributes, nil
}

// Connections returns the connections of a shard that were made since a time, in
// the order of their time; since the zero time, all of them. Without
// consistent, changes of about the last second may be missing. What the ticker has
// no use for, the token's hash and the key's lookup, is left out.
func (s *Store) Connections(ctx context.Context, shard int, since time.Time, consistent bool) ([]Connection, error) {
	return s.queryConnections(ctx, "list connections", &dynamodb.QueryInput{
		KeyConditionExpression: aws.String("#shard = :shard AND #sort >= :since"),
		ProjectionExpression:   aws.String("#sort, #actor, #expires_at, #symbols, #mode, #greeted, #epoch, #seq"),
		ConsistentRead:         aws.Bool(consistent),
	}, item{":shard": str(strconv.Itoa(shard)), ":since": str(sortKey(since.UnixMilli()))})
}

// TokenConnections returns the open connections of a token.
func (s *Store) TokenConnections(ctx context.Context, tokenHash string) ([]Connection, error) {
	return s.connectionsOf(ctx, "list connections of a token", "token_hash = :value", tokenHash)
}

// KeyConnections returns the open connections of all tokens of an API key.
func (s *Store) KeyConnections(ctx context.Context, lookup string) ([]Connection, error) {
	return s.connectionsOf(ctx, "list connections of a key", "key_id = :value", lookup)
}

// connectionsOf reads all rows, strongly consistent, and returns those that a
// filter finds. That is dear, and only operators want it.
func (s *Store) connectionsOf(ctx context.Context, op, filter, value string) ([]Connection, error) {
	var all []Connection
	for shard := range Shards {
		some, err := s.queryConnections(ctx, op, &dynamodb.QueryInput{
			KeyConditionExpression: aws.String("#shard = :shard AND #sort >= :since"),
			FilterExpression:       aws.String(filter),
			ConsistentRead:         aws.Bool(true),
		}, item{":shard": str(strconv.Itoa(shard)), ":since": str(sortKey(0)), ":value": str(value)})
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// HasConnections says whether anybody is connected, by a strongly consistent
// read.
func (s *Store) HasConnections(ctx context.Context) (bool, error) {
	const op = "look for connections"
	name, err := table(s.connections, "CONNECTIONS_TABLE")
	if err != nil {
		return false, wrap(op, err)
	}
	for shard := range Shards {
		out, err := s.db.Query(ctx, &dynamodb.QueryInput{
			TableName: name, KeyConditionExpression: aws.String("#shard = :shard"),
			ExpressionAttributeNames:  names("#shard"),
			ExpressionAttributeValues: item{":shard": str(strconv.Itoa(shard))},
			Select:                    types.SelectCount, ConsistentRead: aws.Bool(true), Limit: aws.Int32(1),
		})
		if err != nil {
			return false, wrap(op, err)
		}
		if out.Count > 0 {
			return true, nil
		}
	}
	return false, nil
}

// queryConnections reads all pages of a query.
func (s *Store) queryConnections(ctx context.Context, op string, in *dynamodb.QueryInput, values item) ([]Connection, error) {
	name, err := table(s.connections, "CONNECTIONS_TABLE")
	if err != nil {
		return nil, wrap(op, err)
	}
	in.TableName, in.ExpressionAttributeValues = name, values
	in.ExpressionAttributeNames = names(aws.ToString(in.KeyConditionExpression), aws.ToString(in.ProjectionExpression))
	var all []Connection
	for pages := dynamodb.NewQueryPaginator(s.db, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(op, err)
		}
		for _, row := range page.Items {
			all = append(all, connection(row))
		}
	}
	return all, nil
}

var placeholder = regexp.MustCompile(`#\w+`)

// names returns what the placeholders of expressions stand for: #sort is the
// attribute sort. They are needed for the words that DynamoDB reserves.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
func names(expressions ...string) map[string]string {
	var all map[string]string
	for _, e := range expressions {
		for _, p := range placeholder.FindAllString(e, -1) {
			if all == nil {
				all = map[string]string{}
			}
			all[p] = p[1:]
		}
	}
	return all
}

func connection(row item) Connection {
	at, id, _ := strings.Cut(row.str("sort"), "#")
	connectedAt, _ := strconv.ParseInt(at, 10, 64) // written by key alone
	return Connection{
		ConnectionRef: ConnectionRef{id, connectedAt},
		Actor:         row.str("actor"), TokenHash: row.str("token_hash"), KeyLookup: row.str("key_id"),
		ExpiresAt: row.time("expires_at"), Symbols: row.strs("symbols"),
		Mode: row.str("mode"), Greeted: row.bool("greeted"),
		Epoch: row.num("epoch"), Seq: row.num("seq"),
	}
}
