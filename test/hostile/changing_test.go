//go:build linux

package hostile

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
)

// TestChangingFiles: files that shrink, grow, vanish and become links, pipes and folders
// while they are read. The scan ends well, nothing outside is read, and what lies still is found.
func TestChangingFiles(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	outside := r.put("outside/app.env", []byte(planted(8)))
	check(t, mkfifo(r.path("in", "outside", "pipe")))
	const n = 200
	name := func(i int) string { return r.path("in", "src", fmt.Sprintf("f%03d.env", i)) }
	for i := range n {
		r.spill(fmt.Sprintf("src/f%03d.env", i), func(w io.Writer) { fillWith(t, w, "password=x\n", 300<<10) })
	}
	r.put("src/z.env", []byte(planted(7)))
	big := r.spill("src/big.bin", func(w io.Writer) { fillWith(t, w, "0123456789abcdef", 40<<20) })
	for range 6 {
		ctx, stop := context.WithCancel(t.Context())
		var busy sync.WaitGroup
		busy.Go(func() {
			for turn := 0; ctx.Err() == nil; turn++ {
				change(name(turn*37%n), turn%7, outside)
				_ = os.Truncate(big, int64(turn%5)*10<<20) // it may be gone
			}
		})
		res := r.changing("dir:" + r.path("in", "src"))
		stop()
		busy.Wait()
		if res.code != 0 && res.code != 4 {
			t.Errorf("exit code %d: %s", res.code, res.stderr)
		}
		res.mustFind(t, "z.env", 7)
		if res.finds("", 8) {
			t.Errorf("a file outside of the folder was read")
		}
	}
}

// change makes something else of a file. Errors are left alone: the scan is what is tested.
func change(file string, how int, outside string) {
	switch how {
	case 0:
		_ = os.Truncate(file, 0)
	case 1:
		_ = os.Truncate(file, 3<<20)
	case 2:
		_ = os.RemoveAll(file)
	case 3:
		_ = os.Remove(file)
		_ = os.Symlink(outside, file)
	case 4:
		_ = os.Remove(file)
		_ = mkfifo(file)
	case 5:
		_ = os.Remove(file)
		_ = os.Symlink("/dev/zero", file)
	case 6:
		_ = os.RemoveAll(file)
		_ = os.WriteFile(file, []byte("password=x\n"), 0o644)
	}
}

// changing is inside, for a folder that the test itself changes meanwhile.
func (r *room) changing(target string) *result {
	r.t.Helper()
	still := *r
	still.most, still.busy = maxScan, true
	return still.only("secret,malware,misconfig", target, "--no-cache")
}

// TestLinksOut: links that lead out of the folder, to devices, and round in rings.
func TestLinksOut(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	outside := r.put("outside/app.env", []byte(planted(8)))
	r.put("outside/Dockerfile", []byte("FROM debian:12\nRUN curl https://example.com/x | "+"sh\n"))
	r.put("src/z.env", []byte(planted(7)))
	for link, target := range map[string]string{
		"app.env": outside, "Dockerfile": "../outside/Dockerfile", "compose.yaml": "/dev/zero", "folder": "../outside", "ring": "ring",
		"up": "..", "mem.env": "/proc/self/mem", "terminal.env": "/dev/stdin", "environ.env": "/proc/self/environ",
	} {
		check(t, os.Symlink(target, r.path("in", "src", link)))
	}
	check(t, mkfifo(r.path("in", "src", "pipe.env")))
	res := r.inside("dir:" + r.path("in", "src"))
	res.mustFind(t, "z.env", 7)
	if res.code != 0 || len(res.report.Findings) != 1 {
		t.Errorf("exit code %d, findings %+v, notes %+v", res.code, res.report.Findings, res.report.Notes)
	}
}
