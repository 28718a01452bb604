//go:build linux && (amd64 || arm64)

package guard

import (
	"bufio"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/need"
)

// The test program is also what the tests run in cgroups and containers: the first argument says as what.
func TestMain(m *testing.M) {
	if act, ok := acts[os.Getenv("GUARD_TEST")]; ok {
		if err := act(os.Args[1:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ok")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var acts = map[string]func([]string) error{
	"say":     func([]string) error { return nil },
	"connect": func(a []string) error { return connect(a[0], a[1]) },
	"mapped":  func(a []string) error { return connectMapped(a[0]) },
	"icmp":    func(a []string) error { return ping(a[0]) },
	"fast":    func(a []string) error { return fastOpen(a[0]) },
	"sendto":  func(a []string) error { return sendTo(a[0]) },
	"speak":   func(a []string) error { return speak(a[0], a[1]) },
	"memfd":   func(a []string) error { return execMemory(a[0]) },
	"hold":    hold,
}

func connect(network, to string) error {
	c, err := (&net.Dialer{Timeout: 2 * time.Second}).Dial(network, to)
	if err != nil {
		return err
	}
	return c.Close()
}

// connectMapped connects to an address of IPv4 by a socket of IPv6.
func connectMapped(to string) error {
	at, err := netip.ParseAddrPort(to)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()})
}

// ping sends by a raw socket: there is no call that connects.
func ping(to string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}, 0, &unix.SockaddrInet4{Addr: netip.MustParseAddr(to).As4()})
}

// fastOpen sends data with the first packet of a connection, without connect.
func fastOpen(to string) error {
	at, err := netip.ParseAddrPort(to)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
}

// sendTo sends without connecting first.
func sendTo(to string) error {
	a, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		return err
	}
	network := "udp4"
	if a.IP.To4() == nil {
		network = "udp6"
	}
	c, err := net.ListenUDP(network, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.WriteToUDP([]byte("x"), a)
	return err
}

// speak sends a line, and wants an answer.
func speak(to, line string) error {
	c, err := net.DialTimeout("tcp", to, 2*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprintln(c, line); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1))
	return err
}

// execMemory executes a program out of memory.
func execMemory(program string) error {
	b, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("hidden", 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "hidden")
	if _, err := f.Write(b); err != nil {
		return err
	}
	return unix.Exec(fmt.Sprintf("/proc/self/fd/%d", fd), []string{"hidden"}, []string{"GUARD_TEST=say"})
}

// hold loads blocks and keeps them until it is killed.
func hold(a []string) error {
	var blocks []bulwark.Block
	if err := json.Unmarshal([]byte(a[0]), &blocks); err != nil {
		return err
	}
	g := New(nil)
	if err := g.Load(blocks); err != nil {
		return err
	}
	fmt.Println("ready")
	select {}
}

// needNode is for tests that block for real.
func needNode(t *testing.T) {
	t.Helper()
	need.Root(t)
	g := New(nil)
	defer g.Close()
	for _, a := range g.Abilities() {
		if a.Why != "" && a.By != byLSM {
			need.Missing(t, "%s: %s", a.Name, a.Why)
		}
	}
}

// lsm tells whether executions are denied by the kernel itself.
func lsm() bool {
	g := New(nil)
	defer g.Close()
	for _, a := range g.Abilities() {
		if a.By == byLSM && a.Why == "" {
			return true
		}
	}
	return false
}

// whole skips tests that put this program into a container where it cannot run there: one that is linked with C, as under
// the race detector, asks for libraries that the container has not.
func whole(t *testing.T) {
	t.Helper()
	f, err := elf.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return
	}
	if testing.Short() {
		t.Skip("short, and this test program cannot run in containers")
	}
	need.Missing(t, "a test program that can run in containers: build it with CGO_ENABLED=0")
}

// cgroup makes a cgroup, and gives its path.
func cgroup(t *testing.T, name string) string {
	t.Helper()
	path := fmt.Sprintf("/bulwark-test-%d-%s", os.Getpid(), name)
	dir := filepath.Join(look().unified, path)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
		others, _ := filepath.Glob("/sys/fs/cgroup/*" + path) // as runc makes them
		for _, dir := range others {
			os.Remove(dir)
		}
	})
	return path
}

// in runs the test program in a cgroup as something.
func in(t *testing.T, cgroup, act string, args ...string) string {
	t.Helper()
	out, _ := command(t, cgroup, os.Args[0], act, args...).CombinedOutput()
	return strings.TrimSpace(string(out))
}

func command(t *testing.T, cgroup, program, act string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"GUARD_TEST=" + act}
	if cgroup == "" {
		return cmd
	}
	dir, err := os.Open(filepath.Join(look().unified, cgroup))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	cmd.SysProcAttr = &unix.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	return cmd
}

// told collects decisions.
type told struct {
	mu   sync.Mutex
	list []bulwark.Decision
	more chan struct{}
}

func newTold() *told { return &told{more: make(chan struct{}, 1000)} }

func (d *told) tell(decision bulwark.Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, decision)
	d.more <- struct{}{}
}

// next is the next decision; there must be one.
func (d *told) next(t *testing.T) bulwark.Decision {
	t.Helper()
	select {
	case <-d.more:
	case <-time.After(5 * time.Second):
		t.Fatal("no decision was told")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	first := d.list[0]
	d.list = d.list[1:]
	return first
}

// holding starts a process that holds the blocks, and gives what kills it.
func holdElsewhere(t *testing.T, blocks []bulwark.Block) (kill func()) {
	t.Helper()
	b, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "", os.Args[0], "hold", string(b))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { cmd.Process.Kill(); cmd.Wait() })
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		t.Fatal(errors.Join(err, errors.New(line)))
	}
	return kill
}
