// Package osrelease reads which distribution, and which release of it, a root file
// system holds.
package osrelease

import (
	"context"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
)

var _ bulwark.Extractor = (*Extractor)(nil)

// Extractor reads os-release and the older files that tell a release. Each gives the
// part of a [bulwark.Release] that it knows. To join them, take etc/os-release first,
// then usr/lib/os-release, then the others by path: a later one fills fields that are
// empty, unless it names another distribution (ID), and then none of it counts.
type Extractor struct{}

// New returns an extractor of release files.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/osrelease", Summary: "The distribution and its release.", Version: 1}
}

// readers are keyed by path. The files of one distribution's relatives sort so that
// the own comes before the one it imitates: etc/oracle-release, etc/redhat-release.
var readers = map[string]func(text string) *bulwark.Release{
	"etc/os-release":     osRelease,
	"usr/lib/os-release": osRelease,
	"etc/debian_version": debianVersion,
	"etc/alpine-release": alpineRelease,
	"etc/centos-release": redHatRelease,
	"etc/oracle-release": redHatRelease,
	"etc/redhat-release": redHatRelease,
	"etc/system-release": redHatRelease,
	"etc/lsb-release":    lsbRelease,
}

// maxFile bounds a release file; real ones have half a kilobyte.
const maxFile = 64 << 10

// Wants takes the files that tell a release.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	return readers[f.Path] != nil && f.Size > 0
}

// Extract reads one of them. What is longer than 64 KB is not read to its end.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	text := make([]byte, min(f.Size, maxFile))
	n, err := f.ReadAt(text, 0)
	if n == 0 {
		return bulwark.Facts{}, err
	}
	r := readers[f.Path](string(text[:n]))
	if r == nil || *r == (bulwark.Release{}) {
		return bulwark.Facts{}, nil
	}
	return bulwark.Facts{Release: r}, nil
}

// variables reads lines of NAME=value with the shell's quotes.
func variables(text string) map[string]string {
	vars := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			vars[name] = distro.Text(unquote(strings.TrimSpace(value)))
		}
	}
	return vars
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
