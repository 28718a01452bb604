package sbom

import (
	"encoding/json"
	"slices"
	"strings"
)

// spdxPackage2 is what is read of a package of SPDX 2.
type spdxPackage2 struct {
	ID           string       `json:"SPDXID"`
	Name         string       `json:"name"`
	Version      string       `json:"versionInfo"`
	Purpose      string       `json:"primaryPackagePurpose"`
	SourceInfo   string       `json:"sourceInfo"`
	Declared     string       `json:"licenseDeclared"`
	Concluded    string       `json:"licenseConcluded"`
	Description  string       `json:"description"`
	ExternalRefs []reference  `json:"externalRefs"`
	Annotations  []annotation `json:"annotations"`
	Attributions []string     `json:"attributionTexts"`
}

type reference struct {
	Type    string `json:"referenceType"`
	Locator string `json:"referenceLocator"`
}

type annotation struct {
	Comment string `json:"comment"`
}

func (d *document) spdxPackage(s *stream, at place) error {
	var p spdxPackage2
	misfit, err := s.lenient(&p)
	if err != nil {
		return err
	}
	if misfit != nil {
		return d.wrong.leave(misfit, at)
	}
	d.wrong.read++
	switch purpose := strings.ReplaceAll(p.Purpose, "_", "-"); {
	case purpose == "OPERATING-SYSTEM":
		d.system(&component{Name: p.Name, Version: p.Version, Description: p.Description, Properties: p.properties(), CPE: p.ref("cpe")})
	case p.ours()["kind"] != "": // a target of ours, which holds packages and is none
	case p.ref("purl") == "" && p.ours() == nil:
		if p.Purpose == "" || purpose == "LIBRARY" || purpose == "FRAMEWORK" {
			d.unnamed++
		}
	default:
		d.spdx(&p)
	}
	return d.full()
}

func (d *document) spdx(p *spdxPackage2) {
	f := found{purl: p.ref("purl"), name: p.Name, version: p.Version, props: propertiesOf(p.properties()),
		source: builtFrom(p.SourceInfo), path: acquiredFrom(p.SourceInfo), licenses: p.licenses()}
	if list, ok := f.props["bulwark:licenses"]; ok {
		f.licenses = nil
		if json.Unmarshal([]byte(list), &f.licenses) != nil || len(f.licenses) > maxLicenses {
			f.licenses = p.licenses()
		}
	}
	d.add(f)
}

// ref is the first external reference whose type begins so.
func (p *spdxPackage2) ref(typ string) string {
	for _, r := range p.ExternalRefs {
		if strings.HasPrefix(strings.ToLower(r.Type), typ) || strings.HasSuffix(r.Type, "/"+typ) {
			return r.Locator
		}
	}
	return ""
}

// ours are the properties that our own format keeps in an annotation.
func (p *spdxPackage2) ours() map[string]string {
	for _, a := range p.Annotations {
		rest, ok := strings.CutPrefix(a.Comment, "bulwark: {")
		if !ok {
			continue
		}
		m := map[string]string{}
		if json.Unmarshal([]byte("{"+rest), &m) == nil {
			return m
		}
	}
	return nil
}

// properties gathers ours and Trivy's, which stand in annotations and attributions as
// "LayerDiffID: sha256:...".
func (p *spdxPackage2) properties() []property {
	var list []property
	for k, v := range p.ours() {
		list = append(list, property{"bulwark:" + k, v})
	}
	add := func(s string) {
		if k, v, ok := strings.Cut(s, ": "); ok && len(k) < 40 && !strings.HasPrefix(s, "bulwark: ") {
			list = append(list, property{"aquasecurity:trivy:" + k, v})
		}
	}
	for _, a := range p.Annotations {
		add(a.Comment)
	}
	for _, a := range p.Attributions {
		add(a)
	}
	return list
}

func (p *spdxPackage2) licenses() []string {
	for _, l := range []string{p.Declared, p.Concluded} {
		if l != "" && l != "NOASSERTION" && l != "NONE" && len(l) <= maxLicense {
			return []string{l}
		}
	}
	return nil
}

// spdxElement is what is read of an element of an SPDX 3 graph.
type spdxElement struct {
	Type        typeName `json:"type"`
	AtType      typeName `json:"@type"`
	Name        string   `json:"name"`
	Version     string   `json:"software_packageVersion"`
	PURL        string   `json:"software_packageUrl"`
	Purpose     string   `json:"software_primaryPurpose"`
	Identifiers []struct {
		Type       string `json:"externalIdentifierType"`
		Identifier string `json:"identifier"`
	} `json:"externalIdentifier"`
}

// typeName is a type, or the first of several.
type typeName string

func (t *typeName) UnmarshalJSON(b []byte) error {
	var list []string
	if len(b) > 0 && b[0] == '[' {
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		*t = typeName(first(list...))
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

func (d *document) spdx3Element(s *stream, at place) error {
	var e spdxElement
	misfit, err := s.lenient(&e)
	if err != nil {
		return err
	}
	typ := first(string(e.Type), string(e.AtType))
	isPackage := slices.Contains([]string{"software_Package", "software:Package", "SoftwarePackage"}, typ)
	if misfit != nil && (isPackage || typ == "") {
		return d.wrong.leave(misfit, at)
	}
	d.wrong.read++
	if typ == "SpdxDocument" {
		d.describe(e.Name, "")
	}
	if !isPackage {
		return nil
	}
	return d.spdx3Package(&e)
}

func (d *document) spdx3Package(e *spdxElement) error {
	purl := e.PURL
	for _, id := range e.Identifiers {
		if purl == "" && (id.Type == "packageUrl" || id.Type == "packageURL" || id.Type == "purl") {
			purl = id.Identifier
		}
	}
	switch {
	case e.Purpose == "operatingSystem":
		d.system(&component{Name: e.Name, Version: e.Version})
	case purl != "":
		d.add(found{purl: purl, name: e.Name, version: e.Version})
	case e.Purpose == "" || e.Purpose == "library" || e.Purpose == "framework":
		d.unnamed++
	}
	return d.full()
}
