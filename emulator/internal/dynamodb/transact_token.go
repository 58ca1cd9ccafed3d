// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken

package dynamodb

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// tokens is the space of the tokens of transactions. It lies in the store, with
// the items, because a token has to outlive the process as they do. It has two
// kinds of keys: "t" and a token, whose value is a record; and "x", the time of
// use, and the token, to find those that are too old.
const tokens = math.MaxUint64

// tokenLife is how long after its use a token is known.
const tokenLife = 10 * time.Minute

// maxForgotten is how many old tokens a transaction deletes at most.
const maxForgotten = 16

var errOtherParameters = modelled("IdempotentParameterMismatchException", "The token of the request has been used with other parameters")

// tokenUse is the use of a token by a transaction that is under way.
type tokenUse struct {
	token  string
	now    time.Time
	hash   [sha256.Size]byte
	writes []kv.Write // that delete old tokens
}

// checkToken looks whether a transaction's token has been used: if so, done says
// whether the transaction has been carried out. A transaction without a token
// has nil.
func (e *Engine) checkToken(rd kv.Reader, tx *transaction) (use *tokenUse, done bool, err error) {
	if tx.token == nil {
		return nil, false, nil
	}
	use = &tokenUse{token: *tx.token, now: e.cfg.Clock.Now()}
	if use.hash, err = hashItems(tx.raw); err != nil {
		return nil, false, err
	}
	record := rd.Get(tokens, []byte("t"+use.token))
	if len(record) == recordSize {
		at := int64(binary.BigEndian.Uint64(record))
		if use.now.Sub(time.Unix(0, at)).Abs() < tokenLife {
			if !bytes.Equal(record[8:8+sha256.Size], use.hash[:]) {
				return nil, false, errOtherParameters
			}
			done = record[recordSize-1] == 1
		}
		use.writes = append(use.writes, kv.Delete(tokens, useKey(record[:8], use.token)))
	}
	use.forget(rd)
	return use, done, nil
}

// A record is the time of use in ns since 1970, the hash of the parameters, and
// whether the transaction has been carried out.
const recordSize = 8 + sha256.Size + 1

func useKey(at []byte, token string) []byte {
	return append(append([]byte("x"), at...), token...)
}

// forget notes the deletion of some tokens that are too old.
func (u *tokenUse) forget(rd kv.Reader) {
	limit := binary.BigEndian.AppendUint64([]byte("x"), uint64(u.now.Add(-tokenLife).UnixNano()))
	n := 0
	rd.Scan(tokens, []byte("x"), limit, false, func(key, _ []byte) bool {
		key = bytes.Clone(key)
		if token := key[1+8:]; string(token) != u.token { // it is about to be written
			u.writes = append(u.writes, kv.Delete(tokens, append([]byte("t"), token...)))
		}
		u.writes = append(u.writes, kv.Delete(tokens, key))
		n++
		return n < maxForgotten
	})
}

// keep gives the writes that note the use.
func (u *tokenUse) keep(done bool) []kv.Write {
	if u == nil {
		return nil
	}
	at := binary.BigEndian.AppendUint64(nil, uint64(u.now.UnixNano()))
	record := append(bytes.Clone(at), u.hash[:]...)
	if done {
		record = append(record, 1)
	} else {
		record = append(record, 0)
	}
	return append(u.writes, kv.Put(tokens, []byte("t"+u.token), record), kv.Put(tokens, useKey(at, u.token), nil))
}

// hashItems hashes what the client sent, without regard to the order of members:
// clients put the same map in another order each time.
func hashItems(raw []byte) (hash [sha256.Size]byte, err error) {
	var items any
	if err := json.Unmarshal(raw, &items); err != nil {
		return hash, serialization("Unexpected token received from parser")
	}
	sorted, err := json.Marshal(items)
	return sha256.Sum256(sorted), err
}
