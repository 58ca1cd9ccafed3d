// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html

package dynamodb

import (
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// Lag makes what is eventually consistent late by d of the engine's time: reads
// that do not ask for consistency, and global secondary indexes. 0, which is
// how an Engine begins, ends that.
func (e *Engine) Lag(d time.Duration) { e.lag.Lag(d) }

// late gives a reader of the past, or r itself if the read is consistent or
// nothing lags.
func (e *Engine) late(r kv.Reader, consistent bool) kv.Reader {
	if consistent {
		return r
	}
	return e.lag.Late(r)
}
