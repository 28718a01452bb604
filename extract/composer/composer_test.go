package composer

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/lang"
)

func file(content string) *bulwark.File {
	f := &bulwark.File{ReaderAt: strings.NewReader(content)}
	f.SetPath("var/www/vendor/composer/installed.json")
	f.Size = int64(len(content))
	return f
}

const two = `{"packages":[
 {"name":"symfony/console","version":"v5.4.1","version_normalized":"5.4.1.0","license":["MIT"],"require":{"php":">=7"}},
 {"name":"phpunit/phpunit","version":"9.5.0","license":["BSD-3-Clause"],"time":7}],
 "dev":true,"dev-package-names":["phpunit/phpunit"]}`

func TestExtract(t *testing.T) {
	for _, tt := range []struct {
		content string
		want    []string
		err     error
	}{
		{content: two, want: []string{"symfony/console@v5.4.1 [MIT] false pkg:composer/symfony/console@v5.4.1", "phpunit/phpunit@9.5.0 [BSD-3-Clause] true pkg:composer/phpunit/phpunit@9.5.0"}},
		{content: `[{"name":"a/b","version":"1.0","license":"mit"}]`, want: []string{"a/b@1.0 [MIT] false pkg:composer/a/b@1.0"}},
		{content: `{"packages":[{"name":7},{"name":"a/b","version":["1"]},5]}`, want: []string{"a/b@ [] false pkg:composer/a/b"}, err: bulwark.ErrMalformed},
		{content: `{"packages":[{"name":"a/b","version":"1\u0007"}]}`, want: []string{"a/b@ [] false pkg:composer/a/b"}, err: bulwark.ErrMalformed},
		{content: `{"packages":[{"name":"a/b","version":"1"},`, want: []string{"a/b@1 [] false pkg:composer/a/b@1"}, err: bulwark.ErrMalformed},
		{content: `7`, err: bulwark.ErrMalformed},
	} {
		f := file(tt.content)
		if !New().Wants(&f.FileInfo) {
			t.Errorf("%s is not wanted", f.Path)
		}
		facts, err := New().Extract(t.Context(), f)
		if !errors.Is(err, tt.err) || err != nil && tt.err == nil {
			t.Errorf("%.40s: error %v, want %v", tt.content, err, tt.err)
		}
		var got []string
		for _, p := range facts.Packages {
			got = append(got, fmt.Sprintf("%s@%s %s %v %s", p.Name, p.Version, p.Licenses, p.Dev, p.PURL))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%.40s (-want +got):\n%s", tt.content, diff)
		}
	}
}

func TestTooMany(t *testing.T) {
	facts, err := New().Extract(t.Context(), file("["+strings.Repeat(`{"name":"a/b"},`, maxPackages+1)+"1]"))
	if !errors.Is(err, bulwark.ErrLimit) || len(facts.Packages) != maxPackages {
		t.Errorf("%d packages and %v, want %d and ErrLimit", len(facts.Packages), err, maxPackages)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add(two)
	f.Add(`[{"name":"a/b","version":"1.0","license":"mit"}]`)
	f.Fuzz(func(t *testing.T, content string) {
		facts, _ := New().Extract(t.Context(), file(content))
		for _, p := range facts.Packages {
			if p.Name == "" || !lang.Printable(p.Name+p.Version) {
				t.Fatalf("%+v passed", p)
			}
		}
	})
}
