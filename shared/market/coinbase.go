package market

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-ticker
var coinbase = venue{"coinbase", func(ctx context.Context, client *http.Client, symbols []string) ([]Quote, error) {
	var quotes []Quote
	var odd error // an answer without a price, which says nothing of the other symbols
	for _, symbol := range symbols {
		var answer struct {
			Price string    `json:"price"`
			Time  time.Time `json:"time"`
		}
		err := getJSON(ctx, client, "https://api.exchange.coinbase.com/products/"+symbol+"/ticker", &answer)
		if errors.Is(err, errNotTraded) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("market: coinbase: %s: %w", symbol, err)
		}
		if !isPrice(answer.Price) {
			odd = fmt.Errorf("market: coinbase: %s: the answer has no price", symbol)
			continue
		}
		if answer.Time.IsZero() {
			answer.Time = time.Now()
		}
		quotes = append(quotes, Quote{Symbol: symbol, Price: answer.Price, Time: answer.Time, Source: "coinbase"})
	}
	switch {
	case len(quotes) > 0:
	case odd != nil:
		return nil, odd
	default:
		return nil, fmt.Errorf("market: coinbase: %w", errNotTraded)
	}
	return quotes, nil
}}
