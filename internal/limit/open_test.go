//go:build unix

package limit

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"bulwark"
)

// TestOpen: pipes are not waited for, and links do not lead out.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, err := range []error{
		syscall.Mkfifo(dir+"/pipe", 0o644), os.WriteFile(dir+"/file", []byte("x"), 0o644), os.Symlink("file", dir+"/near"), os.Symlink("pipe", dir+"/to-pipe"), os.Symlink("/etc/passwd", dir+"/out"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"pipe", "to-pipe", "."} {
		if _, err := Open(root, name); !errors.Is(err, bulwark.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(root, "out"); err == nil {
		t.Error("a link led out")
	}
	for _, name := range []string{"file", "near"} {
		f, err := Open(root, name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := ReadAll(f, 10, name); err != nil || string(b) != "x" {
			t.Errorf("%s: %q %v", name, b, err)
		}
		f.Close()
	}
}
