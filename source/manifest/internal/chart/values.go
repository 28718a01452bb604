package chart

import (
	"fmt"
	"maps"
	"strings"

	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"

	"bulwark"
)

// Values is a map as templates see it.
type Values map[string]any

// AsMap, YAML and Table are methods that templates may call.
func (v Values) AsMap() map[string]any {
	if len(v) == 0 {
		return map[string]any{}
	}
	return v
}

// YAML is the values as YAML.
func (v Values) YAML() (string, error) {
	if err := weigh(v); err != nil {
		return "", err
	}
	b, err := yaml.Marshal(v)
	return string(b), err
}

// Table is the map at a path with dots.
func (v Values) Table(path string) (Values, error) {
	at := map[string]any(v)
	for name := range strings.SplitSeq(path, ".") {
		next, ok := table(at[name])
		if !ok {
			return nil, fmt.Errorf("%q is not a table", path)
		}
		at = next
	}
	return at, nil
}

// PathValue is the value at a path with dots, which is no map.
func (v Values) PathValue(path string) (any, error) {
	at, last := v, path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		t, err := v.Table(path[:i])
		if err != nil {
			return nil, err
		}
		at, last = t, path[i+1:]
	}
	got, ok := at[last]
	if _, isTable := table(got); !ok || isTable {
		return nil, fmt.Errorf("%q is not a value", last)
	}
	return got, nil
}

func table(v any) (map[string]any, bool) {
	switch m := v.(type) {
	case map[string]any:
		return m, true
	case Values:
		return m, true
	}
	return nil, false
}

// UserValues are what a user gives: files, each over those before it, then settings as
// --set and --set-string take them. The error wraps ErrMalformed.
func UserValues(files [][]byte, set, setString []string) (map[string]any, error) {
	all := map[string]any{}
	for i, data := range files {
		one := map[string]any{}
		if err := yaml.Unmarshal(data, &one); err != nil {
			return nil, fmt.Errorf("values file %d: %w: %v", i+1, bulwark.ErrMalformed, err)
		}
		all = Over(all, one)
	}
	for _, s := range set {
		if err := strvals.ParseInto(s, all); err != nil {
			return nil, fmt.Errorf("--set %q: %w: %v", s, bulwark.ErrMalformed, err)
		}
	}
	for _, s := range setString {
		if err := strvals.ParseIntoString(s, all); err != nil {
			return nil, fmt.Errorf("--set-string %q: %w: %v", s, bulwark.ErrMalformed, err)
		}
	}
	return all, nil
}

// Over lays values over others, both unchanged: maps are merged, anything else takes the
// place of what is there.
func Over(below, above map[string]any) map[string]any {
	out := maps.Clone(below)
	if out == nil {
		out = map[string]any{}
	}
	for k, v := range above {
		if up, ok := v.(map[string]any); ok {
			if down, ok := out[k].(map[string]any); ok {
				out[k] = Over(down, up)
				continue
			}
		}
		out[k] = v
	}
	return out
}

func copied(v any) any {
	switch t := v.(type) {
	case map[string]any:
		return copiedMap(t)
	case Values:
		return copiedMap(t)
	case []any:
		if t == nil {
			return t
		}
		out := make([]any, len(t))
		for i := range t {
			out[i] = copied(t[i])
		}
		return out
	}
	return v
}

func copiedMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = copied(v)
	}
	return out
}

// coalesced are the values over those of the chart and its subcharts. A null takes a value
// of the chart away, unless nulls are kept for a later round.
func (c *Chart) coalesced(values map[string]any, keep bool) (map[string]any, error) {
	out := copiedMap(values)
	return out, c.coalesce(out, keep)
}

func (c *Chart) coalesce(dst map[string]any, keep bool) error {
	c.fill(dst, keep)
	for _, sub := range c.Deps {
		name := sub.Meta.Name
		if _, ok := dst[name]; !ok {
			dst[name] = map[string]any{}
		}
		own, ok := table(dst[name])
		if !ok {
			return fmt.Errorf("%w: the values of the subchart %s are no map", bulwark.ErrMalformed, name)
		}
		globals(own, dst)
		if err := sub.coalesce(own, keep); err != nil {
			return err
		}
		dst[name] = own
	}
	return nil
}

// fill gives dst what it does not have of the chart's own values.
func (c *Chart) fill(dst map[string]any, keep bool) {
	for key, value := range copiedMap(c.Values) {
		have, ok := dst[key]
		if !ok {
			dst[key] = value
			continue
		}
		if have == nil && !keep {
			delete(dst, key)
			continue
		}
		to, ok1 := table(have)
		from, ok2 := table(value)
		if ok1 && ok2 {
			merge(to, from, keep || c.holds(key))
		}
	}
}

func (c *Chart) holds(name string) bool {
	for _, sub := range c.Deps {
		if sub.Meta.Name == name {
			return true
		}
	}
	return false
}

// merge gives dst what it does not have of src. A null in dst that stands for a value of
// src takes the key away, unless nulls are kept.
func merge(dst, src map[string]any, keep bool) {
	for key, value := range src {
		have, ok := dst[key]
		if !ok {
			dst[key] = value
			continue
		}
		if have == nil {
			if !keep && value != nil {
				delete(dst, key)
			}
			continue
		}
		to, ok1 := table(have)
		from, ok2 := table(value)
		if ok1 && ok2 {
			merge(to, from, keep)
		}
	}
}

// globals gives a subchart's values the global ones of those around them, which win.
func globals(sub, around map[string]any) {
	to, from := map[string]any{}, map[string]any{}
	if g, ok := sub["global"]; ok {
		if to, ok = table(g); !ok {
			return
		}
	}
	if g, ok := around["global"]; ok {
		if from, ok = table(g); !ok {
			return
		}
	}
	for key, value := range from {
		have, ok := to[key]
		haveMap, isMap := table(have)
		valueMap, valueIs := table(value)
		switch {
		case valueIs && !ok:
			to[key] = maps.Clone(valueMap)
		case valueIs && isMap:
			top := maps.Clone(valueMap)
			merge(top, haveMap, true)
			to[key] = top
		case valueIs || isMap:
		default:
			to[key] = value
		}
	}
	sub["global"] = to
}
