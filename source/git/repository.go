package git

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/limit"
)

// repository is one that was found.
type repository struct {
	top     string      // of the working tree; empty when there is none
	dir     string      // what belongs to this working tree: HEAD, index
	common  string      // what all working trees share: objects, refs
	inside  string      // the folder that was asked for, below top; empty for all of it
	shallow map[id]bool // commits whose parents are not here
	partial bool        // blobs may be missing: a partial clone
}

// find looks for the repository of a folder: its own, or that of a folder above it.
func find(folder string) (*repository, error) {
	abs, err := filepath.Abs(folder)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w: %w", folder, bulwark.ErrNotFound, err)
	}
	r := &repository{}
	if isRepository(abs) {
		r.dir = abs
		return r, r.open()
	}
	for top := abs; ; top = filepath.Dir(top) {
		if dir, ok := gitDir(filepath.Join(top, ".git")); ok {
			rel, err := filepath.Rel(top, abs)
			if err != nil {
				return nil, err
			}
			r.top, r.dir = top, dir
			if rel != "." {
				r.inside = filepath.ToSlash(rel)
			}
			return r, r.open()
		}
		if top == filepath.Dir(top) {
			return nil, fmt.Errorf("%s is in no Git repository: %w; name a folder of a clone, or a bare repository", folder, bulwark.ErrNotFound)
		}
	}
}

// gitDir is where .git leads: a folder, or the file that working trees and submodules
// have in its place.
func gitDir(dotGit string) (string, bool) {
	if isRepository(dotGit) {
		return dotGit, true
	}
	text, err := readSmall(dotGit)
	if err != nil {
		return "", false
	}
	to, ok := strings.CutPrefix(text, "gitdir:")
	if !ok {
		return "", false
	}
	dir := below(filepath.Dir(dotGit), to)
	return dir, isRepository(dir)
}

// isRepository tells whether a folder is what .git is.
func isRepository(dir string) bool {
	if st, err := os.Stat(filepath.Join(dir, "HEAD")); err != nil || !st.Mode().IsRegular() {
		return false
	}
	for _, sub := range []string{"objects", "commondir"} {
		if _, err := os.Stat(filepath.Join(dir, sub)); err == nil {
			return true
		}
	}
	return false
}

// below resolves a path that a file in a folder names.
func below(dir, p string) string {
	p = filepath.FromSlash(strings.TrimSpace(p))
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(dir, p)
}

// open reads what kind of repository it is, and what is not in it.
func (r *repository) open() error {
	r.common = r.dir
	if to, err := readSmall(filepath.Join(r.dir, "commondir")); err == nil {
		r.common = below(r.dir, to)
	}
	if err := r.settings(); err != nil {
		return err
	}
	return r.readShallow()
}

// store opens the repository's objects.
func (r *repository) store() (*store, error) { return openStore(filepath.Join(r.common, "objects")) }

// settings looks at what of the configuration decides how to read the repository.
func (r *repository) settings() error {
	text, err := readSmall(filepath.Join(r.common, "config"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the repository's configuration: %w", err)
	}
	for key, value := range settingsOf(text) {
		switch {
		case key == "extensions.objectformat" && !strings.EqualFold(value, "sha1"):
			return fmt.Errorf("a repository with %s ids: %w; those with SHA-1 can be read", value, bulwark.ErrUnsupported)
		case key == "extensions.refstorage" && !strings.EqualFold(value, "files"):
			return fmt.Errorf("a repository that keeps references as %s: %w; migrate it: git refs migrate --ref-format=files", value, bulwark.ErrUnsupported)
		case key == "extensions.partialclone", strings.HasSuffix(key, ".promisor") && !strings.EqualFold(value, "false"):
			r.partial = true
		}
	}
	return nil
}

// settingsOf reads the lines of a configuration as git-config(1) has them. Includes are not
// followed, and only the last of the values that a key has counts.
func settingsOf(text string) map[string]string {
	all := map[string]string{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			head, rest, _ := strings.Cut(line[1:], "]")
			section, _, _ = strings.Cut(strings.ToLower(head), " ")
			line = strings.TrimSpace(rest)
		}
		key, value, ok := strings.Cut(line, "=")
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if !ok {
			value = "true"
		} else if i := strings.IndexAny(value, "#;"); i >= 0 {
			value = value[:i]
		}
		all[section+"."+strings.ToLower(strings.TrimSpace(key))] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return all
}

func (r *repository) readShallow() error {
	f, err := openRegular(filepath.Join(r.common, "shallow"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the list of shallow commits: %w", err)
	}
	defer f.Close()
	r.shallow = map[id]bool{}
	lines := bufio.NewScanner(limit.Reader(f, maxList, "the list of shallow commits"))
	for lines.Scan() {
		if c, ok := parseID(lines.Text()); ok {
			r.shallow[c] = true
		}
	}
	return lines.Err()
}

const (
	maxSmall = 1 << 20   // bytes of HEAD, .git, configuration
	maxList  = 128 << 20 // bytes of packed-refs and the like
)

// readSmall reads a file that cannot be large.
func readSmall(name string) (string, error) {
	f, err := openRegular(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := limit.ReadAll(f, maxSmall, filepath.Base(name))
	return string(b), err
}

// openRegular opens a regular file; it never waits for a pipe.
func openRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file: %w", filepath.Base(name), bulwark.ErrMalformed)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readAt reads exactly len(b) bytes.
func readAt(f io.ReaderAt, b []byte, off int64) error {
	if n, err := f.ReadAt(b, off); n < len(b) {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: it ends too early", bulwark.ErrMalformed)
		}
		return err
	}
	return nil
}
