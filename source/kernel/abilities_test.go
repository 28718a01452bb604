//go:build linux && (amd64 || arm64)

package kernel

import (
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAbilitiesWithoutPtrace: what /proc does not show of others is told.
func TestAbilitiesWithoutPtrace(t *testing.T) {
	needRoot(t)
	runtime.LockOSThread() // the thread ends with the test, and what it gave up with it
	h, d := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
	if err := unix.Capget(&h, &d[0]); err != nil {
		t.Fatal(err)
	}
	told := func() string {
		for _, a := range New().Abilities() {
			if a.By == "/proc" {
				return a.Why
			}
		}
		return ""
	}
	if why := told(); why != "" {
		t.Errorf("with all capabilities: %s", why)
	}
	d[0].Effective &^= 1 << unix.CAP_SYS_PTRACE
	if err := unix.Capset(&h, &d[0]); err != nil {
		t.Fatal(err)
	}
	if why := told(); !strings.Contains(why, "CAP_SYS_PTRACE") || strings.Contains(why, "CAP_DAC_READ_SEARCH") {
		t.Errorf("without one: %q, want that it needs CAP_SYS_PTRACE", why)
	}
}
