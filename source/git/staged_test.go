package git

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// stagedFiles are the files of a target's layer with what is in them.
func stagedFiles(t *testing.T, s *Staged, dir string) map[string]string {
	t.Helper()
	target, err := s.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err = target.Layers[0].Tree.Walk(t.Context(), func(e *bulwark.Entry) error {
		if e.Err != nil {
			return fmt.Errorf("%s: %w", e.Path, e.Err)
		}
		if e.Body == nil {
			got[e.Path] = "-> " + e.Link
			return nil
		}
		data, err := io.ReadAll(e.Body)
		got[e.Path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// diffed are the files that git itself says are staged: not its own commits of other
// repositories, nor what only got another mode.
func (r *repo) diffed() map[string]string {
	r.t.Helper()
	all := map[string]string{}
	fields := strings.Split(r.git("diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--diff-filter=AMT", "--ignore-submodules=none"), "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		var from, to, before, after string
		if _, err := fmt.Sscan(fields[i], &from, &to, &before, &after); err != nil {
			r.t.Fatalf("%q: %v", fields[i], err)
		}
		if to == "160000" || before == after {
			continue
		}
		data := r.git("cat-file", "blob", after)
		if to == "120000" {
			data = "-> " + data
		}
		all[fields[i+1]] = data
	}
	return all
}

// TestStaged holds the comparison against git's own, for every way to write an index.
func TestStaged(t *testing.T) {
	for _, version := range []string{"2", "3", "4"} {
		t.Run("version "+version, func(t *testing.T) {
			r := newRepo(t)
			r.git("config", "index.version", version)
			random := rand.New(rand.NewPCG(7, 8))
			name := func() string {
				return fmt.Sprintf("%s%c/%c%d", []string{"", "a/", "a-b/", "a/b/c/"}[random.IntN(4)], 'a'+rune(random.IntN(3)), 'a'+rune(random.IntN(2)), random.IntN(9))
			}
			for round := range 12 {
				for range 1 + random.IntN(8) {
					p := name()
					if st, err := os.Stat(filepath.Join(r.dir, p)); err == nil && st.IsDir() {
						continue
					}
					r.write(p, fmt.Sprint(round, random.IntN(4)))
				}
				r.git("add", "-A")
				if files := strings.Fields(r.git("ls-files")); round > 2 {
					r.git("rm", "-q", "--cached", files[random.IntN(len(files))])
				}
				r.write("unstaged", "not added")
				if version == "3" {
					r.git("add", "-N", "unstaged")
				}
				if diff := cmp.Diff(r.diffed(), stagedFiles(t, &Staged{}, r.dir)); diff != "" {
					t.Fatalf("round %d (-git +staged):\n%s", round, diff)
				}
				if err := os.Remove(filepath.Join(r.dir, "unstaged")); err != nil {
					t.Fatal(err)
				}
				if round%2 == 0 {
					r.commit(nil)
				}
				if round == 5 {
					r.git("gc", "-q")
				}
				if got := stagedFiles(t, &Staged{}, r.dir); round%2 == 0 && len(got) > 0 {
					t.Errorf("right after a commit %v is staged", got)
				}
			}
		})
	}
}

// TestStagedOdd has what is no plain file in the index.
func TestStagedOdd(t *testing.T) {
	r := newRepo(t)
	if got := stagedFiles(t, &Staged{}, r.dir); len(got) > 0 {
		t.Errorf("in a new repository %v is staged", got)
	}
	r.write("before any commit", "1")
	r.git("add", "-A")
	check := func(what string) {
		t.Helper()
		if diff := cmp.Diff(r.diffed(), stagedFiles(t, &Staged{}, r.dir)); diff != "" {
			t.Errorf("%s (-git +staged):\n%s", what, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"before any commit": "1"}, stagedFiles(t, &Staged{}, r.dir)); diff != "" {
		t.Error(diff)
	}
	head := r.commit(map[string]string{"file": "a", "dir/file": "b", "run.sh": "#!/bin/sh"})
	if err := os.Symlink("dir/file", filepath.Join(r.dir, "link")); err != nil {
		t.Fatal(err)
	}
	r.git("update-index", "--add", "--cacheinfo", "160000,"+head+",module")
	r.git("update-index", "--chmod=+x", "run.sh")
	r.git("add", "link")
	check("links, modules and modes")
	r.commit(nil)

	r.write("file", "staged")
	r.git("add", "file")
	r.write("file", "not staged")
	check("content of the index, not of the file")
	r.git("-c", "index.skipHash=true", "update-index", "--force-write-index")
	check("index without checksum")
	if err := os.RemoveAll(filepath.Join(r.dir, "dir")); err != nil {
		t.Fatal(err)
	}
	r.write("dir", "now a file")
	r.git("add", "-A")
	check("a file where a folder was")
	r.commit(nil)

	r.git("checkout", "-q", "-b", "theirs", "HEAD~1")
	r.commit(map[string]string{"file": "theirs", "new": "theirs"})
	r.git("checkout", "-q", "main")
	r.commit(map[string]string{"file": "ours"})
	if _, err := r.try("merge", "-q", "theirs"); err == nil {
		t.Fatal("the merge has no conflict")
	}
	got := stagedFiles(t, &Staged{}, r.dir)
	if diff := cmp.Diff(map[string]string{"new": "theirs"}, got); diff != "" {
		t.Errorf("in a conflict (-want +got):\n%s", diff)
	}
}

// TestStagedInside looks at one folder, and at the index that git gives to its hooks.
func TestStagedInside(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"a/x": "1", "ab/x": "1"})
	r.write("a/x", "2")
	r.write("ab/x", "2")
	r.git("add", "-A")
	if diff := cmp.Diff(map[string]string{"x": "2"}, stagedFiles(t, &Staged{}, filepath.Join(r.dir, "a"))); diff != "" {
		t.Errorf("below a (-want +got):\n%s", diff)
	}
	// git commit FILE makes an index of that file alone, and names it to the hook.
	r.write("hook", "#!/bin/sh\ncp \"$GIT_INDEX_FILE\" .git/kept; echo \"$GIT_INDEX_FILE\" > .git/name; exit 1\n")
	r.write("ab/x", "3")
	hook := filepath.Join(r.dir, ".git/hooks/pre-commit")
	data, err := os.ReadFile(filepath.Join(r.dir, "hook"))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(hook), 0o755)
	}
	if err == nil {
		err = os.WriteFile(hook, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.try("commit", "-q", "-m", "one", "ab/x"); err == nil {
		t.Fatal("the hook did not run")
	}
	kept := filepath.Join(r.dir, ".git", "kept")
	if diff := cmp.Diff(map[string]string{"ab/x": "3"}, stagedFiles(t, &Staged{Index: kept}, r.dir)); diff != "" {
		t.Errorf("of the hook's index (-want +got):\n%s", diff)
	}
	// Another repository's index is not used.
	if got := stagedFiles(t, &Staged{Index: kept}, newRepo(t).dir); len(got) > 0 {
		t.Errorf("with the index of another repository %v is staged", got)
	}
}

// TestStagedSparse has an index with whole folders in it.
func TestStagedSparse(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"in/x": "1", "out/x": "1", "out/deep/y": "1", "top": "1"})
	r.git("sparse-checkout", "set", "--sparse-index", "in")
	if !strings.Contains(r.git("ls-files", "--sparse", "--stage"), "040000") {
		t.Skip("this git writes no sparse index")
	}
	r.write("in/x", "2")
	r.git("add", "in/x")
	want := map[string]string{"in/x": "2"}
	if diff := cmp.Diff(want, stagedFiles(t, &Staged{}, r.dir)); diff != "" {
		t.Errorf("sparse index (-want +got):\n%s", diff)
	}
	tree := strings.TrimSpace(r.git("rev-parse", "HEAD~0"))
	r.git("sparse-checkout", "disable")
	r.commit(map[string]string{"out/deep/y": "2", "out/z": "2"})
	r.git("sparse-checkout", "set", "--sparse-index", "in")
	r.git("reset", "-q", "--soft", tree)
	maps.Copy(want, map[string]string{"out/deep/y": "2", "out/z": "2"})
	if diff := cmp.Diff(want, stagedFiles(t, &Staged{}, r.dir)); diff != "" {
		t.Errorf("sparse index, a folder changed (-want +got):\n%s", diff)
	}
}

// FuzzIndex reads damaged indexes: an error or files in order, never a panic.
func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x00"))
	f.Add(append(append([]byte("DIRC\x00\x00\x00\x04\x00\x00\x00\x01"), make([]byte, 60)...), "\x00\x01\x00a\x00TREE\x00\x00\x00\x08\x00-1 1\na\x00"...))
	f.Add(append(append([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x01"), bytes.Repeat([]byte{1}, 60)...), "\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00"...))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := parseIndex(append(data, make([]byte, 20)...)) // zeros: there is no checksum
		if err != nil {
			return
		}
		for i, f := range x.files {
			if f.name == "" || i > 0 && f.name < x.files[i-1].name {
				t.Errorf("file %d is %q, after %q", i, f.name, x.files[max(i-1, 0)].name)
			}
		}
	})
}
