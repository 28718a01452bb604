package osv

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"bulwark"
)

// Doc is the bytes of one document; Err says why they could not be read.
type Doc struct {
	Source  string // the folder that holds it, for people: "Debian"
	Name    string
	Ordinal uint64 // its place in the input: the same for the same input
	Data    []byte // valid during the call
	Err     error
}

// Budgets of one zip.
const (
	maxEntries  = 4 << 20
	maxRatio    = 400     // of all its bytes together; real ones reach 12
	smallEnough = 1 << 30 // bytes that need no ratio
)

// Read hands every document at path to yield: the entries of a zip, the .json files
// and the zips of a folder and what lies below it, or a single .json file. yield is
// called from several goroutines at once; the number that it gets is that of its caller,
// below workers.
func Read(ctx context.Context, path string, yield func(worker int, d Doc) error) error {
	zips, files, err := list(path)
	if err != nil {
		return err
	}
	var input uint64
	for _, name := range zips {
		if err := readZip(ctx, name, input<<32, yield); err != nil {
			return fmt.Errorf("reading advisories from %s: %w", name, err)
		}
		input++
	}
	return each(ctx, len(files), func(worker, i int) error {
		b, err := readFile(files[i])
		return yield(worker, Doc{filepath.Base(filepath.Dir(files[i])), files[i], input<<32 | uint64(i), b, err})
	})
}

// Workers is how many goroutines call yield at once.
func Workers() int { return max(1, min(runtime.GOMAXPROCS(0), 8)) }

// each calls do for 0 to n-1 from Workers goroutines.
func each(ctx context.Context, n int, do func(worker, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	workers := Workers()
	for w := range workers {
		g.Go(func() error {
			for i := w; i < n; i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := do(w, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// list finds zips and .json files, both sorted.
func list(path string) (zips, files []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("advisories at %s: %w: %w", path, bulwark.ErrNotFound, err)
	}
	add := func(name string) {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".zip":
			zips = append(zips, name)
		case ".json":
			files = append(files, name)
		}
	}
	if !info.IsDir() {
		add(path)
		if len(zips)+len(files) == 0 {
			return nil, nil, fmt.Errorf("advisories at %s: neither .zip nor .json: %w", path, bulwark.ErrUnsupported)
		}
		return zips, files, nil
	}
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			add(name)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("advisories at %s: %w", path, err)
	}
	slices.Sort(zips)
	slices.Sort(files)
	if len(zips)+len(files) == 0 {
		return nil, nil, fmt.Errorf("advisories at %s: no zip and no .json file in it: %w", path, bulwark.ErrNotFound)
	}
	return zips, files, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxRecord+1)) // Decode refuses what is longer
}

func readZip(ctx context.Context, name string, base uint64, yield func(int, Doc) error) error {
	z, err := zip.OpenReader(name)
	if err != nil {
		return fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
	}
	defer z.Close()
	if err := bounded(name, z.File); err != nil {
		return err
	}
	source := filepath.Base(filepath.Dir(name))
	buffers := make([][]byte, Workers())
	return each(ctx, len(z.File), func(worker, i int) error {
		entry := z.File[i]
		if !strings.HasSuffix(entry.Name, ".json") {
			return nil
		}
		b, err := readEntry(entry, buffers[worker][:0])
		buffers[worker] = b[:0]
		return yield(worker, Doc{source, entry.Name, base | uint64(i), b, err})
	})
}

// bounded refuses a zip that claims to hold far more than real ones.
func bounded(name string, entries []*zip.File) error {
	if len(entries) > maxEntries {
		return fmt.Errorf("%d entries: %w", len(entries), bulwark.ErrLimit)
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	var total uint64
	for _, e := range entries {
		total += min(e.UncompressedSize64, MaxRecord)
	}
	if total > smallEnough && total/uint64(max(info.Size(), 1)) > maxRatio {
		return fmt.Errorf("claims %d bytes out of %d: %w", total, info.Size(), bulwark.ErrLimit)
	}
	return nil
}

// readEntry appends an entry to buf; its checksum is checked.
func readEntry(e *zip.File, buf []byte) ([]byte, error) {
	if e.UncompressedSize64 > MaxRecord {
		return buf, fmt.Errorf("%d bytes: %w", e.UncompressedSize64, bulwark.ErrLimit)
	}
	r, err := e.Open()
	if err != nil {
		return buf, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
	}
	defer r.Close()
	buf = slices.Grow(buf, int(e.UncompressedSize64)+1)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
		}
		if len(buf) > MaxRecord {
			return buf, bulwark.ErrLimit
		}
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, len(buf))
		}
	}
}
