// Bench measures Crypto Ticker on the emulator: it starts the emulator's
// command with the real application, puts clients on it, and prints one table.
// Emulator and functions are processes of their own, so that what they cost is
// told apart from the clients, which use the same processors.
//
//	go run ./bench [-seconds 5] [-connections 1,100,1000] [-idle 2000]
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
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	seconds := flag.Int("seconds", 5, "how long each measurement of ticks takes")
	connections := flag.String("connections", "1,100,1000", "numbers of clients that receive ticks")
	idle := flag.Int("idle", 2000, "number of connections whose memory is measured")
	flag.Parse()
	if err := run(ctx, time.Duration(*seconds)*time.Second, *connections, *idle); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, d time.Duration, connections string, idle int) error {
	var counts []int
	for s := range strings.SplitSeq(connections, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("-connections: %q is not a number of clients", s)
		}
		counts = append(counts, n)
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := build(ctx, dir); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if err := quiet(ctx, w, dir, d, idle); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Println()
	if err := ticks(ctx, w, dir, d, counts); err != nil {
		return err
	}
	return w.Flush()
}

// quiet measures the paths around the ticker, which hardly ticks meanwhile.
func quiet(ctx context.Context, w *tabwriter.Writer, dir string, d time.Duration, idle int) error {
	s, err := start(ctx, dir, "TickInterval=60s", "DeliveryInterval=60s")
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Fprintln(w, "path\tper second\tp50 ms\tp99 ms\temulator CPU µs\tfunctions CPU µs\temulator MB\tfunctions MB\t")

	if err := measureReference(ctx, w, s, d); err != nil {
		return err
	}
	if err := measureConnects(ctx, w, s, "connect, 8 at a time", 1000); err != nil {
		return err
	}
	if err := measurePings(ctx, w, s, d); err != nil {
		return err
	}
	if err := measurePosts(ctx, w, s, d); err != nil {
		return err
	}
	return measureIdle(ctx, w, s, idle)
}

// ticks measures what clients get when the ticker runs as make run starts it.
func ticks(ctx context.Context, w *tabwriter.Writer, dir string, d time.Duration, counts []int) error {
	fmt.Fprintln(w, "connections\tticks/s each, least\tmedian\tmessages/s each\tgap p50 ms\tgap p99 ms\temulator cores\tfunctions cores\temulator MB\tfunctions MB\t")
	for _, n := range counts {
		s, err := start(ctx, dir, "DeliveryInterval=10ms", "MaxPostsPerSecond=8000")
		if err != nil {
			return err
		}
		err = measureTicks(ctx, w, s, n, d)
		s.close()
		if err != nil {
			return err
		}
	}
	return nil
}
