package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/all"
	"bulwark/detect/rules"
	"bulwark/watch"
)

// played is what rules made of a recording.
type played struct {
	Recording string   `json:"recording"`
	Events    int      `json:"events"`
	Fired     int      `json:"fired"` // rules that did
	Rules     []firing `json:"rules"` // all that were run, those that fired most first
	Notes     []string `json:"notes,omitempty"`
}

// firing is how often a rule fired.
type firing struct {
	Rule     string `json:"rule"` // as it is called where it is written
	ID       string `json:"id"`   // as findings have it
	Severity string `json:"severity"`
	Count    int    `json:"count"`
	// Shadowed counts events that the rule matches as well, and that another before it told of.
	Shadowed int `json:"shadowed,omitempty"`
}

// player plays recordings to the rules of files, or to the detectors that are built in.
type player struct {
	*app
	files []rules.File
}

// newPlayer reads files of rules; without any, the detectors that are built in are played to.
func (a *app) newPlayer(names []string) (*player, error) {
	p := &player{app: a}
	for _, name := range names {
		data, err := readRules(name)
		if err != nil {
			return nil, &exit{code: exitFailed, err: fmt.Errorf("--rules: %w", err)}
		}
		p.files = append(p.files, rules.File{Name: name, Data: data})
	}
	return p, nil
}

// play gives a recording to the rules.
func (p *player) play(ctx context.Context, name string) (*played, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rec, err := readRecording(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := &played{Recording: name, Rules: []firing{}}
	if rec.note != "" {
		out.Notes = append(out.Notes, rec.note)
	}
	e := &watch.Watcher{Host: bulwark.Asset{Name: rec.Name}, Boot: rec.Boot, Handler: (*noted)(out)}
	tried, err := p.detectors(e)
	if err != nil {
		return nil, err
	}
	counts := &counting{byID: map[string]*firing{}}
	for _, d := range tried {
		if r, ok := d.(bulwark.Ruler); ok {
			counts.know(r.Rules())
		}
		e.Detectors = append(e.Detectors, &counted{d, counts})
	}
	e.Detectors = append(e.Detectors, &tally{out, rec.Kinds})
	if err := e.Replay(ctx, rec.from); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, one := range counts.byID {
		out.Rules = append(out.Rules, *one)
		out.Fired += min(one.Count, 1)
	}
	slices.SortFunc(out.Rules, func(a, b firing) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Rule, b.Rule)) })
	return out, nil
}

// detectors are made anew for each recording, since they remember.
func (p *player) detectors(e *watch.Watcher) ([]bulwark.Detector, error) {
	if len(p.files) == 0 {
		return all.Detectors(all.Detecting{}), nil
	}
	d, problems := rules.New(rules.Options{Files: p.files, MatchAll: true, Names: accounts{e}, Host: e.Host.Name, Boot: e.Boot})
	if err := (&watching{app: p.app}).troubles(problems); err != nil {
		return nil, &exit{code: exitFailed, err: err, hint: "bulwark rule validate FILE lists all that is wrong"}
	}
	return []bulwark.Detector{d}, nil
}

// counting counts by the ids of rules.
type counting struct{ byID map[string]*firing }

func (c *counting) know(list []bulwark.Rule) {
	for _, r := range list {
		name := r.ID
		if family(r.ID) == "falco" {
			name = r.Title
		}
		c.byID[r.ID] = &firing{Rule: name, ID: r.ID, Severity: r.Severity.String()}
	}
}

// add counts what one event gave: of rules in Falco's language the first that matches tells of it.
func (c *counting) add(found []bulwark.Finding) {
	told := false
	for i := range found {
		f := &found[i]
		one := c.byID[f.Rule]
		if one == nil {
			one = &firing{Rule: cmp.Or(f.Title, f.Rule), ID: f.Rule, Severity: f.Severity.String()}
			c.byID[f.Rule] = one
		}
		if f.Alert != nil && told {
			one.Shadowed++
			continue
		}
		told = told || f.Alert != nil
		one.Count++
	}
}

// counted is a detector whose findings are counted and not told.
type counted struct {
	bulwark.Detector
	*counting
}

func (d *counted) Observe(e *bulwark.Event) []bulwark.Finding {
	d.add(d.Detector.Observe(e))
	return nil
}

func (d *counted) Tick(now time.Time) []bulwark.Finding {
	if t, ok := d.Detector.(bulwark.Ticker); ok {
		d.add(t.Tick(now))
	}
	return nil
}

// tally counts the events.
type tally struct {
	*played
	kinds []string // that were recorded
}

func (t *tally) Info() bulwark.Info { return bulwark.Info{Name: "tally"} }

func (t *tally) Interest() bulwark.Interest {
	want := bulwark.Interest{}
	for _, name := range t.kinds {
		if k, ok := bulwark.KindNamed(name); ok {
			want[k] = []bulwark.Where{{}}
		}
	}
	return want
}

func (t *tally) Observe(*bulwark.Event) []bulwark.Finding { t.Events++; return nil }

// noted keeps what a reader should know of the recording.
type noted played

func (n *noted) Handle(r bulwark.Record) error {
	if r.Note != nil && r.Note.Incomplete && len(n.Notes) < mostTroubles {
		n.Notes = append(n.Notes, r.Note.Text)
	}
	return nil
}

// playRules plays recordings and tells how often each rule fired.
func (a *app) playRules(ctx context.Context, ruleFiles, recordings []string, format string) error {
	p, err := a.newPlayer(ruleFiles)
	if err != nil {
		return err
	}
	var list []*played
	for _, name := range recordings {
		one, err := p.play(ctx, name)
		if err != nil {
			return asFailure(err)
		}
		list = append(list, one)
	}
	return a.write(func(w io.Writer) error {
		if format == "json" {
			return writeJSON(w, map[string]any{"recordings": list})
		}
		return tellPlayed(w, list)
	})
}

func asFailure(err error) error {
	var e *exit
	if errors.As(err, &e) {
		return err
	}
	return &exit{code: exitFailed, err: fmt.Errorf("testing rules: %w", err), hint: madeBy}
}

func tellPlayed(w io.Writer, list []*played) error {
	var b strings.Builder
	for i, one := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s, %d of %s fired\n", clean(one.Recording), count(one.Events, "event"), one.Fired, count(len(one.Rules), "rule"))
		for _, r := range one.Rules {
			often := "never"
			if r.Count > 0 {
				often = fmt.Sprint(r.Count)
			}
			fmt.Fprintf(&b, "%8s  %s", often, clean(r.Rule))
			if r.Shadowed > 0 {
				fmt.Fprintf(&b, " (%s more told by a rule before it)", count(r.Shadowed, "event"))
			}
			b.WriteByte('\n')
		}
		for _, n := range one.Notes {
			fmt.Fprintf(&b, "   note: %s\n", clean(n))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// beside is a path that a file names, relative to the file.
func beside(file, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), filepath.FromSlash(name))
}
