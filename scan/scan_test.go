package scan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/scan"
)

// tree is a layer in memory.
type tree struct {
	entries []bulwark.Entry
	data    map[string]string
	err     error
	walks   *int
}

func (t *tree) Walk(_ context.Context, visit func(*bulwark.Entry) error) error {
	if t.walks != nil {
		*t.walks++
	}
	for _, e := range t.entries {
		e.SetPath(e.Path)
		if body, ok := t.data[e.Path]; ok && e.Mode.IsRegular() && !e.Hard {
			e.Size, e.Body = int64(len(body)), strings.NewReader(body)
		}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return t.err
}

// files makes a layer: "name" is a file, "dir/" a folder, "a -> b" a symbolic and "a => b"
// a hard link. A file's content is its name unless it is "name=content".
func files(names ...string) *tree {
	t := &tree{data: map[string]string{}}
	for _, n := range names {
		var e bulwark.Entry
		if a, b, ok := strings.Cut(n, " -> "); ok {
			e.Path, e.Link, e.Mode = a, b, fs.ModeSymlink|0o777
		} else if a, b, ok := strings.Cut(n, " => "); ok {
			e.Path, e.Link, e.Hard, e.Mode = a, b, true, 0o644
		} else if strings.HasSuffix(n, "/") {
			e.Path, e.Mode = strings.TrimSuffix(n, "/"), fs.ModeDir|0o755
		} else {
			name, content, ok := strings.Cut(n, "=")
			if !ok {
				content = name
			}
			e.Path, e.Mode = name, 0o644
			t.data[name] = content
		}
		t.entries = append(t.entries, e)
	}
	return t
}

// image makes a target of layers, the lowest first.
func image(layers ...*tree) *bulwark.Target {
	t := &bulwark.Target{Asset: bulwark.Asset{ID: "image:x", Kind: "image", Name: "x"}, Absolute: true, Image: &bulwark.Image{}}
	for i, l := range layers {
		id := fmt.Sprintf("sha256:%d", i)
		t.Layers = append(t.Layers, bulwark.Layer{Index: i, DiffID: id, Identity: "blob" + id, Tree: l})
	}
	return t
}

// textExtractor reports the content of *.pkg files as a package, one for each line of *.db.
type textExtractor struct{ fail func(path string) error }

func (*textExtractor) Info() bulwark.Info { return bulwark.Info{Name: "extract/text", Version: 1} }

func (*textExtractor) Wants(f *bulwark.FileInfo) bool {
	return slices.Contains([]string{".pkg", ".db", ".owns", ".program"}, path.Ext(f.Base))
}

func (x *textExtractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	if x.fail != nil {
		if err := x.fail(f.Path); err != nil {
			return bulwark.Facts{}, err
		}
	}
	data, err := io.ReadAll(f.Reader())
	if err != nil {
		return bulwark.Facts{}, err
	}
	var facts bulwark.Facts
	if path.Ext(f.Base) == ".owns" {
		return bulwark.Facts{Owned: []bulwark.Owned{{Package: strings.TrimSuffix(f.Base, ".owns"), Paths: strings.Fields(string(data))}}}, nil
	}
	for _, line := range strings.Fields(string(data)) {
		p := bulwark.Package{Name: line, PURL: "pkg:generic/" + line}
		if path.Ext(f.Base) == ".db" {
			p.Format = "deb"
		}
		if path.Ext(f.Base) == ".program" {
			p.Format = "generic"
		}
		facts.Packages = append(facts.Packages, p)
	}
	return facts, nil
}

func run(t *testing.T, s *scan.Scanner, target *bulwark.Target) (*bulwark.Report, *scan.Result) {
	t.Helper()
	if s.Extractors == nil {
		s.Extractors = []bulwark.Extractor{&textExtractor{}}
	}
	var report bulwark.Report
	res, err := s.Scan(t.Context(), []scan.Job{{Ref: "x", Open: func(context.Context) (*bulwark.Target, error) { return target, nil }}}, &report)
	if err != nil {
		t.Fatal(err)
	}
	return &report, res
}

// lines gives "path package layer" of every package.
func lines(r *bulwark.Report) []string {
	var out []string
	for _, p := range r.Packages {
		out = append(out, fmt.Sprintf("%s %s %s", p.Path, p.Name, strings.TrimPrefix(p.Layer, "sha256:")))
	}
	slices.Sort(out)
	return out
}

func TestMerge(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layers []*tree
		want   []string
	}{
		{"upper replaces", []*tree{files("a.pkg=old", "b.pkg=b"), files("a.pkg=new")}, []string{"/a.pkg new 1", "/b.pkg b 0"}},
		{"whiteout of a file", []*tree{files("d/a.pkg=a", "d/b.pkg=b"), files("d/.wh.a.pkg")}, []string{"/d/b.pkg b 0"}},
		{"whiteout of a folder", []*tree{files("d/e/a.pkg=a"), files(".wh.d")}, nil},
		{"whiteout and new content", []*tree{files("d/a.pkg=a"), files(".wh.d", "d/b.pkg=b")}, []string{"/d/b.pkg b 1"}},
		{"whiteout does not reach above", []*tree{files(".wh.a.pkg"), files("a.pkg=a")}, []string{"/a.pkg a 1"}},
		{"opaque folder", []*tree{files("d/a.pkg=a", "d/e/b.pkg=b", "c.pkg=c"), files("d/.wh..wh..opq", "d/n.pkg=n")}, []string{"/c.pkg c 0", "/d/n.pkg n 1"}},
		{"aufs's own files remove nothing", []*tree{files("d/a.pkg=a"), files("d/.wh..wh.plnk")}, []string{"/d/a.pkg a 0"}},
		{"folder replaced by a file", []*tree{files("d/a.pkg=a"), files("d=x")}, nil},
		{"folder replaced by a link", []*tree{files("d/a.pkg=a", "e/b.pkg=b"), files("d -> e")}, []string{"/e/b.pkg b 0"}},
		{"file replaced by a folder", []*tree{files("a.pkg=a"), files("a.pkg/")}, nil},
		{"folder entry replaces nothing", []*tree{files("d/", "d/a.pkg=a"), files("d/", "d/b.pkg=b")}, []string{"/d/a.pkg a 0", "/d/b.pkg b 1"}},
		{"through a lower link", []*tree{files("lib -> usr/lib", "usr/lib/a.pkg=old"), files("lib/a.pkg=new")}, []string{"/usr/lib/a.pkg new 1"}},
		{"absolute link", []*tree{files("lib -> /usr/lib", "usr/lib/a.pkg=old"), files("lib/a.pkg=new")}, []string{"/usr/lib/a.pkg new 1"}},
		{"removed through a lower link", []*tree{files("lib -> usr/lib", "usr/lib/a.pkg=old"), files("lib/.wh.a.pkg")}, nil},
		{"link replaced by a folder", []*tree{files("lib -> usr/lib", "usr/lib/a.pkg=old"), files("lib/", "lib/a.pkg=new")}, []string{"/lib/a.pkg new 1", "/usr/lib/a.pkg old 0"}},
		{"link out of the image stays in", []*tree{files("lib -> ../../../etc"), files("lib/a.pkg=a")}, []string{"/etc/a.pkg a 1"}},
		{"looping links", []*tree{files("a -> b", "b -> a"), files("a/x.pkg=x")}, []string{"/a/x.pkg x 1"}},
		{"link up and back", []*tree{files("lib -> opt/../usr/lib", "opt -> srv/deep/opt", "srv/deep/usr/lib/"), files("lib/a.pkg=a")}, []string{"/srv/deep/usr/lib/a.pkg a 1"}},
		{"links one behind the other", []*tree{files("a -> b", "b -> c", "c -> d"), files("a/x.pkg=old", "b/y.pkg=y"), files("c/x.pkg=new", "d/.wh.y.pkg")}, []string{"/d/x.pkg new 2"}},
		{"link to the root", []*tree{files("all -> /", "a.pkg=a", "d/b.pkg=b"), files("all/c.pkg=c", "all/.wh.a.pkg", "all/d/.wh..wh..opq")}, []string{"/c.pkg c 1"}},
		{"removed by way of two links", []*tree{files("l -> usr", "m -> usr", "usr/a.pkg=a", "usr/b.pkg=b", "usr/c.pkg=c"), files("l/.wh.a.pkg", "m/.wh.b.pkg")}, []string{"/usr/c.pkg c 0"}},
		{"folder of a link made opaque", []*tree{files("l -> usr", "usr/a.pkg=a", "b.pkg=b"), files("l/.wh..wh..opq")}, []string{"/b.pkg b 0"}},
		{"link that is gone", []*tree{files("l -> usr", "usr/a.pkg=a"), files(".wh.l"), files("l/a.pkg=new")}, []string{"/l/a.pkg new 2", "/usr/a.pkg a 0"}},
		{"link that another replaces", []*tree{files("l -> a"), files("l/x.pkg=1"), files("l -> b"), files("l/x.pkg=3")}, []string{"/a/x.pkg 1 1", "/b/x.pkg 3 3"}},
		{"link in a folder that is gone", []*tree{files("a/b/l -> /usr", "a/m -> /usr", "a/n -> /usr"), files("a/b/l/x.pkg=x"), files("a/.wh.b", "a/m"), files("a/b/l/y.pkg=y", "a/m/y.pkg=m", "a/n/n.pkg=n"), files("a/.wh..wh..opq", "a/n/z.pkg=z")}, []string{"/a/n/z.pkg z 4", "/usr/n.pkg n 3", "/usr/x.pkg x 1"}},
		{"names like the folder's", []*tree{files("d/a.pkg=a", "d-e/a.pkg=b", "d.pkg=c", "d/e/a.pkg=d"), files(".wh.d")}, []string{"/d-e/a.pkg b 0", "/d.pkg c 0"}},
		{"a lower file after an upper one", []*tree{files("d/e/z.pkg=z", "d/e/y.pkg=y"), files("d/e/a.pkg=a"), files("d/e/.wh.z.pkg", "d/e/.wh.a.pkg")}, []string{"/d/e/y.pkg y 0"}},
		{"hard link to bytes seen", []*tree{files("a.pkg=a", "b.pkg => a.pkg")}, []string{"/a.pkg a 0", "/b.pkg a 0"}},
		{"hard link to bytes not seen", []*tree{files("store/77=s", "b.pkg => store/77", "c.pkg => store/77")}, []string{"/b.pkg s 0", "/c.pkg s 0"}},
		{"hard link under a name of no interest", []*tree{files("a.pkg=a", "store/77 => a.pkg")}, []string{"/a.pkg a 0"}},
		{"hard link to a lower layer", []*tree{files("a.pkg=a"), files("b.pkg => a.pkg"), files("c.pkg => b.pkg")}, []string{"/a.pkg a 0", "/b.pkg a 1", "/c.pkg a 2"}},
		{"hard link that outlives its file", []*tree{files("a.pkg=a"), files("b.pkg => a.pkg"), files(".wh.a.pkg")}, []string{"/b.pkg a 1"}},
		{"hard link to what is gone", []*tree{files("a.pkg=a"), files(".wh.a.pkg"), files("b.pkg => a.pkg")}, nil},
		{"the later of two names in a layer", []*tree{files("a.pkg=one", "a.pkg=two")}, []string{"/a.pkg two 0"}},
		{"database keeps the layer of each package", []*tree{files("s.db=a b"), files("s.db=a b c"), files("s.db=a c d")}, []string{"/s.db a 0", "/s.db c 1", "/s.db d 2"}},
		{"database: removed and installed again", []*tree{files("s.db=a b"), files("s.db=b"), files("s.db=a b")}, []string{"/s.db a 2", "/s.db b 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, inspectors := range [][]bulwark.Inspector{nil, {&idle{}}} {
				for _, state := range []string{"cold", "warm"} {
					cache, err := scan.OpenCache(dir)
					if err != nil {
						t.Fatal(err)
					}
					report, _ := run(t, &scan.Scanner{Cache: cache, Inspectors: inspectors}, image(tt.layers...))
					if diff := cmp.Diff(tt.want, lines(report)); diff != "" {
						t.Errorf("%s, with %d inspectors (-want +got):\n%s", state, len(inspectors), diff)
					}
				}
			}
		})
	}
}

// idle wants every file and finds nothing in any.
type idle struct{}

func (*idle) Info() bulwark.Info                   { return bulwark.Info{Name: "extract/idle", Version: 1} }
func (*idle) Begin(*bulwark.FileInfo) bulwark.Sink { return &idle{} }
func (*idle) Write(p []byte) (int, error)          { return len(p), nil }
func (*idle) Close() (bulwark.Facts, error)        { return bulwark.Facts{}, nil }

// TestMergeMany: what holds for a few layers holds for hundreds that have something in the same folders.
func TestMergeMany(t *testing.T) {
	var layers []*tree
	var want []string
	for i := range 300 {
		names := []string{"l -> d"}[:1-min(i, 1)]
		for j := range 60 {
			names = append(names, fmt.Sprintf("d/%d/%d.pkg=x", i, j), fmt.Sprintf("d/s/%d-%d.pkg=x", i, j))
			if i > 0 && j%3 == 0 { // of the layer below one is gone by its name, one by way of the link
				names = append(names, fmt.Sprintf("d/%d/.wh.%d.pkg", i-1, j), fmt.Sprintf("l/s/.wh.%d-%d.pkg", i-1, j))
			}
			if j%3 != 0 || i == 299 {
				want = append(want, fmt.Sprintf("/d/%d/%d.pkg x %d", i, j, i), fmt.Sprintf("/d/s/%d-%d.pkg x %d", i, j, i))
			}
		}
		layers = append(layers, files(names...))
	}
	slices.Sort(want)
	report, _ := run(t, &scan.Scanner{}, image(layers...))
	if diff := cmp.Diff(want, lines(report)); diff != "" {
		t.Errorf("(-want +got):\n%.2000s", diff)
	}
	if !report.Summary.Complete {
		t.Errorf("not complete: %+v", report.Notes)
	}
}

func TestOwnedBy(t *testing.T) {
	layer := files("usr/lib/x.pkg=x", "opt/y.pkg=y", "usr/bin/z.program=z", "opt/w.program=w", "libx.owns=lib/x.pkg opt/other usr/bin/z.program")
	report, _ := run(t, &scan.Scanner{}, image(layer))
	got := map[string]string{}
	for _, p := range report.Packages {
		got[p.Name] = p.OwnedBy
	}
	if diff := cmp.Diff(map[string]string{"x": "libx", "y": "", "w": ""}, got); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func TestCache(t *testing.T) {
	cache, err := scan.OpenCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	walks := 0
	layer := files("a.pkg=a")
	layer.walks = &walks
	for range 3 {
		run(t, &scan.Scanner{Cache: cache}, image(layer))
	}
	if walks != 1 {
		t.Errorf("the layer was read %d times, want once", walks)
	}
	run(t, &scan.Scanner{Cache: cache, Exclude: []string{"**/*.x"}}, image(layer))
	if walks != 2 {
		t.Errorf("other settings used the results of the first")
	}
	// An image that claims the diffID of clean bytes for bytes of its own is read.
	claim := image(files("evil.pkg=evil"))
	claim.Layers[0].Identity = "other blob"
	report, _ := run(t, &scan.Scanner{Cache: cache}, claim)
	if diff := cmp.Diff([]string{"/evil.pkg evil 0"}, lines(report)); diff != "" {
		t.Errorf("claimed diffID (-want +got):\n%s", diff)
	}
}

func TestCacheDamaged(t *testing.T) {
	dir := t.TempDir()
	scanOnce := func() []string {
		cache, err := scan.OpenCache(dir)
		if err != nil {
			t.Fatal(err)
		}
		report, _ := run(t, &scan.Scanner{Cache: cache}, image(files("a.pkg=a", "l -> b")))
		return lines(report)
	}
	want := scanOnce()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.WriteFile(p, []byte("damaged"), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, scanOnce()); diff != "" {
		t.Errorf("with a damaged cache (-want +got):\n%s", diff)
	}
}

// TestCacheTidy: what nobody asked for in a long time goes, what serves stays.
func TestCacheTidy(t *testing.T) {
	dir := t.TempDir()
	cache, err := scan.OpenCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	look := func(l *tree) {
		target := image(l)
		target.Layers[0].DiffID, target.Layers[0].Identity = l.entries[0].Path, l.entries[0].Path
		run(t, &scan.Scanner{Cache: cache}, target)
	}
	old, used := files("old.pkg=a"), files("used.pkg=b")
	look(old)
	look(used)
	long := time.Now().AddDate(0, 0, -40)
	stray := filepath.Join(dir, "layers", "an older version")
	if err := os.Mkdir(stray, 0o700); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(outside, nil, 0o600), os.Symlink(filepath.Dir(outside), filepath.Join(dir, "layers", "link")), os.Chtimes(outside, long, long)); err != nil {
		t.Fatal(err)
	}
	kept := func(each func(name string) error) (n int) {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if d.Type().IsRegular() && d.Name() != "tidied" {
				n++
				return each(name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := kept(func(name string) error { return os.Chtimes(name, long, long) })
	if err := os.Chtimes(filepath.Join(dir, "tidied"), long, long); err != nil {
		t.Fatal(err)
	}
	look(used)               // serves, and so stays
	look(files("new.pkg=c")) // is kept, which is when the rest is looked through
	// What was kept of one image went, and that of another came.
	if after := kept(func(string) error { return nil }); after != before {
		t.Errorf("%d files, then %d", before, after)
	}
	for want, l := range []*tree{used, old} {
		walks := 0
		l.walks = &walks
		if look(l); walks != want {
			t.Errorf("walked %d times, want %d", walks, want)
		}
	}
	if _, err := os.Stat(stray); err == nil {
		t.Error("an empty folder is still there")
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error("followed a link and removed what it leads to")
	}
}

func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			cache, err := scan.OpenCache(dir)
			if err != nil {
				t.Error(err)
				return
			}
			report, _ := run(t, &scan.Scanner{Cache: cache}, image(files("a.pkg=a"), files("b.pkg=b")))
			if len(report.Packages) != 2 {
				t.Errorf("%d packages, want 2", len(report.Packages))
			}
		})
	}
	wg.Wait()
}

func TestBase(t *testing.T) {
	cache, err := scan.OpenCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &scan.Scanner{Cache: cache}
	base := image(files("a.pkg=a"))
	base.Asset.Name = "debian:12"
	run(t, s, base)
	report, _ := run(t, s, image(files("a.pkg=a"), files("b.pkg=b")))
	for _, p := range report.Packages {
		if p.FromBase != (p.Name == "a") {
			t.Errorf("package %s: fromBase %v", p.Name, p.FromBase)
		}
	}
	if got := report.Assets[0].Labels["base"]; got != "debian:12" {
		t.Errorf("base %q, want the image that was scanned before", got)
	}
	if part := report.Assets[1].Labels["part"]; part != "base" {
		t.Errorf("the lowest layer is part %q, want base", part)
	}
	report, _ = run(t, &scan.Scanner{Bases: []scan.Base{{Name: "other", DiffIDs: []string{"sha256:9"}}}}, image(files("a.pkg=a")))
	if len(report.Notes) != 1 || !strings.Contains(report.Notes[0].Text, "not built on other") {
		t.Errorf("notes %+v, want one about the base that it is not built on", report.Notes)
	}
	named := &scan.Scanner{Bases: []scan.Base{{Name: "mine", DiffIDs: []string{"sha256:0"}}}}
	report, _ = run(t, named, image(files("a.pkg=a"), files("b.pkg=b")))
	if got := report.Assets[0].Labels["base"]; got != "mine" {
		t.Errorf("base %q, want the one that was named", got)
	}
}

func TestFailures(t *testing.T) {
	fail := &textExtractor{fail: func(p string) error {
		switch p {
		case "bad.pkg":
			return bulwark.ErrMalformed
		case "panic.pkg":
			panic("index out of range")
		}
		return nil
	}}
	report, _ := run(t, &scan.Scanner{Extractors: []bulwark.Extractor{fail}}, image(files("bad.pkg", "panic.pkg", "good.pkg=g")))
	if diff := cmp.Diff([]string{"/good.pkg g 0"}, lines(report)); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if report.Summary.Complete || len(report.Notes) != 2 || report.Notes[0].Path != "/bad.pkg" {
		t.Errorf("summary %+v, notes %+v; want incomplete and a note for each file", report.Summary, report.Notes)
	}
}

func TestLayerErrors(t *testing.T) {
	untrusted := files("evil.pkg=evil")
	untrusted.err = fmt.Errorf("digest: %w", bulwark.ErrUntrusted)
	cut := files("half.pkg=h")
	cut.err = fmt.Errorf("tar: %w", bulwark.ErrMalformed)
	report, _ := run(t, &scan.Scanner{}, image(files("a.pkg=a"), untrusted, cut))
	if diff := cmp.Diff([]string{"/a.pkg a 0", "/half.pkg h 2"}, lines(report)); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if report.Summary.Complete || len(report.Notes) != 2 {
		t.Errorf("complete %v, notes %+v; want two notes and incomplete", report.Summary.Complete, report.Notes)
	}
	_, res := run(t, &scan.Scanner{}, image(untrusted))
	if res.Opened != 0 || len(res.Failed) != 1 || !errors.Is(res.Failed[0], bulwark.ErrUntrusted) {
		t.Errorf("opened %d, failed %v; want the one layer's error", res.Opened, res.Failed)
	}
}

// unreadable is a file on disk that may not be read.
type unreadable struct{}

func (unreadable) Read([]byte) (int, error)          { return 0, bulwark.ErrUnavailable }
func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, bulwark.ErrUnavailable }

func TestUnreadableFile(t *testing.T) {
	layer := files("a.pkg=a", "z.pkg=z")
	secret := bulwark.Entry{FileInfo: bulwark.FileInfo{Path: "m.pkg", Size: 5, Mode: 0o600}, Body: unreadable{}, At: unreadable{}}
	layer.entries = slices.Insert(layer.entries, 1, secret)
	report, _ := run(t, &scan.Scanner{}, image(layer))
	if diff := cmp.Diff([]string{"/a.pkg a 0", "/z.pkg z 0"}, lines(report)); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if len(report.Notes) != 1 || report.Notes[0].Path != "/m.pkg" || report.Summary.Complete {
		t.Errorf("notes %+v, want one about the file, and incomplete", report.Notes)
	}
}

func TestOddName(t *testing.T) {
	layer := files("a.pkg=a")
	layer.entries[0].Odd = fmt.Errorf("its name leads out: %w", bulwark.ErrMalformed)
	report, _ := run(t, &scan.Scanner{}, image(layer))
	if len(report.Packages) != 1 || len(report.Notes) != 1 || report.Notes[0].Path != "/a.pkg" || !report.Summary.Complete {
		t.Errorf("%d packages, notes %+v; want the file read, a note about its name, and complete", len(report.Packages), report.Notes)
	}
}

func TestMemoryBudget(t *testing.T) {
	big := files("big.pkg="+strings.Repeat("x", 1000), "a.pkg=a")
	report, _ := run(t, &scan.Scanner{Memory: 100}, image(big))
	if diff := cmp.Diff([]string{"/a.pkg a 0"}, lines(report)); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if len(report.Notes) != 1 || !strings.Contains(report.Notes[0].Text, bulwark.ErrLimit.Error()) {
		t.Errorf("notes %+v, want one about the limit", report.Notes)
	}
}

// counter is an inspector that wants everything up to a number of bytes.
type counter struct{ upTo int }

func (*counter) Info() bulwark.Info                     { return bulwark.Info{Name: "extract/counter", Version: 1} }
func (c *counter) Begin(*bulwark.FileInfo) bulwark.Sink { return &count{upTo: c.upTo} }

type count struct{ upTo, got int }

func (c *count) Write(p []byte) (int, error) {
	c.got += len(p)
	if c.got >= c.upTo {
		return len(p), bulwark.ErrSkip
	}
	return len(p), nil
}

func (c *count) Close() (bulwark.Facts, error) {
	return bulwark.Facts{Packages: []bulwark.Package{{Name: fmt.Sprint(c.got)}}}, nil
}

func TestInspector(t *testing.T) {
	s := &scan.Scanner{Inspectors: []bulwark.Inspector{&counter{upTo: 300 << 10}}}
	report, _ := run(t, s, image(files("big="+strings.Repeat("x", 1<<20), "small=abc", "both.pkg=p")))
	want := []string{"/big 524288 0", "/both.pkg 1 0", "/both.pkg p 0", "/small 3 0"}
	if diff := cmp.Diff(want, lines(report)); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
}

// programs is an inspector of large files, except libraries.
type programs struct{ counter }

func (p *programs) Begin(f *bulwark.FileInfo) bulwark.Sink {
	if f.Size < 64<<10 || path.Ext(f.Base) == ".so" {
		return nil
	}
	return p.counter.Begin(f)
}

func TestLinksOfSmallProgramsNeedNoSecondWalk(t *testing.T) {
	large := strings.Repeat("x", 64<<10)
	for _, tt := range []struct {
		name  string
		layer *tree
		skip  []string
		walks int
		want  []string
	}{
		{"small", files("perlbug=s", "perlthanks => perlbug"), nil, 1, nil},
		{"large", files("perl="+large, "perl5 => perl"), nil, 1, []string{"/perl 65536 0", "/perl5 65536 0"}},
		{"another name is wanted", files("a.so="+large, "a => a.so"), nil, 2, []string{"/a 65536 0"}},
		{"first name is not looked at", files("a="+large, "b => a"), []string{"a"}, 2, []string{"/b 65536 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			walks := 0
			tt.layer.walks = &walks
			s := &scan.Scanner{Exclude: tt.skip, Inspectors: []bulwark.Inspector{&programs{counter{upTo: 1 << 20}}}}
			report, _ := run(t, s, image(tt.layer))
			if diff := cmp.Diff(tt.want, lines(report)); diff != "" || walks != tt.walks {
				t.Errorf("%d walks, want %d; packages (-want +got):\n%s", walks, tt.walks, diff)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := scan.Scanner{Extractors: []bulwark.Extractor{&textExtractor{fail: func(string) error { cancel(); return nil }}}}
	var report bulwark.Report
	_, err := s.Scan(ctx, []scan.Job{{Ref: "x", Open: func(context.Context) (*bulwark.Target, error) {
		return image(files("a.pkg=a", "b.pkg=b")), nil
	}}}, &report)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestOneTargetFails(t *testing.T) {
	s := scan.Scanner{Extractors: []bulwark.Extractor{&textExtractor{}}}
	var report bulwark.Report
	res, err := s.Scan(t.Context(), []scan.Job{
		{Ref: "gone", Open: func(context.Context) (*bulwark.Target, error) { return nil, bulwark.ErrNotFound }},
		{Ref: "x", Open: func(context.Context) (*bulwark.Target, error) { return image(files("a.pkg=a")), nil }},
	}, &report)
	if err != nil {
		t.Fatal(err)
	}
	if res.Opened != 1 || len(res.Failed) != 1 || len(report.Packages) != 1 || report.Summary.Complete {
		t.Errorf("result %+v, %d packages, complete %v", res, len(report.Packages), report.Summary.Complete)
	}
}

func TestSameTargetTwice(t *testing.T) {
	s := scan.Scanner{Extractors: []bulwark.Extractor{&textExtractor{}}}
	open := func(context.Context) (*bulwark.Target, error) { return image(files("a.pkg=a")), nil }
	var report bulwark.Report
	res, err := s.Scan(t.Context(), []scan.Job{{Ref: "x", Open: open}, {Ref: "y", Open: open}}, &report)
	if err != nil {
		t.Fatal(err)
	}
	if res.Opened != 2 || len(report.Packages) != 1 || len(report.Notes) != 1 {
		t.Errorf("opened %d, %d packages, notes %+v; want it once, and a note", res.Opened, len(report.Packages), report.Notes)
	}
}

func TestSameBytes(t *testing.T) {
	var first bytes.Buffer
	for range 5 {
		report, _ := run(t, &scan.Scanner{}, image(files("b.pkg=b c a", "a.pkg=z y"), files("q.db=1 2 3"), files("w.pkg=w")))
		got := fmt.Sprintf("%+v", lines(report))
		if first.Len() == 0 {
			first.WriteString(got)
		}
		if first.String() != got {
			t.Fatalf("another order: %s and %s", first.String(), got)
		}
	}
}

// leaky finds a secret in every file called key.
type leaky struct{}

func (leaky) Info() bulwark.Info { return bulwark.Info{Name: "test/leaky"} }

func (leaky) Wants(f *bulwark.FileInfo) bool { return f.Base == "key" }

func (leaky) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	b, err := io.ReadAll(f.Reader())
	return bulwark.Facts{Findings: []bulwark.Finding{{Key: string(b), Kind: bulwark.KindSecret, Rule: "secret/test"}}}, err
}

// TestSecretsRemain: layers forget nothing, and one secret in many places is one finding.
func TestSecretsRemain(t *testing.T) {
	target := image(
		files("a/key=one", "b/key=two", "c/key=three", "d/key=four"),
		files("a/.wh.key", "b/key=new", "e/key=three", "etc/Dockerfile"),
	)
	r, _ := run(t, &scan.Scanner{Extractors: []bulwark.Extractor{leaky{}, project{}}}, target)
	var got []string
	for _, f := range r.Findings {
		line := f.Key + fmt.Sprint(f.Tags)
		for _, p := range f.Places {
			line += " " + p.Path + "@" + p.Layer
		}
		got = append(got, line)
	}
	want := []string{
		"four[] /d/key@sha256:0", "new[] /b/key@sha256:1", "one[removed] /a/key@sha256:0",
		"three[] /c/key@sha256:0 /e/key@sha256:1", "two[removed] /b/key@sha256:0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// project looks at the files of projects alone.
type project struct{}

func (project) Info() bulwark.Info { return bulwark.Info{Name: "test/project", Project: true} }

func (project) Wants(f *bulwark.FileInfo) bool { return f.Base == "Dockerfile" }

func (project) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	return bulwark.Facts{
		Findings:  []bulwark.Finding{{Key: "project", Kind: bulwark.KindMisconfig}},
		Documents: []bulwark.Document{{Kind: "dockerfile", Path: f.Path}},
	}, nil
}

// documents tells what documents there are.
type documents struct{ got []string }

func (*documents) Info() bulwark.Info { return bulwark.Info{Name: "test/documents"} }

func (d *documents) Check(_ context.Context, _ *bulwark.Target, inv *bulwark.Inventory, _ func(bulwark.Record)) error {
	for _, doc := range inv.Documents {
		d.got = append(d.got, doc.Kind+" "+doc.Path)
	}
	return nil
}

func TestProject(t *testing.T) {
	d := &documents{}
	target := &bulwark.Target{Asset: bulwark.Asset{ID: "dir:x"}, Layers: []bulwark.Layer{{Tree: files("b/Dockerfile", "Dockerfile")}}}
	r, _ := run(t, &scan.Scanner{Extractors: []bulwark.Extractor{project{}}, Checks: []bulwark.Check{d}}, target)
	if diff := cmp.Diff([]string{"dockerfile Dockerfile", "dockerfile b/Dockerfile"}, d.got); diff != "" || len(r.Findings) != 1 {
		t.Errorf("documents (-want +got):\n%s%v", diff, r.Findings)
	}
}
