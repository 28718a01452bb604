//go:build linux

// Command lab is what the lab's containers do that a shell cannot, each by the system calls that an attacker
// would make; and the runtime that the lab's Docker runs, where it is called shim.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// deeds are what it can be told to do. Who does what was asked for says "done".
var deeds = map[string]func(args []string) error{
	"sleep": sleep, "memfd": memfd, "deleted": deleted, "ptrace": ptrace, "ptrace-own": ptraceOwn, "memwrite": memWrite, "vmwrite": vmWrite, "shocker": shocker,
	"bpf": bpf, "perf": perf, "userfaultfd": userfault, "uring": uring, "module": module, "packet": packet, "datagram": datagram, "wx": wx, "wr": wr,
	"unix": unixGet, "unix-own": unixOwn, "reverse": reverse, "chat": chat, "stratum": stratum, "rpc": rpc, "dns": dns, "scan": scan, "few": few, "spawn": spawn, "serve": serve, "listen": listen,
	"kernel-exec": kernelExec, "reach": reach, "reverse-slow": reverseSlow, "flow": flow,
}

func main() {
	runtime.LockOSThread()
	switch name := filepath.Base(os.Args[0]); name {
	case "shim":
		fail(shim())
	case "nginx", "redis-server", "mysqld":
		os.Args = append([]string{"lab"}, os.Args[1:]...)
	case "apt", "pkill": // they say what they would do
		fmt.Println(os.Args)
		return
	}
	if len(os.Args) < 2 || deeds[os.Args[1]] == nil {
		fail(fmt.Errorf("it knows %d deeds, and %q is none", len(deeds), strings.Join(os.Args[1:], " ")))
	}
	fail(deeds[os.Args[1]](os.Args[2:]))
	fmt.Println("done")
}

func fail(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func arg(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}
