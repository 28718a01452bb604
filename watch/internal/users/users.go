// Package users names the users of a node and of its containers, by the passwd files of each.
package users

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bulwark/internal/limit"
)

const (
	maxFile  = 1 << 20
	maxUsers = 4096
	maxRoots = 256
	fresh    = time.Minute
)

// Names are the users of one root.
type Names map[uint32]string

type entry struct {
	names Names
	read  time.Time
}

// Cache remembers what passwd files say. It is for one goroutine at a time.
type Cache struct {
	Proc  string // empty: /proc
	roots map[string]entry
}

// Name is what the root of the process calls the user; empty where it does not say. Processes with the
// same key have the same root.
func (c *Cache) Name(key string, pid int, uid uint32, now time.Time) string {
	e, ok := c.roots[key]
	if !ok || now.Sub(e.read) > fresh || now.Before(e.read) {
		if names := c.read(key, pid); names != nil || !ok {
			e.names = names
		}
		e.read = now
		c.keep(key, e)
	}
	return e.names[uid]
}

func (c *Cache) keep(key string, e entry) {
	if c.roots == nil {
		c.roots = map[string]entry{}
	}
	if _, ok := c.roots[key]; !ok && len(c.roots) >= maxRoots {
		oldest := ""
		for k, e := range c.roots {
			if oldest == "" || e.read.Before(c.roots[oldest].read) {
				oldest = k
			}
		}
		delete(c.roots, oldest)
	}
	c.roots[key] = e
}

// read reads the passwd file of a root: the node's own where key is empty, else that of the process.
func (c *Cache) read(key string, pid int) Names {
	dir := "/"
	if key != "" {
		dir = c.Proc
		if dir == "" {
			dir = "/proc"
		}
		dir += "/" + strconv.Itoa(pid) + "/root"
	}
	root, err := os.OpenRoot(dir) // links of a container do not lead out of it
	if err != nil {
		return nil
	}
	defer root.Close()
	f, err := root.OpenFile("etc/passwd", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil
	}
	return parse(limit.Reader(f, maxFile, "etc/passwd"))
}

// parse reads a passwd file as far as it can be read.
func parse(r io.Reader) Names {
	names := Names{}
	lines := bufio.NewScanner(r)
	for lines.Scan() && len(names) < maxUsers {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		_, rest, _ = strings.Cut(rest, ":")
		id, _, _ := strings.Cut(rest, ":")
		uid, err := strconv.ParseUint(id, 10, 32)
		if _, ok := names[uint32(uid)]; err == nil && !ok && name != "" && len(name) <= 256 {
			names[uint32(uid)] = name
		}
	}
	return names
}
