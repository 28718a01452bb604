package scan

import (
	"fmt"
	"path"
	"strings"

	"bulwark"
)

// links knows the symbolic links of all layers and what they do to paths.
type links struct {
	layers []*facts
	any    map[string]bool // paths that are a link in some layer
	// crossings are, by layer, the links of lower layers that the layer's own names
	// lead through ("lib/x" above "lib -> usr/lib").
	crossings [][]crossing
	above     []above         // the layers, as those below see them
	folders   map[name]string // those of any, by their names as folders
	work      int             // layers and links that were looked at
}

type crossing struct{ link, target string }

// maxHops bounds the links that one path may lead through, as the kernel does.
const maxHops = 40

// maxWork bounds the work of all paths. Past it links are not followed and nothing is
// hidden; real images stay far below.
const maxWork = 5_000_000

// spent tells whether the work is too much, and adds to it.
func (l *links) spent() bool {
	l.work++
	return l.work > maxWork
}

// exhausted is a note if some work was left undone.
func (l *links) exhausted() error {
	if l.work <= maxWork {
		return nil
	}
	return fmt.Errorf("too many layers, links and files to tell which hide which: %w", bulwark.ErrLimit)
}

func newLinks(layers []*facts) *links {
	l := &links{layers: layers, any: map[string]bool{}, crossings: make([][]crossing, len(layers)), above: make([]above, len(layers)), folders: map[name]string{}}
	var below []*facts // whose links are not in folders yet
	for i, f := range layers {
		if f == nil {
			continue
		}
		l.above[i].facts = f
		if len(f.passed) > 0 {
			for _, b := range below {
				for p := range b.links {
					l.folders[nameOf(p, true)] = p
				}
			}
			below = nil
			l.crossings[i] = l.crossed(i, f)
		}
		for p := range f.links {
			l.any[p] = true
		}
		below = append(below, f)
	}
	return l
}

func (l *links) crossed(layer int, f *facts) []crossing {
	var list []crossing
	for _, n := range f.passed {
		p, ok := l.folders[n]
		if !ok {
			continue
		}
		if t := l.real(layer, p+"/x"); t != p+"/x" {
			list = append(list, crossing{p, path.Dir(t)})
		}
	}
	return list
}

// real is where a layer's path lies once the symbolic links of its folders, as they
// are at that layer, are followed inside the image. A loop leaves the path as it is.
func (l *links) real(layer int, p string) string {
	at := p
	for range maxHops {
		next, ok := l.step(layer, at)
		if !ok {
			return at
		}
		at = next
	}
	return p
}

// step follows the first folder of p that is a link.
func (l *links) step(layer int, p string) (string, bool) {
	if len(l.any) == 0 {
		return p, false
	}
	for i := 0; i < len(p); i++ {
		if p[i] != '/' || !l.any[p[:i]] {
			continue
		}
		if target, ok := l.target(layer, p[:i]); ok {
			joined := path.Join("/", path.Dir(p[:i]), target, p[i:])
			if strings.HasPrefix(target, "/") {
				joined = path.Join("/", target, p[i:])
			}
			return joined[1:], true
		}
	}
	return p, false
}

// target is where p leads if it is a link as the layer sees it.
func (l *links) target(layer int, p string) (string, bool) {
	for i := layer; i >= 0; i-- {
		f := l.layers[i]
		if f == nil {
			continue
		}
		if l.spent() {
			return "", false
		}
		if t, ok := f.links[p]; ok {
			return t, true
		}
		if l.above[i].hides(p) {
			return "", false
		}
	}
	return "", false
}

// hidden tells whether a layer above makes the real path p invisible.
func (l *links) hidden(layer int, p string) bool {
	return l.hiddenBelow(len(l.layers), layer, p)
}

// hiddenBelow tells the same of the layers below top.
func (l *links) hiddenBelow(top, layer int, p string) bool {
	for i := layer + 1; i < top; i++ {
		f := l.layers[i]
		if f == nil {
			continue
		}
		if l.spent() {
			return false
		}
		if l.above[i].hides(p) {
			return true
		}
		for _, c := range l.crossings[i] {
			if l.spent() {
				return false
			}
			if rest, ok := strings.CutPrefix(p, c.target+"/"); ok && l.above[i].hides(c.link+"/"+rest) {
				return true
			}
		}
	}
	return false
}
