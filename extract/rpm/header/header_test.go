package header

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/rpm/internal/rpmtest"
)

func sample() []byte {
	return rpmtest.Header(rpmtest.Entries{
		uint32(Name): "bash", uint32(Epoch): []uint32{3}, uint32(FileModes): []uint16{0o100644, 0o040755},
		uint32(BaseNames): []string{"a", "", "c"}, uint32(DirIndexes): []uint32{0, 1, 0},
	})
}

func TestParse(t *testing.T) {
	h, err := Parse(sample())
	if err != nil {
		t.Fatal(err)
	}
	if got := h.String(Name); got != "bash" {
		t.Errorf("name %q", got)
	}
	if got := h.String(Version); got != "" {
		t.Errorf("version %q, want none", got)
	}
	if got := h.String(Epoch); got != "" {
		t.Errorf("epoch as text %q, want none", got)
	}
	if diff := cmp.Diff([]string{"a", "", "c"}, h.Strings(BaseNames)); diff != "" {
		t.Errorf("base names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint32{0, 1, 0}, h.Ints(DirIndexes)); diff != "" {
		t.Errorf("indexes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint32{0o100644, 0o040755}, h.Ints(FileModes)); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

func TestMalformed(t *testing.T) {
	good := sample()
	for name, blob := range map[string][]byte{
		"empty":        nil,
		"short":        good[:7],
		"data missing": good[:len(good)-1],
		"many entries": {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"overflow":     {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := Parse(blob); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", name, err)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, blob []byte) {
		h, err := Parse(blob)
		if err != nil {
			return
		}
		h.String(Name)
		if n := len(h.Strings(BaseNames)); n > len(blob) {
			t.Errorf("%d strings in %d bytes", n, len(blob))
		}
		if n := len(h.Ints(DirIndexes)); n > len(blob) {
			t.Errorf("%d numbers in %d bytes", n, len(blob))
		}
	})
}
