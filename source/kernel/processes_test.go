//go:build linux && (amd64 || arm64)

package kernel

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestProcessesAreListed: this process is among those that the kernel lists, once, and is as it knows itself.
func TestProcessesAreListed(t *testing.T) {
	needRoot(t)
	var processes Processes
	defer processes.Close()
	for range 2 {
		list, err := processes.List()
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, p := range list {
			if p.PID != os.Getpid() {
				continue
			}
			found++
			var exe, mnt unix.Stat_t
			if err := unix.Stat("/proc/self/exe", &exe); err != nil {
				t.Fatal(err)
			}
			if err := unix.Stat("/proc/self/ns/mnt", &mnt); err != nil {
				t.Fatal(err)
			}
			if p.PPID != os.Getppid() || p.VPID != p.PID || p.Start == 0 || p.UID != uint32(os.Geteuid()) || p.Name != filepath.Base(os.Args[0])[:min(15, len(filepath.Base(os.Args[0])))] {
				t.Errorf("%+v", p)
			}
			if p.File.Inode != exe.Ino || p.File.Device != exe.Dev || uint64(p.Namespaces.Mount) != mnt.Ino || !p.Before {
				t.Errorf("%+v, its file is %d on %d, its mounts %d", p, exe.Ino, exe.Dev, mnt.Ino)
			}
		}
		if found != 1 {
			t.Errorf("%d is listed %d times among %d", os.Getpid(), found, len(list))
		}
	}
}
