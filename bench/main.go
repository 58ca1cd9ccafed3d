// Bench measures the emulator and Crypto Ticker on it: it starts the emulator's
// command with an application, puts clients on it, and prints what they got and
// what that cost. Emulator and functions are processes of their own, so that
// their cost is told apart from that of the clients, which use the same
// processors.
//
//	go run ./bench [-only echo,posts] [-runs 5] [-seconds 1]
//
// Where a part has several runs, each figure is the median of theirs. Of a
// machine that others use too, the CPU time of an operation and the ratios within
// a run are worth more than the operations per second.
//
// Clients read frames with gobwas/ws, the emulator's own library: it is the
// leanest to read thousands of connections with.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// bench is one run of the program.
type bench struct {
	emulator string // its binary
	runs     int
	d        time.Duration // of a run that does as much as it can
	each     bool          // whether to print each run too
	w        *tabwriter.Writer
}

// parts are what can be measured, in this order.
var parts = []struct {
	name string
	run  func(context.Context, *bench) error
}{
	{"echo", measureEchoes},
	{"posts", measurePosts},
	{"connects", measureConnects},
	{"idle", measureIdle},
	{"vanish", measureVanishing},
	{"ticker", measureTicker},
	{"ticks", measureTicks},
	{"dynamodb", measureDynamoDB},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	only := flag.String("only", strings.Join(names, ","), "the `parts` to measure")
	runs := flag.Int("runs", 5, "how many times each is measured")
	seconds := flag.Float64("seconds", 1, "how long each time is, where that can be chosen")
	emulator := flag.String("emulator", "", "the emulator's `binary`, such as that of another version (default: built from here)")
	each := flag.Bool("v", false, "print each run too")
	bare := flag.Bool("bare", false, "be the server that posts are compared with")
	flag.Parse()
	b := &bench{emulator: *emulator, runs: *runs, d: time.Duration(*seconds * float64(time.Second)), each: *each, w: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)}
	run := func() error { return b.measure(ctx, strings.Split(*only, ","), names) }
	if *bare {
		run = serveBare
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) measure(ctx context.Context, only, names []string) error {
	for _, name := range only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("-only: there is no part %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	if b.runs < 1 || b.d <= 0 {
		return fmt.Errorf("-runs and -seconds must be positive")
	}
	if b.emulator == "" {
		dir, err := os.MkdirTemp("", "bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		b.emulator = filepath.Join(dir, "emulator")
		if err := build(ctx, b.emulator); err != nil {
			return err
		}
	}
	b.header()
	for _, p := range parts {
		if !slices.Contains(only, p.name) {
			continue
		}
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return b.w.Flush()
}
