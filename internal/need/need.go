// Package need says what tests cannot do without. Where that is missing they are skipped, but in CI, where the environment
// has CI=true, they fail: what is not tried there is tried nowhere.
package need

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Tool gives the path of a program.
func Tool(t testing.TB, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "%s (scripts/setup.sh test installs it)", name)
	}
	return file
}

// Root lets the test go on as root alone.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "the rights of root")
	}
}

// Missing ends the test: the format and its arguments say what it lacks.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	what := "missing: " + fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
