package lambda

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"crypto-ticker/emulator/internal/template"
)

// parentEnv tells a copy of the test binary to be an emulator that runs the
// function of the folder that it names.
const parentEnv = "LAMBDA_TEST_PARENT"

// beParent runs functions, one idle and one busy, until it is killed.
func beParent() {
	f := define("Echo", os.Getenv(parentEnv))
	s, err := New(Config{Functions: []*template.Function{f}, Output: os.Stdout})
	if err != nil {
		panic(err)
	}
	if err := s.Build(context.Background()); err != nil {
		panic(err)
	}
	go s.Invoke(context.Background(), "Echo", []byte(`{"Print":"busy","Sleep":3600000000000}`))
	if _, err := s.Invoke(context.Background(), "Echo", []byte(`{"Print":"idle"}`)); err != nil {
		panic(err)
	}
	select {}
}

// TestNothingOutlivesTheEmulator kills an emulator and finds its functions gone.
func TestNothingOutlivesTheEmulator(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("no other system ends a process with its parent")
	}
	// A folder of its own tells this emulator's functions from other tests'.
	dir := t.TempDir()
	if err := copyFile(dir+"/bootstrap", testDir+"/echo/bootstrap"); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), parentEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for seen := ""; !strings.Contains(seen, "busy") || !strings.Contains(seen, "idle"); {
		if !lines.Scan() {
			t.Fatalf("the emulator ended: %s", seen)
		}
		seen += lines.Text()
	}
	if n := strings.Count(processes(dir), "\n"); n != 2 {
		t.Errorf("%d functions run before the end, want 2", n)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // reports the signal
	eventually(t, "the functions to end", func() bool { return processes(dir) == "" })
}

// zombie says whether a process has ended and nobody has asked how.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
