package store

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"crypto-ticker/shared/market"
)

// tickerName is the key of the one item that the Ticker table has.
const tickerName = "ticker"

// LeaseState says what the holder of the lease is doing.
type LeaseState string

// The states of the lease.
const (
	LeaseFree     LeaseState = ""         // nobody holds it
	LeaseRunning  LeaseState = "running"  // its holder serves the connections
	LeaseDraining LeaseState = "draining" // nobody is connected; its holder looks a last time, then leaves
	LeaseHandover LeaseState = "handover" // its holder serves, and leaves as soon as a challenger is there
)

// Lease is the right to be the one ticker, with the prices that its holder has
// saved. No clocks are compared: that the version moves shows that its holder
// lives.
type Lease struct {
	Owner   string
	Version int64 // grows with every write of the holder
	Epoch   int64 // grows with every change of the holder
	State   LeaseState

	// Challenger waits for the lease; Challenged is the version that it saw.
	Challenger string
	Challenged int64

	Build  string // of the holder: which program, with which settings
	Wanted string // the build that is to replace the holder's; empty if none is

	Seq    int64 // the number of the newest tick
	Prices []market.Quote
}

// Lease reads the lease; one that never was is free, with version 0.
func (s *Store) Lease(ctx context.Context) (Lease, error) {
	const op = "read lease"
	name, err := table(s.ticker, "TICKER_TABLE")
	if err != nil {
		return Lease{}, wrap(op, err)
	}
	row, err := s.getItem(ctx, name, leaseKey())
	if errors.Is(err, ErrNotFound) {
		return Lease{}, nil
	}
	if err != nil {
		return Lease{}, wrap(op, err)
	}
	return lease(row), nil
}

// AcquireLease takes the lease if it still is as seen. It is ErrConflict if
// somebody has written it since.
func (s *Store) AcquireLease(ctx context.Context, seen Lease, owner string) (Lease, error) {
	condition, values := "#version = :version", item{":version": num(seen.Version)}
	if seen.Version == 0 {
		condition, values = "attribute_not_exists(#version)", item{}
	}
	values[":owner"], values[":running"], values[":one"] = str(owner), str(string(LeaseRunning)), num(1)
	return s.updateLease(ctx, "acquire lease", condition,
		"SET #owner = :owner, #state = :running ADD #version :one, epoch :one REMOVE challenger, challenged, build, wanted", values)
}

// RenewLease shows that the holder of an epoch lives, sets the state and the
// build, and saves the number of the newest tick and the prices. The answer also
// shows who waits. It is ErrConflict if somebody else has the lease. Doing it
// twice does no harm, so a request whose answer was lost may be repeated.
func (s *Store) RenewLease(ctx context.Context, held Lease) (Lease, error) {
	// A request that was given up may arrive after ReleaseLease, which stays.
	return s.writeLease(ctx, "renew lease", held, " AND #state <> :free", item{":free": str(string(LeaseFree))})
}

// writeLease writes what the holder of an epoch has to say of it.
func (s *Store) writeLease(ctx context.Context, op string, held Lease, condition string, values item) (Lease, error) {
	maps.Copy(values, item{
		":build": str(held.Build),
		":epoch": num(held.Epoch), ":owner": str(held.Owner), ":state": str(string(held.State)),
		":seq": num(held.Seq), ":prices": prices(held.Prices), ":one": num(1),
	})
	return s.updateLease(ctx, op, "epoch = :epoch AND #owner = :owner"+condition,
		"SET #state = :state, build = :build, seq = :seq, prices = :prices ADD #version :one", values)
}

// ReleaseLease gives the lease up and saves what RenewLease saves. It is
// ErrConflict if somebody else has it already.
func (s *Store) ReleaseLease(ctx context.Context, held Lease) error {
	held.State = LeaseFree
	_, err := s.writeLease(ctx, "release lease", held, "", item{})
	return err
}

// ChallengeLease registers who waits for the lease, if it still has the version
// that was seen and nobody else has registered with that. It is ErrConflict
// otherwise. So at most one process waits for each version.
func (s *Store) ChallengeLease(ctx context.Context, seen Lease, challenger string) error {
	_, err := s.updateLease(ctx, "challenge lease",
		"#version = :version AND (attribute_not_exists(challenged) OR challenged < :version)",
		"SET challenger = :challenger, challenged = :version",
		item{":version": num(seen.Version), ":challenger": str(challenger)})
	return err
}

// AskForLease tells the holder of the seen epoch that another build is to
// replace it. It is ErrConflict if somebody else has the lease by now.
func (s *Store) AskForLease(ctx context.Context, seen Lease, build string) error {
	_, err := s.updateLease(ctx, "ask for lease", "epoch = :epoch", "SET wanted = :build",
		item{":epoch": num(seen.Epoch), ":build": str(build)})
	return err
}

func (s *Store) updateLease(ctx context.Context, op, condition, update string, values item) (Lease, error) {
	name, err := table(s.ticker, "TICKER_TABLE")
	if err != nil {
		return Lease{}, wrap(op, err)
	}
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: name, Key: leaseKey(), ConditionExpression: aws.String(condition), UpdateExpression: aws.String(update),
		ExpressionAttributeNames: names(condition, update), ExpressionAttributeValues: values,
		ReturnValues: types.ReturnValueAllNew,
	})
	if err != nil {
		return Lease{}, wrap(op, err)
	}
	return lease(out.Attributes), nil
}

func leaseKey() item { return item{"name": str(tickerName)} }

func lease(row item) Lease {
	l := Lease{
		Owner: row.str("owner"), Version: row.num("version"), Epoch: row.num("epoch"),
		State: LeaseState(row.str("state")), Challenger: row.str("challenger"), Challenged: row.num("challenged"),
		Build: row.str("build"), Wanted: row.str("wanted"), Seq: row.num("seq"),
	}
	list, _ := row["prices"].(*types.AttributeValueMemberL)
	if list == nil {
		return l
	}
	for _, entry := range list.Value {
		m, ok := entry.(*types.AttributeValueMemberM)
		if !ok {
			continue
		}
		q := item(m.Value)
		l.Prices = append(l.Prices, market.Quote{
			Symbol: q.str("symbol"), Price: q.str("price"), Time: time.UnixMilli(q.num("time")),
			Source: q.str("source"), Stale: q.bool("stale"),
		})
	}
	return l
}

// prices is a list of quotes, with times in milliseconds. A price is text:
// DynamoDB's numbers lose their last zeros.
func prices(quotes []market.Quote) types.AttributeValue {
	list := make([]types.AttributeValue, len(quotes))
	for i, q := range quotes {
		list[i] = &types.AttributeValueMemberM{Value: item{
			"symbol": str(q.Symbol), "price": str(q.Price), "time": num(q.Time.UnixMilli()),
			"source": str(q.Source), "stale": boolean(q.Stale),
		}}
	}
	return &types.AttributeValueMemberL{Value: list}
}
