package market

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// inMemory serves requests without a network, so that virtual time can pass.
type inMemory struct{ http.HandlerFunc }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w.Result(), nil
}

// exchanges answers as both exchanges do, as long as they are up.
type exchanges struct {
	coinbaseDown, krakenDown atomic.Bool
	coinbasePrice            atomic.Pointer[string]
}

func (e *exchanges) client() *http.Client {
	return &http.Client{Transport: inMemory{func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Host == "api.exchange.coinbase.com" && !e.coinbaseDown.Load():
			price := "42000.01"
			if p := e.coinbasePrice.Load(); p != nil {
				price = *p
			}
			fmt.Fprintf(w, `{"ask":"42000.02","bid":"42000.00","volume":"5061.1","trade_id":7,"price":%q,"size":"0.01","time":"2026-05-24T14:55:13.402123Z","rfq_volume":"1"}`, price)
		case r.URL.Host == "api.kraken.com" && !e.krakenDown.Load():
			fmt.Fprint(w, `{"error":[],"result":{"XXBTZUSD":{"a":["42010.10000","1","1.000"],"b":["42010.00000","1","1.000"],"c":["42010.10000","0.00100000"],"v":["1","2"]}}}`)
		default:
			http.Error(w, "service unavailable", http.StatusServiceUnavailable)
		}
	}}}
}

func TestCoinbase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answer  func(w http.ResponseWriter, r *http.Request)
		want    string // prices
		wantErr string
	}{
		{"prices", func(w http.ResponseWriter, r *http.Request) {
			price := map[string]string{"/products/BTC-USD/ticker": "42000.01", "/products/ETH-USD/ticker": "2500.1"}[r.URL.Path]
			fmt.Fprintf(w, `{"price":%q,"time":"2026-05-24T14:55:13.402123Z"}`, price)
		}, "BTC-USD 42000.01 ETH-USD 2500.1", ""},
		{"one is not traded", func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "BTC") {
				http.Error(w, `{"message":"NotFound"}`, http.StatusNotFound)
				return
			}
			fmt.Fprint(w, `{"price":"2500.1"}`)
		}, "ETH-USD 2500.1", ""},
		{"one has no price", func(w http.ResponseWriter, r *http.Request) {
			price := map[string]string{"/products/ETH-USD/ticker": "2500.1"}[r.URL.Path]
			fmt.Fprintf(w, `{"price":%q}`, price)
		}, "ETH-USD 2500.1", ""},
		{"none is traded", http.NotFound, "", "not traded here"},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "", "invalid character"},
		{"no price", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }, "", "no price"},
		{"a price that JSON has not", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"price":"NaN"}`) }, "", "no price"},
		{"too many requests", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow down", http.StatusTooManyRequests) }, "", "429"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := coinbase.fetch(t.Context(), &http.Client{Transport: inMemory{tt.answer}}, []string{"BTC-USD", "ETH-USD"})
			checkFetch(t, got, err, tt.want, tt.wantErr)
		})
	}
}

func TestKraken(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, answer, want, wantErr string
	}{
		{"prices under old and new names", `{"error":[],"result":{"XXBTZUSD":{"c":["42000.10000","0.1"]},"SOLUSD":{"c":["95.03","1"]}}}`, "BTC-USD 42000.10000 SOL-USD 95.03", ""},
		{"one is missing", `{"error":[],"result":{"SOLUSD":{"c":["95.03","1"]}}}`, "SOL-USD 95.03", ""},
		{"warning", `{"error":["WGeneral:Danger"],"result":{"SOLUSD":{"c":["95.03","1"]}}}`, "SOL-USD 95.03", ""},
		{"busy", `{"error":["EService:Unavailable"]}`, "", "EService:Unavailable"},
		{"nothing", `{"error":[],"result":{}}`, "", "no price"},
		{"no price in it", `{"error":[],"result":{"SOLUSD":{"c":[]}}}`, "", "no price"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := &http.Client{Transport: inMemory{func(w http.ResponseWriter, r *http.Request) {
				if got := r.URL.Query().Get("pair"); got != "XBTUSD,SOLUSD" {
					t.Errorf("got pairs %q; want XBTUSD,SOLUSD", got)
				}
				fmt.Fprint(w, tt.answer)
			}}}
			got, err := newKraken().fetch(t.Context(), client, []string{"BTC-USD", "SOL-USD"})
			checkFetch(t, got, err, tt.want, tt.wantErr)
		})
	}
}

// TestKrakenDoesNotTrade: Kraken refuses a whole request for one pair that it does
// not know. The others have their prices, and it is not asked for that again.
func TestKrakenDoesNotTrade(t *testing.T) {
	t.Parallel()
	var pairs []string
	client := &http.Client{Transport: inMemory{func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.Query().Get("pair")
		pairs = append(pairs, asked)
		if strings.Contains(asked, "MOON") {
			fmt.Fprint(w, `{"error":["EQuery:Unknown asset pair"]}`)
			return
		}
		fmt.Fprint(w, `{"error":[],"result":{"XXBTZUSD":{"c":["42000.1","0.1"]}}}`)
	}}}
	kraken := newKraken()
	for range 2 {
		got, err := kraken.fetch(t.Context(), client, []string{"MOON-USD", "BTC-USD"})
		checkFetch(t, got, err, "BTC-USD 42000.1", "")
	}
	if want := []string{"MOONUSD,XBTUSD", "MOONUSD", "XBTUSD", "XBTUSD"}; !slices.Equal(pairs, want) {
		t.Errorf("asked for %v; want %v", pairs, want)
	}
	got, err := kraken.fetch(t.Context(), client, []string{"MOON-USD"})
	checkFetch(t, got, err, "", "not traded here")
}

func checkFetch(t *testing.T, got []Quote, err error, want, wantErr string) {
	t.Helper()
	var prices []string
	for _, q := range got {
		prices = append(prices, q.Symbol, q.Price)
		if q.Time.IsZero() {
			t.Errorf("%s has no time", q.Symbol)
		}
	}
	if got := strings.Join(prices, " "); got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	if wantErr == "" && err != nil || wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)) {
		t.Errorf("got error %v; want %q", err, wantErr)
	}
}

// openTest opens coinbase before kraken. It must be called in a bubble.
func openTest(t *testing.T, e *exchanges, c Config) Source {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c.Name, c.Symbols, c.Client = "coinbase", []string{"BTC-USD"}, e.client()
	s, err := Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); synctest.Wait() })
	return s
}

// after waits and returns what has moved then, one price at most.
func after(t *testing.T, s Source, d time.Duration) (q Quote) {
	t.Helper()
	time.Sleep(d)
	synctest.Wait()
	for _, q = range s.Next(time.Now()) {
	}
	return q
}

func TestExchangeFallsBackAndReturns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &exchanges{}
		s := openTest(t, e, Config{})
		if q := after(t, s, 10*time.Millisecond); q.Price != "42000.01" || q.Source != "coinbase" || q.Stale {
			t.Fatalf("got %+v; want the price of coinbase", q)
		}
		if q := after(t, s, 5*time.Second); q != (Quote{}) {
			t.Errorf("got %+v; want nothing while the price stands", q)
		}
		e.coinbaseDown.Store(true)
		if q := after(t, s, 2*time.Second); q != (Quote{}) {
			t.Errorf("after two failures got %+v; want nothing", q)
		}
		if q := after(t, s, 2*time.Second); q.Price != "42010.10000" || q.Source != "kraken" {
			t.Errorf("after three failures got %+v; want the price of kraken", q)
		}
		e.coinbaseDown.Store(false)
		if q := after(t, s, 55*time.Second); q != (Quote{}) {
			t.Errorf("before a minute of health got %+v; want nothing new", q)
		}
		if q := after(t, s, 15*time.Second); q.Source != "coinbase" {
			t.Errorf("after a minute of health got %+v; want coinbase again", q)
		}
	})
}

func TestExchangeDoesNotReturnToAFlappingOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &exchanges{}
		s := openTest(t, e, Config{})
		e.coinbaseDown.Store(true)
		after(t, s, 5*time.Second)
		for range 6 { // never healthy for a minute
			e.coinbaseDown.Store(false)
			after(t, s, 40*time.Second)
			e.coinbaseDown.Store(true)
			if q := after(t, s, 8*time.Second); q.Source == "coinbase" {
				t.Fatalf("got %+v; want kraken to stay", q)
			}
		}
	})
}

// TestPricesGoStale: with both exchanges down, the last price stays, marked.
func TestPricesGoStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &exchanges{}
		s := openTest(t, e, Config{})
		after(t, s, 10*time.Millisecond)
		e.coinbaseDown.Store(true)
		e.krakenDown.Store(true)
		if q := after(t, s, 9*time.Second); q != (Quote{}) {
			t.Errorf("before 10 s got %+v; want nothing", q)
		}
		if q := after(t, s, 3*time.Second); !q.Stale || q.Price != "42000.01" || q.Source != "coinbase" {
			t.Errorf("after 10 s got %+v; want the old price, stale", q)
		}
		if q := after(t, s, time.Minute); q != (Quote{}) {
			t.Errorf("got %+v; want a stale price once only", q)
		}
		e.coinbaseDown.Store(false)
		if q := after(t, s, 10*time.Second); q.Stale || q.Price != "42000.01" {
			t.Errorf("got %+v; want the confirmed price", q)
		}
	})
}

// TestExchangeGoesOnWithSavedPrices: both exchanges are down, so a saved price is
// as good as it was when somebody last confirmed it.
func TestExchangeGoesOnWithSavedPrices(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		stale     bool          // as saved
		confirmed time.Duration // ago; 0: nobody knows
		want      bool          // stale at once; 10 s later all are
	}{
		{"an old one", false, 0, true},
		{"one that has not moved", false, time.Second, false},
		{"one that was confirmed long ago", false, 30 * time.Second, true},
		{"a stale one", true, time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &exchanges{}
				e.coinbaseDown.Store(true)
				e.krakenDown.Store(true)
				saved := Quote{Symbol: "BTC-USD", Price: "41000.5", Source: "kraken", Time: time.Now().Add(-time.Minute), Stale: tt.stale}
				last := []Quote{saved, {Symbol: "BTC-USD", Price: "1.00", Source: simulated, Time: time.Now()}}
				c := Config{Last: last}
				if tt.confirmed > 0 {
					c.Confirmed = time.Now().Add(-tt.confirmed)
				}
				s := openTest(t, e, c)
				saved.Stale = tt.want
				if q := after(t, s, 0); q != saved {
					t.Errorf("got %+v; want %+v, and no simulated one", q, saved)
				}
				if q := after(t, s, 10*time.Second); !q.Stale && !tt.want {
					t.Errorf("10 s later got %+v; want it stale", q)
				}
			})
		})
	}
}

func TestGetJSONErrors(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: inMemory{func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }}}
	if err := getJSON(t.Context(), client, "https://exchange.example", nil); !errors.Is(err, errNotTraded) {
		t.Errorf("got %v; want errNotTraded", err)
	}
	if err := getJSON(t.Context(), client, "://", nil); err == nil {
		t.Error("got no error for an address that is none")
	}
}
