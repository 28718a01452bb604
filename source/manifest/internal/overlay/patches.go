package overlay

import (
	"go.yaml.in/yaml/v3"
)

// patches takes the patches of a kustomization, and leaves in it those that are there.
func (p *parsing) patches(all map[string]any, root *yaml.Node) {
	top := &yaml.Node{}
	if len(root.Content) > 0 {
		top = root.Content[0]
	}
	for _, key := range []string{"patches", "patchesJson6902", "patchesStrategicMerge", "replacements"} {
		list, ok := all[key].([]any)
		if !ok {
			delete(all, key)
			continue
		}
		nodes := field(top, key)
		kept := []any{}
		for i, item := range list {
			var n *yaml.Node
			if nodes != nil && i < len(nodes.Content) {
				n = nodes.Content[i]
			}
			if p.patch(key, item, n) {
				kept = append(kept, item)
			}
		}
		all[key] = kept
	}
}

func (p *parsing) patch(key string, item any, n *yaml.Node) bool {
	switch v := item.(type) {
	case string:
		if inlined(v) {
			p.inline(v, n, "", "")
			return true
		}
		return p.file(key, v, "", "")
	case map[string]any:
		target, _ := v["target"].(map[string]any)
		kind, name := text(target["kind"]), text(target["name"])
		if file := text(v["path"]); file != "" {
			if key == "replacements" {
				return p.uses(file, key)
			}
			return p.file(key, file, kind, name)
		}
		if body := text(v["patch"]); body != "" {
			p.inline(body, field(n, "patch"), kind, name)
		}
	}
	return true
}

func (p *parsing) inline(body string, n *yaml.Node, kind, name string) {
	line := 1
	if n != nil {
		line = n.Line
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			line++
		}
	}
	p.k.Patches = append(p.k.Patches, Patch{File: p.k.File, Line: line, Text: body, Kind: kind, Name: name})
}

func (p *parsing) file(key, entry, kind, name string) bool {
	if !p.uses(entry, key) {
		return false
	}
	file := p.k.Others[len(p.k.Others)-1]
	data, err := p.t.ReadFile(file)
	if err != nil {
		p.note("%s: %v", key, err)
		return false
	}
	p.k.Patches = append(p.k.Patches, Patch{File: file, Line: 1, Text: string(data), Kind: kind, Name: name})
	return true
}

// field is the value of a key of a mapping.
func field(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
