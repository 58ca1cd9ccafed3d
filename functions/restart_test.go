package functions_test

import (
	"testing"
	"time"

	"crypto-ticker/emulator"
)

// TestTickerIsReplaced kills the ticker in the middle of its work: another one
// takes over, and its clients stay.
func TestTickerIsReplaced(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{})
	if len(children()) == 0 {
		t.Skip("the processes of functions cannot be seen on this system")
	}
	c := a.connect()
	first := c.until("ticker")
	for first.Epoch == 0 {
		first = c.until("ticker")
	}
	killTickers(t, a)
	killed := time.Now()
	for {
		if m := c.until("ticker"); m.Epoch > first.Epoch {
			break
		}
	}
	t.Logf("prices moved again after %v", time.Since(killed).Round(time.Millisecond))
}

func TestDataSurvivesRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startApp(t, emulator.Options{Data: dir})
	token := first.token(first.apiKey)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := startApp(t, emulator.Options{Data: dir})
	if second.apiKey != first.apiKey {
		t.Error("the demo key is another one after a restart")
	}
	second.token(first.apiKey)
	c, status := second.dial("/prod", bearer(token))
	if c == nil {
		t.Fatalf("handshake with a token of before: got %d; want 101", status)
	}
	c.until("ticker")
}
