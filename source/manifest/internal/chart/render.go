package chart

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"
	"time"

	helm "helm.sh/helm/v3/pkg/chart"

	"bulwark"
)

// Options say how a chart is rendered.
type Options struct {
	Values      map[string]any // the user's
	Release     string         // default "release-name"
	Namespace   string         // default "default"
	Kube        string         // version of Kubernetes, default DefaultKube
	APIVersions []string       // served beside those that any cluster serves
	Now         time.Time      // what templates take for now
	Timeout     time.Duration  // default 20 s
	Budget      *Budget        // nil: one of its own
}

// Result is what a rendering gave.
type Result struct {
	Manifests []Manifest     // in the order of their names
	Values    map[string]any // those that templates saw
	Notes     []Note
}

// Manifest is the text of one template.
type Manifest struct {
	Name  string // "web/templates/deployment.yaml"
	Path  string // of the template's file
	Text  string
	trace *trace
}

// Note is what could not be rendered, or not in full.
type Note struct {
	Path string // of a template or chart; may be empty
	Text string
	// Partial is true when something that an installation has is missing.
	Partial bool
}

// Render renders the chart. A template that fails is a note, and the others are rendered.
// The error wraps ErrMalformed or ErrLimit, or is the context's.
func (c *Chart) Render(ctx context.Context, o Options) (*Result, error) {
	b := cmp.Or(o.Budget, NewBudget())
	ctx, cancel := context.WithTimeout(ctx, min(b.time, cmp.Or(o.Timeout, 20*time.Second)))
	defer cancel()
	defer func(began time.Time) { b.time -= time.Since(began) }(time.Now())
	c = c.clone()
	r := &renderer{ctx: ctx, budget: b, now: o.Now, res: &Result{}, paths: map[string]string{}, texts: map[string]*template.Template{}}
	if r.now.IsZero() {
		r.now = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if err := c.choose(o.Values); err != nil {
		return nil, err
	}
	values, err := c.coalesced(o.Values, false)
	if err != nil {
		return nil, err
	}
	if err := weigh(values); err != nil {
		return nil, err
	}
	top, err := o.context(values)
	if err != nil {
		return nil, err
	}
	r.res.Values = copiedMap(values)
	all := map[string]one{}
	c.gather(all, top)
	err = r.render(all)
	return r.res, err
}

// context is what templates see beside the chart itself.
func (o *Options) context(values map[string]any) (Values, error) {
	kube := o.Kube
	if kube == "" {
		kube = DefaultKube
	}
	version, err := ParseKube(kube)
	if err != nil {
		return nil, err
	}
	release := map[string]any{"Name": o.Release, "Namespace": o.Namespace, "IsUpgrade": false, "IsInstall": true, "Revision": 1, "Service": "Helm"}
	if o.Release == "" {
		release["Name"] = "release-name"
	}
	if o.Namespace == "" {
		release["Namespace"] = "default"
	}
	return Values{
		"Values":  Values(values),
		"Release": release,
		"Capabilities": &Capabilities{
			KubeVersion: version, APIVersions: VersionSet(slices.Concat(served, o.APIVersions)),
			HelmVersion: HelmVersion{Version: "v3.22", GoVersion: "go1.26"},
		},
	}, nil
}

// one is one template with what it sees.
type one struct {
	file   File
	sees   Values
	base   string
	prefix []string // of the chart's values in the root's
}

// gather collects the templates of a chart and its subcharts.
func (c *Chart) gather(all map[string]one, up Values) map[string]any {
	subs := map[string]any{}
	sees := Values{
		"Chart": described{*c.Meta, c.parent == nil}, "Files": c.fileMap(), "Release": up["Release"], "Capabilities": up["Capabilities"],
		"Values": Values{}, "Subcharts": subs,
	}
	if c.parent == nil {
		sees["Values"] = up["Values"]
	} else if own, err := up.Table("Values." + c.Meta.Name); err == nil {
		sees["Values"] = own
	}
	for _, sub := range c.Deps {
		subs[sub.Meta.Name] = sub.gather(all, sees)
	}
	for _, t := range c.Templates {
		if c.Library() && !strings.HasPrefix(path.Base(t.Name), "_") {
			continue
		}
		all[path.Join(c.full(), t.Name)] = one{file: t, sees: sees, base: path.Join(c.full(), "templates"), prefix: c.prefix()}
	}
	return sees
}

// renderer renders one chart once.
type renderer struct {
	ctx    context.Context
	now    time.Time
	res    *Result
	set    *template.Template
	known  template.FuncMap
	paths  map[string]string // of templates by their names
	texts  map[string]*template.Template
	steps  int
	looks  int // steps when the time was last looked at
	calls  int // how deep templates are in each other
	nested int // how deep in texts that go into functions
	out    *output
	trace  *trace
	spots  []spot
	looked bool
	parsed int // bytes of texts that were given to tpl
	tokens int // of all templates
	budget *Budget
	more   int // notes that there would be
	// absents are the names of templates that are called and that there are not.
	absents []string
}

func (r *renderer) note(path, text string, partial bool) {
	if len(text) > maxNote {
		text = strings.ToValidUTF8(text[:maxNote], "") + " ..."
	}
	n := Note{Path: path, Text: text, Partial: partial}
	switch {
	case slices.Contains(r.res.Notes, n):
	case len(r.res.Notes) < maxNotes:
		r.res.Notes = append(r.res.Notes, n)
	default:
		r.more++
	}
}

const (
	maxNote  = 1000 // bytes of what is told of one template
	maxNotes = 100  // of one chart
)

// step counts what is done, and ends what takes too long.
func (r *renderer) step() error {
	r.steps++
	return r.within()
}

// within tells whether there is more to spend.
func (r *renderer) within() error {
	if r.steps > maxSteps {
		return tooMuch("the templates do not come to an end, or make too much")
	}
	if r.steps-r.looks >= 32 {
		r.looks = r.steps
		if r.ctx.Err() != nil {
			return tooMuch("the templates take too long")
		}
	}
	return nil
}

// render parses all templates, the deeper first as helm does, then executes them.
func (r *renderer) render(all map[string]one) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: rendering failed: %v", bulwark.ErrMalformed, p)
		}
	}()
	names := order(all)
	r.known = r.functions()
	r.set = template.New("gotpl").Option("missingkey=zero").Funcs(r.known).Funcs(r.hooks())
	broken := map[string]bool{}
	for _, name := range names {
		t := all[name]
		r.paths[name] = t.file.Path
		if err := r.parse(name, t); err != nil {
			broken[name] = true
			r.note(t.file.Path, "the template cannot be read: "+strings.TrimPrefix(err.Error(), "template: "), true)
		}
	}
	left := min(maxOutput, r.budget.output)
	defer func(before int) { r.budget.output -= max(before-left, 0) }(left)
	for _, name := range names {
		if broken[name] || strings.HasPrefix(path.Base(name), "_") || path.Base(name) == "NOTES.txt" {
			continue
		}
		if err := r.ctx.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		r.execute(name, all[name], &left)
	}
	if n := len(r.absents); n > 0 {
		slices.Sort(r.absents)
		r.note("", "templates that the chart calls are not in it, as when its dependencies were not fetched; names stand in for them: "+strings.Join(r.absents[:min(n, 10)], ", "), true)
	}
	if r.more > 0 {
		r.res.Notes = append(r.res.Notes, Note{Text: fmt.Sprintf("%d more templates cannot be read or do not render", r.more), Partial: true})
	}
	slices.SortFunc(r.res.Manifests, func(a, b Manifest) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// order is that in which helm takes templates: where several define one name, the last counts.
func order(all map[string]one) []string {
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		if d := strings.Count(b, "/") - strings.Count(a, "/"); d != 0 {
			return d
		}
		return strings.Compare(b, a)
	})
}

// parse reads a template and the ones that it defines, and puts hooks into them.
func (r *renderer) parse(name string, t one) error {
	text := string(t.file.Data)
	n := tokens(text)
	if r.tokens+n > maxTokens || n > r.budget.tokens {
		return tooMuch("the templates are too many or too long")
	}
	r.tokens, r.budget.tokens = r.tokens+n, r.budget.tokens-n
	own, err := template.New(name).Funcs(r.known).Parse(text)
	if err != nil {
		return err
	}
	in := injector{r: r, file: t.file.Path, text: text, prefix: t.prefix}
	for _, have := range own.Templates() {
		if have.Tree == nil {
			continue
		}
		in.tree(have.Tree)
		if _, err := r.set.AddParseTree(have.Name(), have.Tree); err != nil {
			return err
		}
	}
	return nil
}

func (r *renderer) execute(name string, t one, left *int) {
	t.sees["Template"] = Values{"Name": name, "BasePath": t.base}
	r.out, r.trace = &output{left: *left}, &trace{}
	r.calls, r.nested, r.steps, r.looks = 0, 0, 0, 0
	err := r.set.ExecuteTemplate(r.out, name, t.sees)
	*left = r.out.left
	if err != nil {
		r.failed(t.file.Path, err)
		return
	}
	r.trace.spots = r.spots
	text := r.trace.without(r.out.b.String(), "<no value>")
	r.res.Manifests = append(r.res.Manifests, Manifest{Name: name, Path: t.file.Path, Text: text, trace: r.trace})
}

// failed notes why a template could not be rendered, in the words of the chart where it
// has some.
func (r *renderer) failed(path string, err error) {
	text := err.Error()
	if own, ok := said(err); ok {
		r.note(path, "the chart does not render with these values: "+own+" (give values: --values FILE or --set)", true)
		return
	}
	var much *excess
	if errors.As(err, &much) {
		r.note(path, "the template does not render: "+much.Error(), true)
		return
	}
	text = strings.TrimPrefix(text, "template: ")
	if i := strings.LastIndex(text, ">: "); i >= 0 && len(text) > 300 {
		text = text[i+3:]
	}
	r.note(path, "the template does not render: "+text, true)
}

// output takes what templates write, up to the budget.
type output struct {
	b    strings.Builder
	left int
	of   *renderer // counts what is written; nil for what is written last
}

// Write keeps the bytes.
func (o *output) Write(p []byte) (int, error) {
	if o.left -= len(p); o.left < 0 {
		return 0, tooMuch("the templates write too much")
	}
	if o.of != nil {
		o.of.steps += len(p) / perStep
		if err := o.of.within(); err != nil {
			return 0, err
		}
	}
	return o.b.Write(p)
}

// described is .Chart.
type described struct {
	helm.Metadata
	IsRoot bool
}

// include makes the function that gives a template's text; in names the set of templates
// that it looks in, nil the chart's.
func (r *renderer) include(in *template.Template) func(string, any) (string, error) {
	return func(name string, data any) (string, error) {
		set := in
		if set == nil {
			set = r.set
		}
		if t := set.Lookup(name); t == nil || t.Tree == nil {
			return r.absent(name, data), nil
		}
		return r.nest(func(out *output) error { return set.ExecuteTemplate(out, name, data) })
	}
}

// absent stands for a template that none defines: a partial that was not handed over. The
// chart's name stands where a name is wanted, so that the rest can be looked at.
func (r *renderer) absent(name string, data any) string {
	if len(r.absents) < 1000 && !slices.Contains(r.absents, name[:min(len(name), 100)]) {
		r.absents = append(r.absents, name[:min(len(name), 100)])
	}
	lower := strings.ToLower(name)
	for _, word := range []string{"label", "annotation", "selector"} {
		if strings.Contains(lower, word) {
			return ""
		}
	}
	if sees, ok := data.(Values); ok {
		if meta, ok := sees["Chart"].(described); ok {
			return meta.Name
		}
	}
	return "unknown"
}

// nest runs a template into a text.
func (r *renderer) nest(run func(*output) error) (string, error) {
	if err := r.step(); err != nil {
		return "", err
	}
	if r.calls++; r.calls > maxCalls {
		return "", tooMuch("templates that call each other without end")
	}
	calls := r.calls
	r.nested++
	out := &output{left: maxText, of: r}
	err := run(out)
	r.nested--
	r.calls = calls - 1
	return out.b.String(), err
}

// tpl makes the function that takes a text for a template. A text that defines templates
// has them for itself alone.
func (r *renderer) tpl(in *template.Template) func(string, any) (string, error) {
	return func(text string, data any) (string, error) {
		if !strings.Contains(text, "{{") {
			return strings.ReplaceAll(text, "<no value>", ""), r.step()
		}
		t, err := r.prepared(in, text)
		if err != nil {
			return "", err
		}
		s, err := r.nest(func(out *output) error { return t.Execute(out, data) })
		return strings.ReplaceAll(s, "<no value>", ""), err
	}
}

// prepared is a text as a template, in the set that it is called from.
func (r *renderer) prepared(in *template.Template, text string) (*template.Template, error) {
	defines := strings.Contains(text, "define") || strings.Contains(text, "block")
	if t := r.texts[text]; t != nil && in == nil && !defines {
		return t, nil
	}
	if r.parsed += len(text); r.parsed > maxTpl {
		return nil, tooMuch("tpl")
	}
	set := in
	if set == nil {
		set = r.set
	}
	r.steps += len(text) / 8
	var err error
	if defines || in != nil {
		r.steps += 8 * len(set.Templates())
		if set, err = set.Clone(); err != nil {
			return nil, err
		}
		set.Option("missingkey=zero").Funcs(template.FuncMap{"include": r.include(set), "tpl": r.tpl(set)})
	}
	t, err := set.New(fmt.Sprintf("text %d %s", len(r.texts), secret)).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("in a text that is given to tpl: %w", err)
	}
	for _, have := range set.Templates() {
		if have.Tree != nil && (have == t || defines && have.ParseName == t.ParseName) {
			(&injector{r: r}).tree(have.Tree)
		}
	}
	if in == nil && !defines && len(r.texts) < 4096 {
		r.texts[text] = t
	}
	return t, nil
}

// lookup would ask the cluster.
func (r *renderer) lookup(_, kind, _, _ string) (map[string]any, error) {
	if !r.looked {
		r.looked = true
		r.note("", "the chart asks the cluster ("+kind+"): it is rendered as if there were none", false)
	}
	return map[string]any{}, nil
}
