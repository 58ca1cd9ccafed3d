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

// system is a running emulator with the application, and a token for it.
type system struct {
	cmd   *exec.Cmd
	end   context.CancelFunc // asks cmd to end, and kills it if it does not
	addr  string
	aws   string
	token string
}

func build(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "emulator"), "./emulator/cmd/emulator")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

func start(ctx context.Context, dir string, parameters ...string) (*system, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	awsAddr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	args := []string{"-addr", addr, "-aws-addr", awsAddr, "-invoke", `KeysFunction={"action":"demo"}`}
	for _, p := range parameters {
		args = append(args, "-parameter", p)
	}
	run, end := context.WithCancel(ctx)
	s := &system{cmd: exec.CommandContext(run, filepath.Join(dir, "emulator"), args...), end: end, addr: addr, aws: awsAddr}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 10 * time.Second
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		end()
		return nil, err
	}
	late := time.AfterFunc(3*time.Minute, func() { s.cmd.Process.Kill() })
	defer late.Stop()
	answer, err := lineAfter(out, "KeysFunction answered ")
	if err == nil {
		err = s.exchange(ctx, answer)
	}
	if err != nil {
		s.close()
		return nil, err
	}
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
	return "", errors.New("the emulator did not start: run make run to see why")
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

// connectionIDs are those of the open connections, as the application keeps
// them.
func (s *system) connectionIDs(ctx context.Context) ([]string, error) {
	db := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", Credentials: credentials, BaseEndpoint: aws.String("http://" + s.aws),
	})
	out, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("ConnectionsTable"), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, row := range out.Items {
		if sort, ok := row["sort"].(*types.AttributeValueMemberS); ok {
			_, id, _ := strings.Cut(sort.Value, "#")
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("nobody is connected")
	}
	return ids, nil
}

func (s *system) close() {
	s.end()
	s.cmd.Wait() // the signal is no error
}
