// Package truth compares what the program says with what is known to be true: exact
// sets of advisories for known package versions, and what other tools list in a real
// image. The truth is not part of this repository; without it the tests skip.
package truth

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shared is where the data lies in a checkout that has it beside it.
const shared = "../../../shared"

// program builds the command line.
func program(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bulwark")
	run(t, "go", "build", "-o", bin, "../../cmd/bulwark")
	return bin
}

// run gives what a command prints on stdout.
func run(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s%s", args, err, out, errs.String())
	}
	return string(out)
}

// need finds a tool; without it the test skips, and fails where all tools should be.
func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; scripts/setup.sh test installs it", tool)
		}
		t.Skipf("%s is missing", tool)
	}
}

// database builds the advisory database of the real records.
func database(t *testing.T, bin string) string {
	t.Helper()
	epss, err := filepath.Glob(filepath.Join(shared, "data", "epss*.csv.gz"))
	if err != nil || len(epss) == 0 {
		t.Skipf("no advisory data at %s", shared)
	}
	db := filepath.Join(t.TempDir(), "a.db")
	run(t, bin, "db", "build", "--quiet", "--osv", filepath.Join(shared, "data", "osv"), "--kev", filepath.Join(shared, "data", "kev.json"),
		"--epss", epss[0], "--eol", filepath.Join(shared, "data", "eol.json"), "-o", db)
	return db
}

func TestMatch(t *testing.T) {
	checker := filepath.Join(shared, "tools", "check-match.py")
	if _, err := os.Stat(checker); err != nil {
		t.Skipf("no truth at %s", shared)
	}
	need(t, "python3")
	bin := program(t)
	out := run(t, "python3", checker, "--bulwark", bin, "--db", database(t, bin))
	if !strings.Contains(out, " passed, 0 failed") {
		t.Errorf("%s", out)
	}
}
