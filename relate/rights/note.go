package rights

import (
	"fmt"

	"bulwark"
)

// mostNotes are told of what was too much to be looked at.
const mostNotes = 20

// note says that something was too much.
func (e *engine) note(format string, args ...any) {
	if e.notes++; e.notes <= mostNotes {
		e.to.Note(bulwark.Note{Plugin: "relate/rights", Asset: e.asset, Text: fmt.Sprintf(format, args...), Incomplete: true})
	}
}

// noted tells how many notes were too many themselves.
func (e *engine) noted() {
	if n := e.notes - mostNotes; n > 0 {
		e.to.Note(bulwark.Note{Plugin: "relate/rights", Asset: e.asset, Text: fmt.Sprintf("%d more of what roles name was too much to be looked at", n), Incomplete: true})
	}
}

// cutNames says that rules of a role name too many objects, once.
func (e *engine) cutNames(g *grant) {
	if g.names != nil && g.names.cut > 0 && !e.told[g.from] {
		e.told[g.from] = true
		e.note("%s%s names more than %d objects to %s; %d are not looked at", g.from.ID(), g.from.Place(g.names.at), mostNames, table[g.power].text, g.names.cut)
	}
}

// dropped says, once for a role, that not all that it is for was looked at.
func (e *engine) dropped(g *grant, n int, what string) {
	if !e.told[g.from] {
		e.told[g.from] = true
		e.note("%s%s names %d %s; they are not looked at", g.from.ID(), g.from.Place(g.index), n, what)
	}
}
