package lockfile

import (
	"bytes"
	"context"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	config "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/inventory"
	"github.com/google/osv-scalibr/log"

	"bulwark/extract/internal/lang"
	"bulwark/internal/purl"
)

// reader reads one format: the file's content, which came from that path.
type reader func(ctx context.Context, name string, content []byte) ([]declared, error)

// scalibr is a reader that drives one of osv-scalibr's extractors, with a file system
// that holds the file alone.
func scalibr(typ string, newExtractor func(*config.PluginConfig) (filesystem.Extractor, error)) reader {
	quiet()
	return func(ctx context.Context, name string, content []byte) ([]declared, error) {
		e, err := newExtractor(&config.PluginConfig{})
		if err != nil {
			return nil, err
		}
		f := &oneFile{name: name, content: content}
		inv, err := e.Extract(ctx, &filesystem.ScanInput{FS: f, Path: name, Info: f.info(), Reader: bytes.NewReader(content)})
		return translate(typ, inv), err
	}
}

// pinning is a reader of a format that gives every package a version: what has none is no
// package.
func pinning(read reader) reader {
	return func(ctx context.Context, name string, content []byte) ([]declared, error) {
		list, err := read(ctx, name, content)
		kept := slices.DeleteFunc(list, func(d declared) bool {
			if d.version == "" && err == nil {
				err = lang.Malformed("an entry without a version: %.100q", d.name)
			}
			return d.version == ""
		})
		return kept, err
	}
}

// quiet stops osv-scalibr from writing to standard error.
var quiet = sync.OnceFunc(func() { log.SetLogger(silence{}) })

type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Warnf(string, ...any)  {}
func (silence) Infof(string, ...any)  {}
func (silence) Debugf(string, ...any) {}
func (silence) Error(...any)          {}
func (silence) Warn(...any)           {}
func (silence) Info(...any)           {}
func (silence) Debug(...any)          {}

// translate keeps the ecosystem's own type also for what comes from a Git repository.
func translate(typ string, inv inventory.Inventory) []declared {
	var list []declared
	for _, p := range inv.Packages {
		d := declared{typ: typ, name: p.Name, version: p.Version, licenses: p.Licenses, dev: development(p)}
		if u := p.PURL(); u != nil {
			if d.name = u.Name; u.Namespace != "" {
				d.name = purl.PURL{Type: u.Type, Namespace: u.Namespace, Name: u.Name}.FullName()
			}
		}
		list = append(list, d)
	}
	return list
}

// groups is how osv-scalibr tells what a package is needed for.
type groups interface{ DepGroups() []string }

// development tells whether a package is in groups of development or tests alone.
func development(p *extractor.Package) bool {
	g, ok := p.Metadata.(groups)
	if !ok || len(g.DepGroups()) == 0 {
		return false
	}
	return !slices.ContainsFunc(g.DepGroups(), func(s string) bool { return s != "dev" && s != "test" && s != "development" })
}

// oneFile is a file system with one file.
type oneFile struct {
	name    string
	content []byte
}

func (o *oneFile) info() fs.FileInfo { return fileInfo{path.Base(o.name), int64(len(o.content))} }

// Open implements [fs.FS].
func (o *oneFile) Open(name string) (fs.File, error) {
	if path.Clean(name) != o.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openFile{Reader: bytes.NewReader(o.content), info: o.info()}, nil
}

// Stat implements [fs.StatFS].
func (o *oneFile) Stat(name string) (fs.FileInfo, error) {
	if path.Clean(name) != o.name {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return o.info(), nil
}

// ReadDir implements [fs.ReadDirFS].
func (o *oneFile) ReadDir(name string) ([]fs.DirEntry, error) {
	if path.Clean(name) != path.Dir(o.name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(o.info())}, nil
}

type openFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type fileInfo struct {
	name string
	size int64
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return 0o644 }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }
