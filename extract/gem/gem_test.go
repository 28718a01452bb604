package gem

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/lang"
)

const debug = `# -*- encoding: utf-8 -*-
# stub: debug 1.6.3 ruby lib
# stub: ext/debug/extconf.rb

Gem::Specification.new do |s|
  s.name = "debug".freeze
  s.version = "1.6.3"

  s.required_rubygems_version = Gem::Requirement.new(">= 0".freeze) if s.respond_to? :required_rubygems_version=
  s.authors = ["Koichi Sasada".freeze]
  s.licenses = ["Ruby".freeze, "BSD-2-Clause".freeze]
  s.rubygems_version = "3.3.27".freeze
  if s.respond_to? :specification_version then
    s.specification_version = 4
  end
end
`

func file(path, content string) *bulwark.File {
	f := &bulwark.File{ReaderAt: strings.NewReader(content)}
	f.SetPath(path)
	f.Size = int64(len(content))
	return f
}

func TestExtract(t *testing.T) {
	long := "  s.files = [" + strings.Repeat(`"a".freeze, `, 20_000) + "]\n"
	for _, tt := range []struct {
		base, content, want string
		err                 error
	}{
		{base: "debug-1.6.3.gemspec", content: debug, want: "debug@1.6.3 [Ruby BSD-2-Clause] pkg:gem/debug@1.6.3"},
		{base: "x.gemspec", content: strings.Replace(debug, "  s.authors", long+"  s.authors", 1), want: "debug@1.6.3 [Ruby BSD-2-Clause] pkg:gem/debug@1.6.3"},
		{base: "x.gemspec", content: "spec.name = 'x'\nspec.version = Gem::Version.new(\"1.0\")\nspec.license = %q{MIT}\n", want: "x@1.0 [MIT] pkg:gem/x@1.0"},
		{base: "x.gemspec", content: "s.name = %q<x>.freeze\ns.version = \"1.0\".freeze\ns.platform = \"x86_64-linux\".freeze\n", want: "x@1.0 [] pkg:gem/x@1.0?platform=x86_64-linux"},
		{base: "x.gemspec", content: "# stub: x 2.0 java lib\ns.version = X::VERSION\n", want: "x@2.0 [] pkg:gem/x@2.0?platform=java"},
		{base: "no-ko-giri-1.16.0-x86_64-linux.gemspec", content: "s.version = V\n", want: "no-ko-giri@1.16.0 [] pkg:gem/no-ko-giri@1.16.0"},
		{base: "x-1.0.gemspec", content: "s.name = \"x\x1b[31m\"\n", want: "x@1.0 [] pkg:gem/x@1.0", err: bulwark.ErrMalformed},
		{base: "x.gemspec", content: "puts 1\n", err: bulwark.ErrMalformed},
		{base: "x-1.0.gemspec", content: strings.Repeat("#", 9<<20), want: "x@1.0 [] pkg:gem/x@1.0", err: bulwark.ErrLimit},
	} {
		f := file("usr/lib/ruby/gems/3.1.0/specifications/default/"+tt.base, tt.content)
		if !New().Wants(&f.FileInfo) {
			t.Errorf("%s is not wanted", f.Path)
		}
		facts, err := New().Extract(t.Context(), f)
		if !errors.Is(err, tt.err) || err != nil && tt.err == nil {
			t.Errorf("%s: error %v, want %v", tt.base, err, tt.err)
		}
		got := ""
		for _, p := range facts.Packages {
			got += p.Name + "@" + p.Version + " [" + strings.Join(p.Licenses, " ") + "] " + p.PURL
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %.30q (-want +got):\n%s", tt.base, tt.content, diff)
		}
	}
}

func TestWants(t *testing.T) {
	for _, path := range []string{"gems/x-1.0/x.gemspec", "specifications/x/y.gemspec", "x.gemspec"} {
		if f := file(path, "x"); New().Wants(&f.FileInfo) {
			t.Errorf("%s is wanted", path)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(debug))
	f.Add([]byte("s.name = %q<x>\ns.licenses = ['a', \"b\".freeze]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, _ := parse(data)
		for _, v := range []string{s.name, s.version, s.platform} {
			if !lang.Printable(v) {
				t.Fatalf("%q passed", v)
			}
		}
	})
}
