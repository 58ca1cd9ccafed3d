package emulator_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"crypto-ticker/emulator"
)

// TestDice drives an application of another module, which uses no library, in
// both forms of its template: SAM's resources and those of AWS::ApiGatewayV2.
func TestDice(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"sam", "raw"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			var log lineLog
			e := emulator.RunT(t, emulator.Options{Template: "testdata/dice/template." + form + ".yaml", Output: &log})
			t.Run("handshake", func(t *testing.T) { refusedHandshakes(t, e) })
			t.Run("routes", func(t *testing.T) { playDice(t, e, &log) })
			t.Run("http", func(t *testing.T) { askDice(t, e) })
			t.Run("custom domains", func(t *testing.T) { visitDice(t, e) })
			t.Run("access logs", func(t *testing.T) {
				log.wait(t, `","route":"GET /players/{id}","status":200}`)
				log.wait(t, `Site | {"requestId":"`)
				log.wait(t, " CONNECT $connect 403 ")
			})
			t.Run("described", func(t *testing.T) { describeDice(t, e) })
		})
	}
}

func refusedHandshakes(t *testing.T, e *emulator.Emulator) {
	for query, want := range map[string]int{"": 401, "?player=cheat": 403} {
		if c, got := dial(t, e.WebSocketURL("Game")+query); c != nil || got != want {
			t.Errorf("handshake with %q: got %d; want %d", query, got, want)
		}
	}
}

// playDice sends to two-way and to one-way routes: hold selects a response that
// it does not have, and pass selects none.
func playDice(t *testing.T, e *emulator.Emulator, log *lineLog) {
	c, status := dial(t, e.WebSocketURL("Game")+"?player=ann")
	if c == nil {
		t.Fatalf("handshake: got %d; want 101", status)
	}
	for _, move := range []string{"pass", "hold"} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := c.Write(ctx, websocket.MessageText, []byte(`{"move":"`+move+`"}`))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		log.wait(t, "MESSAGE "+move+" by ann")
	}
	for _, tt := range []struct{ text, want string }{
		{`{"move":"roll"}`, `roll at game/live: ann plays {"move":"roll"}, 2 dice, table green`},
		{`{"move":"x"}`, `$default at game/live: ann plays {"move":"x"}, 2 dice, table green`},
		{`six`, `$default at game/live: ann plays six, 2 dice, table green`},
		{`{"move":"roll","n":2}`, `roll at game/live: ann plays {"move":"roll","n":2}, 2 dice, table green`},
	} {
		if got := say(t, c, tt.text); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.text, got, tt.want)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	log.wait(t, "DISCONNECT $disconnect by ann")
	for _, access := range []string{" CONNECT $connect 200 ann", " MESSAGE roll 200 ann", " DISCONNECT $disconnect 200 ann"} {
		log.wait(t, access)
	}
}

// askDice calls both HTTP APIs; the second one has a host of its own.
func askDice(t *testing.T, e *emulator.Emulator) {
	game := e.WebSocketURL("Game")
	port := e.URL()[strings.LastIndexByte(e.URL(), ':'):]
	for _, tt := range []struct {
		host, path string
		status     int
		want       string
	}{
		{"", "/players/7", 200, "GET /players/{id} of site, payload 2.0: 7, house red, game at " + game},
		{"", "/books/8", 404, `{"message":"Not Found"}`},
		{"site.execute-api.localhost" + port, "/players/9", 200, "GET /players/{id} of site, payload 2.0: 9, house red, game at " + game},
		{"office.execute-api.localhost" + port, "/books/8", 200, "GET /books/{id} of office, payload 2.0: 8, house blue, game at " + game},
		{"office.execute-api.localhost" + port, "/players/7", 404, `{"message":"Not Found"}`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = tt.host
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != tt.status || string(body) != tt.want {
			t.Errorf("%s%s: got %d %s, %v; want %d %s", tt.host, tt.path, res.StatusCode, body, err, tt.status, tt.want)
		}
	}
}

// visitDice uses the custom domains, as one who resolves them to this machine.
func visitDice(t *testing.T, e *emulator.Emulator) {
	client := trusting(t, e)
	transport := client.Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(e.URL(), "http://"))
	}
	want := "GET /players/{id} of site, payload 2.0: 7, house red, game at " + e.WebSocketURL("Game")
	if status, body := getWith(t, client, "https://my.dice.example.com/site/v1/players/7"); status != 200 || body != want {
		t.Errorf("got %d %s; want %s", status, body, want)
	}
	c, _, err := websocket.Dial(t.Context(), "wss://play.example.com/table?player=bob", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if got := say(t, c, "six"); got != "$default at game/live: bob plays six, 2 dice, table green" {
		t.Errorf("got %s", got)
	}
	var out bytes.Buffer
	e.Describe(&out)
	for _, want := range []string{"play.example.com/table ", "*.dice.example.com/site/v1 "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in\n%s", want, &out)
		}
	}
}

// describeDice holds that only what is not emulated is listed as such.
func describeDice(t *testing.T, e *emulator.Emulator) {
	var out bytes.Buffer
	e.Describe(&out)
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "Not emulated") && !strings.Contains(line, "AWS::IAM::Role") && !strings.Contains(line, "AWS::Lambda::Permission") {
			t.Errorf("got %s", line)
		}
	}
}

// TestRunFromAnotherFolder names the template relative to where the process is,
// and absolutely; the folders of its functions are relative to the template.
func TestRunFromAnotherFolder(t *testing.T) {
	relative := filepath.Join("dice", "template.raw.yaml")
	absolute, err := filepath.Abs(filepath.Join("testdata", relative))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, folder, template string }{
		{"relative", "testdata", relative},
		{"parent", filepath.Join("testdata", "chat", "web"), filepath.Join("..", "..", relative)},
		{"absolute", t.TempDir(), absolute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(tt.folder)
			e := emulator.RunT(t, emulator.Options{Template: tt.template})
			want := "GET /players/{id} of site, payload 2.0: 1, house red, game at " + e.WebSocketURL("Game")
			if status, body := get(t, e.URL()+"/players/1"); status != 200 || body != want {
				t.Errorf("got %d %s; want 200 %s", status, body, want)
			}
		})
	}
}

// lineLog keeps what functions log.
type lineLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func (l *lineLog) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.lines, func(line string) bool { return strings.Contains(line, text) })
}

// wait waits for a line that holds text.
func (l *lineLog) wait(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !l.has(text); time.Sleep(5 * time.Millisecond) { // a process logs, in real time
		if time.Now().After(deadline) {
			t.Fatalf("no line has %q", text)
		}
	}
}
