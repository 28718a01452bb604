package purl

import (
	"errors"
	"strings"
	"testing"

	"bulwark"
)

func TestNew(t *testing.T) {
	for want, p := range map[string][3]string{
		"pkg:npm/%40babel/core@7.0.0":                     {"npm", "@babel/core", "7.0.0"},
		"pkg:npm/lodash@4.17.15":                          {"npm", "lodash", "4.17.15"},
		"pkg:maven/org.apache/commons@1":                  {"maven", "org.apache:commons", "1"},
		"pkg:golang/github.com/a/b@v1.2.3":                {"golang", "github.com/a/b", "v1.2.3"},
		"pkg:golang/github.com/a/b@v1.0.0%2Bincompatible": {"golang", "github.com/a/b", "v1.0.0+incompatible"},
		"pkg:pypi/jinja2":                                 {"pypi", "jinja2", ""},
	} {
		if got := New(p[0], p[1], p[2]); got != want {
			t.Errorf("New(%q) = %s, want %s", p, got, want)
		}
		u, err := Parse(want)
		if err != nil || u.FullName() != p[1] || u.Version != p[2] {
			t.Errorf("Parse(%s) = %+v, %v", want, u, err)
		}
	}
}

func TestParseMalformed(t *testing.T) {
	for _, s := range []string{"", "npm/x", "pkg:", "pkg:npm/", "pkg:npm/" + strings.Repeat("x", maxLength)} {
		if _, err := Parse(s); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("Parse(%.20q): %v, want ErrMalformed", s, err)
		}
	}
}

func TestIdentity(t *testing.T) {
	for s, want := range map[string]string{
		"pkg:npm/lodash@4.17.15":      "pkg:npm/lodash",
		"pkg:npm/lodash":              "pkg:npm/lodash",
		"pkg:npm/%40babel/core@7.0.0": "pkg:npm/%40babel/core",
		"pkg:PyPI/Jinja_2@1":          "pkg:pypi/jinja-2",
		"pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12&upstream=openssl": "pkg:deb/debian/libssl3?arch=amd64",
		"pkg:rpm/almalinux/x@1-2?epoch=1&arch=x86_64":                                 "pkg:rpm/almalinux/x?arch=x86_64",
		"no purl": "no purl",
	} {
		if got := Identity(s); got != want {
			t.Errorf("Identity(%s) = %s, want %s", s, got, want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		want, have string
		ok         bool
	}{
		{"pkg:npm/lodash", "pkg:npm/lodash@4", true},
		{"pkg:npm/lodash@4", "pkg:npm/lodash@4", true},
		{"pkg:npm/lodash@5", "pkg:npm/lodash@4", false},
		{"pkg:npm/lodash", "pkg:npm/express@4", false},
		{"pkg:deb/debian/x@1:2", "pkg:deb/debian/x@2?epoch=1", true},
		{"pkg:deb/debian/x@0:2", "pkg:deb/debian/x@2", true},
		{"pkg:deb/debian/x@2?arch=arm64", "pkg:deb/debian/x@2?arch=amd64", false},
		{"pkg:deb/debian/x@2?arch=arm64", "pkg:deb/debian/x@2", true},
		{"pkg:deb/debian/x", "pkg:deb/ubuntu/x@2", false},
	} {
		if got := Matches(tt.want, tt.have); got != tt.ok {
			t.Errorf("Matches(%s, %s) = %v, want %v", tt.want, tt.have, got, tt.ok)
		}
	}
}

// FuzzIdentity holds the short way of Identity against the long one.
func FuzzIdentity(f *testing.F) {
	for _, s := range []string{"pkg:npm/lodash@4.17.15", "pkg:npm/@a/b", "pkg:npm/a/@b", "pkg:a/b/@", "pkg:maven/org.apache/commons@1", "pkg:generic/a@b@c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Identity(s)
		p, err := Parse(s)
		if err != nil {
			return
		}
		p.Version = ""
		for _, q := range []string{"epoch", "upstream", "distro"} {
			delete(p.Qualifiers, q)
		}
		if want := p.String(); got != want {
			t.Errorf("Identity(%q) = %q, by parsing %q", s, got, want)
		}
	})
}
