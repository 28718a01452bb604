// Package inspecttest feeds inspectors in tests, as the engine does.
package inspecttest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"bulwark"
)

// Feed pushes content to the inspector in pieces of at most n bytes and gives what it
// learned. A file that the inspector does not want gives nothing.
func Feed(t testing.TB, i bulwark.Inspector, name string, content []byte, n int) (bulwark.Facts, error) {
	t.Helper()
	return feed(t, i, name, bytes.NewReader(content), int64(len(content)), n)
}

// File does the same with a file of this machine, in pieces of 256 KB; name is its path
// in the target.
func File(t testing.TB, i bulwark.Inspector, name, file string) (bulwark.Facts, error) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return feed(t, i, name, f, st.Size(), 256<<10)
}

func feed(t testing.TB, i bulwark.Inspector, name string, r io.Reader, size int64, n int) (bulwark.Facts, error) {
	t.Helper()
	info := bulwark.FileInfo{Mode: 0o755, Size: size}
	info.SetPath(name)
	sink := i.Begin(&info)
	if sink == nil {
		return bulwark.Facts{}, nil
	}
	piece := make([]byte, n)
	for {
		got, err := io.ReadFull(r, piece)
		if got > 0 {
			wrote, werr := sink.Write(piece[:got])
			if errors.Is(werr, bulwark.ErrSkip) {
				return sink.Close()
			}
			if werr != nil || wrote != got {
				t.Fatalf("%s: Write(%d bytes) = %d, %v", name, got, wrote, werr)
			}
			clear(piece) // a sink that keeps the piece is wrong
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return sink.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
