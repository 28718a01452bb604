package python

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/lang"
)

func file(path, content string) *bulwark.File {
	f := &bulwark.File{ReaderAt: strings.NewReader(content)}
	f.SetPath(path)
	f.Size = int64(len(content))
	return f
}

func zipped(t testing.TB, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, content)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const pyYAML = "Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\nLicense: MIT\nClassifier: License :: OSI Approved :: MIT License\n\nName: not this\n"

func TestExtract(t *testing.T) {
	for _, tt := range []struct {
		path, content, want string
		err                 error
	}{
		{path: "d/PyYAML-6.0.dist-info/METADATA", content: pyYAML, want: "PyYAML@6.0 [MIT] pkg:pypi/pyyaml@6.0"},
		{path: "d/idna-3.3.egg-info/PKG-INFO", content: "Name: idna\r\nVersion: 3.3\r\nLicense: BSD-3-Clause\r\n", want: "idna@3.3 [BSD-3-Clause] pkg:pypi/idna@3.3"},
		{path: "d/x.egg-info", content: "Name: Zope.Interface__X\nVersion: 1.0\n", want: "Zope.Interface__X@1.0 [] pkg:pypi/zope-interface-x@1.0"},
		{path: "d/x-1.0-py3.egg/EGG-INFO/PKG-INFO", content: "Name: x\nVersion: 1.0\n", want: "x@1.0 [] pkg:pypi/x@1.0"},
		{path: "d/x-1.0-py3.11.egg", content: zipped(t, "EGG-INFO/PKG-INFO", "Name: x\nVersion: 1.0\n"), want: "x@1.0 [] pkg:pypi/x@1.0"},
		{path: "d/x-1.0-py3.11.egg", content: zipped(t, "x.py", ""), want: "x@1.0 [] pkg:pypi/x@1.0", err: bulwark.ErrMalformed},
		{path: "d/x-1.0-py3.11.egg", content: "no zip", want: "x@1.0 [] pkg:pypi/x@1.0", err: bulwark.ErrMalformed},
		{path: "d/x-1.0.dist-info/METADATA", content: "Metadata-Version: 2.1\n", want: "x@1.0 [] pkg:pypi/x@1.0"},
		{path: "d/x-1.0.dist-info/METADATA", content: "Name: x\x1b[31m\nVersion: 1.0\n", want: "x@1.0 [] pkg:pypi/x@1.0", err: bulwark.ErrMalformed},
		{path: "d/x.dist-info/METADATA", content: "Name: x\nVersion: 1\x07\n", want: "x@ [] pkg:pypi/x", err: bulwark.ErrMalformed},
		{path: "d/x.dist-info/METADATA", content: "Name: x\nVersion: 1\nLicense: Copyright me\n        All rights\n", want: "x@1 [] pkg:pypi/x@1"},
		{path: "d/x.dist-info/METADATA", content: "Name: x\nVersion: 1\nLicense: BSD\nClassifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: BSD License\n", want: "x@1 [BSD License] pkg:pypi/x@1"},
		{path: "d/x.dist-info/METADATA", content: "Name: x\nVersion: 1\nLicense: custom\nLicense-Expression: MIT or Apache-2.0\n", want: "x@1 [MIT OR Apache-2.0] pkg:pypi/x@1"},
		{path: "d/x.dist-info/METADATA", content: "Name: x\nVersion: 1\n" + strings.Repeat("Keywords: a\n", 200_000), want: "x@1 [] pkg:pypi/x@1", err: bulwark.ErrLimit},
		{path: "d/x.dist-info/METADATA", content: "Name: x\nVersion: 1\n\n" + strings.Repeat("text\n", 400_000), want: "x@1 [] pkg:pypi/x@1"},
		{path: "opt/conda/conda-meta/openssl-3.0.7-h0b41bf4_1.json", content: `{"name":"openssl","version":"3.0.7","license":"Apache-2.0","files":["a"]}`, want: "openssl@3.0.7 [Apache-2.0] pkg:conda/openssl@3.0.7"},
		{path: "opt/conda/conda-meta/x.json", content: `{"name":7}`, err: bulwark.ErrMalformed},
	} {
		f := file(tt.path, tt.content)
		if !New().Wants(&f.FileInfo) {
			t.Errorf("%s is not wanted", tt.path)
		}
		facts, err := New().Extract(t.Context(), f)
		if !errors.Is(err, tt.err) || err != nil && tt.err == nil {
			t.Errorf("%s %.40q: error %v, want %v", tt.path, tt.content, err, tt.err)
		}
		got := ""
		for _, p := range facts.Packages {
			got += p.Name + "@" + p.Version + " [" + strings.Join(p.Licenses, " ") + "] " + p.PURL
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %.40q (-want +got):\n%s", tt.path, tt.content, diff)
		}
	}
}

func TestWants(t *testing.T) {
	for _, path := range []string{"METADATA", "src/PKG-INFO", "x.dist-info/INSTALLER", "a.json", "x.egg-info/requires.txt"} {
		if f := file(path, "x"); New().Wants(&f.FileInfo) {
			t.Errorf("%s is wanted", path)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(pyYAML))
	f.Add([]byte("\xef\xbb\xbfName: a\r\nLicense: b\r\n c\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, _ := parse(data)
		for _, s := range append(m.licenses(), m.name, m.version) {
			if !lang.Printable(s) {
				t.Fatalf("%q passed", s)
			}
		}
	})
}
