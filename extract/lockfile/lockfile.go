// Package lockfile reads what lockfiles and manifests declare: what will be installed
// from them, not what is.
//
// The formats are a table (formats.go). osv-scalibr's extractors read most of them, from
// memory; the others are read here. All of it is foreign: a file that is too large is
// refused before it is read, a parser that panics has met a malformed file. A file that is
// cut off or no document of its format is told as malformed, along with what was read of it.
package lockfile

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"unicode"

	"bulwark"
	"bulwark/extract/internal/lang"
)

var _ bulwark.Extractor = (*Extractor)(nil)

// Extractor reads lockfiles.
type Extractor struct {
	// large is held while a large file is read: decoded, it takes many times its size.
	large sync.Mutex
}

// New returns an extractor of lockfiles and manifests.
func New() *Extractor { return &Extractor{} }

// Info names the plugin.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{
		Name:    "extract/lockfile",
		Summary: "Packages that lockfiles and manifests declare.",
		Version: 3,
	}
}

// What a decoded file takes in memory goes by its entries, and hostile ones are small: so
// besides the size, which each format has its own limit for, lines and packages are
// counted.
const (
	// maxSize is for the formats that name no other size; lockfiles of ten thousand
	// packages have 5 MB.
	maxSize = 8 << 20
	// largeSize is from where on only one file is read at a time.
	largeSize = 1 << 20
	maxLines  = 500_000
	// maxDeclared and maxPackages bound what one file declares, before and after equal
	// ones are joined.
	maxDeclared = 100_000
	maxPackages = 50_000
)

// installed are folders of what a package manager installed or a tool shipped: a
// lockfile there is about the building of that thing, not about the target. Their
// packages are found as installed ones where they are.
var installed = map[string]bool{
	"node_modules": true, "bower_components": true, "site-packages": true, "dist-packages": true,
	"vendor": true, "gems": true, "registry": true, "testdata": true, "__fixtures__": true, "fixtures": true,
	".git": true,
}

// skipped are folders with more than one element, for the same reason.
var skipped = []string{"usr/share/doc/", "usr/share/go-", "usr/lib/go-", "usr/local/go/", "usr/lib/go/", "pkg/mod/"}

// Wants is true for the file names of the table, outside of what is installed.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	if find(f) == nil {
		return false
	}
	for _, s := range skipped {
		if i := strings.Index(f.Path, s); i == 0 || i > 0 && f.Path[i-1] == '/' {
			return false
		}
	}
	for elem := range strings.SplitSeq(path.Dir(f.Path), "/") {
		if installed[elem] {
			return false
		}
	}
	return true
}

// Extract implements [bulwark.Extractor]. Its errors do not name the file: who asked knows it.
func (e *Extractor) Extract(ctx context.Context, f *bulwark.File) (facts bulwark.Facts, err error) {
	format := find(&f.FileInfo)
	if format == nil {
		return bulwark.Facts{}, fmt.Errorf("no lockfile that is known: %w", bulwark.ErrUnsupported)
	}
	if f.Size > largeSize {
		e.large.Lock()
		defer e.large.Unlock()
	}
	content, err := lang.ReadAll(f, cmp.Or(format.max, maxSize))
	if err != nil {
		return bulwark.Facts{}, err
	}
	if n := bytes.Count(content, []byte("\n")); n > maxLines {
		return bulwark.Facts{}, fmt.Errorf("%d lines, more than %d: %w", n, maxLines, bulwark.ErrLimit)
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return bulwark.Facts{}, nil
	}
	list, err := format.parse(ctx, f.Path, content)
	return bulwark.Facts{Packages: finish(list, &err)}, err
}

// parse calls the format's reader. What it panics with, and any error that is not one of
// ours, means that the file is malformed.
func (f *format) parse(ctx context.Context, name string, content []byte) (list []declared, err error) {
	defer func() {
		if r := recover(); r != nil {
			list, err = nil, fmt.Errorf("%w: parser stopped: %s", bulwark.ErrMalformed, harmless(fmt.Sprint(r)))
		}
	}()
	list, err = f.read(ctx, name, content)
	switch {
	case err == nil:
		return list, nil
	case ctx.Err() != nil:
		return list, ctx.Err()
	case errors.Is(err, bulwark.ErrLimit), errors.Is(err, bulwark.ErrMalformed):
		return list, err
	}
	return list, fmt.Errorf("%w: %s", bulwark.ErrMalformed, harmless(nameless(err.Error(), path.Base(name))))
}

// nameless is a parser's message without the words that end in the file's name:
// "failed to parse conan.lock: unexpected EOF".
func nameless(message, base string) string {
	_, after, ok := strings.Cut(message, base)
	if _, rest, found := strings.Cut(after, ": "); ok && found {
		return rest
	}
	return message
}

// harmless is a parser's message, which may quote the file, in one short printable line.
func harmless(message string) string {
	message = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, message)
	return fmt.Sprintf("%.200s", strings.TrimSpace(message))
}

// declared is what a format's reader tells of a package.
type declared struct {
	typ      string // PURL type
	name     string // as its package manager shows it
	version  string // empty when the file does not pin one
	licenses []string
	dev      bool
}

// anonymous tells whether a name has an empty part.
func (d *declared) anonymous() bool {
	group, artifact, ok := strings.Cut(d.name, ":")
	return d.name == "" || d.typ == "maven" && (!ok || group == "" || artifact == "")
}

// marks are what the names of a type may hold besides letters, digits and ".", "_", "-", "+".
var marks = map[string]string{
	"npm": "@/~!*", "golang": "/~", "composer": "/", "maven": ":", "swift": "/:@~%",
}

// plausible tells whether a name has the form of the names of its type. It is lenient:
// registries have taken what they would not take today.
func plausible(typ, name string) bool {
	if name[0] == '/' || name[len(name)-1] == '/' {
		return false
	}
	word := false
	for _, r := range name {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
		if !letter && !strings.ContainsRune("._-+", r) && !strings.ContainsRune(marks[typ], r) {
			return false
		}
		word = word || letter || r == '_' || r == '-'
	}
	return word
}

// finish makes packages, each name and version once; what is needed at run time
// anywhere is not for development only.
func finish(list []declared, err *error) []bulwark.Package {
	var packages []bulwark.Package
	seen := map[string]int{}
	for _, d := range list {
		if d.anonymous() || strings.HasSuffix(d.version, "-use.local") { // yarn's mark of the project's own
			continue
		}
		name, ok := lang.Name(d.name)
		version, okVersion := lang.Version(d.version)
		if !ok || !okVersion || !plausible(d.typ, name) {
			*err = cmp.Or(*err, lang.Malformed("an entry that names no package: %.100q %.100q", d.name, d.version))
			continue
		}
		id := d.typ + " " + name + " " + version
		if i, ok := seen[id]; ok {
			packages[i].Dev = packages[i].Dev && d.dev
			continue
		}
		if len(packages) == maxPackages {
			*err = cmp.Or(*err, fmt.Errorf("more than %d packages: %w", maxPackages, bulwark.ErrLimit))
			break
		}
		seen[id] = len(packages)
		p := lang.Package(d.typ, name, version, "", d.licenses)
		p.Declared, p.Dev = true, d.dev
		packages = append(packages, p)
	}
	return packages
}
