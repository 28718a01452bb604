package graph

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"bulwark"
)

// Graph is what relaters told. Fill it by its methods, then ask; the first question closes it,
// and one that is told more afterwards is closed anew. It is not safe for parallel use.
//
// A relation takes about 40 bytes: names, texts, and lists of reasons and remedies are kept
// once.
type Graph struct {
	names    []bulwark.VertexID
	number   map[bulwark.VertexID]uint32
	told     []compact
	words    words
	lists    lists
	remedies map[string]bulwark.Remedy
	notes    []bulwark.Note
	work     int // for tests: what the smallest set may take; 0 is mostWork

	closed bool
	rows            // of relations, by where they begin
	from   []uint32 // relation -> vertex it begins at
	ends   []uint32 // relation -> vertex it leads to
	cost   []float32
	cuts   [][]int32 // relation -> numbers of remedies, sorted; those that are alike share one
	byCut  []string  // number of a remedy -> id
	back   rows      // relations by where they end
	made   map[uint32]*bulwark.Relation
}

// compact is a relation as it is kept.
type compact struct {
	from, to         uint32
	text, file, line uint32
	because, cut     uint32
	likelihood       float32
	kind             uint32
}

// rows are relations that lie together by a vertex: those of v are list[first[v]:first[v+1]].
type rows struct {
	first []uint32
	list  []uint32
}

func (r *rows) of(v uint32) []uint32 { return r.list[r.first[v]:r.first[v+1]] }

// New makes an empty graph.
func New() *Graph {
	return &Graph{number: map[bulwark.VertexID]uint32{}, remedies: map[string]bulwark.Remedy{}}
}

// Relation adds one.
func (g *Graph) Relation(r bulwark.Relation) {
	c := compact{
		from: g.vertex(r.From), to: g.vertex(r.To), text: g.words.of(r.Text), kind: g.words.of(r.Type),
		because: g.lists.of(&g.words, r.Because), cut: g.lists.of(&g.words, r.Remedies), likelihood: 1,
	}
	if r.Place != nil {
		c.file, c.line = g.words.of(r.Place.Path)+1, uint32(max(r.Place.Line, 0))
	}
	if r.Likelihood > 0 && r.Likelihood < 1 {
		c.likelihood = float32(r.Likelihood)
	}
	g.told, g.closed = append(g.told, c), false
}

// Remedy adds one. Two with the same id are one.
func (g *Graph) Remedy(r bulwark.Remedy) { g.remedies[r.ID] = r }

// Note keeps a note.
func (g *Graph) Note(n bulwark.Note) { g.notes = append(g.notes, n) }

// Notes are those that relaters left.
func (g *Graph) Notes() []bulwark.Note { return g.notes }

func (g *Graph) vertex(id bulwark.VertexID) uint32 {
	n, ok := g.number[id]
	if !ok {
		n = uint32(len(g.names))
		g.number[id] = n
		g.names = append(g.names, id)
	}
	return n
}

// Len is how many vertices and relations there are.
func (g *Graph) Len() (vertices, relations int) { return len(g.names), len(g.told) }

// Vertices are all of them, in the order in which relations named them.
func (g *Graph) Vertices() []bulwark.VertexID { return g.names }

// Relations are all of them, in the order in which they were told.
func (g *Graph) Relations(yield func(bulwark.Relation) bool) {
	for i := range g.told {
		if !yield(g.whole(&g.told[i])) {
			return
		}
	}
}

func (g *Graph) whole(c *compact) bulwark.Relation {
	r := bulwark.Relation{
		From: g.names[c.from], To: g.names[c.to], Type: g.words.list[c.kind], Text: g.words.list[c.text],
		Because: g.lists.words(&g.words, c.because), Remedies: g.lists.words(&g.words, c.cut),
	}
	if c.likelihood < 1 {
		r.Likelihood = math.Round(float64(c.likelihood)*1e6) / 1e6
	}
	if c.file > 0 {
		r.Place = &bulwark.Place{Path: g.words.list[c.file-1], Line: int(c.line)}
	}
	return r
}

// relation is one as it was told; the same each time.
func (g *Graph) relation(n uint32) *bulwark.Relation {
	r := g.made[n]
	if r == nil {
		one := g.whole(&g.told[n])
		r = &one
		g.made[n] = r
	}
	return r
}

// detour is what every step costs besides its likelihood, so that of ways that are alike likely
// the one with the fewest steps is told.
const detour = 1e-5

// close lays the relations by where they begin and end.
func (g *Graph) close() {
	if g.closed {
		return
	}
	g.closed = true
	n := len(g.told)
	g.made = map[uint32]*bulwark.Relation{}
	g.from, g.ends, g.cost, g.cuts = make([]uint32, n), make([]uint32, n), make([]float32, n), make([][]int32, n)
	g.byCut = nil
	numbers := map[uint32]int32{}
	lists := make([][]int32, len(g.lists.all))
	for i := range g.told {
		c := &g.told[i]
		g.from[i], g.ends[i] = c.from, c.to
		if c.likelihood < 1 {
			g.cost[i] = float32(-math.Log(float64(c.likelihood)))
		}
		if !Grouping(g.names[c.to]) {
			g.cost[i] += detour
		}
		if c.cut > 0 && lists[c.cut-1] == nil {
			lists[c.cut-1] = g.number32(numbers, g.lists.all[c.cut-1])
		}
		if c.cut > 0 {
			g.cuts[i] = lists[c.cut-1]
		}
	}
	g.rows, g.back = sorted(g.from, len(g.names)), sorted(g.ends, len(g.names))
}

// number32 gives the numbers of remedies.
func (g *Graph) number32(numbers map[uint32]int32, words []uint32) []int32 {
	list := make([]int32, 0, len(words))
	for _, w := range words {
		c, ok := numbers[w]
		if !ok {
			c = int32(len(g.byCut))
			numbers[w] = c
			g.byCut = append(g.byCut, g.words.list[w])
		}
		list = append(list, c)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// sorted lays what has a vertex by that vertex, in order.
func sorted(by []uint32, vertices int) rows {
	r := rows{first: make([]uint32, vertices+1), list: make([]uint32, len(by))}
	for _, v := range by {
		r.first[v+1]++
	}
	for i := 1; i < len(r.first); i++ {
		r.first[i] += r.first[i-1]
	}
	next := slices.Clone(r.first)
	for i, v := range by {
		r.list[next[v]] = uint32(i)
		next[v]++
	}
	return r
}

// Grouping tells whether a vertex stands between others and is nothing itself.
func Grouping(id bulwark.VertexID) bool { return strings.HasPrefix(string(id), "group:") }

// kind is the part of a name before the colon.
func kind(v bulwark.VertexID) string {
	k, _, _ := strings.Cut(string(v), ":")
	return k
}

// words keeps each string once.
type words struct {
	list   []string
	number map[string]uint32
}

func (w *words) of(s string) uint32 {
	n, ok := w.number[s]
	if !ok {
		if w.number == nil {
			w.number = map[string]uint32{}
		}
		n = uint32(len(w.list))
		w.number[s] = n
		w.list = append(w.list, s)
	}
	return n
}

// lists keeps each list of words once; 0 is the empty one.
type lists struct {
	all    [][]uint32
	number map[string]uint32
	room   []byte
}

func (l *lists) of(w *words, list []string) uint32 {
	if len(list) == 0 {
		return 0
	}
	l.room = l.room[:0]
	for _, s := range list {
		l.room = binary.LittleEndian.AppendUint32(l.room, w.of(s))
	}
	n, ok := l.number[string(l.room)]
	if !ok {
		if l.number == nil {
			l.number = map[string]uint32{}
		}
		one := make([]uint32, len(list))
		for i := range one {
			one[i] = binary.LittleEndian.Uint32(l.room[4*i:])
		}
		l.all = append(l.all, one)
		n = uint32(len(l.all))
		l.number[string(l.room)] = n
	}
	return n
}

func (l *lists) words(w *words, n uint32) []string {
	if n == 0 {
		return nil
	}
	list := make([]string, len(l.all[n-1]))
	for i, one := range l.all[n-1] {
		list[i] = w.list[one]
	}
	return list
}
