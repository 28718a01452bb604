//go:build linux

package hostile

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"bulwark/internal/need"
)

// tty is a terminal whose other end is held here.
type tty struct {
	t             *testing.T
	master, slave *os.File
	was           unix.Termios
	mu            sync.Mutex
	shown         []byte
}

// openTTY makes a terminal, and takes down all that is written to it.
func openTTY(t *testing.T, columns, lines int) *tty {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		need.Missing(t, "pseudo terminals: %v", err)
	}
	y := &tty{t: t, master: os.NewFile(uintptr(fd), "/dev/ptmx")}
	t.Cleanup(func() { y.master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if y.slave, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { y.slave.Close() })
	y.resize(columns, lines)
	y.was = y.state()
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, err := y.master.Read(b)
			y.mu.Lock()
			y.shown = append(y.shown, b[:n]...)
			y.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return y
}

func (y *tty) resize(columns, lines int) {
	y.t.Helper()
	if err := unix.IoctlSetWinsize(int(y.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(columns), Row: uint16(lines)}); err != nil {
		y.t.Fatal(err)
	}
}

// state is how the terminal treats what is typed and shown.
func (y *tty) state() unix.Termios {
	y.t.Helper()
	s, err := unix.IoctlGetTermios(int(y.slave.Fd()), unix.TCGETS)
	if err != nil {
		y.t.Fatal(err)
	}
	return *s
}

func (y *tty) text() []byte {
	y.mu.Lock()
	defer y.mu.Unlock()
	return bytes.Clone(y.shown)
}

// await waits until something is shown behind a place, and gives where that ends.
func (y *tty) await(from int, what string) int {
	y.t.Helper()
	for range 600 {
		if i := bytes.Index(y.text()[from:], []byte(what)); i >= 0 {
			return from + i + len(what)
		}
		time.Sleep(50 * time.Millisecond)
	}
	y.t.Fatalf("%q is not shown within half a minute: %q", what, y.text()[from:])
	return 0
}

// start runs bulwark watch --top on the terminal, which is that of its session.
func (y *tty) start(flags ...string) *exec.Cmd {
	y.t.Helper()
	cmd := exec.Command(program, append([]string{"watch", "--top"}, flags...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = y.slave, y.slave, y.slave
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix:///nonexistent/docker.sock")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		y.t.Fatal(err)
	}
	y.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// drawing are the sequences that the program draws by; what else is shown is text.
var drawing = regexp.MustCompile(`\x1b\[(\?1049[hl]|\?25[hl]|H|J|K|[0-9]{0,2}m)`)

// given looks at the terminal once the program has ended: it is as it was, and nothing that was shown but the program's own drawing
// is obeyed by one.
func (y *tty) given(cmd *exec.Cmd) {
	y.t.Helper()
	if err := cmd.Wait(); err != nil {
		y.t.Errorf("it ended with %v", err)
	}
	y.await(0, "\x1b[?1049l")
	time.Sleep(100 * time.Millisecond) // what follows it
	if now := y.state(); now != y.was {
		y.t.Errorf("the terminal was\n%+v, and is\n%+v", y.was, now)
	}
	shown := y.text()
	for _, pair := range [][2]string{{"\x1b[?1049h", "\x1b[?1049l"}, {"\x1b[?25l", "\x1b[?25h"}} {
		if n, m := bytes.Count(shown, []byte(pair[0])), bytes.Count(shown, []byte(pair[1])); n != 1 || m != 1 || bytes.Index(shown, []byte(pair[0])) > bytes.Index(shown, []byte(pair[1])) {
			y.t.Errorf("%q is shown %d times, and %q, which takes it back, %d times", pair[0], n, pair[1], m)
		}
	}
	plain := drawing.ReplaceAll(shown, nil)
	if i := bytes.IndexFunc(bytes.ReplaceAll(plain, []byte("\r\n"), []byte("\n")), rude); i >= 0 {
		y.t.Errorf("the terminal is given %q", plain[max(0, i-40):min(len(plain), i+40)])
	}
	if !utf8.Valid(plain) || bytes.ContainsRune(plain, '\u202e') {
		y.t.Error("the terminal is given bytes that are no UTF-8, or turn the writing")
	}
}

// fits looks at the last whole drawing behind a place: it has no more lines, and none wider, than the terminal.
func (y *tty) fits(from, columns, lines int) {
	y.t.Helper()
	shown := y.text()[from:]
	end := bytes.LastIndex(shown, []byte("\x1b[J"))
	begin := bytes.LastIndex(shown[:max(end, 0)], []byte("\x1b[H"))
	if begin < 0 {
		y.t.Fatalf("nothing is drawn: %q", shown)
	}
	list := strings.Split(string(drawing.ReplaceAll(shown[begin:end], nil)), "\r\n")
	if len(list) > lines {
		y.t.Errorf("%d lines on a terminal of %d", len(list), lines)
	}
	for _, line := range list {
		if n := utf8.RuneCountInString(line); n > columns {
			y.t.Errorf("%d columns on a terminal of %d: %q", n, columns, line)
		}
	}
}

// hostileRequest is one of an API server's audit log, whose user attacks terminals.
const hostileRequest = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","stage":"ResponseComplete","requestURI":"/api/v1/secrets","verb":"list",` +
	`"user":{"username":"\u001b[31mred\u001b]0;owned\u0007\u202egnp\nbulwark: all is well"},"objectRef":{"resource":"pods","subresource":"exec","namespace":"kube-system","name":"\u001b[2Jred"},` +
	`"responseStatus":{"code":101},"requestReceivedTimestamp":"2026-03-01T12:00:00.000000Z","stageTimestamp":"2026-03-01T12:00:00.100000Z"}` + "\n"

// TestTopGivesTheTerminalBack: by a key, and where it is told to end.
func TestTopGivesTheTerminalBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*tty, *exec.Cmd) error
	}{
		{"q", func(y *tty, _ *exec.Cmd) error { _, err := y.master.WriteString("q"); return err }},
		{"Ctrl-C", func(y *tty, _ *exec.Cmd) error { _, err := y.master.WriteString("\x03"); return err }},
		{"SIGTERM", func(_ *tty, cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			y := openTTY(t, 100, 30)
			log := filepath.Join(t.TempDir(), "audit.log")
			if err := os.WriteFile(log, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := y.start("--source", "k8s_audit", "--audit-log", log)
			y.await(0, "watching since")
			if y.state() == y.was {
				t.Error("the terminal echoes keys")
			}
			f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.WriteString(strings.ReplaceAll(hostileRequest, `"verb":"list"`, `"verb":"create"`))
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			y.await(0, "red")
			y.fits(0, 100, 30)
			if err := tt.end(y, cmd); err != nil {
				t.Fatal(err)
			}
			y.given(cmd)
		})
	}
}

// baited is this test program under a name that attacks terminals, a file that it opens, and a rule that tells of it.
func baited(t *testing.T) (evil, bait, rules string) {
	t.Helper()
	dir := t.TempDir()
	evil = filepath.Join(dir, "\x1b[31mred\x1b]0;owned\x07\xff\xfe\u202egnp\nbulwark: all is well")
	bait = filepath.Join(dir, "bait")
	rules = filepath.Join(dir, "rules.yaml")
	for name, text := range map[string]string{bait: "x", rules: "- rule: Bait opened\n  desc: a test\n  condition: evt.type in (open, openat) and fd.name = " + bait + "\n" +
		"  output: Bait opened (proc=%proc.name cmd=%proc.cmdline image=%container.image.repository)\n  priority: WARNING\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(self, evil); err != nil {
		data, err := os.ReadFile(self)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(evil, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return evil, bait, rules
}

// TestTopOfHostileNode: a node where a process has a name that attacks terminals, on a terminal that changes its size.
func TestTopOfHostileNode(t *testing.T) {
	if os.Geteuid() != 0 || testing.Short() {
		t.Skip("this machine is watched as root, and not in short runs")
	}
	evil, bait, rules := baited(t)
	y := openTTY(t, 100, 30)
	cmd := y.start("--rules", rules, "--priority", "warning")
	at := y.await(0, "watching since")
	act := exec.Command(evil, "\x1b[2J", "\u202e", "\x9b31m")
	act.Env = append(os.Environ(), "HOSTILE_ACT=open", "HOSTILE_FILE="+bait, "HOSTILE_TIMES=1")
	if out, err := act.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	y.await(at, "Bait opened")
	y.fits(0, 100, 30)
	y.resize(60, 10)
	at = y.await(len(y.text()), "\x1b[J") // of a drawing that was under way
	y.await(at, "\x1b[J")
	y.fits(at, 60, 10)
	if _, err := y.master.WriteString("xq"); err != nil {
		t.Fatal(err)
	}
	y.given(cmd)
}
