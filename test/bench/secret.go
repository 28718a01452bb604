package main

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"syscall"
	"time"

	"bulwark"
	"bulwark/check/secret"
)

// secrets measures the search for secrets on a layer's tar, and prints in MB a second of one
// core: the prefilter alone, and everything.
func secrets(file string) error {
	inspector := secret.New(secret.Options{})
	set, err := inspector.Prefilter()
	if err != nil {
		return err
	}
	floor, err := overTar(file, func(*bulwark.FileInfo) func([]byte) error { return nil })
	if err != nil {
		return err
	}
	filter, err := overTar(file, func(*bulwark.FileInfo) func([]byte) error {
		stream := set.NewStream()
		return func(piece []byte) error {
			if piece != nil {
				stream.Scan(piece, func(int, int64) {})
			}
			return nil
		}
	})
	if err != nil {
		return err
	}
	found := 0
	all, err := overTar(file, func(info *bulwark.FileInfo) func([]byte) error {
		sink := inspector.Begin(info)
		return func(piece []byte) error {
			if piece != nil {
				_, err := sink.Write(piece)
				return err
			}
			facts, err := sink.Close()
			found += len(facts.Findings)
			if errors.Is(err, bulwark.ErrLimit) {
				return nil
			}
			return err
		}
	})
	if err != nil {
		return err
	}
	fmt.Printf("prefilter %.0f MB/s, secrets %.0f MB/s a core; %d findings\n", filter.rate(floor), all.rate(floor), found)
	return nil
}

// spent is what a walk took.
type spent struct {
	bytes int64
	cpu   time.Duration
}

// rate is what was read a second beyond what the walk alone takes.
func (s spent) rate(floor spent) float64 {
	return float64(s.bytes) / 1e6 / max(1e-9, (s.cpu-floor.cpu).Seconds())
}

// overTar gives the pieces of every regular file to what begin returns, nil at its end.
func overTar(file string, begin func(*bulwark.FileInfo) func([]byte) error) (spent, error) {
	f, err := os.Open(file)
	if err != nil {
		return spent{}, err
	}
	defer f.Close()
	var s spent
	start := cpuTime()
	piece := make([]byte, 256<<10)
	t := tar.NewReader(bufio.NewReaderSize(f, 1<<20))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			s.cpu = cpuTime() - start
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if h.Typeflag != tar.TypeReg || h.Size == 0 {
			continue
		}
		info := &bulwark.FileInfo{Size: h.Size}
		info.SetPath(path.Clean(h.Name))
		n, err := feed(t, piece, begin(info))
		if s.bytes += n; err != nil {
			return s, fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

func feed(r io.Reader, piece []byte, take func([]byte) error) (int64, error) {
	var sum int64
	for {
		n, err := r.Read(piece)
		sum += int64(n)
		if n > 0 && take != nil {
			if err := take(piece[:n]); err != nil {
				return sum, err
			}
		}
		if errors.Is(err, io.EOF) {
			if take == nil {
				return sum, nil
			}
			return sum, take(nil)
		}
		if err != nil {
			return sum, err
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
