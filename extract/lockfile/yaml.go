package lockfile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"bulwark"
)

// errNoContent is for a file that is not what its name says.
var errNoContent = fmt.Errorf("nothing of the format in it: %w", bulwark.ErrMalformed)

// The lockfiles that tools write as YAML have one key a line and a fixed indentation. They
// are read line by line: a YAML parser compares every key of a mapping with every
// other, which takes minutes for a file of some megabytes.

// pnpmLock reads pnpm's lockfile, layouts 5 to 9.
func pnpmLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	var now pnpmEntry
	slashes, section, seen := false, "", false
	for line := range lines(content) {
		indent, key, value := yamlLine(line)
		switch {
		case key == "" || key[0] == '#':
		case indent == 0:
			list, now = now.end(list), pnpmEntry{}
			section, seen = key, true
			if key == "lockfileVersion" {
				slashes = strings.HasPrefix(value, "5")
			}
		case section != "packages":
		case indent == 2:
			list = now.end(list)
			now = newPnpmEntry(key, slashes)
		case indent == 4 && key == "dev":
			now.dev = value == "true"
		case indent == 4 && key == "name":
			now.named = value
		case indent == 4 && key == "version":
			now.versioned = value
		}
	}
	if !seen {
		return nil, errNoContent
	}
	return now.end(list), nil
}

// pnpmEntry is a package: what its key says, and what its attributes say where the key is
// an address.
type pnpmEntry struct {
	name, version    string
	named, versioned string
	dev              bool
}

// newPnpmEntry reads a key: "/@a/b/1.0.0_peer@2" in layout 5, "/@a/b@1.0.0(peer@2)" in
// 6, without the slash in 9.
func newPnpmEntry(key string, slashes bool) pnpmEntry {
	if i := strings.IndexByte(key, ':'); i >= 0 { // an address, maybe behind "name@"
		at := strings.LastIndexByte(key[:i], '@')
		return pnpmEntry{name: key[:max(at, 0)]}
	}
	if slashes {
		return pnpmSlashes(key)
	}
	key, _, _ = strings.Cut(strings.TrimPrefix(key, "/"), "(")
	i := strings.LastIndexByte(key, '@')
	if i <= 0 {
		return pnpmEntry{}
	}
	return pnpmEntry{name: key[:i], version: key[i+1:]}
}

func pnpmSlashes(key string) pnpmEntry {
	rest, ok := strings.CutPrefix(key, "/")
	if !ok { // the registry's name first
		_, rest, _ = strings.Cut(key, "/")
	}
	name, version, _ := strings.Cut(rest, "/")
	if strings.HasPrefix(name, "@") {
		base, v, _ := strings.Cut(version, "/")
		name, version = name+"/"+base, v
	}
	version, _, _ = strings.Cut(version, "_")
	if version == "" || version[0] < '0' || version[0] > '9' {
		return pnpmEntry{} // a folder or repository, which attributes may name
	}
	return pnpmEntry{name: name, version: version}
}

func (e pnpmEntry) end(list []declared) []declared {
	if e.named != "" {
		e.name = e.named
	}
	if e.versioned != "" {
		e.version = e.versioned
	}
	if e.name == "" {
		return list
	}
	return append(list, npm(entry{name: e.name, version: e.version, dev: e.dev}))
}

// pubspecLock reads Dart's lockfile; what the SDK brings is left out.
func pubspecLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	section, skip := "", false
	for line := range lines(content) {
		indent, key, value := yamlLine(line)
		switch {
		case key == "" || key[0] == '#':
		case indent == 0:
			section = key
		case section != "packages":
		case indent == 2:
			list = append(dropLast(list, skip), declared{typ: "pub", name: key})
			skip = false
		case indent == 4 && len(list) > 0:
			last := &list[len(list)-1]
			switch key {
			case "dependency":
				last.dev = value == "direct dev"
			case "version":
				last.version = value
			case "source":
				skip = value == "sdk"
			}
		}
	}
	if section == "" {
		return nil, errNoContent
	}
	return dropLast(list, skip), nil
}

func dropLast(list []declared, drop bool) []declared {
	if drop && len(list) > 0 {
		return list[:len(list)-1]
	}
	return list
}

// podfileLock reads CocoaPods' lockfile: "  - Name/Part (1.0):" below PODS.
func podfileLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	section := ""
	for line := range lines(content) {
		if line != "" && line[0] != ' ' {
			section, _, _ = strings.Cut(line, ":")
			continue
		}
		item, ok := strings.CutPrefix(line, "  - ")
		if section != "PODS" || !ok {
			continue
		}
		item = strings.Trim(strings.TrimSuffix(item, ":"), `"`)
		name, version, ok := strings.Cut(item, " (")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, "/")
		list = append(list, declared{typ: "cocoapods", name: name, version: strings.TrimSuffix(version, ")")})
	}
	if section == "" {
		return nil, errNoContent
	}
	return list, nil
}

// stackLock reads Stack's lockfile: "hackage: name-1.0@sha256:...", what was asked for and
// what it came to.
func stackLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	seen := false
	for line := range lines(content) {
		_, key, value := yamlLine(strings.Replace(line, "- ", "  ", 1))
		seen = seen || key != ""
		value, _, pinned := strings.Cut(value, "@")
		i := strings.LastIndexByte(value, '-')
		if key == "hackage" && pinned && i > 0 {
			list = append(list, declared{typ: "hackage", name: value[:i], version: value[i+1:]})
		}
	}
	if !seen {
		return nil, errors.New("no keys")
	}
	return list, nil
}

// yamlLine divides a line into indentation, key and value, both unquoted. A line that has
// no key has an empty one.
func yamlLine(line string) (indent int, key, value string) {
	text := strings.TrimLeft(line, " ")
	indent = len(line) - len(text)
	text = strings.TrimRight(text, " ")
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		end := strings.IndexByte(text[1:], text[0])
		if end < 0 || !strings.HasPrefix(text[end+2:], ":") {
			return indent, "", ""
		}
		return indent, text[1 : end+1], plain(text[end+3:])
	}
	i := strings.Index(text, ": ")
	if i < 0 {
		k, ok := strings.CutSuffix(text, ":")
		if !ok {
			return indent, "", ""
		}
		return indent, k, ""
	}
	return indent, text[:i], plain(text[i+2:])
}

// plain is a scalar without its quotes.
func plain(s string) string { return strings.Trim(strings.TrimSpace(s), `'"`) }
