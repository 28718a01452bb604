package users

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// root makes the root of a process below a /proc of the test.
func root(t *testing.T, proc string, pid int) string {
	t.Helper()
	dir := filepath.Join(proc, fmt.Sprint(pid), "root", "etc")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "passwd")
}

func TestContainersHaveTheirOwnUsers(t *testing.T) {
	proc := t.TempDir()
	if err := os.WriteFile(root(t, proc, 7), []byte("root:x:0:0:::\nweb:x:1000:1000\nbroken\nother:x:1000:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, now := Cache{Proc: proc}, time.Unix(1e9, 0)
	if got := name(&c, "c1", 7, 1000, now); got != "web" {
		t.Errorf("1000 is %q", got)
	}
	if got := name(&c, "c1", 7, 1001, now); got != "" {
		t.Errorf("1001 is %q", got)
	}
	os.RemoveAll(filepath.Join(proc, "7"))
	if got := name(&c, "c1", 7, 1000, now.Add(2*fresh)); got != "web" {
		t.Errorf("after the process ended, 1000 is %q", got)
	}
}

func TestLinksAndPipesAreNotFollowedOut(t *testing.T) {
	proc := t.TempDir()
	secret := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(secret, []byte("host:x:5:5"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, root(t, proc, 8)); err != nil {
		t.Fatal(err)
	}
	c := Cache{Proc: proc}
	if got := name(&c, "c2", 8, 5, time.Now()); got != "" {
		t.Errorf("a link out of the root gives %q", got)
	}
}

func TestBounds(t *testing.T) {
	c := Cache{Proc: t.TempDir()}
	for i := range 3 * maxRoots {
		name(&c, fmt.Sprint("c", i), i, 0, time.Unix(int64(i), 0))
	}
	if len(c.roots) > maxRoots {
		t.Errorf("%d roots are kept", len(c.roots))
	}
	var b strings.Builder
	for i := range 2 * maxUsers {
		fmt.Fprintf(&b, "u%d:x:%d:\n", i, i)
	}
	n := 0
	if lines(strings.NewReader(b.String()), func(uint32, []string) { n++ }); n > maxUsers {
		t.Errorf("%d users are kept", n)
	}
}

func name(c *Cache, key string, pid int, uid uint32, now time.Time) string {
	u, _ := c.User(key, pid, uid, now)
	return u.Name
}
