package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator"
	"crypto-ticker/emulator/internal/leaktest"
)

func TestMain(m *testing.M) {
	os.Exit(leaktest.Main(m, []string{"crypto-ticker/emulator"}, leaktest.Children))
}

const template = "../../testdata/chat/template.yaml"

// The command serves until its context ends, which is here when it has printed
// the answer of the function.
func TestRun(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, w := io.Pipe()
	done := make(chan error, 1)
	var stderr bytes.Buffer
	go func() {
		done <- run(ctx, []string{"-template", template, "-addr", "127.0.0.1:0", "-aws-addr", "127.0.0.1:0", "-map", "/room=Chat",
			"-invoke", `WebFunction={"pathParameters":{"id":"none"}}`}, w, &stderr)
		w.Close()
	}()
	var stdout strings.Builder
	for buf := make([]byte, 1024); ; {
		n, err := r.Read(buf)
		stdout.Write(buf[:n])
		if strings.Contains(stdout.String(), "WebFunction answered {") {
			stop()
		}
		if err != nil {
			break
		}
	}
	if err := <-done; err != nil {
		t.Errorf("%v\n%s", err, &stderr)
	}
	for _, want := range []string{"HTTP API", "/room\n", "Not emulated", "WebFunction answered {"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &stdout)
		}
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	quiet := []string{"-template", template, "-addr", "127.0.0.1:0", "-aws-addr", "127.0.0.1:0"}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown flag", []string{"-nope"}, "-nope; see -h"},
		{"path without an API", []string{"-map", "/x"}, `"/x" for flag -map: must have the form PATH=LOGICALID`},
		{"salvage of nothing", []string{"-salvage"}, "-salvage needs -data"},
		{"argument", []string{"template.yaml"}, `unexpected argument "template.yaml"`},
		{"parameter without a value", []string{"-parameter", "Greeting"}, "must have the form NAME=VALUE"},
		{"event that is not JSON", []string{"-invoke", "WebFunction=hi"}, `-invoke WebFunction: the event "hi" is not JSON`},
		{"no template", []string{"-template", "none.yaml"}, "none.yaml"},
		{"no such quota", []string{"-quota", "frames=1"}, "-quota frames: there is no such quota; there are requests-per-second, "},
		{"quota of another kind", []string{"-quota", "idle=10"}, `-quota idle: "10" is neither a number nor a time`},
		{"switch of another kind", []string{"-quota", "route-throttle=1"}, `-quota route-throttle: "1" is neither on nor off`},
		{"negative quota", append(quiet, "-quota", "burst=-1"), "quota Burst is negative"},
		{"unknown function", append(quiet, "-invoke", "Nope={}"), "-invoke Nope: lambda: function not found: Nope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), tt.args, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestUsage: -h prints all flags, and an error none, since it is told by main.
func TestUsage(t *testing.T) {
	t.Parallel()
	var help, failure bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, io.Discard, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: got %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{"Usage of emulator:", "-data folder", "-map PATH=LOGICALID", "-invoke LOGICALID=JSON", "-quota NAME=VALUE"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("-h: %q is missing in:\n%s", want, &help)
		}
	}
	if err := run(t.Context(), []string{"-nope"}, io.Discard, &failure); err == nil || failure.Len() > 0 {
		t.Errorf("-nope: got error %v, and printed %q; want an error and nothing", err, &failure)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	o, invoke, err := parse([]string{"-parameter", "A=1=2", "-parameter", "B=", "-map", "/x=Chat",
		"-quota", "idle=1m", "-quota", "frame-bytes=64", "-quota", "requests-per-second=0.5", "-quota", "route-throttle=on",
		"-invoke", `F={"a":"="}`, "-data", "d", "-env-vars", "e.json"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"A": "1=2", "B": ""}; !maps.Equal(o.Parameters, want) {
		t.Errorf("parameters: got %v, want %v", o.Parameters, want)
	}
	if want := map[string]string{"/x": "Chat"}; !maps.Equal(o.Map, want) {
		t.Errorf("map: got %v, want %v", o.Map, want)
	}
	if want := (emulator.Quotas{Idle: time.Minute, FrameBytes: 64, RequestsPerSecond: 0.5, RouteThrottles: true}); o.Quotas != want {
		t.Errorf("quotas: got %+v, want %+v", o.Quotas, want)
	}
	if len(invoke) != 1 || invoke[0].name != "F" || invoke[0].value != `{"a":"="}` {
		t.Errorf("invoke: got %v", invoke)
	}
	if o.Data != "d" || o.EnvVars != "e.json" || o.Template != "template.yaml" || o.Addr != "127.0.0.1:8081" {
		t.Errorf("got %+v", o)
	}
}

// TestVerifyNeedsCredentials: the flag takes them from the environment, where
// SDKs and the aws CLI look too.
func TestVerifyNeedsCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "me")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if _, _, err := parse([]string{"-verify-signatures"}, io.Discard); err == nil || !strings.Contains(err.Error(), "AWS_SECRET_ACCESS_KEY") {
		t.Errorf("got %v; want an error that says what is missing", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "mine")
	o, _, err := parse([]string{"-verify-signatures"}, io.Discard)
	if want := map[string]string{"me": "mine"}; err != nil || !maps.Equal(o.Credentials, want) {
		t.Errorf("got %v, %v; want %v", o.Credentials, err, want)
	}
}
