package functions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto-ticker/shared/store"
)

// lasting returns the context of an invocation that leads for about so long.
func lasting(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), releaseTime+d)
	t.Cleanup(cancel)
	return ctx
}

func greetEvent(c store.Connection) []byte {
	return fmt.Appendf(nil, `{"type":"greet","connection_id":%q,"connected_at":%d,"actor":"user:demo","symbols":["BTC-USD","ETH-USD","SOL-USD"]}`,
		c.ConnectionID, c.ConnectedAt)
}

const scheduleEvent = `{"version":"0","id":"6c0d2c39","detail-type":"Scheduled Event","source":"aws.scheduler","detail":"{}"}`

// TestFirstClient: the first client ever, whose connection is not open yet, has
// its greeting lead. It gets the welcome, a snapshot, then each tick.
func TestFirstClient(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	c := testRow("first", 0)
	c.Greeted = false
	addRow(t, s, c)
	g.gone["first"] = 4
	if _, err := newTestHandler(t, Ticker, env).Invoke(lasting(t, 2*time.Second), greetEvent(c)); err != nil {
		t.Fatal(err)
	}
	all := g.got("first")
	if len(all) < 5 { // one each 20 ms, on a machine that has the time
		t.Fatalf("got %d messages; want many", len(all))
	}
	if m := all[0]; m.body != `{"type":"welcome","user_id":"user:demo","protocol":"crypto-ticker.v1","symbols":["BTC-USD","ETH-USD","SOL-USD"]}` {
		t.Errorf("first message: got %s", m.body)
	}
	if m := all[1]; m.Type != "ticker" || m.Epoch != 1 || len(m.Data) != 3 {
		t.Errorf("second message: got %s; want a snapshot of epoch 1", m.body)
	}
	checkGapless(t, all[1:])
	if !allRows(t, s)["first"].Greeted {
		t.Error("it is not marked as greeted")
	}
	lease, err := s.Lease(t.Context())
	if err != nil || lease.State != store.LeaseFree || lease.Seq < all[len(all)-1].Seq || len(lease.Prices) != 3 {
		t.Errorf("afterwards the lease is %+v, %v; want it free, with the last prices", lease, err)
	}
}

// checkGapless: the ticks follow each other, also from one leader to the next.
func checkGapless(t *testing.T, all []stageMessage) {
	t.Helper()
	for i, m := range all {
		if m.Type != "ticker" || i > 0 && (m.Epoch < all[i-1].Epoch || m.From != all[i-1].Seq+1) {
			t.Fatalf("message %d: got %.120s after tick %d; want the following ticks", i, m.body, all[max(i-1, 0)].Seq)
		}
	}
}

func bodies(all []stageMessage) []string {
	var texts []string
	for _, m := range all {
		texts = append(texts, m.body)
	}
	return texts
}

// TestFirstClients: of several that come at once, each gets its welcome, then a
// snapshot, then ticks, whoever of their greetings leads.
func TestFirstClients(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	h := newTestHandler(t, Ticker, env)
	var wg sync.WaitGroup
	ids := []string{"a", "b", "c", "d", "e", "f"}
	for _, id := range ids {
		c := testRow(id, 0)
		c.Greeted = false
		addRow(t, s, c)
		wg.Go(func() {
			if _, err := h.Invoke(lasting(t, 3*time.Second), greetEvent(c)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		all := g.got(id)
		if len(all) < 5 || all[0].Type != "welcome" || len(all[1].Data) != 3 || all[1].From != all[1].Seq {
			t.Errorf("%s: got %d messages, the first ones %.300s; want the welcome, a snapshot, ticks", id, len(all), bodies(all[:min(3, len(all))]))
			continue
		}
		ticks := all[1:]
		if ticks[1].Epoch > ticks[0].Epoch {
			ticks = ticks[1:] // a leader that leaves may not know yet who has just got a snapshot
		}
		checkGapless(t, ticks)
	}
}

// TestGreetingWhileSomebodyLeads: the client gets its welcome and the prices
// that the leader has saved, and the invocation leaves.
func TestGreetingWhileSomebodyLeads(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	holdLease(t, s, store.LeaseRunning)
	c := testRow("a", 0)
	c.Greeted = false
	addRow(t, s, c)
	began := time.Now()
	if _, err := newTestHandler(t, Ticker, env).Invoke(lasting(t, time.Minute), greetEvent(c)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("left after %v; want long before its time is up", took)
	}
	all := g.got("a")
	if len(all) != 2 || all[0].Type != "welcome" || all[1].Type != "ticker" || all[1].Seq != 100 || strings.Count(all[1].body, "77.70") != 3 {
		t.Errorf("got %v; want the welcome and the snapshot of tick 100", all)
	}
	if !allRows(t, s)["a"].Greeted {
		t.Error("it is not marked as greeted")
	}
}

func TestNobodyIsConnected(t *testing.T) {
	t.Parallel()
	env, s, _ := newStage(t)
	h := newTestHandler(t, Ticker, env)
	for _, event := range []string{scheduleEvent, `{"type":"wake"}`} {
		if _, err := h.Invoke(lasting(t, time.Minute), []byte(event)); err != nil {
			t.Fatal(err)
		}
	}
	if l, err := s.Lease(t.Context()); err != nil || l.Version != 0 {
		t.Errorf("got lease %+v, %v; want none taken", l, err)
	}
}

// TestIdleTickerLeaves: a leader leaves when nobody is connected any more, and
// stays when somebody comes at the last moment.
func TestIdleTickerLeaves(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	tick := newTestTicker(t, env)
	tick.idle = 1500 * time.Millisecond
	addRow(t, s, testRow("a", time.Minute))
	done := make(chan error)
	go func() { done <- tick.handle(lasting(t, time.Minute), tickerEvent{}) }()
	soon(t, "a tick", func() bool { return g.count("a", "ticker") > 0 })
	for _, c := range allRows(t, s) {
		if err := s.RemoveConnection(t.Context(), c.ConnectionRef); err != nil {
			t.Fatal(err)
		}
	}
	removed := time.Now()
	select {
	case err := <-done:
		if l, e := s.Lease(t.Context()); err != nil || e != nil || l.State != store.LeaseFree {
			t.Errorf("got %v, lease %+v, %v; want it free", err, l, e)
		}
		if took := time.Since(removed); took < tick.idle {
			t.Errorf("left after %v; want at least %v", took, tick.idle)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it has not left")
	}
}

// TestLastLook: whoever has come before the leader lets the lease go is seen.
func TestLastLook(t *testing.T) {
	t.Parallel()
	env, s, _ := newStage(t)
	l := &leader{ticker: newTestTicker(t, env), conns: newConnections(time.Now().Add(-time.Hour))}
	if !l.unused(time.Now()) || !l.deserted(t.Context(), time.Now().Add(time.Minute)) {
		t.Error("without rows: want it to leave")
	}
	addRow(t, s, testRow("late", 0))
	if l.deserted(t.Context(), time.Now().Add(time.Minute)) || l.unused(time.Now()) {
		t.Error("with a row: want it to stay")
	}
	l.ticker = newTestTicker(t, env.With("CONNECTIONS_TABLE", "Missing"))
	if l.deserted(t.Context(), time.Now().Add(time.Minute)) {
		t.Error("without an answer of the database: want it to stay")
	}
}

// TestLeaseIsLost: a leader whose lease was taken is silent from then on.
func TestLeaseIsLost(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	addRow(t, s, testRow("a", time.Minute))
	done := make(chan error, 1)
	go func() {
		_, err := newTestHandler(t, Ticker, env).Invoke(lasting(t, time.Minute), []byte(scheduleEvent))
		done <- err
	}()
	soon(t, "a tick", func() bool { return g.count("a", "ticker") > 0 })
	soon(t, "the theft", func() bool { // the version may move in between
		seen, err := s.Lease(t.Context())
		if err != nil {
			return false
		}
		_, err = s.AcquireLease(t.Context(), seen, "thief")
		return err == nil
	})
	if err := <-done; err != nil {
		t.Errorf("got %v; want it to leave to the other one", err)
	}
	if l, err := s.Lease(t.Context()); err != nil || l.Owner != "thief" || l.State != store.LeaseRunning {
		t.Errorf("got lease %+v, %v; want the thief to keep it", l, err)
	}
}

// TestDatabaseIsLost: without a database the leader is silent before another one
// may lead, and fails, so that somebody is woken.
func TestDatabaseIsLost(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	addRow(t, s, testRow("a", time.Minute))
	tick := newTestTicker(t, env)
	held, err := tick.contend(t.Context(), "me", true)
	if err != nil {
		t.Fatal(err)
	}
	tick.store = newTestTicker(t, env.With("TICKER_TABLE", "Missing")).store
	ended := make(chan time.Time, 1)
	err = tick.lead(lasting(t, time.Minute), held, nil)
	ended <- time.Now()
	if err == nil || errors.Is(err, errLed) {
		t.Errorf("got %v; want an error", err)
	}
	if took := (<-ended).Sub(held.since); took >= leaseTime {
		t.Errorf("was silent after %v; want about %v", took, leaseTime-renewInterval)
	}
	if g.count("a", "ticker") == 0 {
		t.Error("it sent nothing while it had the lease")
	}
}

// TestLeaderLooksAfterItsClients has one of each kind.
func TestLeaderLooksAfterItsClients(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	kinds := map[string]store.Connection{
		"normal":         testRow("normal", time.Minute),
		"latest":         testRow("latest", time.Minute),
		"gone":           testRow("gone", 31*time.Second),
		"not open yet":   testRow("not open yet", 5*time.Second),
		"expired":        testRow("expired", time.Minute),
		"old":            testRow("old", 116*time.Minute),
		"left over":      testRow("left over", 8*time.Second),
		"gone left over": testRow("gone left over", 40*time.Second),
		"being greeted":  testRow("being greeted", 0),
	}
	for id, c := range kinds {
		switch id {
		case "latest":
			c.Mode, c.Symbols = store.ModeLatest, []string{"ETH-USD"}
		case "expired":
			c.ExpiresAt = time.Now().Add(-time.Second)
		case "left over", "gone left over", "being greeted":
			c.Greeted = false
		}
		if strings.HasPrefix(id, "gone") || id == "not open yet" {
			g.status[id] = 410
		}
		addRow(t, s, c)
	}
	if _, err := newTestHandler(t, Ticker, env).Invoke(lasting(t, 3*time.Second), []byte(scheduleEvent)); err != nil {
		t.Fatal(err)
	}
	rows := allRows(t, s)
	var left []string
	for id := range rows {
		left = append(left, id)
	}
	slices.Sort(left)
	if want := []string{"being greeted", "latest", "left over", "normal", "not open yet", "old"}; !slices.Equal(left, want) {
		t.Errorf("got rows %v; want %v", left, want)
	}
	checkGapless(t, g.got("normal"))
	for _, m := range g.got("latest") {
		if len(m.Data) != 1 || m.Data[0].Symbol != "ETH-USD" {
			t.Errorf("latest: got %s; want one price of ETH-USD", m.body)
		}
	}
	if all := g.got("expired"); g.closes("expired") != 1 || len(all) == 0 || all[len(all)-1].Code != codeExpired {
		t.Errorf("expired: closed %d times after %v; want once after an error message", g.closes("expired"), all)
	}
	if n := g.count("old", "reconnect"); n != 1 || g.count("normal", "reconnect") != 0 {
		t.Errorf("old: got %d times the advice to reconnect; want once", n)
	}
	if all := g.got("left over"); len(all) < 3 || all[0].Type != "welcome" || all[1].Type != "ticker" || !rows["left over"].Greeted {
		t.Errorf("left over: got %d messages; want the welcome, a snapshot and ticks", len(all))
	}
	if n := len(g.got("being greeted")); n != 0 {
		t.Errorf("being greeted: got %d messages; want none before its welcome", n)
	}
}

// TestNewSubscriptionIsFollowed: what a client subscribes to reaches the leader.
func TestNewSubscriptionIsFollowed(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	c := testRow("a", time.Minute)
	addRow(t, s, c)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(lasting(t, time.Minute))
	go func() {
		_, err := newTestHandler(t, Ticker, env).Invoke(ctx, []byte(scheduleEvent))
		done <- err
	}()
	soon(t, "a tick", func() bool { return g.count("a", "ticker") > 0 })
	if _, err := s.Unsubscribe(t.Context(), c.ConnectionRef, []string{"BTC-USD", "ETH-USD"}); err != nil {
		t.Fatal(err)
	}
	soon(t, "a message of SOL-USD alone", func() bool {
		all := g.got("a")
		return !strings.Contains(all[len(all)-1].body, "BTC-USD")
	})
	cancel()
	if err := <-done; err == nil {
		t.Error("an invocation that was ended: got no error")
	}
}

func TestAdviceAge(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for i := range 1000 {
		age := adviceAge(fmt.Sprint("connection", i))
		if age < 90*time.Minute || age > 115*time.Minute || age%time.Minute != 0 {
			t.Fatalf("got %v; want a minute from 90 to 115", age)
		}
		seen[age] = true
	}
	if len(seen) != 26 {
		t.Errorf("got %d different minutes; want all 26", len(seen))
	}
}

func TestTickerRefusesEvents(t *testing.T) {
	t.Parallel()
	env, _, _ := newStage(t)
	h := newTestHandler(t, Ticker, env)
	for event, want := range map[string]string{
		`{"type":"dance"}`:                       `unknown event type "dance"`,
		`{"type":"greet"}`:                       "connection_id",
		`{"type":"greet","connection_id":"a"}`:   "connected_at",
		`{"type":"greet","connected_at":177963}`: "connection_id",
	} {
		if _, err := h.Invoke(t.Context(), []byte(event)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want an error with %s", event, err, want)
		}
	}
}
