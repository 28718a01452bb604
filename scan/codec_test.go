package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func sample() *facts {
	shared := bulwark.NewSymbols([]uint32{3, 1, 2})
	f := newFacts("")
	f.files = []fileFacts{{
		path: "usr/bin/x",
		Facts: bulwark.Facts{
			Packages: []bulwark.Package{
				{PURL: "pkg:golang/a@v1", Name: "a", Version: "v1", Ecosystem: "Go", Format: "golang", Licenses: []string{"MIT"}, Symbols: shared},
				{PURL: "pkg:golang/b@v1", Name: "b", Source: &bulwark.SourcePackage{Name: "s", Version: "2"}, Declared: true, Dev: true, Symbols: shared},
			},
			Release:      &bulwark.Release{ID: "debian"},
			Repositories: []bulwark.Repository{{Kind: "apt", URL: "https://example.org"}},
			Documents:    []bulwark.Document{{Kind: "dockerfile", Path: "Dockerfile", Data: []byte("FROM x\n")}},
			Executables: []bulwark.Executable{{Path: "x", Mode: fs.ModeSetuid | 0o755, UID: -1, Size: 7, Format: "elf", Digests: []bulwark.Digest{{3}},
				Traits: []bulwark.Trait{{Rule: "r", Line: 3, Evidence: []string{"e"}}}}, {}},
			Licensed: []bulwark.Licensed{{Package: "x", Licenses: []string{"MIT"}}},
		},
		owned:    []owned{{"x", []name{nameOf("a", false)}}},
		recorded: []recorded{{"x", "deb", []name{nameOf("a", false)}, []bulwark.Digest{{1, 2}}}, {"", "deb", []name{nameOf("b", false)}, nil}},
	}}
	f.names.add("usr/bin/x", false)
	f.passed.add("usr/bin", true)
	f.links["a"] = "b"
	f.hard["h"] = "x"
	f.gone["g"] = true
	f.opaque["o"] = true
	f.notes = []bulwark.Note{{Plugin: "p", Text: "t", Incomplete: true}}
	f.seal()
	return f
}

var allowed = cmp.Options{cmp.AllowUnexported(facts{}, fileFacts{}, owned{}, recorded{}), cmp.Comparer(func(a, b *bulwark.Symbols) bool {
	return a == b || a != nil && b != nil && cmp.Equal(a.Hashes(), b.Hashes())
})}

func TestCodec(t *testing.T) {
	want := sample()
	got, err := decode(encode(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, allowed); diff != "" {
		t.Errorf("after encode and decode (-want +got):\n%s", diff)
	}
	if p := got.files[0].Packages; p[0].Symbols != p[1].Symbols {
		t.Error("the symbols of one binary are kept twice")
	}
	if _, err := decode(encode(want)[1:]); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("cut data: %v, want ErrMalformed", err)
	}
}

func FuzzDecode(f *testing.F) {
	good := encode(sample())
	f.Add(good[:len(good)-checksumSize])
	f.Add([]byte{})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x07})
	f.Fuzz(func(t *testing.T, body []byte) {
		x, err := decode(binary.LittleEndian.AppendUint32(bytes.Clone(body), checksum(body)))
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) {
			t.Fatalf("error %v, want ErrMalformed", err)
		}
		if err == nil {
			encode(x)
		}
	})
}
