package overlay

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"bulwark"
	"bulwark/kube"
)

// The most that building one kustomization may come to. The library cannot be interrupted, and
// takes a hundred times the size of what it builds: what would be too much is not begun.
const (
	mostFolders = 2000      // as often as each is used
	mostObjects = 8000      // of files, as often as each is used
	mostValues  = 300_000   // of files, and of what is put into them
	mostBytes   = 24 << 20  // the same
	mostOwn     = 100_000   // values of one file kustomization.yaml
	mostCopies  = 12        // operations that copy in what a plugin's configuration says
	heavyValues = 50_000    // of what is built alone
	unseenValue = 256 << 10 // bytes of a value that cannot be found where it is copied from
)

// cost is what building takes, estimated from above.
type cost struct {
	t                     *Tree
	all                   map[string]*Kustomization
	uses                  map[string]float64 // how often each folder is used
	values, bytes, object float64
	largest               float64 // file of resources
	docs                  []*kube.Node
	resources             map[string]resources
}

// resources is what a file has.
type resources struct{ objects, values, bytes float64 }

// affordable refuses a build that would take too much, and tells whether it is heavy.
func (t *Tree) affordable(ctx context.Context, dir string, all map[string]*Kustomization, plugins bool) (heavy bool, err error) {
	c := cost{t: t, all: all, uses: map[string]float64{}, resources: map[string]resources{}}
	c.use(dir, 1, 0)
	folders := 0.0
	for _, n := range c.uses {
		folders += n
	}
	if folders > mostFolders {
		return false, fmt.Errorf("kustomizations that use each other %.0f times: %w", folders, bulwark.ErrLimit)
	}
	dirs := slices.Sorted(maps.Keys(c.uses))
	for _, dir := range dirs {
		if err := c.files(all[dir], c.uses[dir]); err != nil {
			return false, err
		}
	}
	for _, dir := range dirs {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err := c.changes(all[dir], c.uses[dir], plugins); err != nil {
			return false, err
		}
	}
	return c.values > heavyValues || c.bytes > heavyValues*20, c.within()
}

func (c *cost) within() error {
	if c.object > mostObjects || c.values > mostValues || c.bytes > mostBytes {
		return fmt.Errorf("it would have %.0f objects, %.0f values, %.0f MB: %w", c.object, c.values, c.bytes/(1<<20), bulwark.ErrLimit)
	}
	return nil
}

// use counts how often a folder is used, and what it uses.
func (c *cost) use(dir string, n float64, depth int) {
	k := c.all[dir]
	if k == nil || depth > 100 || c.uses[dir] > mostFolders {
		return
	}
	c.uses[dir] += n
	for _, d := range k.Dirs {
		c.use(d, n, depth+1)
	}
}

// files counts the resources of a kustomization.
func (c *cost) files(k *Kustomization, n float64) error {
	own := rough(k.clean)
	if own.values > mostOwn {
		return fmt.Errorf("%s has more than %d values: %w", k.File, mostOwn, bulwark.ErrLimit)
	}
	c.values, c.bytes = c.values+own.values*n, c.bytes+own.bytes*n
	for _, file := range k.Files {
		r, ok := c.resources[file]
		if !ok {
			data, err := c.t.ReadFile(file)
			if err != nil {
				continue // kustomize says so
			}
			r = rough(data)
			c.resources[file] = r
		}
		c.largest = max(c.largest, r.bytes/max(1, r.objects/2))
		c.object, c.values, c.bytes = c.object+r.objects*n, c.values+r.values*n, c.bytes+r.bytes*n
		if err := c.within(); err != nil {
			return err
		}
	}
	return nil
}

// rough counts the objects and values of a file by its signs.
func rough(data []byte) resources {
	n := 0
	for _, b := range data {
		switch b {
		case ',', '\n', '[', '{', ':':
			n++
		}
	}
	return resources{objects: float64(max(1, bytes.Count(data, []byte("kind")))), values: float64(n), bytes: float64(len(data))}
}

// changes counts what a kustomization does to the resources that it uses.
func (c *cost) changes(k *Kustomization, n float64, plugins bool) error {
	var all struct {
		Prefix       string         `yaml:"namePrefix"`
		Suffix       string         `yaml:"nameSuffix"`
		Namespace    string         `yaml:"namespace"`
		Annotations  map[string]any `yaml:"commonAnnotations"`
		Labels       []any          `yaml:"labels"`
		Images       []any          `yaml:"images"`
		Vars         []any          `yaml:"vars"`
		Replacements []replacement  `yaml:"replacements"`
		Generators   []any          `yaml:"generators"`
		Transformers []any          `yaml:"transformers"`
		Validators   []any          `yaml:"validators"`
	}
	if err := yaml.Unmarshal(k.clean, &all); err != nil {
		return nil // so says kustomize
	}
	every, _ := yaml.Marshal([]any{all.Prefix, all.Suffix, all.Namespace, all.Annotations, all.Labels})
	r := rough(every)
	c.bytes += r.bytes * 4 * c.object * n
	c.values += r.values * c.object * n / 8
	c.patches(k, n)
	if err := c.variables(len(all.Vars)); err != nil {
		return err
	}
	replacements := all.Replacements
	for _, one := range all.Replacements {
		if data, err := c.t.ReadFile(joined(k.Dir, one.Path)); one.Path != "" && err == nil {
			var list []replacement
			if yaml.Unmarshal(data, &list) == nil {
				replacements = append(replacements, list...)
			}
		}
	}
	c.replaced(replacements, n)
	if plugins && len(all.Generators)+len(all.Transformers)+len(all.Validators) > 0 {
		if err := c.plugins(k); err != nil {
			return err
		}
	}
	return c.within()
}

func joined(dir, file string) string { return local(dir + "/" + file) }

// patches counts what patches bring, and what their operations copy: each copy may double an
// object.
func (c *cost) patches(k *Kustomization, n float64) {
	copies := 0.0
	for _, p := range k.Patches {
		r, times := rough([]byte(p.Text)), 1.0
		if p.Name == "" && p.Kind != "" || strings.ContainsAny(p.Name, ".*+?[(|") {
			times = c.object
		}
		c.bytes, c.values = c.bytes+r.bytes*times*n, c.values+r.values*times*n
		if strings.Contains(p.Text, "copy") {
			copies += float64(operations([]byte(p.Text))) * n
		}
	}
	if copies > 0 {
		c.bytes += max(c.largest, 1<<10) * math.Pow(2, min(copies, 60))
	}
}

// operations counts those that copy.
func operations(text []byte) int {
	n := 0
	for _, d := range kube.ParseYAML(text) {
		for _, op := range d.Root.Items() {
			if op.Get("op").Text() == "copy" {
				n++
			}
		}
	}
	return n
}

// plugins looks at the configurations of generators, transformers and validators, which are
// patches and replacements by another way.
func (c *cost) plugins(k *Kustomization) error {
	texts := [][]byte{k.clean}
	for _, f := range k.Others {
		if data, err := c.t.ReadFile(f); err == nil {
			texts = append(texts, data)
		}
	}
	for _, text := range texts {
		if bytes.Count(text, []byte("copy")) > mostCopies || bytes.Count(text, []byte("fieldPath")) > mostCopies || len(text) > 1<<20 {
			return fmt.Errorf("what its transformers do cannot be bounded: %w", bulwark.ErrLimit)
		}
	}
	return nil
}

// documents are the objects of all files.
func (c *cost) documents() []*kube.Node {
	if c.docs == nil {
		for file := range c.resources {
			data, _ := c.t.ReadFile(file)
			for _, d := range kube.ParseYAML(data) {
				if d.Root != nil {
					c.docs = append(c.docs, d.Root)
				}
			}
		}
	}
	return c.docs
}

// variables counts what $(NAME) may become: the longest text that there is.
func (c *cost) variables(n int) error {
	if n == 0 {
		return nil
	}
	named, longest := 0.0, 0.0
	for file := range c.resources {
		data, _ := c.t.ReadFile(file)
		named += float64(bytes.Count(data, []byte("$(")))
	}
	for _, d := range c.documents() {
		longest = max(longest, float64(longestText(d, 0)))
	}
	c.bytes += named * longest
	return c.within()
}

func longestText(n *kube.Node, depth int) int {
	most := len(n.Text())
	if depth > 100 {
		return most
	}
	for _, v := range n.Fields() {
		most = max(most, longestText(v, depth+1))
	}
	for _, v := range n.Items() {
		most = max(most, longestText(v, depth+1))
	}
	return most
}

// replacement is one of a kustomization, as far as it says how much it copies.
type replacement struct {
	Path   string `yaml:"path"`
	Source struct {
		Kind  string `yaml:"kind"`
		Field string `yaml:"fieldPath"`
	} `yaml:"source"`
	Targets []struct {
		Select struct {
			Kind string `yaml:"kind"`
			Name string `yaml:"name"`
		} `yaml:"select"`
		Fields []string `yaml:"fieldPaths"`
	} `yaml:"targets"`
}

// replaced counts what replacements copy. What one copies may have grown by those before it
// that write there.
func (c *cost) replaced(list []replacement, n float64) {
	sizes := make([]float64, len(list))
	for j := range list {
		size := c.source(&list[j])
		for i := range j {
			for _, to := range list[i].Targets {
				for _, field := range to.Fields {
					if kinds := to.Select.Kind; (kinds == "" || kinds == list[j].Source.Kind) && overlap(field, list[j].Source.Field) {
						size += sizes[i] * times(field)
					}
				}
			}
		}
		sizes[j] = min(size, 1e15)
		for _, to := range list[j].Targets {
			objects := c.object
			if to.Select.Name != "" && !strings.ContainsAny(to.Select.Name, ".*+?[(|") {
				objects = 1
			}
			for _, field := range to.Fields {
				c.bytes += sizes[j] * times(field) * objects * n
			}
		}
		if c.within() != nil {
			return
		}
	}
}

// times is into how many places of one object a path may lead.
func times(field string) float64 { return math.Pow(50, float64(strings.Count(field, "*"))) }

// overlap tells whether one path may lead into the other.
func overlap(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] && !strings.ContainsAny(x[i]+y[i], "*[") {
			return false
		}
	}
	return true
}

// source is how large what a replacement copies is, as the files have it.
func (c *cost) source(r *replacement) float64 {
	size, found := 0.0, false
	path := []any{}
	for step := range strings.SplitSeq(r.Source.Field, ".") {
		if strings.ContainsAny(step, `[\*`) {
			return max(c.largest, 1<<10)
		}
		path = append(path, step)
	}
	if r.Source.Field == "" {
		path = []any{"metadata", "name"}
	}
	for _, d := range c.documents() {
		if r.Source.Kind != "" && d.Get("kind").Text() != r.Source.Kind {
			continue
		}
		if v := d.At(path...); v.Exists() {
			size, found = max(size, float64(len(v.JSON()))), true
		}
	}
	if !found && (r.Source.Kind == "ConfigMap" || r.Source.Kind == "Secret" || r.Source.Kind == "") {
		return unseenValue // a generator makes it
	}
	return max(size, 100)
}
