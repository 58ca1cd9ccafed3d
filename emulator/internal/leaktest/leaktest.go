// Package leaktest fails a package's tests if they leave goroutines, or
// whatever else they can look for, behind.
package leaktest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long what the last test has ended may take to be gone.
const patience = 5 * time.Second

// Main runs the tests, for a TestMain, and returns the exit code, which is 1 if
// they pass and leave something. A goroutine counts if its stack holds one of
// the marks, such as "internal/apigw."; the one that runs TestMain does not.
// Each of more returns a description of what else is left, or "".
func Main(m *testing.M, marks []string, more ...func() string) int {
	code := m.Run()
	if code != 0 {
		return code
	}
	if left := wait(marks, more, patience); left != "" {
		fmt.Fprintf(os.Stderr, "left behind by the tests:\n%s\n", left)
		return 1
	}
	return 0
}

// wait returns what is left, once nothing is or the time is over.
func wait(marks []string, more []func() string, limit time.Duration) string {
	for deadline := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		left := goroutines(marks)
		for _, look := range more {
			left += look()
		}
		if left == "" || time.Now().After(deadline) {
			return left
		}
	}
}

func goroutines(marks []string) string {
	buf := make([]byte, 1<<20)
	for n := runtime.Stack(buf, true); ; n = runtime.Stack(buf, true) {
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	var left strings.Builder
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, ".TestMain(") {
			continue
		}
		for _, mark := range marks {
			if strings.Contains(stack, mark) {
				left.WriteString(stack + "\n\n")
				break
			}
		}
	}
	return left.String()
}

// Children describes the processes that this one has started and that have not
// ended, for Main. It is "" where there is no /proc.
func Children() string {
	self := strconv.Itoa(os.Getpid())
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is valid
	var left strings.Builder
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		// The name stands in parentheses and may hold anything; then come the
		// state and the parent.
		end := strings.LastIndexByte(string(stat), ')')
		if f := strings.Fields(string(stat[end+1:])); len(f) > 1 && f[1] == self {
			fmt.Fprintf(&left, "process %s\n", stat[:end+1])
		}
	}
	return left.String()
}
