package scan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bulwark"
)

// output collects what is sent when all targets have been looked at.
type output struct {
	assets   []bulwark.Asset
	packages []bulwark.Package
	findings []bulwark.Finding
	advice   []bulwark.Advice
	notes    []bulwark.Note
	parts    map[bulwark.AssetID]bool // ids of assets; nil until a check adds one

	frameworks []bulwark.Framework
	loaded     *Loaded // nil: it is not known what was
}

func (o *output) add(other *output) {
	o.assets = both(o.assets, other.assets)
	o.packages = both(o.packages, other.packages)
	o.findings = both(o.findings, other.findings)
	o.advice = both(o.advice, other.advice)
	o.notes = both(o.notes, other.notes)
}

// both appends b to a, and copies nothing when a is empty, as for one target it is.
func both[T any](a, b []T) []T {
	if len(a) == 0 {
		return b
	}
	return append(a, b...)
}

func (o *output) addNotes(asset bulwark.AssetID, notes ...bulwark.Note) {
	for _, n := range notes {
		n.Asset = cmp.Or(n.Asset, asset)
		o.notes = append(o.notes, n)
	}
}

// addAsset adds an asset that is a part of the target, once.
func (o *output) addAsset(a bulwark.Asset) {
	if o.parts == nil {
		o.parts = map[bulwark.AssetID]bool{}
		for i := range o.assets {
			o.parts[o.assets[i].ID] = true
		}
	}
	if !o.parts[a.ID] {
		o.parts[a.ID] = true
		o.assets = append(o.assets, a)
	}
}

// take keeps a record that a check emitted.
func (o *output) take(plugin string, asset bulwark.AssetID, r bulwark.Record) {
	switch {
	case r.Finding != nil:
		f := *r.Finding
		f.Asset = cmp.Or(f.Asset, asset)
		o.findings = append(o.findings, f)
	case r.Asset != nil:
		o.addAsset(*r.Asset)
	case r.Note != nil:
		n := *r.Note
		n.Plugin = cmp.Or(n.Plugin, plugin)
		o.addNotes(asset, n)
	}
}

// assets gives the asset of a target and one for each of an image's layers.
func assets(t *bulwark.Target, base string) []bulwark.Asset {
	list := []bulwark.Asset{t.Asset}
	if t.Image == nil {
		return list
	}
	if base != "" {
		labels := map[string]string{"base": base}
		for k, v := range t.Asset.Labels {
			labels[k] = v
		}
		list[0].Labels = labels
	}
	known := slices.ContainsFunc(t.Layers, func(l bulwark.Layer) bool { return l.Base })
	places := map[string]int{} // of a layer's asset in list: an image may hold a layer twice
	for i := range t.Layers {
		l := &t.Layers[i]
		if at, ok := places[l.DiffID]; ok {
			list[at].Labels["index"] += "," + strconv.Itoa(l.Index)
			continue
		}
		places[l.DiffID] = len(list)
		labels := map[string]string{"index": strconv.Itoa(l.Index), "createdBy": l.CreatedBy}
		if known {
			labels["part"] = "own"
		}
		if l.Base {
			labels["part"] = "base"
		}
		list = append(list, bulwark.Asset{ID: bulwark.LayerID(l.DiffID), Kind: "layer", Name: l.DiffID, Parent: t.Asset.ID, Labels: labels})
	}
	return list
}

// ours are labels of assets that are made here, or name digests and platforms.
var ours = map[string]bool{"index": true, "part": true, "manifest": true, "os": true, "arch": true}

// redact takes secrets out of what reports show of an image's history and labels, when a
// check knows how to.
func (s *Scanner) redact(t *bulwark.Target, o *output) {
	redact := s.Redact
	for _, c := range s.Checks {
		if r, ok := c.(redactor); ok {
			redact = r.Redact
		}
	}
	if t.Image == nil || redact == nil {
		return
	}
	var texts []string
	var put []func(string)
	for i := range o.assets {
		labels := maps.Clone(o.assets[i].Labels) // the target's own stay as they are
		o.assets[i].Labels = labels
		for _, k := range slices.Sorted(maps.Keys(labels)) {
			if !ours[k] {
				texts, put = append(texts, labels[k]), append(put, func(s string) { labels[k] = s })
			}
		}
	}
	for i := range o.findings {
		f := &o.findings[i]
		for k, text := range f.Evidence {
			if strings.HasPrefix(text, "history step ") || f.Kind == bulwark.KindMalware && strings.HasPrefix(text, "layer ") {
				texts, put = append(texts, text), append(put, func(s string) { f.Evidence[k] = s })
			}
		}
	}
	if len(texts) == 0 {
		return
	}
	for i, text := range redact(texts) {
		put[i](text)
	}
}

// redactor is a check that takes secrets out of texts.
type redactor interface{ Redact(texts []string) []string }

// send sorts everything and sends it in the order that [bulwark.Record] promises.
func (o *output) send(run bulwark.Run, h bulwark.Handler) (bulwark.Summary, error) {
	o.sort()
	r := bulwark.Report{Run: run, Assets: o.assets, Packages: o.packages, Findings: o.findings, Advice: o.advice, Frameworks: o.frameworks, Notes: o.notes}
	r.Summarize()
	return r.Summary, r.Replay(h)
}

// sortLarge sorts by way of indices: packages are large, and moving them about costs
// more than comparing them. Each is moved once, to its place.
func sortLarge[T any](list []T, compare func(a, b *T) int) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(&list[a], &list[b]) })
	for start := range order {
		first, at := list[start], start
		for order[at] != start { // the circle of places that have each other's
			from := order[at]
			list[at], order[at] = list[from], at
			at = from
		}
		list[at], order[at] = first, at
	}
}

func (o *output) sort() {
	sortLarge(o.packages, func(a, b *bulwark.Package) int {
		if c := strings.Compare(string(a.Asset), string(b.Asset)); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(a.PURL, b.PURL), strings.Compare(a.Path, b.Path))
	})
	sortLarge(o.findings, func(a, b *bulwark.Finding) int {
		return cmp.Or(cmp.Compare(b.Risk, a.Risk), cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Subject, b.Subject))
	})
	slices.SortStableFunc(o.notes, func(a, b bulwark.Note) int {
		return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Plugin, b.Plugin), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text, b.Text))
	})
	o.notes = slices.Compact(o.notes) // nobody is helped by reading one twice
}
