package functions_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// children has the processes that this one has started.
func children() map[int]string { return descendants(os.Getpid()) }

// isAlive says whether a process runs. One that has ended may stay in the table
// until somebody asks for its exit status.
func isAlive(pid int) bool {
	src, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, rest, _ := strings.Cut(string(src), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

// descendants has the processes that another has started, by id, with the path
// of their program. It is empty where there is no /proc.
func descendants(parent int) map[int]string {
	found := map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is valid
	for _, stat := range stats {
		src, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, _ := strings.Cut(string(src), ") ")
		f := strings.Fields(rest) // state, parent, …
		if len(f) < 2 || f[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err != nil {
			continue
		}
		if exe, err := os.Readlink(filepath.Join(filepath.Dir(stat), "exe")); err == nil {
			found[pid] = exe
		}
	}
	return found
}

// killTickers kills every process of the ticker that runs on an emulator.
func killTickers(t *testing.T, a *app) {
	t.Helper()
	killed := 0
	for pid := range children() {
		environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
		if err != nil {
			continue // it has ended meanwhile
		}
		vars := strings.Split(string(environ), "\x00")
		if slices.Contains(vars, "AWS_LAMBDA_FUNCTION_NAME=TickerFunction") && slices.Contains(vars, "AWS_ENDPOINT_URL="+a.AWSURL()) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("no process of the ticker runs")
	}
}
