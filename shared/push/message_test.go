package push

import (
	"encoding/json"
	"testing"
	"time"

	"crypto-ticker/shared/market"
)

func TestMessageJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		message Message
		want    string
	}{
		{"pong, as in the tutorial", Message{Type: TypePong}, `{"type":"pong"}`},
		{"pong with an id", Message{Type: TypePong, ID: json.RawMessage(`"a\u0022b"`)}, `{"type":"pong","id":"a\u0022b"}`},
		{"an id that is no JSON", Message{Type: TypePong, ID: json.RawMessage(`}`)}, `{"type":"pong"}`},
		{"welcome", Message{Type: TypeWelcome, UserID: "user:demo", Protocol: Subprotocol, Symbols: []string{"BTC-USD"}},
			`{"type":"welcome","user_id":"user:demo","protocol":"crypto-ticker.v1","symbols":["BTC-USD"]}`},
		{"nothing left", Message{Type: TypeUnsubscribed, ID: json.RawMessage(`7`), Symbols: []string{}},
			`{"type":"unsubscribed","id":7,"symbols":[]}`},
		{"error", Message{Type: TypeError, Code: "forbidden", Message: "no"}, `{"type":"error","code":"forbidden","message":"no"}`},
	}
	for _, tt := range tests {
		if got := string(tt.message.JSON()); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1779634513402)
	quotes := quotesAt(at)[:2]
	quotes[1].Stale = true
	want := `{"type":"ticker","epoch":3,"from":99,"seq":99,"data":[` +
		`{"symbol":"BTC-USD","price":42000.01,"timestamp":1779634513,"time":1779634513402,"source":"simulated"},` +
		`{"symbol":"ETH-USD","price":2500.02,"timestamp":1779634513,"time":1779634513402,"source":"simulated","stale":true}]}`
	if got := string(Snapshot(3, 99, quotes)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	decode(t, want)
	if got := string(Snapshot(1, 0, nil)); decode(t, got).Data == nil {
		t.Errorf("got %s; want empty data", got)
	}
}

// TestSecondFitsOneMessage: three symbols at 100 ticks a second are what AWS
// counts as one message.
func TestSecondFitsOneMessage(t *testing.T) {
	t.Parallel()
	r := newRing(1, 0, testSymbols, 10*time.Millisecond)
	for i := range 103 {
		r.add(quotesAt(time.UnixMilli(1779634513402 + 10*int64(i))))
	}
	body := r.message(7, false, 0, 1000)
	if m := decode(t, string(body)); len(m.Data) != 309 || m.From != 1 || m.Seq != 103 || len(body) > 32<<10 {
		t.Errorf("got %d entries in %d bytes, from %d to %d; want all of them in 32 KB", len(m.Data), len(body), m.From, m.Seq)
	}
}

func BenchmarkEntry(b *testing.B) {
	q := market.Quote{Symbol: "BTC-USD", Price: "42000.01", Time: time.UnixMilli(1779634513402), Source: "simulated"}
	var buffer []byte
	for b.Loop() {
		buffer = appendEntry(buffer[:0], q)
	}
}
