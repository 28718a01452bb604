package need

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fake is a test that keeps how it ended.
type fake struct {
	testing.TB
	failed, skipped string
}

func (*fake) Helper() {}

func (f *fake) Fatal(args ...any) {
	f.failed = fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *fake) Skip(args ...any) {
	f.skipped = fmt.Sprint(args...)
	runtime.Goexit()
}

// run gives how a test ends that needs something.
func run(test func(t testing.TB)) *fake {
	f := &fake{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	return f
}

func TestTool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CI", "")
	if got := Tool(t, "program"); got != program {
		t.Errorf("it is at %q", got)
	}
	if f := run(func(t testing.TB) { Tool(t, "other") }); !strings.Contains(f.skipped, "missing: other") || f.failed != "" {
		t.Errorf("skipped %q, failed %q", f.skipped, f.failed)
	}
	t.Setenv("CI", "true")
	if got := Tool(t, "program"); got != program {
		t.Errorf("in CI it is at %q", got)
	}
	if f := run(func(t testing.TB) { Tool(t, "other") }); f.skipped != "" || !strings.Contains(f.failed, "missing: other") {
		t.Errorf("in CI: skipped %q, failed %q", f.skipped, f.failed)
	}
}

func TestRoot(t *testing.T) {
	t.Setenv("CI", "true")
	f := run(func(t testing.TB) { Root(t) })
	if f.skipped != "" || (f.failed == "") != (os.Geteuid() == 0) {
		t.Errorf("skipped %q, failed %q", f.skipped, f.failed)
	}
}

func TestMissing(t *testing.T) {
	t.Setenv("CI", "false")
	if f := run(func(t testing.TB) { Missing(t, "%d hands", 3) }); f.skipped != "missing: 3 hands" || f.failed != "" {
		t.Errorf("skipped %q, failed %q", f.skipped, f.failed)
	}
}
