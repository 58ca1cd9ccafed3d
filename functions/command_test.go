package functions_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// command is the emulator's command, as make run starts it.
type command struct {
	cmd    *exec.Cmd
	url    string
	apiKey string
}

func buildCommand(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "emulator")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../emulator/cmd/emulator").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// startCommand runs the command and waits until it has printed the demo key.
func startCommand(t *testing.T, program, data string) *command {
	t.Helper()
	c := &command{cmd: exec.Command(program, "-template", "../template.yaml", "-data", data,
		"-addr", "127.0.0.1:0", "-aws-addr", "127.0.0.1:0", "-invoke", `KeysFunction={"action":"demo"}`)}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait() // ends with the kill
	})
	late := time.AfterFunc(patience, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if answer, ok := strings.CutPrefix(lines.Text(), "KeysFunction answered "); ok {
			var key struct {
				APIKey string `json:"api_key"`
			}
			if err := json.Unmarshal([]byte(answer), &key); err != nil {
				t.Fatalf("%s: %v", answer, err)
			}
			c.apiKey = key.APIKey
			return c
		}
		if len(fields) > 2 && fields[0] == "HTTP" {
			c.url = strings.TrimSuffix(fields[len(fields)-1], "/")
		}
	}
	t.Fatal("the command ended, or did not print the demo key in time")
	return nil
}

func (c *command) exchange(t *testing.T) int {
	t.Helper()
	res, err := http.Post(c.url+"/auth/token", "application/json", strings.NewReader(`{"api_key":`+strconv.Quote(c.apiKey)+`}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// TestKilledEmulator kills the command in the middle: no process of a function
// stays behind, and the next one knows the same key.
func TestKilledEmulator(t *testing.T) {
	t.Parallel()
	program, data := buildCommand(t), t.TempDir()
	first := startCommand(t, program, data)
	if got := first.exchange(t); got != http.StatusOK {
		t.Fatalf("token exchange: got %d; want 200", got)
	}
	functions := descendants(first.cmd.Process.Pid)
	if len(functions) == 0 {
		t.Log("the processes of functions cannot be seen on this system")
	}
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.cmd.Wait() // says that it was killed
	for pid := range functions {
		eventually(t, "end of a function's process", func() bool { return !isAlive(pid) })
	}

	second := startCommand(t, program, data)
	if second.apiKey != first.apiKey {
		t.Error("the demo key is another one after a restart")
	}
	if got := second.exchange(t); got != http.StatusOK {
		t.Errorf("token exchange with the key of before: got %d; want 200", got)
	}
}
