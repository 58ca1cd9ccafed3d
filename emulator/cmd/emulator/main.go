// Emulator runs a SAM template on this machine: its HTTP, REST and WebSocket
// APIs, its functions, tables, streams, secrets and schedules.
//
//	go run ./emulator/cmd/emulator -template template.yaml
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"crypto-ticker/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	go tuneMemory(ctx)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

// run is the command: it serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, invoke, err := parse(args, stderr)
	if err != nil {
		return err
	}
	o.Output = stderr
	o.Log = slog.New(slog.NewTextHandler(stderr, nil))
	e, err := emulator.Run(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	e.Describe(stdout)
	for _, i := range invoke {
		answer, err := e.Invoke(ctx, i.name, []byte(i.value))
		if err != nil {
			return fmt.Errorf("-invoke %s: %w", i.name, err)
		}
		fmt.Fprintf(stdout, "%s answered %s\n", i.name, answer)
	}
	<-ctx.Done()
	fmt.Fprintln(stderr, "emulator: closing")
	return nil
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (o emulator.Options, invoke pairs, err error) {
	var parameters, paths, limits pairs
	f := flag.NewFlagSet("emulator", flag.ContinueOnError)
	f.SetOutput(io.Discard) // an error is told once, by main
	f.StringVar(&o.Template, "template", "template.yaml", "the SAM template, a `file`")
	f.StringVar(&o.Addr, "addr", "127.0.0.1:8081", "`host:port` of the APIs")
	f.StringVar(&o.AWSAddr, "aws-addr", "127.0.0.1:8082", "`host:port` of DynamoDB, Lambda and Secrets Manager")
	f.StringVar(&o.Data, "data", "", "`folder` that keeps tables and secrets (default: in memory)")
	f.BoolVar(&o.Salvage, "salvage", false, "save what can be read of a damaged file of tables in -data")
	f.StringVar(&o.EnvVars, "env-vars", "", "`file` of environment variables, as for sam local")
	parameters.flag(f, "parameter", "NAME=VALUE", " of a template parameter; may be repeated")
	paths.flag(f, "map", "PATH=LOGICALID", ": a further path of a WebSocket API; may be repeated")
	limits.flag(f, "quota", "NAME=VALUE", " of an API Gateway quota: "+quotaNames+"; may be repeated")
	verify := f.Bool("verify-signatures", false, "verify the signatures of @connections calls, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment")
	invoke.flag(f, "invoke", "LOGICALID=JSON", ": a function to run after the start; its answer is printed; may be repeated")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(stderr)
		fmt.Fprintln(stderr, "Usage of emulator:")
		f.PrintDefaults()
		return o, nil, err
	case err != nil:
		return o, nil, fmt.Errorf("%w; see -h", err)
	}
	if f.NArg() > 0 {
		return o, nil, fmt.Errorf("unexpected argument %q; see -h", f.Arg(0))
	}
	if o.Salvage && o.Data == "" {
		return o, nil, errors.New("-salvage needs -data, the folder of the damaged file")
	}
	for _, i := range invoke {
		if !json.Valid([]byte(i.value)) {
			return o, nil, fmt.Errorf("-invoke %s: the event %q is not JSON", i.name, i.value)
		}
	}
	if *verify {
		id, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
		if id == "" || secret == "" {
			return o, nil, errors.New("-verify-signatures needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
		}
		o.Credentials = map[string]string{id: secret}
	}
	o.Parameters, o.Map = parameters.toMap(), paths.toMap()
	o.Quotas, err = quotas(limits)
	return o, invoke, err
}

// pairs are the values of a flag of the form NAME=VALUE that may be repeated.
type pairs []struct{ name, value string }

// flag adds the flag that fills p; form is how a value is written.
func (p *pairs) flag(f *flag.FlagSet, flagName, form, usage string) {
	f.Func(flagName, "`"+form+"`"+usage, func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("must have the form " + form)
		}
		*p = append(*p, struct{ name, value string }{name, value})
		return nil
	})
}

func (p pairs) toMap() map[string]string {
	m := make(map[string]string, len(p))
	for _, x := range p {
		m[x.name] = x.value
	}
	return m
}
