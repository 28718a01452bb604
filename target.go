package bulwark

import (
	"context"
	"io"
	"io/fs"
	"path"
	"time"
)

// Target is one thing to look at, opened. It offers facets; a facet that it does
// not have is nil.
type Target struct {
	Asset Asset
	// Absolute is true when the layers make up a whole root file system: paths are
	// then reported with a leading slash.
	Absolute bool
	// Layers hold the files, lowest first. A folder or the host is one layer.
	Layers []Layer
	// Stream is true when the layers come out of one stream, in an order of its own (an
	// engine's export, a compressed archive). Walks that are under way at once share one
	// reading of it, each waiting for its layer to pass by: call Walk for all layers at
	// once. Any other order is right as well, and may read the stream several times.
	Stream bool
	// Past holds versions of files that the target had once: a repository's history. Only
	// plugins that say so ([Info.Past]) are asked about them. nil: it is not looked at.
	Past *Layer
	// Image is the image's configuration; nil for what is no image.
	Image *Image
	// Inventory is what an SBOM declares; nil for what has files.
	Inventory *Inventory
	// Objects are what the target declares rather than holds: those of manifests, charts or a
	// cluster. The room that knows them gives them with their types ([bulwark/kube.Of]).
	Objects Objects
	// Notes are for the report: what the source could not see.
	Notes []Note
	// Close frees what the target holds; nil when it holds nothing.
	Close func() error
}

// Objects is a set of declared objects, of whatever system.
type Objects interface {
	Len() int // how many there are
}

// Image is what an image's manifest and configuration say. All of it is foreign.
type Image struct {
	ConfigDigest   string
	ManifestDigest string
	IndexDigest    string // of the index that led to the manifest; empty without one
	Created        time.Time
	OS, Arch       string // as in the configuration: linux, amd64 (with variant: arm/v7)
	Labels         map[string]string
	Annotations    map[string]string // of the manifest
	History        []History         // as in the configuration, empty layers included
	Config         []byte            // the configuration, as its digest covers it
}

// History is a line of the image's history.
type History struct {
	CreatedBy string
	Comment   string
	Empty     bool // made no layer
}

// Layer is one layer of files.
type Layer struct {
	Index     int    // 0 is the lowest
	DiffID    string // digest of the uncompressed tar, as the configuration claims; empty for folders
	Digest    string // digest of the stored blob, as the manifest claims; empty when not content addressed
	Size      int64  // bytes stored, -1 when unknown
	CreatedBy string // its line of the history
	Base      bool   // belongs to the base image
	// Identity names the stored bytes so surely that equal identities mean equal
	// bytes: a digest that is verified whenever the bytes are read, or device, inode,
	// size and change times of a local file. Empty: never cache.
	Identity string
	Tree     Tree
}

// Tree gives the entries of a layer.
type Tree interface {
	// Walk calls visit for every entry in stored order (folders may be missing, names
	// may repeat) and verifies the bytes that it reads: after the last entry it
	// returns an error wrapping ErrUntrusted if the digest of the layer does not fit
	// its DiffID, and then nothing that was visited may be believed. It may be
	// called several times, also at once. The error of visit ends the walk and is
	// returned as it is. Entries that could not be read are passed to visit with Err.
	Walk(ctx context.Context, visit func(*Entry) error) error
}

// Meter is what a tree implements that knows how far walks have read it.
type Meter interface {
	// BytesRead is how many stored bytes all walks together have read so far; those of
	// a whole walk are the layer's size. It may be called at any time.
	BytesRead() int64
}

// FileInfo describes one file.
type FileInfo struct {
	Path     string // clean, slash separated, relative to the root: "usr/bin/node"
	Base     string // last element of Path
	Mode     fs.FileMode
	Size     int64 // of a regular file
	UID, GID int
	ModTime  time.Time
}

// Entry is a file, folder or link of a layer while it is visited. It is valid until
// visit returns.
type Entry struct {
	FileInfo
	// Link is a symbolic link's target as it is stored (it may lead anywhere), or
	// the clean relative path of the file that a hard link names.
	Link string
	// Hard is true for a hard link: same bytes as Link, an entry of the same layer or a lower one.
	Hard bool
	// Body is the content of a regular file, read once from start to end or left alone.
	Body io.Reader
	// At reads anywhere in the content, where the medium allows it for free; else nil.
	At io.ReaderAt
	// Commit is the id of the commit that brought this version of the file, and ModTime then its
	// date; empty for files that are there now. A path may have several versions.
	Commit string
	// Odd is what is wrong with an entry that could be read all the same: a name that leads
	// out of the image, and was taken to stay in.
	Odd error
	// Err is why the entry could not be read; nothing but FileInfo.Path is then set.
	Err error
}

// SetPath sets Path and Base.
func (f *FileInfo) SetPath(clean string) { f.Path, f.Base = clean, path.Base(clean) }

// File is one file whose content can be read anywhere.
type File struct {
	FileInfo
	io.ReaderAt
}

// Reader reads the whole file from its start.
func (f *File) Reader() *io.SectionReader { return io.NewSectionReader(f.ReaderAt, 0, f.Size) }
