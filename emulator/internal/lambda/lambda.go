// Package lambda is AWS Lambda for the functions of one template: it builds
// them, runs them as processes that speak the Lambda Runtime API, and answers
// the Invoke API.
//
// An instance is one process of a function, AWS' execution environment. It has a
// Runtime API of its own and one event at a time; an event that finds no idle
// instance waits for the first that becomes free or has started, whichever
// comes first. Functions that are given as Go handlers run in this process.
//
// Processes that a function has started and left running end with the instance,
// and all instances with Close. When the emulator is killed, on Linux the kernel
// kills the functions too, and elsewhere a function ends when its runtime next
// asks for an event, since nobody answers; what functions have started then
// lives on.
//
// The library aws-lambda-go is here for its Handler alone: the type that a
// function and the emulator have in common.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/template"
)

// Limits of Lambda.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload      = 6 << 20     // bytes of a synchronous event
	maxAsyncPayload = 1 << 20     // bytes of an asynchronous event
	maxResponse     = 6<<20 + 100 // bytes of an answer
	maxInstances    = 1000        // an account's concurrency
	initTime        = 10 * time.Second
	idleTimeout     = 5 * time.Minute // AWS names no number; minutes are usual
)

// Errors of an invocation that did not reach a function.
var (
	ErrNotFound  = errors.New("lambda: function not found")
	ErrThrottled = errors.New("lambda: rate exceeded")
	ErrClosed    = errors.New("lambda: the emulator is closing")
)

// FunctionError is an invocation that reached a function and failed there.
type FunctionError struct {
	Payload []byte // what the caller gets: JSON with errorMessage and errorType
	Kind    string // the header X-Amz-Function-Error: Unhandled
}

// Error gives the kind and the payload.
func (e *FunctionError) Error() string {
	return fmt.Sprintf("lambda: function error: %s: %s", e.Kind, e.Payload)
}

// Config says what a Service runs.
type Config struct {
	Functions []*template.Function
	// Endpoints are further environment variables of every function, such as
	// AWS_ENDPOINT_URL_DYNAMODB. A value of the template wins unless it is empty.
	Endpoints map[string]string
	Region    string // us-east-1 if empty
	AccountID string // 123456789012 if empty
	// Output gets every line that a function writes to its standard output
	// and error, behind the function's name. Each Write is of whole lines;
	// several may be called at once. Nil discards them.
	Output io.Writer
	Log    *slog.Logger // what Lambda itself reports; nil discards it
	// Clock times retries and the end of idle instances. Timeouts are in real
	// time, since the processes' own clocks are. Nil is the machine's time.
	Clock *clock.Clock
	// BuildDir keeps the binaries, so that unchanged functions need no second
	// build. The default is in the user's cache folder, by template.
	BuildDir string
	// Handlers has, by logical id, the functions that run in this process. Each
	// makes an instance: what a handler of aws-lambda-go returns is valid only
	// until its next event, so that it can have but one at a time.
	Handlers map[string]func() awslambda.Handler
	// MaxInstances limits the processes of one function; an event that finds
	// all of them busy waits. 1000 if 0, as an account on AWS has.
	MaxInstances int

	// patience is how long an event waits for an instance that has answered
	// and is about to ask for the next event, before it gets a new instance:
	// 100 ms, but in tests, which a busy machine must not make fail.
	patience time.Duration
	// initTimeout bounds the init phase: 10 s, but in tests.
	initTimeout time.Duration
	// listen makes the listener of a Runtime API: net.Listen, but in tests.
	listen func(network, address string) (net.Listener, error)
}

// Service runs functions. Its methods may be called by many goroutines at once.
type Service struct {
	cfg     Config
	log     *slog.Logger
	clock   *clock.Clock
	names   map[string]*function // by name and by ARN
	order   []*function          // as in the template
	builder builder

	spawner  *spawner
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	procs    sync.WaitGroup // goroutines of instances
	calls    sync.WaitGroup // goroutines of asynchronous and in-process calls
	initSem  initSlots
	machine  machine
	retries  retries
	closing  sync.Once
	closedCh chan struct{}
}

// New returns a service for the functions of cfg. It reports what AWS would
// refuse to deploy, such as too many bytes of environment variables.
func New(cfg Config) (*Service, error) {
	cfg.Region = cmp.Or(cfg.Region, "us-east-1")
	cfg.AccountID = cmp.Or(cfg.AccountID, "123456789012")
	cfg.MaxInstances = cmp.Or(cfg.MaxInstances, maxInstances)
	cfg.patience = cmp.Or(cfg.patience, 100*time.Millisecond)
	cfg.initTimeout = cmp.Or(cfg.initTimeout, initTime)
	if cfg.listen == nil {
		cfg.listen = net.Listen
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.New()
	}
	if cfg.Output == nil {
		cfg.Output = io.Discard
	}
	s := &Service{
		cfg:      cfg,
		log:      cfg.Log,
		clock:    cfg.Clock,
		names:    make(map[string]*function),
		closedCh: make(chan struct{}),
	}
	s.initSem.free = 2 * runtime.NumCPU()
	s.machine.stat = "/proc/stat"
	for _, def := range cfg.Functions {
		if err := s.add(def); err != nil {
			return nil, err
		}
	}
	for id := range cfg.Handlers {
		if !slices.ContainsFunc(cfg.Functions, func(f *template.Function) bool { return f.LogicalID == id }) {
			return nil, fmt.Errorf("lambda: there is a handler for %s, but no such function in the template", id)
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.spawner = newSpawner()
	return s, nil
}

func (s *Service) add(def *template.Function) error {
	env, err := environment(&s.cfg, def)
	if err != nil {
		return fmt.Errorf("lambda: %s: %s: %w", def.Pos, def.LogicalID, err)
	}
	f := &function{
		svc:       s,
		def:       def,
		env:       env,
		handler:   s.cfg.Handlers[def.LogicalID],
		instances: make(map[*instance]struct{}),
	}
	for _, key := range []string{def.Name, def.ARN} {
		if other := s.names[key]; other != nil {
			return fmt.Errorf("lambda: %s: %s: the name %s is that of %s already", def.Pos, def.LogicalID, key, other.def.LogicalID)
		}
		s.names[key] = f
	}
	s.order = append(s.order, f)
	return nil
}

// Invoke runs a function, named by its name or ARN, with an event and returns
// its answer. The error is a *FunctionError if the function failed, else
// ErrNotFound, ErrThrottled, ErrClosed or that of ctx. When ctx ends, the
// caller stops waiting, while the function runs on, as it does on AWS.
func (s *Service) Invoke(ctx context.Context, nameOrARN string, event []byte) ([]byte, error) {
	t, err := s.find(nameOrARN)
	if err != nil {
		return nil, err
	}
	inv := s.newInvocation(t, event)
	NoteRequestID(ctx, inv.id)
	return inv.run(ctx)
}

// requestIDKey is the context's key of KeepRequestID.
type requestIDKey struct{}

// KeepRequestID returns a context with which Invoke puts the request id of the
// event, which the function's log lines have too, in id before it does anything
// else with it.
func KeepRequestID(ctx context.Context, id *string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// NoteRequestID puts an id where KeepRequestID says, for whoever runs functions.
func NoteRequestID(ctx context.Context, requestID string) {
	if id, ok := ctx.Value(requestIDKey{}).(*string); ok {
		*id = requestID
	}
}

// Close ends all functions and waits until nothing of them is left.
func (s *Service) Close() error {
	s.closing.Do(func() {
		defer close(s.closedCh)
		s.cancel()
		s.retries.stop(s.log)
		for _, f := range s.order {
			f.close()
		}
		s.procs.Wait()
		s.calls.Wait()
		s.spawner.close()
		s.builder.close()
	})
	<-s.closedCh
	return nil
}
