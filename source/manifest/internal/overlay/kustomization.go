package overlay

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"bulwark"
	"bulwark/kube"
)

// Kustomization is one file of that name, with what it uses.
type Kustomization struct {
	File, Dir string
	Component bool
	// Plain is true for one that only names resources: building changes nothing in them.
	Plain   bool
	Dirs    []string // of the kustomizations that it uses
	Files   []string // of resources that it uses
	Patches []Patch
	Notes   []string // what it names and is not used: remote, missing, outside
	Others  []string // other files that are part of it: patches, configurations
	Outside []string // what it names that lies outside the tree: "../../base"
	clean   []byte   // the file without what is not used
	tame    []byte   // and without plugins
	schema  bool     // it brings an OpenAPI schema
}

// Patch is a patch of a kustomization.
type Patch struct {
	File string
	Line int // of the text's first line in the file
	Text string
	// Kind and Name are those of the target; "" when the patch itself names it.
	Kind, Name string
}

// plain are the keys of a kustomization that does nothing to its resources.
var plain = []string{"apiVersion", "kind", "metadata", "resources", "bases", "buildMetadata", "sortOptions"}

// Parse reads a kustomization. The error wraps ErrMalformed or ErrLimit.
func (t *Tree) Parse(file string) (*Kustomization, error) {
	data, err := t.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if rough(data).values > mostOwn {
		return nil, fmt.Errorf("it has more than %d values: %w", mostOwn, bulwark.ErrLimit)
	}
	all := map[string]any{}
	var root yaml.Node
	if err := errors.Join(yaml.Unmarshal(data, &all), yaml.Unmarshal(data, &root)); err != nil {
		return nil, fmt.Errorf("%w: %s", bulwark.ErrMalformed, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	k := &Kustomization{File: file, Dir: path.Dir(file), Component: all["kind"] == "Component", Plain: true}
	for key, value := range all {
		list, _ := value.([]any)
		k.Plain = k.Plain && (value == nil || list != nil && len(list) == 0 || slices.Contains(plain, key))
	}
	p := parsing{t: t, k: k}
	p.patches(all, &root)
	p.lists(all)
	p.generated(all)
	for _, key := range []string{"helmCharts", "helmChartInflationGenerator", "helmGlobals"} {
		if all[key] != nil && key != "helmGlobals" {
			k.Notes = append(k.Notes, key+": charts are not fetched and rendered for a kustomization")
		}
		delete(all, key)
	}
	if api, ok := all["openapi"].(map[string]any); ok && !p.uses(text(api["path"]), "openapi") {
		delete(all, "openapi")
	}
	k.schema = all["openapi"] != nil
	modern(all)
	delete(all, "buildMetadata")
	if k.clean, err = yaml.Marshal(all); err != nil {
		return nil, err
	}
	tame := maps.Clone(all)
	for _, key := range []string{"generators", "transformers", "validators"} {
		delete(tame, key)
	}
	k.tame, err = yaml.Marshal(tame)
	return k, err
}

// modern says with today's fields what old ones say, which the library warns of.
func modern(all map[string]any) {
	move := func(from, to string, item func(any) any) {
		old, _ := all[from].([]any)
		list, _ := all[to].([]any)
		for _, v := range old {
			list = append(list, item(v))
		}
		delete(all, from)
		if len(list) > 0 {
			all[to] = list
		}
	}
	same := func(v any) any { return v }
	move("bases", "resources", same)
	move("imageTags", "images", same)
	move("patchesJson6902", "patches", same)
	move("patchesStrategicMerge", "patches", func(v any) any {
		if s := text(v); inlined(s) {
			return map[string]any{"patch": s}
		}
		return map[string]any{"path": v}
	})
	if labels, ok := all["commonLabels"].(map[string]any); ok {
		list, _ := all["labels"].([]any)
		all["labels"] = append(list, map[string]any{"pairs": labels, "includeSelectors": true})
		delete(all, "commonLabels")
	}
}

// inlined tells whether an entry of patchesStrategicMerge is the patch itself.
func inlined(s string) bool { return strings.Contains(s, "\n") || strings.Contains(s, ": ") }

type parsing struct {
	t *Tree
	k *Kustomization
}

// note tells something once, however often the kustomization names it.
func (p *parsing) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(p.k.Notes, text) {
		p.k.Notes = append(p.k.Notes, text)
	}
}

// remote tells whether an entry names something that is not in the folder.
func remote(s string) bool {
	lower := strings.ToLower(s)
	return strings.Contains(s, "://") || strings.HasPrefix(lower, "git@") || strings.HasPrefix(lower, "git::") || strings.Contains(s, "?ref=") ||
		strings.HasPrefix(lower, "github.com/") || strings.HasPrefix(lower, "github.com:") || strings.Contains(lower, ".git//") || strings.HasSuffix(lower, ".git")
}

// at is an entry's path below the root; ok is false when it is not there.
func (p *parsing) at(entry, what string) (string, bool) {
	full := path.Join(p.k.Dir, entry)
	switch {
	case remote(entry) && !p.t.Exists(full):
		p.note("%s: %s is remote and not fetched: the rest is built without it", what, entry)
	case path.IsAbs(entry) || full == ".." || strings.HasPrefix(full, "../"):
		p.outside(entry, what)
		if !path.IsAbs(entry) {
			p.k.Outside = append(p.k.Outside, full)
		}
	case p.t.Outer(full) && !p.t.IsDir(full) && !below(full, p.k.Dir): // nor does kustomize
		p.outside(entry, what)
	case !p.t.Exists(full):
		p.note("%s: there is no %s", what, entry)
	default:
		return full, true
	}
	return "", false
}

func (p *parsing) outside(entry, what string) {
	p.note("%s: %s lies outside the folder and is not read: scan a folder that holds both", what, entry)
}

// uses takes a file that is part of the kustomization but no resource.
func (p *parsing) uses(entry, what string) bool {
	if entry == "" {
		return false
	}
	full, ok := p.at(entry, what)
	if ok {
		p.k.Others = append(p.k.Others, full)
	}
	return ok
}

// dotted is an entry in a form that cannot be taken for an address.
func dotted(entry string) string {
	if strings.HasPrefix(entry, ".") {
		return entry
	}
	return "./" + entry
}

// lists goes through the lists of files and folders, and leaves in them what is there.
func (p *parsing) lists(all map[string]any) {
	for _, key := range []string{"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators"} {
		list, ok := all[key].([]any)
		if !ok {
			delete(all, key)
			continue
		}
		plugin := key == "generators" || key == "transformers" || key == "validators"
		kept := []any{}
		for _, item := range list {
			entry := text(item)
			switch {
			case plugin && strings.Contains(entry, "\n"):
				if !addresses([]byte(entry)) {
					kept = append(kept, entry)
				}
			case entry != "":
				if p.entry(key, entry, plugin) {
					kept = append(kept, dotted(entry))
				}
			}
		}
		all[key] = kept
	}
}

func (p *parsing) entry(key, entry string, plugin bool) bool {
	full, ok := p.at(entry, key)
	switch {
	case !ok:
		return false
	case plugin && p.reaches(full, 0):
		p.note("%s: %s names addresses, and is not used", key, entry)
		return false
	case p.t.IsDir(full):
		if p.t.Kustomization(full) == "" {
			p.note("%s: %s is a folder without a kustomization", key, entry)
			return false
		}
		p.k.Dirs = append(p.k.Dirs, full)
	case key == "resources" || key == "bases":
		p.k.Files = append(p.k.Files, full)
	default:
		p.k.Others = append(p.k.Others, full)
	}
	return true
}

// Names are those of files that are kustomizations.
var Names = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// Kustomization is the file of that name in a folder; "" when there is none.
func (t *Tree) Kustomization(dir string) string {
	for _, name := range Names {
		if f := path.Join(dir, name); t.IsFile(f) {
			return f
		}
	}
	return ""
}

// reaches tells whether the configuration of a plugin may name something remote: one in a file,
// or in those of a folder whose kustomization leaves them as they are.
func (p *parsing) reaches(full string, depth int) bool {
	if !p.t.IsDir(full) {
		data, err := p.t.ReadFile(full)
		return err != nil || addresses(data)
	}
	k, err := p.t.Parse(p.t.Kustomization(full))
	if err != nil || !k.Plain || depth > 10 {
		return true
	}
	return slices.ContainsFunc(slices.Concat(k.Files, k.Dirs), func(f string) bool { return p.reaches(f, depth+1) })
}

// addresses tells whether YAML has a text in it that may be an address, or cannot be read.
func addresses(data []byte) bool {
	return slices.ContainsFunc(kube.ParseYAML(data), func(d kube.Document) bool {
		return d.Err != nil || size(d.Root, map[*kube.Node]int{}) > maxValues || address(d.Root, 0)
	})
}

func address(n *kube.Node, depth int) bool {
	if strings.Contains(n.Text(), "://") || depth > 100 {
		return true
	}
	for name, v := range n.Fields() {
		if strings.Contains(name, "://") || address(v, depth+1) {
			return true
		}
	}
	for _, v := range n.Items() {
		if address(v, depth+1) {
			return true
		}
	}
	return false
}

// generated leaves in the generators of ConfigMaps and Secrets the files that are there.
func (p *parsing) generated(all map[string]any) {
	for _, key := range []string{"configMapGenerator", "secretGenerator"} {
		list, _ := all[key].([]any)
		for _, item := range list {
			m, ok := item.(map[string]any)
			if !ok {
				continue
			}
			for _, field := range []string{"files", "envs"} {
				entries, _ := m[field].([]any)
				m[field] = slices.DeleteFunc(entries, func(e any) bool { return !p.source(text(e), key) })
			}
			if env := text(m["env"]); env != "" && !p.source(env, key) {
				delete(m, "env")
			}
		}
	}
}

// source takes "path" or "key=path".
func (p *parsing) source(entry, what string) bool {
	if _, file, ok := strings.Cut(entry, "="); ok {
		entry = file
	}
	return p.uses(entry, what)
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
