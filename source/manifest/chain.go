package manifest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// chain holds the folders on the way to the one that was asked for last: those that lie near
// each other, as they do in a walk, are opened from there and not by their whole paths. None
// leads out of the root.
type chain struct {
	root  *os.Root
	names []string
	below []*os.Root
}

// in gives a folder below the root, until another one is asked for.
func (c *chain) in(dir string) (*os.Root, error) {
	var names []string
	if dir != "." {
		names = strings.Split(dir, "/")
	}
	same := 0
	for same < len(names) && same < len(c.names) && names[same] == c.names[same] {
		same++
	}
	c.cut(same)
	at := c.root
	if same > 0 {
		at = c.below[same-1]
	}
	for _, name := range names[same:] {
		next, err := at.OpenRoot(filepath.FromSlash(name))
		if err != nil {
			return nil, err
		}
		c.names, c.below = append(c.names, name), append(c.below, next)
		at = next
	}
	return at, nil
}

// list gives what is in a folder, in the order of names.
func (c *chain) list(dir string) ([]fs.DirEntry, error) {
	at, err := c.in(dir)
	if err != nil {
		return nil, err
	}
	return fs.ReadDir(at.FS(), ".")
}

// cut closes all but the first folders.
func (c *chain) cut(keep int) {
	for _, r := range c.below[keep:] {
		r.Close()
	}
	c.names, c.below = c.names[:keep], c.below[:keep]
}

func (c *chain) close() { c.cut(0) }
