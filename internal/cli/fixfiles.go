package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"bulwark"
	"bulwark/internal/limit"
)

const (
	maxFixed  = 16 << 20 // bytes of a file that is changed
	maxCopied = 1 << 30  // bytes of the copy
)

// copyAll copies the files of the folder to where they can be changed.
func (m *mender) copyAll() error {
	dir, err := os.MkdirTemp("", "bulwark-fix-")
	if err != nil {
		return err
	}
	m.copy = dir
	rest := int64(maxCopied)
	return fs.WalkDir(m.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		switch {
		case err != nil:
			return nil // the scan tells of it
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || m.file != "" && name != "."):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(to, 0o700)
		case d.Type()&fs.ModeSymlink != 0:
			return m.copyLink(name, to)
		case !d.Type().IsRegular() || m.file != "" && name != m.file:
			return nil
		}
		n, err := m.copyFile(name, to, rest)
		rest -= n
		return err
	})
}

// copyFile copies a file of a size that can be changed; others are left out.
func (m *mender) copyFile(name, to string, rest int64) (int64, error) {
	in, err := limit.Open(m.root, name)
	if err != nil {
		return 0, nil
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil || st.Size() > maxFixed {
		return 0, err
	}
	if st.Size() > rest {
		return 0, fmt.Errorf("the files of %s: %w of %d MB", m.named, bulwark.ErrLimit, maxCopied>>20)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, io.LimitReader(in, maxFixed))
	return n, errors.Join(err, out.Close())
}

// copyLink copies a link that stays in the folder.
func (m *mender) copyLink(name, to string) error {
	target, err := m.root.Readlink(filepath.FromSlash(name))
	if err != nil || !filepath.IsLocal(filepath.Join(filepath.Dir(name), target)) || filepath.IsAbs(target) {
		return nil
	}
	return os.Symlink(target, to)
}

// names are the files that change, in order.
func (m *mender) names() []string {
	var list []string
	for name := range m.texts {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func printDiffs(w io.Writer, m *mender) error {
	for _, name := range m.names() {
		sum := m.texts[name].Sum()
		content, err := m.content(name)
		if err != nil {
			return err
		}
		text, err := sum.Diff(content)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// change writes what was changed below the root, which links do not leave.
func (a *app) change(m *mender) error {
	var failed error
	for _, name := range m.names() {
		if err := m.rewrite(name); err != nil {
			failed = errors.Join(failed, fmt.Errorf("changing %w", err))
			continue
		}
		fmt.Fprintf(a.err, "changed %s\n", clean(name))
	}
	return failed
}

// content reads a file of the user's folder.
func (m *mender) content(name string) ([]byte, error) {
	b, _, err := m.read(name)
	return b, err
}

func (m *mender) read(name string) ([]byte, fs.FileMode, error) {
	in, err := limit.Open(m.root, path.Clean(name))
	if err != nil {
		return nil, 0, err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return nil, 0, err
	}
	b, err := limit.ReadAll(in, maxFixed, name)
	return b, st.Mode().Perm(), err
}

func local(name string) string { return filepath.FromSlash(path.Clean(name)) }

// rewrite puts the changed content in the place of the file, which is as it was looked at.
func (m *mender) rewrite(file string) error {
	if st, err := m.root.Lstat(local(file)); err == nil && st.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s: it is a link; name the file that it leads to: %w", file, bulwark.ErrUnsupported)
	}
	old, mode, err := m.read(file)
	if err != nil {
		return err
	}
	sum := m.texts[file].Sum()
	changed, err := sum.Apply(old)
	if err != nil {
		return err
	}
	if !bytes.Equal(changed, m.texts[file].Bytes()) {
		return fmt.Errorf("%s: %w", file, errChanged)
	}
	return m.replace(local(file), changed, mode)
}

// replace writes the content beside the file and renames it, so that the file is whole at any
// time. The new one has the rights of the old.
func (m *mender) replace(name string, content []byte, mode fs.FileMode) error {
	beside := filepath.Join(filepath.Dir(name), ".bulwark-"+filepath.Base(name))
	out, err := m.root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(content)
	err = errors.Join(err, out.Chmod(mode), out.Close()) // the umask does not count
	if err == nil {
		err = m.root.Rename(beside, name)
	}
	if err != nil {
		m.root.Remove(beside) // best effort: the error that is returned matters more
	}
	return err
}
