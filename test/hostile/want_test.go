//go:build linux

package hostile

import (
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// want is what a scan of bad input has to tell.
type want struct {
	code     int
	words    string   // in a note, or on stderr when code is 1
	packages []string // "name version", found in spite of it
}

func (w want) check(t *testing.T, res *result) {
	t.Helper()
	if res.code != w.code {
		t.Errorf("exit code %d, want %d\n%.2000s", res.code, w.code, res.stderr)
	}
	if w.code == 1 && (!strings.Contains(res.stderr, w.words) || !strings.HasPrefix(res.stderr, "bulwark: error: ")) {
		t.Errorf("stderr does not say %q:\n%.2000s", w.words, res.stderr)
	}
	if w.words != "" && res.report.Schema != "" && !slices.ContainsFunc(res.report.Notes, func(n bulwark.Note) bool {
		return n.Incomplete && strings.Contains(n.Text, w.words)
	}) {
		t.Errorf("no note says %q: %+v", w.words, res.report.Notes)
	}
	if res.report.Schema != "" && res.report.Summary.Complete != (w.code == 0) {
		t.Errorf("complete is %v with exit code %d: %+v", res.report.Summary.Complete, res.code, res.report.Notes)
	}
	got := packages(&res.report)
	for _, p := range w.packages {
		if !slices.Contains(got, p) {
			t.Errorf("package %q is missing, have %.2000q", p, got)
		}
	}
}

func packages(r *bulwark.Report) []string {
	var list []string
	for _, p := range r.Packages {
		list = append(list, p.Name+" "+p.Version)
	}
	return list
}

// good is the package of the good layer, next the one of a second target.
const good, next = "good 1.0", "next 2.0"

// status is a dpkg database of one package.
func status(name, version string) string {
	return "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " + version + "\nDescription: x\n\n"
}

const osRelease = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian 12\"\n"

// debian are the files of a small distribution.
func debian(pkg string) []file {
	name, version, _ := strings.Cut(pkg, " ")
	return []file{{name: "etc/os-release", text: osRelease}, {name: "var/lib/dpkg/status", text: status(name, version)}}
}

// distroless is one more package for the layer above.
func distroless(pkg string) []file {
	name, version, _ := strings.Cut(pkg, " ")
	return []file{{name: "var/lib/dpkg/status.d/" + name, text: status(name, version)}}
}
