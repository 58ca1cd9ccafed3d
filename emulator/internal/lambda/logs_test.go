package lambda

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOutputHasWholeLines(t *testing.T) {
	t.Parallel()
	r := start(t, echo(), raw("init-exit"))
	r.echo(t, `{"Print":"to stdout\nin two lines","Stderr":"to stderr"}`)
	r.failure(t, "Raw", `{}`)
	r.Close()
	got := r.out.String()
	if want := "Echo | to stdout\nEcho | in two lines\nEcho | to stderr\n"; !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
	// The init is tried twice.
	if want := "Raw | cannot start\n"; strings.Count(got, want) != 2 {
		t.Errorf("got\n%s\nwant twice\n%s", got, want)
	}
}

// pipe runs a logPipe over what write writes to it.
func pipe(t *testing.T, out io.Writer, prefix string, write func(*os.File)) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &logPipe{r: r, prefix: prefix, out: out}
	var wg sync.WaitGroup
	wg.Go(p.read)
	write(w)
	w.Close()
	wg.Wait()
	r.Close()
}

func TestLogPipe(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLine)
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"a line", "one\n", "F | one\n"},
		{"no end", "one\ntwo", "F | one\nF | two\n"},
		{"empty lines", "\n\n", "F | \nF | \n"},
		{"the longest line", long + "\n", "F | " + long + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b safeBuffer
			pipe(t, &b, "F | ", func(w *os.File) { w.WriteString(tt.in) })
			if got := b.String(); got != tt.want {
				t.Errorf("got %.100q (%d bytes), want %.100q (%d)", got, len(got), tt.want, len(tt.want))
			}
		})
	}
}

// A line without end is passed on in pieces, so that it takes no more memory.
func TestLogPipeBoundsLines(t *testing.T) {
	t.Parallel()
	var b safeBuffer
	pipe(t, &b, "F | ", func(w *os.File) {
		for range 20 {
			w.WriteString(strings.Repeat("x", 64<<10))
		}
	})
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	total := 0
	for _, l := range lines {
		if len(l) > maxLine+16<<10+len("F | ") {
			t.Errorf("a line of %d bytes", len(l))
		}
		total += len(l) - len("F | ")
	}
	if want := 20 * 64 << 10; total != want || len(lines) < 4 {
		t.Errorf("got %d bytes in %d lines, want %d in at least 4", total, len(lines), want)
	}
}

func TestFunctionsDoNotInterleave(t *testing.T) {
	t.Parallel()
	var b safeBuffer
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			pipe(t, &b, fmt.Sprintf("%d | ", i), func(w *os.File) {
				for range 2000 {
					fmt.Fprintf(w, "line of ")
					fmt.Fprintf(w, "%d\n", i)
				}
			})
		})
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 8000 {
		t.Errorf("got %d lines, want 8000", len(lines))
	}
	for _, l := range lines {
		if want := fmt.Sprintf("%c | line of %c", l[0], l[0]); l != want {
			t.Fatalf("got line %q, want %q", l, want)
		}
	}
}

// blockedWriter is a terminal that takes nothing until it is told to.
type blockedWriter struct {
	begun, free chan struct{}
	once        sync.Once
}

func (w *blockedWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.begun) })
	<-w.free
	return len(p), nil
}

// A log has what was written before it was asked for, even if the terminal is
// slow.
func TestDrainBehindSlowTerminal(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	term := &blockedWriter{begun: make(chan struct{}), free: make(chan struct{})}
	p := &logPipe{r: r, out: term}
	tl := new(tail)
	p.record(tl)
	var wg sync.WaitGroup
	wg.Go(p.read)
	w.WriteString("one\n")
	<-term.begun
	w.WriteString("two\n")
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		p.drain()
	}()
	eventually(t, "drain to wait", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.drained != nil
	})
	p.r.SetReadDeadline(time.Unix(1, 0)) // as if any deadline were over by now
	close(term.free)
	<-drained
	if got, want := string(tl.bytes()), "one\ntwo\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.drain() // finds nothing more, and the reader still reads
	w.WriteString("three\n")
	w.Close()
	wg.Wait()
	r.Close()
	if got, want := string(tl.bytes()), "one\ntwo\nthree\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Who comes to wait while the pipe is being emptied for somebody else does not
// end that.
func TestDrainWhileDraining(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	term := &blockedWriter{begun: make(chan struct{}), free: make(chan struct{})}
	p := &logPipe{r: r, out: term}
	tl := new(tail)
	p.record(tl)
	w.WriteString("one\n")
	emptied := make(chan struct{})
	go func() {
		defer close(emptied)
		p.empty(make([]byte, 16))
	}()
	<-term.begun
	w.WriteString("two\n")
	var wg sync.WaitGroup
	wg.Go(p.drain)
	eventually(t, "drain to wait", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.drained != nil
	})
	close(term.free)
	<-emptied
	if got, want := string(tl.bytes()), "one\ntwo\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	wg.Wait()
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var tl tail
	for i := range 3000 {
		fmt.Fprintf(writerFunc(func(p []byte) { tl.write(p) }), "%04d\n", i)
	}
	got := string(tl.bytes())
	if len(got) != maxTail || !strings.HasSuffix(got, "2998\n2999\n") {
		t.Errorf("got %d bytes that end in %q", len(got), got[max(0, len(got)-10):])
	}
}

type writerFunc func([]byte)

func (w writerFunc) Write(p []byte) (int, error) { w(p); return len(p), nil }
