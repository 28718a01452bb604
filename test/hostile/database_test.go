//go:build linux

package hostile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// judged scans a package with a known vulnerability, with a database, and gives what
// it says. It must be the truth, or an error.
func judged(t *testing.T, r *room, db, image string) (ok bool) {
	t.Helper()
	args := []string{"scan", image, "--offline", "-f", "jsonl", "--db", db, "--cache-dir", r.path("cache"), "--now", "2026-10-01T00:00:00Z"}
	res := r.run(args...)
	switch {
	case res.code == 1 && strings.Contains(res.stderr, "bulwark: error: ") && strings.Contains(res.stderr, "bulwark: hint: "):
		return false
	case res.code == 0 && strings.Contains(res.stdout, "DEBIAN-CVE-2023-45853") && strings.Contains(res.stdout, `"complete":true`):
		return true
	case res.code == 0 && strings.Contains(res.stdout, `"complete":false`) && strings.Contains(res.stdout, "not trusted"):
		return false
	}
	t.Errorf("exit code %d, neither the truth nor an error\n%.800s%.1500s", res.code, res.stderr, res.stdout)
	return false
}

func zlib() []file {
	return []file{{name: "etc/os-release", text: osRelease}, {name: "var/lib/dpkg/status",
		text: "Package: zlib1g\nSource: zlib\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2.13.dfsg-1\n\n"}}
}

// TestDamagedDatabase cuts and changes the database: never a wrong clean answer.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(database)
	check(t, err)
	r := newRoom(t)
	image := r.put("zlib.tar", archive(t, tarBytes(t, zlib()...)))
	if !judged(t, r, database, image) {
		t.Fatal("the whole database does not tell the truth")
	}
	for i := range 40 {
		n := len(whole) * i / 40
		if judged(t, r, r.put(fmt.Sprint("cut", n), whole[:n]), image) {
			t.Errorf("%d of %d bytes are taken for whole", n, len(whole))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		at := random.IntN(len(whole))
		judged(t, r, r.put(fmt.Sprint("bit", at), flip(whole, at)), image)
	}
	for _, size := range []int{512, 4096, 16384} { // pages that were never written
		for range 6 {
			at := random.IntN(len(whole))
			holed := bytes.Clone(whole)
			clear(holed[at:min(len(holed), at+size)])
			judged(t, r, r.put(fmt.Sprint("hole", at), holed), image)
		}
	}
	judged(t, r, r.put("longer", append(bytes.Clone(whole), make([]byte, 5000)...)), image)
	judged(t, r, r.put("twice", append(bytes.Clone(whole), whole...)), image)
}

// TestNoDatabase: what is no database is refused with what to do.
func TestNoDatabase(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	image := r.put("zlib.tar", archive(t, tarBytes(t, zlib()...)))
	check(t, os.Mkdir(r.path("in", "folder"), 0o755))
	for name, db := range map[string]string{
		"empty": r.put("empty", nil), "text": r.put("text", []byte("hello")), "json": r.put("json", []byte("{}")),
		"folder": r.path("in", "folder"), "zeros": r.put("zeros", make([]byte, 1<<20)), "device": "/dev/zero",
	} {
		for _, args := range [][]string{{"scan", image, "--offline", "--db", db, "--cache-dir", r.path("cache")}, {"db", "info", "--db", db}} {
			if res := r.run(args...); res.code != 1 || !strings.Contains(res.stderr, "bulwark: hint: ") {
				t.Errorf("%s %s: exit code %d\n%s", name, args[0], res.code, res.stderr)
			}
		}
	}
	// That there is none is told, and the scan goes on.
	res := r.run("scan", image, "--offline", "--require-complete", "-f", "jsonl", "--cache-dir", r.path("cache"))
	if res.code != 4 || !strings.Contains(res.stderr, "bulwark db update") {
		t.Errorf("without a database: exit code %d\n%s", res.code, res.stderr)
	}
}

// TestBadFacts builds databases of what is no OSV data.
func TestBadFacts(t *testing.T) {
	t.Parallel()
	record := `{"id":"X-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}`
	all := jar(t, file{name: "X-1.json", text: record})
	for _, tt := range []struct {
		name, file string
		data       []byte
	}{
		{"truncated zip", "Debian/all.zip", all[:len(all)/2]},
		{"corrupt zip", "Debian/all.zip", flip(all, 60)},
		{"no zip", "Debian/all.zip", []byte("<html>")},
		{"empty zip", "Debian/all.zip", nil},
		{"bomb", "Debian/all.zip", overlapping(t, 60_000, 20<<20, "X-%d.json")},
		{"large record", "Debian/all.zip", jar(t, file{name: "X-1.json", zeros: 440 << 20})},
		{"no JSON", "Debian/x.json", []byte("{")},
		{"wrong types", "Debian/x.json", []byte(`{"id":7,"affected":"x"}`)},
		{"deep", "Debian/x.json", []byte(strings.Repeat(`{"affected":[`, 1_000_000))},
		{"nothing", "Debian/readme", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			r.put("osv/"+tt.file, tt.data)
			out := r.path("out", "facts.db")
			res := r.run("db", "build", "--osv", r.path("in", "osv"), "-o", out)
			if res.code != 1 || !strings.HasPrefix(res.stderr, "bulwark: error: ") {
				t.Errorf("exit code %d\n%s", res.code, res.stderr)
			}
			if left, err := os.ReadDir(r.path("out")); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}
