package npm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/lang"
)

func file(path string, content []byte) *bulwark.File {
	f := &bulwark.File{ReaderAt: bytes.NewReader(content)}
	f.SetPath(path)
	f.Size = int64(len(content))
	return f
}

func TestExtract(t *testing.T) {
	const root = "srv/app/node_modules/x/package.json"
	for _, tt := range []struct {
		path, content, want string // want: name@version licences
		err                 error
	}{
		{path: root, content: `{"name":"x","version":"1.2.3","license":"MIT"}`, want: "x@1.2.3 [MIT]"},
		{path: root, content: "\xef\xbb\xbf" + `{"name":"x","version":"1.2.3"}`, want: "x@1.2.3 []"},
		{path: root, content: `{"name":"x","version":"1.0.0","contributors":"me","bin":1,"dependencies":[],"private":true}`, want: "x@1.0.0 []"},
		{path: root, content: `{"name":"x","version":"1.0.0","license":{"type":"Apache License, Version 2.0","url":"u"}}`, want: "x@1.0.0 [Apache-2.0]"},
		{path: root, content: `{"name":"x","version":"1.0.0","licenses":[{"type":"MIT"},"ISC",{"type":7},[["MIT"]]]}`, want: "x@1.0.0 [MIT ISC]"},
		{path: root, content: `{"name":"x","version":"1.0.0","license":false}`, want: "x@1.0.0 []"},
		{path: root, content: `{"name":"x","version":7}`, want: "x@ []", err: bulwark.ErrMalformed},
		{path: root, content: `{"name":["x"],"version":"1.0.0"}`, want: "x@1.0.0 []", err: bulwark.ErrMalformed},
		{path: root, content: `{"name":"\u001b[31m","version":"1.0.0"}`, want: "x@1.0.0 []", err: bulwark.ErrMalformed},
		{path: root, content: `{"name":"x","version":"1\n2"}`, want: "x@ []", err: bulwark.ErrMalformed},
		{path: root, content: `{"name":"x","version":"1.0.0","scripts":{`, want: "x@1.0.0 []", err: bulwark.ErrMalformed},
		{path: root, content: `not json`, want: "x@ []", err: bulwark.ErrMalformed},
		{path: root, content: `[]`, want: "x@ []", err: bulwark.ErrMalformed},
		{path: root, content: `{"x":` + strings.Repeat("[", 100_000), want: "x@ []", err: bulwark.ErrLimit},
		{path: root, content: `{"version":"2.0.0"}`, want: "x@2.0.0 []"},
		{path: "node_modules/@a/b/package.json", content: `{"name":"@a/b","version":"1.0.0"}`, want: "@a/b@1.0.0 []"},
		{path: "node_modules/@a/b/package.json", content: `{}`, want: "@a/b@ []"},
		{path: "node_modules/rxjs/ajax/package.json", content: `{"name":"rxjs/ajax"}`, want: "rxjs/ajax@ []"},
		{path: "node_modules/x/esm/package.json", content: `{"type":"module"}`},
		{path: "node_modules/x/test/bad/package.json", content: `{`},
		{path: "usr/share/nodejs/acorn/package.json", content: `{"name":"acorn","version":"8.8.1"}`, want: "acorn@8.8.1 []"},
		{path: "srv/app/package.json", content: `{"name":"app","version":"1.0.0","license":"ISC"}`, want: "app@1.0.0 [ISC]"},
		{path: "srv/app/package.json", content: `{"name":"app"}`},
		{path: "srv/app/package.json", content: `{"name":"app"`, err: bulwark.ErrMalformed},
	} {
		facts, err := New().Extract(t.Context(), file(tt.path, []byte(tt.content)))
		if !errors.Is(err, tt.err) || err != nil && tt.err == nil {
			t.Errorf("%s %.60q: error %v, want %v", tt.path, tt.content, err, tt.err)
		}
		got := ""
		for _, p := range facts.Packages {
			got += p.Name + "@" + p.Version + " [" + strings.Join(p.Licenses, " ") + "]"
		}
		if got != tt.want {
			t.Errorf("%s %.60q: got %q, want %q", tt.path, tt.content, got, tt.want)
		}
	}
}

func TestPackage(t *testing.T) {
	facts, err := New().Extract(context.Background(), file("a/node_modules/@babel/core/package.json", []byte(`{"name":"@babel/core","version":"7.0.0","license":"MIT"}`)))
	if err != nil {
		t.Fatal(err)
	}
	want := []bulwark.Package{{PURL: "pkg:npm/%40babel/core@7.0.0", Name: "@babel/core", Version: "7.0.0", Ecosystem: "npm", Format: "npm", Licenses: []string{"MIT"}}}
	if diff := cmp.Diff(want, facts.Packages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTooLarge(t *testing.T) {
	f := file("node_modules/x/package.json", nil)
	f.Size = 1 << 40
	facts, err := New().Extract(t.Context(), f)
	if !errors.Is(err, bulwark.ErrLimit) || len(facts.Packages) != 1 {
		t.Errorf("got %d packages and %v, want the package by its folder and ErrLimit", len(facts.Packages), err)
	}
}

// No document passes a word that could harm a terminal, and what encoding/json reads as
// the name of a package is its name here.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"name":"x","version":"1.2.3","license":"MIT"}`, `{"name":"a","licenses":[{"type":"MIT"}]}`, `{"name":null,"version":{}}`, "\xef\xbb\xbf{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data)
		for _, s := range append([]string{m.name, m.version}, m.licenses...) {
			if !lang.Printable(s) {
				t.Fatalf("%q passed", s)
			}
		}
		var doc map[string]any
		if json.Unmarshal(data, &doc) != nil {
			return
		}
		if name, ok := doc["name"].(string); ok && err == nil && m.name != strings.TrimSpace(name) {
			t.Fatalf("name %q, want %q", m.name, name)
		}
	})
}
