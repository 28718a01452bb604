// Package composer finds the PHP packages that Composer installed, by the
// vendor/composer/installed.json that it keeps.
package composer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"bulwark"
	"bulwark/extract/internal/jsonscan"
	"bulwark/extract/internal/lang"
	"bulwark/extract/internal/license"
)

const (
	maxSize     = 32 << 20
	maxPackages = 20_000
)

// Extractor finds the PHP packages that Composer installed.
type Extractor struct{}

var _ bulwark.Extractor = (*Extractor)(nil)

// New returns an extractor of what Composer installed.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/composer", Summary: "PHP packages that Composer installed.", Version: 1}
}

// Wants takes installed.json in a folder named composer; the folder above it may have any name.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	return f.Base == "installed.json" && f.Size > 0 && strings.HasSuffix("/"+f.Path, "/composer/installed.json")
}

// Extract gives the packages. Those that only development needs are marked.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	data, err := lang.ReadAll(f, maxSize)
	if err != nil {
		return bulwark.Facts{}, err
	}
	l := list{dev: map[string]bool{}}
	s := jsonscan.New(data)
	if s.Kind() == '[' { // Composer 1
		_, err = s.Array(func() error { return l.add(s) })
	} else {
		err = l.document(s)
	}
	for i := range l.packages {
		l.packages[i].Dev = l.dev[strings.ToLower(l.packages[i].Name)]
	}
	return bulwark.Facts{Packages: l.packages}, errors.Join(err, l.odd)
}

// list is what an installed.json holds.
type list struct {
	packages []bulwark.Package
	dev      map[string]bool // by name in lower case
	odd      error
}

// document reads what Composer 2 writes.
func (l *list) document(s *jsonscan.Scanner) error {
	ok, err := s.Object(func(member string) (err error) {
		switch member {
		case "packages":
			_, err = s.Array(func() error { return l.add(s) })
		case "dev-package-names":
			_, err = s.Array(func() error {
				name, _, err := s.Text()
				if len(l.dev) < maxPackages {
					l.dev[strings.ToLower(name)] = true
				}
				return err
			})
		}
		return err
	})
	if err == nil && !ok {
		return lang.Malformed("installed.json is neither a JSON object nor a list")
	}
	return err
}

// add reads one package. One without a name or with an odd one is an error, and the
// others still count.
func (l *list) add(s *jsonscan.Scanner) error {
	if len(l.packages) == maxPackages {
		return tooMany()
	}
	var name, version string
	var words []string
	_, err := s.Object(func(member string) (err error) {
		switch member {
		case "name":
			name, _, err = s.Text()
		case "version":
			version, _, err = s.Text()
		case "license":
			words, err = texts(s)
		}
		return err
	})
	if err != nil {
		return err
	}
	name, ok := lang.Name(name)
	version, fine := lang.Version(version)
	if !fine {
		version = ""
	}
	if !ok || !fine {
		l.odd = lang.Malformed("installed.json: a package with an odd name or version")
	}
	if ok {
		l.packages = append(l.packages, lang.Package("composer", name, version, "", license.List(words...)))
	}
	return nil
}

// texts reads a string or a list of strings.
func texts(s *jsonscan.Scanner) (words []string, err error) {
	if s.Kind() == '"' {
		word, _, err := s.Text()
		return []string{word}, err
	}
	_, err = s.Array(func() error {
		word, _, err := s.Text()
		if len(words) < 32 {
			words = append(words, word)
		}
		return err
	})
	return words, err
}

func tooMany() error {
	return fmt.Errorf("installed.json lists more than %d packages: %w", maxPackages, bulwark.ErrLimit)
}
