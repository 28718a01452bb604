//go:build linux && (amd64 || arm64)

package guard

import (
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAbilities(t *testing.T) {
	needNode(t)
	g := New(nil)
	defer g.Close()
	for _, a := range g.Abilities() {
		t.Logf("%s by %s: %q", a.Name, a.By, a.Why)
	}
	for name, p := range g.hooks.programs {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		n, _ := info.VerifiedInstructions()
		if t.Logf("%s: %d instructions verified", name, n); n > 200_000 {
			t.Errorf("%s costs the verifier %d instructions: another kernel may refuse it", name, n)
		}
	}
}

// TestAbilitiesWithoutNetAdmin: what cannot be attached is not told as possible.
func TestAbilitiesWithoutNetAdmin(t *testing.T) {
	needNode(t)
	runtime.LockOSThread() // the thread ends with the test, and what it gave up with it
	h, d := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
	if err := unix.Capget(&h, &d[0]); err != nil {
		t.Fatal(err)
	}
	d[0].Effective &^= 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_SYS_ADMIN
	if err := unix.Capset(&h, &d[0]); err != nil {
		t.Fatal(err)
	}
	g := New(nil)
	defer g.Close()
	found := 0
	for _, a := range g.Abilities() {
		if a.Name != "cut mine" && a.Name != "deny connect" {
			continue
		}
		if found++; !strings.Contains(a.Why, "CAP_NET_ADMIN") {
			t.Errorf("%s: %q, want that it needs CAP_NET_ADMIN", a.Name, a.Why)
		}
	}
	if found != 2 {
		t.Errorf("%d abilities of the network, want 2", found)
	}
}
