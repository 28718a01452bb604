//go:build unix

package abuse

import (
	"os"
	"syscall"
)

// self is this process, which watches, and group its process group.
var self, group = os.Getpid(), syscall.Getpgrp()
