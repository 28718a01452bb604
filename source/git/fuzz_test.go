package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// FuzzPack reads the objects of a damaged pack: each is an error or as large as it says.
func FuzzPack(f *testing.F) {
	// A blob that is stored whole, and one that is a delta to it.
	data := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02")
	first := int64(len(data))
	data = append(data, 0x35, 'x', 0x9c, 0x01, 0x05, 0x00, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o', 0x06, 0x2c, 0x02, 0x15)
	second := int64(len(data))
	data = append(data, 0x64, byte(second-first), 'x', 0x9c, 0x01, 0x04, 0x00, 0xfb, 0xff, 0x05, 0x05, 0x90, 0x05)
	f.Add(data, first, second)
	f.Add(data, second, first)
	f.Fuzz(func(t *testing.T, data []byte, one, two int64) {
		dir := t.TempDir()
		index := make([]byte, 4*256+2*24) // of version 1: all ids begin with a zero
		for i := range 256 {
			index[4*i+3] = 2
		}
		for i, off := range []int64{one, two} {
			copy(index[4*256+24*i:], []byte{0, 0, byte(off >> 8), byte(off)})
			index[4*256+24*i+4+19] = byte(i + 1)
		}
		data = append(data, make([]byte, 20)...)
		name := filepath.Join(dir, "pack-x")
		if err := errors.Join(os.WriteFile(name+".idx", index, 0o600), os.WriteFile(name+".pack", data, 0o600)); err != nil {
			t.Fatal(err)
		}
		p, err := openPack(name + ".idx")
		if err != nil {
			return
		}
		s := &store{packs: []*pack{p}, folders: []string{dir}, cache: newCache()}
		defer s.close()
		for n := range 2 {
			if at, ok, err := s.locate(id{19: byte(n + 1)}); err != nil || !ok || at.number != n {
				t.Fatalf("locate = %v, %v, %v; want number %d", at, ok, err, n)
			}
			off, err := p.offset(n)
			if err != nil {
				t.Fatal(err)
			}
			x, err := s.openPacked(p, off)
			if err != nil {
				continue
			}
			x.verify(id{})
			if read, err := io.Copy(io.Discard, io.LimitReader(x, 1<<20)); err == nil && read < min(x.size, 1<<20) {
				t.Errorf("%d bytes of %d and no error", read, x.size)
			}
		}
	})
}

// FuzzDelta applies deltas to a base.
func FuzzDelta(f *testing.F) {
	f.Add([]byte("hello"), []byte{5, 7, 0x90, 5, 2, 'y', 'o'})
	f.Add([]byte("hello"), []byte{5, 4, 0x91, 1, 4})
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		out, err := apply(base, delta)
		if err != nil {
			return
		}
		_, n := size(delta)
		if want, _ := size(delta[n:]); int64(len(out)) != want {
			t.Errorf("%d bytes, the delta says %d", len(out), want)
		}
	})
}

// FuzzParse reads trees, commits and tags; a tree that is well formed has what its
// entries say.
func FuzzParse(f *testing.F) {
	f.Add(append([]byte("100644 a\x00"), make([]byte, 20)...))
	f.Add([]byte("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ncommitter a <a> 5 +0000\n\nx"))
	f.Add([]byte("object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype commit\n\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parseCommit(data)
		parseTag(data)
		var again bytes.Buffer
		for c, err := range children(data) {
			if err != nil {
				return
			}
			fmt.Fprintf(&again, "%o %s\x00%s", c.mode, c.name, c.id[:])
		}
		// Modes may begin with zeros.
		if again.Len() > len(data) {
			t.Errorf("a tree of %d bytes has entries of %d", len(data), again.Len())
		}
	})
}

// FuzzSettings reads configurations.
func FuzzSettings(f *testing.F) {
	f.Add("[extensions]\n\tobjectFormat = sha256 ; x\n[remote \"origin\"]\n promisor\n")
	f.Fuzz(func(t *testing.T, text string) { settingsOf(text) })
}
