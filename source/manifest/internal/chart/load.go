// Package chart loads Helm charts and renders them as helm does, without a cluster and
// within budgets: whatever a template tries, it reads no file outside the chart, asks no
// network, and ends. What it renders is traced to the lines of the templates and to the
// values that they read.
package chart

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"

	"bulwark"
)

const maxCharts = 200 // subcharts of a chart, and how deep they lie

// File is a file of a chart.
type File struct {
	Name string // in its chart: "templates/deployment.yaml"
	Path string // where it was read, for people: "web/charts/db.tgz!db/templates/x.yaml"
	Data []byte
	Bad  error // why a packed chart could not be read
}

// Chart is a chart with the charts that it holds.
type Chart struct {
	Meta      *helm.Metadata
	Values    map[string]any
	Templates []File
	Files     []File
	Deps      []*Chart
	Notes     []string // what could not be read of it
	parent    *Chart
}

// Load makes a chart of its files, whose names are relative to the chart. Subcharts that
// cannot be read are left out, with a note. The error wraps ErrMalformed or ErrLimit.
func Load(files []File, b *Budget) (*Chart, error) {
	left := maxCharts
	return load(files, &left, 0, b)
}

func load(files []File, left *int, depth int, b *Budget) (*Chart, error) {
	if *left--; *left < 0 || depth > 20 {
		return nil, fmt.Errorf("more than %d charts in a chart, or too deep: %w", maxCharts, bulwark.ErrLimit)
	}
	c := &Chart{}
	if err := c.metadata(files); err != nil {
		return nil, err
	}
	subs := map[string][]File{}
	for _, f := range files {
		switch {
		case f.Bad != nil && path.Dir(f.Name) == "charts":
			c.Notes = append(c.Notes, "a packed chart is left out: "+f.Bad.Error())
		case f.Name == "Chart.yaml" || f.Name == "Chart.lock" || f.Name == "requirements.yaml" && c.Meta.APIVersion != helm.APIVersionV1:
		case f.Name == "values.yaml":
			n := dense(f.Data)
			if n > min(maxParsed, b.values) {
				return nil, fmt.Errorf("%s: it has too many values: %w", f.Path, bulwark.ErrLimit)
			}
			b.values -= n
			if err := yaml.Unmarshal(f.Data, &c.Values); err != nil {
				return nil, fmt.Errorf("%s: %w: %v", f.Path, bulwark.ErrMalformed, err)
			}
		case strings.HasPrefix(f.Name, "templates/"):
			c.Templates = append(c.Templates, f)
		case strings.HasPrefix(f.Name, "charts/") && path.Ext(f.Name) != ".prov":
			name, rest, ok := strings.Cut(strings.TrimPrefix(f.Name, "charts/"), "/")
			if ok && !strings.ContainsAny(name[:1], "_.") {
				f.Name = rest
				subs[name] = append(subs[name], f)
			}
		default:
			c.Files = append(c.Files, f)
		}
	}
	return c, c.subcharts(subs, left, depth, b)
}

// metadata reads Chart.yaml, and the requirements that old charts keep apart.
func (c *Chart) metadata(files []File) error {
	for _, name := range []string{"Chart.yaml", "requirements.yaml"} {
		i := slices.IndexFunc(files, func(f File) bool { return f.Name == name })
		if i < 0 && c.Meta == nil {
			return fmt.Errorf("%w: there is no Chart.yaml", bulwark.ErrMalformed)
		}
		if i < 0 {
			continue
		}
		if c.Meta == nil {
			c.Meta = &helm.Metadata{}
		}
		if dense(files[i].Data) > maxParsed {
			return fmt.Errorf("%s: it has too many values: %w", files[i].Path, bulwark.ErrLimit)
		}
		if err := yaml.Unmarshal(files[i].Data, c.Meta); err != nil {
			return fmt.Errorf("%s: %w: %v", files[i].Path, bulwark.ErrMalformed, err)
		}
		if c.Meta.APIVersion == "" {
			c.Meta.APIVersion = helm.APIVersionV1
		}
	}
	if err := c.Meta.Validate(); err != nil {
		if c.Meta.Name == "" || c.Meta.Name != path.Base(c.Meta.Name) || c.Meta.Name == ".." || c.Meta.Name == "." {
			return fmt.Errorf("the file Chart.yaml: %w: %v", bulwark.ErrMalformed, err)
		}
		c.Notes = append(c.Notes, "Chart.yaml: "+err.Error())
	}
	c.Meta.Dependencies = slices.DeleteFunc(c.Meta.Dependencies, func(d *helm.Dependency) bool { return d == nil })
	return nil
}

func (c *Chart) subcharts(subs map[string][]File, left *int, depth int, b *Budget) error {
	for _, name := range sorted(subs) {
		if !slices.ContainsFunc(subs[name], func(f File) bool { return f.Name == "Chart.yaml" }) {
			continue // a file beside the charts
		}
		sub, err := load(subs[name], left, depth+1, b)
		if *left < 0 {
			return err
		}
		if err != nil {
			c.Notes = append(c.Notes, "the subchart "+name+" is left out: "+err.Error())
			continue
		}
		c.add(sub)
	}
	return nil
}

func (c *Chart) add(sub *Chart) {
	sub.parent = c
	c.Deps = append(c.Deps, sub)
}

// Missing names the dependencies that the chart does not hold, those of subcharts too.
func (c *Chart) Missing() []*helm.Dependency {
	var list []*helm.Dependency
	for _, d := range c.Meta.Dependencies {
		if !slices.ContainsFunc(c.Deps, func(sub *Chart) bool { return sub.Meta.Name == d.Name }) {
			list = append(list, d)
		}
	}
	return list
}

// Vendor adds a chart that a dependency names by its folder.
func (c *Chart) Vendor(sub *Chart) { c.add(sub) }

// AllNotes are those of the chart and its subcharts.
func (c *Chart) AllNotes() []string {
	list := slices.Clone(c.Notes)
	for _, sub := range c.Deps {
		list = append(list, sub.AllNotes()...)
	}
	return list
}

// Library tells whether the chart renders nothing of its own.
func (c *Chart) Library() bool { return strings.EqualFold(c.Meta.Type, "library") }

// full names the chart within its root, as templates are named.
func (c *Chart) full() string {
	if c.parent == nil {
		return c.Meta.Name
	}
	return c.parent.full() + "/charts/" + c.Meta.Name
}

// prefix is the path of the chart's values in those of the root.
func (c *Chart) prefix() []string {
	if c.parent == nil {
		return nil
	}
	return append(c.parent.prefix(), c.Meta.Name)
}

// clone copies what rendering changes: the tree of charts and their metadata.
func (c *Chart) clone() *Chart {
	out, meta := *c, *c.Meta
	out.Meta, out.Deps = &meta, nil
	out.Meta.Dependencies = make([]*helm.Dependency, 0, len(meta.Dependencies))
	for _, d := range c.Meta.Dependencies {
		dep := *d
		out.Meta.Dependencies = append(out.Meta.Dependencies, &dep)
	}
	if c.Meta.Dependencies == nil {
		out.Meta.Dependencies = nil
	}
	for _, sub := range c.Deps {
		out.add(sub.clone())
	}
	return &out
}

// Trim takes a byte order mark away.
func Trim(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
