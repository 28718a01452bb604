package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"bulwark"
	"bulwark/source/image/internal/imagetest"
)

// An archive that is too large for memory is the same image as its file.
func TestSpool(t *testing.T) {
	b := docker(t, map[string]v1.Image{"app:1": imagetest.Image(t, "app", "amd64")})
	for encoding, b := range map[string][]byte{"plain": b, "gzip": imagetest.Gzip(b)} {
		folder := filepath.Join(t.TempDir(), "made", "when missing")
		target := open(t, &Source{Stdin: bytes.NewReader(b), Memory: 100, Spool: folder}, "-")
		got, err := imagetest.Contents(t.Context(), target)
		if diff := cmp.Diff(imagetest.WantOf("app"), got); diff != "" || err != nil {
			t.Errorf("%s: contents (-want +got):\n%s%v", encoding, diff, err)
		}
		file := open(t, &Source{}, write(t, b))
		if target.Stream != file.Stream || target.Asset.ID != file.Asset.ID || len(target.Layers) != len(file.Layers) {
			t.Errorf("%s: stream %v, asset %s, %d layers", encoding, target.Stream, target.Asset.ID, len(target.Layers))
		}
		for i, l := range target.Layers {
			if l.DiffID != file.Layers[i].DiffID || l.Identity != "" {
				t.Errorf("%s: layer %d is %s called %q", encoding, i, l.DiffID, l.Identity)
			}
		}
		want := []bulwark.Note{{Plugin: "source/image/archive", Text: "the archive came through a pipe and was kept in an unnamed file while it was read: 1 MB"}}
		if diff := cmp.Diff(want, target.Notes); diff != "" {
			t.Errorf("%s: notes (-want +got):\n%s", encoding, diff)
		}
		isEmpty(t, folder)
		if err := target.Close(); err != nil {
			t.Errorf("%s: %v", encoding, err)
		}
		if _, err := imagetest.Contents(t.Context(), target); err == nil {
			t.Errorf("%s: a closed archive was read", encoding)
		}
	}
}

func isEmpty(t *testing.T, folder string) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil || len(list) > 0 {
		t.Errorf("left in the folder: %v %v", list, err)
	}
}

// What fits in memory needs no folder.
func TestNoSpoolInMemory(t *testing.T) {
	b := docker(t, map[string]v1.Image{"app:1": imagetest.Image(t, "app", "amd64")})
	folder := filepath.Join(t.TempDir(), "none")
	target := open(t, &Source{Stdin: bytes.NewReader(b), Memory: int64(len(b)), Spool: folder}, "-")
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) || len(target.Notes) > 0 {
		t.Errorf("the folder: %v, notes %v", err, target.Notes)
	}
}

func TestSpoolNamedPipe(t *testing.T) {
	b := docker(t, map[string]v1.Image{"app:1": imagetest.Image(t, "app", "amd64")})
	folder := t.TempDir()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	go os.WriteFile(fifo, b, 0o600)
	got, err := imagetest.Contents(t.Context(), open(t, &Source{Memory: 100, Spool: folder}, fifo))
	if diff := cmp.Diff(imagetest.WantOf("app"), got); diff != "" || err != nil {
		t.Errorf("contents (-want +got):\n%s%v", diff, err)
	}
	isEmpty(t, folder)
}

func TestSpoolFails(t *testing.T) {
	b := docker(t, map[string]v1.Image{"app:1": imagetest.Image(t, "app", "amd64")})
	file := write(t, nil)
	_, err := (&Source{Stdin: bytes.NewReader(b), Memory: 100, Spool: filepath.Join(file, "cache")}).Open(t.Context(), "-")
	if !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "--cache-dir") {
		t.Errorf("no folder: %v", err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("skipped: no /dev/full on this system")
	}
	defer full.Close()
	_, err = fill(full, bytes.NewReader(b), "/the/cache")
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "/the/cache that should hold it while it is read is full") {
		t.Errorf("full disk: %v", err)
	}
}

// A pipe that breaks or is cancelled leaves nothing behind.
func TestSpoolInterrupted(t *testing.T) {
	b := docker(t, map[string]v1.Image{"app:1": imagetest.Image(t, "app", "amd64")})
	folder := t.TempDir()
	broken := errors.New("broken pipe")
	in := io.MultiReader(bytes.NewReader(b), &failing{broken})
	if _, err := (&Source{Stdin: in, Memory: 100, Spool: folder}).Open(t.Context(), "-"); !errors.Is(err, broken) || strings.Contains(err.Error(), folder) {
		t.Errorf("broken: %v", err)
	}
	if _, err := (&Source{Stdin: bytes.NewReader(b[:2000]), Memory: 100, Spool: folder}).Open(t.Context(), "-"); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("truncated: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	in = io.MultiReader(bytes.NewReader(b), &calling{cancel}, neverEnding{})
	if _, err := (&Source{Stdin: in, Memory: 100, Spool: folder}).Open(ctx, "-"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	isEmpty(t, folder)
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// calling calls something when it is reached, and is empty.
type calling struct{ f func() }

func (c *calling) Read([]byte) (int, error) { c.f(); return 0, io.EOF }

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestBlocks(t *testing.T) {
	want := make([]byte, 2*blockSize+100)
	for i := range want {
		want[i] = byte(i % 251)
	}
	for _, size := range []int{0, 1, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize, len(want)} {
		b, n, err := readBlocks(iotest.OneByteReader(bytes.NewReader(want[:size])), int64(size))
		if err != nil || n != int64(size) {
			t.Errorf("%d bytes: %d, %v", size, n, err)
		}
		if err := iotest.TestReader(io.NewSectionReader(b, 0, n), want[:size]); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if got, err := io.ReadAll(b.reader()); !bytes.Equal(got, want[:size]) || err != nil {
			t.Errorf("%d bytes: %d in turn, %v", size, len(got), err)
		}
	}
	if _, n, err := readBlocks(bytes.NewReader(want), 10); n != 11 || err != nil {
		t.Errorf("%d bytes of at most 10, %v", n, err)
	}
	if _, err := blocks(nil).ReadAt(make([]byte, 1), 5); err != io.EOF {
		t.Errorf("beyond the end: %v", err)
	}
}
