// Package engines holds the real program against the real makers of images: Docker and
// Podman, started on sockets of their own, what they save, and what they push to a real
// registry. All of it must look like the one image that they were given.
package engines

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

var program, database string // set by TestMain

func TestMain(m *testing.M) { os.Exit(prepare(m)) }

func prepare(m *testing.M) int {
	dir, err := os.MkdirTemp("", "engines-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, database = filepath.Join(dir, "bulwark"), filepath.Join(dir, "facts.db")
	facts := filepath.Join("..", "demo", "testdata")
	for _, args := range [][]string{
		{"go", "build", "-o", program, "../../cmd/bulwark"},
		{program, "db", "build", "--osv", filepath.Join(facts, "osv"), "--eol", filepath.Join(facts, "eol.json"), "-o", database},
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

// runner runs the program with an environment.
type runner struct {
	t     *testing.T
	env   []string
	cache string // folder for results; empty: none are kept
}

// run scans, and checks that nothing is left in the folder for temporary files.
func (r runner) run(args ...string) (stdout, stderr string, code int) {
	r.t.Helper()
	home, temp := r.t.TempDir(), r.t.TempDir()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	cache := "--no-cache"
	if r.cache != "" {
		cache = "--cache-dir=" + r.cache
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"scan", cache, "--db", database, "--require-complete",
		"--now", "2026-10-01T00:00:00Z", "-f", "json"}, args...)...)
	cmd.Env = append([]string{"PATH=/nowhere", "HOME=" + home, "TMPDIR=" + temp}, r.env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	if ctx.Err() != nil {
		r.t.Fatalf("%q takes more than a minute", args)
	}
	if kb := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; kb > 128<<10 {
		r.t.Errorf("%q: %d MB of memory", args, kb>>10)
	}
	if left, err := os.ReadDir(temp); len(left) > 0 || err != nil {
		r.t.Errorf("%q left temporary files: %v %v", args, left, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// seen is what a scan tells of an image, however it came.
type seen struct {
	ID, OS, Arch, Release      string
	Layers, Packages, Findings []string
}

func (r runner) scan(args ...string) seen {
	r.t.Helper()
	stdout, stderr, code := r.run(args...)
	var report bulwark.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
		r.t.Fatalf("%q: exit %d, %v\n%s", args, code, err, stderr)
	}
	return look(r.t, &report)
}

func look(t *testing.T, report *bulwark.Report) seen {
	t.Helper()
	var s seen
	places := map[string]string{}
	for _, a := range report.Assets {
		switch a.Kind {
		case "image":
			s.ID, s.OS, s.Arch, s.Release = string(a.ID), a.Labels["os"], a.Labels["arch"], a.Release.ID+" "+a.Release.VersionID
		case "layer":
			s.Layers = append(s.Layers, a.Name+" "+a.Labels["createdBy"])
			places[a.Name] = a.Labels["index"]
		}
	}
	for _, p := range report.Packages {
		s.Packages = append(s.Packages, p.PURL+" in layer "+places[p.Layer])
	}
	for _, f := range report.Findings {
		s.Findings = append(s.Findings, f.Rule+" "+f.Title)
	}
	slices.Sort(s.Packages)
	slices.Sort(s.Findings)
	return s
}

// original is what the archive that engines are given looks like.
func original(t *testing.T, file, arch string) seen {
	t.Helper()
	s := runner{t: t}.scan(file)
	if diff := cmp.Diff(packages(arch), s.Packages); diff != "" {
		t.Fatalf("packages of the archive (-want +got):\n%s", diff)
	}
	if len(s.Layers) != 5 || len(s.Findings) == 0 { // the layer that is there twice is told once
		t.Fatalf("the archive: %+v", s)
	}
	return s
}

func (r runner) same(want seen, args ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.scan(args...)); diff != "" {
		r.t.Errorf("%q (-want +got):\n%s", args, diff)
	}
}

// sameButID is for makers that write the configuration anew.
func (r runner) sameButID(want seen, args ...string) {
	r.t.Helper()
	got := r.scan(args...)
	if !strings.HasPrefix(got.ID, "image:sha256:") || got.ID == want.ID {
		r.t.Errorf("%q: id %s", args, got.ID)
	}
	got.ID = want.ID
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("%q (-want +got):\n%s", args, diff)
	}
}

// fails wants exit code 1 and words in the error.
func (r runner) fails(want string, args ...string) {
	r.t.Helper()
	_, stderr, code := r.run(args...)
	if code != 1 || !strings.Contains(stderr, want) {
		r.t.Errorf("%q: exit %d, want 1 and %s in\n%s", args, code, strconv.Quote(want), stderr)
	}
}
