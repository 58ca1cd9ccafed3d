//go:build unix && !linux

package lambda

import (
	"os/exec"
	"syscall"
)

// isolate puts a process into a group of its own, so that what it starts can be
// ended with it. None of these systems kills a process with its parent.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// killGroup kills a process and what it has started.
func killGroup(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // an error means that nobody is left
}

// terminate asks a process to end.
func terminate(cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGTERM) }
