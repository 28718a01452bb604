package java

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"unicode"

	"bulwark"
	"bulwark/extract/internal/lang"
	"bulwark/extract/internal/unzip"
)

// maxProblems bounds the errors that are told of one file.
const maxProblems = 8

// walker goes through one file and the archives in it.
type walker struct {
	file     string // path of the file
	budget   unzip.Budget
	packages []bulwark.Package
	problems []error
	held     int64  // bytes of nested archives in memory
	spare    []byte // memory of the last one
	large    *sync.Mutex
	locked   bool
}

func newWalker(large *sync.Mutex, file string) *walker {
	return &walker{file: file, large: large, budget: unzip.Budget{Entries: maxEntries, Bytes: maxBytes}}
}

func (w *walker) err() error { return errors.Join(w.problems...) }

func (w *walker) release() {
	if w.locked {
		w.large.Unlock()
	}
}

// problem keeps an error, and tells whether the walk is at its end because of it.
func (w *walker) problem(at string, err error) (end error) {
	if err == nil {
		return nil
	}
	if len(w.problems) < maxProblems {
		if at != w.file {
			err = fmt.Errorf("%s: %w", strings.TrimPrefix(at, w.file), err)
		}
		w.problems = append(w.problems, err)
	}
	if w.budget.Bytes < 0 || w.budget.Entries < 0 || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// content is what one archive says about itself.
type content struct {
	manifest    manifest
	hasManifest bool
	poms        []pom
}

// archive reports the archive at a path: "app/x.war!WEB-INF/lib/y.jar". It returns an
// error only when the walk must end.
func (w *walker) archive(ctx context.Context, r io.ReaderAt, size int64, at string, depth int) error {
	a, err := unzip.Open(r, size, &w.budget)
	if err != nil {
		if !certain(at) && errors.Is(err, bulwark.ErrMalformed) {
			return nil
		}
		w.report(at, content{}, true)
		return w.problem(at, err)
	}
	var c content
	err = a.Each(func(e *unzip.Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.entry(ctx, a, e, &c, at, depth)
	})
	w.report(at, c, false)
	return w.problem(at, err)
}

// entry looks at one entry of an archive.
func (w *walker) entry(ctx context.Context, a *unzip.Archive, e *unzip.Entry, c *content, at string, depth int) error {
	switch {
	case bytes.HasPrefix(e.Name, []byte("META-INF/maven/")):
		return w.problem(at, c.pom(a, e))
	case !c.hasManifest && bytes.EqualFold(e.Name, []byte("META-INF/MANIFEST.MF")):
		c.hasManifest = true
		return w.problem(at, a.Stream(e, func(r io.Reader) (err error) {
			c.manifest, err = readManifest(r)
			return err
		}))
	case isArchiveEntry(e.Name):
		return w.nested(ctx, a, e, at+"!"+place(string(e.Name)), depth+1)
	}
	return nil
}

// isArchiveEntry is isArchive for an entry's name, without making a string of it.
func isArchiveEntry(name []byte) bool {
	return len(name) > 4 && name[len(name)-4] == '.' && isArchive(string(name[len(name)-4:]))
}

// pom reads a pom.properties, or keeps what the path of a pom.xml tells.
func (c *content) pom(a *unzip.Archive, e *unzip.Entry) error {
	p, file, ok := pomDir(string(e.Name))
	if !ok {
		return nil
	}
	if file != "pom.properties" {
		return c.addPOM(p, file, nil)
	}
	data, err := a.Read(e, maxPOM)
	return errors.Join(err, c.addPOM(p, file, data))
}

// addPOM keeps what a pom.properties says; a pom.xml counts for its place alone, where
// there are no properties beside it.
func (c *content) addPOM(p pom, file string, data []byte) error {
	if file == "pom.properties" {
		p.readProperties(data)
	}
	if n := len(c.poms); n > 0 && c.poms[n-1].dir == p.dir {
		if file == "pom.properties" {
			c.poms[n-1] = p
		}
		return nil
	}
	if len(c.poms) == maxPOMs {
		return fmt.Errorf("more than %d poms: %w", maxPOMs, bulwark.ErrLimit)
	}
	c.poms = append(c.poms, p)
	return nil
}

// nested walks an archive inside an archive: in place when it is stored, else in memory.
func (w *walker) nested(ctx context.Context, a *unzip.Archive, e *unzip.Entry, at string, depth int) error {
	if depth > maxDepth {
		w.report(at, content{}, true)
		return w.problem(at, fmt.Errorf("archives nested deeper than %d: %w", maxDepth, bulwark.ErrLimit))
	}
	section, err := a.Section(e)
	if err == nil && section != nil {
		return w.archive(ctx, section, section.Size(), at, depth)
	}
	var data []byte
	if err == nil {
		if w.held+e.Size > largeHeld && !w.locked {
			w.large.Lock()
			w.locked = true
		}
		spare := w.spare
		w.spare = nil
		data, err = a.ReadInto(spare, e, maxHeld-w.held)
		defer func() { w.spare = data }()
	}
	if err != nil {
		w.report(at, content{}, true)
		return w.problem(at, err)
	}
	w.held += int64(len(data))
	defer func() { w.held -= int64(len(data)) }()
	return w.archive(ctx, bytes.NewReader(data), int64(len(data)), at, depth)
}

// report adds the packages of one archive. One that could not be read counts only when
// its name tells a version.
func (w *walker) report(at string, c content, broken bool) {
	id, shaded := identify(at, c.manifest, c.poms)
	if broken && id.version == "" || len(w.packages) > maxFound {
		return
	}
	w.add(id, at, c.manifest.licenses())
	for _, p := range shaded {
		if p.version != "" && p.identity != id && len(w.packages) <= maxFound {
			w.add(p.identity, at+"!"+p.dir, nil)
		}
	}
}

func (w *walker) add(id identity, at string, licenses []string) {
	if at == w.file {
		at = ""
	}
	w.packages = append(w.packages, lang.Package("maven", id.group+":"+id.artifact, id.version, at, licenses))
}

// place makes an entry's name fit to be shown.
func place(name string) string {
	name = strings.ToValidUTF8(name[:min(len(name), 1024)], "?")
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
	return path.Clean("/" + name)[1:]
}
