package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"bulwark"
)

// maxPath is what Linux takes as a path; a longer one cannot be unpacked.
const maxPath = 4096

// walker gives the entries of a tar to visit.
type walker struct {
	src   *spread
	at    Local // may be nil
	most  int
	visit func(*bulwark.Entry) error

	// What an entry holds is used again for the next one.
	entry   bulwark.Entry
	body    headers
	section section
}

func (w *walker) walk() error {
	w.body.src = w.src
	for n := 0; ; n++ {
		h, err := w.body.next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !(errors.Is(err, tar.ErrInsecurePath) && h != nil) {
			return err
		}
		if n >= w.most {
			return fmt.Errorf("more than %d entries: %w", w.most, bulwark.ErrLimit)
		}
		if !w.fill(h) {
			continue
		}
		if err := w.visit(&w.entry); err != nil {
			return err
		}
	}
}

// fill sets entry, and tells whether there is one.
func (w *walker) fill(h *tar.Header) bool {
	e := &w.entry
	*e = bulwark.Entry{}
	switch h.Typeflag {
	case tar.TypeXGlobalHeader, 'V': // about the archive, not about a file
		return false
	}
	p := clean(h.Name)
	if p == "" {
		return false // the root itself
	}
	if len(p) > maxPath {
		e.SetPath(strings.ToValidUTF8(p[:maxPath], ""))
		e.Err = fmt.Errorf("path of %d bytes: %w", len(p), bulwark.ErrLimit)
		return true
	}
	e.SetPath(p)
	if escapes(h.Name) {
		e.Odd = fmt.Errorf("its name leads out of the image; it is taken as /%s: %w", p, bulwark.ErrMalformed)
	}
	mode, ok := modes[h.Typeflag]
	switch {
	case sparse(h):
		// Its size is a claim that stands in the header alone.
		e.Err = fmt.Errorf("sparse file that claims %d bytes: %w", h.Size, bulwark.ErrLimit)
		return true
	case !ok:
		e.Err = fmt.Errorf("tar entry of type %q: %w", h.Typeflag, bulwark.ErrUnsupported)
		return true
	case len(h.Linkname) > maxPath:
		e.Err = fmt.Errorf("link of %d bytes: %w", len(h.Linkname), bulwark.ErrLimit)
		return true
	}
	e.Mode = mode | permissions(h.Mode)
	e.UID, e.GID, e.ModTime = h.Uid, h.Gid, h.ModTime
	switch h.Typeflag {
	case tar.TypeSymlink:
		e.Link = h.Linkname
	case tar.TypeLink:
		e.Link, e.Hard = clean(h.Linkname), true
	}
	if mode.IsRegular() && !e.Hard {
		w.content(h)
	}
	return true
}

func (w *walker) content(h *tar.Header) {
	w.entry.Size = h.Size
	w.entry.Body = &w.body
	if w.at != nil {
		w.section = section{w.at, w.src.pos, h.Size}
		w.entry.At = &w.section
	}
}

var modes = map[byte]fs.FileMode{
	tar.TypeReg: 0, tar.TypeCont: 0, tar.TypeLink: 0,
	tar.TypeDir: fs.ModeDir, tar.TypeSymlink: fs.ModeSymlink, tar.TypeFifo: fs.ModeNamedPipe,
	tar.TypeBlock: fs.ModeDevice, tar.TypeChar: fs.ModeDevice | fs.ModeCharDevice,
}

func permissions(m int64) fs.FileMode {
	mode := fs.FileMode(m) & fs.ModePerm
	for _, b := range special {
		if m&b.bit != 0 {
			mode |= b.mode
		}
	}
	return mode
}

var special = [...]struct {
	bit  int64
	mode fs.FileMode
}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}}

// sparse tells whether archive/tar would make up bytes that are not stored.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// clean makes a name from a tar relative to the root of the image, which ".." does
// not leave. The root is "".
func clean(name string) string {
	name = strings.TrimPrefix(name, "./")
	name = strings.TrimSuffix(name, "/")
	if isClean(name) {
		return name
	}
	return path.Clean("/" + name)[1:]
}

// escapes tells whether a name climbs above the root. An absolute name does not: it
// starts there.
func escapes(name string) bool {
	return strings.Contains(name, "..") && !isClean(name) && !filepath.IsLocal("./"+strings.TrimLeft(name, "/"))
}

// isClean spares the usual name a copy.
func isClean(name string) bool {
	for start := 0; ; {
		i := strings.IndexByte(name[start:], '/')
		if i < 0 {
			i = len(name) - start
		}
		if e := name[start : start+i]; e == "" || e == "." || e == ".." {
			return false
		}
		if start += i + 1; start > len(name) {
			return true
		}
	}
}

// section is an io.SectionReader that costs no allocation for each entry.
type section struct {
	at           io.ReaderAt
	offset, size int64
}

func (s *section) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	if left := s.size - off; int64(len(p)) > left {
		n, err := s.at.ReadAt(p[:left], s.offset+off)
		if err == nil {
			err = io.EOF
		}
		return n, err
	}
	return s.at.ReadAt(p, s.offset+off)
}
