package layer

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/imagetest"
)

type file = imagetest.File

// blob holds stored bytes that claim the right digests of the tar in them.
func blob(stored, plain []byte) *Blob {
	return &Blob{
		Name: "layer", Digest: digest.Of(stored), DiffID: digest.Of(plain), Size: int64(len(stored)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(stored)), nil },
	}
}

// lines walks a blob.
func lines(ctx context.Context, b *Blob) ([]string, error) {
	var list []string
	err := b.Walk(ctx, func(e *bulwark.Entry) error {
		s, err := imagetest.Line(e)
		list = append(list, s)
		return err
	})
	return list, err
}

func TestWalk(t *testing.T) {
	long := strings.Repeat("d/", 3000) + "x"
	for _, tt := range []struct {
		name  string
		files []file
		want  []string
	}{
		{"empty", nil, nil},
		{"plain", []file{{Name: "etc/passwd", Body: "root"}}, []string{"- etc/passwd root"}},
		{"root is not an entry", []file{{Name: "./", Type: tar.TypeDir}, {Name: "/", Type: tar.TypeDir}}, nil},
		{"names stay inside", []file{{Name: "/../../etc/x"}, {Name: "a/../../b"}, {Name: "./c//d/./e"}, {Name: "..a"}},
			[]string{"- etc/x ", "- b ", "- c/d/e ", "- ..a "}},
		{"links", []file{{Name: "l", Link: "../../../etc/shadow", Type: tar.TypeSymlink}, {Name: "h", Link: "/../bin/sh", Type: tar.TypeLink}},
			[]string{"L l ../../../etc/shadow", "h h bin/sh"}},
		{"devices are no files", []file{{Name: "dev/null", Type: tar.TypeChar}, {Name: "f", Type: tar.TypeFifo}, {Name: "sda", Type: tar.TypeBlock}},
			[]string{"D dev/null", "p f", "D sda"}},
		{"control bytes", []file{{Name: "a\x1b[31m\n"}}, []string{"- a\x1b[31m\n "}},
		{"too long", []file{{Name: long}, {Name: "x", Body: "y"}}, []string{"! " + long[:maxPath], "- x y"}},
		{"unknown type", []file{{Name: "x", Type: 'Q', Body: "zz"}, {Name: "y", Body: "y"}}, []string{"! x", "- y y"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := imagetest.Tar(t, tt.files...)
			got, err := lines(t.Context(), blob(b, b))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Walk (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBytesRead: walks count what is stored, also while they are under way.
func TestBytesRead(t *testing.T) {
	plain := big(t)
	for name, stored := range map[string][]byte{"plain": plain, "gzip": imagetest.Gzip(plain)} {
		b := blob(stored, plain)
		if _, err := lines(t.Context(), b); err != nil || b.BytesRead() != 0 {
			t.Errorf("%s: nobody asked, and %d bytes are counted, %v", name, b.BytesRead(), err)
		}
		b.Read = new(atomic.Int64)
		for walks := int64(1); walks <= 2; walks++ {
			during := int64(0)
			err := b.Walk(t.Context(), func(*bulwark.Entry) error { during = b.BytesRead(); return nil })
			if want := walks * int64(len(stored)); err != nil || b.BytesRead() != want || during <= want-int64(len(stored)) {
				t.Errorf("%s: %d bytes after walk %d (%d during it), %v, want %d", name, b.BytesRead(), walks, during, err, want)
			}
		}
	}
}

func TestWalkMode(t *testing.T) {
	b := imagetest.Tar(t, file{Name: "su", Mode: 0o104755}, file{Name: "tmp/", Mode: 0o1777, Type: tar.TypeDir})
	var got []string
	err := blob(b, b).Walk(t.Context(), func(e *bulwark.Entry) error {
		got = append(got, e.Mode.String())
		return nil
	})
	if diff := cmp.Diff([]string{"urwxr-xr-x", "dtrwxrwxrwx"}, got); diff != "" || err != nil {
		t.Errorf("modes (-want +got):\n%s%v", diff, err)
	}
}

// big is a tar of several chunks.
func big(t testing.TB) []byte {
	var files []file
	for i := range 30 {
		files = append(files, file{Name: fmt.Sprint("f", i), Body: strings.Repeat(fmt.Sprint(i, " "), 20_000)})
	}
	return imagetest.Tar(t, files...)
}

func TestEncodings(t *testing.T) {
	plain := big(t)
	half := len(plain) / 2
	want, err := lines(t.Context(), blob(plain, plain))
	if err != nil || len(want) != 30 {
		t.Fatal(len(want), err)
	}
	sum := sha512.Sum512(plain)
	for name, b := range map[string]*Blob{
		"gzip":            blob(imagetest.Gzip(plain), plain),
		"gzip members":    blob(append(imagetest.Gzip(plain[:half]), imagetest.Gzip(plain[half:])...), plain),
		"zstd":            blob(imagetest.Zstd(plain), plain),
		"zstd frames":     blob(append(imagetest.Zstd(plain[:half]), imagetest.Zstd(plain[half:])...), plain),
		"nothing claimed": {Name: "l", Size: -1, Open: blob(plain, plain).Open},
		"sha512":          {Name: "l", Size: -1, DiffID: digest.Of(plain), Digest: "sha512:" + hex.EncodeToString(sum[:]), Open: blob(plain, plain).Open},
		"padding follows": blob(append(plain[:len(plain):len(plain)], make([]byte, 700_000)...), append(plain[:len(plain):len(plain)], make([]byte, 700_000)...)),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := lines(t.Context(), b)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("Walk (-want +got):\n%.500s%v", diff, err)
			}
		})
	}
}

func TestWalkSkipsBodies(t *testing.T) {
	plain := big(t)
	for _, b := range []*Blob{blob(plain, plain), blob(imagetest.Gzip(plain), plain)} {
		n := 0
		err := b.Walk(t.Context(), func(e *bulwark.Entry) error {
			if n++; n%3 == 0 { // read some in part
				io.ReadFull(e.Body, make([]byte, 1000))
			}
			return nil
		})
		if n != 30 || err != nil {
			t.Errorf("%d entries, %v", n, err)
		}
	}
}

func TestBadBlobs(t *testing.T) {
	plain := big(t)
	gz, zst := imagetest.Gzip(plain), imagetest.Zstd(plain)
	other := digest.Of(nil)
	zeros := imagetest.Tar(t, file{Name: "zero", Body: strings.Repeat("\x00", 4<<20)})
	change := func(b *Blob, f func(*Blob)) *Blob { f(b); return b }
	corrupt := bytes.Clone(gz)
	corrupt[len(gz)/2] ^= 0xff
	anySize := func(b *Blob) { b.Size, b.Digest = -1, "" }
	for _, tt := range []struct {
		name string
		blob *Blob
		want error
	}{
		{"digest", change(blob(gz, plain), func(b *Blob) { b.Digest = other }), bulwark.ErrUntrusted},
		{"diffID", change(blob(gz, plain), func(b *Blob) { b.DiffID = other }), bulwark.ErrUntrusted},
		{"diffID of plain", change(blob(plain, plain), func(b *Blob) { b.DiffID = other }), bulwark.ErrUntrusted},
		{"digest of plain", change(blob(plain, plain), func(b *Blob) { b.Digest = other }), bulwark.ErrUntrusted},
		{"trailing bytes that the digest misses", change(blob(append(plain[:len(plain):len(plain)], "evil"...), plain), anySize), bulwark.ErrUntrusted},
		{"longer", change(blob(gz, plain), func(b *Blob) { b.Size-- }), bulwark.ErrUntrusted},
		{"shorter", change(blob(gz, plain), func(b *Blob) { b.Size++ }), bulwark.ErrUntrusted},
		{"digest algorithm", change(blob(gz, plain), func(b *Blob) { b.Digest = "md5:00" }), bulwark.ErrUnsupported},
		{"no digest", change(blob(gz, plain), func(b *Blob) { b.DiffID = "sha256:zz" }), bulwark.ErrMalformed},
		{"truncated gzip", change(blob(gz[:len(gz)/2], plain), anySize), bulwark.ErrMalformed},
		{"truncated zstd", change(blob(zst[:len(zst)/2], plain), anySize), bulwark.ErrMalformed},
		{"truncated tar", change(blob(plain[:300_000], plain), anySize), bulwark.ErrMalformed},
		{"truncated header", change(blob(plain[:300], plain), anySize), bulwark.ErrMalformed},
		{"corrupt gzip", change(blob(corrupt, plain), anySize), bulwark.ErrMalformed},
		{"gzip header alone", change(blob(gz[:5], plain), anySize), bulwark.ErrMalformed},
		{"garbage after gzip", change(blob(append(gz[:len(gz):len(gz)], "garbage"...), plain), anySize), bulwark.ErrMalformed},
		{"no tar", change(blob([]byte(strings.Repeat("{}", 2000)), plain), anySize), bulwark.ErrMalformed},
		{"xz", change(blob([]byte("\xfd7zXZ\x00\x00"), plain), anySize), bulwark.ErrUnsupported},
		{"gzip bomb", change(blob(imagetest.Gzip(zeros), zeros), func(b *Blob) { b.Budget = Budget{Ratio: 100, Grace: 1 << 20} }), bulwark.ErrLimit},
		{"zstd bomb", change(blob(imagetest.Zstd(zeros), zeros), func(b *Blob) { b.Budget = Budget{Ratio: 100, Grace: 1 << 20} }), bulwark.ErrLimit},
		{"total", change(blob(gz, plain), func(b *Blob) { b.Budget.Total = 1 << 20 }), bulwark.ErrLimit},
		{"total of plain", change(blob(plain, plain), func(b *Blob) { b.Budget.Total = 1 << 20 }), bulwark.ErrLimit},
		{"entries", change(blob(gz, plain), func(b *Blob) { b.Budget.Entries = 10 }), bulwark.ErrLimit},
		{"huge window", change(blob([]byte("\x28\xb5\x2f\xfd\x00\xa0\x00\x00\x00"), plain), anySize), bulwark.ErrLimit},
		{"not there", &Blob{Open: func(context.Context) (io.ReadCloser, error) { return nil, bulwark.ErrNotFound }}, bulwark.ErrNotFound},
		{"breaks off", &Blob{Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(gz[:3000]), failing{bulwark.ErrUnavailable})), nil
		}}, bulwark.ErrUnavailable},
		{"decoder panics", &Blob{Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(gz[:3000]), failing{nil})), nil
		}}, bulwark.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := lines(t.Context(), tt.blob); !errors.Is(err, tt.want) {
				t.Errorf("Walk = %v, want %v", err, tt.want)
			}
		})
	}
}

// failing fails every read, or panics.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		panic("a bug in a decoder")
	}
	return 0, f.err
}

// header makes the block of a tar header that archive/tar would not write.
func header(name string, size int64, typ byte) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x00")
	copy(b[124:], fmt.Sprintf("%011o\x00", size))
	copy(b[148:], "        ")
	b[156] = typ
	copy(b[257:], "ustar\x0000")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

func TestSparseIsNeverExpanded(t *testing.T) {
	pax := "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n26 GNU.sparse.name=sparse\n35 GNU.sparse.realsize=50000000000\n"
	var b []byte
	b = append(b, header("x", int64(len(pax)), 'x')...)
	b = append(b, pax...)
	b = append(b, make([]byte, 512-len(pax)%512)...)
	b = append(b, header("GNUSparseFile.0/sparse", 513, '0')...)
	sparse := make([]byte, 1024) // one byte at the end of 50 GB
	copy(sparse, "1\n49999999999\n1\n")
	b = append(b, sparse...)
	b = append(b, imagetest.Tar(t, file{Name: "next", Body: "n"})...)
	var errs []error
	n := 0
	err := (&Blob{Size: -1, Open: blob(b, b).Open}).Walk(t.Context(), func(e *bulwark.Entry) error {
		n++
		if e.Err != nil {
			errs = append(errs, e.Err)
			if e.Body != nil || e.Path != "sparse" {
				t.Errorf("sparse entry %+v", e)
			}
		}
		return nil
	})
	if err != nil || n != 2 || len(errs) != 1 || !errors.Is(errs[0], bulwark.ErrLimit) {
		t.Errorf("errors of entries %v, walk %v", errs, err)
	}
}

func TestVisitErrorIsReturnedAsItIs(t *testing.T) {
	plain := big(t)
	stop := errors.New("stop")
	for _, b := range []*Blob{blob(plain, plain), blob(imagetest.Gzip(plain), plain)} {
		n := 0
		err := b.Walk(t.Context(), func(*bulwark.Entry) error {
			if n++; n == 3 {
				return stop
			}
			return nil
		})
		if err != stop || n != 3 {
			t.Errorf("Walk = %v after %d entries", err, n)
		}
	}
}

// endless gives the start of a tar and then nothing until it is closed.
type endless struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err == io.EOF && n == 0 {
		<-e.closed
		return 0, io.ErrClosedPipe
	}
	return n, nil
}

func (e *endless) Close() error {
	e.once.Do(func() { close(e.closed) })
	return nil
}

func TestCancel(t *testing.T) {
	plain := big(t)
	for _, stored := range [][]byte{plain, imagetest.Gzip(plain)} {
		// All but the end: a chunk is handed on when it is full, so cancel from outside.
		e := &endless{Reader: bytes.NewReader(stored[:len(stored)-600]), closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		b := &Blob{Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
			go cancel()
			return e, nil
		}}
		if _, err := lines(ctx, b); !errors.Is(err, context.Canceled) {
			t.Errorf("Walk = %v", err)
		}
		select {
		case <-e.closed:
		default:
			t.Error("the blob is still open")
		}
	}
}

type localBytes struct {
	*bytes.Reader
	err error
}

func (s localBytes) Close() error     { return nil }
func (s localBytes) Unchanged() error { return s.err }

func TestLocal(t *testing.T) {
	plain := big(t)
	open := func(b []byte, err error) func(context.Context) (io.ReadCloser, error) {
		return func(context.Context) (io.ReadCloser, error) { return localBytes{bytes.NewReader(b), err}, nil }
	}
	n := 0
	err := (&Blob{Size: -1, DiffID: digest.Of(plain), Open: open(plain, nil)}).Walk(t.Context(), func(e *bulwark.Entry) error {
		at, err := io.ReadAll(io.NewSectionReader(e.At, 0, e.Size))
		if err != nil {
			return err
		}
		body, err := io.ReadAll(e.Body)
		if n++; !bytes.Equal(at, body) || int64(len(at)) != e.Size {
			t.Errorf("%s: At gives %d bytes, Body %d, size %d", e.Path, len(at), len(body), e.Size)
		}
		if m, err := e.At.ReadAt(make([]byte, 10), e.Size-4); m != 4 || err != io.EOF {
			t.Errorf("%s: ReadAt over the end = %d, %v", e.Path, m, err)
		}
		return err
	})
	if n != 30 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
	_, err = lines(t.Context(), &Blob{Size: -1, Open: open(plain, bulwark.ErrUntrusted)})
	if !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("changed file: %v", err)
	}
	err = (&Blob{Size: -1, Open: open(imagetest.Gzip(plain), nil)}).Walk(t.Context(), func(e *bulwark.Entry) error {
		if e.At != nil {
			return errors.New("compressed bytes cannot be read anywhere")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWalksAtOnce(t *testing.T) {
	plain := big(t)
	b := blob(imagetest.Gzip(plain), plain)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := lines(t.Context(), b); len(got) != 30 || err != nil {
				t.Errorf("%d entries, %v", len(got), err)
			}
		})
	}
	wg.Wait()
}

func TestMillionEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: much data, which the race detector takes minutes for; the other pass of make test runs it")
	}
	// The same header over and over, so that the test costs no memory of its own.
	h := header("usr/share/doc/x", 0, '0')
	r := io.LimitReader(repeat(h), 1_000_000*512)
	n := 0
	b := &Blob{Size: -1, Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(r), nil }}
	if err := b.Walk(t.Context(), func(*bulwark.Entry) error { n++; return nil }); err != nil || n != 1_000_000 {
		t.Errorf("%d entries, %v", n, err)
	}
}

type repeated struct {
	b   []byte
	pos int
}

func repeat(b []byte) io.Reader { return &repeated{b: b} }

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.b[r.pos:])
	r.pos = (r.pos + n) % len(r.b)
	return n, nil
}

func FuzzWalk(f *testing.F) {
	plain := imagetest.Tar(f, file{Name: "a/../../b", Body: "x"}, file{Name: "l", Link: "/x", Type: tar.TypeSymlink})
	f.Add(plain)
	f.Add(imagetest.Gzip(plain))
	f.Add(imagetest.Zstd(plain))
	f.Add(header("s", 512, 'S'))
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, b []byte) {
		blob := &Blob{Name: "l", Size: -1, Budget: Budget{Grace: 1 << 20, Total: 16 << 20}, Open: blob(b, b).Open}
		err := blob.Walk(t.Context(), func(e *bulwark.Entry) error {
			if e.Path == "" || strings.HasPrefix(e.Path, "/") || strings.HasPrefix(e.Path+"/", "../") || strings.Contains("/"+e.Path+"/", "/../") {
				t.Errorf("path %q", e.Path)
			}
			if e.Body != nil {
				if n, _ := io.Copy(io.Discard, e.Body); n > e.Size {
					t.Errorf("%q has %d bytes of %d", e.Path, n, e.Size)
				}
			}
			return nil
		})
		if err != nil && !IsNamed(err) {
			t.Errorf("unnamed error %v", err)
		}
	})
}
