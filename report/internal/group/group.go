// Package group arranges a run as people read it: by asset, ecosystem and source
// package, the worst first.
package group

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/internal/purl"
)

// Asset is one target with all that was found in it and in its layers.
type Asset struct {
	*bulwark.Asset
	Packages []*bulwark.Package
	Sections []Section          // vulnerabilities by ecosystem, the worst first
	Others   []*bulwark.Finding // findings of other kinds, the worst first
	Excepted []*bulwark.Finding
	Advice   []*bulwark.Advice
	Notes    []*bulwark.Note
	Layers   []Layer // lowest first; none for what has no layers
	Counts   map[bulwark.Severity]int
	// Vulnerabilities counts findings of that kind without an exception, Distinct those
	// that the rows name, Kernel those that headers of the kernel draw; Risk is the sum
	// of their risk.
	Vulnerabilities, Distinct, Kernel, Risk int

	rows   map[rowKey][2]int // section and row
	layers map[string]int
}

type rowKey struct {
	ecosystem, name, installed string
	kernel                     bool
}

// Section is the vulnerabilities of one ecosystem.
type Section struct {
	Name string
	Rows []Row // the worst first, the kernel's last
}

// Row is the vulnerabilities of one source package, or of one version of a package
// that has no source package.
type Row struct {
	Name      string
	Binaries  []string // packages built from it that are affected, when one is named otherwise
	Installed []string // distinct versions
	Fixed     string   // the version that fixes all that can be fixed; empty when none can
	Fixable   int      // how many of IDs have a fix
	Severity  bulwark.Severity
	Risk      int
	KEV       bool
	Kernel    bool               // drawn by headers: a container runs the host's kernel
	Unused    bool               // what is vulnerable is known not to be used, in every finding
	Used      bool               // what is vulnerable is known to be used, in some finding
	Paths     []string           // distinct, where the package lies; none for a distribution's
	IDs       []string           // distinct vulnerabilities, the worst first
	Findings  []*bulwark.Finding // the worst first
	seen      map[string]bool
}

// Layer is one layer with what was found in it.
type Layer struct {
	DiffID, CreatedBy string
	Index             int
	Base              bool
	Packages          int
	Risk              int // sum over its findings
	Counts, Risks     map[bulwark.Severity]int
}

// Total is the number of findings in the layer.
func (l *Layer) Total() int {
	n := 0
	for _, c := range l.Counts {
		n += c
	}
	return n
}

// ByAsset arranges r. Layers are part of their image, objects of their cluster; what names no known asset
// comes under one without a name.
func ByAsset(r *bulwark.Report) []*Asset {
	g := grouper{assets: map[bulwark.AssetID]*Asset{}, ecosystems: map[string]string{}}
	for i := range r.Assets {
		g.addAsset(&r.Assets[i])
	}
	for i := range r.Packages {
		g.addPackage(&r.Packages[i])
	}
	for i := range r.Findings {
		g.addFinding(&r.Findings[i])
	}
	for i := range r.Advice {
		a := g.of(r.Advice[i].Asset)
		a.Advice = append(a.Advice, &r.Advice[i])
	}
	for i := range r.Notes {
		if id := r.Notes[i].Asset; id != "" {
			a := g.of(id)
			a.Notes = append(a.Notes, &r.Notes[i])
		}
	}
	for _, a := range g.order {
		a.finish()
	}
	return g.order
}

type grouper struct {
	assets     map[bulwark.AssetID]*Asset
	order      []*Asset
	ecosystems map[string]string // of a PURL
}

func (g *grouper) addAsset(a *bulwark.Asset) {
	if p, ok := g.assets[a.Parent]; ok && a.Kind == "layer" {
		g.assets[a.ID] = p
		l := layer(a)
		p.layers[l.DiffID] = len(p.Layers)
		p.Layers = append(p.Layers, l)
		return
	}
	if _, ok := g.assets[a.ID]; ok {
		return
	}
	if p, ok := g.assets[a.Parent]; ok && p.Kind == "cluster" && a.Kind != "image" {
		g.assets[a.ID] = p
		return
	}
	n := &Asset{Asset: a, Counts: map[bulwark.Severity]int{}, rows: map[rowKey][2]int{}, layers: map[string]int{}}
	g.assets[a.ID] = n
	g.order = append(g.order, n)
}

func layer(a *bulwark.Asset) Layer {
	index, _ := strconv.Atoi(a.Labels["index"]) // 0 when there is none
	return Layer{DiffID: strings.TrimPrefix(string(a.ID), "layer:"), CreatedBy: a.Labels["createdBy"], Index: index,
		Base: a.Labels["part"] == "base", Counts: map[bulwark.Severity]int{}, Risks: map[bulwark.Severity]int{}}
}

func (g *grouper) of(id bulwark.AssetID) *Asset {
	if _, ok := g.assets[id]; !ok {
		g.addAsset(&bulwark.Asset{ID: id, Name: string(id)})
	}
	return g.assets[id]
}

func (g *grouper) addPackage(p *bulwark.Package) {
	a := g.of(p.Asset)
	a.Packages = append(a.Packages, p)
	g.ecosystems[p.PURL] = p.Ecosystem
	if l := a.layer(p.Layer); l != nil {
		l.Packages++
	}
}

func (a *Asset) layer(diffID string) *Layer {
	if i, ok := a.layers[diffID]; ok && diffID != "" {
		return &a.Layers[i]
	}
	return nil
}

func (g *grouper) addFinding(f *bulwark.Finding) {
	a := g.of(f.Asset)
	if f.Exception != nil {
		a.Excepted = append(a.Excepted, f)
		return
	}
	a.Counts[f.Severity]++
	if l := a.layer(f.Layer); l != nil {
		l.Counts[f.Severity]++
		l.Risks[f.Severity] += f.Risk
		l.Risk += f.Risk
	}
	if f.Vulnerability == nil {
		a.Others = append(a.Others, f)
		return
	}
	a.Vulnerabilities++
	a.Risk += f.Risk
	a.row(g.ecosystem(f.Subject), f).add(f)
}

// ecosystem names the section of a package.
func (g *grouper) ecosystem(subject string) string {
	if e := g.ecosystems[subject]; e != "" {
		return e
	}
	if p, err := purl.Parse(subject); err == nil {
		return p.Type
	}
	return "other"
}

func (a *Asset) row(ecosystem string, f *bulwark.Finding) *Row {
	v := f.Vulnerability
	key := rowKey{ecosystem: ecosystem, name: cmp.Or(Source(f), v.Package), kernel: KernelHeaders(f)}
	if Source(f) == "" {
		key.installed = v.Installed
	}
	if key.kernel {
		a.Kernel++
	}
	at, ok := a.rows[key]
	if !ok {
		at = a.newRow(key)
	}
	return &a.Sections[at[0]].Rows[at[1]]
}

func (a *Asset) newRow(key rowKey) [2]int {
	i := slices.IndexFunc(a.Sections, func(s Section) bool { return s.Name == key.ecosystem })
	if i < 0 {
		i = len(a.Sections)
		a.Sections = append(a.Sections, Section{Name: key.ecosystem})
	}
	s := &a.Sections[i]
	s.Rows = append(s.Rows, Row{Name: key.name, Kernel: key.kernel, Unused: true, seen: map[string]bool{}})
	at := [2]int{i, len(s.Rows) - 1}
	a.rows[key] = at
	return at
}

// Source is the source package that a vulnerability of a distribution's package is
// known by, which may have the package's own name; empty for other packages.
func Source(f *bulwark.Finding) string {
	if f.Vulnerability == nil {
		return ""
	}
	format, _, _ := strings.Cut(strings.TrimPrefix(f.Subject, "pkg:"), "/")
	switch format {
	case "deb", "rpm", "apk", "alpm":
		return cmp.Or(f.Vulnerability.Source, f.Vulnerability.Package)
	}
	return f.Vulnerability.Source
}

// Fixed is the versions that fix a vulnerability, written as the installed one is: the
// records about Go leave out the "v" that its versions begin with.
func Fixed(f *bulwark.Finding) []string {
	v := f.Vulnerability
	if !strings.HasPrefix(f.Subject, "pkg:golang/") || !strings.HasPrefix(v.Installed, "v") {
		return v.Fixed
	}
	list := slices.Clone(v.Fixed)
	for i, version := range list {
		if digits(version) > 0 {
			list[i] = "v" + version
		}
	}
	return list
}

// KernelHeaders tells whether a vulnerability is the kernel's and what is installed
// are its headers.
func KernelHeaders(f *bulwark.Finding) bool {
	p := f.Vulnerability.Package
	for _, headers := range []string{"linux-libc-dev", "linux-headers", "kernel-headers"} {
		if p == headers || strings.HasPrefix(p, headers+"-") {
			return true
		}
	}
	return false
}

func (r *Row) add(f *bulwark.Finding) {
	v := f.Vulnerability
	r.Findings = append(r.Findings, f)
	if !slices.Contains(r.Binaries, v.Package) {
		r.Binaries = append(r.Binaries, v.Package)
	}
	if Source(f) == "" {
		r.addPaths(f)
	}
	if !slices.Contains(r.Installed, v.Installed) {
		r.Installed = append(r.Installed, v.Installed)
	}
	r.Severity, r.Risk, r.KEV = max(r.Severity, f.Severity), max(r.Risk, f.Risk), r.KEV || v.KEV
	r.Unused = r.Unused && f.InUse != nil && !*f.InUse
	r.Used = r.Used || f.InUse != nil && *f.InUse
	id := ID(v)
	if r.seen[id] {
		return
	}
	r.seen[id] = true
	r.IDs = append(r.IDs, id)
	if fixed := Fixed(f); len(fixed) > 0 {
		r.Fixable++
		if Later(fixed[0], r.Fixed) {
			r.Fixed = fixed[0]
		}
	}
}

func (r *Row) addPaths(f *bulwark.Finding) {
	if len(f.Places) == 0 && f.Path != "" && !slices.Contains(r.Paths, f.Path) {
		r.Paths = append(r.Paths, f.Path)
	}
	for _, p := range f.Places {
		if p.Path != "" && !slices.Contains(r.Paths, p.Path) {
			r.Paths = append(r.Paths, p.Path)
		}
	}
}

// ID is the name of a vulnerability that people know: its CVE if it has one, else the
// record's own.
func ID(v *bulwark.Vulnerability) string {
	if strings.HasPrefix(v.ID, "CVE-") {
		return v.ID
	}
	for _, a := range v.Aliases {
		if strings.HasPrefix(a, "CVE-") {
			return a
		}
	}
	return v.ID
}

func (a *Asset) finish() {
	slices.SortStableFunc(a.Layers, func(x, y Layer) int { return cmp.Compare(x.Index, y.Index) })
	for i := range a.Sections {
		slices.SortStableFunc(a.Sections[i].Rows, worseRow)
		for j := range a.Sections[i].Rows {
			a.Distinct += len(a.Sections[i].Rows[j].IDs)
			a.Sections[i].Rows[j].settle()
		}
	}
	slices.SortStableFunc(a.Sections, func(x, y Section) int { return worseRow(x.Rows[0], y.Rows[0]) })
}

// settle leaves Binaries empty where they say no more than the name.
func (r *Row) settle() {
	slices.Sort(r.Binaries)
	if len(r.Binaries) == 1 && r.Binaries[0] == r.Name {
		r.Binaries = nil
	}
}

func worseRow(a, b Row) int {
	if a.Kernel != b.Kernel {
		if a.Kernel {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(b.Risk, a.Risk), cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(len(b.IDs), len(a.IDs)), cmp.Compare(a.Name, b.Name), slices.Compare(a.Installed, b.Installed))
}

// OfKind picks the findings of one kind.
func OfKind(list []*bulwark.Finding, kind string) []*bulwark.Finding {
	var picked []*bulwark.Finding
	for _, f := range list {
		if f.Kind == kind {
			picked = append(picked, f)
		}
	}
	return picked
}

// Alike joins findings that say the same of different places, where the place is of
// little weight: what is behind or past its end of life. Others stand alone.
func Alike(list []*bulwark.Finding) [][]*bulwark.Finding {
	type key struct {
		kind, title, fix string
		severity         bulwark.Severity
	}
	at := map[key]int{}
	var joined [][]*bulwark.Finding
	for _, f := range list {
		k := key{kind: f.Kind, title: f.Title, severity: f.Severity}
		if f.Fix != nil {
			k.fix = f.Fix.Text
		}
		i, ok := at[k]
		if ok && (f.Kind == bulwark.KindEOL || f.Kind == bulwark.KindOutdated) {
			joined[i] = append(joined[i], f)
			continue
		}
		at[k] = len(joined)
		joined = append(joined, []*bulwark.Finding{f})
	}
	return joined
}
