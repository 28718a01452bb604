package manifest

import (
	"cmp"
	"context"
	"maps"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"bulwark/kube"
	"bulwark/source/manifest/internal/overlay"
)

const maxOverlays = 1000 // kustomizations that are built

// overlays are the kustomizations of a folder.
type overlays struct {
	r     *reader
	tree  *overlay.Tree
	all   map[string]*overlay.Kustomization // by folder
	docs  map[string][]kube.Document        // of files that objects come from
	used  map[string]bool                   // files whose objects were built
	stand map[string]bool                   // files that some kustomization takes as they stand
	have  map[string]bool

	objects []*kube.Object
}

// plan reads the kustomizations of a folder, and those that they use. What they tell is in a
// reader of their own until they are built.
func (r *reader) plan(tree *overlay.Tree, files []string) *overlays {
	v := &overlays{r: newReader(r.Options), tree: tree, all: map[string]*overlay.Kustomization{}, docs: map[string][]kube.Document{}, used: map[string]bool{}, stand: map[string]bool{}, have: map[string]bool{}}
	var next []string
	for _, file := range files {
		next = append(next, v.parse(path.Join(tree.At, file))...)
	}
	for len(next) > 0 { // those that lie where no manifests are looked for: outside, behind links, in folders left out
		dir := next[0]
		next = next[1:]
		if file := tree.Kustomization(dir); file != "" && v.all[dir] == nil && len(v.all) < maxOverlays+len(files) {
			next = append(next, v.parse(file)...)
		}
	}
	return v
}

// parse reads one kustomization, and gives the folders that it uses.
func (v *overlays) parse(file string) []string {
	k, err := v.tree.Parse(file)
	if err != nil {
		v.r.note(v.name(file), "the kustomization is not built: %v", err)
		return nil
	}
	v.all[k.Dir] = k
	return k.Dirs
}

// name is the name that a file of the tree has in the folder that is looked at.
func (v *overlays) name(file string) string {
	if v.tree.Around == nil {
		return file
	}
	name, err := filepath.Rel(filepath.FromSlash(v.tree.At), filepath.FromSlash(file))
	if err != nil {
		return file
	}
	return filepath.ToSlash(name)
}

// outer are the resources that lie outside the folder, in order.
func (v *overlays) outer() []string {
	have := map[string]bool{}
	for _, k := range v.all {
		for _, f := range k.Files {
			if v.tree.Outer(f) {
				have[f] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(have))
}

// parts are the files that kustomizations are made of: true for those that are none of
// their resources, and so no manifests.
func (v *overlays) parts() map[string]bool {
	m := map[string]bool{}
	for _, k := range v.all {
		for _, f := range k.Files {
			if f = v.name(f); !m[f] {
				m[f] = false
			}
		}
		for _, p := range k.Patches {
			m[v.name(p.File)] = true
		}
		for _, f := range k.Others {
			m[v.name(f)] = true
		}
	}
	return m
}

// left tells whether a file that is a part of kustomizations is to be read as it stands: one
// does so, or none that has it could be built.
func (v *overlays) left(file string) bool { return v.stand[file] || !v.used[file] }

// run builds the kustomizations that no other one uses, several at once; what they make is
// taken in their order.
func (v *overlays) run(ctx context.Context) {
	var list []*making
	reached := map[string]bool{}
	for _, dir := range v.roots() {
		uses := v.reach(dir)
		for _, k := range uses {
			reached[k.Dir] = true
		}
		v.tell(uses)
		if v.plain(uses) {
			for _, k := range uses {
				for _, f := range k.Files {
					v.stand[v.name(f)] = true
				}
			}
			continue
		}
		if ctx.Err() != nil {
			continue
		}
		if len(list) == maxOverlays {
			v.r.note(v.name(dir), "more than %d kustomizations: this one is not built", maxOverlays)
			continue
		}
		list = append(list, &making{dir: dir, uses: uses, done: make(chan struct{})})
	}
	for _, dir := range slices.Sorted(maps.Keys(v.all)) {
		if k := v.all[dir]; !reached[dir] && !k.Component {
			v.r.note(v.name(k.File), "kustomizations use each other in a circle: their files are read as they stand")
		}
	}
	v.make(ctx, list)
}

// make builds kustomizations, and takes what they make.
func (v *overlays) make(ctx context.Context, list []*making) {
	patched := func(m *making) bool {
		return slices.ContainsFunc(m.uses, func(k *overlay.Kustomization) bool { return len(k.Patches) > 0 })
	}
	if len(list) > 1 && slices.ContainsFunc(list, patched) {
		overlay.Prepare()
	}
	free := make(chan struct{}, min(runtime.GOMAXPROCS(0), 4)) // what was built and not taken counts too
	var building sync.WaitGroup
	defer building.Wait()
	building.Go(func() {
		for _, m := range list {
			free <- struct{}{}
			building.Go(func() {
				defer close(m.done)
				m.build(ctx, v.tree)
			})
		}
	})
	for _, m := range list {
		<-m.done
		v.take(m)
		m.objects = nil
		<-free
	}
}

// roots are the folders of kustomizations that none uses, components left out.
func (v *overlays) roots() []string {
	below := map[string]bool{}
	for _, k := range v.all {
		for _, d := range k.Dirs {
			below[d] = true
		}
	}
	var list []string
	for _, dir := range slices.Sorted(maps.Keys(v.all)) {
		if !below[dir] && !v.all[dir].Component {
			list = append(list, dir)
		}
	}
	return list
}

// reach gives the kustomizations that one uses, itself first.
func (v *overlays) reach(dir string) []*overlay.Kustomization {
	var list []*overlay.Kustomization
	seen := map[string]bool{}
	for next := []string{dir}; len(next) > 0; next = next[1:] {
		k := v.all[next[0]]
		if k == nil || seen[k.Dir] {
			continue
		}
		seen[k.Dir] = true
		list = append(list, k)
		next = append(next, k.Dirs...)
	}
	return list
}

func (v *overlays) tell(uses []*overlay.Kustomization) {
	for _, k := range uses {
		for _, n := range k.Notes {
			v.r.note(v.name(k.File), "%s", n)
		}
		k.Notes = nil // once
	}
}

// plain tells whether building changes nothing: the resources are read as they stand.
func (v *overlays) plain(uses []*overlay.Kustomization) bool {
	return !slices.ContainsFunc(uses, func(k *overlay.Kustomization) bool { return !k.Plain })
}

// making is a kustomization that is built.
type making struct {
	dir  string
	uses []*overlay.Kustomization
	done chan struct{}

	objects []built
	partly  error // why it was built without plugins
	err     error
}

// built is an object that a kustomization makes.
type built struct {
	data []byte
	root *kube.Node
	err  error
}

func (m *making) build(ctx context.Context, tree *overlay.Tree) {
	all := make(map[string]*overlay.Kustomization, len(m.uses))
	for _, k := range m.uses {
		all[k.Dir] = k
	}
	var list [][]byte
	list, m.err = tree.Build(ctx, m.dir, all, true)
	if m.err != nil && ctx.Err() == nil {
		if tame, again := tree.Build(ctx, m.dir, all, false); again == nil {
			list, m.partly, m.err = tame, m.err, nil
		}
	}
	m.objects = make([]built, len(list))
	for i, data := range list {
		m.objects[i].data = data
		m.objects[i].root, m.objects[i].err = kube.ParseJSON(data)
	}
}

// take takes the objects of one root. If it could not be built, its resources are read as they
// stand.
func (v *overlays) take(m *making) {
	file := v.name(m.uses[0].File)
	if m.partly != nil {
		v.r.note(file, "built without its generators, transformers and validators: %v", m.partly)
	}
	if m.err != nil {
		v.r.note(file, "the kustomization is not built, its files are read as they stand: %v", m.err)
		return
	}
	for _, k := range m.uses {
		for _, f := range k.Files {
			v.used[v.name(f)] = true
		}
	}
	w := &origin{dir: v.name(m.dir), file: file, bases: v.bases(m.uses), patches: v.patches(m.uses)}
	for _, b := range m.objects {
		v.object(b, w)
	}
}

// others are the objects that were built, without those that are as in their file, and were
// read there.
func (v *overlays) others(read []*kube.Object) []*kube.Object {
	if len(v.stand) == 0 || len(v.objects) == 0 {
		return v.objects
	}
	known := map[string][]*kube.Object{}
	for _, o := range read {
		if v.stand[o.Origin.File] {
			known[o.ID()] = append(known[o.ID()], o)
		}
	}
	return slices.DeleteFunc(v.objects, func(o *kube.Object) bool {
		return slices.ContainsFunc(known[o.ID()], func(r *kube.Object) bool { return r.Origin.File == o.Origin.File && r.Root.Equal(o.Root) })
	})
}

// origin is what the objects of one root come from.
type origin struct {
	dir, file string
	bases     map[string][]base // by kind
	patches   []patch
}

// base is an object in a file that a kustomization uses.
type base struct {
	file, name, namespace string
	node                  *kube.Node
}

// bases are the objects in the files that kustomizations use.
func (v *overlays) bases(uses []*overlay.Kustomization) map[string][]base {
	m := map[string][]base{}
	for _, k := range uses {
		for _, file := range k.Files {
			for _, d := range v.documents(file) {
				if d.Root == nil {
					continue
				}
				each(d.Root, func(n *kube.Node) {
					meta, kind := n.Get("metadata"), n.Get("kind").Text()
					m[kind] = append(m[kind], base{v.name(file), cmp.Or(meta.Get("name").Text(), meta.Get("generateName").Text()), meta.Get("namespace").Text(), n})
				})
			}
		}
	}
	return m
}

func (v *overlays) documents(file string) []kube.Document {
	docs, ok := v.docs[file]
	if !ok {
		if data, err := v.tree.ReadFile(file); err == nil {
			docs = kube.ParseYAML(data)
		}
		v.docs[file] = docs
	}
	return docs
}

// of is what an object was built from: the base of its kind with its name, else with a name
// that it has in its own, as prefixes and suffixes make it. nil: it was generated.
func (w *origin) of(o *kube.Object) *base {
	var best *base
	fit := -1
	for i := range w.bases[o.Kind] {
		b := &w.bases[o.Kind][i]
		score := 2 * len(b.name)
		if b.namespace == o.Namespace {
			score++
		}
		if strings.Contains(o.Name, b.name) && score > fit {
			best, fit = b, score
		}
	}
	return best
}

// object takes an object, unless another overlay has given the same.
func (v *overlays) object(b built, w *origin) {
	if b.err != nil {
		v.r.note(w.file, "an object that was built cannot be read: %v", b.err)
		return
	}
	l := &origins{file: w.file, root: b.root}
	o, ok := kube.NewObject(b.root, kube.Origin{File: w.file, Line: 1, Overlay: w.dir, Locate: l.locate})
	if !ok {
		return
	}
	if from := w.of(o); from != nil {
		l.file, l.base = from.file, from.node
		o.Origin.File, o.Origin.Line = from.file, max(from.node.Line(), 1)
	}
	key := o.ID() + "\x00" + o.Origin.File + "\x00" + string(b.data)
	if v.have[key] {
		return
	}
	v.have[key] = true
	for i := range w.patches {
		if w.patches[i].fits(o) {
			l.patches = append(l.patches, &w.patches[i])
		}
	}
	v.objects = append(v.objects, o)
}
