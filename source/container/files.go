package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"bulwark"
	"bulwark/internal/limit"
)

// Budgets of what engines keep.
const (
	maxFile    = 8 << 20 // bytes of one file
	maxFolders = 1024    // of one folder that is looked through
	maxTexts   = 1 << 14 // bytes of a list of texts that is kept
	maxPairs   = 128     // labels, mounts
)

// reading is one look at one container.
type reading struct {
	f      *Finder
	it     *item
	c      bulwark.Container
	why    []string // why no more is known
	bundle string   // folder of its config.json
	root   string   // of its files, as its runtime was told
	// joined: it has the network of another process, as the containers of a pod have, which may be the node's.
	joined bool
}

func (r *reading) fail(what string, err error) {
	r.why = append(r.why, what+": "+clean(err.Error()))
}

// missing is why less is known than an engine would tell.
func (r *reading) missing() string {
	if r.c.Image != "" || r.it.sandboxed(&r.c) {
		if r.f.o.Kubelet != "" && r.c.Pod != nil && r.c.Pod.Labels == nil {
			return strings.Join(append([]string{"kubelet did not tell of its pod"}, r.it.why[1]...), "; ")
		}
		if r.it.silent && !r.it.plain {
			return strings.Join(r.it.why[1], "; ")
		}
		return ""
	}
	if r.it.plain {
		return "a runtime alone made it (" + r.c.Engine + "), which knows no image"
	}
	why := slices.Concat(r.it.why[0], r.it.why[1])
	if len(why) == 0 {
		return "no engine here knows it"
	}
	text := strings.Join(why, "; ")
	return text[:min(len(text), 500)]
}

// sandboxed tells of the container that only holds a pod's namespaces: its image says nothing.
func (it *item) sandboxed(c *bulwark.Container) bool {
	return c.Pod != nil && c.Pod.Sandbox == c.ID && c.ID != ""
}

// at is the place of a path of the node.
func (f *Finder) at(path ...string) string {
	return filepath.Join(append([]string{f.o.Root}, path...)...)
}

// read reads a regular file of at most that many bytes; links and pipes are none.
func read(path string, most int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, short(err)
	}
	defer file.Close()
	st, err := file.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("no regular file: %w", bulwark.ErrUnsupported)
	}
	if err != nil {
		return nil, short(err)
	}
	return limit.ReadAll(file, most, filepath.Base(path))
}

func short(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

func readJSON(path string, into any) error {
	b, err := read(path, maxFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("no such document: %w", bulwark.ErrMalformed) // its text may hold what is secret
	}
	return nil
}

// folders lists what is in a folder, as far as a name can be a container's or a driver's.
func folders(path string) []string {
	d, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, err := d.Readdirnames(maxFolders)
	if err != nil && err != io.EOF {
		return nil
	}
	return names
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// clean takes out what a terminal would obey.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
