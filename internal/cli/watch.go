package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/all"
	"bulwark/internal/memory"
	"bulwark/report"
	"bulwark/report/alerts"
	"bulwark/source/rootfs"
	"bulwark/watch"
)

// watching are the flags of the command watch.
type watching struct {
	*app
	rules        []string
	record       string
	replay       string
	recorded     *recording // that is replayed
	duration     time.Duration
	priority     string
	append       []string
	sensitive    []string
	explain      bool
	kubelet      string
	top          bool
	view         *top // of --top
	capture      string
	captureWhole time.Duration
	least        int // the number of the priority
	sources      []string
	to           receivers
	actions      enforcing
	audit        auditing
	profiling    profiling
}

func (a *app) watchCommand() *cobra.Command {
	w := &watching{app: a}
	c := &cobra.Command{
		Use: "watch", Short: "Watch what runs on this machine, and tell what is wrong as it happens",
		Long: "Watch sees what processes of this machine do, in containers and outside, and tells of escapes, miners, shells and whatever rules in\n" +
			"Falco's language say. It runs until it is interrupted, needs root and BPF, and says at the start what it can see here.\n" +
			"What it could not see it tells as well. A recording has what processes were given as arguments and environment: guard it as you would them.\n" +
			"Docs: docs/watch.md.",
		Example: "  bulwark watch\n  bulwark watch --rules falco_rules.yaml -f falco\n  bulwark watch --for 10m --record night.trace -f jsonl=night.jsonl\n" +
			"  bulwark watch --replay night.trace --rules mine.yaml\n  bulwark watch --capture /var/lib/bulwark/traces",
		Args: cobra.NoArgs, PreRunE: w.settle,
		RunE: func(c *cobra.Command, _ []string) error { return w.run(c.Context()) },
	}
	f := c.Flags()
	f.StringArrayVar(&w.rules, "rules", nil, "`FILE` of rules in Falco's language, beside the detectors that are built in (repeatable; later ones change earlier ones)")
	f.BoolVar(&w.top, "top", false, "show containers, events, drops and the newest alerts on the whole terminal, and draw them again each second")
	f.StringVar(&w.record, "record", "", "write all that detectors see to `FILE`")
	f.StringVar(&w.replay, "replay", "", "look at what `FILE` recorded, or at the audit log of a Kubernetes API server, instead of this machine")
	f.DurationVar(&w.duration, "for", 0, "end after this `duration`")
	f.StringVar(&w.priority, "priority", "debug", "only what is at least of this `LEVEL`: emergency alert critical error warning notice informational debug; also high medium low")
	f.StringArrayVar(&w.append, "output-append", nil, "`TEXT` with fields to add to the output of every rule in Falco's language (repeatable)")
	f.StringArrayVar(&w.sensitive, "sensitive", nil, "`FILE` that says which paths and volumes are sensitive, and who may touch them (repeatable)")
	f.BoolVar(&w.explain, "explain", false, "say with each finding which part of its rule was met, and why it matters")
	f.StringVar(&w.capture, "capture", "", "keep the events around each finding in a file of its own in `FOLDER`")
	f.DurationVar(&w.captureWhole, "capture-before", 5*time.Second, "how much before a finding --capture keeps, as a `duration`")
	f.StringArrayVar(&a.exceptions, "exceptions", nil, "`FILE` of exceptions, read again when it changes (repeatable; default "+usualExceptions+" where there is one)")
	f.StringSliceVar(&w.sources, "source", mostSources, "where events come from: `NAMES` of "+strings.Join(mostSources, " "))
	f.BoolVar(&a.offline, "offline", false, "ask nobody for the addresses of names that rules have")
	f.StringVar(&w.kubelet, "kubelet", "", "ask kubelet at `URL` for the labels of pods, as in http://127.0.0.1:10255 (engines tell names and namespaces)")
	w.to.flags(f)
	w.actions.flags(f)
	w.audit.flags(f)
	w.profiling.flags(f)
	a.results(f, names(all.Streams()), "text")
	a.common(f)
	c.AddCommand(a.suppressCommand())
	for _, name := range []string{"timeout", "now"} {
		if err := f.MarkHidden(name); err != nil {
			panic(err) // no such flag
		}
	}
	return c
}

// levels are Falco's priorities, the worst first.
var levels = []string{"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"}

// level is the number of a priority; false: it is none.
func level(name string) (int, bool) {
	name = strings.ToLower(name)
	switch name {
	case "info":
		name = "informational"
	case "high":
		name = "error"
	case "medium":
		name = "warning"
	case "low":
		name = "notice"
	}
	for i, l := range levels {
		if l == name {
			return i, true
		}
	}
	return 0, false
}

// levelOf is the priority of a finding: that of its rule where it has one.
func levelOf(f *bulwark.Finding) int {
	if f.Alert != nil {
		if n, ok := level(f.Alert.Priority); ok {
			return n
		}
	}
	return [...]int{5, 5, 4, 3, 2}[min(max(f.Severity, 0), 4)]
}

func (w *watching) settle(c *cobra.Command, args []string) error {
	typed := map[string]bool{}
	c.Flags().Visit(func(f *pflag.Flag) { typed[f.Name] = true })
	if err := w.options.settle(c, args); err != nil {
		return err
	}
	var ok bool
	if w.least, ok = level(w.priority); !ok {
		return usage("--priority %q: say emergency, alert, critical, error, warning, notice, informational or debug", w.priority)
	}
	for _, s := range w.sources {
		if !slices.Contains(mostSources, s) {
			return usage("--source %q: say %s", s, strings.Join(mostSources, ", "))
		}
	}
	if len(w.sources) == 0 || w.replay == "" && len(w.sources) == 1 && w.sources[0] == bulwark.SourceK8sAudit && w.audit.file == "" && w.audit.listen == "" {
		return &exit{code: exitUsage, err: errors.New("nothing is to be watched"), hint: "say where the audit log is: --audit-log FILE or --audit-webhook HOST:PORT"}
	}
	if w.replay != "" && w.record == w.replay {
		return usage("--record and --replay name the same file")
	}
	if u, err := url.Parse(w.kubelet); w.kubelet != "" && (err != nil || u.Scheme != "http" || u.Host == "") {
		return usage("--kubelet %q: say where its read-only API is, as in http://127.0.0.1:10255; the one that asks who calls (https) is not spoken to", w.kubelet)
	}
	if err := w.profiling.settle(); err != nil {
		return err
	}
	if err := idle(c.Flags(), typed); err != nil {
		return err
	}
	if w.duration < 0 {
		return usage("--for %v: say how long, as in 10m", w.duration)
	}
	if err := w.actions.settle(w); err != nil {
		return err
	}
	if w.top {
		return w.mayTop()
	}
	return nil
}

// parts are flags that say more about another one, and do nothing without it.
var parts = map[string][]string{
	"webhook-buffer": {"webhook"}, "webhook-format": {"webhook"}, "webhook-header": {"webhook"}, "otlp-header": {"otlp"}, "sink-ca": {"syslog", "webhook", "otlp"},
	"capture-before": {"capture"}, "output-append": {"rules"}, "audit-cert": {"audit-webhook"}, "audit-key": {"audit-webhook"}, "audit-client-ca": {"audit-webhook"},
}

// idle refuses what was typed and would do nothing. Settings and environment may have it for other runs.
func idle(f *pflag.FlagSet, typed map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		given := func(of string) bool { return f.Lookup(of).Value.String() != f.Lookup(of).DefValue }
		if typed[name] && !slices.ContainsFunc(parts[name], given) {
			return usage("--%s does nothing without --%s", name, strings.Join(parts[name], ", --"))
		}
	}
	return nil
}

// run wires the engine and lets it work.
func (w *watching) run(ctx context.Context) (err error) {
	if w.replay == "" {
		memory.Last()
	}
	if w.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.duration)
		defer cancel()
	}
	e := &watch.Watcher{Host: rootfs.Machine(), Boot: booted(), About: bulwark.Run{Version: version(), Started: started(), Targets: []string{"watch"}}}
	e.Cluster = w.audit.cluster
	e.Keep = func(f *bulwark.Finding) bool { return levelOf(f) <= w.least }
	shut, err := w.recalls(e)
	if err != nil {
		return err
	}
	defer shut()
	if e.Detectors, err = w.detectors(ctx, e); err != nil {
		return err
	}
	if e.Detectors, err = w.profiles(e.Detectors); err != nil {
		return err
	}
	if e.Policies, err = w.excepts(ctx, e); err != nil {
		return err
	}
	if w.capture != "" {
		if err := os.MkdirAll(w.capture, 0o700); err != nil {
			return fmt.Errorf("--capture: %w", err)
		}
		e.Capture = &watch.Capture{Dir: w.capture, Before: w.captureWhole}
	}
	out, err := w.streams()
	if err != nil {
		return err
	}
	done, err := w.receive(e, out)
	if err != nil {
		return errors.Join(err, out.close(nil))
	}
	defer done()
	ctx, end, err := w.topped(ctx, e, out)
	if err != nil {
		return errors.Join(err, out.close(nil))
	}
	defer end()
	e.Handler = w.explained(e, out)
	err = w.recording(e, func() error {
		if w.replay != "" {
			return w.replayed(ctx, e)
		}
		return w.live(ctx, e)
	})
	return errors.Join(err, w.closeProfiles(), out.close(nil))
}

// recording has do write what detectors see, where that was asked for. The file has what processes were given as
// arguments and environment, and so is for its owner alone.
func (w *watching) recording(e *watch.Watcher, do func() error) error {
	if w.record == "" {
		return do()
	}
	f, err := os.OpenFile(w.record, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("--record: %w", err)
	}
	e.Record = f
	return errors.Join(do(), f.Close())
}

// madeBy says what can be replayed.
const madeBy = "a recording is made by bulwark watch --record FILE; the audit log of a Kubernetes API server is taken as it is"

// recalls opens the recording, and has detectors know what it says of the machine that it was made on. Done closes it.
func (w *watching) recalls(e *watch.Watcher) (done func(), err error) {
	if w.replay == "" {
		return func() {}, nil
	}
	from, done := w.in, func() {}
	if w.replay != "-" {
		f, err := os.Open(w.replay)
		if err != nil {
			return nil, &exit{code: exitFailed, err: fmt.Errorf("--replay: %w", err), hint: madeBy}
		}
		from, done = f, func() { f.Close() }
	}
	if w.recorded, err = readRecording(from); err != nil {
		done()
		return nil, &exit{code: exitFailed, err: fmt.Errorf("--replay: %s: %w", w.replay, err), hint: madeBy}
	}
	if w.recorded.note != "" && !w.quiet {
		fmt.Fprintf(w.err, "bulwark: note: %s: %s\n", clean(w.replay), w.recorded.note)
	}
	e.Host.Name, e.Boot = w.recorded.Name, w.recorded.Boot
	return done, nil
}

func (w *watching) replayed(ctx context.Context, e *watch.Watcher) error {
	if err := e.Replay(ctx, w.recorded.from); err != nil {
		return fmt.Errorf("%s: %w", w.replay, err)
	}
	return nil
}

// streams are where findings go as they happen. A file is added to, so that it can be followed and outlives the run.
func (w *watching) streams() (*sinks, error) {
	wanted := w.formats
	if len(wanted) == 0 && (!w.top || w.output != "") {
		wanted = []string{"text"}
	}
	s, plain := &sinks{table: true}, 0
	for _, one := range wanted {
		name, file, several := strings.Cut(one, "=")
		f, err := formatNamed(all.Streams(), name)
		if err == nil && several && file == "" {
			err = usage("-f %s names no file after =", one)
		}
		if !several {
			plain++
			file = w.output
		}
		if err == nil && plain > 1 {
			err = usage("one format goes to stdout or --output; give the others a file: -f %s=FILE", name)
		}
		if err == nil {
			err = w.follow(s, f, file)
		}
		if err != nil {
			return nil, s.close(err)
		}
	}
	return s, nil
}

// follow writes a format to a file, or to stdout where none is named.
func (w *watching) follow(s *sinks, f report.Format, file string) error {
	o := w.suited(report.Options{Stream: true, Verbose: w.verbose}, file)
	if file == "" {
		s.handlers = append(s.handlers, w.format(f, w.out, o))
		return nil
	}
	to, err := os.OpenFile(filepath.Clean(file), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	s.files = append(s.files, &pending{to, file, true})
	s.handlers = append(s.handlers, w.format(f, to, o))
	return nil
}

// format is that of findings; the one for people names the file of exceptions that this run reads.
func (w *watching) format(f report.Format, to io.Writer, o report.Options) bulwark.Handler {
	if f.Name != "text" {
		return f.New(to, o)
	}
	return alerts.New(to, alerts.Options{Color: o.Color, Width: o.Width, Now: o.Now, Hint: w.hint, Whole: w.explain})
}

// explained adds to each finding why its rule says that it matters, where that was asked for.
func (w *watching) explained(e *watch.Watcher, h bulwark.Handler) bulwark.Handler {
	if !w.explain {
		return h
	}
	why := map[string]bulwark.Rule{}
	for _, rule := range toldRules() {
		why[rule.ID] = rule
	}
	for _, d := range e.Detectors {
		if r, ok := d.(bulwark.Ruler); ok {
			for _, rule := range r.Rules() {
				why[rule.ID] = rule
			}
		}
	}
	return &explainer{h, why}
}

type explainer struct {
	bulwark.Handler
	why map[string]bulwark.Rule
}

func (x *explainer) Handle(r bulwark.Record) error {
	if r.Finding == nil {
		return x.Handler.Handle(r)
	}
	rule, ok := x.why[r.Finding.Rule]
	if !ok {
		return x.Handler.Handle(r)
	}
	f := *r.Finding
	f.Evidence = append(append([]string{}, f.Evidence...), nonEmpty("why it matters: "+rule.Reason, prefixedBy("wrong when: ", rule.FalsePositives))...)
	return x.Handler.Handle(bulwark.Record{Finding: &f})
}

func prefixedBy(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
