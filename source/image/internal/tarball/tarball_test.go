package tarball

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bulwark"
	"bulwark/source/image/internal/imagetest"
	"bulwark/source/image/internal/layer"
)

// numbered is a stream of n members, each named and filled by its number.
func numbered(t testing.TB, n int) []byte {
	var files []imagetest.File
	for i := range n {
		files = append(files, imagetest.File{Name: fmt.Sprint(i), Body: strings.Repeat(fmt.Sprintf("%03d", i), 1000)})
	}
	return imagetest.Tar(t, files...)
}

// counted opens b again and again and counts that.
func counted(b []byte, n *atomic.Int32) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		n.Add(1)
		return io.NopCloser(bytes.NewReader(b)), nil
	}
}

func read(ctx context.Context, t *turns, order int) error {
	rc, err := t.open(ctx, order)
	if err != nil {
		return err
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	if err == nil && string(b) != strings.Repeat(fmt.Sprintf("%03d", order), 1000) {
		err = fmt.Errorf("member %d is %.10q", order, b)
	}
	return err
}

func TestTurnsInOrderAreOneReading(t *testing.T) {
	var opened atomic.Int32
	turns := newTurns(counted(numbered(t, 20), &opened))
	defer turns.close()
	for i := range 20 {
		if err := read(t.Context(), turns, i); err != nil {
			t.Error(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
	if err := read(t.Context(), turns, 3); err != nil || opened.Load() != 2 {
		t.Errorf("a member that has passed: %v, read %d times", err, opened.Load())
	}
}

func TestTurnsOfAllAtOnce(t *testing.T) {
	var opened atomic.Int32
	gate := make(chan struct{})
	start := counted(numbered(t, 50), &opened)
	turns := newTurns(func(ctx context.Context) (io.ReadCloser, error) {
		<-gate // until everybody waits
		return start(ctx)
	})
	defer turns.close()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := read(t.Context(), turns, i); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < 50; {
		turns.mu.Lock()
		waiting = len(turns.waiting)
		turns.mu.Unlock()
	}
	close(gate)
	wg.Wait()
	if n := opened.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

func TestTurnsFail(t *testing.T) {
	b := numbered(t, 3)
	for name, tt := range map[string]struct {
		start func(context.Context) (io.ReadCloser, error)
		want  error
	}{
		"cannot be opened": {func(context.Context) (io.ReadCloser, error) { return nil, bulwark.ErrUnavailable }, bulwark.ErrUnavailable},
		"is shorter now":   {counted(imagetest.Tar(t), new(atomic.Int32)), bulwark.ErrMalformed},
		"is truncated":     {counted(b[:2000], new(atomic.Int32)), bulwark.ErrMalformed},
	} {
		turns := newTurns(tt.start)
		if err := read(t.Context(), turns, 2); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		turns.close()
	}
}

// stalled never gives a byte until its context ends.
type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func TestTurnsOfAStalledStream(t *testing.T) {
	b := numbered(t, 2)
	turns := newTurns(func(ctx context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(b[:1000]), stalled{ctx})), nil
	})
	defer turns.close()
	for order := range 2 { // stalls while it is read, and before it comes
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		blob := layer.Blob{Size: -1, Open: func(ctx context.Context) (io.ReadCloser, error) {
			defer cancel()
			if order == 1 {
				cancel()
			}
			return turns.open(ctx, order)
		}}
		go func() { done <- blob.Walk(ctx, func(*bulwark.Entry) error { return nil }) }()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("member %d: %v", order, err)
		}
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(imagetest.Tar(f, imagetest.File{Name: "manifest.json", Body: `[{"Config":"c","RepoTags":["a:1"],"Layers":["l"]}]`}, imagetest.File{Name: "c", Body: `{"rootfs":{"diff_ids":["x"]}}`}))
	f.Add(imagetest.Tar(f, imagetest.File{Name: "index.json", Body: `{"manifests":[{"digest":"sha256:x"}]}`}))
	f.Add(imagetest.Tar(f, imagetest.File{Name: "a", Link: "b", Type: tar.TypeSymlink}, imagetest.File{Name: "b", Link: "a", Type: tar.TypeLink}))
	f.Fuzz(func(t *testing.T, b []byte) {
		open := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
		for _, m := range []Medium{{At: bytes.NewReader(b), Size: int64(len(b))}, {Open: open}} {
			target, err := Open(t.Context(), m, "x", Options{})
			if err != nil {
				if !layer.IsNamed(err) {
					t.Errorf("unnamed error %v", err)
				}
				continue
			}
			imagetest.Contents(t.Context(), target)
			if target.Close != nil {
				target.Close()
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`[{"Config":"c.json","RepoTags":["a:1"],"Layers":["a/layer.tar"]}]`))
	f.Add([]byte(`[{"Layers":null},{"RepoTags":[null]}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		x := &index{medium: &Medium{At: bytes.NewReader(b), Size: int64(len(b))}, members: map[string]*member{"manifest.json": {size: int64(len(b))}}}
		for _, name := range []string{"", "a:1"} {
			if _, err := x.docker(name); err != nil && !layer.IsNamed(err) {
				t.Errorf("unnamed error %v", err)
			}
		}
	})
}
