package push

import (
	"slices"
	"testing"
	"time"

	"crypto-ticker/shared/market"
)

// fill makes a ring with n ticks, each of which moves all symbols.
func fill(n int, interval time.Duration) *ring {
	r := newRing(5, 1000, testSymbols, interval)
	for i := range n {
		r.add(quotesAt(time.UnixMilli(int64(i))))
	}
	return r
}

func TestRingMessages(t *testing.T) {
	t.Parallel()
	r := fill(10, 10*time.Millisecond) // 1001 to 1010, with times 0 to 9
	tests := []struct {
		name     string
		symbols  []string
		latest   bool
		sent     int64
		wantFrom int64
		want     []string // symbol and time of each entry
	}{
		{"all since", []string{"BTC-USD"}, false, 1007, 1008, []string{"BTC-USD 7", "BTC-USD 8", "BTC-USD 9"}},
		{"two symbols in time order", []string{"SOL-USD", "BTC-USD"}, false, 1009, 1010, []string{"BTC-USD 9", "SOL-USD 9"}},
		{"latest only", []string{"BTC-USD", "ETH-USD"}, true, 1003, 1004, []string{"BTC-USD 9", "ETH-USD 9"}},
		{"nothing new", testSymbols, false, 1010, 0, nil},
		{"nothing new, latest", testSymbols, true, 1010, 0, nil},
		{"no subscription", nil, false, 1000, 0, nil},
		{"unknown symbols", []string{"DOGE-USD"}, false, 1000, 0, nil},
		{"before the first tick", []string{"ETH-USD"}, true, 1000, 1001, []string{"ETH-USD 9"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := r.message(r.mask(tt.symbols), tt.latest, tt.sent, 50)
			if tt.want == nil {
				if body != nil {
					t.Errorf("got %s; want no message", body)
				}
				return
			}
			m := decode(t, string(body))
			var got []string
			for _, d := range m.Data {
				got = append(got, d.Symbol+" "+string('0'+byte(d.Time)))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v; want %v", got, tt.want)
			}
			if m.From != tt.wantFrom || m.Seq != 1010 || m.Epoch != 5 || m.Interval != 50 || m.Type != "ticker" {
				t.Errorf("got head %+v; want epoch 5, ticks %d to 1010, interval 50", m, tt.wantFrom)
			}
		})
	}
}

// TestRingForgets: what a slow client has missed for too long is left out, the
// oldest first, and it sees that.
func TestRingForgets(t *testing.T) {
	t.Parallel()
	r := fill(5000, time.Second) // keeps 16
	if m := decode(t, string(r.message(1, false, 1000, 0))); len(m.Data) != 16 || m.From != 5985 || m.Seq != 6000 {
		t.Errorf("got %d entries, %d to %d; want the newest 16, 5985 to 6000", len(m.Data), m.From, m.Seq)
	}
	r = fill(5000, 10*time.Millisecond)
	body := r.message(7, false, 1000, 0)
	m := decode(t, string(body))
	if len(body) > maxMessage || len(body) < maxMessage-1000 || m.Seq != 6000 || m.Data[len(m.Data)-1].Time != 4999 {
		t.Errorf("got %d bytes up to tick %d; want nearly 128 KB with the newest tick", len(body), m.Seq)
	}
	if int64(len(m.Data)) != 3*(m.Seq-m.From+1) {
		t.Errorf("got %d entries for the ticks %d to %d; want whole ticks", len(m.Data), m.From, m.Seq)
	}
}

// TestRingSharesMessages: a round encodes once for all who are alike.
func TestRingSharesMessages(t *testing.T) {
	t.Parallel()
	r := fill(3, 10*time.Millisecond)
	a, b := r.message(7, false, 1000, 0), r.message(7, false, 1000, 0)
	if &a[0] != &b[0] {
		t.Error("the same message was encoded twice")
	}
	before := string(a)
	r.add(quotesAt(time.UnixMilli(9)))
	if c := r.message(7, false, 1000, 0); string(c) == before || string(a) != before {
		t.Error("a new tick must give a new message and leave the old one as it was")
	}
}

func TestRingWithPartialTicks(t *testing.T) {
	t.Parallel()
	r := newRing(1, 0, testSymbols, time.Second)
	at := time.UnixMilli(1)
	r.add([]market.Quote{{Symbol: "ETH-USD", Price: "1", Time: at, Source: "kraken"}, {Symbol: "NOT-HERE", Price: "1", Time: at}})
	r.add([]market.Quote{{Symbol: "BTC-USD", Price: "2", Time: at, Source: "kraken"}})
	if m := decode(t, string(r.message(7, false, 0, 0))); len(m.Data) != 2 || m.Data[0].Symbol != "ETH-USD" || m.Data[1].Symbol != "BTC-USD" {
		t.Errorf("got %+v; want ETH-USD, then BTC-USD", m.Data)
	}
	if m := decode(t, string(r.message(7, true, 1, 0))); len(m.Data) != 1 || m.Data[0].Symbol != "BTC-USD" {
		t.Errorf("got %+v; want only what moved after tick 1", m.Data)
	}
}

func BenchmarkMessage(b *testing.B) {
	for _, bb := range []struct {
		name  string
		ticks int64
	}{{"1 tick", 1}, {"100 ticks", 100}} {
		b.Run(bb.name, func(b *testing.B) {
			r := fill(200, 10*time.Millisecond)
			for b.Loop() {
				clear(r.cache)
				b.SetBytes(int64(len(r.message(7, false, r.last-bb.ticks, 1000))))
			}
		})
	}
}

func BenchmarkTick(b *testing.B) {
	r := fill(1, 10*time.Millisecond)
	quotes := quotesAt(time.UnixMilli(1779634513402))
	for b.Loop() {
		r.add(quotes)
	}
}
