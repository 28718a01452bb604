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

// User is an account.
type User struct{ Name, Home, Shell string }

// entry is what the files of one root say.
type entry struct {
	users  map[uint32]User
	groups map[uint32]string
	read   time.Time
}

// Cache remembers what passwd files say. It is for one goroutine at a time.
type Cache struct {
	Proc  string // empty: /proc
	roots map[string]entry
}

// User is the account of that number in the root of the process. Processes with the same key have the same root; that of the
// node has the empty one.
func (c *Cache) User(key string, pid int, uid uint32, now time.Time) (User, bool) {
	u, ok := c.entry(key, pid, now).users[uid]
	return u, ok
}

// Group is the name of the group of that number there.
func (c *Cache) Group(key string, pid int, gid uint32, now time.Time) (string, bool) {
	g, ok := c.entry(key, pid, now).groups[gid]
	return g, ok
}

func (c *Cache) entry(key string, pid int, now time.Time) entry {
	e, ok := c.roots[key]
	good := fresh
	if e.users == nil { // the process may have ended before it was asked about
		good = time.Second
	}
	if ok && now.Sub(e.read) <= good && !now.Before(e.read) {
		return e
	}
	if found := c.read(key, pid); found.users != nil || !ok {
		e = found
	}
	e.read = now
	c.keep(key, e)
	return e
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

// read reads the files of a root: the node's own where key is empty, else that of the process.
func (c *Cache) read(key string, pid int) (e entry) {
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
		return e
	}
	defer root.Close()
	each(root, "etc/passwd", func(id uint32, f []string) {
		if _, ok := e.users[id]; ok {
			return
		}
		u := User{Name: f[0]}
		if len(f) >= 7 {
			u.Home, u.Shell = f[5], f[6]
		}
		if e.users == nil {
			e.users = map[uint32]User{}
		}
		e.users[id] = u
	})
	each(root, "etc/group", func(id uint32, f []string) {
		if e.groups == nil {
			e.groups = map[uint32]string{}
		}
		if _, ok := e.groups[id]; !ok {
			e.groups[id] = f[0]
		}
	})
	return e
}

// each gives the lines of a file of accounts, as far as it can be read.
func each(root *os.Root, name string, see func(id uint32, fields []string)) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return
	}
	lines(limit.Reader(f, maxFile, name), see)
}

func lines(r io.Reader, see func(id uint32, fields []string)) {
	all := bufio.NewScanner(r)
	for n := 0; all.Scan() && n < maxUsers; n++ {
		f := strings.Split(all.Text(), ":")
		if len(f) < 3 || f[0] == "" || len(f[0]) > 256 {
			continue
		}
		if id, err := strconv.ParseUint(f[2], 10, 32); err == nil {
			see(uint32(id), f)
		}
	}
}
