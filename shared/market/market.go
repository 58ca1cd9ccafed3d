// Package market has the prices: a simulated random walk, and the public
// tickers of two exchanges.
package market

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Quote is the price of a symbol at a time.
type Quote struct {
	Symbol string    // such as BTC-USD
	Price  string    // decimal text as its source has it, which is a JSON number too
	Time   time.Time // when the price was made
	Source string    // simulated, coinbase or kraken
	Stale  bool      // nobody has confirmed the price for 10 seconds
}

// Source is where prices come from. It is not safe for concurrent use.
type Source interface {
	// Next returns the prices that have moved since the call before, in the
	// order of the symbols, and nil if none has. It does not wait. A price that
	// nobody confirms any more comes once again, marked stale. The first call
	// returns the prices that the source starts with, if it has any.
	Next(now time.Time) []Quote
}

// Config says which source to open.
type Config struct {
	Name    string   // simulated, coinbase or kraken; empty means simulated
	Symbols []string // what to quote, as BASE-QUOTE
	Last    []Quote  // prices to go on from; those of another kind of source are ignored

	// Confirmed is when those of Last that are not stale were still known to be
	// right. A price may be older than that, if it has not moved. The zero time
	// means that nobody knows, and only the price's own time counts.
	Confirmed time.Time

	Seed   uint64       // of the simulated source; 0 means a random one
	Client *http.Client // for the exchanges; nil means one with a timeout of 3 seconds
}

// Open returns a source of prices. What it runs in the background ends with ctx.
func Open(ctx context.Context, c Config) (Source, error) {
	switch c.Name {
	case "", simulated:
		return newWalk(c), nil
	case coinbase.name:
		return openExchange(ctx, c, coinbase, newKraken()), nil
	case krakenName:
		return openExchange(ctx, c, newKraken(), coinbase), nil
	}
	return nil, fmt.Errorf("market: unknown source %q: use simulated, coinbase or kraken", c.Name)
}

// IsSource says whether Open knows a source by this name.
func IsSource(name string) bool {
	return slices.Contains([]string{"", simulated, coinbase.name, krakenName}, name)
}

// isPrice says whether text is a decimal number greater than zero that may
// stand in JSON as it is.
func isPrice(text string) bool {
	digits, dots, positive := 0, 0, false
	for i, c := range []byte(text) {
		switch {
		case c == '.' && digits > 0 && dots == 0 && i < len(text)-1:
			dots++
		case c >= '0' && c <= '9':
			digits++
			positive = positive || c != '0'
		default:
			return false
		}
	}
	leadingZero := len(text) > 1 && text[0] == '0' && text[1] != '.'
	return positive && !leadingZero && len(text) <= 32
}

var symbolForm = regexp.MustCompile(`^[A-Z0-9]{2,10}-[A-Z]{3,5}$`)

// ParseSymbols reads a list such as BTC-USD,ETH-USD.
func ParseSymbols(list string) ([]string, error) {
	var symbols []string
	for symbol := range strings.SplitSeq(list, ",") {
		symbol = strings.TrimSpace(symbol)
		if !symbolForm.MatchString(symbol) {
			return nil, fmt.Errorf("market: %q is no symbol: use a list such as BTC-USD,ETH-USD", symbol)
		}
		if slices.Contains(symbols, symbol) {
			return nil, fmt.Errorf("market: the symbol %s is listed twice", symbol)
		}
		symbols = append(symbols, symbol)
	}
	return symbols, nil
}
