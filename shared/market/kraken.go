package market

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// https://docs.kraken.com/api/docs/rest-api/get-ticker-information
var kraken = venue{"kraken", func(ctx context.Context, client *http.Client, symbols []string) ([]Quote, error) {
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
	if err == nil && len(answer.Error) > 0 {
		err = errors.New(strings.Join(answer.Error, ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("market: kraken: %w", err)
	}
	// An answer has no time of its own: it is the price of now.
	now := time.Now()
	var quotes []Quote
	for _, symbol := range symbols {
		for _, name := range krakenNames(symbol) {
			if last := answer.Result[name].Last; len(last) > 0 && isPrice(last[0]) {
				quotes = append(quotes, Quote{Symbol: symbol, Price: last[0], Time: now, Source: "kraken"})
				break
			}
		}
	}
	if len(quotes) == 0 {
		return nil, errors.New("market: kraken: the answer has no price")
	}
	return quotes, nil
}}

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
