// Package repositories reads which package indexes apt and apk are set up to ask.
package repositories

import (
	"context"
	"net/url"
	"path"
	"strings"

	"bulwark"
	"bulwark/extract/internal/distro"
)

var _ bulwark.Extractor = (*Extractor)(nil)

// Extractor reads apt's sources, in both formats, and apk's repositories. Addresses come
// without user, password, query and fragment; only http and https ones are given.
type Extractor struct{}

// New returns an extractor of package repositories.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/repositories", Summary: "The package indexes that apt and apk ask.", Version: 1}
}

const (
	maxFile         = 1 << 20 // bytes
	maxRepositories = 1000    // of one file
)

// reader gives the reader of a file, nil when it is none of ours.
func reader(p string) func(*distro.Lines) []bulwark.Repository {
	switch dir := path.Dir(p); {
	case p == "etc/apt/sources.list", dir == "etc/apt/sources.list.d" && strings.HasSuffix(p, ".list"):
		return aptLines
	case dir == "etc/apt/sources.list.d" && strings.HasSuffix(p, ".sources"):
		return aptStanzas
	case p == "etc/apk/repositories", dir == "etc/apk/repositories.d" && strings.HasSuffix(p, ".list"):
		return apkLines
	}
	return nil
}

// Wants takes the files of apt and apk that list repositories.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	return f.Size > 0 && strings.HasPrefix(f.Path, "etc/ap") && reader(f.Path) != nil
}

// Extract reads one of them. Lines that apt or apk would refuse are passed over.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	lines := distro.NewLines(f.Reader(), f.Size, maxFile, "list of repositories")
	return bulwark.Facts{Repositories: reader(f.Path)(lines)}, lines.Err
}

// address makes a base address fit to be shown; "" when it is not one to ask over
// the network, or could carry control characters to a terminal.
func address(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !distro.Token(raw) {
		return ""
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment = nil, "", false, ""
	return strings.TrimRight(u.String(), "/")
}

// aptLines reads "deb [arch=amd64 signed-by=/x] http://example.org/debian bookworm main".
func aptLines(lines *distro.Lines) []bulwark.Repository {
	var list []bulwark.Repository
	for lines.Next() && len(list) < maxRepositories {
		line, _, _ := strings.Cut(string(lines.Line), "#")
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "deb" {
			continue
		}
		words = withoutOptions(words[1:])
		if len(words) < 2 {
			continue
		}
		list = appendApt(list, words[0], words[1], words[2:])
	}
	return list
}

// withoutOptions drops "[...]", which may hold spaces.
func withoutOptions(words []string) []string {
	if !strings.HasPrefix(words[0], "[") {
		return words
	}
	for i, w := range words {
		if strings.HasSuffix(w, "]") {
			return words[i+1:]
		}
	}
	return nil
}

func appendApt(list []bulwark.Repository, uri, suite string, components []string) []bulwark.Repository {
	base := address(uri)
	if base == "" || !distro.Token(suite) || len(list) >= maxRepositories {
		return list
	}
	var good []string
	for _, c := range components {
		if distro.Token(c) && len(good) < 32 {
			good = append(good, c)
		}
	}
	return append(list, bulwark.Repository{Kind: "apt", URL: base, Suite: suite, Components: good})
}

// aptStanzas reads the deb822 format: paragraphs of Types, URIs, Suites, Components and
// Enabled, each with words that may go on in further lines.
func aptStanzas(lines *distro.Lines) []bulwark.Repository {
	var list []bulwark.Repository
	fields, last := map[string]string{}, ""
	for {
		more := lines.Next()
		line := ""
		if more {
			line = string(lines.Line)
		}
		switch name, value, ok := strings.Cut(line, ":"); {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			list = stanza(list, fields)
			fields, last = map[string]string{}, ""
		case line[0] == ' ' || line[0] == '\t':
			if last != "" && len(fields[last]) < maxRepositories*8 {
				fields[last] += " " + line
			}
		case ok:
			last = strings.ToLower(name)
			fields[last] = value
		}
		if !more {
			return list
		}
	}
}

func stanza(list []bulwark.Repository, fields map[string]string) []bulwark.Repository {
	types := strings.Fields(fields["types"])
	if no := strings.ToLower(strings.TrimSpace(fields["enabled"])); no == "no" || no == "false" || no == "0" {
		return list
	}
	for _, typ := range types {
		if typ != "deb" {
			continue
		}
		for _, uri := range strings.Fields(fields["uris"]) {
			for _, suite := range strings.Fields(fields["suites"]) {
				list = appendApt(list, uri, suite, strings.Fields(fields["components"]))
			}
		}
		return list
	}
	return list
}

// apkLines reads "@edge https://dl-cdn.alpinelinux.org/alpine/edge/main".
func apkLines(lines *distro.Lines) []bulwark.Repository {
	var list []bulwark.Repository
	for lines.Next() && len(list) < maxRepositories {
		words := strings.Fields(string(lines.Line))
		if len(words) > 1 && strings.HasPrefix(words[0], "@") {
			words = words[1:]
		}
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if base := address(words[0]); base != "" {
			list = append(list, bulwark.Repository{Kind: "apk", URL: base})
		}
	}
	return list
}
