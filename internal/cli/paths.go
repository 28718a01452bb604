package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/all"
	"bulwark/graph"
	"bulwark/report/paths"
	"bulwark/scan"
)

// attack are the flags of the command paths.
type attack struct {
	*app
	written   []string // formats, or FORMAT=FILE
	from, to  []string
	namespace string
	most      int
	whatIf    []string
	failRisk  string
	reports   []string
	sarif     []string
}

func (a *app) pathsCommand() *cobra.Command {
	p := &attack{app: a}
	c := &cobra.Command{
		Use: "paths TARGET|REPORT...", Short: "How an attacker gets from where he can begin to what is worth taking, and what stops him",
		Long: "Paths joins what is connected (network, rights, settings of pods, flaws of images) into attack paths, and says which\n" +
			"fewest changes cut them all. Attackers begin on the internet and in any pod (but those of kube-system); they are after\n" +
			"nodes, cluster-admin, secrets of another namespace than their own, and identities of a cloud.\n\n" +
			"--from and --to name other vertices: by kind (node), name, glob (\"workload:test/*\"), or a part of the name\n" +
			"(container:cart); namespace:NAME is all that runs there. --from alone asks what can be reached from there at all.\n\n" +
			"REPORT is what an earlier run saved: one of paths (-f json) has the relations and is asked anew; one of a scan of\n" +
			"images joins what is wrong in them, as --image-report does.\n\n" +
			"Exit: 3 when --fail-on is met, 4 when something could not be looked at and --require-complete is given.",
		Example: "  bulwark paths deploy/\n  bulwark paths cluster --images --fail-on 30\n  bulwark paths deploy/ --from internet --to cluster-admin\n" +
			"  bulwark paths deploy/ --from container:cart           # what an incident there may cost\n" +
			"  bulwark paths deploy/ --what-if 1 --what-if 2         # as if the first two changes were made\n" +
			"  bulwark paths deploy/ --image-report images.json --sarif code.sarif=shop/Deployment/cart -f html -o paths.html",
		Args: cobra.MinimumNArgs(1), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args) },
	}
	p.flags(c.Flags())
	return c
}

func (p *attack) flags(f *pflag.FlagSet) {
	f.StringArrayVarP(&p.written, "format", "f", paths.Formats()[:1], "`FORMAT`, or FORMAT=FILE to write several: "+strings.Join(paths.Formats(), " "))
	f.StringVarP(&p.output, "output", "o", "", "write to `FILE` instead of stdout")
	f.StringArrayVar(&p.from, "from", nil, "`VERTEX` where the attacker begins (repeatable)")
	f.StringArrayVar(&p.to, "to", nil, "`VERTEX` that he is after (repeatable)")
	f.StringVarP(&p.namespace, "namespace", "n", "", "attackers begin in the namespace `NAME` alone")
	f.IntVar(&p.most, "most", 10, "show at most `N` kinds of paths; the changes are those for all")
	f.StringArrayVar(&p.whatIf, "what-if", nil, "compute as if this `CHANGE` were made: its number in the list, its id, or the key of the finding that it mends (repeatable)")
	f.StringVar(&p.failRisk, "fail-on", "", "exit 3 when a path has at least this `RISK` (1 to 100, or any)")
	f.BoolVar(&p.complete, "require-complete", false, "exit 4 when something could not be looked at")
	f.StringArrayVar(&p.exceptions, "exceptions", nil, "`FILE` of exceptions or VEX (repeatable)")
	p.imageFlags(f)
	p.database(f)
	p.cluster.add(f)
	p.targets(f)
	p.chartFlags(f)
	p.common(f)
}

// check says what is wrong with flags.
func (p *attack) check() error {
	if _, err := p.outputs(); err != nil {
		return err
	}
	if p.most < 1 {
		return usage("--most %d: show at least one path", p.most)
	}
	if _, err := p.limit(); err != nil {
		return err
	}
	if p.namespace != "" && len(p.from) > 0 {
		return usage("--namespace and --from exclude each other: say --from namespace:%s", p.namespace)
	}
	return nil
}

// outputs are the formats to write by the file that each goes to, "" being stdout.
func (p *attack) outputs() (map[string]string, error) {
	list := map[string]string{}
	for _, f := range p.written {
		format, file, several := strings.Cut(f, "=")
		if !slices.Contains(paths.Formats(), format) {
			return nil, usage("this command has no format %q; it has %s", format, strings.Join(paths.Formats(), " "))
		}
		if several && file == "" {
			return nil, usage("-f %s names no file after =", f)
		}
		if file == "" {
			file = p.output
		}
		if _, ok := list[file]; ok {
			return nil, usage("one format goes to stdout or --output; give the others a file each: -f %s=FILE", format)
		}
		list[file] = format
	}
	return list, nil
}

// write writes the answer in all formats.
func (p *attack) write(answer *paths.Answer) error {
	outputs, err := p.outputs()
	if err != nil {
		return err
	}
	for _, file := range slices.Sorted(maps.Keys(outputs)) {
		format := outputs[file]
		if err := p.writeTo(file, escaping(format, func(w io.Writer) error { return paths.Write(w, format, answer) })); err != nil {
			return err
		}
	}
	return nil
}

// limit is the risk from which on the command fails; 0: never.
func (p *attack) limit() (int, error) {
	switch p.failRisk {
	case "":
		return 0, nil
	case "any":
		return 1, nil
	}
	n, err := strconv.Atoi(p.failRisk)
	if err != nil || n < 1 || n > 100 {
		return 0, usage("--fail-on %q: say a risk from 1 to 100, or any", p.failRisk)
	}
	return n, nil
}

func (p *attack) run(ctx context.Context, args []string) error {
	if err := p.check(); err != nil {
		return err
	}
	in, res, err := p.gather(ctx, args)
	if err != nil {
		return err
	}
	if res.Opened == 0 {
		return p.verdict(res)
	}
	end := p.stage("looking for attack paths")
	answer, err := p.answer(in)
	if end(); err != nil {
		return err
	}
	p.missed(in.report.Notes)
	if err := p.write(answer); err != nil {
		return err
	}
	if limit, _ := p.limit(); limit > 0 && worst(&answer.Cut) >= limit {
		err := p.verdict(&scan.Result{Opened: 1, Failed: res.Failed})
		if err == nil {
			err = &exit{code: exitFindings}
		}
		return err
	}
	return p.verdict(&scan.Result{Opened: res.Opened, Failed: res.Failed, Summary: in.report.Summary})
}

// worst is the highest risk of a path, 1 at least where there is one.
func worst(c *graph.Cut) (risk int) {
	for _, list := range [][]graph.Path{c.Paths, c.Uncut} {
		for i := range list {
			risk = max(risk, paths.Risk(list[i].Likelihood), 1)
		}
	}
	return risk
}

// missed tells what could not be looked at.
func (p *attack) missed(list []bulwark.Note) {
	s := &sinks{}
	for i := range list {
		s.heed(&list[i])
	}
	p.notes(s)
}

// gathered is what paths are looked for in.
type gathered struct {
	graph   *graph.Graph
	report  bulwark.Report
	weighed int // how many of the report's findings had their risk raised or lowered before
}

// gather looks at targets, and reads reports.
func (p *attack) gather(ctx context.Context, args []string) (*gathered, *scan.Result, error) {
	in := &gathered{graph: graph.New()}
	var refs []string
	read := 0
	for _, name := range args {
		if !isReport(name) {
			refs = append(refs, name)
			continue
		}
		had, err := readRelations(name, in)
		if err != nil {
			return nil, nil, &exit{code: exitFailed, err: err}
		}
		if read++; !had {
			p.reports = append(p.reports, name)
		}
	}
	if !p.cluster.images { // advisories are about packages, which only images have
		p.only = []string{bulwark.KindMisconfig, bulwark.KindExposure, bulwark.KindSecret}
	}
	p.hygiene = true // a step may be made by what is merely untidy otherwise
	s, db, err := p.prepare(ctx)
	if err != nil {
		return nil, nil, err
	}
	if db != nil {
		defer db.Close()
	}
	joined, err := p.joined()
	if err != nil {
		return nil, nil, err
	}
	s.Relaters, s.Relations = append(all.Relaters(), joined.relater), in.graph
	images := p.cluster.images
	p.cluster.images = false // they are looked at when it is known which there are
	var seen bulwark.Report
	res := &scan.Result{Opened: read}
	if len(refs) > 0 {
		if res, err = p.look(ctx, s, refs, &seen); err != nil {
			return nil, nil, err
		}
		s.Progress = nil
		res.Opened += read
	}
	if images {
		if err := p.lookAtImages(ctx, s, joined, &seen); err != nil {
			return nil, nil, err
		}
	}
	p.notes(&sinks{missed: joined.join(in.graph, &seen)})
	p.pushes(in.graph, joined.relater.Containers)
	in.take(&seen)
	return in, res, nil
}

// take adds what was seen to what reports had.
func (in *gathered) take(r *bulwark.Report) {
	findings, assets, notes := in.report.Findings, in.report.Assets, in.report.Notes
	if r.Run.Version != "" {
		in.report.Run = r.Run
	}
	in.report.Findings, in.report.Assets = append(findings, r.Findings...), append(assets, r.Assets...)
	in.report.Notes = slices.Concat(notes, r.Notes, unread(r.Findings), in.graph.Notes())
	in.report.Summarize()
}

// unread tells of documents that could not be read: those findings make no step, and are not in
// the answer.
func unread(findings []bulwark.Finding) (list []bulwark.Note) {
	for i := range findings {
		if f := &findings[i]; f.Rule == "manifest/broken" {
			text := fmt.Sprintf("%s:%d: %s", f.Path, f.Line, strings.Join(f.Evidence, "; "))
			list = append(list, bulwark.Note{Plugin: "check/manifest", Asset: f.Asset, Text: text, Incomplete: true})
		}
	}
	return list
}

// answer asks the graph.
func (p *attack) answer(in *gathered) (*paths.Answer, error) {
	q, reach, err := p.question(in.graph)
	if err != nil {
		return nil, err
	}
	a := &paths.Answer{
		Run: in.report.Run, Assets: in.report.Assets, Notes: in.report.Notes, Graph: in.graph, Most: p.most, Reach: reach,
		Starts: len(q.Starts), Goals: len(q.Goals),
	}
	if err := p.suppose(a, q); err != nil {
		return nil, err
	}
	findings := slices.Concat(in.report.Findings[:in.weighed], weigh(in.report.Findings[in.weighed:], a.Graph, q))
	a.Findings = named(findings, in.graph)
	if reach {
		a.Paths = a.Graph.Reach(q)
		return a, nil
	}
	a.Cut, a.Chokes = a.Graph.Smallest(q), a.Graph.Chokes(q)
	a.Paths = a.Cut.Paths
	if n := a.Cut.Left; n > 0 {
		p.short(a, in, fmt.Sprint(n, " more paths, the unlikeliest, have so many steps that they are neither listed nor counted; the changes are for them as well"))
	}
	if len(p.from) > 0 && len(p.to) > 0 {
		list, all := a.Graph.Most(q, p.most)
		if a.Paths = list; !all {
			p.short(a, in, "there are so many ways that not all were looked for: others may be likelier than the last that are listed")
		}
	}
	return a, nil
}

// short notes what the answer lacks.
func (p *attack) short(a *paths.Answer, in *gathered, text string) {
	a.Notes = append(a.Notes, bulwark.Note{Plugin: "graph", Text: text, Incomplete: true})
	in.report.Notes = a.Notes
}

// named are findings that a relation names.
func named(findings []bulwark.Finding, g *graph.Graph) []bulwark.Finding {
	keys := map[string]bool{}
	for r := range g.Relations {
		for _, k := range r.Because {
			keys[k] = true
		}
	}
	return slices.DeleteFunc(findings, func(f bulwark.Finding) bool { return !keys[f.Key] })
}

// weigh raises and lowers the risk of findings by where they lie, and says so.
func weigh(findings []bulwark.Finding, g *graph.Graph, q graph.Question) []bulwark.Finding {
	weights := g.Weights(q)
	list := slices.Clone(findings)
	for i := range list {
		f := &list[i]
		w, ok := weights[f.Key]
		if !ok {
			continue
		}
		was := f.Risk
		said := "makes a step that no attack path takes from where attackers begin"
		f.Risk = was * 3 / 5
		if w.Likelihood > 0 {
			f.Risk = was + int(float64(100-was)*w.Likelihood+0.5)
			said = fmt.Sprintf("on the attack path %s -> %s (risk %d)", w.From, w.To, paths.Risk(w.Likelihood))
		}
		if f.Risk != was {
			said += fmt.Sprintf(": risk %d instead of %d", f.Risk, was)
		}
		f.Evidence = append(slices.Clip(f.Evidence), said)
	}
	return list
}
