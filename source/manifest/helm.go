package manifest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/source/manifest/internal/chart"
)

// rendering is one way in which a chart is rendered.
type rendering struct {
	chart   *chart.Chart
	dir     string // Origin.Chart
	options chart.Options
	release string // Origin.Release
}

// chartFolder renders the chart in a folder. What cannot be read is noted.
func (r *reader) chartFolder(ctx context.Context, root *os.Root, dir string) error {
	c, err := r.loadChart(root, dir, map[string]bool{})
	if err != nil {
		r.note(path.Join(dir, "Chart.yaml"), "the chart is not rendered: %v", err)
		return nil
	}
	return r.renderChart(ctx, c, dir)
}

// packedChart renders a chart that is given as an archive.
func (r *reader) packedChart(ctx context.Context, t *bulwark.Target, file string, f io.Reader) error {
	files, err := chart.ReadPacked(f, file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c, err := chart.Load(files, r.budget)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := r.renderChart(ctx, c, file); err != nil {
		return err
	}
	return r.hand(t)
}

// packed tells whether a file is compressed, and goes back to its start.
func packed(f io.ReadSeeker) bool {
	head, _ := bufio.NewReaderSize(f, 16).Peek(3)
	f.Seek(0, io.SeekStart)
	return bytes.HasPrefix(head, []byte("\x1f\x8b\x08"))
}

// loadChart reads a chart's folder, with those that its dependencies name by folder.
func (r *reader) loadChart(root *os.Root, dir string, seen map[string]bool) (*chart.Chart, error) {
	seen[dir] = true
	files, err := chart.ReadFolder(root, dir, r.budget)
	if err != nil {
		return nil, err
	}
	c, err := chart.Load(files, r.budget)
	if err != nil {
		return nil, err
	}
	for _, d := range c.Missing() {
		local, ok := strings.CutPrefix(d.Repository, "file://")
		at := path.Join(dir, local)
		if !ok || seen[at] || !filepath.IsLocal(filepath.FromSlash(at)) {
			continue
		}
		if sub, err := r.loadChart(root, at, seen); err == nil {
			c.Vendor(sub)
		}
		delete(seen, at)
	}
	return c, nil
}

const mostMissing = 50 // dependencies of a chart that are named

// renderChart renders a chart in every way that is asked for.
func (r *reader) renderChart(ctx context.Context, c *chart.Chart, dir string) error {
	for _, n := range c.AllNotes() {
		r.note(dir, "%s", n)
	}
	missing := c.Missing()
	if n := len(missing) - mostMissing; n > 0 {
		r.note(dir, "%d more dependencies are not in charts/ and not rendered", n)
		missing = missing[:mostMissing]
	}
	for _, d := range missing {
		r.note(dir, "the dependency %s (%s) is not in charts/ and not rendered: get it with helm dependency build", d.Name, cmp.Or(d.Repository, "no repository"))
	}
	if c.Library() {
		return nil
	}
	versions := r.Charts.Kube
	if len(versions) == 0 {
		versions = []string{""}
	}
	have := map[string]bool{}
	for _, kubeVersion := range versions {
		way := &rendering{chart: c, dir: dir, options: chart.Options{
			Values: r.Charts.Values, Release: r.Charts.Release, Namespace: r.Charts.Namespace, Kube: kubeVersion, APIVersions: r.Charts.APIVersions, Now: r.Now, Budget: r.budget,
		}}
		if len(versions) > 1 {
			way.release = "Kubernetes " + strings.TrimPrefix(kubeVersion, "v")
		}
		res, err := way.chart.Render(ctx, way.options)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.note(dir, "the chart is not rendered: %v", err)
			continue
		}
		for _, n := range res.Notes {
			note := bulwark.Note{Plugin: name, Path: cmp.Or(n.Path, dir), Text: n.Text, Incomplete: n.Partial}
			if !slices.Contains(r.notes, note) {
				r.tell(note)
			}
		}
		objects, broken := way.objects(res)
		r.set.Broken = append(r.set.Broken, broken...)
		r.keep(objects, way, have)
	}
	return nil
}

// keep takes the objects that another rendering of the chart has not given already.
func (r *reader) keep(objects []*kube.Object, way *rendering, have map[string]bool) {
	for _, o := range objects {
		key := o.ID() + "\x00" + o.Origin.File + "\x00" + string(o.Root.JSON())
		if !have[key] {
			have[key] = true
			r.set.Objects = append(r.set.Objects, o)
			r.charts[o] = way
		}
	}
}

// objects makes objects of what the templates gave. Those that a test of the release alone
// makes are left out.
func (w *rendering) objects(res *chart.Result) (objects []*kube.Object, broken []kube.Broken) {
	for i := range res.Manifests {
		m := &res.Manifests[i]
		if ext := path.Ext(m.Name); ext != ".yaml" && ext != ".yml" && ext != ".json" && ext != ".tpl" || strings.TrimSpace(m.Text) == "" {
			continue
		}
		at := newLines(m.Text)
		for c := range kube.Chunks(strings.NewReader(m.Text)) {
			d, ok := c.Parse()
			if !ok {
				continue
			}
			if d.Err != nil {
				b := kube.Broken{File: m.Path, Err: fmt.Errorf("what the template gives is no YAML: %w", d.Err)}
				if p, ok := m.At(at.offset(max(d.Line, d.ErrLine), 1)); ok {
					b.File, b.Line = p.Path, p.Line
				}
				broken = append(broken, b)
				continue
			}
			each(d.Root, func(n *kube.Node) {
				if o := w.object(res, m, at, n); o != nil {
					o.Problems = within(d.Problems, n)
					objects = append(objects, o)
				}
			})
		}
	}
	return objects, broken
}

// object makes one object; nil when it is none, or runs only in a test.
func (w *rendering) object(res *chart.Result, m *chart.Manifest, at *lines, n *kube.Node) *kube.Object {
	l := &locator{manifest: m, lines: at, values: res.Values, root: n}
	origin := kube.Origin{File: m.Path, Chart: w.dir, Release: w.release, Locate: l.locate}
	if p, ok := m.At(at.offset(n.Line(), n.Column())); ok && p.Path == m.Path {
		origin.Line = p.Line
	}
	o, ok := kube.NewObject(n, origin)
	if !ok || onlyTest(o.Annotations["helm.sh/hook"]) {
		return nil
	}
	if o.Namespaced() && !n.Get("metadata", "namespace").Exists() {
		o.Namespace = cmp.Or(w.options.Namespace, "default")
	}
	return o
}

func onlyTest(hook string) bool {
	if hook == "" {
		return false
	}
	for h := range strings.SplitSeq(hook, ",") {
		if h = strings.TrimSpace(h); !strings.HasPrefix(h, "test") {
			return false
		}
	}
	return true
}

// render is kube.Set's Render.
func (r *reader) render(ctx context.Context, o *kube.Object, values map[string]any) ([]*kube.Object, error) {
	w := r.charts[o]
	if w == nil {
		return nil, fmt.Errorf("%s comes from no chart: %w", o.ID(), bulwark.ErrUnsupported)
	}
	again := *w
	again.options.Budget = nil
	again.options.Values = chart.Over(w.options.Values, values)
	res, err := again.chart.Render(ctx, again.options)
	if err != nil {
		return nil, err
	}
	for _, n := range res.Notes {
		if n.Partial {
			return nil, fmt.Errorf("%w: %s: %s", bulwark.ErrMalformed, n.Path, n.Text)
		}
	}
	objects, broken := again.objects(res)
	if len(broken) > 0 {
		return nil, broken[0].Err
	}
	return objects, nil
}
