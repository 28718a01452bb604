package scan

import (
	"path"
	"strings"
)

// links knows the symbolic links of all layers and what they do to paths.
type links struct {
	layers []*facts
	any    map[string]bool // paths that are a link in some layer
	// crossings are, by layer, the links of lower layers that the layer's own names
	// lead through ("lib/x" above "lib -> usr/lib").
	crossings [][]crossing
	hashes    hashes
}

type crossing struct{ link, target string }

// maxHops bounds the links that one path may lead through, as the kernel does.
const maxHops = 40

func newLinks(layers []*facts) *links {
	l := &links{layers: layers, any: map[string]bool{}, crossings: make([][]crossing, len(layers)), hashes: hashes{}}
	for i, f := range layers {
		if f == nil {
			continue
		}
		if len(f.passed) > 0 {
			l.crossings[i] = l.crossed(i, f)
		}
		for p := range f.links {
			l.any[p] = true
		}
	}
	return l
}

func (l *links) crossed(layer int, f *facts) []crossing {
	var list []crossing
	for p := range l.any {
		if !f.passed.has(nameOf(p, true)) {
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
		if t, ok := f.links[p]; ok {
			return t, true
		}
		if f.hides(p, l.hashes) {
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
		if f.hides(p, l.hashes) {
			return true
		}
		for _, c := range l.crossings[i] {
			if rest, ok := strings.CutPrefix(p, c.target+"/"); ok && f.hides(c.link+"/"+rest, l.hashes) {
				return true
			}
		}
	}
	return false
}
