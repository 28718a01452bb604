// Package relatetest asks relaters in tests.
package relatetest

import (
	"testing"

	"bulwark"
)

// Told is what a relater says, but for its notes.
type Told struct {
	Relations []bulwark.Relation
	Remedies  map[string]bulwark.Remedy
}

// Ask gives what a relater says of a target; an error ends the test.
func Ask(tb testing.TB, r bulwark.Relater, t *bulwark.Target, findings ...bulwark.Finding) *Told {
	tb.Helper()
	told := &Told{Remedies: map[string]bulwark.Remedy{}}
	if err := r.Relate(tb.Context(), t, nil, findings, told); err != nil {
		tb.Fatal(err)
	}
	return told
}

func (t *Told) Relation(r bulwark.Relation) { t.Relations = append(t.Relations, r) }
func (t *Told) Remedy(r bulwark.Remedy)     { t.Remedies[r.ID] = r }
func (t *Told) Note(bulwark.Note)           {}
