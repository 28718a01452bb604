package git

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
)

// store is where a repository's objects are. It serves one goroutine.
type store struct {
	folders []string // its own, and those that it borrows from
	packs   []*pack  // the one with most objects first
	cache   cache
	flate   inflater
	loose   *os.File // that of the object which is read
	scratch []byte   // of deltas
}

const (
	maxFolders = 20   // that objects are borrowed from, one of another
	maxPacks   = 4000 // two open files each
)

// openStore opens the packs of an object folder and of those that it borrows from.
func openStore(dir string) (*store, error) {
	s := &store{folders: []string{dir}, cache: newCache()}
	for i := 0; i < len(s.folders); i++ {
		if err := s.borrow(s.folders[i]); err != nil {
			return nil, errors.Join(err, s.close())
		}
		if err := s.openPacks(s.folders[i]); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	slices.SortStableFunc(s.packs, func(a, b *pack) int { return b.count() - a.count() })
	for i, p := range s.packs {
		p.number = i
	}
	return s, nil
}

// borrow adds the folders that info/alternates names.
func (s *store) borrow(dir string) error {
	f, err := openRegular(filepath.Join(dir, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(limit.Reader(f, maxSmall, "info/alternates"))
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		to := below(dir, line)
		if slices.Contains(s.folders, to) {
			continue
		}
		if len(s.folders) >= maxFolders {
			return fmt.Errorf("objects borrowed from more than %d folders: %w", maxFolders, bulwark.ErrLimit)
		}
		s.folders = append(s.folders, to)
	}
	return lines.Err()
}

func (s *store) openPacks(dir string) error {
	entries, err := os.ReadDir(filepath.Join(dir, "pack"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "pack-") || !strings.HasSuffix(e.Name(), ".idx") {
			continue
		}
		if len(s.packs) >= maxPacks {
			return fmt.Errorf("more than %d packs: %w; git gc joins them", maxPacks, bulwark.ErrLimit)
		}
		p, err := openPack(filepath.Join(dir, "pack", e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // joined into another meanwhile, or left behind by an interrupted git
		}
		if err != nil {
			return err
		}
		s.packs = append(s.packs, p)
	}
	return nil
}

func (s *store) close() error {
	s.done()
	var err error
	for _, p := range s.packs {
		err = errors.Join(err, p.close())
	}
	return err
}

// done closes the loose object that was read.
func (s *store) done() {
	if s.loose != nil {
		s.loose.Close() // read only: nothing is lost
		s.loose = nil
	}
}

// place is where an object is: in a pack under a number, or by itself.
type place struct {
	pack   *pack // nil: by itself
	number int
}

// locate finds an object in the packs.
func (s *store) locate(o id) (place, bool, error) {
	for _, p := range s.packs {
		n, ok, err := p.find(o)
		if err != nil || ok {
			return place{p, n}, ok, err
		}
	}
	return place{}, false, nil
}

// open gives an object's kind, size and bytes, which are there until the next is opened. Its
// bytes end in an error wrapping ErrUntrusted if they are not those of its id. The error wraps
// ErrNotFound when the repository does not have it.
func (s *store) open(o id) (*object, error) {
	x, err := s.find(o)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", o, err)
	}
	x.verify(o)
	return x, nil
}

func (s *store) find(o id) (*object, error) {
	s.done()
	at, ok, err := s.locate(o)
	if err != nil {
		return nil, err
	}
	if !ok {
		return s.openLoose(o)
	}
	off, err := at.pack.offset(at.number)
	if err != nil {
		return nil, err
	}
	return s.openPacked(at.pack, off)
}

// read gives a whole object, which nobody may change.
func (s *store) read(o id) (kind, []byte, error) {
	x, err := s.open(o)
	if err != nil {
		return 0, nil, err
	}
	data, err := x.all()
	if err != nil {
		return 0, nil, fmt.Errorf("object %s: %w", o, err)
	}
	return x.kind, data, nil
}

// openLoose opens an object that has a file of its own.
func (s *store) openLoose(o id) (*object, error) {
	name := o.String()
	for _, dir := range s.folders {
		f, err := openRegular(filepath.Join(dir, name[:2], name[2:]))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.loose = f
		st, err := f.Stat()
		if err != nil {
			return nil, err
		}
		return s.flate.loose(f, st.Size())
	}
	return nil, bulwark.ErrNotFound
}

// openPacked opens the object at an offset of a pack. One that is stored whole is inflated as
// it is read, of another its bytes are made from the chain of its deltas.
func (s *store) openPacked(p *pack, off int64) (*object, error) {
	h, err := p.header(off)
	if err != nil {
		return nil, err
	}
	if h.kind != offsetKind && h.kind != refKind {
		r, err := s.flate.open(p.data, h.at, p.size-20, h.size)
		return &object{kind: h.kind, size: h.size, body: r}, err
	}
	k, data, err := s.whole(p, off)
	if err != nil {
		return nil, err
	}
	return &object{kind: k, size: int64(len(data)), data: data}, nil
}
