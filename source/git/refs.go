package git

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
)

// maxTips is how many commits references and reflogs may name.
const maxTips = 2_000_000

// tips are the objects that history is looked for from.
type tips struct {
	named  map[id]bool // by references, HEADs of working trees included
	logged map[id]bool // by reflogs alone: what they name may be gone
}

// tips lists what references, packed and not, and reflogs name. The stash beyond its top is
// in a reflog alone.
func (r *repository) tips() (tips, error) {
	t := tips{named: map[id]bool{}, logged: map[id]bool{}}
	if err := r.packedRefs(func(_ string, o id) error { return t.name(o) }); err != nil {
		return t, err
	}
	for _, dir := range r.gitDirs() {
		for _, head := range []string{"HEAD", "ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "AUTO_MERGE"} {
			t.read(filepath.Join(dir, head))
		}
		if err := eachFile(filepath.Join(dir, "refs"), t.file); err != nil {
			return t, err
		}
		if err := eachFile(filepath.Join(dir, "logs"), t.log); err != nil {
			return t, err
		}
	}
	return t, nil
}

// gitDirs are the repository's folder and those of its other working trees.
func (r *repository) gitDirs() []string {
	dirs := []string{r.common}
	others, err := os.ReadDir(filepath.Join(r.common, "worktrees"))
	if err != nil {
		return dirs // it has none
	}
	for _, d := range others[:min(len(others), 1000)] {
		dirs = append(dirs, filepath.Join(r.common, "worktrees", d.Name()))
	}
	return dirs
}

func (t *tips) name(o id) error {
	if o != (id{}) {
		t.named[o] = true
	}
	if len(t.named)+len(t.logged) > maxTips {
		return fmt.Errorf("more than %d references: %w", maxTips, bulwark.ErrLimit)
	}
	return nil
}

// read takes a file that may name an object in its first word.
func (t *tips) read(file string) {
	text, err := readSmall(file)
	if err != nil {
		return
	}
	word, _, _ := strings.Cut(strings.TrimSpace(text), "\t")
	if o, ok := parseID(word); ok {
		t.named[o] = true
	}
}

// file takes a reference that has a file of its own. A symbolic one names another, which is
// listed anyway.
func (t *tips) file(f *os.File) error {
	text, err := limit.ReadAll(f, maxSmall, f.Name())
	if err != nil {
		return err
	}
	line := strings.TrimSpace(string(text))
	if o, ok := parseID(line); ok {
		return t.name(o)
	}
	return nil
}

// log takes the two objects that begin each line of a reflog.
func (t *tips) log(f *os.File) error {
	lines := bufio.NewScanner(limit.Reader(f, maxList, "a reflog"))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) < 81 {
			continue
		}
		for _, hex := range []string{string(line[:40]), string(line[41:81])} {
			if o, ok := parseID(hex); ok && o != (id{}) {
				t.logged[o] = true
			}
		}
		if err := t.name(id{}); err != nil {
			return err
		}
	}
	return lines.Err()
}

// eachFile opens every regular file below a folder that may be missing. The folder may be a
// link; links to folders in it are not followed.
func eachFile(dir string, visit func(*os.File) error) error {
	dir, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		f, err := openRegular(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, bulwark.ErrMalformed) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		return visit(f)
	})
}

// packedRefs visits the references of packed-refs; lines that begin with ^ say what a tag
// names, which is found by way of the tag.
func (r *repository) packedRefs(visit func(ref string, o id) error) error {
	f, err := openRegular(filepath.Join(r.common, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("packed-refs: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(limit.Reader(f, maxList, "packed-refs"))
	for lines.Scan() {
		hex, ref, ok := strings.Cut(lines.Text(), " ")
		o, isID := parseID(hex)
		if !ok || !isID {
			continue
		}
		if err := visit(ref, o); err != nil {
			return err
		}
	}
	return lines.Err()
}

// head is the commit that HEAD names, by way of references; ok is false before the
// first commit.
func (r *repository) head() (o id, ok bool, err error) {
	ref := "HEAD"
	for range 6 { // as far as Git follows
		text, err := r.ref(ref)
		if err != nil {
			return o, false, err
		}
		to, symbolic := strings.CutPrefix(text, "ref:")
		if !symbolic {
			o, ok := parseID(text)
			if !ok && strings.TrimSpace(text) != "" {
				return o, false, fmt.Errorf("%s names no commit: %w", ref, bulwark.ErrMalformed)
			}
			return o, ok, nil
		}
		if ref = path.Clean(strings.TrimSpace(to)); !strings.HasPrefix(ref, "refs/") {
			return o, false, fmt.Errorf("HEAD leads to %q: %w", ref, bulwark.ErrMalformed)
		}
	}
	return o, false, fmt.Errorf("HEAD leads in a circle: %w", bulwark.ErrMalformed)
}

// ref is what a reference says; empty when there is none of that name.
func (r *repository) ref(ref string) (string, error) {
	for _, dir := range []string{r.dir, r.common} {
		text, err := readSmall(filepath.Join(dir, filepath.FromSlash(ref)))
		if err == nil {
			return text, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, bulwark.ErrMalformed) { // a folder of references of that name
			return "", fmt.Errorf("%s: %w", ref, err)
		}
	}
	found := ""
	err := r.packedRefs(func(name string, o id) error {
		if name == ref {
			found = o.String()
		}
		return nil
	})
	return found, err
}
