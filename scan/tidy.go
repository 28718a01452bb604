package scan

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	keptUnused = 30 * 24 * time.Hour // how long results that nobody asks for are kept
	tidyEvery  = 24 * time.Hour
	tidied     = "tidied" // the file whose time tells when it was done last
)

// tidy removes what was not used for long, at most once a day: results of older
// versions and of layers that are gone would pile up for ever. It is called after a scan
// that added something, when the time does not matter; what it cannot remove stays.
func (c *Cache) tidy(now time.Time) {
	mark := filepath.Join(c.dir, tidied)
	if st, err := os.Stat(mark); err == nil && now.Sub(st.ModTime()) < tidyEvery {
		return
	}
	if err := write(mark, nil); err != nil {
		return
	}
	for _, sub := range subfolders {
		sweep(filepath.Join(c.dir, sub), now)
	}
}

// sweep removes old files, and folders that are left empty: whoever writes makes them again.
func sweep(root string, now time.Time) {
	var folders []string
	filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || name == root:
		case d.IsDir():
			folders = append(folders, name)
		default:
			if st, err := d.Info(); err == nil && now.Sub(st.ModTime()) > keptUnused {
				os.Remove(name)
			}
		}
		return nil
	})
	for _, dir := range slices.Backward(folders) {
		os.Remove(dir) // fails when something is in it
	}
}

// used notes that a file served, so that it is kept.
func used(name string, now time.Time) {
	if st, err := os.Stat(name); err == nil && now.Sub(st.ModTime()) > tidyEvery {
		os.Chtimes(name, now, now)
	}
}
