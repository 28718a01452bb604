package posture

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/internal/telling"
	"bulwark/kube"
	"bulwark/kube/remedy"
)

// The most that one finding tells.
const (
	mostPlaces   = 1000
	mostEvidence = 20
)

// gatherer makes one finding of all hits that are one problem.
type gatherer struct {
	family *Family
	asset  bulwark.AssetID
	notes  []bulwark.Note
	list   []*gathered
	byKey  map[string]*gathered
	last   problem // what the last hit was of, which the next one is often of too
	untold int     // hits that would have made findings beyond the budget
}

// The budget of a family: once it has made so many findings of one target, each rule is held
// to a share, so that none goes without a word. Patches are made for so many of them.
const (
	mostFindings = 20_000
	ruleShare    = 200
	mostPatches  = 5_000
)

// problem is what hits have in common that make one finding.
type problem struct {
	rule   *Rule
	object *kube.Object
	what   string
	found  *gathered
}

// gathered is a finding and the edits that mend it, by object: one object may be there
// several times, as several files or overlays have it.
type gathered struct {
	*bulwark.Finding
	set     *kube.Set
	objects []*kube.Object
	edits   map[*kube.Object][]kube.Edit
	unsure  bool // a hit has no edits
	added   string
}

func (g *gatherer) add(h *Hits, hit *Hit) {
	place := hit.Object.Place(hit.Path...)
	f := g.of(h, hit, place)
	if f == nil {
		g.untold++
		return
	}
	f.more(hit, place)
	if s := hit.Severity; s != bulwark.SeverityUnknown && s > f.Severity {
		h.rule.Rate(f.Finding, s)
	}
}

// of is the finding that a hit belongs to; nil when the budget does not reach for it.
func (g *gatherer) of(h *Hits, hit *Hit, place kube.Location) *gathered {
	if p := &g.last; p.rule == h.rule && p.object == hit.Object && p.what == hit.What && p.found != nil {
		return p.found
	}
	key := bulwark.Key(h.rule.kind(), h.rule.ID, hit.Object.ID(), hit.Object.Origin.File+"#"+hit.What)
	f := g.byKey[key]
	if f == nil {
		if len(g.list) >= mostFindings && h.made >= ruleShare {
			return nil
		}
		f = &gathered{Finding: h.rule.finding(hit, key, place), set: h.Set}
		if g.byKey == nil {
			g.byKey = map[string]*gathered{}
		}
		h.made++
		f.Asset = assetOf(h.Set, g.asset, hit.Object)
		if h.fix != "" {
			f.Fix = &bulwark.Fix{Text: h.fix}
		}
		g.byKey[key] = f
		g.list = append(g.list, f)
	}
	g.last = problem{h.rule, hit.Object, hit.What, f}
	return f
}

// assetOf is the asset that a finding is about: in a cluster the object itself, else the
// whole target.
func assetOf(s *kube.Set, target bulwark.AssetID, o *kube.Object) bulwark.AssetID {
	if s.Cluster == nil && !s.Engine {
		return ""
	}
	return target + bulwark.AssetID("/"+o.ID())
}

// assetRecord tells of an object of a cluster, or of a container of an engine, that something
// is found in.
func assetRecord(id, cluster bulwark.AssetID, o *kube.Object) *bulwark.Asset {
	a := &bulwark.Asset{ID: id, Kind: o.Kind, Name: o.ID(), Parent: cluster}
	if o.Namespace != "" {
		a.Labels = map[string]string{"namespace": o.Namespace}
	}
	if e := o.Root.Get("engine"); o.Kind == "Pod" && e.Has("image") { // of a container engine
		a.Kind, a.Name = "container", o.Name
		a.Labels = map[string]string{"engine": o.Namespace, "id": e.Get("id").Text(), "image": e.Get("image").Text()}
	}
	return a
}

func (r *Rule) kind() string {
	if r.Kind == "" {
		return bulwark.KindMisconfig
	}
	return r.Kind
}

// finding is the rule's about the object of a hit. Its severity is the hit's own, if it has
// one, though that is less than the rule's.
func (r *Rule) finding(hit *Hit, key string, at kube.Location) *bulwark.Finding {
	f := r.Keyed(r.kind(), key, hit.Object.ID())
	f.Path, f.Line = at.File, at.Line
	if hit.Severity != bulwark.SeverityUnknown {
		r.Rate(f, hit.Severity)
	}
	return f
}

// more adds a hit's evidence and place.
func (f *gathered) more(hit *Hit, at kube.Location) {
	f.say(hit.Evidence)
	for _, line := range hit.More {
		f.say(line)
	}
	place := bulwark.Place{Path: at.File, Line: at.Line}
	if at.File != "" && len(f.Places) < mostPlaces && !slices.Contains(f.Places, place) {
		f.Places = append(f.Places, place)
	}
	for _, tag := range hit.Tags {
		if !slices.Contains(f.Tags, tag) {
			f.Tags = append(f.Tags, tag)
		}
	}
	if !slices.Contains(f.objects, hit.Object) {
		f.objects = append(f.objects, hit.Object)
	}
	if hit.Added != "" {
		f.added = hit.Added
		return
	}
	if len(hit.Edits) == 0 {
		f.unsure = true
		return
	}
	if f.edits == nil {
		f.edits = map[*kube.Object][]kube.Edit{}
	}
	f.edits[hit.Object] = append(f.edits[hit.Object], hit.Edits...)
}

// say adds a line of evidence, if it is new.
func (f *gathered) say(line string) {
	if len(f.Evidence) >= mostEvidence {
		return
	}
	if text := telling.Mask(misconfig.Clean(line)); text != "" && !slices.Contains(f.Evidence, text) {
		f.Evidence = append(f.Evidence, text)
	}
}

// emit gives the findings in the order in which they were met, with the patch of each that
// has one: all of its hits are mended by it, or there is none.
func (g *gatherer) emit(emit func(bulwark.Record)) {
	if g.untold > 0 {
		g.notes = append(g.notes, bulwark.Note{Plugin: g.family.Name, Incomplete: true,
			Text: fmt.Sprintf("%d findings are told, and %d more that the rules met are not: %v", len(g.list), g.untold, bulwark.ErrLimit)})
	}
	for i := range g.notes {
		emit(bulwark.Record{Note: &g.notes[i]})
	}
	byFile := slices.Clone(g.list) // which is read once then
	slices.SortStableFunc(byFile, func(a, b *gathered) int {
		return strings.Compare(a.objects[0].Origin.File, b.objects[0].Origin.File)
	})
	if len(byFile) > 0 {
		m := &remedy.Maker{Set: byFile[0].set}
		for i, f := range byFile {
			if i >= mostPatches && f.Fix != nil {
				f.Fix.Text += " (no automatic patch: there are too many to be made at once)"
				continue
			}
			f.patch(m)
		}
	}
	for _, f := range g.list {
		if (f.set.Cluster != nil || f.set.Engine) && f.Asset != g.asset {
			emit(bulwark.Record{Asset: assetRecord(f.Asset, g.asset, f.objects[0])})
		}
		emit(bulwark.Record{Finding: f.Finding})
	}
}

// patch adds the patch, or says what stands in its way where people would expect one.
func (f *gathered) patch(m *remedy.Maker) {
	mended := 0
	for _, o := range f.objects {
		mended += len(f.edits[o])
	}
	switch {
	case f.added != "" && f.Fix != nil:
		f.Fix.Patch = addition(f.set, f.objects[0], f.added)
	case f.Fix == nil || mended == 0 || f.set.Engine:
		return
	case f.unsure:
		f.Fix.Text += " (no automatic patch: it would mend only a part)"
		return
	}
	p, err := m.Patch(f.objects, f.edits)
	switch {
	case err == nil:
		f.Fix.Patch = p
	case errors.Is(err, remedy.ErrUnsure):
		f.Fix.Text += " (no automatic patch: " + misconfig.Clean(err.Error()) + ")"
	}
}
