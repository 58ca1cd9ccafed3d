package market

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const krakenName = "kraken"

// newKraken returns the venue, which remembers what it does not trade.
func newKraken() venue {
	unknown := map[string]bool{}
	return venue{krakenName, func(ctx context.Context, client *http.Client, symbols []string) ([]Quote, error) {
		symbols = slices.DeleteFunc(slices.Clone(symbols), func(symbol string) bool { return unknown[symbol] })
		quotes, err := krakenPrices(ctx, client, symbols)
		if errors.Is(err, errNotTraded) { // it does not tell which
			for _, symbol := range symbols {
				some, e := krakenPrices(ctx, client, []string{symbol})
				switch {
				case errors.Is(e, errNotTraded):
					unknown[symbol] = true
				case e != nil:
					return nil, fmt.Errorf("market: kraken: %s: %w", symbol, e)
				default:
					quotes, err = append(quotes, some...), nil
				}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("market: kraken: %w", err)
		}
		return quotes, nil
	}}
}

// krakenPrices asks for the prices of symbols. It is errNotTraded if Kraken knows
// one of them not, of whatever others there are.
//
// https://docs.kraken.com/api/docs/rest-api/get-ticker-information
func krakenPrices(ctx context.Context, client *http.Client, symbols []string) ([]Quote, error) {
	if len(symbols) == 0 {
		return nil, errNotTraded
	}
	pairs := make([]string, len(symbols))
	for i, symbol := range symbols {
		base, quote := krakenAssets(symbol)
		pairs[i] = base + quote
	}
	var answer struct {
		Error  []string `json:"error"`
		Result map[string]struct {
			Last []string `json:"c"` // price and volume of the last trade
		} `json:"result"`
	}
	err := getJSON(ctx, client, "https://api.kraken.com/0/public/Ticker?pair="+url.QueryEscape(strings.Join(pairs, ",")), &answer)
	if err != nil {
		return nil, err
	}
	// An answer has no time of its own: it is the price of now.
	now := time.Now()
	var quotes []Quote
	for _, symbol := range symbols {
		for _, name := range krakenNames(symbol) {
			if last := answer.Result[name].Last; len(last) > 0 && isPrice(last[0]) {
				quotes = append(quotes, Quote{Symbol: symbol, Price: last[0], Time: now, Source: krakenName})
				break
			}
		}
	}
	switch {
	case len(quotes) > 0: // beside errors, these may be warnings
		return quotes, nil
	case slices.ContainsFunc(answer.Error, func(e string) bool { return strings.Contains(e, "Unknown asset pair") }):
		return nil, errNotTraded
	case len(answer.Error) > 0:
		return nil, errors.New(strings.Join(answer.Error, ", "))
	}
	return nil, errors.New("the answer has no price")
}

// krakenAssets splits a symbol into Kraken's own names of the two assets.
func krakenAssets(symbol string) (base, quote string) {
	base, quote, _ = strings.Cut(symbol, "-")
	for _, asset := range []*string{&base, &quote} {
		switch *asset {
		case "BTC":
			*asset = "XBT"
		case "DOGE":
			*asset = "XDG"
		}
	}
	return base, quote
}

// krakenNames are the names that a pair may have in an answer: older assets
// carry the prefix X, older currencies Z, as in XXBTZUSD.
func krakenNames(symbol string) []string {
	base, quote := krakenAssets(symbol)
	return []string{base + quote, "X" + base + "Z" + quote, "X" + base + "X" + quote, base + "Z" + quote}
}
