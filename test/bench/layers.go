package main

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"bulwark"
)

// spent is what a walk took.
type spent struct {
	bytes int64
	cpu   time.Duration
}

// rate is what was read a second beyond what the walk alone takes, in MB.
func (s spent) rate(floor spent) float64 {
	return float64(s.bytes) / 1e6 / max(1e-9, (s.cpu-floor.cpu).Seconds())
}

// taker is given the pieces of a file, and nil at its end.
type taker func(piece []byte) error

// nobody takes nothing: what is left is the walk.
func nobody(*bulwark.FileInfo) taker { return nil }

// over gives every regular file of a docker-archive's layers, or of a folder, to what begin
// returns for it.
func over(name string, begin func(*bulwark.FileInfo) taker) (s spent, err error) {
	w := &walking{begin: begin, piece: make([]byte, 256<<10)}
	start := cpuTime()
	if st, serr := os.Stat(name); serr == nil && st.IsDir() {
		err = w.folder(name)
	} else {
		err = w.archive(name)
	}
	return spent{w.bytes, cpuTime() - start}, err
}

// walking is a walk under way.
type walking struct {
	begin func(*bulwark.FileInfo) taker
	piece []byte
	bytes int64
}

func (w *walking) archive(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	outer := tar.NewReader(bufio.NewReaderSize(f, 1<<20))
	return each(outer, func(h *tar.Header) error {
		if !strings.HasSuffix(h.Name, "/layer.tar") {
			return nil
		}
		layer := tar.NewReader(outer)
		return each(layer, func(h *tar.Header) error {
			return w.file(path.Clean(h.Name), h.Size, h.FileInfo().Mode(), layer)
		})
	})
}

// each calls visit for the regular files of a tar that have bytes.
func each(t *tar.Reader, visit func(*tar.Header) error) error {
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || h.Size == 0 {
			continue
		}
		if err := visit(h); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

func (w *walking) folder(root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil || info.Size() == 0 {
			return err
		}
		return w.file(strings.TrimPrefix(name, "/"), info.Size(), info.Mode(), f)
	})
}

func (w *walking) file(name string, size int64, mode fs.FileMode, r io.Reader) error {
	info := &bulwark.FileInfo{Size: size, Mode: mode}
	info.SetPath(name)
	take := w.begin(info)
	for {
		n, err := r.Read(w.piece)
		w.bytes += int64(n)
		if n > 0 && take != nil {
			if err := take(w.piece[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			if take == nil {
				return nil
			}
			return take(nil)
		}
		if err != nil {
			return err
		}
	}
}

// floorOf is what the walk alone takes, once the files are in memory.
func floorOf(name string) (spent, error) {
	if _, err := over(name, nobody); err != nil {
		return spent{}, err
	}
	return over(name, nobody)
}

// inspect makes a taker of an inspector's sink. found counts what it finds.
func inspect(in bulwark.Inspector, found *int) func(*bulwark.FileInfo) taker {
	return func(info *bulwark.FileInfo) taker {
		sink := in.Begin(info)
		if sink == nil {
			return nil
		}
		enough := false
		return func(piece []byte) error {
			if piece != nil {
				if enough {
					return nil
				}
				_, err := sink.Write(piece)
				enough = errors.Is(err, bulwark.ErrSkip)
				if enough {
					return nil
				}
				return err
			}
			facts, err := sink.Close()
			*found += len(facts.Findings)
			if errors.Is(err, bulwark.ErrLimit) {
				return nil
			}
			return err
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
