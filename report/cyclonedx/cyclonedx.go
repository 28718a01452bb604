// Package cyclonedx writes a run as a CycloneDX 1.6 bill of materials with
// vulnerabilities. What the format has no field for stands in properties that begin
// with "bulwark:"; reading the document as a target gives the same packages again.
package cyclonedx

import (
	"bytes"
	"cmp"
	"io"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/licence"
	"bulwark/report/internal/text"
	"bulwark/report/internal/whole"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "cyclonedx", Summary: "CycloneDX 1.6 bill of materials with vulnerabilities.", Extension: ".cdx.json", Inventory: true, New: New}
}

// New returns a handler that writes the run when it has its summary.
func New(w io.Writer, o report.Options) bulwark.Handler {
	return whole.Run(func(r *bulwark.Report) error {
		var buf bytes.Buffer
		enc := cdx.NewBOMEncoder(&buf, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
		if err := enc.EncodeVersion(document(r, o), cdx.SpecVersion1_6); err != nil {
			return err
		}
		_, err := w.Write(text.JSON(buf.Bytes()))
		return err
	})
}

func document(r *bulwark.Report, o report.Options) *cdx.BOM {
	now := whole.Now(o, &r.Run)
	b := builder{run: r, refs: map[string]int{}, subjects: map[subject][]string{}}
	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + whole.UUID("cyclonedx", r, now)
	bom.Metadata = &cdx.Metadata{
		Timestamp: now.Format(time.RFC3339),
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "bulwark", Version: whole.Version(r)}}},
	}
	components := b.assets(bom.Metadata)
	for i := range r.Packages {
		components = append(components, b.component(&r.Packages[i]))
	}
	bom.Components = &components
	if v := b.vulnerabilities(o); len(v) > 0 {
		bom.Vulnerabilities = &v
	}
	return bom
}

// subject is what a finding names.
type subject struct {
	asset bulwark.AssetID
	purl  string
}

type builder struct {
	run      *bulwark.Report
	refs     map[string]int       // how often each was asked for
	subjects map[subject][]string // references to components
	many     bool                 // more than one asset, so each component names its own
}

// ref makes a reference of s that no other element has.
func (b *builder) ref(s string) string {
	s = cmp.Or(s, "component")
	b.refs[s]++
	ref := s
	for b.refs[s] > 1 {
		ref = s + "#" + strconv.Itoa(b.refs[s])
		if b.refs[ref] == 0 {
			b.refs[ref] = 1
			break
		}
		b.refs[s]++
	}
	return ref
}

// assets makes the one asset the document's subject, or several of them components,
// and adds their operating systems.
func (b *builder) assets(m *cdx.Metadata) []cdx.Component {
	var targets []*bulwark.Asset
	for i := range b.run.Assets {
		if a := &b.run.Assets[i]; a.Kind != "layer" {
			targets = append(targets, a)
		}
	}
	b.many = len(targets) > 1
	components := []cdx.Component{}
	for _, a := range targets {
		c := cdx.Component{BOMRef: b.ref(string(a.ID)), Type: assetType(a.Kind), Name: text.Clean(cmp.Or(a.Name, string(a.ID)))}
		props := properties{}
		props.add("kind", a.Kind)
		props.add("asset", string(a.ID))
		props.add("base", a.Labels["base"])
		c.Properties = props.list()
		if b.many {
			components = append(components, c)
		} else {
			m.Component = &c
		}
		if a.Release != nil {
			components = append(components, b.system(a))
		}
	}
	return components
}

func assetType(kind string) cdx.ComponentType {
	switch kind {
	case "image":
		return cdx.ComponentTypeContainer
	case "sbom":
		return cdx.ComponentTypeFile
	}
	return cdx.ComponentTypeApplication
}

func (b *builder) system(a *bulwark.Asset) cdx.Component {
	r := a.Release
	props := properties{}
	props.add("release:idLike", r.IDLike)
	props.add("release:codename", r.Codename)
	props.add("release:point", r.Point)
	if b.many {
		props.add("asset", string(a.ID))
	}
	return cdx.Component{BOMRef: b.ref("os:" + r.ID + "@" + r.VersionID), Type: cdx.ComponentTypeOS, Name: text.Clean(cmp.Or(r.ID, "unknown")),
		Version: r.VersionID, Description: r.Name, CPE: r.CPE, Properties: props.list()}
}

func (b *builder) component(p *bulwark.Package) cdx.Component {
	c := cdx.Component{BOMRef: b.ref(p.PURL), Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, PackageURL: p.PURL}
	if strings.HasPrefix(p.PURL, "pkg:generic/") {
		c.Type = cdx.ComponentTypeApplication
	}
	if group, name, ok := strings.Cut(p.Name, ":"); ok && strings.HasPrefix(p.PURL, "pkg:maven/") {
		c.Group, c.Name = group, name
	}
	c.Licenses = licenses(p.Licenses)
	if p.Dev {
		c.Scope = cdx.ScopeExcluded
	}
	props := properties{}
	props.add("path", p.Path)
	props.add("layer", p.Layer)
	props.add("ecosystem", cmp.Or(p.Ecosystem, "-"))
	if p.Source != nil {
		props.add("source", p.Source.Name)
		props.add("source:version", p.Source.Version)
	}
	props.add("ownedBy", p.OwnedBy)
	props.add("format", p.Format)
	props.add("arch", p.Arch)
	props.flag("fromBase", p.FromBase)
	props.flag("declared", p.Declared)
	props.flag("dev", p.Dev)
	if b.many {
		props.add("asset", string(p.Asset))
	}
	c.Properties = props.list()
	s := subject{p.Asset, p.PURL}
	b.subjects[s] = append(b.subjects[s], c.BOMRef)
	return c
}

// licenses are ids where SPDX knows them; one expression may stand alone, and never
// beside others.
func licenses(list []string) *cdx.Licenses {
	if len(list) == 0 {
		return nil
	}
	if len(list) == 1 && !licence.IsID(list[0]) && licence.IsExpression(list[0]) {
		return &cdx.Licenses{{Expression: list[0]}}
	}
	out := cdx.Licenses{}
	for _, l := range list {
		switch {
		case licence.IsID(l):
			out = append(out, cdx.LicenseChoice{License: &cdx.License{ID: l}})
		case l != "":
			out = append(out, cdx.LicenseChoice{License: &cdx.License{Name: l}})
		}
	}
	return &out
}

// properties are name and value pairs of ours.
type properties []cdx.Property

func (p *properties) add(name, value string) {
	if value != "" {
		*p = append(*p, cdx.Property{Name: "bulwark:" + name, Value: value})
	}
}

func (p *properties) flag(name string, set bool) {
	if set {
		p.add(name, "true")
	}
}

func (p properties) list() *[]cdx.Property {
	if len(p) == 0 {
		return nil
	}
	return (*[]cdx.Property)(&p)
}
