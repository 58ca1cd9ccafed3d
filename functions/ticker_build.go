package functions

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
)

// tickerSettings are the variables that make one deployment of the ticker
// another than the last, though its program is the same.
var tickerSettings = []string{
	"CONNECTIONS_TABLE", "TICKER_TABLE", "WEBSOCKET_ENDPOINT", "TICK_INTERVAL", "DELIVERY_INTERVAL",
	"MAX_POSTS_PER_SECOND", "SYMBOLS", "PRICE_SOURCE",
}

// programHash is the SHA-256 of this program.
var programHash = sync.OnceValues(func() ([]byte, error) {
	name, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return h.Sum(nil), err
})

// tickerBuild identifies what was deployed: the program and its settings.
// Lambda has no name for it, since the version of a function is $LATEST.
func tickerBuild(getenv func(string) string) (string, error) {
	program, err := programHash()
	if err != nil {
		return "", fmt.Errorf("ticker: read own program: %w", err)
	}
	h := sha256.New()
	h.Write(program)
	for _, name := range tickerSettings {
		fmt.Fprintf(h, "%s=%q\n", name, getenv(name))
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
