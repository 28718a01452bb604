package lab

import (
	"os/exec"
	"syscall"
)

func detach(path string) { _ = syscall.Unmount(path, syscall.MNT_DETACH) }

// dies has a program end with this one, however it ends.
func dies(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}
