package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"bulwark"
)

// walker visits blobs.
type walker struct {
	ctx     context.Context
	store   *store
	seen    *seen
	visit   func(*bulwark.Entry) error
	missing int   // objects that are not there
	bad     int   // objects that cannot be read
	first   error // why the first of these cannot
	entry   bulwark.Entry
}

// maxDepth bounds how deep folders lie in each other, maxPath how long their names are.
const (
	maxDepth = 200
	maxPath  = 4096
)

// commit visits what of a commit lies inside a folder, and is new.
func (w *walker) commit(c *point, inside string) error {
	if c.tip != 0 {
		return w.named(c)
	}
	o, ok, err := w.below(c.tree, inside)
	if !ok || err != nil {
		return w.failed(inside, err)
	}
	was, err := w.seen.add(o)
	if was || err != nil {
		return w.failed("", err)
	}
	return w.folder(c, o, "", 0)
}

// below is the tree of a folder that lies in a tree, if there is one.
func (w *walker) below(tree id, inside string) (id, bool, error) {
	for name := range strings.SplitSeq(inside, "/") {
		if name == "" {
			continue
		}
		_, data, err := w.store.read(tree)
		if err != nil {
			return tree, false, err
		}
		found := false
		for c, err := range children(data) {
			if err != nil {
				return tree, false, err
			}
			if found = string(c.name) == name && c.folder(); found {
				tree = c.id
				break
			}
		}
		if !found {
			return tree, false, nil
		}
	}
	return tree, true, nil
}

// folder visits what is new in a tree.
func (w *walker) folder(c *point, tree id, dir string, depth int) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	k, data, err := w.store.read(tree)
	if err == nil && k != treeKind {
		err = fmt.Errorf("object %s is a %s and no tree: %w", tree, k, bulwark.ErrMalformed)
	}
	if err == nil && (depth > maxDepth || len(dir) > maxPath) {
		err = fmt.Errorf("folders more than %d deep or with names too long: %w", maxDepth, bulwark.ErrLimit)
	}
	if err != nil {
		return w.failed(dir, err)
	}
	for x, err := range children(data) {
		if err != nil {
			return w.failed(dir, err)
		}
		if !x.folder() && !x.blob() {
			continue
		}
		was, err := w.seen.add(x.id)
		if err != nil {
			return w.failed(dir, err)
		}
		if was {
			continue
		}
		if x.folder() {
			err = w.folder(c, x.id, joined(dir, x.name), depth+1)
		} else {
			err = w.blob(c, x.id, joined(dir, x.name), x.mode)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// joined is the path of what a tree has; names that lead elsewhere stay below it.
func joined(dir string, name []byte) string {
	return strings.TrimPrefix(path.Join("/", dir, path.Join("/", string(name))), "/")
}

// blob visits one version of a file.
func (w *walker) blob(c *point, o id, p string, mode uint32) error {
	x, err := w.store.open(o)
	if err == nil && x.kind != blobKind {
		err = fmt.Errorf("object %s is a %s and no file: %w", o, x.kind, bulwark.ErrMalformed)
	}
	if err != nil {
		return w.failed(p, err)
	}
	w.entry = bulwark.Entry{
		FileInfo: bulwark.FileInfo{Mode: 0o644, Size: x.size, ModTime: time.Unix(c.when, 0).UTC()},
		Body:     x, Commit: c.id.String(),
	}
	if mode&runnableBits != 0 {
		w.entry.Mode = 0o755
	}
	w.entry.SetPath(cmp.Or(p, "unnamed"))
	err = w.visit(&w.entry)
	if atEnd(x.bad) != nil {
		w.unread(x.bad) // whoever read it has told
	}
	return err
}

// named visits the blob or tree that a reference names.
func (w *walker) named(c *point) error {
	was, err := w.seen.add(c.tree)
	if was || err != nil {
		return w.failed("", err)
	}
	if c.tip == treeKind {
		return w.folder(c, c.tree, "", 0)
	}
	return w.blob(c, c.tree, c.tree.String(), 0)
}

// failed counts and tells of what could not be read, and gives the error that ends the walk.
func (w *walker) failed(p string, err error) error {
	if err == nil {
		return nil
	}
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if errors.Is(err, bulwark.ErrNotFound) {
		w.missing++
		return nil
	}
	w.unread(err)
	e := &bulwark.Entry{Err: fmt.Errorf("git history: %w", err)}
	e.SetPath(cmp.Or(p, "."))
	return w.visit(e)
}

// unread counts an object that could not be read.
func (w *walker) unread(err error) {
	w.bad++
	w.first = cmp.Or(w.first, err)
}

// missed is the error at the end when something was not there.
func (w *walker) missed(partial bool) error {
	switch {
	case w.missing > 0 && partial:
		return fmt.Errorf("git history: objects that this partial clone lacks: %d: %w; git fetch --refetch --no-filter gets them", w.missing, bulwark.ErrUnavailable)
	case w.missing > 0:
		return fmt.Errorf("git history: missing objects: %d: %w; git fsck names them", w.missing, bulwark.ErrMalformed)
	case w.bad > 0:
		return fmt.Errorf("git history: objects that could not be read: %d, the first: %w", w.bad, w.first)
	}
	return nil
}
