package browser

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark/internal/cli"
)

// made writes the page that a command makes of objects.
func made(t *testing.T, objects string, command ...string) string {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.yaml"), filepath.Join(dir, "page.html")
	if err := os.WriteFile(in, []byte(objects), 0o600); err != nil {
		t.Fatal(err)
	}
	args := slices.Concat(command, []string{in, "--quiet", "-f", "html", "-o", out})
	if code := cli.Main(args, strings.NewReader(""), io.Discard, io.Discard); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	return out
}
