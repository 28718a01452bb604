//go:build linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
)

// TestRacesDoNotMislead: while a file is opened again and again, another thread writes over the path that the call was given,
// or exchanges the link that it names. What is told is what was opened.
func TestRacesDoNotMislead(t *testing.T) {
	needRoot(t)
	for _, race := range []string{"memory", "link"} {
		t.Run(race, func(t *testing.T) {
			dir := t.TempDir()
			files := [2]string{filepath.Join(dir, "harmless"), filepath.Join(dir, "secret..")}
			inodes := map[uint64]string{}
			for _, f := range files {
				if err := os.WriteFile(f, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				var st unix.Stat_t
				if err := unix.Stat(f, &st); err != nil {
					t.Fatal(err)
				}
				inodes[st.Ino] = f
			}
			path := append([]byte(files[0]), 0)
			link := filepath.Join(dir, "link")
			if race == "link" {
				path = append([]byte(link), 0)
				if err := os.Symlink(files[0], link); err != nil {
					t.Fatal(err)
				}
			}
			w := watch(t, &Sensor{Self: true}, kinds("openat"))
			var stop atomic.Bool
			var other sync.WaitGroup
			other.Go(func() {
				for i := 0; !stop.Load(); i++ {
					to := files[i&1]
					if race == "memory" {
						copy(path[len(dir)+1:], to[len(dir)+1:])
						continue
					}
					_ = os.Symlink(to, link+".new")
					_ = os.Rename(link+".new", link)
				}
			})
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			tid, dirfd := unix.Gettid(), unix.AT_FDCWD
			var opened []string
			for range 3000 {
				fd, _, no := unix.Syscall6(unix.SYS_OPENAT, uintptr(dirfd), uintptr(unsafe.Pointer(&path[0])), unix.O_RDONLY, 0, 0, 0)
				if no != 0 {
					continue // half of the one name and half of the other
				}
				var st unix.Stat_t
				if err := unix.Fstat(int(fd), &st); err != nil {
					t.Fatal(err)
				}
				unix.Close(int(fd))
				opened = append(opened, inodes[st.Ino])
			}
			stop.Store(true)
			other.Wait()
			w.settle()
			if err := w.stop(); err != nil {
				t.Fatal(err)
			}
			var told []string
			lies := 0
			for _, e := range w.all() {
				if e.TID != tid || e.Result < 0 || inodes[e.FD.Inode] == "" {
					continue
				}
				told = append(told, string(e.FD.Name))
				if inodes[e.FD.Inode] != string(e.FD.Name) {
					t.Fatalf("inode %d is %s, told as %s", e.FD.Inode, inodes[e.FD.Inode], e.FD.Name)
				}
				if race == "memory" && text(&e, "name") != string(e.FD.Name) {
					lies++
				}
			}
			if strings.Join(told, "\n") != strings.Join(opened, "\n") {
				t.Errorf("%d were opened, %d are told, and they differ", len(opened), len(told))
			}
			t.Logf("%d opens, in %d of which the memory said otherwise afterwards", len(opened), lies)
		})
	}
}

// reused makes a process of that number, which ends at once; false: it cannot be.
func reused(t *testing.T, pid int) bool {
	t.Helper()
	set := [1]int32{int32(pid)}
	args := struct {
		flags, pidfd, childTID, parentTID, signal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
	}{signal: uint64(unix.SIGCHLD), setTID: uint64(uintptr(unsafe.Pointer(&set))), setTIDSize: 1}
	got, _, no := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	if no == 0 && got == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	runtime.KeepAlive(&set)
	if no != 0 {
		t.Logf("clone3: %v", no)
		return false
	}
	var status unix.WaitStatus
	_, err := unix.Wait4(int(got), &status, 0, nil)
	return err == nil && int(got) == pid
}

// TestNumbersComeAgain: of two processes with one number each is told with its own start.
func TestNumbersComeAgain(t *testing.T) {
	w := watch(t, New(), kinds("clone", "procexit"))
	most, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(most)))
	pid -= 1 + os.Getpid()%512
	for range 2 {
		if !reused(t, pid) {
			t.Skip("a process with a number of choice cannot be made here")
		}
	}
	is := func(kind bulwark.Kind) func(*bulwark.Event) bool {
		return func(e *bulwark.Event) bool { return e.Kind == kind && e.Process.PID == pid }
	}
	starts := map[int64]int{}
	for deadline := time.Now().Add(5 * time.Second); w.count(is(bulwark.KindExit)) < 2 && time.Now().Before(deadline); {
		time.Sleep(tick)
	}
	for _, e := range w.all() {
		if is(bulwark.KindClone)(&e) || is(bulwark.KindExit)(&e) {
			starts[e.Process.Start]++
		}
	}
	if len(starts) != 2 {
		t.Errorf("two processes of one number: %v", starts)
	}
	for start, n := range starts {
		if n != 2 {
			t.Errorf("the one of %d has %d events, want its begin and its end", start, n)
		}
	}
}

const forks = `
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
	for (int n = atoi(argv[1]); n > 0; n--) {
		int pid = vfork();
		if (pid == 0) _exit(0);
		if (pid < 0) return 1;
		waitpid(pid, 0, 0);
	}
	return 0;
}`

// TestForkStorm: of 100,000 processes that two programs make as fast as they can, each is told, or told to be missing.
func TestForkStorm(t *testing.T) {
	needRoot(t)
	if testing.Short() {
		t.Skip("100,000 processes are made")
	}
	gcc := need.Tool(t, "gcc")
	dir := t.TempDir()
	source, program := filepath.Join(dir, "forks.c"), filepath.Join(dir, "forks")
	if err := os.WriteFile(source, []byte(forks), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-O1", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	const each = 50_000
	var begun, ended, parents sync.Map
	s := New()
	w := tally(t, s, kinds("clone", "procexit"), func(e *bulwark.Event) {
		if e.Process == nil {
			return
		}
		switch _, ours := parents.Load(e.Process.PPID); {
		case e.Kind == bulwark.KindClone && (ours || e.Process.Name == "forks"):
			begun.Store(e.Process.Start<<22|int64(e.Process.PID), true)
		case e.Kind == bulwark.KindExit:
			ended.Store(e.Process.Start<<22|int64(e.Process.PID), true)
		}
	})
	began := time.Now()
	var both sync.WaitGroup
	for range 2 {
		cmd := exec.Command(program, strconv.Itoa(each))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		parents.Store(cmd.Process.Pid, true)
		both.Go(func() {
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	took := time.Since(began)
	time.Sleep(5 * tick)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	c := s.Counts()[0]
	volume := s.Counts()[1] // calls of clone that others made
	t.Logf("%d processes in %v: %+v, %d told to be missing", 2*each, took.Round(time.Millisecond), c, w.dropped)
	begins, whole := 0, 0
	begun.Range(func(k, _ any) bool {
		begins++
		if _, ok := ended.Load(k); ok {
			whole++
		}
		return true
	})
	if w.dropped != c.Dropped+volume.Dropped || s.lost[0] > c.Dropped {
		t.Errorf("%d dropped, %d told, %d by sequence numbers", c.Dropped, w.dropped, s.lost[0])
	}
	if c.Sent+volume.Sent != w.got {
		t.Errorf("%d sent, %d got", c.Sent+volume.Sent, w.got)
	}
	if missing := 2*(2*each) - begins - whole; missing > int(c.Dropped) {
		t.Errorf("%d begin, %d of them end, of %d: only %d were dropped", begins, whole, 2*each, c.Dropped)
	}
}

// tallying is a sensor that runs and whose events are not kept.
type tallying struct {
	*watching
	got, dropped uint64
}

func tally(t *testing.T, s *Sensor, want bulwark.Interest, see func(*bulwark.Event)) *tallying {
	t.Helper()
	w := &tallying{}
	w.watching = watchWith(t, s, want, func(list []bulwark.Event) {
		for i := range list {
			if list[i].Kind == bulwark.KindDrop {
				w.dropped += uint64(num(&list[i], "count"))
				continue
			}
			w.got++
			see(&list[i])
		}
	})
	return w
}

// TestOlderControlGroups: on a node that has only those of the first version, events have the number of the one of the
// controller for memory. This one has both.
func TestOlderControlGroups(t *testing.T) {
	needRoot(t)
	s := &Sensor{Self: true, older: true}
	h, err := s.hierarchy()
	if err != nil {
		t.Fatal(err)
	}
	if h.id == 0 {
		t.Skip("no control groups of the first version are mounted")
	}
	w := watch(t, s, kinds("cgroup_mkdir", "cgroup_rmdir", "execve", "openat"))
	name := fmt.Sprintf("bulwark-test-older-%d", os.Getpid())
	group := filepath.Join(olderRoot, name)
	if err := os.Mkdir(group, 0o700); err != nil {
		need.Missing(t, "a control group: %v", err)
	}
	defer os.Remove(group)
	var st unix.Stat_t
	if err := unix.Stat(group, &st); err != nil {
		t.Fatal(err)
	}
	e := w.find(t, "cgroup_mkdir", func(e *bulwark.Event) bool {
		return e.Kind == bulwark.KindCgroupMade && strings.HasSuffix(text(e, "path"), name)
	})
	if uint64(num(e, "id")) != st.Ino {
		t.Errorf("id %d, want %d", num(e, "id"), st.Ino)
	}
	cmd := exec.Command("/bin/sh", "-c", "echo $$ > "+group+"/cgroup.procs; exec sleep 0", "older-group")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := w.find(t, "program of the group", func(e *bulwark.Event) bool {
		return e.Kind == bulwark.KindExec && e.Process.PID == cmd.Process.Pid && e.Process.Exe == "sleep"
	}).Process
	if p.Cgroup != st.Ino {
		t.Errorf("control group %d, want %d", p.Cgroup, st.Ino)
	}
}

func TestHierarchyOf(t *testing.T) {
	hybrid := "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t5\t1\nmemory\t4\t51\t1\npids\t8\t5\t1\n"
	for _, tt := range []struct {
		what, table string
		want        uint32
	}{
		{"first version", hybrid, 4},
		{"second version", strings.ReplaceAll(hybrid, "memory\t4", "memory\t0"), 0},
		{"switched off (cgroup_disable=memory)", strings.ReplaceAll(hybrid, "51\t1", "51\t0"), 0},
		{"no such controller", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n", 0},
		{"nonsense", "memory x y 1\nmemory\n", 0},
	} {
		if got := hierarchyOf(tt.table, "memory"); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.what, got, tt.want)
		}
	}
}
