package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestCreateDevice shows that a device is written to and not replaced: neither it nor
// the link that leads to it.
func TestCreateDevice(t *testing.T) {
	link := filepath.Join(t.TempDir(), "out")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Skip(err)
	}
	f, err := create(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("report"); err != nil {
		t.Error(err)
	}
	if err := f.commit(); err != nil {
		t.Error(err)
	}
	st, err := os.Lstat(link)
	if err != nil || st.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("after commit: %v, %v, want the link", st, err)
	}
}
