package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/detect/rules/internal/lang"
)

// File is a file of rules.
type File struct {
	Name string
	Data []byte
}

// Options say what a detector runs. Of the zero value all but Files may be kept.
type Options struct {
	Files []File // read in this order: later ones add to earlier ones and override them
	// Threshold is the least priority of rules that are run: "warning". Empty: all are.
	Threshold string
	// MatchAll gives a finding for each rule that an event matches, and not for the first one alone.
	MatchAll bool
	// All gives rules that name no kind of event also those that happen all the time: reads, writes, closes, ...
	All bool
	// Tags are of rules that are run, where there are any; Without those of rules that are not.
	Tags, Without []string
	// Disabled are names of rules that are not run; each may be a glob.
	Disabled []string
	Append   []Append
	// Explain adds to the evidence which parts of the rule's condition were met.
	Explain  bool
	Names    Names    // nil: only root has one
	Resolver Resolver // nil: no name has an address
	Host     string   // name of the node
	Boot     int64    // when the node started, nanoseconds since 1970; 0: not known
}

// Append adds to the outputs of rules.
type Append struct {
	Rule, Source, Tag string // of which rules; empty: of all
	Format            string
}

// Problem is something wrong with rules, or with Warning odd.
type Problem struct {
	File         string
	Line, Column int    // from 1; 0: of the whole file
	Rule         string // the rule, macro or list that it is of
	Text         string
	Warning      bool
	Kind         string // of what Rule names: rule, macro, list
	Code         string // what Falco calls it, such as LOAD_UNUSED_LIST; "": nothing that it tells
}

func (p *Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Rule != "" {
		fmt.Fprintf(&b, "%s: ", p.Rule)
	}
	b.WriteString(p.Text)
	return b.String()
}

// Detector runs rules over events. It is not for use by several goroutines at once.
type Detector struct {
	rules   []*rule
	buckets [][]*compiled // by kind
	view    event
	all     bool // matches are not only the first
	explain bool
}

var (
	_ bulwark.Detector = (*Detector)(nil)
	_ bulwark.Ruler    = (*Detector)(nil)
)

// rule is one that is run.
type rule struct {
	*lang.Rule
	slug        string
	tags        []string
	cond        *cond
	output      *format
	kinds       kinds // of events that it may match
	whole       bool  // so many that the code is the same for all
	place       string
	actionPlace string
	c           *compiler
}

// compiled is a rule for one kind of event.
type compiled struct {
	*rule
	test func(*event) bool // nil: always
}

// New reads rules and makes them ready. Rules that have something wrong are left out, and the problems say why: whether
// the others are run is for the caller to say.
func New(o Options) (*Detector, []Problem) {
	var files []lang.File
	for _, f := range o.Files {
		files = append(files, lang.File{Name: f.Name, Data: f.Data})
	}
	b := &builder{o: o, set: lang.Load(files), compilers: map[string]*compiler{}}
	b.told()
	d := &Detector{all: o.MatchAll, explain: o.Explain, view: event{env: newEnvironment(o)}}
	for _, r := range b.set.Rules {
		if x := b.rule(r); x != nil && b.runs(r) {
			d.rules = append(d.rules, x)
		}
	}
	d.fill(o.All)
	b.watch(d.view.env.resolver)
	return d, b.problems
}

func newEnvironment(o Options) *environment {
	e := &environment{names: o.Names, resolver: o.Resolver, host: o.Host, boot: o.Boot}
	if e.names == nil {
		e.names = nobody{}
	}
	if e.resolver == nil {
		e.resolver = nowhere{}
	}
	return e
}

// builder makes rules ready, and keeps what is wrong with them.
type builder struct {
	o         Options
	set       *lang.Set
	compilers map[string]*compiler
	problems  []Problem
}

// told tells what was wrong in the files. A rule of events that there are not is left out, whatever is wrong in its condition.
func (b *builder) told() {
	passed := map[string]bool{}
	for _, p := range b.set.Problems {
		if p.Source == "" || sourceKinds(p.Source) != nil {
			b.tell(&p)
		} else if !passed[p.Rule] {
			passed[p.Rule] = true
			b.noSource(p.Pos, p.Rule, p.Source)
		}
	}
}

func (b *builder) noSource(at lang.Pos, rule, source string) {
	b.warn(at, rule, "LOAD_UNKNOWN_SOURCE", fmt.Sprintf("there are no events of source %s here: the rule is not run", source))
}

func (b *builder) tell(of *lang.Problem) {
	p := Problem{Line: int(of.Pos.Line), Column: int(of.Pos.Column), Rule: of.Rule, Text: of.Text, Warning: of.Warning, Kind: of.Kind, Code: of.Code}
	if int(of.Pos.File) < len(b.set.Files) {
		p.File = b.set.Files[of.Pos.File]
	}
	b.problems = append(b.problems, p)
}

func (b *builder) warn(at lang.Pos, rule, code, text string) {
	b.tell(&lang.Problem{Pos: at, Kind: "rule", Rule: rule, Text: text, Warning: true, Code: code})
}

// rule is r made ready, or nil where it cannot be run. What is wrong with it is told whether it is enabled or not, what is odd of
// its condition where it is.
func (b *builder) rule(r *lang.Rule) *rule {
	of := sourceKinds(r.Source)
	if of == nil {
		b.noSource(r.Pos, r.Name, r.Source)
		return nil
	}
	c := b.compilers[r.Source]
	if c == nil {
		c = newCompiler(r.Source)
		b.compilers[r.Source] = c
	}
	x := &rule{Rule: r, c: c, slug: slug(r.Name), tags: tags(r.Tags), place: b.set.Place(r.Pos), actionPlace: b.set.Place(r.ActionPos)}
	err := x.compile(b.o.Append)
	for _, o := range c.oddities() {
		b.warn(o.pos, r.Name, o.code, o.text)
	}
	if err != nil {
		b.fail(x, err)
		return nil
	}
	x.kinds = noKinds()
	copy(x.kinds, x.cond.may)
	x.kinds.and(of)
	x.whole = x.kinds.len() > manyKinds
	if x.kinds.len() == 0 && r.Enabled {
		why, code := never(x.cond)
		b.warn(r.ConditionPos, r.Name, code, "the condition can never be true"+why)
	}
	if x.whole && r.WarnEventTypes && r.Source == bulwark.SourceSyscall && r.Enabled {
		b.warn(r.ConditionPos, r.Name, "LOAD_NO_EVTTYPE", "the condition names no evt.type: the rule is tried on very many events")
	}
	return x
}

// manyKinds is from how many kinds on a condition is not made ready for each of them.
const manyKinds = 48

func (x *rule) compile(more []Append) (err error) {
	if x.cond, err = x.c.cond(x.Condition); err != nil {
		return err
	}
	if x.output, err = x.c.output(&x.Output); err != nil {
		return err
	}
	for _, a := range more {
		if !a.applies(x.Rule) {
			continue
		}
		o, err := lang.ParseOutput(a.Format)
		if err != nil {
			return &placed{pos: x.Pos, err: fmt.Errorf("what is added to outputs: %w", err)}
		}
		f, err := x.c.output(&o)
		if err != nil {
			return &placed{pos: x.Pos, err: fmt.Errorf("what is added to outputs: %w", err)}
		}
		x.output.parts = append(append(x.output.parts, part{text: " "}), f.parts...)
	}
	return nil
}

func (a *Append) applies(r *lang.Rule) bool {
	return (a.Rule == "" || a.Rule == r.Name) && (a.Source == "" || a.Source == r.Source) && (a.Tag == "" || slices.Contains(r.Tags, a.Tag))
}

func (b *builder) fail(r *rule, err error) {
	is := lang.Problem{Pos: r.ConditionPos, Kind: "rule", Rule: r.Name, Text: err.Error(), Code: lang.CodeCondition}
	if r.cond != nil {
		is.Code = lang.CodeOutput
	}
	var p *placed
	if errors.As(placedAt(r.ConditionPos, err), &p) {
		is.Pos, is.Warning = p.pos, p.unknown && r.SkipUnknown
	}
	if is.Warning {
		is.Text += ": the rule is left out, as it asks for"
		is.Code = "LOAD_UNKNOWN_FILTER"
	}
	b.tell(&is)
}

// runs tells whether the options want the rule.
func (b *builder) runs(r *lang.Rule) bool {
	threshold, ok := lang.ParsePriority(b.o.Threshold)
	if ok && r.Priority > threshold {
		return false
	}
	tagged := func(t string) bool { return slices.Contains(r.Tags, t) }
	if len(b.o.Tags) > 0 && !slices.ContainsFunc(b.o.Tags, tagged) || slices.ContainsFunc(b.o.Without, tagged) {
		return false
	}
	named := func(g string) bool { return g == r.Name || globMatch(g, r.Name, false) }
	return r.Enabled && !slices.ContainsFunc(b.o.Disabled, named)
}

func (b *builder) watch(r Resolver) {
	var names []string
	for _, c := range b.compilers {
		names = append(names, c.domains...)
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 0 {
		r.Watch(names)
	}
}

// fill sorts the rules by the kinds of event that they may match.
func (d *Detector) fill(all bool) {
	d.buckets = make([][]*compiled, len(bulwark.Kinds())+1)
	for _, r := range d.rules {
		var whole *compiled
		if r.whole {
			whole = r.forKind(0)
		}
		for _, k := range r.kinds.list() {
			if r.whole && !all && slices.Contains(flood, k) {
				continue
			}
			c := whole
			if c == nil {
				c = r.forKind(k)
			}
			if c != nil {
				d.buckets[k] = append(d.buckets[k], c)
			}
		}
	}
}

// forKind is the rule for events of a kind; nil: it never matches one.
func (r *rule) forKind(k bulwark.Kind) *compiled {
	m := r.c.make(r.cond, k)
	if m.known && !m.is || k != 0 && impossible(r.cond, k) {
		return nil
	}
	return &compiled{rule: r, test: m.test}
}

// Info names the detector.
func (d *Detector) Info() bulwark.Info {
	return bulwark.Info{Name: "detect/rules", Summary: "Rules over events in Falco's language.", Version: 1}
}

// Interest is what the rules have to see.
func (d *Detector) Interest() bulwark.Interest {
	want := bulwark.Interest{}
	for k, bucket := range d.buckets {
		if len(bucket) == 0 {
			continue
		}
		if list := reachOfAll(bucket, bulwark.Kind(k)); len(list) > 0 {
			want[bulwark.Kind(k)] = list
		}
	}
	return want
}

// reachOfAll is what any of the rules has to see of a kind.
func reachOfAll(bucket []*compiled, k bulwark.Kind) (all []bulwark.Where) {
	for _, c := range bucket {
		key := k
		if c.whole {
			key = 0
		}
		r := reachOf(c.cond, key, false)
		if r.any {
			return []bulwark.Where{{}}
		}
		all = append(all, r.list...)
	}
	return bounded(all)
}

// Observe gives a finding for the first rule that the event matches, or for each.
func (d *Detector) Observe(e *bulwark.Event) []bulwark.Finding {
	if int(e.Kind) >= len(d.buckets) {
		return nil
	}
	bucket := d.buckets[e.Kind]
	if len(bucket) == 0 {
		return nil
	}
	d.view.set(e)
	var found []bulwark.Finding
	for _, c := range bucket {
		if c.test != nil && !c.test(&d.view) {
			continue
		}
		f := c.finding(&d.view)
		if d.explain {
			for _, clause := range c.why(&d.view) {
				f.Evidence = append(f.Evidence, "met: "+clause)
			}
		}
		found = append(found, f)
		if !d.all {
			break
		}
	}
	return found
}

// Len is how many rules are run.
func (d *Detector) Len() int { return len(d.rules) }
