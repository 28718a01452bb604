package truth

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// TestImage compares the packages of the big image with what a plain walk over its
// layers and the package managers' own tools say.
func TestImage(t *testing.T) {
	dir := os.Getenv("BULWARK_IMAGES")
	if dir == "" {
		t.Skip("BULWARK_IMAGES names no folder with the big image and its layers")
	}
	need(t, "dpkg-query")
	var report bulwark.Report
	out := run(t, program(t), "scan", filepath.Join(dir, "big.oci"), "--offline", "--no-cache", "--quiet", "-f", "json")
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	w := walk(t, dir)
	for _, tt := range []struct {
		format string
		want   []string
	}{
		{"deb", w.debs(t)}, {"npm", w.npm}, {"gem", w.gems}, {"pypi", w.python},
	} {
		if diff := cmp.Diff(sorted(tt.want), named(&report, tt.format)); diff != "" {
			t.Errorf("%s packages (-walk +bulwark):\n%s", tt.format, diff)
		}
		t.Logf("%s: %d packages", tt.format, len(sorted(tt.want)))
	}
	w.archives(t, &report)
}

// named lists the distinct packages of a format as "name version".
func named(r *bulwark.Report, format string) []string {
	var list []string
	for _, p := range r.Packages {
		if strings.HasPrefix(p.PURL, "pkg:"+format+"/") {
			list = append(list, p.Name+" "+p.Version)
		}
	}
	return sorted(list)
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// walked is what a walk over the layers found. The image's whiteouts remove nothing
// that is counted here.
type walked struct {
	status            []byte
	npm, gems, python []string
	jars              []string
}

func walk(t *testing.T, dir string) *walked {
	w := &walked{}
	for _, name := range []string{"base.tar", "packages.tar", "app.tar"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		r := tar.NewReader(bufio.NewReaderSize(f, 1<<20))
		for {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeReg {
				w.file(t, strings.TrimPrefix(path.Clean(h.Name), "./"), r)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *walked) file(t *testing.T, name string, r io.Reader) {
	base := path.Base(name)
	read := func() []byte {
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	switch {
	case name == "var/lib/dpkg/status":
		w.status = read()
	case base == "package.json":
		w.packageJSON(name, read())
	case path.Ext(name) == ".gemspec" && strings.Contains(name, "/specifications/"):
		gem := strings.TrimSuffix(base, ".gemspec")
		i := strings.LastIndex(gem, "-")
		w.gems = append(w.gems, gem[:i]+" "+gem[i+1:])
	case base == "METADATA" && strings.HasSuffix(path.Dir(name), ".dist-info"),
		base == "PKG-INFO" && strings.HasSuffix(path.Dir(name), ".egg-info"), strings.HasSuffix(base, ".egg-info"):
		data := read()
		w.python = append(w.python, header(data, "Name: ")+" "+header(data, "Version: "))
	case slices.Contains([]string{".jar", ".war", ".ear"}, path.Ext(name)):
		w.jars = append(w.jars, "/"+name)
	}
}

func header(data []byte, key string) string {
	for line := range bytes.Lines(data) {
		if v, ok := strings.CutPrefix(string(line), key); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// packageJSON takes the package.json of a package: below node_modules a name is enough,
// elsewhere it takes a version too.
func (w *walked) packageJSON(name string, data []byte) {
	var p struct{ Name, Version any }
	if json.Unmarshal(data, &p) != nil {
		return
	}
	n, _ := p.Name.(string)
	v, _ := p.Version.(string)
	if n != "" && (v != "" || strings.Contains(name, "node_modules/")) {
		w.npm = append(w.npm, n+" "+v)
	}
}

// debs asks dpkg-query.
func (w *walked) debs(t *testing.T) []string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "status"), w.status, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "info"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := run(t, "dpkg-query", "--admindir", dir, "-W", "-f", "${db:Status-Abbrev}${Package} ${Version}\n")
	var list []string
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "ii "); ok {
			list = append(list, strings.TrimSpace(rest))
		}
	}
	return list
}

// archives wants every Java archive accounted for, once under its own identity.
func (w *walked) archives(t *testing.T, r *bulwark.Report) {
	own, artifacts := map[string]int{}, map[string]bool{}
	for _, p := range r.Packages {
		if !strings.HasPrefix(p.PURL, "pkg:maven/") {
			continue
		}
		artifacts[p.Name+" "+p.Version] = true
		if !strings.Contains(p.Path, "!") {
			own[p.Path]++
		}
	}
	for _, jar := range w.jars {
		if own[jar] != 1 {
			t.Errorf("%s is accounted for %d times, want once", jar, own[jar])
		}
	}
	t.Logf("java: %d archives, %d distinct artifacts", len(w.jars), len(artifacts))
}
