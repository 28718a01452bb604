package lockfile

import (
	"context"
	"fmt"
	"strings"

	"bulwark"
	"bulwark/extract/internal/jsonscan"
	"bulwark/extract/internal/lang"
)

// document reads the members of a JSON object that have a reader; a member of another
// type than the reader wants is an error.
func document(content []byte, members map[string]func(*jsonscan.Scanner) (bool, error)) error {
	s := jsonscan.New(content)
	ok, err := s.Object(func(name string) error {
		read := members[name]
		if read == nil {
			return nil
		}
		ok, err := read(s)
		if err == nil && !ok {
			return lang.Malformed("%s is of another type", name)
		}
		return err
	})
	if err == nil && !ok {
		return lang.Malformed("not a JSON object")
	}
	return err
}

// entry is what lockfiles tell of a package.
type entry struct {
	name, version string
	license       []string
	dev, link     bool
}

// object reads an entry; nested is called at its member "dependencies".
func (e *entry) object(s *jsonscan.Scanner, nested func() error) (bool, error) {
	return s.Object(func(name string) (err error) {
		switch name {
		case "name":
			e.name, err = text(s, name)
		case "version":
			e.version, err = text(s, name)
		case "dev":
			e.dev = s.Kind() == 't'
		case "link":
			e.link = s.Kind() == 't'
		case "license":
			err = e.licenses(s)
		case "dependencies":
			err = nested()
		}
		return err
	})
}

// text reads a text that may be null.
func text(s *jsonscan.Scanner, name string) (string, error) {
	null := s.Kind() == 'n'
	text, ok, err := s.Text()
	if err == nil && !ok && !null {
		return "", lang.Malformed("%s of a package is no text", name)
	}
	return text, err
}

// licenses reads a text or a list of texts.
func (e *entry) licenses(s *jsonscan.Scanner) error {
	add := func() error {
		text, ok, err := s.Text()
		if text, good := lang.Name(text); ok && good {
			e.license = append(e.license, text)
		}
		return err
	}
	if s.Kind() != '[' {
		return add()
	}
	_, err := s.Array(add)
	return err
}

func nothing() error { return nil }

// full is the error when a file declares more than is kept.
func full(list []declared) error {
	if len(list) < maxDeclared {
		return nil
	}
	return fmt.Errorf("more than %d packages: %w", maxDeclared, bulwark.ErrLimit)
}

// packageLock reads npm's lockfile. From layout 2 on "packages" is flat and keyed by
// folder; before, "dependencies" nests, as it does in layout 2 for old readers.
func packageLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var flat, nested []declared
	err := document(content, map[string]func(*jsonscan.Scanner) (bool, error){
		"packages": func(s *jsonscan.Scanner) (bool, error) {
			return s.Object(func(folder string) error {
				var e entry
				if ok, err := e.object(s, nothing); err != nil || !ok {
					return orMalformed(err, folder)
				}
				i := strings.LastIndex(folder, "node_modules/")
				if i < 0 || e.link { // the project itself and its workspaces
					return nil
				}
				if e.name == "" {
					e.name = folder[i+len("node_modules/"):]
				}
				flat = append(flat, npm(e))
				return full(flat)
			})
		},
		"dependencies": func(s *jsonscan.Scanner) (bool, error) { return npmNested(s, &nested) },
	})
	if len(flat) > 0 {
		return flat, err
	}
	return nested, err
}

// npmNested collects layout 1. The scanner bounds the depth.
func npmNested(s *jsonscan.Scanner, list *[]declared) (bool, error) {
	return s.Object(func(name string) error {
		e := entry{}
		ok, err := e.object(s, func() error {
			ok, err := npmNested(s, list)
			if err == nil && !ok {
				return orMalformed(nil, name)
			}
			return err
		})
		if err != nil || !ok {
			return orMalformed(err, name)
		}
		e.name = name
		*list = append(*list, npm(e))
		return full(*list)
	})
}

// orMalformed is err, or the error for an entry of another type.
func orMalformed(err error, name string) error {
	if err != nil {
		return err
	}
	return lang.Malformed("the entry of %.100q is of another type", name)
}

// npm takes the place of an alias ("npm:real@1.0.0"), and drops what stands where a
// version belongs and is none: an address, a folder, a commit.
func npm(e entry) declared {
	if alias, ok := strings.CutPrefix(e.version, "npm:"); ok {
		if i := strings.LastIndexByte(alias, '@'); i > 0 {
			e.name, e.version = alias[:i], alias[i+1:]
		}
	}
	if strings.ContainsAny(e.version, ":/#") {
		e.version = ""
	}
	return declared{typ: "npm", name: e.name, version: e.version, dev: e.dev, licenses: e.license}
}

// bunLock reads bun's textual lockfile: JSON with trailing commas, whose packages are
// lists that start with "name@version".
func bunLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	err := document(content, map[string]func(*jsonscan.Scanner) (bool, error){
		"packages": func(s *jsonscan.Scanner) (bool, error) {
			return s.Object(func(key string) error {
				first := true
				ok, err := s.Array(func() error {
					if !first {
						return nil
					}
					first = false
					id, ok, err := s.Text()
					if err != nil || !ok {
						return orMalformed(err, key)
					}
					name, version := bunID(id)
					if name == "" {
						return orMalformed(nil, key)
					}
					if !strings.HasPrefix(version, "workspace:") {
						list = append(list, npm(entry{name: name, version: version}))
					}
					return nil
				})
				if err != nil || !ok || first {
					return orMalformed(err, key)
				}
				return full(list)
			})
		},
	})
	return list, err
}

// bunID divides "@scope/name@version"; the version may be an address with "@" in it.
func bunID(id string) (name, version string) {
	if id == "" {
		return "", ""
	}
	i := strings.IndexByte(id[1:], '@') + 1
	if i == 0 {
		return "", ""
	}
	return id[:i], id[i+1:]
}

// composerLock reads Composer's lockfile.
func composerLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	packages := func(dev bool) func(*jsonscan.Scanner) (bool, error) {
		return func(s *jsonscan.Scanner) (bool, error) {
			return s.Array(func() error {
				var e entry
				if ok, err := e.object(s, nothing); err != nil || !ok {
					return orMalformed(err, "packages")
				}
				list = append(list, declared{typ: "composer", name: e.name, version: e.version, dev: dev, licenses: e.license})
				return full(list)
			})
		}
	}
	err := document(content, map[string]func(*jsonscan.Scanner) (bool, error){
		"packages": packages(false), "packages-dev": packages(true),
	})
	return list, err
}

// pipfileLock reads Pipenv's lockfile.
func pipfileLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var list []declared
	group := func(dev bool) func(*jsonscan.Scanner) (bool, error) {
		return func(s *jsonscan.Scanner) (bool, error) {
			return s.Object(func(name string) error {
				var e entry
				if ok, err := e.object(s, nothing); err != nil || !ok {
					return orMalformed(err, name)
				}
				list = append(list, declared{typ: "pypi", name: name, version: pinned(e.version), dev: dev})
				return full(list)
			})
		}
	}
	err := document(content, map[string]func(*jsonscan.Scanner) (bool, error){
		"default": group(false), "develop": group(true),
	})
	return list, err
}
