package compose

import (
	"regexp"
	"strings"
	"sync"

	"bulwark"
	"bulwark/build/compose"
	"bulwark/check/internal/misconfig"
)

// withoutKey is the patch that takes a key with its value out of the service; nil where
// they do not stand on a line of their own.
func (j *judge) withoutKey(name string) *bulwark.Patch {
	if !j.mayPatch() {
		return nil
	}
	own := j.Own()
	key, value := own.Find(name)
	if own.IsFlow() || own.Aliased() || !value.IsScalar() || value.Aliased() || key.Line() != value.Line() || j.keys() < 2 || !j.alone(key, name+":") {
		return nil
	}
	if _, plain := value.IsPlain(); !plain {
		return nil
	}
	return misconfig.Diff(j.doc.Path, j.doc.Data, []misconfig.Edit{{Line: key.Line()}})
}

// withoutItem is the patch that takes an item out of a list of the service, and with the
// last item the list.
func (j *judge) withoutItem(name string, item compose.Node) *bulwark.Patch {
	if !j.mayPatch() {
		return nil
	}
	own := j.Own()
	key, list := own.Find(name)
	if own.IsFlow() || own.Aliased() || !list.IsList() || list.IsFlow() || list.Aliased() || item.Aliased() {
		return nil
	}
	if _, plain := item.IsPlain(); !plain || !j.item(item) {
		return nil
	}
	items, here := 0, false
	for n := range list.Items() {
		items++
		here = here || n.Line() == item.Line()
	}
	edits := []misconfig.Edit{{Line: item.Line()}}
	switch {
	case !here:
		return nil
	case items == 1 && (j.keys() < 2 || key.Line() != item.Line()-1 || !j.alone(key, name+":")):
		return nil
	case items == 1:
		edits = append(edits, misconfig.Edit{Line: key.Line()})
	}
	return misconfig.Diff(j.doc.Path, j.doc.Data, edits)
}

// keys counts those of the service itself.
func (j *judge) keys() int {
	n := 0
	for range j.Own().Pairs() {
		n++
	}
	return n
}

// alone tells whether a key is the first thing on its line.
func (j *judge) alone(key compose.Node, text string) bool {
	line, ok := misconfig.Line(j.doc.Data, key.Line())
	return ok && strings.HasPrefix(strings.TrimLeft(line, " "), text) && !strings.Contains(line, "&")
}

var listItem = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^ *- +[^\s&*!][^#]*(#.*)?$`) })

// item tells whether a list item stands on a line of its own.
func (j *judge) item(n compose.Node) bool {
	line, ok := misconfig.Line(j.doc.Data, n.Line())
	return ok && listItem().MatchString(line)
}
