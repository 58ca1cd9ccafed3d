package leaktest

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// stay blocks until it is released; its name is the mark.
func stay(begun chan<- bool, release <-chan bool) {
	begun <- true
	<-release
}

func TestWait(t *testing.T) {
	t.Parallel()
	begun, release := make(chan bool), make(chan bool)
	go stay(begun, release)
	<-begun
	marks := []string{"leaktest.stay("}
	if left := wait(marks, nil, 0); !strings.Contains(left, "leaktest.stay(") {
		t.Errorf("got %q, want the stack of a goroutine that is there", left)
	}
	if left := wait([]string{"leaktest.nothing("}, nil, 0); left != "" {
		t.Errorf("got %q, want nothing without the mark", left)
	}
	looked := 0
	file := func() string {
		if looked++; looked < 3 {
			return "a file"
		}
		return ""
	}
	close(release)
	if left := wait(marks, []func() string{file}, time.Minute); left != "" || looked != 3 {
		t.Errorf("got %q after %d looks, want it to wait until nothing is left", left, looked)
	}
}

func TestChildren(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	cmd := exec.Command("cat") // until its input ends
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if got := Children(); !strings.Contains(got, "(cat)") && !strings.Contains(got, "(coreutils)") {
		t.Errorf("got %q, want cat in it", got)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := Children(); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}
