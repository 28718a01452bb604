package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/semaphore"

	"bulwark"
	"bulwark/internal/glob"
)

// pass feeds the plugins from the layers of one target, each byte read once.
type pass struct {
	s      *Scanner
	t      *bulwark.Target
	memory *semaphore.Weighted
	budget *budget
	most   int64
	prog   Progress
	// extractors and inspectors are those of the scanner that are asked about this target.
	extractors []bulwark.Extractor
	inspectors []bulwark.Inspector
	// past: what is read are versions of files that were there once.
	past bool
	// plugins is the fingerprint of everything that decides which facts bytes give.
	plugins string
}

const (
	defaultMemory = 100 << 20
	pieceSize     = 256 << 10
	smallFile     = 1 << 20 // below this a file on disk is read whole rather than in many small reads
	maxNotes      = 20      // notes of one plugin about one layer; the rest is counted
)

func (s *Scanner) newPass(t *bulwark.Target) *pass {
	most := cmp.Or(s.Memory, defaultMemory)
	p := &pass{s: s, t: t, memory: semaphore.NewWeighted(most), budget: &budget{left: remembered, alone: len(t.Layers) == 1 && t.Past == nil}, most: most, prog: s.Progress, plugins: s.fingerprint(t.Image != nil)}
	if p.prog == nil {
		p.prog = silent{}
	}
	p.extractors, p.inspectors = asked(s.Extractors, t), asked(s.Inspectors, t)
	p.prog.Target(t)
	return p
}

// asked are the plugins that have a say about the target.
func asked[P bulwark.Plugin](all []P, t *bulwark.Target) []P {
	if !t.Absolute {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(p P) bool { return p.Info().Project })
}

// layer gives the facts of a layer, from the cache or by reading it. When the bytes
// are not what they claim to be, or none came, there are no facts; for any other error
// there are those of the part that was read.
func (p *pass) layer(ctx context.Context, l *bulwark.Layer) (*facts, error) {
	share := share{of: p.budget}
	if f := p.s.Cache.load(p.plugins, l); f != nil {
		p.prog.Layer(l, true)
		if err := share.spend(f.cost()); err != nil {
			return nil, err
		}
		return f, nil
	}
	w := &walker{pass: p, ctx: ctx, facts: newFacts(l.DiffID), share: share, notes: map[string]int{}, piece: make([]byte, pieceSize), folders: map[name]bool{}}
	visit := w.visit
	if p.past {
		visit = w.version
	}
	err := l.Tree.Walk(ctx, visit)
	if err == nil && len(w.pending) > 0 {
		err = l.Tree.Walk(ctx, w.visitLinked)
	}
	w.finish()
	p.prog.Layer(l, false)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, bulwark.ErrUntrusted), err != nil && !w.began:
		return nil, err
	case err != nil:
		return w.facts, fmt.Errorf("read in part, and so not verified: %w", err)
	}
	if n := p.s.Cache.store(p.plugins, l, w.facts); n != nil {
		w.facts.notes = append(w.facts.notes, *n)
	}
	return w.facts, nil
}

// again gives a layer the facts of a lower one that is the same.
func (p *pass) again(l *bulwark.Layer, f *facts, err error) (*facts, error) {
	p.prog.Layer(l, true)
	if f == nil {
		return nil, err
	}
	share := share{of: p.budget}
	if limit := share.spend(f.cost()); limit != nil {
		return nil, limit
	}
	return f, err
}

// walker is the state of reading one layer.
type walker struct {
	*pass
	ctx    context.Context
	facts  *facts
	share  share
	notes  map[string]int // by plugin, how many
	piece  []byte
	buffer []byte // reused for small files
	sinks  []sink
	dir    string // folder of the last entry: most entries share it
	began  bool   // there was an entry
	// folders are those that entries lie in; with one its parents are there.
	folders map[name]bool

	seen    map[string]seen               // files that plugins were given
	pending map[string][]bulwark.FileInfo // hard links, by the path that has the bytes
	earlier map[string]bool               // what versions from the past had, by key and path
}

type sink struct {
	bulwark.Sink
	plugin bulwark.Inspector
}

type seen struct {
	file int // its place in facts.files plus one; 0 when nothing was found; below 0, its place in facts.plain minus one
	size int64
}

// visit takes one entry of the layer.
func (w *walker) visit(e *bulwark.Entry) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	w.began = true
	if e.Err != nil {
		w.note("scan", e.Path, e.Err)
		return nil
	}
	if e.Odd != nil {
		w.remark(bulwark.Note{Plugin: "scan", Path: e.Path, Text: e.Odd.Error()})
	}
	if err := w.parents(e.Path); err != nil {
		return err
	}
	if done, err := w.whiteout(e); done {
		return err
	}
	if err := w.share.spend(costOfName); err != nil {
		return err
	}
	w.facts.names.add(e.Path, e.Mode.IsDir())
	w.prog.Read(e.Size)
	switch {
	case e.Hard:
		return w.hard(e)
	case e.Mode&fs.ModeSymlink != 0:
		w.facts.links[e.Path] = e.Link
		return w.share.spend(costOfPath + len(e.Path) + len(e.Link))
	case e.Mode.IsRegular():
		return w.file(&e.FileInfo, e.Body, e.At)
	}
	return nil
}

// whiteout notes what the layer removes, and tells whether e says such a thing (https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts).
func (w *walker) whiteout(e *bulwark.Entry) (bool, error) {
	removed, ok := strings.CutPrefix(e.Base, ".wh.")
	if !ok || w.t.Image == nil {
		return false, nil
	}
	dir := path.Dir(e.Path)
	switch {
	case e.Base == ".wh..wh..opq":
		w.facts.opaque[dir] = true
	case !strings.HasPrefix(e.Base, ".wh..wh."): // others are aufs's own business
		w.facts.gone[path.Join(dir, removed)] = true
	}
	return true, w.share.spend(costOfPath + len(e.Path))
}

// parents remembers the folders that p lies in, whether they have entries or not.
func (w *walker) parents(p string) error {
	dir := folder(p)
	if dir == w.dir {
		return nil
	}
	w.dir = dir
	for ; dir != ""; dir = folder(dir) {
		n := nameOf(dir, true)
		if w.folders[n] {
			return nil
		}
		w.folders[n] = true
		// An eighth of its length stands for the time that hashing deep paths takes.
		if err := w.share.spend(costOfFolder + len(dir)/8); err != nil {
			return err
		}
	}
	return nil
}

// folder is what a clean path lies in; empty at the top.
func folder(p string) string { return p[:max(0, strings.LastIndexByte(p, '/'))] }

func (w *walker) excluded(p string) bool {
	for _, g := range w.s.Exclude {
		if glob.Match(strings.TrimPrefix(g, "/"), p) {
			return true
		}
	}
	return false
}

// file feeds one file to whoever wants it.
func (w *walker) file(info *bulwark.FileInfo, body io.Reader, at io.ReaderAt) error {
	if w.excluded(info.Path) {
		return nil
	}
	var wants []bulwark.Extractor
	for _, x := range w.extractors {
		if x.Wants(info) {
			wants = append(wants, x)
		}
	}
	if !w.begin(info) && len(wants) == 0 {
		return nil
	}
	found := fileFacts{path: info.Path}
	err := w.read(info, body, at, wants, &found)
	if err != nil && (at == nil || w.ctx.Err() != nil) {
		return err // the stream is broken, and with it all that follows
	}
	w.note("scan", info.Path, err)
	return w.keep(info, found)
}

// begin asks the inspectors about a file, and tells whether one is interested.
func (w *walker) begin(info *bulwark.FileInfo) bool {
	w.sinks = w.sinks[:0]
	for _, in := range w.inspectors {
		if s := in.Begin(info); s != nil {
			w.sinks = append(w.sinks, sink{s, in})
		}
	}
	return len(w.sinks) > 0
}

// keep adds what was found to the layer's facts.
func (w *walker) keep(info *bulwark.FileInfo, found fileFacts) error {
	x, plain := found.plain()
	cost := found.cost()
	if plain {
		cost = costOfPlain + len(info.Path)
	}
	if err := w.share.spend(cost); err != nil {
		return err
	}
	if w.seen == nil {
		w.seen = map[string]seen{}
	}
	switch old := w.seen[info.Path].file; { // the layer holds the path twice: the later one counts
	case old > 0:
		w.facts.files[old-1] = fileFacts{path: info.Path}
	case old < 0:
		w.facts.plain[-old-1].path = ""
	}
	known := seen{size: info.Size}
	switch {
	case plain:
		w.facts.plain = append(w.facts.plain, x)
		known.file = -len(w.facts.plain)
	case !found.empty():
		w.facts.files = append(w.facts.files, found)
		known.file = len(w.facts.files)
	}
	w.seen[info.Path] = known
	return nil
}

func (f *fileFacts) empty() bool {
	return len(f.Packages) == 0 && len(f.Findings) == 0 && len(f.owned) == 0 && len(f.recorded) == 0 && len(f.Executables) == 0 && f.Release == nil && len(f.Repositories) == 0 && len(f.Licensed) == 0 && len(f.Documents) == 0
}

// add takes a plugin's facts about the file.
func (f *fileFacts) add(x bulwark.Facts) {
	for _, o := range x.Owned {
		f.owned = append(f.owned, owned{o.Package, namesOf(o.Paths)})
	}
	for _, r := range x.Recorded {
		f.recorded = append(f.recorded, recorded{r.Package, r.Format, namesOf(r.Paths), r.Digests[:min(len(r.Digests), len(r.Paths))]})
	}
	f.Packages = append(f.Packages, x.Packages...)
	f.Executables = append(f.Executables, x.Executables...)
	f.Findings = append(f.Findings, x.Findings...)
	f.Repositories = append(f.Repositories, x.Repositories...)
	f.Licensed = append(f.Licensed, x.Licensed...)
	f.Documents = append(f.Documents, x.Documents...)
	if x.Release != nil {
		f.Release = x.Release
	}
}

func namesOf(paths []string) []name {
	names := make([]name, len(paths))
	for i, p := range paths {
		names[i] = nameOf(p, false)
	}
	return names
}

// note remembers that a plugin failed on a file.
func (w *walker) note(plugin, p string, err error) {
	if err == nil {
		return
	}
	var pe *bulwark.PluginError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	w.remark(bulwark.Note{Plugin: plugin, Path: p, Text: err.Error(), Incomplete: true})
}

// remark keeps a note, up to a number of them from one plugin.
func (w *walker) remark(n bulwark.Note) {
	w.notes[n.Plugin]++
	if w.notes[n.Plugin] <= maxNotes {
		w.facts.notes = append(w.facts.notes, n)
	}
}

func (w *walker) finish() {
	for plugin, n := range w.notes {
		if n > maxNotes {
			w.facts.notes = append(w.facts.notes, bulwark.Note{Plugin: plugin, Text: fmt.Sprintf("%d more files that are odd or could not be read", n-maxNotes), Incomplete: true})
		}
	}
	w.facts.passed = slices.Collect(maps.Keys(w.folders))
	w.folders = nil
	w.vouch()
	w.facts.seal()
}
