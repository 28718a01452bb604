//go:build linux

package hostile

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestInterrupt sends SIGINT while a peer is silent: the run ends at once, and leaves
// nothing.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"manifests", "LAYER"} {
		l := newLayout(layerOf(t, append(debian(good), noise("x", 100_000))...))
		stalled := make(chan struct{})
		var once sync.Once
		p := serve(t, l, strings.Replace(part, "LAYER", l.layers[0].digest, 1), func(w http.ResponseWriter, r *http.Request, body []byte, n int32) bool {
			w.Header().Set("Content-Length", itoa(len(body)))
			_, _ = w.Write(body[:len(body)/2])
			_ = http.NewResponseController(w).Flush()
			once.Do(func() { close(stalled) })
			<-r.Context().Done()
			return true
		})
		r := newRoom(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
		defer cancel()
		var stderr bytes.Buffer
		cmd := r.command(ctx, "scan", p.image(), "--db", database, "--cache-dir", r.path("cache"), "-f", "json", "-o", r.path("out", "report.json"))
		cmd.Stderr = &stderr
		check(t, cmd.Start())
		<-stalled
		began := time.Now()
		check(t, cmd.Process.Signal(os.Interrupt))
		err := cmd.Wait()
		t.Logf("%s: ended %.2fs after the signal", part, time.Since(began).Seconds())
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 130 {
			t.Errorf("%s: %v, want exit code 130\n%s", part, err, stderr.String())
		}
		(&result{stderr: stderr.String()}).harmless(t)
		if left, err := os.ReadDir(r.path("out")); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", part, left, err)
		}
	}
}

// TestSilentPipe: whoever writes to standard input keeps silent. Neither a signal nor
// --timeout waits for them.
func TestSilentPipe(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for _, target := range []string{"-", "tar:-", "sbom:-"} {
		for _, start := range []string{"", "{\"bomFormat\":\"CycloneDX\",", "\x1f\x8b\x08"} {
			in, out, err := os.Pipe()
			check(t, err)
			_, err = out.WriteString(start)
			check(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
			cmd := r.command(ctx, "scan", target, "--offline", "--timeout", "300ms", "--db", database, "--cache-dir", r.path("cache"))
			cmd.Stdin = in
			text, _ := cmd.CombinedOutput() // the exit code tells
			if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(text), "unavailable") {
				t.Errorf("%s %q: exit code %d\n%s", target, start, code, text)
			}
			cancel()
			check(t, errors.Join(in.Close(), out.Close()))
		}
	}
}

// TestSilentNamedPipe: the same of a pipe that has a name, with and without a writer.
func TestSilentNamedPipe(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	pipe := r.path("in", "pipe")
	check(t, mkfifo(pipe))
	scan := func() *result { return r.json("scan", "tar:"+pipe, "--timeout", "300ms", "--require-complete") }
	want{1, "unavailable", nil}.check(t, scan())
	both, err := os.OpenFile(pipe, os.O_RDWR, 0)
	check(t, err)
	defer both.Close()
	_, err = both.WriteString("\x1f\x8b")
	check(t, err)
	want{1, "unavailable", nil}.check(t, scan())
}
