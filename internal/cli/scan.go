package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/advisory"
	"bulwark/all"
	"bulwark/check/dockerfile"
	"bulwark/check/origin"
	"bulwark/check/secret"
	"bulwark/check/yara"
	"bulwark/internal/limit"
	"bulwark/policy"
	"bulwark/report"
	"bulwark/scan"
)

func (a *app) scanCommand() *cobra.Command {
	formats := all.Formats()
	c := &cobra.Command{
		Use: "scan TARGET...", Short: "One look at one or more targets: what is in them, what is wrong, what to fix first",
		Long: "Scan looks at images, archives, folders, SBOMs, machines, Kubernetes manifests, charts and clusters, and containers that run.\n\n" +
			"TARGET is tried in this order: a prefix (image: tar: oci: rootfs: dir: sbom: k8s: cluster: snapshot: docker: podman:) forces the kind;\n" +
			"\"host\" is this machine; \"engine\" the containers that Docker and Podman run here; \"cluster\" that of the current kubeconfig\n" +
			"context (cluster:CONTEXT another); \"-\" an SBOM, archive or manifest on standard input; an existing file or folder; else an\nimage of a registry. In a folder, charts are rendered and overlays are built as they stand there.",
		Example: "  bulwark scan debian:12\n  bulwark scan image.tar --fail-on high\n  bulwark scan host -f table -f html=report.html\n" +
			"  bulwark scan . --git-history --only secret\n  bulwark scan . --staged --only secret --fail-on low    # as a hook before each commit\n" +
			"  bulwark scan deploy/ --severity critical,high --policy policies/\n  helm template shop | bulwark scan -\n" +
			"  bulwark scan chart/ --values prod.yaml --kube-version 1.34\n  bulwark scan cluster --images\n  bulwark scan cluster --framework nsa --fail-under 80\n  bulwark scan snapshot:prod.snap",
		Args: cobra.MinimumNArgs(1), PreRunE: a.settle, ValidArgsFunction: completeTarget,
		RunE: func(c *cobra.Command, args []string) error { return a.scan(c.Context(), args, formats) },
	}
	f := c.Flags()
	a.results(f, names(formats), "table")
	a.selection(f)
	a.frameworkFlags(f)
	a.database(f)
	a.indexes(f)
	a.inside(f)
	a.repository(f)
	a.cluster.add(f)
	a.cluster.addImages(f)
	f.BoolVar(&a.byPaths, "paths", false, "raise and lower the risk of findings by where they lie on attack paths (see bulwark paths)")
	a.inUseFlag(f)
	a.targets(f)
	a.chartFlags(f)
	a.common(f)
	return c
}

// scan looks at the targets and reports.
func (a *app) scan(ctx context.Context, args []string, formats []report.Format) error {
	s, db, err := a.prepare(ctx)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	if a.byPaths {
		rankByPaths(s)
	}
	if s.Loaded, err = a.loaded(); err != nil {
		return err
	}
	o := report.Options{Now: s.Now, Hygiene: a.hygiene, Verbose: a.verbose, Unasked: !a.wantsAdvisories(), Lookup: lookup(db)}
	return a.run(ctx, s, args, formats, "table", o, db)
}

// run scans, writes the report and tells how it ended. A database that is damaged, or
// turns out to be while it is asked (nil: none is), makes the run fail when everything
// else has been looked at and reported.
func (a *app) run(ctx context.Context, s *scan.Scanner, args []string, formats []report.Format, normal string, o report.Options, db *advisory.DB) error {
	out, err := a.open(formats, normal, o)
	if err != nil {
		return err
	}
	res, err := a.look(ctx, s, args, out)
	if err = out.close(err); err != nil {
		return err
	}
	a.notes(out)
	damaged := a.damaged
	if db != nil && db.Err() != nil {
		damaged = db.Err()
	}
	if verdict := a.verdict(res); damaged == nil {
		return verdict
	}
	return &exit{code: exitFailed, err: damaged, hint: "get it anew: bulwark db update"}
}

// look scans with progress on a terminal.
func (a *app) look(ctx context.Context, s *scan.Scanner, args []string, h bulwark.Handler) (*scan.Result, error) {
	if a.interactive() && !a.quiet {
		p := a.watch()
		defer p.close()
		s.Progress = p
	}
	jobs, err := a.jobs(args)
	if err != nil {
		return nil, err
	}
	return s.Scan(ctx, a.withImages(ctx, jobs), h)
}

// verdict turns the result into the exit code, telling why.
func (a *app) verdict(res *scan.Result) error {
	for _, err := range res.Failed {
		fmt.Fprintf(a.err, "bulwark: error: %s\n", clean(err.Error()))
		if h := hint(err); h != "" {
			fmt.Fprintf(a.err, "bulwark: hint: %s\n", h)
		}
	}
	switch {
	case res.Opened == 0:
		return &exit{code: exitFailed}
	case slices.ContainsFunc(res.Findings, a.fails):
		return &exit{code: exitFindings}
	case a.below(res.Frameworks) != "":
		return &exit{code: exitFindings, err: errors.New(a.below(res.Frameworks))}
	case a.complete && !res.Summary.Complete:
		return &exit{code: exitIncomplete}
	}
	return nil
}

// fails tells whether a finding meets --fail-on.
func (a *app) fails(f bulwark.Finding) bool {
	if f.Exception != nil {
		return false
	}
	for _, want := range a.failOn {
		switch want {
		case "kev":
			if f.Vulnerability != nil && f.Vulnerability.KEV {
				return true
			}
		case "fixable":
			if f.Fix != nil {
				return true
			}
		default:
			var level bulwark.Severity
			if level.UnmarshalText([]byte(want)) == nil && f.Severity >= level {
				return true
			}
		}
	}
	return false
}

// scanner is what every look shares: plugins that read packages, cache, clock.
func (a *app) scanner(ctx context.Context) (*scan.Scanner, error) {
	now, err := a.clock()
	if err != nil {
		return nil, err
	}
	distro, err := a.release()
	if err != nil {
		return nil, err
	}
	packages := all.Options{Wants: func(string) bool { return false }}
	s := &scan.Scanner{
		Extractors: all.Extractors(packages), Inspectors: all.Inspectors(packages), Resolvers: all.Resolvers(),
		Exclude: a.exclude, Timeout: a.timeout, Distro: distro,
		Version: version(), Started: started(), Now: now,
	}
	if !a.noCache {
		if s.Cache, err = scan.OpenCache(filepath.Join(a.cacheFolder(), "layers")); err != nil {
			s.Notes = append(s.Notes, bulwark.Note{Plugin: "scan/cache", Text: err.Error()})
		}
	}
	s.FindBase = a.findBase
	s.Redact = secret.NewConfig(secret.Options{}).Redact
	s.Bases, err = a.namedBases(ctx)
	return s, err
}

// prepare adds what reasons: the database, checks, policies, the choice of findings.
// The database is nil when there is none.
func (a *app) prepare(ctx context.Context) (*scan.Scanner, *advisory.DB, error) {
	s, err := a.scanner(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := a.choose(s); err != nil {
		return nil, nil, err
	}
	var db *advisory.DB
	if a.wantsAdvisories() {
		if db, err = a.openDB(s.Now); err != nil {
			return nil, nil, err
		}
	}
	if a.damaged != nil {
		s.Notes = append(s.Notes, bulwark.Note{Plugin: "advisory", Text: a.damaged.Error(), Incomplete: true})
	}
	if db != nil {
		info := db.Info()
		s.Data.Advisories = &info
	}
	own, err := a.rules()
	if err != nil {
		return nil, nil, err
	}
	o := all.Options{
		DB: db, Now: s.Now, Online: a.online, Asked: slices.Contains(a.only, bulwark.KindOutdated), GoProxy: a.goProxy, NPMRegistry: a.npm, Resolve: a.resolve,
		Secrets: secret.Options{Now: s.Now, Personal: a.personal, Rules: own.secrets}, YARA: own.yara, Registries: a.registries, Hygiene: a.hygiene || len(a.frameworks) > 0, Wants: a.wants,
	}
	s.Notes = append(s.Notes, own.notes()...)
	if o.Policies, err = a.ownPolicies(); err != nil {
		return nil, nil, err
	}
	s.Notes = append(s.Notes, policyNotes(o.Policies)...)
	s.Extractors, s.Inspectors = all.Extractors(o), all.Inspectors(o)
	s.Checks, s.Advisors = all.Checks(o), all.Advisors(o)
	if err := a.frameworksOf(s); err != nil {
		return nil, nil, err
	}
	if err := a.traces(ctx, s, o); err != nil {
		return nil, nil, err
	}
	return s, db, nil
}

// traces lets findings of images be traced to the Dockerfile that --dockerfile names.
func (a *app) traces(ctx context.Context, s *scan.Scanner, o all.Options) error {
	if a.dockerfile == "" {
		return nil
	}
	f, err := os.Open(a.dockerfile)
	if err != nil {
		return usage("--dockerfile: %w", err)
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxConfig, a.dockerfile)
	if err != nil {
		return usage("--dockerfile: %w", err)
	}
	name := filepath.ToSlash(filepath.Clean(a.dockerfile))
	inv := &bulwark.Inventory{Documents: []bulwark.Document{{Kind: "dockerfile", Path: name, Data: data}}}
	var judged []bulwark.Finding
	err = dockerfile.New(dockerfile.Options{Registries: o.Registries}).Check(ctx, &bulwark.Target{}, inv, func(r bulwark.Record) {
		if r.Finding != nil {
			judged = append(judged, *r.Finding)
		}
	})
	if err != nil {
		return err
	}
	d, err := origin.New(name, data, judged)
	if err != nil {
		return usage("--dockerfile: %w", err)
	}
	s.Trace = d.Trace
	return nil
}

// ownRules are what --secret-rules and --yara name.
type ownRules struct {
	secrets []*secret.RuleSet
	yara    *yara.RuleSet
}

func (a *app) rules() (own ownRules, err error) {
	if a.wants(bulwark.KindSecret) {
		for _, file := range a.secretRules {
			set, err := secret.LoadRules(file)
			if err != nil {
				return own, &exit{code: exitUsage, err: fmt.Errorf("--secret-rules: %w", err)}
			}
			own.secrets = append(own.secrets, set)
		}
	}
	if len(a.yara) > 0 && a.wants(bulwark.KindMalware) {
		if own.yara, err = yara.Load(a.yara...); err != nil {
			return own, &exit{code: exitUsage, err: fmt.Errorf("--yara: %w", err)}
		}
	}
	return own, nil
}

// mostProblems is how many rules of a file that could not be taken are told one by one.
const mostProblems = 50

// notes tell which rules for secrets could not be taken; YARA's check tells of its own.
func (o *ownRules) notes() []bulwark.Note {
	var list []bulwark.Note
	note := func(path, text string) {
		list = append(list, bulwark.Note{Plugin: "check/secret", Path: path, Text: text, Incomplete: true})
	}
	for _, set := range o.secrets {
		for i, p := range set.Problems {
			if i == mostProblems {
				note(set.Name, fmt.Sprintf("%d more rules were not taken; bulwark rule validate lists them", len(set.Problems)-i))
				break
			}
			note(fmt.Sprintf("%s:%d:%d", set.Name, p.Line, p.Column), strings.TrimSpace("rule "+p.Rule)+" not taken: "+p.Text)
		}
	}
	return list
}

// openDB opens the advisory database; nil when there is none. One that is there and
// cannot be believed is as good as none for the look, and the run's failure at its end.
func (a *app) openDB(now time.Time) (*advisory.DB, error) {
	db, err := advisory.Open(a.dbFile())
	if errors.Is(err, bulwark.ErrNotFound) {
		fmt.Fprintf(a.err, "bulwark: hint: no advisory database at %s; get one: bulwark db update\n", a.dbFile())
		return nil, nil
	}
	if err != nil {
		a.damaged = err
		return nil, nil
	}
	if built := db.Info().Built; a.maxAge > 0 && now.Sub(built) > a.maxAge {
		db.Close()
		return nil, &exit{code: exitFailed, err: fmt.Errorf("the advisory database was built %s, and --max-db-age is %s", built.Format(time.RFC3339), a.maxAge), hint: "bulwark db update"}
	}
	return db, nil
}

// choose sets which findings are reported and which are excepted.
func (a *app) choose(s *scan.Scanner) error {
	for _, file := range a.exceptions {
		set, err := policy.Load(file, s.Now)
		if err != nil {
			return &exit{code: exitUsage, err: err}
		}
		s.Policies = append(s.Policies, set)
		s.Notes = append(s.Notes, set.Notes()...)
	}
	if a.inline {
		s.Policies = append(s.Policies, policy.Inline{Now: s.Now})
	}
	known, err := a.known()
	if err != nil {
		return err
	}
	s.Keep = func(f *bulwark.Finding) bool {
		return a.wants(f.Kind) && !known.has(f) &&
			(len(a.severity) == 0 || slices.Contains(a.severity, f.Severity.String())) &&
			(!a.fixable || f.Fix != nil) &&
			(a.hygiene || !slices.Contains(f.Tags, "hygiene"))
	}
	return nil
}

// baseline are the keys of a saved report's findings; true for those that an exception
// covers.
type baseline map[string]bool

// has tells whether the saved report has the finding. One that it excepts and that is
// excepted no longer is new.
func (b baseline) has(f *bulwark.Finding) bool {
	excepted, ok := b[f.Key]
	return ok && (!excepted || f.Exception != nil)
}

// known reads what --baseline has.
func (a *app) known() (baseline, error) {
	if a.baseline == "" {
		return nil, nil
	}
	r, err := readReport(a.baseline)
	if err != nil {
		return nil, &exit{code: exitUsage, err: fmt.Errorf("--baseline: %w", err)}
	}
	keys := make(baseline, len(r.Findings))
	for i := range r.Findings {
		keys[r.Findings[i].Key] = r.Findings[i].Exception != nil
	}
	return keys, nil
}

// lookup lets formats ask the database about an id.
func lookup(db *advisory.DB) func(string) (report.Details, bool) {
	if db == nil {
		return nil
	}
	return func(id string) (report.Details, bool) {
		r, err := db.Record(id)
		if err != nil {
			return report.Details{}, false
		}
		return report.Details{Text: strings.TrimSpace(r.Details), References: r.References, Published: r.Published, Modified: r.Modified}, true
	}
}
