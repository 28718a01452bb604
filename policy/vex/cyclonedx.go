package vex

import (
	"cmp"
	"net/url"
	"strings"

	"bulwark"
	"bulwark/policy/internal/rule"
)

// cdx is the part of a CycloneDX document (https://cyclonedx.org) that VEX needs.
type cdx struct {
	Metadata struct {
		Timestamp string `json:"timestamp"`
		Authors   []struct {
			Name string `json:"name"`
		} `json:"authors"`
		Supplier    cdxParty      `json:"supplier"`
		Manufacture cdxParty      `json:"manufacture"`
		Component   *cdxComponent `json:"component"`
	} `json:"metadata"`
	Components      []cdxComponent     `json:"components"`
	Vulnerabilities []cdxVulnerability `json:"vulnerabilities"`
}

type cdxParty struct {
	Name string `json:"name"`
}

type cdxComponent struct {
	Ref        string         `json:"bom-ref"`
	Group      string         `json:"group"`
	Name       string         `json:"name"`
	Version    string         `json:"version"`
	PURL       string         `json:"purl"`
	Components []cdxComponent `json:"components"`
}

type cdxVulnerability struct {
	ID         string `json:"id"`
	References []struct {
		ID string `json:"id"`
	} `json:"references"`
	Updated  string `json:"updated"`
	Analysis *struct {
		State         string `json:"state"`
		Justification string `json:"justification"`
		Detail        string `json:"detail"`
		LastUpdated   string `json:"lastUpdated"`
	} `json:"analysis"`
	Affects []cdxAffect `json:"affects"`
}

type cdxAffect struct {
	Ref      string       `json:"ref"`
	Versions []cdxVersion `json:"versions"`
}

type cdxVersion struct {
	Version string `json:"version"`
	Range   string `json:"range"`
	Status  string `json:"status"` // affected where it is absent
}

// CycloneDX reads the analyses of a CycloneDX document. The states resolved,
// resolved_with_pedigree, not_affected and false_positive except. A reference is
// resolved inside the document, or read from the fragment of a BOM-Link.
func CycloneDX(name string, data []byte) ([]rule.Rule, []bulwark.Note, error) {
	var doc cdx
	if err := decode(name, "CycloneDX", data, &doc); err != nil {
		return nil, nil, err
	}
	byRef := map[string]*cdxComponent{}
	if m := doc.Metadata.Component; m != nil {
		index(byRef, []cdxComponent{*m})
	}
	index(byRef, doc.Components)
	c := collector{file: name, author: doc.author()}
	for _, v := range doc.Vulnerabilities {
		if v.Analysis == nil || v.Analysis.State == "" {
			continue // a finding, not a statement
		}
		s := statement{
			ids:    []string{v.ID},
			exempt: cdxExempts(v.Analysis.State),
			stated: when(cmp.Or(v.Analysis.LastUpdated, v.Updated, doc.Metadata.Timestamp)),
			status: v.Analysis.State,
			why:    []string{v.Analysis.Justification, v.Analysis.Detail},
		}
		for _, r := range v.References {
			s.ids = append(s.ids, r.ID)
		}
		for _, a := range v.Affects {
			if p, ok := cdxProduct(byRef, a, s.exempt); ok {
				s.products = append(s.products, p)
			}
		}
		c.add(s)
	}
	return c.rules, c.notes(), nil
}

func (d *cdx) author() string {
	if len(d.Metadata.Authors) > 0 && d.Metadata.Authors[0].Name != "" {
		return d.Metadata.Authors[0].Name
	}
	return cmp.Or(d.Metadata.Supplier.Name, d.Metadata.Manufacture.Name)
}

func cdxExempts(state string) bool {
	switch state {
	case "resolved", "resolved_with_pedigree", "not_affected", "false_positive":
		return true
	}
	return false
}

func index(byRef map[string]*cdxComponent, components []cdxComponent) {
	for i := range components {
		c := &components[i]
		if c.Ref != "" {
			byRef[c.Ref] = c
		}
		index(byRef, c.Components)
	}
}

// cdxProduct is what a reference means. Versions that are spelled out narrow it: the
// unaffected ones when the statement excepts, else the affected ones; ranges (vers:)
// need a version order that is not known here, so a product narrowed by ranges alone
// is not used.
func cdxProduct(byRef map[string]*cdxComponent, a cdxAffect, exempt bool) (rule.Product, bool) {
	ref := a.Ref
	if strings.HasPrefix(ref, "urn:cdx:") {
		_, fragment, _ := strings.Cut(ref, "#")
		if plain, err := url.PathUnescape(fragment); err == nil {
			ref = plain
		}
	}
	var p rule.Product
	p.PURLs = purlsOf(ref)
	if c := byRef[ref]; c != nil {
		p.PURLs = append(p.PURLs, purlsOf(c.PURL)...)
		if len(p.PURLs) == 0 {
			p.Name, p.Version = c.Name, c.Version
			if c.Group != "" {
				p.Name = c.Group + "/" + c.Name
			}
		}
	}
	for _, v := range a.Versions {
		if v.Version != "" && (v.Status == "unaffected") == exempt {
			p.Versions = append(p.Versions, v.Version)
		}
	}
	if len(a.Versions) > 0 && len(p.Versions) == 0 {
		return p, false
	}
	if len(p.Versions) > 0 && p.Name != "" {
		return p, false // an asset has one version at most, and it is not listed apart
	}
	if len(p.Versions) > 0 {
		for i, s := range p.PURLs {
			p.PURLs[i] = withoutVersion(s)
		}
	}
	return p, true
}

// withoutVersion takes the version off, since the list of versions says which count.
func withoutVersion(s string) string {
	end := len(s)
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		end = i
	}
	at := strings.LastIndexByte(s[:end], '@')
	if at < strings.LastIndexByte(s[:end], '/') || at < 0 {
		return s
	}
	return s[:at] + s[end:]
}
