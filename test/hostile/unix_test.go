//go:build linux

package hostile

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func mkfifo(name string) error { return syscall.Mkfifo(name, 0o644) }

// deepFolders makes levels of folders, of which the deepest has a lockfile. No path
// names them all at once.
func deepFolders(t testing.TB, dir string, levels int) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	check(t, err)
	step := strings.TrimSuffix(strings.Repeat("d/", 100), "/")
	for range levels / 100 {
		check(t, root.MkdirAll(step, 0o755))
		below, err := root.OpenRoot(step)
		check(t, err)
		check(t, root.Close())
		root = below
	}
	check(t, root.WriteFile("package-lock.json", []byte("{}"), 0o644))
	check(t, root.Close())
}
