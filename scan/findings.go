package scan

import (
	"slices"

	"bulwark"
)

// Removed is the tag of a secret that no file of the merged image has any more: whoever
// has the image has the layer that held it.
const Removed = "removed"

// mostPlaces bounds the places of one finding; Count tells how many there are.
const mostPlaces = 1000

// remains takes the secrets of the versions of a file that are not seen from above:
// layers forget nothing.
func (m *merger) remains(versions []placed, hidden bool) {
	if !hidden {
		versions = versions[:len(versions)-1]
	}
	for _, v := range versions {
		for _, f := range v.Findings {
			if f.Kind != bulwark.KindSecret {
				continue
			}
			f.Tags = append(slices.Clip(f.Tags), Removed)
			f.Evidence = append(slices.Clip(f.Evidence), "a later layer removes or replaces the file; whoever has the image can still read this layer")
			m.findings = append(m.findings, m.finding(v, f))
		}
	}
}

// gathered makes one finding of all that have one key: the first that is still there
// leads, and all have a place in it.
func gathered(list []bulwark.Finding) []bulwark.Finding {
	slices.SortStableFunc(list, func(a, b bulwark.Finding) int { return compareBool(isRemoved(&a), isRemoved(&b)) })
	at := make(map[string]int, len(list))
	var out []bulwark.Finding
	for _, f := range list {
		place := bulwark.Place{Path: f.Path, Line: f.Line, Layer: f.Layer}
		i, ok := at[f.Key]
		if !ok || f.Key == "" {
			i = len(out)
			at[f.Key] = i
			if len(f.Places) == 0 && f.Path != "" {
				f.Places = []bulwark.Place{place}
			}
			out = append(out, f)
			continue
		}
		first := &out[i]
		full := len(first.Places) >= mostPlaces
		if !full && slices.Contains(first.Places, place) {
			continue
		}
		first.Count = max(first.Count, len(first.Places)) + 1
		if !full {
			first.Places = append(first.Places, place)
		}
		first.FromBase = first.FromBase && f.FromBase
	}
	return out
}

func isRemoved(f *bulwark.Finding) bool { return slices.Contains(f.Tags, Removed) }

// compareBool sorts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
