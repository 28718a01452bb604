package vex

import (
	"cmp"
	"encoding/json"
	"strings"

	"bulwark"
	"bulwark/policy/internal/rule"
)

// openVEX is the part of an OpenVEX document (https://github.com/openvex/spec) that is
// used; the forms of 0.0.x and 0.2.x are both read.
type openVEX struct {
	Author      string          `json:"author"`
	Timestamp   string          `json:"timestamp"`
	LastUpdated string          `json:"last_updated"`
	Statements  []openStatement `json:"statements"`
}

type openStatement struct {
	Vulnerability   openVulnerability `json:"vulnerability"`
	Products        []openComponent   `json:"products"`
	Subcomponents   []openComponent   `json:"subcomponents"` // 0.0.x
	Status          string            `json:"status"`
	Justification   string            `json:"justification"`
	ImpactStatement string            `json:"impact_statement"`
	StatusNotes     string            `json:"status_notes"`
	Timestamp       string            `json:"timestamp"`
	LastUpdated     string            `json:"last_updated"`
}

// openVulnerability is an object, or in 0.0.x its name alone.
type openVulnerability struct {
	ID      string   `json:"@id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

func (v *openVulnerability) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &v.Name)
	}
	type plain openVulnerability
	return json.Unmarshal(b, (*plain)(v))
}

// openComponent is a product or subcomponent: an object, or in 0.0.x its id alone.
type openComponent struct {
	ID            string            `json:"@id"`
	Identifiers   map[string]string `json:"identifiers"`
	Hashes        map[string]string `json:"hashes"`
	Subcomponents []openComponent   `json:"subcomponents"`
}

func (c *openComponent) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &c.ID)
	}
	type plain openComponent
	return json.Unmarshal(b, (*plain)(c))
}

// OpenVEX reads an OpenVEX document. Statements with the status not_affected or fixed
// except; later statements on the same product beat earlier ones.
func OpenVEX(name string, data []byte) ([]rule.Rule, []bulwark.Note, error) {
	var doc openVEX
	if err := decode(name, "OpenVEX", data, &doc); err != nil {
		return nil, nil, err
	}
	c := collector{file: name, author: doc.Author}
	for _, s := range doc.Statements {
		c.add(statement{
			ids:      append([]string{s.Vulnerability.Name, idOfIRI(s.Vulnerability.ID)}, s.Vulnerability.Aliases...),
			products: openProducts(s),
			exempt:   s.Status == "not_affected" || s.Status == "fixed",
			stated:   when(cmp.Or(s.LastUpdated, s.Timestamp, doc.LastUpdated, doc.Timestamp)),
			status:   s.Status,
			why:      []string{s.Justification, s.ImpactStatement, s.StatusNotes},
		})
	}
	return c.rules, c.notes(), nil
}

// idOfIRI is the last element of an address such as
// https://nvd.nist.gov/vuln/detail/CVE-2023-12345.
func idOfIRI(iri string) string {
	return iri[strings.LastIndexByte(iri, '/')+1:]
}

func openProducts(s openStatement) []rule.Product {
	out := make([]rule.Product, 0, len(s.Products))
	for _, p := range s.Products {
		product := rule.Product{PURLs: p.purls()}
		for algorithm, sum := range p.Hashes {
			if algorithm == "sha-256" {
				product.Digests = append(product.Digests, "sha256:"+strings.ToLower(sum))
			}
		}
		if len(product.PURLs) == 0 && len(product.Digests) == 0 {
			product.Name = p.ID
		}
		for _, sub := range append(p.Subcomponents, s.Subcomponents...) {
			product.Parts = append(product.Parts, sub.purls()...)
		}
		if len(p.Subcomponents)+len(s.Subcomponents) > 0 && len(product.Parts) == 0 {
			continue // its parts cannot be recognised, and the whole is not meant
		}
		out = append(out, product)
	}
	return out
}

func (c *openComponent) purls() []string {
	return purlsOf(c.ID, c.Identifiers["purl"])
}
