// Package overlay builds kustomizations by kustomize's own library, over the files of one
// folder alone: nothing outside is read, nothing is fetched, no plugin runs.
package overlay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/kube"
	"bulwark/source/manifest/internal/encoding"
)

const (
	maxFile   = 16 << 20  // bytes of one file
	maxRead   = 128 << 20 // bytes of one build
	maxReads  = 20_000    // files of one build
	maxValues = 200_000   // values of one document, aliases written out
)

// Tree is a folder as kustomize sees it: read only, its root at "/".
type Tree struct {
	Root *os.Root
	// Around is a folder that Root is in, at the path At; nil: there is none. The tree is then
	// that of Around, and links below Root do not lead out of Root all the same.
	Around *os.Root
	At     string
	// instead has what is read in place of a file.
	instead map[string][]byte
	err     func() error // why to end
	bytes   int64
	reads   int
}

var _ filesys.FileSystem = (*Tree)(nil)

var errReadOnly = fmt.Errorf("the folder is only read: %w", bulwark.ErrUnsupported)

// Create, Mkdir, MkdirAll, RemoveAll, WriteFile and Open are refused.
func (*Tree) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (*Tree) Mkdir(string) error                  { return errReadOnly }
func (*Tree) MkdirAll(string) error               { return errReadOnly }
func (*Tree) RemoveAll(string) error              { return errReadOnly }
func (*Tree) WriteFile(string, []byte) error      { return errReadOnly }
func (*Tree) Open(string) (filesys.File, error)   { return nil, errReadOnly }

// local is a path below the root, as os.Root takes it.
func local(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(p)), "/")
	if p == "" {
		return "."
	}
	return p
}

// Outer tells whether a path is not in the folder itself but in the one around it.
func (t *Tree) Outer(p string) bool {
	return t.Around != nil && !below(local(p), t.At)
}

// below tells whether a path is that of a folder, or of something in it.
func below(p, dir string) bool {
	return dir == "." || p == dir || strings.HasPrefix(p, dir+"/")
}

// in gives the root that a path is in, and the path below it.
func (t *Tree) in(p string) (*os.Root, string) {
	p = local(p)
	switch {
	case t.Around == nil:
		return t.Root, p
	case t.Outer(p):
		return t.Around, p
	}
	return t.Root, local(strings.TrimPrefix(p, t.At))
}

// OpenFile opens a regular file.
func (t *Tree) OpenFile(p string) (*os.File, error) {
	root, file := t.in(p)
	return limit.Open(root, file)
}

// stat looks at a file; links lead to no file outside.
func (t *Tree) stat(p string) (fs.FileInfo, error) {
	if t.err != nil {
		if err := t.err(); err != nil {
			return nil, err
		}
	}
	root, file := t.in(p)
	return root.Stat(filepath.FromSlash(file))
}

// IsDir tells whether there is a folder.
func (t *Tree) IsDir(p string) bool {
	st, err := t.stat(p)
	return err == nil && st.IsDir()
}

// Exists tells whether there is something.
func (t *Tree) Exists(p string) bool {
	_, err := t.stat(p)
	return err == nil
}

// IsFile tells whether there is a regular file.
func (t *Tree) IsFile(p string) bool {
	st, err := t.stat(p)
	return err == nil && st.Mode().IsRegular()
}

// ReadDir gives the names in a folder.
func (t *Tree) ReadDir(p string) ([]string, error) {
	root, dir := t.in(p)
	entries, err := fs.ReadDir(root.FS(), dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// CleanedAbs divides a path into a folder and a file.
func (t *Tree) CleanedAbs(p string) (filesys.ConfirmedDir, string, error) {
	st, err := t.stat(p)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", local(p), bulwark.ErrNotFound)
	}
	full := path.Clean("/" + local(p))
	if st.IsDir() {
		return filesys.ConfirmedDir(full), "", nil
	}
	return filesys.ConfirmedDir(path.Dir(full)), path.Base(full), nil
}

// Glob finds files by a pattern.
func (t *Tree) Glob(pattern string) ([]string, error) {
	found, err := fs.Glob(cmp.Or(t.Around, t.Root).FS(), local(pattern))
	for i := range found {
		found[i] = "/" + found[i]
	}
	return found, err
}

// ReadFile reads a file, or what stands in its place.
func (t *Tree) ReadFile(p string) ([]byte, error) {
	if t.err != nil {
		if err := t.err(); err != nil {
			return nil, err
		}
	}
	file := local(p)
	if t.reads++; t.reads > maxReads || t.bytes > maxRead {
		return nil, fmt.Errorf("the kustomization reads too much: %w", bulwark.ErrLimit)
	}
	if data, ok := t.instead[file]; ok {
		return data, nil
	}
	f, err := t.OpenFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", file, os.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if t.instead != nil && slices.Contains(Names, path.Base(file)) { // what it names was not looked at: it could be anything, and anywhere
		return nil, fmt.Errorf("%s is a kustomization that could not be read: %w", file, bulwark.ErrUnsupported)
	}
	data, err := limit.ReadAll(f, maxFile, file)
	t.bytes += int64(len(data))
	if isYAML(file) {
		data, _ = encoding.Bytes(data)
	}
	if err == nil {
		err = bounded(file, data)
	}
	return data, err
}

// bounded refuses YAML whose aliases make it large, or endless: the library writes them out.
func bounded(file string, data []byte) error {
	if bytes.IndexByte(data, '&') < 0 || bytes.IndexByte(data, '*') < 0 {
		return nil
	}
	sizes := map[*kube.Node]int{}
	for _, d := range kube.ParseYAML(data) {
		if d.Err != nil && (isYAML(file) || errors.Is(d.Err, bulwark.ErrLimit)) {
			return fmt.Errorf("%s: line %d: %w", file, max(d.Line, d.ErrLine), d.Err)
		}
		if size(d.Root, sizes) > maxValues {
			return fmt.Errorf("%s: line %d: aliases make more than %d values: %w", file, d.Line, maxValues, bulwark.ErrLimit)
		}
	}
	return nil
}

func isYAML(file string) bool {
	ext := path.Ext(file)
	return ext == ".yaml" || ext == ".yml" || ext == ".json"
}

// size counts the values of a node, each as often as an alias names it.
func size(n *kube.Node, known map[*kube.Node]int) int {
	if n == nil {
		return 1
	}
	if s, ok := known[n]; ok {
		return s
	}
	total := 1
	for _, v := range n.Fields() {
		total = min(total+size(v, known), maxValues+1)
	}
	for _, v := range n.Items() {
		total = min(total+size(v, known), maxValues+1)
	}
	known[n] = total
	return total
}

// Walk visits the files of a folder.
func (t *Tree) Walk(p string, visit filepath.WalkFunc) error {
	return fs.WalkDir(cmp.Or(t.Around, t.Root).FS(), local(p), func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return visit("/"+file, nil, err)
		}
		info, err := d.Info()
		return visit("/"+file, info, err)
	})
}
