package scan

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
)

// links knows what the symbolic links of the layers do to paths. It goes up the layers
// with enter and answers for the last that was entered: what the links of all layers up
// to that one make of its paths.
type links struct {
	*effort
	layers []*facts
	now    int
	above  []above         // the layers, as those below see them
	any    map[string]link // by path, of all layers so far
	ways   map[string]way  // where links lead, as now sees them
	trail  []passage       // folders of the last path, each within the one before

	below     []*facts        // lower layers whose links are not in folders yet
	folders   map[name]string // links of lower layers, by their names as folders
	crossings map[string][]crossing
}

// link is the latest that the layers so far have at a path.
type link struct {
	from int32 // the layer that has it
	seen int32 // the last layer that was asked whether it hides the link
	gone bool  // it does
}

// way is where a path of folders leads inside the image.
type way struct {
	real string // empty: the root
	hops int    // links on the way
	lost bool   // it leads round and round, or the effort was too much
}

type passage struct {
	dir string
	way
}

// crossing is a link of a lower layer that a layer's own names lead through ("lib/x"
// above "lib -> usr/lib"). They are kept by where they lead.
type crossing struct {
	link  string
	layer int
}

// maxHops bounds the links that one path may lead through, as the kernel does.
const maxHops = 40

// deepest is how many links are followed within each other, though maxHops is exceeded:
// so the next link of a long chain is known to be too far off, too.
const deepest = 4 * maxHops

// effort bounds what the paths of all layers may cost together. When it is spent, links
// are not followed and nothing is hidden any more; real images stay far below.
type effort struct {
	work int // look-ups, each of 100 to 250 ns
	text int // bytes of paths made
}

const (
	maxWork = 5_000_000
	maxText = 16 << 20
)

// spent tells whether a look-up of a path of n bytes is too much.
func (e *effort) spent(n int) bool {
	e.work += 1 + n/64
	return e.over()
}

// written tells whether a path of n bytes may not be kept.
func (e *effort) written(n int) bool {
	e.text += n
	return e.over()
}

func (e *effort) over() bool { return e.work > maxWork || e.text > maxText }

// exhausted is a note if something was left undone.
func (e *effort) exhausted() error {
	if !e.over() {
		return nil
	}
	return fmt.Errorf("too many layers, links and files to tell which hide which: %w", bulwark.ErrLimit)
}

func newLinks(layers []*facts) *links {
	l := &links{effort: &effort{}, layers: layers, ways: map[string]way{}, folders: map[name]string{}, crossings: map[string][]crossing{}}
	count := 0
	for _, f := range layers {
		l.above = append(l.above, above{facts: f, effort: l.effort})
		if f != nil {
			count += len(f.links)
		}
	}
	l.any = make(map[string]link, min(count, mostRoom))
	return l
}

// enter goes up to a layer, which is not nil.
func (l *links) enter(layer int) {
	f := l.layers[layer]
	l.now, l.trail = layer, l.trail[:0]
	clear(l.ways)
	for p := range f.links {
		l.any[p] = link{from: int32(layer), seen: int32(layer)}
	}
	if len(f.passed) > 0 {
		for _, b := range l.below {
			for p := range b.links {
				l.folders[nameOf(p, true)] = p
			}
		}
		l.below = l.below[:0]
		l.cross(f)
	}
	l.below = append(l.below, f)
}

// cross finds the crossings of the layer.
func (l *links) cross(f *facts) {
	if len(l.folders) == 0 {
		return
	}
	var crossed []string
	for _, n := range f.passed {
		if p, ok := l.folders[n]; ok {
			crossed = append(crossed, p)
		}
	}
	slices.Sort(crossed)
	for _, p := range crossed {
		if w := l.folder(p); !w.lost && w.real != p {
			l.crossings[w.real] = append(l.crossings[w.real], crossing{p, l.now})
		}
	}
}

// real is where a path of the layer lies once the links of its folders are followed
// inside the image. A loop leaves the path as it is.
func (l *links) real(p string) string {
	dir := folder(p)
	if dir == "" || len(l.any) == 0 {
		return p
	}
	w := l.folder(dir)
	if w.lost || w.real == dir || l.written(2*(len(w.real)+len(p)-len(dir))) { // reports have a copy
		return p
	}
	return within(w.real, p[len(dir)+1:])
}

// folder is where a folder lies. Folders are asked about mostly in order, so those of the last
// path are remembered.
func (l *links) folder(dir string) way {
	for len(l.trail) > 0 && !inside(dir, l.trail[len(l.trail)-1].dir) {
		l.trail = l.trail[:len(l.trail)-1]
	}
	w, at := way{}, 0
	if n := len(l.trail); n > 0 {
		w, at = l.trail[n-1].way, len(l.trail[n-1].dir)+1
	}
	for at < len(dir) && !w.lost {
		end := component(dir, at)
		next := dir[:end]
		if w.real != dir[:max(at-1, 0)] {
			next = within(w.real, dir[at:end])
		}
		w = l.step(next, w.hops, 0)
		l.trail = append(l.trail, passage{dir[:end], w})
		at = end + 1
	}
	return w
}

// step is the way to p, whose folder is real; depth is how many links are being followed.
func (l *links) step(p string, hops, depth int) way {
	if l.spent(len(p)) {
		return way{lost: true}
	}
	target, ok := l.target(p)
	if !ok {
		return way{real: p, hops: hops}
	}
	w := l.through(p, target, depth)
	w.hops += hops
	w.lost = w.lost || w.hops > maxHops
	return w
}

// through is the way that the link at p leads.
func (l *links) through(p, target string, depth int) way {
	if w, ok := l.ways[p]; ok {
		return w
	}
	w := way{lost: true}
	if depth < deepest {
		w = l.follow(folder(p), target, depth+1)
	}
	w.hops++
	if w.lost || l.written(len(w.real)) {
		w = way{lost: true}
	}
	if !w.lost || depth < deepest-maxHops { // deeper ones may be lost for want of depth
		l.ways[p] = w
	}
	return w
}

// follow is the way that the target of a link in the real folder leads.
func (l *links) follow(folderOfLink, target string, depth int) way {
	w := way{real: folderOfLink}
	if strings.HasPrefix(target, "/") {
		w.real = ""
	}
	for part := range strings.SplitSeq(target, "/") {
		switch {
		case w.lost:
			return w
		case part == "" || part == ".":
		case part == "..":
			w.real = folder(w.real)
		default:
			w = l.step(within(w.real, part), w.hops, depth)
		}
	}
	return w
}

// target is what the link at p holds, if there is one that the layer sees.
func (l *links) target(p string) (string, bool) {
	k, ok := l.any[p]
	if !ok || k.gone {
		return "", false
	}
	if int(k.seen) < l.now {
		for int(k.seen) < l.now && !k.gone {
			k.seen++
			k.gone = l.above[k.seen].hides(p)
		}
		l.any[p] = k
	}
	return l.layers[k.from].links[p], !k.gone
}

// within is a path in a folder; the empty folder is the root.
func within(dir, p string) string {
	if dir == "" {
		return p
	}
	return dir + "/" + p
}

// inside tells whether p is dir or lies in it.
func inside(p, dir string) bool {
	return strings.HasPrefix(p, dir) && (len(p) == len(dir) || p[len(dir)] == '/')
}

// component is where the part of p that begins at a place ends.
func component(p string, at int) int {
	if i := strings.IndexByte(p[at:], '/'); i >= 0 {
		return at + i
	}
	return len(p)
}
