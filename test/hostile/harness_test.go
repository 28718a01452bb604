//go:build linux

// Package hostile holds the real program against bad input: damaged and lying
// archives, bombs, peers that misbehave, disks that are full. The inputs are made when
// the tests run; the program runs as a child process whose memory, exit code, words
// and leavings are looked at.
package hostile

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"bulwark"
)

const (
	maxRSS = 256 << 10 // KB
	// patience is how much of the processors' time a run may take, which a busy machine
	// stretches little. A run of ten times that by the clock is ended: it waits for ever.
	patience = 60 * time.Second
	slow     = 10 * time.Second
)

var program, database string // set by TestMain

func TestMain(m *testing.M) { os.Exit(prepare(m)) }

func prepare(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hostile-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // other users run it too
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	program, database = filepath.Join(dir, "bulwark"), filepath.Join(dir, "facts.db")
	facts := filepath.Join("..", "demo", "testdata")
	for _, args := range [][]string{
		{"go", "build", "-o", program, "../../cmd/bulwark"},
		{program, "db", "build", "--osv", filepath.Join(facts, "osv"), "--kev", filepath.Join(facts, "kev.json"),
			"--epss", filepath.Join(facts, "epss.csv"), "--eol", filepath.Join(facts, "eol.json"), "-o", database},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%q: %v\n%s", args, err, out)
			return 1
		}
	}
	return m.Run()
}

// room is where one run happens. Nothing but cache and out may change.
type room struct {
	t      *testing.T
	root   string
	bin    string // where programs are looked for; "": nowhere
	nobody bool   // run the program as a user who may little
	most   int64  // KB of memory; 0: maxRSS
	busy   bool   // the test itself changes the room while the program runs
	// patience is how much of the processors' time a run may take; 0: as much as any.
	patience time.Duration
	env      []string // of the program, beside what each run has
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, root: t.TempDir()}
	for _, d := range []string{"cwd", "tmp", "home", "cache", "out", "in"} {
		if err := os.Mkdir(r.path(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *room) path(elem ...string) string {
	return filepath.Join(append([]string{r.root}, elem...)...)
}

// result is how a run went.
type result struct {
	code           int
	stdout, stderr string
	report         bulwark.Report // of -f json
}

// command prepares a run of the program in the room.
func (r *room) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = r.path("cwd")
	cmd.Env = append([]string{"PATH=" + cmp.Or(r.bin, "/nowhere"), "HOME=" + r.path("home"), "TMPDIR=" + r.path("tmp")}, r.env...)
	cmd.WaitDelay = time.Second
	if r.nobody && os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return cmd
}

// run runs the program and checks what must hold for every run.
func (r *room) run(args ...string) *result {
	r.t.Helper()
	var before []string
	if !r.busy {
		before = r.listing()
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*cmp.Or(r.patience, patience))
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := r.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Start()
	own := watch(cmd.Process)
	if err == nil {
		err = cmd.Wait()
	}
	took := time.Since(began)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		r.t.Fatalf("bulwark %.500q: %v\n%.2000s", args, err, stderr.String())
	}
	res := &result{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	// The kernel counts what this process had when it started the other one; where that
	// is too much, what was seen of the program itself tells (0: it was gone too soon).
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if seen := own(); peak > cmp.Or(r.most, maxRSS) {
		peak = seen
	}
	work := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	r.t.Logf("exit %d, %.2fs, %.2fs of work, %d MB", res.code, took.Seconds(), work.Seconds(), peak>>10)
	if took > slow {
		r.t.Logf("SLOW: %.1fs", took.Seconds())
	}
	if most := cmp.Or(r.patience, patience); work > most {
		r.t.Errorf("%.0f seconds of work, at most %.0f", work.Seconds(), most.Seconds())
	}
	if most := cmp.Or(r.most, maxRSS); peak > most {
		r.t.Errorf("%d MB of memory, at most %d", peak>>10, most>>10)
	}
	res.harmless(r.t)
	if r.busy {
		return res
	}
	if after := r.listing(); !slices.Equal(before, after) {
		r.t.Errorf("the run left something outside cache and output:\n%.2000q\nwas\n%.2000q", after, before)
	}
	return res
}

// watch looks at the peak memory of a process until the result is asked for, which is in
// KB, and 0 when the process was too short-lived to be looked at.
func watch(p *os.Process) func() int64 {
	if p == nil {
		return func() int64 { return 0 }
	}
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		var seen int64
		for {
			if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid)); err == nil && !bytes.Contains(status, []byte("hostile.test")) {
				if _, rest, ok := bytes.Cut(status, []byte("VmHWM:")); ok {
					var kb int64
					if _, err := fmt.Sscan(string(rest), &kb); err == nil {
						seen = max(seen, kb)
					}
				}
			}
			select {
			case <-stop:
				peak <- seen
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() int64 { close(stop); return <-peak }
}

// scan runs "bulwark scan --require-complete -f json", and reads the report.
func (r *room) scan(targets ...string) *result {
	r.t.Helper()
	return r.json(append([]string{"scan", "--offline", "--require-complete"}, targets...)...)
}

func (r *room) json(args ...string) *result {
	r.t.Helper()
	res := r.run(append(args, "-f", "json", "--db", database, "--cache-dir", r.path("cache"), "--now", "2026-10-01T00:00:00Z")...)
	if res.code == 2 || res.stdout == "" {
		return res
	}
	if err := json.Unmarshal([]byte(res.stdout), &res.report); err != nil {
		r.t.Errorf("stdout is no report: %v\n%.500q", err, res.stdout)
	}
	return res
}

// harmless checks the words of a run: no trace of a crash, no control characters.
func (res *result) harmless(t *testing.T) {
	t.Helper()
	for _, word := range []string{"panic", "goroutine ", "runtime error", "SIGSEGV", "nil pointer"} {
		if strings.Contains(res.stderr, word) || strings.Contains(res.stdout, word) {
			t.Errorf("%q in the output:\n%.4000s", word, res.stderr+res.stdout)
		}
	}
	for name, s := range map[string]string{"stdout": res.stdout, "stderr": res.stderr} {
		if i := strings.IndexFunc(s, rude); i >= 0 {
			t.Errorf("control character in %s: %q", name, s[max(0, i-40):min(len(s), i+40)])
		}
	}
}

// rude tells what could play tricks on a terminal.
func rude(c rune) bool {
	return c != '\n' && c != '\t' && unicode.IsControl(c)
}

// listing is what lies in the room outside cache and out, and what is in its place.
func (r *room) listing() []string {
	var list []string
	err := filepath.WalkDir(r.root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == r.root {
			return err
		}
		if p == r.path("cache") || p == r.path("out") {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := fmt.Sprint(p, info.Mode())
		if !d.IsDir() {
			line += fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		}
		list = append(list, line)
		return nil
	})
	if err != nil {
		r.t.Error(err)
	}
	return list
}
