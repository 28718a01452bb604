// Package python finds installed Python distributions: wheels (*.dist-info), eggs as
// folders, files and zip archives (*.egg-info, EGG-INFO, *.egg), and Conda packages
// (conda-meta/*.json).
package python

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"bulwark"
	"bulwark/extract/internal/jsonscan"
	"bulwark/extract/internal/lang"
	"bulwark/extract/internal/license"
	"bulwark/extract/internal/unzip"
)

const (
	maxHeader = 1 << 20  // header of a METADATA; the long description behind it is not read
	maxConda  = 32 << 20 // a Conda package lists all its files
)

// Extractor finds installed Python distributions.
type Extractor struct{}

var _ bulwark.Extractor = (*Extractor)(nil)

// New returns an extractor of installed Python distributions.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/python", Summary: "Installed Python distributions: wheels, eggs, Conda packages; digests of their files.", Version: 2}
}

// Wants takes the one file of each distribution that names it, and its list of files.
func (*Extractor) Wants(f *bulwark.FileInfo) bool { return f.Size > 0 && kindOf(f) != none }

type kind int

const (
	none   kind = iota
	header      // METADATA, PKG-INFO
	egg         // a zip archive that holds EGG-INFO/PKG-INFO
	conda       // conda-meta/<name>.json
	record      // RECORD beside METADATA
)

func kindOf(f *bulwark.FileInfo) kind {
	switch {
	case f.Base == "METADATA" && strings.HasSuffix(f.Path, ".dist-info/METADATA"),
		f.Base == "PKG-INFO" && (strings.HasSuffix(f.Path, ".egg-info/PKG-INFO") || strings.HasSuffix(f.Path, "EGG-INFO/PKG-INFO")),
		strings.HasSuffix(f.Base, ".egg-info"):
		return header
	case f.Base == "RECORD" && strings.HasSuffix(f.Path, ".dist-info/RECORD"):
		return record
	case strings.HasSuffix(f.Base, ".egg"):
		return egg
	case strings.HasSuffix(f.Base, ".json") && strings.HasSuffix(strings.TrimSuffix(f.Path, f.Base), "conda-meta/"):
		return conda
	}
	return none
}

// Extract gives the distribution. What the metadata does not tell, the name of its
// folder does.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	var m metadata
	var err error
	format := "pypi"
	switch kindOf(&f.FileInfo) {
	case record:
		return recorded(f)
	case header:
		m, err = readHeader(f)
	case egg:
		m, err = readEgg(f)
	case conda:
		format = "conda"
		m, err = readConda(f)
	}
	if format == "pypi" {
		name, version := folderName(f.Path)
		m.name, m.version = cmp.Or(m.name, name), cmp.Or(m.version, version)
	}
	if m.name == "" {
		return bulwark.Facts{}, errors.Join(err, lang.Malformed("Python metadata without a name"))
	}
	p := lang.Package(format, m.name, m.version, "", m.licenses())
	if format == "pypi" {
		p.PURL = lang.Package(format, normal(m.name), m.version, "", nil).PURL
	}
	return bulwark.Facts{Packages: []bulwark.Package{p}}, err
}

func readHeader(f *bulwark.File) (metadata, error) {
	data, err := lang.Head(f, maxHeader)
	if err != nil {
		return metadata{}, err
	}
	return parse(data)
}

// readEgg reads the metadata in a zipped egg.
func readEgg(f *bulwark.File) (m metadata, err error) {
	budget := unzip.Budget{Entries: 100_000, Bytes: 16 << 20}
	a, err := unzip.Open(f, f.Size, &budget)
	if err != nil {
		return m, err
	}
	found := false
	err = a.Each(func(e *unzip.Entry) error {
		if string(e.Name) != "EGG-INFO/PKG-INFO" || found {
			return nil
		}
		found = true
		data, err := a.Read(e, maxHeader)
		if err == nil {
			m, err = parse(data)
		}
		return err
	})
	if err == nil && !found {
		err = lang.Malformed("an egg without EGG-INFO/PKG-INFO")
	}
	return m, err
}

// readConda reads the record of an installed Conda package.
func readConda(f *bulwark.File) (m metadata, err error) {
	data, err := lang.ReadAll(f, maxConda)
	if err != nil {
		return m, err
	}
	s := jsonscan.New(data)
	_, err = s.Object(func(member string) (err error) {
		var text string
		switch member {
		case "name", "version", "license":
			text, _, err = s.Text()
		}
		switch member {
		case "name":
			m.name, _ = lang.Name(text)
		case "version":
			m.version, _ = lang.Version(text)
		case "license":
			m.license = text
		}
		return err
	})
	return m, err
}

// folderName reads name and version from "numpy-1.24.2.egg-info/PKG-INFO" or
// "PyYAML-6.0-py3.11.egg".
func folderName(path string) (name, version string) {
	parts := strings.Split(path, "/")
	for i := len(parts) - 1; i >= 0 && i >= len(parts)-3; i-- {
		for _, ext := range []string{".dist-info", ".egg-info", ".egg"} {
			stem, ok := strings.CutSuffix(parts[i], ext)
			if !ok {
				continue
			}
			fields := strings.Split(stem, "-")
			n, ok := lang.Name(fields[0])
			if len(fields) < 2 || !ok {
				return n, ""
			}
			v, _ := lang.Version(fields[1])
			return n, v
		}
	}
	return "", ""
}

// normal is the name as PyPI compares it (PEP 503): lower case, and every run of "-",
// "_" and "." one "-".
func normal(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '-' || c == '_' || c == '.':
			if i == 0 || !strings.ContainsRune("-_.", rune(name[i-1])) {
				b.WriteByte('-')
			}
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// licenses prefers the expression, then words that mean an SPDX licence, then the
// classifiers, then whatever words there are.
func (m metadata) licenses() []string {
	switch {
	case m.expression != "":
		return license.List(m.expression)
	case license.Known(m.license):
		return license.List(m.license)
	case len(m.classifiers) > 0:
		return license.List(m.classifiers...)
	}
	return license.List(m.license)
}
