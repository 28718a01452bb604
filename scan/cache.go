package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bulwark"
)

// Cache keeps the results of layers in a folder that any number of processes share at
// once: files are written beside and renamed, nothing is locked, and what cannot be
// read is as if it were not there. A nil Cache keeps nothing.
//
// A layer's results are found by what its stored bytes are (Layer.Identity) and not by
// the diffID that an image's configuration claims: only bytes that have been read and
// verified lead to a diffID.
//
//	blobs/<hash of identity>            the diffID
//	layers/<plugins>/<hash of diffID>   facts, see codec.go
//	images/<hash of all diffIDs>        the name of an image that was scanned
//	engine/                             what the source of engines' images keeps
//
// What was not used for 30 days is removed now and then.
type Cache struct{ dir string }

var subfolders = []string{"blobs", "layers", "images", "engine"}

// OpenCache makes the folder if it is missing, readable by this user alone.
func OpenCache(dir string) (*Cache, error) {
	for _, sub := range subfolders {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("making the cache folder: %w", err)
		}
	}
	return &Cache{dir}, nil
}

func hashed(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// fingerprint names everything that decides which facts bytes give.
func (s *Scanner) fingerprint(image bool) string {
	parts := []string{codecVersion, s.Version, fmt.Sprint(image, s.Memory), strings.Join(s.Exclude, "\x00")}
	for _, x := range s.Extractors {
		parts = append(parts, fmt.Sprint(x.Info().Name, x.Info().Version))
	}
	for _, x := range s.Inspectors {
		parts = append(parts, fmt.Sprint(x.Info().Name, x.Info().Version))
	}
	return hashed(parts...)
}

// load gives the facts of a layer whose bytes were read before; nil when they were not.
func (c *Cache) load(plugins string, l *bulwark.Layer) *facts {
	if c == nil || l.Identity == "" {
		return nil
	}
	diffID, err := os.ReadFile(c.blob(l))
	if err != nil || string(diffID) != l.DiffID {
		return nil
	}
	data, err := os.ReadFile(c.layer(plugins, l))
	if err != nil {
		return nil
	}
	f, err := decode(data)
	if err != nil {
		return nil // as good as absent: the layer is read again and the file replaced
	}
	f.diffID = l.DiffID
	now := time.Now()
	used(c.blob(l), now)
	used(c.layer(plugins, l), now)
	return f
}

// store keeps the facts of a layer whose bytes were verified. That it failed is a note.
func (c *Cache) store(plugins string, l *bulwark.Layer, f *facts) *bulwark.Note {
	if c == nil || l.Identity == "" || l.DiffID == "" {
		return nil
	}
	err := errors.Join(write(c.layer(plugins, l), encode(f)), write(c.blob(l), []byte(l.DiffID)))
	if err == nil {
		c.tidy(time.Now())
		return nil
	}
	return &bulwark.Note{Plugin: "scan/cache", Text: fmt.Sprintf("results of layer %d not kept for the next run: %v", l.Index, err)}
}

func (c *Cache) blob(l *bulwark.Layer) string {
	return filepath.Join(c.dir, "blobs", hashed(l.Identity))
}

func (c *Cache) layer(plugins string, l *bulwark.Layer) string {
	return filepath.Join(c.dir, "layers", plugins, hashed(l.DiffID))
}

// write puts data into a file that is then renamed: readers see all of it or none.
func write(name string, data []byte) error {
	dir := filepath.Dir(name)
	tmp, err := os.CreateTemp(dir, ".new-*")
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		tmp, err = os.CreateTemp(dir, ".new-*")
	}
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		os.Remove(tmp.Name()) // best effort: the error that is returned matters more
	}
	return err
}

// chain names a stack of layers.
func chain(diffIDs []string) string { return hashed(diffIDs...) }

// remember keeps the image's name, so that images built on it know their base.
func (c *Cache) remember(t *bulwark.Target) *bulwark.Note {
	if c == nil || len(t.Layers) == 0 {
		return nil
	}
	ids := make([]string, len(t.Layers))
	for i, l := range t.Layers {
		ids[i] = l.DiffID
	}
	file := filepath.Join(c.dir, "images", chain(ids))
	if known, err := os.ReadFile(file); err == nil && string(known) == t.Asset.Name {
		used(file, time.Now())
		return nil
	}
	if err := write(file, []byte(t.Asset.Name)); err != nil {
		return &bulwark.Note{Plugin: "scan/cache", Text: fmt.Sprintf("the image is not kept as a possible base: %v", err)}
	}
	return nil
}

// base finds the longest stack of lower layers that is an image scanned before.
func (c *Cache) base(diffIDs []string) (name string, layers int) {
	if c == nil {
		return "", 0
	}
	for n := len(diffIDs) - 1; n > 0; n-- {
		file := filepath.Join(c.dir, "images", chain(diffIDs[:n]))
		if data, err := os.ReadFile(file); err == nil {
			used(file, time.Now())
			return string(data), n
		}
	}
	return "", 0
}
