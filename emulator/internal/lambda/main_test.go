package lambda

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/leaktest"
	"crypto-ticker/emulator/internal/template"
)

// testDir is where TestMain has put each function of testdata as a bootstrap
// in a folder of its name, so that tests need not build.
var testDir string

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		beParent()
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "lambda-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := prepare(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return leaktest.Main(m, []string{"emulator/internal/lambda."}, func() string { return processes(dir) })
	}())
}

// prepare builds the functions of testdata.
func prepare(dir string) error {
	testDir = dir
	s, err := New(Config{BuildDir: filepath.Join(dir, "build"), Functions: []*template.Function{
		define("Echo", "testdata/functions/echo"), define("Raw", "testdata/functions/raw")}})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Build(context.Background()); err != nil {
		return err
	}
	for _, f := range s.order {
		to := filepath.Join(dir, strings.ToLower(f.def.LogicalID))
		if err := os.Mkdir(to, 0o755); err != nil {
			return err
		}
		if err := os.Link(f.binary, filepath.Join(to, "bootstrap")); err != nil {
			return err
		}
	}
	return nil
}

// processes lists the processes whose binary is below dir.
func processes(dir string) string {
	var left strings.Builder
	exes, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range exes {
		if to, err := os.Readlink(exe); err == nil && strings.HasPrefix(to, dir) {
			fmt.Fprintln(&left, exe, to)
		}
	}
	return left.String()
}

// define is a function as the template's reader would give it.
func define(id, dir string) *template.Function {
	dir, err := filepath.Abs(dir)
	if err != nil {
		panic(err)
	}
	return &template.Function{
		Pos:       template.Pos{File: "template.yaml", Line: 7},
		LogicalID: id, Name: id,
		ARN:     "arn:aws:lambda:us-east-1:123456789012:function:" + id,
		CodeDir: dir, Handler: "bootstrap", Runtime: "provided.al2023",
		Timeout: 20 * time.Second, MemoryMB: 128, Concurrency: -1, Logging: template.Logging{Format: "Text", Group: "/aws/lambda/Echo"},
		Async: template.Async{MaxRetries: 2, MaxEventAge: 6 * time.Hour},
	}
}

// echo is the function of testdata/functions/echo, changed by the test.
func echo(change ...func(*template.Function)) *template.Function {
	f := define("Echo", filepath.Join(testDir, "echo"))
	for _, c := range change {
		c(f)
	}
	return f
}

// raw is the function of testdata/functions/raw; mode says how it misbehaves.
func raw(mode string) *template.Function {
	f := define("Raw", filepath.Join(testDir, "raw"))
	f.Environment = map[string]string{"MODE": mode}
	return f
}

// rig is a running service with what it writes.
type rig struct {
	*Service
	clock *clock.Clock
	out   *safeBuffer // of the functions
	log   *safeBuffer // of Lambda
}

func start(t testing.TB, functions ...*template.Function) *rig {
	t.Helper()
	return startConfig(t, Config{Functions: functions})
}

func startConfig(t testing.TB, cfg Config) *rig {
	t.Helper()
	r := &rig{clock: clock.New(), out: new(safeBuffer), log: new(safeBuffer)}
	cfg.Clock, cfg.Output = r.clock, r.out
	cfg.patience = cmp.Or(cfg.patience, time.Minute)
	cfg.Log = slog.New(slog.NewTextHandler(r.log, nil))
	var err error
	if r.Service, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		r.clock.Close()
	})
	if err := r.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// answer is what the echo function answers.
type echoed struct {
	PID, Count          int
	RequestID, ARN, Dir string
	Trace               string
	Client              map[string]string
	Remaining           time.Duration
	Env                 []string
	Pad                 string
}

func (r *rig) echo(t testing.TB, event string) echoed {
	t.Helper()
	out, err := r.Invoke(t.Context(), "Echo", []byte(event))
	if err != nil {
		t.Fatalf("invoke %s: %v", event, err)
	}
	var e echoed
	if err := json.Unmarshal(out, &e); err != nil {
		t.Fatalf("answer %s: %v", out, err)
	}
	return e
}

// failure invokes a function that has to fail and returns its error's type and
// message.
func (r *rig) failure(t testing.TB, name, event string) failure {
	t.Helper()
	out, err := r.Invoke(t.Context(), name, []byte(event))
	var fe *FunctionError
	if !errors.As(err, &fe) {
		t.Fatalf("invoke %s: got %s, %v, want a FunctionError", event, out, err)
	}
	if fe.Kind != "Unhandled" {
		t.Errorf("kind: got %q, want Unhandled", fe.Kind)
	}
	var got failure
	if err := json.Unmarshal(fe.Payload, &got); err != nil {
		t.Fatalf("payload %s: %v", fe.Payload, err)
	}
	return got
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// eventually waits for what another process or goroutine is about to do.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("waited too long for: %s", what)
}

func tableOf(functions ...*template.Function) []*template.Function { return functions }

// handlerFunc is an in-process function.
type handlerFunc func(context.Context, []byte) ([]byte, error)

func (h handlerFunc) Invoke(ctx context.Context, event []byte) ([]byte, error) { return h(ctx, event) }

// always is a function whose instances are all h.
func always(h handlerFunc) func() awslambda.Handler {
	return func() awslambda.Handler { return h }
}

func touch(t testing.TB, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}
