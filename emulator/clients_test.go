package emulator_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"crypto-ticker/emulator"
)

// program finds a program of the virtual environment that make validate fills
// from .ci/requirements.txt, or else of the PATH. Without it the test is skipped.
func program(t *testing.T, name string) string {
	t.Helper()
	own, err := filepath.Abs(filepath.Join("..", ".venv", "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{own, name} {
		if path, err := exec.LookPath(file); err == nil {
			return path
		}
	}
	t.Skipf("%s is missing: make validate installs it into .venv", name)
	return ""
}

// python finds an interpreter that has boto3.
func python(t *testing.T) string {
	t.Helper()
	path := program(t, "python3")
	if out, err := exec.CommandContext(t.Context(), path, "-c", "import boto3").CombinedOutput(); err != nil {
		t.Skipf("%s has no boto3 (make validate installs it into .venv): %s", path, out)
	}
	return path
}

// client runs an AWS client with the variables given and none of its user's. It
// returns the exit code and what the client wrote.
func client(t *testing.T, env []string, name string, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience) // most of it goes into loading Python modules
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	none := filepath.Join(t.TempDir(), "none")
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "AWS_CONFIG_FILE=" + none, "AWS_SHARED_CREDENTIALS_FILE=" + none,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=me", "AWS_SECRET_ACCESS_KEY=mine",
	}, env...)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// quick is the chat with functions of this process, so that none is built. They
// tell the ids of connections to ids.
func quick(ids chan<- string) map[string]func() awslambda.Handler {
	none := handler(func() {})
	return map[string]func() awslambda.Handler{
		"GateFunction": handler(func() (map[string]any, error) {
			return map[string]any{"principalId": "x", "policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
				map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"},
			}}}, nil
		}),
		"SocketFunction": handler(func(r events.APIGatewayWebsocketProxyRequest) (map[string]any, error) {
			if r.RequestContext.EventType == "CONNECT" {
				ids <- r.RequestContext.ConnectionID
			}
			return map[string]any{"statusCode": 200}, nil
		}),
		"WebFunction": none, "TickFunction": none,
	}
}

// lobby runs the chat and returns an open connection and its id.
func lobby(t *testing.T, o emulator.Options) (*emulator.Emulator, *websocket.Conn, string) {
	t.Helper()
	ids := make(chan string, 1)
	o.Template, o.Handlers = chat, quick(ids)
	e := emulator.RunT(t, o)
	c, status := dial(t, e.WebSocketURL("Chat")+"?name=ann")
	if c == nil {
		t.Fatalf("handshake: got %d; want 101", status)
	}
	c.SetReadLimit(128 << 10)
	return e, c, <-ids
}

// receive reads a message and compares its begin and its size.
func receive(t *testing.T, c *websocket.Conn, begin string, size int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	kind, got, err := c.Read(ctx)
	if err != nil || kind != websocket.MessageText || !strings.HasPrefix(string(got), begin) || len(got) != size {
		t.Errorf("got %.20q with %d bytes, %v; want %q with %d as text", got, len(got), err, begin, size)
	}
}

// deleted reads the close frame of DELETE.
func deleted(t *testing.T, c *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("got %v; want a close with 1000", err)
	}
}

var mine = map[string]string{"me": "mine"}

// TestBoto3DrivesConnections: boto3 posts, gets and deletes, and raises each
// error as its type.
func TestBoto3DrivesConnections(t *testing.T) {
	t.Parallel()
	python := python(t)
	for _, tt := range []struct {
		name, mode, scheme string
		o                  emulator.Options
	}{
		{"any signature", "", "http", emulator.Options{}},
		{"verified signatures over TLS", "verified", "https", emulator.Options{Credentials: mine}},
		{"throttled", "throttled", "http", emulator.Options{Quotas: emulator.Quotas{RequestsPerSecond: 1e-6, Burst: 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, c, id := lobby(t, tt.o)
			endpoint := strings.Replace(e.WebSocketURL("Chat"), "ws", tt.scheme, 1)
			env := []string{"AWS_CA_BUNDLE=" + e.CertFile()}
			if code, out := client(t, env, python, "testdata/clients/connections.py", endpoint, id, tt.mode); code != 0 {
				t.Fatalf("exit code %d:\n%s", code, out)
			}
			if tt.mode == "throttled" {
				receive(t, c, "x", 1)
				return
			}
			receive(t, c, "zwölf 12", 9)
			receive(t, c, "xxx", 128<<10)
			deleted(t, c)
		})
	}
}

// serviceError is the exit code of the aws CLI for what a service has refused:
// 254, or 255 before its version 2.
const serviceError = -1

// cli runs the aws CLI and compares its exit code and a part of what it wrote.
func cli(t *testing.T, env []string, code int, want string, args ...string) {
	t.Helper()
	got, out := client(t, env, program(t, "aws"), args...)
	if got == 254 || got == 255 {
		got = serviceError
	}
	if got != code || !strings.Contains(out, want) {
		t.Errorf("got exit code %d and %s; want %d and %s", got, out, code, want)
	}
}

// TestCommandLineDrivesConnections: the aws CLI does the same; its errors have
// their types in the message.
func TestCommandLineDrivesConnections(t *testing.T) {
	t.Parallel()
	program(t, "aws")
	e, c, id := lobby(t, emulator.Options{Credentials: mine})
	file := func(name, text string) string { // AWS CLI 2 takes what is no file for base64
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "fileb://" + path
	}
	endpoint := strings.Replace(e.WebSocketURL("Chat"), "ws", "http", 1)
	const unknown = "Jx-TaE0_GjQFvSw="
	t.Run("calls", func(t *testing.T) {
		for _, tt := range []struct {
			name, operation, id string
			args, env           []string
			code                int
			want                string
		}{
			{"post", "post-to-connection", id, []string{"--data", file("hello", "hello, world")}, nil, 0, ""},
			{"unknown", "delete-connection", unknown, nil, nil, serviceError, "(GoneException) when calling the DeleteConnection operation"},
			{"too large", "post-to-connection", id, []string{"--data", file("large", strings.Repeat("x", 128<<10+1))}, nil, serviceError,
				"(PayloadTooLargeException) when calling the PostToConnection operation"},
			{"wrong secret", "get-connection", id, nil, []string{"AWS_SECRET_ACCESS_KEY=wrong"}, serviceError,
				"(InvalidSignatureException) when calling the GetConnection operation: The request signature we calculated"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				args := append([]string{"apigatewaymanagementapi", tt.operation, "--endpoint-url", endpoint, "--connection-id", tt.id}, tt.args...)
				cli(t, tt.env, tt.code, tt.want, args...)
			})
		}
	})
	receive(t, c, "hello, world", 12)
}

// TestDynamoDBClients: boto3's resources, whose numbers are decimals, and the
// aws CLI use a table of the template.
func TestDynamoDBClients(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: chat, Handlers: quick(nil)})
	call(t, e, "DynamoDB_20120810.PutItem", "1.0", `{"TableName":"Room","Item":{"id":{"S":"cli"},"price":{"N":"0.10"}}}`)
	t.Run("boto3", func(t *testing.T) {
		t.Parallel()
		if code, out := client(t, nil, python(t), "testdata/clients/tables.py", e.AWSURL(), "Room"); code != 0 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"wait", []string{"wait", "table-exists", "--table-name", "Room"}, ""},
		{"scan", []string{"scan", "--table-name", "Room", "--filter-expression", "id = :id",
			"--expression-attribute-values", `{":id":{"S":"cli"}}`, "--query", "Items[].price.N", "--output", "text"}, "0.1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cli(t, nil, 0, tt.want, append([]string{"dynamodb", "--endpoint-url", e.AWSURL()}, tt.args...)...)
		})
	}
}
