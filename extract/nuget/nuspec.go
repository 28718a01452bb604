package nuget

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"bulwark"
	"bulwark/extract/internal/lang"
	"bulwark/extract/internal/license"
	"bulwark/internal/limit"
)

// maxTokens bounds what is read of a *.nuspec: its metadata comes first.
const maxTokens = 10_000

// nuspec is what the metadata of a *.nuspec says.
type nuspec struct {
	id, version, license, licenseURL string
}

// extractSpec gives the package of a *.nuspec; the folders that it lies in tell what it
// does not.
func extractSpec(f *bulwark.File) (bulwark.Facts, error) {
	n, err := parseSpec(limit.Reader(f.Reader(), maxSpec, "nuspec"))
	name, ok := lang.Name(n.id)
	if !ok {
		err = errors.Join(err, lang.Malformed("nuspec: odd id"))
		name, _ = lang.Name(strings.TrimSuffix(f.Base, ".nuspec"))
	}
	version, ok := lang.Version(n.version)
	if !ok || version == "" {
		err = errors.Join(err, lang.Malformed("nuspec: odd version"))
		version, _ = lang.Version(path.Base(path.Dir(f.Path)))
	}
	if name == "" {
		return bulwark.Facts{}, err
	}
	words := n.license
	if words == "" && license.Known(n.licenseURL) {
		words = n.licenseURL
	}
	p := lang.Package("nuget", name, version, "", license.List(words))
	return bulwark.Facts{Packages: []bulwark.Package{p}}, err
}

// parseSpec reads the elements of <package><metadata>.
func parseSpec(r io.Reader) (n nuspec, err error) {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var depth int
	var to *string
	for range maxTokens {
		token, err := d.RawToken()
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, named(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			to = n.field(token, depth)
		case xml.CharData:
			if to != nil && len(*to)+len(token) <= 1024 {
				*to += string(token)
			}
		case xml.EndElement:
			depth--
			to = nil
			if token.Name.Local == "metadata" {
				return n, nil
			}
		}
	}
	return n, fmt.Errorf("nuspec with more than %d tokens: %w", maxTokens, bulwark.ErrLimit)
}

func named(err error) error {
	if errors.Is(err, bulwark.ErrLimit) {
		return err
	}
	return fmt.Errorf("nuspec: %w: %w", bulwark.ErrMalformed, err)
}

// field is where an element's text goes; nil when it is of no interest.
func (n *nuspec) field(e xml.StartElement, depth int) *string {
	if depth != 3 {
		return nil
	}
	switch e.Name.Local {
	case "id":
		return &n.id
	case "version":
		return &n.version
	case "licenseUrl":
		return &n.licenseURL
	case "license":
		for _, a := range e.Attr {
			if a.Name.Local == "type" && a.Value == "file" {
				return nil
			}
		}
		return &n.license
	}
	return nil
}
