package functions

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"crypto-ticker/shared/store/storetest"
)

// TestHandover: near its end a leader waits for the next one, and no client
// misses a tick.
func TestHandover(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	addRow(t, s, testRow("a", time.Minute))
	h := newTestHandler(t, Ticker, env)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := h.Invoke(lasting(t, 30*time.Second), []byte(scheduleEvent)) // less than handoverTime
		first <- err
	}()
	soon(t, "a tick", func() bool { return g.count("a", "ticker") > 0 })
	go func() {
		_, err := h.Invoke(lasting(t, 4*time.Second), []byte(scheduleEvent))
		second <- err
	}()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	left := time.Now()
	soon(t, "a tick of the second", func() bool {
		all := g.got("a")
		return all[len(all)-1].Epoch == 2
	})
	if took := time.Since(left); took >= leaseTime {
		t.Errorf("prices moved again after %v; want at once", took)
	}
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	var last stageMessage
	for _, m := range g.got("a") {
		if m.Epoch < last.Epoch || last.Seq > 0 && m.From != last.Seq+1 {
			t.Fatalf("epoch %d, ticks %d to %d after epoch %d, tick %d", m.Epoch, m.From, m.Seq, last.Epoch, last.Seq)
		}
		last = m
	}
}

// TestNewBuildTakesOver: a deployed ticker does not wait for the old one's time
// to end.
func TestNewBuildTakesOver(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	addRow(t, s, testRow("a", time.Minute))
	old, deployed := make(chan error, 1), make(chan error, 1)
	lead := func(env storetest.Env, done chan<- error, d time.Duration) {
		h := newTestHandler(t, Ticker, env)
		go func() {
			_, err := h.Invoke(lasting(t, d), []byte(scheduleEvent))
			done <- err
		}()
	}
	lead(env, old, 10*time.Minute)
	soon(t, "a tick", func() bool { return g.count("a", "ticker") > 0 })
	lead(env.With("DELIVERY_INTERVAL", "30ms"), deployed, releaseTime+3*time.Second)
	soon(t, "a tick of the new build", func() bool { // or else the old one leads for ten minutes
		all := g.got("a")
		return all[len(all)-1].Epoch == 2
	})
	if err := <-old; err != nil {
		t.Fatal(err)
	}
	if err := <-deployed; err != nil {
		t.Fatal(err)
	}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	for size, want := range map[string]int64{"": 0, "much": 0, "-1": 0, "128": 107374176, "10240": 8589934592} {
		if got := memoryLimit(func(string) string { return size }); got != want {
			t.Errorf("of %q MB: got %d bytes; want %d", size, got, want)
		}
	}
}

// TestTickerSettings: whatever a deployment can change of the ticker makes it
// another build.
func TestTickerSettings(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?m)^  TickerFunction:\n(?:    .*\n)*?        Variables:\n((?:          .*\n)+)`).FindSubmatch(template)
	if block == nil {
		t.Fatal("template.yaml: TickerFunction has no variables")
	}
	var declared []string
	for _, m := range regexp.MustCompile(`(?m)^          (\w+):`).FindAllSubmatch(block[1], -1) {
		declared = append(declared, string(m[1]))
	}
	if got, want := slices.Sorted(slices.Values(tickerSettings)), slices.Sorted(slices.Values(declared)); !slices.Equal(got, want) {
		t.Errorf("got %v; want those of template.yaml, %v", got, want)
	}
	builds := map[string]string{}
	for _, changed := range append(declared, "AWS_LAMBDA_LOG_STREAM_NAME") { // which differs between instances
		build, err := tickerBuild(func(name string) string {
			if name == changed {
				return "changed"
			}
			return ""
		})
		if other, ok := builds[build]; err != nil || ok {
			t.Errorf("%s: got %v and the build of a change of %s; want one of its own", changed, err, other)
		}
		builds[build] = changed
	}
	if same, err := tickerBuild(func(string) string { return "" }); err != nil || builds[same] != "AWS_LAMBDA_LOG_STREAM_NAME" {
		t.Errorf("without a change: got %s, %v; want the build of an instance beside it", same, err)
	}
}
