package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// system is a running server, by default the emulator.
type system struct {
	cmd   *exec.Cmd
	end   context.CancelFunc // asks cmd to end, and kills it if it does not
	addr  string             // of handshakes and posts
	aws   string             // of DynamoDB; "" if there is none
	token string             // of handshakes
	db    *dynamodb.Client   // of aws, once it is needed
}

func build(ctx context.Context, file string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", file, "./emulator/cmd/emulator")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// launch starts a command and returns the rest of the line by which it says that
// it is ready.
func launch(ctx context.Context, ready, program string, args ...string) (*system, string, error) {
	run, end := context.WithCancel(ctx)
	s := &system{cmd: exec.CommandContext(run, program, args...), end: end}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 10 * time.Second
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		end()
		return nil, "", err
	}
	late := time.AfterFunc(3*time.Minute, func() { s.cmd.Process.Kill() })
	defer late.Stop()
	answer, err := lineAfter(out, ready)
	if err != nil {
		s.close()
		return nil, "", fmt.Errorf("%s %s: %w", filepath.Base(program), strings.Join(args, " "), err)
	}
	return s, answer, nil
}

// emulate starts the emulator with a function to run first, whose answer it
// returns.
func emulate(ctx context.Context, program, function, event string, args ...string) (*system, string, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, "", err
	}
	awsAddr, err := freeAddr()
	if err != nil {
		return nil, "", err
	}
	args = append(args, "-addr", addr, "-aws-addr", awsAddr, "-invoke", function+"="+event)
	s, answer, err := launch(ctx, function+" answered ", program, args...)
	if err != nil {
		return nil, "", err
	}
	s.addr, s.aws, s.token = addr, awsAddr, "any"
	return s, answer, nil
}

// startApp starts the emulator with the application of testdata.
func startApp(ctx context.Context, emulator string) (*system, error) {
	s, _, err := emulate(ctx, emulator, "Gate", "{}", "-template", "bench/testdata/app/template.yaml")
	return s, err
}

// startTicker starts the emulator with Crypto Ticker, and gets a token for it.
func startTicker(ctx context.Context, emulator string, parameters ...string) (*system, error) {
	var args []string
	for _, p := range parameters {
		args = append(args, "-parameter", p)
	}
	s, key, err := emulate(ctx, emulator, "KeysFunction", `{"action":"demo"}`, args...)
	if err != nil {
		return nil, err
	}
	if err := s.exchange(ctx, key); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// startBare starts the server that posts are compared with.
func startBare(ctx context.Context) (*system, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, addr, err := launch(ctx, "listening on ", program, "-bare")
	if err != nil {
		return nil, err
	}
	s.addr = addr
	return s, nil
}

// lineAfter returns the rest of the line that begins with prefix.
func lineAfter(r io.Reader, prefix string) (string, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
			return rest, nil
		}
	}
	return "", errors.New("it did not start")
}

// freeAddr finds a free port of this machine.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// exchange gets a token for the key in the answer of KeysFunction.
func (s *system) exchange(ctx context.Context, answer string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr+"/auth/token", strings.NewReader(answer))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var body struct{ Token, Error string }
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		return err
	}
	if body.Token == "" {
		return fmt.Errorf("token exchange: %s %s", res.Status, body.Error)
	}
	s.token = body.Token
	return nil
}

// credentials are some: the emulator takes any.
var credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}, nil
})

// rows counts the connections that the application of testdata knows.
func (s *system) rows(ctx context.Context) (n int, err error) {
	if s.db == nil {
		s.db = dynamodb.New(dynamodb.Options{
			Region: "us-east-1", Credentials: credentials, BaseEndpoint: aws.String("http://" + s.aws),
		})
	}
	pages := dynamodb.NewScanPaginator(s.db, &dynamodb.ScanInput{
		TableName: aws.String("Connections"), ConsistentRead: aws.Bool(true), Select: types.SelectCount,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		n += int(page.Count)
	}
	return n, nil
}

// wait waits until the table has n rows, but not forever.
func (s *system) wait(ctx context.Context, n int) error {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		have, err := s.rows(ctx)
		if err != nil || have == n {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the table has %d rows of connections, want %d", have, n)
		}
	}
}

func (s *system) close() {
	s.end()
	s.cmd.Wait() // the signal is no error
}
