// Package spdx writes the inventory of a run as SPDX 2.3 in JSON. What the format has
// no field for stands in an annotation; reading the document as a target gives the
// same packages again.
package spdx

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/licence"
	"bulwark/report/internal/text"
	"bulwark/report/internal/whole"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "spdx", Summary: "SPDX 2.3 bill of materials.", Extension: ".spdx.json", Inventory: true, New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error { return whole.JSON(w, build(r, o)) })
}

type document struct {
	SPDXVersion   string         `json:"spdxVersion"`
	DataLicense   string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      creation       `json:"creationInfo"`
	Describes     []string       `json:"documentDescribes"`
	Packages      []pkg          `json:"packages"`
	Licenses      []extracted    `json:"hasExtractedLicensingInfos,omitempty"`
	Relationships []relationship `json:"relationships"`
}

type creation struct {
	Created            string   `json:"created"`
	Creators           []string `json:"creators"`
	LicenseListVersion string   `json:"licenseListVersion"`
}

type pkg struct {
	ID           string       `json:"SPDXID"`
	Name         string       `json:"name"`
	Version      string       `json:"versionInfo,omitempty"`
	Description  string       `json:"description,omitempty"`
	Purpose      string       `json:"primaryPackagePurpose,omitempty"`
	Download     string       `json:"downloadLocation"`
	Analyzed     bool         `json:"filesAnalyzed"`
	SourceInfo   string       `json:"sourceInfo,omitempty"`
	Concluded    string       `json:"licenseConcluded"`
	Declared     string       `json:"licenseDeclared"`
	Copyright    string       `json:"copyrightText"`
	ExternalRefs []reference  `json:"externalRefs,omitempty"`
	Annotations  []annotation `json:"annotations,omitempty"`
}

type reference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type annotation struct {
	Date      string `json:"annotationDate"`
	Type      string `json:"annotationType"`
	Annotator string `json:"annotator"`
	Comment   string `json:"comment"`
}

type extracted struct {
	ID   string `json:"licenseId"`
	Text string `json:"extractedText"`
	Name string `json:"name"`
}

type relationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const (
	self    = "SPDXRef-DOCUMENT"
	unknown = "NOASSERTION"
)

type builder struct {
	doc      *document
	created  string
	tool     string
	assets   map[bulwark.AssetID]string // element ids
	licenses map[string]bool            // LicenseRefs that the document has
}

func build(r *bulwark.Report, o report.Options) *document {
	now := whole.Now(o, &r.Run)
	b := builder{created: now.Format(time.RFC3339), tool: "Tool: bulwark-" + whole.Version(r), assets: map[bulwark.AssetID]string{}, licenses: map[string]bool{}}
	b.doc = &document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", ID: self, Name: text.Clean(whole.Name(r)),
		Namespace: "urn:uuid:" + whole.UUID("spdx", r, now),
		Creation:  creation{Created: b.created, Creators: []string{b.tool}, LicenseListVersion: "3.17"},
		Describes: []string{}, Packages: []pkg{}, Relationships: []relationship{},
	}
	for i := range r.Assets {
		if r.Assets[i].Kind != "layer" {
			b.asset(&r.Assets[i])
		}
	}
	for i := range r.Packages {
		b.pkg(&r.Packages[i], i)
	}
	return b.doc
}

func (b *builder) relate(from, typ, to string) {
	b.doc.Relationships = append(b.doc.Relationships, relationship{from, typ, to})
}

func (b *builder) asset(a *bulwark.Asset) {
	if b.assets[a.ID] != "" {
		return
	}
	id := "SPDXRef-Asset-" + strconv.Itoa(len(b.assets)+1)
	b.assets[a.ID] = id
	p := b.element(id, cmp.Or(text.Clean(a.Name), string(a.ID)), "")
	p.Purpose = purpose(a.Kind)
	b.annotate(&p, map[string]string{"asset": string(a.ID), "kind": a.Kind, "base": a.Labels["base"]})
	b.doc.Packages = append(b.doc.Packages, p)
	b.doc.Describes = append(b.doc.Describes, id)
	b.relate(self, "DESCRIBES", id)
	if a.Release != nil {
		b.system(id, a.Release)
	}
}

func purpose(kind string) string {
	switch kind {
	case "image":
		return "CONTAINER"
	case "sbom":
		return "FILE"
	}
	return "APPLICATION"
}

func (b *builder) system(asset string, r *bulwark.Release) {
	id := strings.Replace(asset, "Asset", "OperatingSystem", 1)
	p := b.element(id, cmp.Or(text.Clean(r.ID), "unknown"), r.VersionID)
	p.Description, p.Purpose = r.Name, "OPERATING-SYSTEM"
	if typ := cpeType(r.CPE); typ != "" {
		p.ExternalRefs = []reference{{"SECURITY", typ, r.CPE}}
	}
	b.annotate(&p, map[string]string{"release:idLike": r.IDLike, "release:codename": r.Codename, "release:point": r.Point})
	b.doc.Packages = append(b.doc.Packages, p)
	b.relate(asset, "CONTAINS", id)
}

func cpeType(cpe string) string {
	switch {
	case strings.HasPrefix(cpe, "cpe:2.3:"):
		return "cpe23Type"
	case strings.HasPrefix(cpe, "cpe:/"):
		return "cpe22Type"
	}
	return ""
}

func (b *builder) element(id, name, version string) pkg {
	return pkg{ID: id, Name: name, Version: version, Download: unknown, Concluded: unknown, Declared: unknown, Copyright: unknown}
}

func (b *builder) pkg(k *bulwark.Package, i int) {
	p := b.element("SPDXRef-Package-"+strconv.Itoa(i+1), cmp.Or(k.Name, "unknown"), k.Version)
	p.Declared = b.license(k.Licenses)
	if k.PURL != "" {
		p.ExternalRefs = []reference{{"PACKAGE-MANAGER", "purl", k.PURL}}
	}
	props := map[string]string{"path": k.Path, "layer": k.Layer, "ecosystem": cmp.Or(k.Ecosystem, "-"), "ownedBy": k.OwnedBy, "format": k.Format, "arch": k.Arch,
		"fromBase": flag(k.FromBase), "declared": flag(k.Declared), "dev": flag(k.Dev)}
	if k.Source != nil {
		p.SourceInfo = "built package from: " + text.Clean(k.Source.Name+" "+k.Source.Version)
		props["source"], props["source:version"] = k.Source.Name, k.Source.Version
	}
	if len(k.Licenses) > 0 {
		list, _ := json.Marshal(k.Licenses) // strings always marshal
		props["licenses"] = string(list)
	}
	b.annotate(&p, props)
	b.doc.Packages = append(b.doc.Packages, p)
	if asset := b.assets[k.Asset]; asset != "" {
		b.relate(asset, "CONTAINS", p.ID)
		return
	}
	b.relate(self, "DESCRIBES", p.ID)
}

func flag(set bool) string {
	if set {
		return "true"
	}
	return ""
}

// annotate keeps what the format has no field for.
func (b *builder) annotate(p *pkg, props map[string]string) {
	for k, v := range props {
		if v == "" {
			delete(props, k)
		}
	}
	if len(props) == 0 {
		return
	}
	comment, _ := json.Marshal(props) // strings always marshal, in the order of their keys
	p.Annotations = []annotation{{Date: b.created, Type: "OTHER", Annotator: b.tool, Comment: "bulwark: " + string(comment)}}
}

// license joins licences into one expression. What SPDX does not know becomes a
// reference to the words as they were.
func (b *builder) license(list []string) string {
	var terms []string
	for _, l := range list {
		switch {
		case l == "":
		case licence.IsID(l):
			terms = append(terms, l)
		case licence.IsExpression(l):
			terms = append(terms, "("+l+")")
		default:
			terms = append(terms, b.extracted(l))
		}
	}
	switch len(terms) {
	case 0:
		return unknown
	case 1:
		return strings.TrimSuffix(strings.TrimPrefix(terms[0], "("), ")")
	}
	return strings.Join(terms, " AND ")
}

func (b *builder) extracted(words string) string {
	sum := sha256.Sum256([]byte(words))
	id := fmt.Sprintf("LicenseRef-bulwark-%x", sum[:8])
	if !b.licenses[id] {
		b.licenses[id] = true
		b.doc.Licenses = append(b.doc.Licenses, extracted{ID: id, Text: words, Name: text.Cut(text.Clean(words), 80)})
	}
	return id
}
