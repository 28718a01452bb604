package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listed is what a reader of tars made of one: a line for each entry, and how it ended.
func listed(next func() (*tar.Header, error), body io.Reader) []string {
	var lines []string
	for {
		h, err := next()
		if err != nil {
			end := "malformed"
			if err == io.EOF {
				end = "end"
			}
			return append(lines, end)
		}
		content, size := "not read", h.Size
		if !sparse(h) && h.Typeflag != tar.TypeXGlobalHeader && sized0(h.Typeflag) {
			b, err := io.ReadAll(body)
			content = fmt.Sprintf("%q %v", b, err == nil)
		} else if !sparse(h) {
			size = 0 // nothing follows
		}
		lines = append(lines, fmt.Sprintf("%c %q %q %o %d:%d %d %s %d %s", h.Typeflag, h.Name, h.Linkname, h.Mode, h.Uid, h.Gid, size, h.ModTime.UTC().Format(time.RFC3339), len(h.PAXRecords), content))
	}
}

// sized0 tells whether an entry of that type has content.
func sized0(flag byte) bool { return !strings.ContainsRune("123456", rune(flag)) }

func differ(t *testing.T, b []byte) {
	t.Helper()
	tr := tar.NewReader(bytes.NewReader(b))
	want := listed(tr.Next, tr)
	s := newSpread(t.Context(), bytes.NewReader(b), nil)
	defer s.wait()
	r := &headers{src: s}
	got := listed(r.next, r)
	if err := s.drain(); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive/tar and this package differ (-want +got):\n%s", diff)
	}
}

func tars(t testing.TB) [][]byte {
	var list [][]byte
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		add := func(h tar.Header, content string) {
			h.Format = format
			if h.Typeflag != tar.TypeXGlobalHeader {
				h.Size, h.Mode = int64(len(content)), 0o6755
			}
			if h.ModTime.IsZero() && h.Typeflag != tar.TypeXGlobalHeader {
				h.ModTime = time.Unix(1_700_000_000, 0)
			}
			if err := w.WriteHeader(&h); err != nil {
				return // this format cannot say it
			}
			io.WriteString(w, content)
		}
		add(tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "c"}}, "")
		add(tar.Header{Typeflag: tar.TypeDir, Name: "usr/"}, "")
		add(tar.Header{Typeflag: tar.TypeReg, Name: "usr/a", Uid: 1000, Gid: 7}, "hello")
		add(tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("long/", 30) + "name"}, strings.Repeat("x", 512))
		add(tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("l", 300)}, strings.Repeat("y", 513))
		add(tar.Header{Typeflag: tar.TypeReg, Name: "größe", Uid: 1 << 30}, "ß")
		add(tar.Header{Typeflag: tar.TypeSymlink, Name: "s", Linkname: "usr/a"}, "")
		add(tar.Header{Typeflag: tar.TypeLink, Name: "h", Linkname: strings.Repeat("d/", 90)}, "")
		add(tar.Header{Typeflag: tar.TypeFifo, Name: "p"}, "")
		add(tar.Header{Typeflag: tar.TypeChar, Name: "c", Devmajor: 1, Devminor: 3}, "")
		add(tar.Header{Typeflag: tar.TypeReg, Name: "then", ModTime: time.Unix(1_700_000_000, 5)}, "")
		add(tar.Header{Typeflag: tar.TypeReg, Name: "last"}, "end")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		list = append(list, b.Bytes())
	}
	return list
}

// TestHeaders holds the reader of headers to archive/tar: whole tars, and tars with any
// one byte of their headers changed.
func TestHeaders(t *testing.T) {
	for _, b := range tars(t) {
		differ(t, b)
		for at := 0; at < len(b); at += 7 {
			changed := bytes.Clone(b)
			changed[at] ^= 1 << (at % 8)
			differ(t, changed)
			differ(t, b[:at])
		}
	}
}

func FuzzHeaders(f *testing.F) {
	for _, b := range tars(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		differ(t, b)
		// Most changes end at the checksum: set it right and try again.
		for at := 0; at+blockSize <= len(b) && at < 8*blockSize; at += blockSize {
			h := block(b[at : at+blockSize])
			copy(b[at+148:], fmt.Sprintf("%06o\x00 ", h.sum()))
		}
		differ(t, b)
	})
}
