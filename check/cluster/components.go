package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark"
	"bulwark/advisory"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

const componentsName = "check/cluster/components"

// ComponentOptions are who judges the versions of what a cluster is made of.
type ComponentOptions struct {
	// Vulnerabilities and Lifetimes are asked about the components as if they were packages;
	// nil: nobody is.
	Vulnerabilities, Lifetimes bulwark.Check
	// Record gives an advisory; nil: there is no database. What Kubernetes' own feed says of a
	// CVE goes before what Go's database does, which does not tell the components apart.
	Record func(id string) (advisory.Record, error)
}

// Components judges the versions of a cluster's components: of the API server and its
// kin, and of what nodes say that they run.
type Components struct{ o ComponentOptions }

var _ bulwark.Check = (*Components)(nil)

// NewComponents returns the check.
func NewComponents(o ComponentOptions) *Components { return &Components{o: o} }

// Info describes the check.
func (*Components) Info() bulwark.Info {
	return bulwark.Info{Name: componentsName, Summary: "Versions of a cluster's components and nodes: known vulnerabilities, end of life.", Version: 1}
}

// Check emits one finding for each vulnerability, or end of life, and component: which
// nodes have it is its evidence, however many they are.
func (c *Components) Check(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, emit func(bulwark.Record)) error {
	s := kube.Of(t)
	if s.Len() == 0 && (s == nil || s.Cluster == nil) {
		return nil
	}
	p := newParts(s)
	found := &merged{parts: p, byKey: map[string]*bulwark.Finding{}, byCVE: map[string]*bulwark.Finding{}, windows: map[string]bool{}}
	for _, inv := range p.inventories() {
		for _, judge := range []bulwark.Check{c.o.Vulnerabilities, c.o.Lifetimes} {
			if judge == nil {
				continue
			}
			if err := judge.Check(ctx, &bulwark.Target{Inventory: inv}, inv, func(r bulwark.Record) { found.take(r, c) }); err != nil {
				return fmt.Errorf("versions of the cluster's components: %w", err)
			}
		}
	}
	for _, f := range found.list {
		emit(bulwark.Record{Finding: f})
	}
	if len(found.windows) > 0 {
		p.note("left out, which nodes with Windows have: %s; no node runs it", strings.Join(slices.Sorted(maps.Keys(found.windows)), ", "))
	}
	notes := slices.Concat(found.notes, p.notes)
	slices.Sort(notes)
	for _, text := range slices.Compact(notes) {
		emit(bulwark.Record{Note: &bulwark.Note{Plugin: componentsName, Text: text, Incomplete: strings.HasPrefix(text, noData)}})
	}
	return nil
}

// noData begins what check/vuln says of ecosystems that the database does not have.
const noData = "no advisories for"

// merged makes one finding of those that are about one problem of one component.
type merged struct {
	parts *parts
	list  []*bulwark.Finding
	byKey map[string]*bulwark.Finding
	byCVE map[string]*bulwark.Finding // by component and id
	notes []string
	// windows are the vulnerabilities that only nodes with Windows have, where there are none.
	windows map[string]bool
}

// ofWindows is what the feed's summaries say of those: it has no field for it.
var ofWindows = lazyregexp.New(`(?i)\bwindows (?:nodes?|containers?|pods?|workloads?)\b`)

func (m *merged) take(r bulwark.Record, c *Components) {
	if r.Note != nil {
		if strings.HasPrefix(r.Note.Text, noData) { // the others are told of the target as a whole
			m.notes = append(m.notes, r.Note.Text+" (versions of the cluster's components)")
		}
		return
	}
	if r.Finding == nil {
		return
	}
	part := m.parts.of(r.Finding)
	if part == nil || part.second && c.inFeed(r.Finding) || part.name == etcd && c.told(r.Finding) {
		return
	}
	if part.kind() == "kubernetes" && m.parts.noWindows && ofWindows.MatchString(r.Finding.Title) {
		m.windows[strings.TrimPrefix(r.Finding.Rule, "vuln/")] = true
		return
	}
	f := *r.Finding
	f.Asset, f.Path, f.Line, f.Places, f.InUse = "", "", 0, nil, nil
	part.claim(&f)
	first := m.byKey[f.Key]
	if first == nil {
		first = m.elsewhere(part, &f)
	}
	if first == nil {
		first = &f
		m.byKey[f.Key] = first
		m.list = append(m.list, first)
	} else if f.Severity > first.Severity {
		first.Severity, first.Risk, first.Title = f.Severity, f.Risk, f.Title
	}
	part.tell(first)
}

// elsewhere finds the vulnerability among those of the component's other packages: what one
// program is built of has one vulnerability once.
func (m *merged) elsewhere(p *part, f *bulwark.Finding) *bulwark.Finding {
	if f.Vulnerability == nil || p.name == kernelName {
		return nil
	}
	for _, cve := range append(slices.Clone(f.Vulnerability.CVEs), f.Vulnerability.ID) {
		k := p.name + " " + cve
		if first := m.byCVE[k]; first != nil && first.Vulnerability.Package != f.Vulnerability.Package {
			return first
		}
		m.byCVE[k] = f
	}
	return nil
}

// inFeed tells whether Kubernetes' own feed has the CVE of a finding.
func (c *Components) inFeed(f *bulwark.Finding) bool {
	if f.Vulnerability == nil || c.o.Record == nil {
		return false
	}
	return slices.ContainsFunc(f.Vulnerability.CVEs, func(cve string) bool {
		r, err := c.o.Record(cve)
		return err == nil && slices.ContainsFunc(r.Affected, func(a advisory.Affected) bool { return a.Ecosystem == feed })
	})
}

// told tells whether the record of a finding names another module of the same program, which
// is asked about as well: Go's database says of go.etcd.io/etcd, which ended with version 2, that
// all versions have what go.etcd.io/etcd/v3 mended.
func (c *Components) told(f *bulwark.Finding) bool {
	if f.Vulnerability == nil || f.Vulnerability.Package != oldEtcd || c.o.Record == nil {
		return false
	}
	r, err := c.o.Record(f.Vulnerability.ID)
	return err == nil && slices.ContainsFunc(r.Affected, func(a advisory.Affected) bool {
		return a.Name != oldEtcd && strings.HasPrefix(a.Name, oldEtcd+"/")
	})
}

const oldEtcd = "go.etcd.io/etcd"

// part is one version of one component.
type part struct {
	name    string // for people: "kubelet"
	version string // as it says
	where   string // "3 nodes: a, b, c"
	objects []*kube.Object
	// second is true for what another database says beside Kubernetes' own feed.
	second bool
}

// kind is what sort of component a part is.
func (p *part) kind() string {
	switch p.name {
	case kernelName, systemName:
		return "host"
	case "containerd", "cri-o", "docker":
		return "runtime"
	}
	return "kubernetes"
}

// claim makes a vulnerability one of the component.
func (p *part) claim(f *bulwark.Finding) {
	f.Tags = append(slices.Clone(f.Tags), "component:"+p.kind())
	if f.Vulnerability == nil {
		return
	}
	v := *f.Vulnerability
	if p.name == kernelName {
		v.Installed = p.version
	}
	f.Vulnerability = &v
}

const (
	mostPartPlaces = 1000
	mostPartLines  = 20
)

// tell adds to a finding what has this version, and where.
func (p *part) tell(f *bulwark.Finding) {
	line := p.name + " " + p.version
	if p.name == systemName {
		line = p.version
	}
	if p.where != "" {
		line += " on " + p.where
	}
	if slices.Contains(f.Evidence, line) {
		return
	}
	if len(f.Evidence) < mostPartLines {
		f.Evidence = append(f.Evidence, line)
	}
	for _, o := range p.objects {
		l := o.Place("status", "nodeInfo")
		if l.File == "" || len(f.Places) >= mostPartPlaces {
			continue
		}
		if f.Path == "" {
			f.Path, f.Line = l.File, l.Line
		}
		f.Places = append(f.Places, bulwark.Place{Path: l.File, Line: l.Line})
	}
	f.Count += len(p.objects)
}

// parts are the versions that a set tells of.
type parts struct {
	list     []*part
	byPURL   map[string]*part
	packages map[*bulwark.Release][]bulwark.Package // nil: of no distribution
	systems  map[string]*part                       // by the subject that check/eol gives a distribution
	notes    []string
	// noWindows: nodes are known, and none of them runs Windows.
	noWindows bool
}

// of finds which part a finding is about.
func (p *parts) of(f *bulwark.Finding) *part {
	return cmp.Or(p.byPURL[f.Subject], p.systems[f.Subject])
}

func (p *parts) inventories() []*bulwark.Inventory {
	var list []*bulwark.Inventory
	for _, r := range slices.SortedFunc(maps.Keys(p.packages), func(a, b *bulwark.Release) int { return cmp.Compare(releaseText(a), releaseText(b)) }) {
		list = append(list, &bulwark.Inventory{Release: r, Packages: p.packages[r]})
	}
	return list
}

func releaseText(r *bulwark.Release) string {
	if r == nil {
		return ""
	}
	return r.ID + " " + r.VersionID
}
