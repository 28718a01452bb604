//go:build unix

package cluster

import (
	"os/exec"
	"syscall"
)

// alone lets a program be stopped together with what it starts.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
