package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// usage is what a process, or several, have used. It is zero where there is no
// /proc.
type usage struct {
	cpu float64 // seconds
	rss float64 // MB
}

// clockTicks is USER_HZ, which is 100 on every Linux that Go runs on.
const clockTicks = 100

// usage tells what the server has used, and what its functions have: processes
// of which it is the parent, those that have ended included.
func (s *system) usage() (server, functions usage) {
	entries, _ := os.ReadDir("/proc") // none elsewhere
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		u, ended, parent, err := readStat(pid)
		switch {
		case err != nil: // it has ended meanwhile
		case pid == s.cmd.Process.Pid:
			server = u
			functions.cpu += ended
		case parent == s.cmd.Process.Pid:
			functions.cpu += u.cpu
			functions.rss += u.rss
		}
	}
	return server, functions
}

// readStat reads what a process has used itself and the CPU seconds of its
// ended children.
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func readStat(pid int) (u usage, ended float64, parent int, err error) {
	src, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, 0, 0, err
	}
	_, rest, _ := strings.Cut(string(src), ") ") // the name before may hold anything
	f := strings.Fields(rest)
	if len(f) < 22 {
		return u, 0, 0, fmt.Errorf("/proc/%d/stat: unexpected form", pid)
	}
	number := func(i int) float64 { // i as in the manual page, from 1
		n, _ := strconv.ParseFloat(f[i-3], 64)
		return n
	}
	u.cpu = (number(14) + number(15)) / clockTicks
	u.rss = number(24) * float64(os.Getpagesize()) / 1e6
	return u, (number(16) + number(17)) / clockTicks, int(number(4)), nil
}
