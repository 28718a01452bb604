package rpm

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/rpm/sqlite"
)

// need finds a tool, or skips where the machine does not have it; CI has them all.
func need(t *testing.T, tool, debian string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed (Debian package %s)", tool, debian)
	}
	t.Skipf("%s is not installed (Debian package %s)", tool, debian)
}

func run(t *testing.T, stdin string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+t.TempDir())
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.Bytes())
	}
	return string(out)
}

const spec = `Name: demo
Epoch: 2
Version: 1.2.3~rc1
Release: 4.el9
Summary: demo
License: MIT AND Apache-2.0
ModularityLabel: demo:1.2:20240101:abcd
%description
demo
%package libs
Summary: libs
BuildArch: noarch
%description libs
libs
%install
mkdir -p %{buildroot}/usr/share/demo/sub %{buildroot}/usr/lib/demo
for i in $(seq 1 3000); do : > %{buildroot}/usr/share/demo/sub/file-$i.txt; done
echo x > %{buildroot}/usr/lib/demo/x.py
echo y > %{buildroot}/usr/lib/demo/settings.py
%files
%dir /usr/share/demo
/usr/share/demo/sub
%files libs
/usr/lib/demo/x.py
%config /usr/lib/demo/settings.py
`

// realDatabase lets rpm build two packages and enter them in a database of its own.
func realDatabase(t *testing.T) string {
	need(t, "rpm", "rpm")
	need(t, "rpmbuild", "rpm")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "demo.spec"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "", "rpmbuild", "--define", "_topdir "+dir, "--define", "__spec_install_post %{nil}", "-bb", filepath.Join(dir, "demo.spec"))
	built, err := filepath.Glob(filepath.Join(dir, "RPMS", "*", "*.rpm"))
	if err != nil || len(built) != 2 {
		t.Fatalf("rpmbuild left %q, %v", built, err)
	}
	db := filepath.Join(dir, "db")
	run(t, "", "rpm", append([]string{"--dbpath", db, "--define", "_db_backend sqlite", "-i", "--justdb", "--nodeps", "--ignorearch", "--ignoreos"}, built...)...)
	return db
}

const query = `%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH} %{SOURCERPM} %{LICENSE} %{MODULARITYLABEL}\n`

// compare holds what the extractor reads against what rpm says about the same database.
func compare(t *testing.T, db, backend, name string) {
	t.Helper()
	asked := func(args ...string) []string {
		out := run(t, "", "rpm", append([]string{"--dbpath", db, "--define", "_db_backend " + backend, "-qa"}, args...)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		slices.Sort(lines)
		return lines
	}
	content, err := os.ReadFile(filepath.Join(db, name))
	if err != nil {
		t.Fatal(err)
	}
	facts, err := New().Extract(t.Context(), file("var/lib/rpm/"+name, content))
	if err != nil {
		t.Fatal(err)
	}
	var packages, paths, sums []string
	for _, p := range facts.Packages {
		_, version, _ := strings.Cut(p.Source.Version, ":")
		packages = append(packages, fmt.Sprintf("%s %s %s %s-%s.src.rpm %s %s", p.Name, p.Version, p.Arch,
			p.Source.Name, version, p.Licenses[0], strings.TrimPrefix(p.PURL, "?rpmmod=")))
	}
	for _, r := range facts.Recorded {
		for i, p := range r.Paths {
			sums = append(sums, fmt.Sprintf("%x /%s", r.Digests[i][:7], p))
		}
	}
	slices.Sort(sums)
	var wantSums []string
	for _, l := range asked("--qf", `[%{FILEDIGESTS} %{FILENAMES}\n]`) {
		if sum, p, _ := strings.Cut(l, " "); len(sum) == 64 && bulwark.MayRun(p[1:]) && p != "/usr/lib/demo/settings.py" {
			wantSums = append(wantSums, sum[:14]+" "+p)
		}
	}
	slices.Sort(wantSums)
	if diff := cmp.Diff(wantSums, sums); diff != "" || len(sums) == 0 {
		t.Errorf("digests (-rpm +ours):\n%s", diff)
	}
	for _, o := range facts.Owned {
		for _, p := range o.Paths {
			paths = append(paths, "/"+p)
		}
	}
	slices.Sort(packages)
	slices.Sort(paths)
	if diff := cmp.Diff(asked("--qf", query), packages); diff != "" {
		t.Errorf("packages (-rpm +ours):\n%s", diff)
	}
	files := slices.DeleteFunc(asked("--qf", `[%{FILEMODES:perms} %{FILENAMES}\n]`), func(l string) bool { return l[0] == 'd' })
	for i, l := range files {
		_, files[i], _ = strings.Cut(l, " ")
	}
	slices.Sort(files)
	if diff := cmp.Diff(files, paths); diff != "" {
		t.Errorf("files (-rpm +ours):\n%s", diff)
	}
}

func TestRealSQLite(t *testing.T) {
	compare(t, realDatabase(t), "sqlite", "rpmdb.sqlite")
}

// TestRealBerkeleyDB lets Berkeley DB itself write rpm's headers, and rpm read them.
func TestRealBerkeleyDB(t *testing.T) {
	need(t, "db5.3_load", "db5.3-util")
	real := realDatabase(t)
	content, err := os.ReadFile(filepath.Join(real, "rpmdb.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	dump := "VERSION=3\nformat=bytevalue\ntype=hash\nHEADER=END\n 00000000\n 02000000\n"
	n := 0
	if err := db.Blobs("Packages", func(blob []byte) error {
		n++
		dump += fmt.Sprintf(" %02x000000\n %s\n", n, hex.EncodeToString(blob))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	old := t.TempDir()
	run(t, dump+"DATA=END\n", "db5.3_load", "-f", "/dev/stdin", filepath.Join(old, "Packages"))
	if err := os.WriteFile(filepath.Join(old, "Name"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	compare(t, old, "bdb_ro", "Packages")
}
