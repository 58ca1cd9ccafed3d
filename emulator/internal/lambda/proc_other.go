//go:build !unix

package lambda

import (
	"os"
	"os/exec"
)

// isolate does nothing: no other system kills a process with its parent.
func isolate(*exec.Cmd) {}

// killGroup kills a process. What it has started is not ended.
func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

// terminate asks a process to end.
func terminate(cmd *exec.Cmd) { cmd.Process.Signal(os.Interrupt) }
