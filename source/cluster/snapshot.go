package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"

	"bulwark"
	"bulwark/internal/limit"
)

// format is what the first line of a snapshot says that it is.
const format = "cluster-snapshot/v1"

// zstdMagic is how a compressed snapshot begins.
const zstdMagic = "\x28\xb5\x2f\xfd"

// Taken says what a snapshot holds.
type Taken struct {
	Cluster string
	Version string
	Objects int
	Notes   []bulwark.Note // what could not be seen
}

// Save writes what a scan of the cluster sees: lines of JSON, compressed by zstd. The first
// is the header, then come objects, one a line, and last what could not be seen. It holds no
// value of a Secret, and no text that Options.Secret takes for one.
func (s *Source) Save(ctx context.Context, ref string, w io.Writer) (*Taken, error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	out := bufio.NewWriterSize(z, 256<<10)
	o := s.Options
	o.Context = contextOf(ref, o.Context)
	end, head, err := o.read(ctx, func(h *header) error { return writeLine(out, h) }, func(line []byte) error {
		if _, err := out.Write(line); err != nil {
			return err
		}
		return out.WriteByte('\n')
	})
	if err != nil {
		return nil, err
	}
	if err := writeLine(out, struct {
		End *trailer `json:"end"`
	}{end}); err != nil {
		return nil, err
	}
	if err := errors.Join(out.Flush(), z.Close()); err != nil {
		return nil, err
	}
	return &Taken{Cluster: head.Cluster, Version: head.Version, Objects: end.Objects, Notes: end.Notes}, nil
}

func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// IsSnapshot tells whether the start of a regular file says that it is a snapshot.
func IsSnapshot(file string) bool {
	if st, err := os.Stat(file); err != nil || !st.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	lines, end, err := linesOf(f)
	if err != nil {
		return false
	}
	defer end()
	h, err := readHeader(lines)
	return err == nil && h.Format == format
}

// Snapshot opens files that [Source.Save] wrote.
type Snapshot struct {
	Stdin io.Reader // what "-" reads
}

var _ bulwark.Source = (*Snapshot)(nil)

// Open reads the snapshot. The target is the cluster as it was. One that is damaged or cut off
// is refused: an error wraps ErrMalformed, ErrUnsupported or ErrLimit.
func (s *Snapshot) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	type opened struct {
		t   *bulwark.Target
		err error
	}
	read := make(chan opened, 1)
	go func() { // which a pipe may hold up for ever
		t, err := s.open(ctx, ref)
		read <- opened{t, err}
	}()
	select {
	case o := <-read:
		return o.t, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("reading the snapshot %s: %w", ref, context.Cause(ctx))
	}
}

func (s *Snapshot) open(ctx context.Context, ref string) (*bulwark.Target, error) {
	in := s.Stdin
	if ref != "-" {
		f, err := os.Open(ref)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", ref, bulwark.ErrNotFound)
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	k := newKeeper()
	k.once = map[string]struct{}{}
	t, err := readSnapshot(ctx, in, k)
	if err != nil {
		return nil, fmt.Errorf("the snapshot %s: %w", ref, err)
	}
	return t, nil
}

func readSnapshot(ctx context.Context, in io.Reader, k *keeper) (*bulwark.Target, error) {
	lines, end, err := linesOf(in)
	if err != nil {
		return nil, err
	}
	defer end()
	h, err := readHeader(lines)
	if err != nil {
		return nil, err
	}
	return readLines(ctx, lines, h, k)
}

// linesOf takes a snapshot apart, compressed or not; end lets go of what that needs.
func linesOf(in io.Reader) (lines *bufio.Scanner, end func(), err error) {
	br, end := bufio.NewReader(in), func() {}
	magic, _ := br.Peek(len(zstdMagic)) // less is no snapshot, as the header tells
	var r io.Reader = br
	if string(magic) == zstdMagic {
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %v", bulwark.ErrMalformed, err)
		}
		r, end = z, z.Close
	}
	lines = bufio.NewScanner(limit.Reader(r, maxLines+maxObject, "a snapshot"))
	lines.Buffer(make([]byte, 64<<10), maxObject)
	return lines, end, nil
}

func readHeader(lines *bufio.Scanner) (*header, error) {
	h := new(header)
	if !lines.Scan() {
		return nil, broken(lines, "there is no header")
	}
	if err := json.Unmarshal(lines.Bytes(), h); err != nil || h.Format == "" {
		return nil, fmt.Errorf("%w: this is no snapshot of a cluster", bulwark.ErrMalformed)
	}
	if h.Format != format {
		return nil, fmt.Errorf("a snapshot of the format %.40q, and this version reads %q: %w", h.Format, format, bulwark.ErrUnsupported)
	}
	h.Cluster, h.Version = printable(h.Cluster), oneLine(h.Version)
	for i, ns := range h.Namespaces {
		h.Namespaces[i] = oneLine(ns)
	}
	return h, nil
}

// readLines reads objects up to the last line, which tells how many there are.
func readLines(ctx context.Context, lines *bufio.Scanner, h *header, k *keeper) (*bulwark.Target, error) {
	for n := 2; lines.Scan(); n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b := lines.Bytes()
		if end, ok := isEnd(b); ok {
			if end.Objects != k.set.Len() {
				return nil, fmt.Errorf("%w: %d objects of %d are there", bulwark.ErrMalformed, k.set.Len(), end.Objects)
			}
			if lines.Scan() { // sums that tell whether it is whole come last
				return nil, fmt.Errorf("%w: there is something behind its end", bulwark.ErrMalformed)
			}
			if lines.Err() != nil {
				return nil, broken(lines, "")
			}
			return k.target(h, end), nil
		}
		if err := k.line(b); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return nil, broken(lines, "it is cut off")
}

func isEnd(b []byte) (*trailer, bool) {
	const start = `{"end":`
	if len(b) < len(start) || string(b[:len(start)]) != start {
		return nil, false
	}
	var line struct{ End *trailer }
	if err := json.Unmarshal(b, &line); err != nil || line.End == nil {
		return nil, false
	}
	unseen := map[string]string{}
	for what, why := range line.End.Unseen {
		unseen[oneLine(what)] = printable(why)
	}
	if line.End.Unseen = unseen; len(unseen) == 0 {
		line.End.Unseen = nil
	}
	for i := range line.End.Notes {
		n := &line.End.Notes[i]
		n.Plugin, n.Text, n.Path, n.Asset = name, printable(n.Text), printable(n.Path), ""
	}
	return line.End, true
}

// broken is why no line follows.
func broken(lines *bufio.Scanner, otherwise string) error {
	err := lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("a line of more than %d MB: %w", maxObject>>20, bulwark.ErrLimit)
	case errors.Is(err, bulwark.ErrLimit):
		return err
	case err != nil:
		return fmt.Errorf("%w: %v", bulwark.ErrMalformed, err)
	}
	return fmt.Errorf("%w: %s", bulwark.ErrMalformed, otherwise)
}
