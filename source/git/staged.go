package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"bulwark"
)

// stagedTree has the files that the next commit adds or changes.
type stagedTree struct {
	r     *repository
	files []staged
}

var _ bulwark.Tree = (*stagedTree)(nil)

// staged compares the index with the commit that HEAD names.
func (r *repository) staged(hooks string) (*stagedTree, error) {
	x, err := readIndex(r.indexFile(hooks))
	if err != nil {
		return nil, err
	}
	s, err := r.store()
	if err != nil {
		return nil, err
	}
	d := &differ{store: s}
	err = r.compare(d, x)
	if err = errors.Join(err, s.close()); err != nil {
		return nil, err
	}
	t := &stagedTree{r: r}
	for _, f := range d.changed {
		if rest, ok := strings.CutPrefix(f.name, r.inside); ok && (r.inside == "" || strings.HasPrefix(rest, "/")) {
			f.name = strings.TrimPrefix(rest, "/")
			t.files = append(t.files, f)
		}
	}
	return t, nil
}

// indexFile is the index to read: for a hook, the one that git is about to commit.
func (r *repository) indexFile(hooks string) string {
	own := filepath.Join(r.dir, "index")
	if hooks == "" {
		return own
	}
	abs, err := filepath.Abs(hooks)
	if err != nil {
		return own
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	real, err2 := filepath.EvalSymlinks(r.dir)
	if err == nil && err2 == nil && dir == real {
		return abs
	}
	return own
}

func (r *repository) compare(d *differ, x *index) error {
	o, ok, err := r.head()
	if err != nil {
		return err
	}
	var tree id
	if ok {
		k, data, err := d.store.read(o)
		if err != nil {
			return fmt.Errorf("HEAD: %w", err)
		}
		if k != commitKind {
			return fmt.Errorf("HEAD is a %s: %w", k, bulwark.ErrMalformed)
		}
		c, err := parseCommit(data)
		if err != nil {
			return fmt.Errorf("HEAD: %w", err)
		}
		tree = c.tree
	}
	return d.folder(x.files, 0, tree, x.trees, 0)
}

// differ finds the files of an index that a tree does not have.
type differ struct {
	store   *store
	changed []staged
}

// folder compares the files of a folder, whose path takes so many bytes of their names, with
// a tree; its id is zero when there is none.
func (d *differ) folder(files []staged, dir int, tree id, k *known, depth int) error {
	if tree != (id{}) && k != nil && k.valid && k.tree == tree {
		return nil
	}
	if depth > maxDepth {
		return fmt.Errorf("folders more than %d deep: %w", maxDepth, bulwark.ErrLimit)
	}
	there, err := d.names(tree)
	if err != nil {
		return err
	}
	for len(files) > 0 {
		f := files[0]
		name, _, deeper := strings.Cut(f.name[dir:], "/")
		was := there[name]
		if !deeper || f.mode&typeBits == folderMode { // a sparse index has whole folders
			if err := d.one(f, was, depth); err != nil {
				return err
			}
			files = files[1:]
			continue
		}
		n := 1
		for below := f.name[:dir+len(name)+1]; n < len(files) && strings.HasPrefix(files[n].name, below); {
			n++
		}
		if !was.folder() {
			was.id = id{}
		}
		if err := d.folder(files[:n], dir+len(name)+1, was.id, k.child(name), depth+1); err != nil {
			return err
		}
		files = files[n:]
	}
	return nil
}

// one compares a file, or a folder of a sparse index, with what the tree has.
func (d *differ) one(f staged, was child, depth int) error {
	c := child{mode: f.mode, id: f.id}
	switch {
	case f.id == was.id && c.folder() == was.folder():
	case c.folder():
		return d.whole(f, was, depth)
	case c.blob():
		d.changed = append(d.changed, f)
	}
	return nil
}

// whole compares a folder that a sparse index has as one entry.
func (d *differ) whole(f staged, was child, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("folders more than %d deep: %w", maxDepth, bulwark.ErrLimit)
	}
	if !was.folder() {
		was.id = id{}
	}
	there, err := d.names(was.id)
	if err != nil {
		return err
	}
	_, data, err := d.store.read(f.id)
	if err != nil {
		return err
	}
	for c, err := range children(data) {
		if err != nil {
			return err
		}
		sub := staged{name: strings.TrimSuffix(f.name, "/") + "/" + string(c.name), mode: c.mode, id: c.id}
		if err := d.one(sub, there[string(c.name)], depth+1); err != nil {
			return err
		}
	}
	return nil
}

// names are the entries of a tree by name.
func (d *differ) names(tree id) (map[string]child, error) {
	if tree == (id{}) {
		return nil, nil
	}
	k, data, err := d.store.read(tree)
	if err != nil {
		return nil, err
	}
	if k != treeKind {
		return nil, fmt.Errorf("object %s is a %s and no tree: %w", tree, k, bulwark.ErrMalformed)
	}
	list := map[string]child{}
	for c, err := range children(data) {
		if err != nil {
			return nil, err
		}
		list[string(c.name)] = *c
	}
	return list, nil
}

func (t *stagedTree) notes() []bulwark.Note {
	n := fmt.Sprintf("%d files", len(t.files))
	if len(t.files) == 1 {
		n = "1 file"
	}
	return []bulwark.Note{{Plugin: name, Text: "only what is staged was looked at: " + n + " that the next commit adds or changes"}}
}

// Walk visits the staged files in the order of their names, as the index has them.
func (t *stagedTree) Walk(ctx context.Context, visit func(*bulwark.Entry) error) error {
	s, err := t.r.store()
	if err != nil {
		return err
	}
	defer s.close()
	for _, f := range t.files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		e, err := entryOf(s, f)
		if err != nil {
			e = &bulwark.Entry{Err: err}
		}
		e.SetPath(cmp.Or(joined("", []byte(f.name)), "unnamed"))
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

// entryOf opens a staged file.
func entryOf(s *store, f staged) (*bulwark.Entry, error) {
	x, err := s.open(f.id)
	if err != nil {
		return nil, err
	}
	if x.kind != blobKind {
		return nil, fmt.Errorf("object %s is a %s and no file: %w", f.id, x.kind, bulwark.ErrMalformed)
	}
	e := &bulwark.Entry{FileInfo: bulwark.FileInfo{Mode: 0o644, Size: x.size, ModTime: time.Unix(0, 0).UTC()}, Body: x}
	if f.mode&runnableBits != 0 {
		e.Mode = 0o755
	}
	if f.mode&typeBits == linkMode && x.size <= maxPath {
		to, err := x.all()
		if err != nil {
			return nil, err
		}
		e.Mode, e.Size, e.Link, e.Body = fs.ModeSymlink|0o777, 0, string(to), nil
	}
	return e, nil
}
