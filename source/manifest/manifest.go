// Package manifest reads the Kubernetes objects that files declare: YAML and JSON, of one
// file or of a folder.
package manifest

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
	"strings"

	"bulwark"
	"bulwark/internal/glob"
	"bulwark/internal/limit"
	"bulwark/kube"
)

const (
	name     = "source/manifest"
	maxFile  = 64 << 20  // bytes of one file
	maxFiles = 512 << 20 // bytes of all files
)

// Options say how files become objects; the zero value takes them as they are.
type Options struct {
	Exclude []string // globs of paths not to read
}

// Source opens files and folders of manifests.
type Source struct {
	Options
	Stdin io.Reader // what "-" reads
}

var _ bulwark.Source = (*Source)(nil)

// Open reads the objects of the file or folder.
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	t := &bulwark.Target{Asset: bulwark.Asset{ID: bulwark.AssetID("file:" + ref), Kind: "manifest", Name: ref}}
	if ref == "-" {
		data, err := limit.ReadAll(s.Stdin, maxFile, "standard input")
		if err != nil {
			return nil, err
		}
		r := newReader(&s.Options)
		r.set.Read = func(file string) ([]byte, error) { return nil, fmt.Errorf("%s: %w", file, bulwark.ErrNotFound) }
		r.document("-", data, true)
		return t, r.hand(t)
	}
	st, err := os.Stat(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", ref, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		t.Asset.ID = bulwark.AssetID("dir:" + ref)
		return t, Add(ctx, t, ref, s.Options)
	}
	f, err := os.Open(ref)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxFile, ref)
	if err != nil {
		return nil, err
	}
	r := newReader(&s.Options)
	r.set.Read = func(file string) ([]byte, error) {
		if file != filepath.ToSlash(ref) {
			return nil, fmt.Errorf("%s: %w", file, bulwark.ErrNotFound)
		}
		return data, nil
	}
	r.document(filepath.ToSlash(ref), data, true)
	return t, r.hand(t)
}

// Folder opens folders as another source does, with the objects that their files declare.
type Folder struct {
	Options
	Folder bulwark.Source
}

var _ bulwark.Source = (*Folder)(nil)

// Open opens the folder, and reads its manifests.
func (s *Folder) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	t, err := s.Folder.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := Add(ctx, t, ref, s.Options); err != nil {
		if t.Close != nil {
			t.Close()
		}
		return nil, err
	}
	return t, nil
}

// Add gives a target the objects that files below a folder declare.
func Add(ctx context.Context, t *bulwark.Target, dir string, o Options) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	r := newReader(&o)
	r.set.Read = func(file string) ([]byte, error) { return again(dir, file) }
	if err := r.folder(ctx, root); err != nil {
		return err
	}
	return r.hand(t)
}

// reader gathers objects.
type reader struct {
	*Options
	set   *kube.Set
	notes []bulwark.Note
	bytes int64
}

func newReader(o *Options) *reader { return &reader{Options: o, set: &kube.Set{}} }

// hand gives the target what was read.
func (r *reader) hand(t *bulwark.Target) error {
	if r.set.Len() > 0 || len(r.set.Broken) > 0 {
		t.Objects = r.set
	}
	t.Notes = append(t.Notes, r.notes...)
	return nil
}

func (r *reader) note(file, format string, args ...any) {
	r.notes = append(r.notes, bulwark.Note{Plugin: name, Path: file, Text: fmt.Sprintf(format, args...), Incomplete: true})
}

// folder reads every manifest below root; symbolic links are not followed.
func (r *reader) folder(ctx context.Context, root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(file string, d fs.DirEntry, err error) error {
		if e := ctx.Err(); e != nil {
			return e
		}
		switch {
		case err != nil:
			r.note(file, "%v", err)
			return nil
		case file != "." && r.excluded(file), d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || !isManifest(file):
			return nil
		}
		data, err := r.read(root, file)
		if err != nil {
			r.note(file, "%v", err)
			return nil
		}
		r.document(file, data, false)
		return nil
	})
}

func (r *reader) excluded(file string) bool {
	for _, g := range r.Exclude {
		if glob.Match(g, file) {
			return true
		}
	}
	return false
}

func (r *reader) read(root *os.Root, file string) ([]byte, error) {
	f, err := root.Open(filepath.FromSlash(file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := limit.ReadAll(f, min(maxFile, maxFiles-r.bytes), file)
	r.bytes += int64(len(data))
	return data, err
}

func isManifest(file string) bool {
	switch path.Ext(file) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// document takes the objects of a file. What is no manifest is left alone, unless it was
// asked for by name.
func (r *reader) document(file string, data []byte, asked bool) {
	if !asked && !looks(data) {
		return
	}
	for _, d := range kube.ParseYAML(data) {
		if d.Err != nil {
			r.set.Broken = append(r.set.Broken, kube.Broken{File: file, Line: max(d.Line, d.ErrLine), Err: d.Err})
			continue
		}
		r.object(file, &d, d.Root)
	}
}

// object takes an object, or those of a list of objects.
func (r *reader) object(file string, d *kube.Document, root *kube.Node) {
	if strings.HasSuffix(root.Get("kind").Text(), "List") && root.Get("items").Form() == kube.List {
		for _, item := range root.Get("items").Items() {
			r.object(file, d, item)
		}
		return
	}
	if o, ok := kube.NewObject(root, kube.Origin{File: file}); ok {
		o.Problems = d.Problems
		r.set.Objects = append(r.set.Objects, o)
	}
}

// IsManifest tells whether the start of a file looks like that of a manifest.
func IsManifest(head []byte) bool { return looks(head) }

// looks tells whether there may be an object in a file.
func looks(data []byte) bool {
	return bytes.Contains(data, []byte("apiVersion")) && bytes.Contains(data, []byte("kind"))
}

// again reads a file of a folder that has been read.
func again(dir, file string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", file, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limit.ReadAll(f, maxFile, file)
}
