package rustbinary

import (
	"fmt"

	"bulwark"
	"bulwark/extract/internal/jsonscan"
	"bulwark/extract/internal/lang"
)

// maxCrates bounds the crates of one program.
const maxCrates = 20_000

// crate is an entry of the list.
type crate struct {
	name, version, source, kind string
}

// crates reads the list. What only built the program is left out: it is not in it.
func crates(list []byte) (bulwark.Facts, error) {
	var facts bulwark.Facts
	var bad error
	s := jsonscan.New(list)
	_, err := s.Object(func(name string) error {
		if name != "packages" {
			return nil
		}
		_, err := s.Array(func() error {
			var c crate
			if _, err := s.Object(func(name string) error { return c.member(s, name) }); err != nil {
				return err
			}
			p, ok := c.found()
			switch {
			case !ok:
				bad = lang.Malformed("crate %.100q %.100q", c.name, c.version)
			case c.kind == "build":
			case len(facts.Packages) == maxCrates:
				return fmt.Errorf("more than %d crates: %w", maxCrates, bulwark.ErrLimit)
			default:
				facts.Packages = append(facts.Packages, p)
			}
			return nil
		})
		return err
	})
	if err == nil {
		err = bad
	}
	return facts, err
}

func (c *crate) member(s *jsonscan.Scanner, name string) (err error) {
	switch name {
	case "name":
		c.name, _, err = s.Text()
	case "version":
		c.version, _, err = s.Text()
	case "source":
		c.source, _, err = s.Text()
	case "kind":
		c.kind, _, err = s.Text()
	}
	return err
}

// found makes the package. Advisories speak of what crates.io has, and of the program's
// own crates by the same names; a fork from Git or another registry is neither.
func (c *crate) found() (bulwark.Package, bool) {
	name, ok := lang.Name(c.name)
	version, okVersion := lang.Version(c.version)
	if !ok || !okVersion {
		return bulwark.Package{}, false
	}
	p := lang.Package("cargo", name, version, "", nil)
	if c.source != "crates.io" && c.source != "registry" && c.source != "local" {
		p.Ecosystem = ""
	}
	return p, true
}
