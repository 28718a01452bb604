//go:build linux

package hostile

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"bulwark"
)

// small mounts a disk of so many KB.
func small(t *testing.T, dir, size string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fill leaves so many bytes free.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(dir + "/filler")
	check(t, err)
	for _, err = f.Write(make([]byte, 4096)); err == nil; _, err = f.Write(make([]byte, 4096)) {
	}
	check(t, f.Close())
}

func many1000() []file {
	files := []file{{name: "etc/os-release", text: osRelease}}
	return append(files, file{name: "var/lib/dpkg/status", text: status("good", "1.0") + strings.Repeat(status("other", "1"), 3000)})
}

// TestFullDisk: an output that does not fit is an error and leaves nothing; a cache
// that does not fit is a note.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, full := range []string{"full", "nearly"} {
		r := newRoom(t)
		image := r.put("image.tar", archive(t, tarBytes(t, many1000()...)))
		check(t, os.Mkdir(r.path("out", "disk"), 0o755))
		small(t, r.path("out", "disk"), "64k")
		if full == "full" {
			fill(t, r.path("out", "disk"))
		}
		there := names(t, r.path("out", "disk"))

		for _, f := range []string{"json", "table", "html", "sarif", "cyclonedx", "spdx", "jsonl", "junit"} {
			res := r.run("scan", image, "--offline", "--db", database, "--cache-dir", r.path("cache"), "-f", f, "-o", r.path("out", "disk", "report"))
			if full == "nearly" && res.code == 0 { // it fits
				check(t, os.Remove(r.path("out", "disk", "report")))
				continue
			}
			if res.code != 1 || !strings.Contains(res.stderr, "no space left") {
				t.Errorf("%s %s: exit code %d\n%s", full, f, res.code, res.stderr)
			}
		}
		res := r.run("db", "build", "--osv", "../in/none", "-o", r.path("out", "disk", "facts.db"))
		if res.code != 1 {
			t.Errorf("%s: db build: exit code %d\n%s", full, res.code, res.stderr)
		}
		if left := names(t, r.path("out", "disk")); !slices.Equal(left, there) {
			t.Errorf("%s: left %q", full, left)
		}
	}
}

// TestFullDiskBuild builds a database where it does not fit.
func TestFullDiskBuild(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	small(t, r.path("out"), "12k")
	facts, err := os.Getwd()
	check(t, err)
	res := r.run("db", "build", "--osv", facts+"/../demo/testdata/osv", "-o", r.path("out", "facts.db"))
	if res.code != 1 || !strings.Contains(res.stderr, "no space left") {
		t.Errorf("exit code %d\n%s", res.code, res.stderr)
	}
	if left := names(t, r.path("out")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// TestFullCache: the scan goes on without a cache, and says so.
func TestFullCache(t *testing.T) {
	t.Parallel()
	for _, size := range []string{"4k", "64k"} {
		r := newRoom(t)
		image := r.put("image.tar", archive(t, tarBytes(t, many1000()...)))
		small(t, r.path("cache"), size)
		for range 2 {
			res := r.scan(image)
			want{0, "", []string{good}}.check(t, res)
			if !slices.ContainsFunc(res.report.Notes, func(n bulwark.Note) bool {
				return n.Plugin == "scan/cache" && strings.Contains(n.Text, "no space left")
			}) {
				t.Errorf("no note about the cache: %+v", res.report.Notes)
			}
		}
	}
}

// TestUnusableCache: a cache that is a file, that may not be written, or that holds
// garbage is as good as none.
func TestUnusableCache(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	image := r.put("image.tar", archive(t, tarBytes(t, debian(good)...)))
	check(t, os.RemoveAll(r.path("cache")))
	check(t, os.WriteFile(r.path("cache"), []byte("a file"), 0o644))
	want{0, "", []string{good}}.check(t, r.scan(image))

	check(t, os.Remove(r.path("cache")))
	want{0, "", []string{good}}.check(t, r.scan(image))
	damage(t, r.path("cache"))
	want{0, "", []string{good}}.check(t, r.scan(image))
}

// damage changes every file below dir.
func damage(t *testing.T, dir string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	check(t, err)
	for _, e := range list {
		p := dir + "/" + e.Name()
		if e.IsDir() {
			damage(t, p)
			continue
		}
		b, err := os.ReadFile(p)
		check(t, err)
		if len(b) > 0 {
			b = flip(b, len(b)/2)
		}
		check(t, os.WriteFile(p, append(b, 0), 0o644))
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	check(t, err)
	var all []string
	for _, e := range list {
		all = append(all, e.Name())
	}
	return all
}

// TestNowhereToWrite: an output folder that is not there, or is no folder.
func TestNowhereToWrite(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	image := r.put("image.tar", archive(t, tarBytes(t, debian(good)...)))
	for _, out := range []string{r.path("out", "none", "x"), r.path("in", "image.tar", "x"), r.path("out")} {
		res := r.run("scan", image, "--offline", "--db", database, "--cache-dir", r.path("cache"), "-f", "json", "-o", out)
		if res.code != 1 || res.stdout != "" {
			t.Errorf("%s: exit code %d\n%s", out, res.code, res.stderr)
		}
	}
}
