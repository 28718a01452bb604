package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// repo is a repository that the real git makes.
type repo struct {
	t     *testing.T
	dir   string
	hour  int    // of the clock, which goes on with every commit
	input string // of git
}

func newRepo(t *testing.T, args ...string) *repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	r := &repo{t: t, dir: t.TempDir()}
	r.git(append([]string{"init", "-q", "-b", "main", "."}, args...)...)
	return r
}

// git runs git with settings of nobody's.
func (r *repo) git(args ...string) string {
	r.t.Helper()
	out, err := r.try(args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// try runs git, which may fail.
func (r *repo) try(args ...string) (string, error) {
	c := exec.Command("git", append([]string{"-c", "gc.auto=0"}, args...)...)
	date := time.Date(2024, 1, 1, r.hour, 0, 0, 0, time.UTC).Format(time.RFC3339)
	c.Dir, c.Stdin = r.dir, strings.NewReader(r.input)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_AUTHOR_DATE=" + date, "GIT_COMMITTER_DATE=" + date}
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out), err
}

func (r *repo) write(name, text string) {
	r.t.Helper()
	file := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		r.t.Fatal(err)
	}
}

// commit writes files and commits everything.
func (r *repo) commit(files map[string]string) string {
	r.t.Helper()
	for name, text := range files {
		r.write(name, text)
	}
	r.hour++
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", fmt.Sprint("commit ", r.hour))
	return strings.TrimSpace(r.git("rev-parse", "HEAD"))
}

// rich is a repository with everything that histories have.
func rich(t *testing.T) *repo {
	r := newRepo(t)
	random := rand.New(rand.NewPCG(1, 2))
	var lines []string
	for i := range 400 {
		lines = append(lines, fmt.Sprintf("line %d %x", i, random.Uint64()))
	}
	for i := range 30 { // versions that deltas are made of
		lines[random.IntN(len(lines))] = fmt.Sprintf("changed %d", i)
		r.commit(map[string]string{"src/large.txt": strings.Join(lines, "\n"), "count": fmt.Sprint(i)})
	}
	var long strings.Builder
	for range 20_000 {
		fmt.Fprintf(&long, "%016x", random.Uint64())
	}
	r.commit(map[string]string{"long": long.String()})
	r.commit(map[string]string{"long": "new" + long.String()}) // copies of the most that one can be
	r.commit(map[string]string{"a/b/c/deep.txt": "deep", "empty": "", "with space/ä\nb": "odd name", "twice/x": "same", "twice/y": "same"})
	r.git("tag", "light")
	r.git("tag", "-a", "-m", "annotated", "heavy")
	r.git("tag", "-a", "-m", "of a tag", "heavier", "heavy")
	r.git("mv", "a/b/c/deep.txt", "renamed.txt")
	if err := os.Symlink("renamed.txt", filepath.Join(r.dir, "link")); err != nil {
		t.Fatal(err)
	}
	r.commit(nil)
	r.git("checkout", "-q", "-b", "side", "HEAD~3")
	r.commit(map[string]string{"side.txt": "on the side", "src/large.txt": strings.Join(lines[100:], "\n")})
	r.commit(map[string]string{"side.txt": "and again"})
	r.git("checkout", "-q", "main")
	r.commit(map[string]string{"main.txt": "meanwhile"})
	r.hour++
	r.git("merge", "-q", "-s", "ours", "-m", "merge", "side")
	r.git("rm", "-q", "main.txt")
	r.commit(nil)
	r.write("count", "stashed first")
	r.git("stash", "-q")
	r.write("count", "stashed last")
	r.git("stash", "-q")
	r.git("branch", "-q", "-D", "side")
	r.git("tag", "tree", "HEAD^{tree}")
	r.git("tag", "blob", "HEAD:count")
	r.git("checkout", "-q", "--orphan", "other")
	r.commit(map[string]string{"other.txt": "another root"})
	r.git("checkout", "-q", "--detach", "main")
	r.commit(map[string]string{"detached.txt": "on no branch"})
	r.git("checkout", "-q", "main")
	return r
}

// seenBlob is a blob as the walk had it.
type seenBlob struct {
	path, commit string
	data         string
}

// blobs walks the history of a folder and gives every blob by its id.
func blobs(t *testing.T, dir string) (map[string]seenBlob, error) {
	t.Helper()
	r, err := find(dir)
	if err != nil {
		t.Fatal(err)
	}
	layer, _, err := r.past()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]seenBlob{}
	err = layer.Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
		if e.Err != nil {
			return fmt.Errorf("%s: %w", e.Path, e.Err)
		}
		data, err := io.ReadAll(e.Body)
		if err != nil {
			return err
		}
		if int64(len(data)) != e.Size {
			t.Errorf("%s has %d bytes, its size says %d", e.Path, len(data), e.Size)
		}
		o := idOf(blobKind, data).String()
		if _, twice := all[o]; twice {
			t.Errorf("blob %s (%s) was visited twice", o, e.Path)
		}
		all[o] = seenBlob{e.Path, e.Commit, string(data)}
		return nil
	})
	return all, err
}

// wanted are the blobs that git itself lists.
func (r *repo) wanted() map[string]string {
	r.t.Helper()
	var ids []string
	for line := range strings.Lines(r.git("rev-list", "--objects", "--all", "--reflog", "HEAD")) {
		o, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		ids = append(ids, o)
	}
	r.input = strings.Join(ids, "\n") + "\n"
	out := r.git("cat-file", "--batch")
	r.input = ""
	all := map[string]string{}
	for out != "" {
		line, rest, _ := strings.Cut(out, "\n")
		var o, kind string
		var size int
		if _, err := fmt.Sscan(line, &o, &kind, &size); err != nil {
			r.t.Fatalf("%q: %v", line, err)
		}
		if kind == "blob" {
			all[o] = rest[:size]
		}
		out = rest[size+1:]
	}
	return all
}

func (r *repo) check(dir string) {
	r.t.Helper()
	got, err := blobs(r.t, dir)
	if err != nil {
		r.t.Fatal(err)
	}
	have := map[string]string{}
	for o, b := range got {
		have[o] = b.data
	}
	if diff := cmp.Diff(r.wanted(), have); diff != "" {
		r.t.Errorf("blobs (-git +walk):\n%s", diff)
	}
}

// brought wants every blob's commit to have it at its path, and no parent of that commit to
// have it anywhere.
func (r *repo) brought() {
	r.t.Helper()
	got, err := blobs(r.t, r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	trees := map[string]string{}
	list := func(commit string) string {
		if _, ok := trees[commit]; !ok {
			trees[commit] = r.git("ls-tree", "-r", "-z", commit)
		}
		return trees[commit]
	}
	for o, b := range got {
		if !strings.Contains(list(b.commit), "blob "+o+"\t"+b.path+"\x00") {
			r.t.Errorf("commit %s has no blob %s at %q", b.commit, o, b.path)
		}
		for parent := range strings.FieldsSeq(r.git("log", "-1", "--format=%P", b.commit)) {
			if strings.Contains(list(parent), o) {
				r.t.Errorf("%q: commit %s did not bring blob %s, its parent has it", b.path, b.commit, o)
			}
		}
	}
}

// TestHistory holds the walk against git's own list, however the objects are stored.
func TestHistory(t *testing.T) {
	r := rich(t)
	r.check(r.dir)
	r.brought()
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"packed", func() { r.git("gc", "-q") }},
		{"packed and loose", func() { r.commit(map[string]string{"loose.txt": "new", "count": "loose"}) }},
		{"two packs", func() { r.git("repack", "-q", "-d") }},
		{"deep deltas", func() { r.git("repack", "-q", "-a", "-d", "-F", "--depth=200", "--window=50") }},
		{"old index", func() { r.git("-c", "pack.indexVersion=1", "repack", "-q", "-a", "-d", "-F") }},
		{"large offsets", func() { r.git("repack", "-q", "-a", "-d", "-F"); r.largeOffsets() }},
		{"deltas by id", func() { r.git("-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-a", "-d", "-F") }},
		{"many packs of an index", func() {
			r.commit(map[string]string{"more.txt": "more"})
			r.git("repack", "-q", "-d")
			r.git("multi-pack-index", "write")
		}},
		{"commit graph", func() { r.git("commit-graph", "write", "--reachable") }},
	} {
		step.do()
		t.Run(step.name, func(t *testing.T) { (&repo{t: t, dir: r.dir, hour: r.hour}).check(r.dir) })
	}
}

// largeOffsets makes the index of the pack anew, so that most offsets take 64 bits.
func (r *repo) largeOffsets() {
	r.t.Helper()
	packs, err := filepath.Glob(filepath.Join(r.dir, ".git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		r.t.Fatal(packs, err)
	}
	if err := os.Chmod(strings.TrimSuffix(packs[0], ".pack")+".idx", 0o644); err != nil {
		r.t.Fatal(err)
	}
	r.git("index-pack", "--index-version=2,0x40", packs[0])
}

// TestKinds reads repositories of other shapes with the same history.
func TestKinds(t *testing.T) {
	r := rich(t)
	clone := func(args ...string) string {
		dir := filepath.Join(t.TempDir(), "clone")
		r.git(append(append([]string{"clone", "-q"}, args...), r.dir, dir)...)
		return dir
	}
	at := func(dir string) *repo { return &repo{t: t, dir: dir, hour: r.hour} }
	t.Run("bare", func(t *testing.T) { d := clone("--bare"); at(d).check(d) })
	t.Run("mirror", func(t *testing.T) { d := clone("--mirror"); at(d).check(d) })
	t.Run("shared", func(t *testing.T) { d := clone("--shared"); at(d).check(d) })
	t.Run("worktree", func(t *testing.T) {
		d := filepath.Join(t.TempDir(), "tree")
		r.git("worktree", "add", "-q", "-b", "beside", d)
		w := at(d)
		w.commit(map[string]string{"beside.txt": "beside"})
		w.check(d)
		at(r.dir).check(r.dir)
	})
	t.Run("separate", func(t *testing.T) {
		d := clone("--separate-git-dir=" + filepath.Join(t.TempDir(), "elsewhere"))
		at(d).check(d)
	})
	t.Run("shallow", func(t *testing.T) {
		d := filepath.Join(t.TempDir(), "clone")
		r.git("clone", "-q", "--depth=2", "file://"+r.dir, d)
		at(d).check(d)
		target, err := (&History{Folder: folder{}}).Open(t.Context(), d)
		if err != nil || len(target.Notes) != 1 || !target.Notes[0].Incomplete || !strings.Contains(target.Notes[0].Text, "shallow") {
			t.Errorf("Open(shallow clone) = notes %v, %v; want one that says so", target.Notes, err)
		}
	})
	t.Run("partial", func(t *testing.T) {
		r.git("config", "uploadpack.allowFilter", "true")
		d := filepath.Join(t.TempDir(), "clone")
		r.git("clone", "-q", "--no-checkout", "--filter=blob:none", "file://"+r.dir, d)
		if got, err := blobs(t, d); !errors.Is(err, bulwark.ErrUnavailable) || !strings.Contains(fmt.Sprint(err), "partial clone") {
			t.Errorf("history of a partial clone: %d blobs, %v; want an error that says so", len(got), err)
		}
	})
}

// folder is a source that knows of no files.
type folder struct{}

func (folder) Open(_ context.Context, ref string) (*bulwark.Target, error) {
	return &bulwark.Target{Asset: bulwark.Asset{ID: bulwark.AssetID(ref)}}, nil
}

// TestFirst wants each blob with the commit that brought it, clocks that run ahead and
// merges notwithstanding.
func TestFirst(t *testing.T) {
	r := newRepo(t)
	one := r.commit(map[string]string{"x": "first"})
	r.hour = 200
	ahead := r.commit(map[string]string{"x": "second", "dir/y": "third"})
	r.hour = 10
	r.git("checkout", "-q", "-b", "copy")
	behind := r.commit(map[string]string{"x": "first", "z/y": "third", "n": "fourth"}) // older by the clock than what it stands on
	r.git("checkout", "-q", "main")
	r.hour = 300
	r.git("merge", "-q", "-m", "merge", "copy")
	for range 2 {
		got, err := blobs(t, r.dir)
		if err != nil {
			t.Fatal(err)
		}
		firsts := map[string][2]string{}
		for _, b := range got {
			firsts[b.data] = [2]string{b.path, b.commit}
		}
		want := map[string][2]string{"first": {"x", one}, "second": {"x", ahead}, "third": {"dir/y", ahead}, "fourth": {"n", behind}}
		if diff := cmp.Diff(want, firsts); diff != "" {
			t.Errorf("path and commit (-want +got):\n%s", diff)
		}
		r.git("gc", "-q")
	}
}

// TestInside looks at the history of one folder of a repository.
func TestInside(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"top": "1", "a/b/in": "2", "b/out": "3"})
	r.commit(map[string]string{"a/b/in": "4", "a/b/c/in": "5"})
	r.git("rm", "-q", "-r", "a")
	r.commit(nil)
	r.write("a/b/now", "uncommitted")
	got, err := blobs(t, filepath.Join(r.dir, "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, b := range got {
		paths[b.data] = b.path
	}
	if diff := cmp.Diff(map[string]string{"2": "in", "4": "in", "5": "c/in"}, paths); diff != "" {
		t.Errorf("history of a/b (-want +got):\n%s", diff)
	}
}

// TestRefused tells what cannot be read.
func TestRefused(t *testing.T) {
	open := func(dir string) error {
		_, err := (&History{Folder: folder{}}).Open(t.Context(), dir)
		return err
	}
	if err := open(t.TempDir()); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("Open(no repository) = %v, want ErrNotFound", err)
	}
	r := newRepo(t, "--object-format=sha256")
	r.commit(map[string]string{"x": "y"})
	if err := open(r.dir); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Errorf("Open(SHA-256) = %v, want ErrUnsupported", err)
	}
	r = newRepo(t)
	r.git("config", "extensions.refStorage", "reftable")
	if err := open(r.dir); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Errorf("Open(reftable) = %v, want ErrUnsupported", err)
	}
	r = newRepo(t)
	r.write("x", "y")
	r.git("add", "x")
	r.git("update-index", "--split-index")
	if _, err := (&Staged{}).Open(t.Context(), r.dir); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Errorf("Open(split index) = %v, want ErrUnsupported", err)
	}
}

// TestDamage finds damaged objects out, and goes on with the others.
func TestDamage(t *testing.T) {
	for _, packed := range []bool{false, true} {
		r := newRepo(t)
		for i := range 10 {
			r.commit(map[string]string{fmt.Sprint("file", i): strings.Repeat(fmt.Sprint(i), 1000+i)})
		}
		if packed {
			r.git("gc", "-q")
		}
		random := rand.New(rand.NewPCG(3, 4))
		for range 60 {
			damage(t, filepath.Join(r.dir, ".git", "objects"), random, func() {
				found, err := find(r.dir)
				if err != nil {
					t.Fatal(err)
				}
				layer, _, err := found.past()
				if err != nil {
					t.Fatal(err)
				}
				good := 0
				err = layer.Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
					if e.Err != nil || !strings.HasPrefix(e.Path, "file") {
						return nil
					}
					data, err := io.ReadAll(e.Body)
					if err == nil && (len(data) < 1000 || strings.Trim(string(data), string(data[:1])) != "") {
						t.Errorf("%s was read as something else, and without error", e.Path)
					}
					if err == nil {
						good++
					}
					return nil
				})
				if good > 10 || good < 10 && err == nil {
					t.Errorf("%d of 10 files could be read, and the walk said nothing", good)
				}
			})
		}
	}
}

// damage changes a byte of a file below a folder while do runs.
func damage(t *testing.T, dir string, random *rand.Rand, do func()) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := files[random.IntN(len(files))]
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(old)
	bad[random.IntN(len(bad))] ^= byte(1 << random.IntN(8))
	if err := errors.Join(os.Chmod(file, 0o644), os.WriteFile(file, bad, 0o644)); err != nil {
		t.Fatal(err)
	}
	do()
	if err := os.WriteFile(file, old, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestOddReferences goes on behind files that are no references, and follows a folder that
// is a link.
func TestOddReferences(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"x": "1"})
	r.git("checkout", "-q", "-b", "zz")
	r.commit(map[string]string{"x": "2"})
	r.git("checkout", "-q", "main")
	r.git("reflog", "expire", "--expire=all", "--all")
	heads := filepath.Join(r.dir, ".git", "refs", "heads")
	if err := errors.Join(os.Symlink("nowhere", filepath.Join(heads, "a")), syscall.Mkfifo(filepath.Join(heads, "b"), 0o600), os.WriteFile(filepath.Join(heads, "c"), []byte("garbage"), 0o600)); err != nil {
		t.Fatal(err)
	}
	both := func(what string) {
		if got, err := blobs(t, r.dir); err != nil || len(got) != 2 {
			t.Errorf("%s: %d blobs, %v; want those of both branches", what, len(got), err)
		}
	}
	both("odd files")
	refs := filepath.Join(r.dir, ".git", "refs")
	if err := errors.Join(os.Rename(refs, refs+".real"), os.Symlink("refs.real", refs)); err != nil {
		t.Fatal(err)
	}
	both("a link")
}

// TestLimits refuses what would take too much memory.
func TestLimits(t *testing.T) {
	grown := []byte{1}
	for n := uint64(maxWhole + 1); ; n >>= 7 { // the size of the result, 7 bits a byte
		if n < 0x80 {
			grown = append(grown, byte(n))
			break
		}
		grown = append(grown, byte(n)|0x80)
	}
	if _, err := apply([]byte{0}, grown); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("a delta that makes %d bytes: %v, want ErrLimit", maxWhole+1, err)
	}
	c := newCache()
	for i := range 100 {
		c.put(spot{0, int64(i)}, blobKind, make([]byte, 1<<20))
	}
	if n := len(c.items); n > cacheSize>>20 || n < cacheSize>>21 || n != c.used.Len() {
		t.Errorf("%d objects of a megabyte are kept, at most %d fit", n, cacheSize>>20)
	}
	if _, _, ok := c.get(spot{0, 99}); !ok {
		t.Error("the latest object is not kept")
	}
}

// TestSeen remembers every object, packed or not, that it does not have at hand.
func TestSeen(t *testing.T) {
	r := rich(t)
	r.git("gc", "-q")
	r.commit(map[string]string{"loose": "loose"})
	found, err := find(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	store, err := found.store()
	if err != nil {
		t.Fatal(err)
	}
	defer store.close()
	s := newSeen(store)
	for _, want := range []bool{false, true} {
		for line := range strings.Lines(r.git("rev-list", "--objects", "--all")) {
			o, ok := parseID(line[:40])
			if was, err := s.add(o); !ok || err != nil || was != want {
				t.Fatalf("add(%s) = %v, %v; want %v", o, was, err, want)
			}
			clear(s.latest)
		}
	}
}
