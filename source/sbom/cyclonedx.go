package sbom

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/purl"
)

// component is what is read of a CycloneDX component.
type component struct {
	Type        string      `json:"type" xml:"type,attr"`
	Group       string      `json:"group" xml:"group"`
	Name        string      `json:"name" xml:"name"`
	Version     string      `json:"version" xml:"version"`
	Description string      `json:"description" xml:"description"`
	Scope       string      `json:"scope" xml:"scope"`
	PURL        string      `json:"purl" xml:"purl"`
	CPE         string      `json:"cpe" xml:"cpe"`
	Licenses    []choice    `json:"licenses" xml:"-"`
	XMLLicenses xmlLicenses `json:"-" xml:"licenses"`
	Properties  []property  `json:"properties" xml:"properties>property"`
	Components  []component `json:"components" xml:"components>component"`
}

type choice struct {
	License    license `json:"license"`
	Expression string  `json:"expression"`
}

type license struct {
	ID   string `json:"id" xml:"id"`
	Name string `json:"name" xml:"name"`
}

type xmlLicenses struct {
	License    []license `xml:"license"`
	Expression []string  `xml:"expression"`
}

type property struct {
	Name  string `json:"name" xml:"name,attr"`
	Value string `json:"value" xml:",chardata"`
}

// metadata says what the document is about.
func (d *document) metadata(s *stream) error {
	var m struct {
		Component *component `json:"component"`
	}
	misfit, err := s.lenient(&m)
	switch {
	case err != nil:
		return err
	case misfit != nil && !strings.HasPrefix(misfit.Field, "component."):
		return misfit
	case misfit != nil:
		d.wrong.add(misfit, "metadata cannot be read whole")
	}
	return d.subject(m.Component)
}

// subject takes the component that the document describes, and what is nested in it.
func (d *document) subject(c *component) error {
	if c == nil {
		return nil
	}
	d.describe(c.Name, c.Version)
	if c.Type == "operating-system" {
		d.system(c)
	}
	d.about = c
	return d.nested(c)
}

// addSubject takes what the document describes as a package, if it can be one that
// advisories know and is not among the components.
func (d *document) addSubject() {
	c := d.about
	if c == nil || !slices.Contains([]string{"application", "container", "framework", "library"}, c.Type) {
		return
	}
	u, err := purl.Parse(c.PURL)
	if err != nil || u.Version == "" || slices.Contains([]string{"docker", "generic", "oci"}, u.Type) {
		return
	}
	if !slices.ContainsFunc(d.packages, func(p bulwark.Package) bool { return p.PURL == c.PURL }) {
		d.cyclone(c)
	}
}

func (d *document) cycloneComponent(s *stream, at place) error {
	var c component
	misfit, err := s.lenient(&c)
	switch {
	case err != nil:
		return err
	case misfit == nil:
		d.wrong.read++
	case strings.HasPrefix(misfit.Field, "components."):
		d.wrong.read++
		d.wrong.add(misfit, at.String()+" cannot be read whole")
	default: // what is nested in it may be right
		d.wrong.add(misfit, at.String()+" is left out")
		return cmp.Or(d.wrong.full(), d.nested(&c))
	}
	return cmp.Or(d.wrong.full(), d.component(&c))
}

func (d *document) component(c *component) error {
	switch c.Type {
	case "operating-system":
		d.system(c)
	case "file", "data", "device", "device-driver", "firmware", "machine-learning-model", "cryptographic-asset", "platform":
		if c.PURL != "" {
			d.cyclone(c)
		}
	default:
		d.cyclone(c)
	}
	if err := d.full(); err != nil {
		return err
	}
	return d.nested(c)
}

func (d *document) nested(c *component) error {
	for i := range c.Components {
		if err := d.component(&c.Components[i]); err != nil {
			return err
		}
	}
	return nil
}

// cyclone takes a component as a package.
func (d *document) cyclone(c *component) {
	props := propertiesOf(c.Properties)
	if c.PURL == "" && props["bulwark:ecosystem"] == "" {
		// Trivy describes a lockfile, and bulwark one of several targets, as an
		// application that holds packages and is none.
		if props["aquasecurity:trivy:Class"] == "" && props["bulwark:kind"] == "" {
			d.unnamed++
		}
		return
	}
	d.add(found{purl: c.PURL, group: c.Group, name: c.Name, version: c.Version, licenses: c.licenses(), props: props, dev: c.Scope == "excluded"})
}

// What a list of licences may hold.
const (
	maxLicenses = 100
	maxLicense  = 1000
)

func (c *component) licenses() []string {
	var list []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" && len(s) <= maxLicense && len(list) < maxLicenses {
			list = append(list, s)
		}
	}
	for _, l := range c.Licenses {
		add(first(l.License.ID, l.License.Name, l.Expression))
	}
	for _, l := range c.XMLLicenses.License {
		add(first(l.ID, l.Name))
	}
	for _, e := range c.XMLLicenses.Expression {
		add(e)
	}
	return list
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func propertiesOf(list []property) map[string]string {
	m := make(map[string]string, len(list))
	for _, p := range list {
		if _, ok := m[p.Name]; !ok {
			m[p.Name] = p.Value
		}
	}
	return m
}

// xml reads a CycloneDX document in XML. The decoder knows no entities but XML's own,
// and reads nothing but r.
func (d *document) xml(r io.Reader) error {
	win := &window{r: r, left: maxElement}
	dec := xml.NewDecoder(win)
	var path []string
	for {
		win.left = maxElement
		t, err := dec.Token()
		if err == io.EOF && len(path) == 0 {
			return fmt.Errorf("no element: %w", bulwark.ErrMalformed)
		}
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if len(path) == 0 && !strings.HasPrefix(e.Name.Space, "http://cyclonedx.org/schema/bom/1.") {
				return fmt.Errorf("XML of %.60q: %w", e.Name.Space, bulwark.ErrUnsupported)
			}
			taken, err := d.element(dec, path, &e)
			if err != nil {
				return err
			}
			if !taken {
				path = append(path, e.Name.Local)
			}
			if len(path) > maxDepth {
				return fmt.Errorf("elements %d deep: %w", maxDepth, bulwark.ErrLimit)
			}
		case xml.EndElement:
			if path = path[:len(path)-1]; len(path) == 0 {
				return end(dec)
			}
		}
	}
}

const maxDepth = 100

// end makes sure that nothing but comments and blanks follow the document.
func end(dec *xml.Decoder) error {
	for {
		t, err := dec.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := t.(xml.StartElement); ok {
			return fmt.Errorf("more follows the document: %w", bulwark.ErrMalformed)
		}
	}
}

// element takes a component, with all that is in it, where it stands in its place.
func (d *document) element(dec *xml.Decoder, path []string, e *xml.StartElement) (bool, error) {
	if e.Name.Local != "component" {
		return false, nil
	}
	where := strings.Join(path, "/")
	if where != "bom/components" && where != "bom/metadata" {
		return false, nil
	}
	var c component
	if err := dec.DecodeElement(&c, e); err != nil {
		return true, err
	}
	if where == "bom/metadata" {
		return true, d.subject(&c)
	}
	return true, d.component(&c)
}
