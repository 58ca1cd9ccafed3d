// Package emulator runs a SAM template on one machine, without Docker and
// without an account: its HTTP, REST and WebSocket APIs, its functions as
// processes over the Lambda Runtime API, its tables, secrets and schedules.
//
// In a test, four lines start it, on free ports, and stop it with the test:
//
//	e := emulator.RunT(t, emulator.Options{Template: "template.yaml"})
//	res, err := http.Get(e.URL() + "/hello")
//	ws, _, err := websocket.Dial(ctx, e.WebSocketURL("ChatApi"), nil)
//	e.Advance(10 * time.Minute) // idle limits, schedules, TTL
//
// The command is in cmd/emulator.
package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator/internal/apigw"
	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/dynamodb"
	"crypto-ticker/emulator/internal/eventsource"
	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/schedule"
	"crypto-ticker/emulator/internal/secrets"
	"crypto-ticker/emulator/internal/template"
	"crypto-ticker/emulator/internal/tlsport"
)

// closeTimeout bounds what the $disconnect functions of open connections may
// take when the emulator ends.
const closeTimeout = 3 * time.Second

// Options say what to run, and where. The zero value runs template.yaml of the
// current folder, in memory, on free ports of this machine, silently.
type Options struct {
	Template   string            // path of the template; default template.yaml
	Parameters map[string]string // the template's parameters, instead of their defaults
	EnvVars    string            // path of a file in the form of sam local's --env-vars

	Addr string // host:port of the APIs, http and https; default 127.0.0.1:0
	// AWSAddr is the host:port of DynamoDB, Lambda and Secrets Manager; default
	// 127.0.0.1:0. Requests may name this host, the machine's own name, an IP
	// address, a name without a dot, one below localhost, internal, local, test or
	// home.arpa, and one in a function's AWS_ENDPOINT_URL; others could be those of
	// web pages.
	AWSAddr string
	// Map gives WebSocket APIs, by logical id, further paths, as the API
	// mappings of a custom domain do: {"/ws": "ChatApi"}.
	Map map[string]string

	// Data is the folder that keeps tables, secrets and the certificate
	// authority; without it all is in memory and ends with the emulator.
	Data string
	// Salvage saves what can be read of a damaged file of tables in Data, beside
	// which the damaged one stays; without it, such a file is an error.
	Salvage bool

	// Credentials are secret access keys by access key id. With any, the
	// signatures of calls of @connections are verified; those of the functions
	// are known without. DynamoDB, Lambda and Secrets Manager verify none.
	Credentials map[string]string
	// Quotas are API Gateway's; the zero value has those of AWS, but for rates,
	// which it leaves without limit.
	Quotas Quotas

	Output io.Writer    // gets log lines of functions and access logs; default: nobody
	Log    *slog.Logger // gets the emulator's own; default: nobody

	// Handlers run functions, by logical id, in this process instead of in
	// their own: for a debugger, or for coverage. Each is called for as many
	// instances as there are events at the same time, and not before the first
	// event, so that it may ask the running Emulator: for CertFile, say, if the
	// function builds https:// addresses from its events.
	Handlers map[string]func() awslambda.Handler
}

// Quotas are the limits of API Gateway that can be changed.
type Quotas = apigw.Quotas

// Emulator is a running stack.
type Emulator struct {
	log   *slog.Logger
	clock *clock.Clock
	stack *template.Stack

	api, aws net.Listener
	servers  []*http.Server

	signer    *tlsport.Authority
	tables    *dynamodb.Engine
	secrets   *secrets.Service
	functions *lambda.Service
	gateway   *apigw.Gateway
	schedules *schedule.Runner
	sources   *eventsource.Runner
	paths     map[string]string // Options.Map
	hosts     map[string]string // host:port of each API, by its id

	closing  sync.Once
	closeErr error
}

// Run reads the template, builds its functions and starts everything in it.
// ctx bounds the start only; Close ends the emulator.
func Run(ctx context.Context, o Options) (*Emulator, error) {
	o = o.withDefaults()
	e := &Emulator{log: o.Log, clock: clock.New(), paths: o.Map}
	if err := e.start(ctx, o); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (o Options) withDefaults() Options {
	if o.Template == "" {
		o.Template = "template.yaml"
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.AWSAddr == "" {
		o.AWSAddr = "127.0.0.1:0"
	}
	if o.Output == nil {
		o.Output = io.Discard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// secret finds the secret access key of an access key id.
func (o Options) secret(accessKeyID string) (string, bool) {
	if accessKeyID == lambda.AccessKeyID {
		return lambda.SecretAccessKey, true
	}
	secret, ok := o.Credentials[accessKeyID]
	return secret, ok
}

// start brings the services up in the order in which they need each other.
func (e *Emulator) start(ctx context.Context, o Options) (err error) {
	if e.stack, err = template.Load(o.Template, template.Options{Parameters: o.Parameters}); err != nil {
		return err
	}
	if e.api, err = e.listen("-addr", o.Addr); err != nil {
		return err
	}
	if e.aws, err = e.listen("-aws-addr", o.AWSAddr); err != nil {
		return err
	}
	e.hosts = apigw.Hosts(e.stack, e.authority())
	if err = e.openData(ctx, o); err != nil {
		return err
	}
	out := &output{w: o.Output}
	if e.functions, err = lambda.New(lambda.Config{
		Functions: e.stack.Functions, Endpoints: e.endpoints(),
		Region: e.stack.Region, AccountID: e.stack.AccountID,
		Output: out, Log: e.log, Clock: e.clock, Handlers: o.Handlers,
	}); err != nil {
		return err
	}
	if e.gateway, err = apigw.New(apigw.Config{
		Stack: e.stack, Invoke: e.functions.Invoke, Clock: e.clock, Log: e.log,
		Authority: e.authority(), Map: o.Map, Quotas: o.Quotas, AccessLog: out.accessLog,
		VerifySignatures: len(o.Credentials) > 0, Secret: o.secret,
	}); err != nil {
		return err
	}
	if e.sources, err = eventsource.New(eventsource.Config{
		Sources: e.stack.EventSources, Tables: e.tables, Invoke: e.functions.Invoke, Clock: e.clock, Log: e.log,
	}); err != nil {
		return err
	}
	if e.schedules, err = schedule.New(e.clock, e.stack.Schedules, e.stack.Region, e.stack.AccountID, e.runSchedule); err != nil {
		return err
	}
	if err = e.build(ctx); err != nil { // when all that can be wrong with the template is known, since it takes longest
		return err
	}
	e.serve(tlsport.Listen(e.api, e.signer.Config(), e.errorLog()), e.gateway)
	e.serve(e.aws, e.onlyKnownHosts(o.AWSAddr, e.services()))
	e.sources.Start()
	e.schedules.Start()
	return nil
}

func (e *Emulator) listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; another address can be given with %s", addr, err, flag)
	}
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		e.log.Warn("other machines can reach this address, and may use what is behind it", "address", l.Addr())
	}
	return l, nil
}

func (e *Emulator) openData(ctx context.Context, o Options) (err error) {
	dir := o.Data
	tablesDir := ""
	if dir != "" {
		tablesDir = filepath.Join(dir, "dynamodb")
	}
	if e.tables, err = dynamodb.Open(dynamodb.Config{
		Dir: tablesDir, Salvage: o.Salvage, Region: e.stack.Region, AccountID: e.stack.AccountID, Clock: e.clock, Log: e.log,
	}); err != nil {
		return err
	}
	if err = createTables(ctx, e.tables, e.stack.Tables); err != nil {
		return err
	}
	own := e.addresses()
	e.replace(own)
	if err = applyEnvVars(e.stack, o.EnvVars); err != nil {
		return err
	}
	if e.secrets, err = secrets.Open(secrets.Config{
		Secrets: e.stack.Secrets, Dir: dir, Replace: own.Replace, Clock: e.clock, Log: e.log,
	}); err != nil {
		return err
	}
	tlsDir := ""
	if dir != "" {
		tlsDir = filepath.Join(dir, "tls")
	}
	var domains []string
	for _, d := range e.stack.Domains {
		domains = append(domains, d.Name)
	}
	e.signer, err = tlsport.Open(tlsDir, domains...)
	return err
}

func (e *Emulator) build(ctx context.Context) error {
	begin := time.Now()
	e.log.Info("building functions", "count", len(e.stack.Functions))
	if err := e.functions.Build(ctx); err != nil {
		return err
	}
	e.log.Info("functions are built", "seconds", time.Since(begin).Round(10*time.Millisecond).Seconds())
	return nil
}

func (e *Emulator) serve(l net.Listener, h http.Handler) {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second, // what API Gateway gives a whole request
		IdleTimeout:       3 * time.Minute,
		MaxHeaderBytes:    64 << 10, // the APIs' own limits are lower
		ConnContext:       tlsport.ConnContext,
		ConnState:         tlsport.ConnState,
		ErrorLog:          e.errorLog(),
	}
	e.servers = append(e.servers, s)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			e.log.Error("server ended", "address", l.Addr(), "error", err)
		}
	}()
}

func (e *Emulator) errorLog() *log.Logger {
	return slog.NewLogLogger(e.log.Handler(), slog.LevelWarn)
}

func (e *Emulator) runSchedule(s *template.Schedule, event []byte) {
	if _, err := e.functions.InvokeAsync(s.FunctionARN, event); err != nil {
		e.log.Error("schedule did not run", "schedule", s.Name, "error", err)
	}
}

// Invoke runs a function, by logical id, name or ARN, with a JSON event and
// returns its answer.
func (e *Emulator) Invoke(ctx context.Context, function string, event []byte) ([]byte, error) {
	for _, f := range e.stack.Functions {
		if f.LogicalID == function {
			function = f.ARN
		}
	}
	return e.functions.Invoke(ctx, function, event)
}

// Fire runs a schedule now, beside its own times. Its name is the function's
// logical id followed by the event's, as SAM names it.
func (e *Emulator) Fire(schedule string) error { return e.schedules.Fire(schedule) }

// Advance moves the emulator's time: whatever is due until then (schedules,
// idle and duration limits of connections, integration timeouts, TTL, retries
// of asynchronous invocations and of stream records) happens in its order. The
// functions' own clocks, and their timeouts, stay those of the machine: they may
// still be at work when Advance returns. What follows from their work, such as a
// second retry or the next batch of a stream, comes after that; who wants it in
// its place advances in steps.
func (e *Emulator) Advance(d time.Duration) { e.clock.Advance(d) }

// Close ends the emulator: connections are closed and their $disconnect routes
// run, then the functions' processes are ended. It may be called twice.
func (e *Emulator) Close() error {
	e.closing.Do(func() { e.closeErr = e.close() })
	return e.closeErr
}

func (e *Emulator) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	if e.schedules != nil {
		e.schedules.Close()
	}
	if e.sources != nil {
		e.sources.Close()
	}
	if e.gateway != nil {
		errs = append(errs, e.gateway.Close(ctx))
	}
	if e.functions != nil {
		errs = append(errs, e.functions.Close())
	}
	for _, s := range e.servers {
		errs = append(errs, s.Close())
	}
	for _, l := range []net.Listener{e.api, e.aws} {
		if l != nil {
			l.Close() // already closed where it was served
		}
	}
	if e.signer != nil {
		errs = append(errs, e.signer.Close())
	}
	if e.tables != nil {
		errs = append(errs, e.tables.Close())
	}
	e.clock.Close()
	return errors.Join(errs...)
}
