package lockfile

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"bulwark"
	"bulwark/extract/internal/lang"
)

// errNoContent is for a file that is not what its name says.
var errNoContent = lang.Malformed("nothing of the format in it")

// eachYAML calls visit with the nodes of a document that is a mapping, and the member of
// it that they are or are in. A fault ends the reading.
func eachYAML(content []byte, visit func(section string, n *yamlNode) error) error {
	y := newYAML(content)
	section := ""
	for {
		n, err := y.next()
		switch {
		case err != nil:
			return err
		case n == nil && section == "":
			return errNoContent
		case n == nil:
			return nil
		case n.depth == 1 && (n.item || n.key == ""):
			return y.malformed(errors.New("no member of a table"))
		case n.depth == 1:
			section = n.key
		}
		if err := visit(section, n); errors.Is(err, bulwark.ErrLimit) {
			return err
		} else if err != nil {
			return y.malformed(err)
		}
	}
}

// tableOf tells that a node of the section is not as it is in a table of tables.
func tableOf(n *yamlNode) error {
	switch {
	case n.depth == 1 && !n.empty(), n.depth == 2 && n.item:
		return errors.New("packages is no table")
	case n.depth == 2 && (n.key == "" || !n.empty() && n.kind != yamlFlow), n.depth == 3 && (n.item || n.key == ""):
		return errors.New("a package is no table")
	}
	return nil
}

// pnpmLock reads pnpm's lockfile, layouts 5 to 9.
func pnpmLock(_ context.Context, _ string, content []byte) (list []declared, err error) {
	var now pnpmEntry
	var odd error // of an entry, which does not end the reading
	slashes := false
	err = eachYAML(content, func(section string, n *yamlNode) error {
		if n.depth <= 2 {
			list = now.end(list, &odd)
			now = pnpmEntry{}
		}
		if section == "lockfileVersion" {
			slashes = strings.HasPrefix(n.value, "5")
		}
		if section != "packages" {
			return nil
		}
		if err := tableOf(n); err != nil {
			return err
		}
		switch {
		case n.depth == 2:
			now = newPnpmEntry(n.key, slashes)
			now.key = n.key
		case n.depth == 3 && n.key == "dev":
			now.dev = n.value == "true"
		case n.depth == 3 && n.key == "name":
			now.named = n.value
		case n.depth == 3 && n.key == "version":
			now.versioned = n.value
		}
		return full(list)
	})
	list = now.end(list, &odd)
	return list, cmp.Or(err, odd)
}

// pnpmEntry is a package: what its key says, and what its attributes say where the key is
// an address.
type pnpmEntry struct {
	key              string
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

// end adds the entry to the list, when there is one.
func (e pnpmEntry) end(list []declared, odd *error) []declared {
	if e.named != "" {
		e.name = e.named
	}
	if e.versioned != "" {
		e.version = e.versioned
	}
	if e.key == "" {
		return list
	}
	if e.name == "" && strings.ContainsAny(e.key, ":/") { // a folder or repository that has no name
		return list
	}
	if e.name == "" {
		*odd = cmp.Or(*odd, lang.Malformed("an entry that names no package: %.100q", e.key))
		return list
	}
	return append(list, npm(entry{name: e.name, version: e.version, dev: e.dev}))
}

// pubspecLock reads Dart's lockfile; what the SDK brings is left out.
func pubspecLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	skip := false
	err := eachYAML(content, func(section string, n *yamlNode) error {
		if section != "packages" {
			return nil
		}
		if err := tableOf(n); err != nil {
			return err
		}
		switch {
		case n.depth == 2:
			list, skip = append(dropLast(list, skip), declared{typ: "pub", name: n.key}), false
		case n.depth == 3 && n.key == "dependency":
			list[len(list)-1].dev = n.value == "direct dev"
		case n.depth == 3 && n.key == "version":
			list[len(list)-1].version = n.value
		case n.depth == 3 && n.key == "source":
			skip = n.value == "sdk"
		}
		return full(list)
	})
	return dropLast(list, skip), err
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
	err := eachYAML(content, func(section string, n *yamlNode) error {
		switch {
		case section != "PODS" || n.depth > 2:
			return nil
		case n.depth == 1 && !n.empty(), n.depth == 2 && !n.item:
			return errors.New("PODS is no list")
		case n.depth == 1:
			return nil
		}
		name, version, ok := strings.Cut(n.key+n.value, " (")
		version, closed := strings.CutSuffix(version, ")")
		if !ok || !closed || n.key != "" && !n.empty() {
			return errors.New("a pod without a version")
		}
		name, _, _ = strings.Cut(name, "/")
		list = append(list, declared{typ: "cocoapods", name: name, version: version})
		return full(list)
	})
	return list, err
}

// stackLock reads Stack's lockfile: "hackage: name-1.0@sha256:...", what was asked for and
// what it came to.
func stackLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	err := eachYAML(content, func(section string, n *yamlNode) error {
		if section == "packages" && (n.depth == 1 && !n.empty() || n.depth == 2 && !n.item) {
			return errors.New("packages is no list")
		}
		value, _, pinned := strings.Cut(n.value, "@")
		i := strings.LastIndexByte(value, '-')
		if n.key == "hackage" && pinned && i > 0 {
			list = append(list, declared{typ: "hackage", name: value[:i], version: value[i+1:]})
		}
		return full(list)
	})
	return list, err
}
