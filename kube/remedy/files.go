package remedy

import (
	"bytes"
	"hash/maphash"
	"sync"
	"unicode/utf8"

	"bulwark/internal/telling"
	"bulwark/kube"
)

// Every family of checks makes patches for the same files, one after the other: they are kept,
// unless they are large or many.
const (
	mostKept = 16 << 20
	largest  = 1 << 20
)

// files are those of a set that patches were made for.
type files struct {
	mu     sync.Mutex
	byName map[string]*opened
	kept   int

	secrets secrets
}

// secrets knows which lines may hold one: lines are asked for again by many patches.
type secrets struct {
	mu    sync.Mutex
	seed  maphash.Seed
	lines map[uint64]bool // by their hash
}

// mostLines is how many lines are remembered.
const mostLines = 200_000

func (s *secrets) in(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines == nil || len(s.lines) >= mostLines {
		s.seed, s.lines = maphash.MakeSeed(), map[uint64]bool{}
	}
	key := maphash.String(s.seed, line)
	told, ok := s.lines[key]
	if !ok {
		told = telling.Line(line)
		s.lines[key] = told
	}
	return told
}

// opened is a file that was read, or could not be.
type opened struct {
	*file
	err error
}

// file is a file of the set.
func (m *Maker) file(name string) (*file, error) {
	if m.last == nil || m.name != name {
		m.name, m.last = name, m.known(name)
	}
	return m.last.file, m.last.err
}

func (m *Maker) known(name string) *opened {
	all := kube.Memo(m.Set, func(*kube.Set) *files { return &files{byName: map[string]*opened{}} })
	all.mu.Lock()
	defer all.mu.Unlock()
	f, ok := all.byName[name]
	if !ok {
		if f = m.open(name); f.file != nil {
			f.secrets = &all.secrets
		}
		all.keep(name, f)
	}
	return f
}

// keep forgets the others when they are too many.
func (all *files) keep(name string, f *opened) {
	size := len(name)
	if f.file != nil {
		size += len(f.data) + 8*len(f.starts)
	}
	if size > largest {
		return
	}
	if all.kept += size; all.kept > mostKept {
		clear(all.byName)
		all.kept = size
	}
	all.byName[name] = f
}

func (m *Maker) open(name string) *opened {
	if m.Set.Read == nil {
		return &opened{err: unsure("there is no file")}
	}
	data, err := m.Set.Read(name)
	if err != nil {
		return &opened{err: err}
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return &opened{err: unsure("the file is not written in UTF-8")}
	}
	return &opened{file: newFile(data)}
}
