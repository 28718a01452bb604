package chart

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	helm "helm.sh/helm/v3/pkg/chart"
)

// choose settles which subcharts take part, under which names, and what values the chart
// takes from them. It changes the chart.
func (c *Chart) choose(values map[string]any) error {
	left := maxUsed
	if err := c.enable(values, "", &left); err != nil {
		return err
	}
	return c.imports()
}

// enable drops the subcharts that conditions and tags turn off. At is the path of the
// chart in the values, with a dot at its end.
func (c *Chart) enable(values map[string]any, at string, left *int) error {
	if c.Meta.Dependencies == nil {
		return nil
	}
	if err := c.alias(left); err != nil {
		return err
	}
	for _, d := range c.Meta.Dependencies {
		d.Enabled = true
	}
	all, err := c.coalesced(values, false)
	if err != nil {
		return err
	}
	off := map[string]bool{}
	for _, d := range c.Meta.Dependencies {
		tagged(d, all)
		conditioned(d, all, at)
		if !d.Enabled {
			off[d.Name] = true
		}
	}
	c.Deps = slices.DeleteFunc(c.Deps, func(sub *Chart) bool { return off[sub.Meta.Name] })
	c.Meta.Dependencies = slices.DeleteFunc(c.Meta.Dependencies, func(d *helm.Dependency) bool { return off[d.Name] })
	for _, sub := range c.Deps {
		if err := sub.enable(all, at+sub.Meta.Name+".", left); err != nil {
			return err
		}
	}
	return nil
}

// alias puts the subcharts in the order of the dependencies that name them, once for each,
// behind those that none names. Left is how many charts there may still be: each alias is
// one, with all that it holds.
func (c *Chart) alias(left *int) error {
	var list []*Chart
	for _, sub := range c.Deps {
		if !slices.ContainsFunc(c.Meta.Dependencies, sub.serves) {
			list = append(list, sub)
		}
	}
	for _, d := range c.Meta.Dependencies {
		for _, sub := range c.Deps {
			if !sub.serves(d) {
				continue
			}
			if *left -= sub.size(); *left < 0 {
				return tooMuch("more than 2000 charts in a chart, aliases counted")
			}
			one := sub.clone()
			if d.Alias != "" {
				one.Meta.Name = d.Alias
			}
			list = append(list, one)
			break
		}
		if d.Alias != "" {
			d.Name = d.Alias
		}
	}
	c.Deps = nil
	for _, sub := range list {
		c.add(sub)
	}
	return nil
}

const maxUsed = 2000 // charts that take part, aliases counted

// size counts a chart and those that it holds.
func (c *Chart) size() int {
	n := 1
	for _, sub := range c.Deps {
		n += sub.size()
	}
	return n
}

// serves tells whether the chart is what a dependency asks for.
func (c *Chart) serves(d *helm.Dependency) bool {
	if c.Meta.Name != d.Name {
		return false
	}
	v, err := semver.NewVersion(c.Meta.Version)
	if err != nil {
		return false
	}
	r, err := semver.NewConstraint(d.Version)
	return err == nil && r.Check(v)
}

func tagged(d *helm.Dependency, values Values) {
	tags, err := values.Table("tags")
	if err != nil {
		return
	}
	yes, no := false, false
	for _, t := range d.Tags {
		on, ok := tags[t].(bool)
		yes, no = yes || ok && on, no || ok && !on
	}
	d.Enabled = yes || !no
}

// conditioned takes the first of the conditions that is set.
func conditioned(d *helm.Dependency, values Values, at string) {
	for c := range strings.SplitSeq(strings.TrimSpace(d.Condition), ",") {
		if c == "" {
			continue
		}
		if v, err := values.PathValue(at + c); err == nil {
			if on, ok := v.(bool); ok {
				d.Enabled = on
				return
			}
		}
	}
}

// imports takes over the values that import-values name.
func (c *Chart) imports() error {
	for _, sub := range c.Deps {
		if err := sub.imports(); err != nil {
			return err
		}
	}
	if c.Meta.Dependencies == nil {
		return nil
	}
	all, err := c.coalesced(nil, true)
	if err != nil {
		return err
	}
	taken := map[string]any{}
	for _, d := range c.Meta.Dependencies {
		for _, item := range d.ImportValues {
			child, parent := "", "."
			switch iv := item.(type) {
			case map[string]any:
				child, parent = fmt.Sprint(iv["child"]), fmt.Sprint(iv["parent"])
			case string:
				child = "exports." + iv
			default:
				continue
			}
			if from, err := Values(all).Table(d.Name + "." + child); err == nil {
				if err := weigh(from); err != nil {
					return err
				}
				merge(taken, under(parent, copiedMap(from)), true)
				if err := weigh(taken); err != nil {
					return err
				}
			}
		}
	}
	all = copiedMap(all)
	merge(all, taken, true)
	c.Values = all
	return weigh(all)
}

// under puts values at a path with dots.
func under(path string, values map[string]any) map[string]any {
	if path == "." {
		return values
	}
	names := strings.Split(path, ".")
	for _, name := range slices.Backward(names) {
		values = map[string]any{name: values}
	}
	return values
}
