package proc

import (
	"os"
	"slices"
	"testing"
)

func TestOwnProcess(t *testing.T) {
	pids, err := FS{}.PIDs()
	if err != nil {
		t.Skip("there is no /proc:", err)
	}
	if !slices.Contains(pids, os.Getpid()) {
		t.Fatalf("%d is not among %v", os.Getpid(), pids)
	}
	p, err := FS{}.Process(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	exe, _ := os.Executable()
	if p.PPID != os.Getppid() || p.Path != exe || p.UID != uint32(os.Geteuid()) || p.Exe != os.Args[0] || p.Start == 0 || p.Namespaces.Mount == 0 || p.File.Inode == 0 {
		t.Errorf("Process(self) = %+v", p)
	}
}

func FuzzStat(f *testing.F) {
	f.Add([]byte("12 (a) b) S 1 12 12 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 421 0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if st, err := parseStat(b, func(b []byte) string { return string(b) }); err == nil && st.PID < 0 && b[0] != '-' {
			t.Errorf("%q gives %+v", b, st)
		}
	})
}

func TestStatNames(t *testing.T) {
	st, err := parseStat([]byte("12 (a) (b) S 1 2 3 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 421 0"), func(b []byte) string { return string(b) })
	if err != nil || st.Name != "a) (b" || st.PPID != 1 || st.PGID != 2 || st.SID != 3 || st.TTY != 34816 || st.Start != 4_210_000_000 {
		t.Errorf("parseStat = %+v, %v", st, err)
	}
}
