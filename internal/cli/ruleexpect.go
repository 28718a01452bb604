package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"bulwark"
	"bulwark/detect/rules"
	"bulwark/internal/limit"
	"bulwark/watch"
)

// expectation is how often a rule should fire on a recording.
type expectation struct {
	rule     string // its name or id; "*": each that has no line of its own
	min, max int    // max -1: any number
	line     int
}

func (x *expectation) String() string {
	switch {
	case x.max == 0:
		return "never"
	case x.max < 0 && x.min == 1:
		return "at least once"
	case x.max < 0:
		return fmt.Sprintf("at least %d times", x.min)
	}
	return times(x.min)
}

func times(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// expected is what a file expects of one recording.
type expected struct {
	recording string // as the file names it
	of        []expectation
}

const maxExpect = 4 << 20

// readExpect reads a file of expectations: a map of recordings, each a map of rules with how often they fire.
func readExpect(name string) ([]expected, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxExpect, name)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, err, bulwark.ErrMalformed)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: it has to be recordings, each with rules and how often they fire: %w", name, bulwark.ErrMalformed)
	}
	var list []expected
	for key, n := range pairs(doc.Content[0]) {
		x := expected{recording: key.Value}
		if n.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("%s:%d: %s has to have rules, each with how often it fires: %w", name, n.Line, key.Value, bulwark.ErrMalformed)
		}
		for rule, often := range pairs(n) {
			one, err := readOften(often.Value)
			if err != nil || often.Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("%s:%d: %s: %q is neither a number nor never, some or N+: %w", name, often.Line, rule.Value, often.Value, bulwark.ErrMalformed)
			}
			one.rule, one.line = rule.Value, rule.Line
			x.of = append(x.of, one)
		}
		list = append(list, x)
	}
	return list, nil
}

// pairs are the keys and values of a map, in their order.
func pairs(n *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// readOften reads "3", "2+", "some" and "never".
func readOften(s string) (x expectation, err error) {
	switch s {
	case "never":
		return x, nil
	case "some":
		return expectation{min: 1, max: -1}, nil
	}
	text, more := strings.CutSuffix(s, "+")
	n, err := strconv.ParseUint(text, 10, 31)
	x.min, x.max = int(n), int(n)
	if more {
		x.max = -1
	}
	return x, err
}

// hold tells of each expectation whether the recording meets it.
func (x *expected) hold(p *played) []bulwark.RuleTest {
	var list []bulwark.RuleTest
	test := func(rule string) *bulwark.RuleTest {
		list = append(list, bulwark.RuleTest{Rule: rule, File: p.Recording, Cases: 1, Failures: []string{}})
		return &list[len(list)-1]
	}
	named := map[string]bool{}
	for i := range x.of {
		one := &x.of[i]
		if one.rule == "*" {
			continue
		}
		t := test(one.rule)
		at := slices.IndexFunc(p.Rules, func(r firing) bool { return r.Rule == one.rule || r.ID == one.rule })
		if at < 0 {
			t.Failures = append(t.Failures, fmt.Sprintf("line %d: no rule that is run is called so", one.line))
			continue
		}
		named[p.Rules[at].ID] = true
		if why := one.judge(&p.Rules[at]); why != "" {
			t.Failures = append(t.Failures, why)
		}
	}
	for i := range x.of {
		if x.of[i].rule == "*" {
			x.of[i].rest(test("*"), p.Rules, named)
		}
	}
	return list
}

// rest judges all rules but those that are named.
func (x *expectation) rest(t *bulwark.RuleTest, list []firing, named map[string]bool) {
	for i := range list {
		if why := x.judge(&list[i]); why != "" && !named[list[i].ID] {
			t.Failures = append(t.Failures, list[i].Rule+": "+why)
		}
	}
}

// judge tells what is wrong with how often a rule fired; "": nothing.
func (x *expectation) judge(r *firing) string {
	if r.Count >= x.min && (x.max < 0 || r.Count <= x.max) {
		return ""
	}
	why := fmt.Sprintf("fired %s, expected %s", times(r.Count), x)
	if r.Shadowed > 0 {
		why += fmt.Sprintf("; %s told by a rule before it", count(r.Shadowed, "event"))
	}
	return why
}

// expectRules plays the recordings that files of expectations name, and tells whether they are met.
func (a *app) expectRules(ctx context.Context, ruleFiles, files []string, format string) error {
	p, err := a.newPlayer(ruleFiles)
	if err != nil {
		return err
	}
	var tests []bulwark.RuleTest
	for _, file := range files {
		more, err := p.expect(ctx, file)
		if err != nil {
			return asFailure(err)
		}
		tests = append(tests, more...)
	}
	return a.toldTests(tests, format)
}

// toldTests writes what became of rules, and fails where one did not pass.
func (a *app) toldTests(tests []bulwark.RuleTest, format string) error {
	err := a.write(func(w io.Writer) error { return tellTests(w, tests, format) })
	if err == nil && slices.ContainsFunc(tests, func(t bulwark.RuleTest) bool { return len(t.Failures) > 0 }) {
		return &exit{code: exitFailed}
	}
	return err
}

func (p *player) expect(ctx context.Context, file string) ([]bulwark.RuleTest, error) {
	list, err := readExpect(file)
	if err != nil {
		return nil, err
	}
	var tests []bulwark.RuleTest
	for i := range list {
		one, err := p.play(ctx, beside(file, list[i].recording))
		if err != nil {
			return nil, err
		}
		one.Recording = list[i].recording
		tests = append(tests, list[i].hold(one)...)
	}
	return tests, nil
}

// isFalcoFile tells a file of rules in Falco's language from other lists.
func isFalcoFile(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 1<<20))
	return err == nil && rules.IsRules(head) && falcoItem.Match(head)
}

var falcoItem = regexp.MustCompile(`(?m)^\s*-\s*["']?(rule|macro|list|required_engine_version)["']?\s*:`)

// testFalco tries a file of a folder, with rules in Falco's language, on the recordings beside it: NAME.expect.yaml says
// how often rules fire on which; on NAME/match/X.trace, or X.jsonl of an audit log, one has to fire, on NAME/miss/X.trace none, or with a folder more,
// RULE by its name or id.
func (a *app) testFalco(ctx context.Context, dir, name string, before []string) []bulwark.RuleTest {
	file := filepath.Join(dir, filepath.FromSlash(name))
	tests, err := a.falcoTests(ctx, file, before)
	if err != nil {
		return append(tests, bulwark.RuleTest{Rule: path.Base(name), File: name, Failures: []string{err.Error()}})
	}
	for i := range tests {
		tests[i].File = name
	}
	return tests
}

func (a *app) falcoTests(ctx context.Context, file string, before []string) ([]bulwark.RuleTest, error) {
	p, err := a.newPlayer(append(slices.Clone(before), file))
	if err != nil {
		return nil, err
	}
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	tests, err := p.expectIfThere(ctx, stem+".expect.yaml")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, pattern := range []string{"/*/*.trace", "/*/*/*.trace", "/*/*.jsonl", "/*/*/*.jsonl"} {
		more, err := filepath.Glob(stem + pattern)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	for _, recording := range found {
		one, err := p.play(ctx, recording)
		if err != nil {
			return nil, err
		}
		tests = append(tests, caseOf(one, strings.TrimPrefix(filepath.ToSlash(recording), filepath.ToSlash(stem)+"/")))
	}
	if len(tests) > 0 {
		return merged(tests), nil
	}
	return p.untested()
}

// untested are the rules of the last file, which has no cases.
func (p *player) untested() (tests []bulwark.RuleTest, err error) {
	if _, err := p.detectors(&watch.Watcher{}); err != nil {
		return nil, err
	}
	last := p.files[len(p.files)-1]
	for _, r := range rules.List(p.files...) {
		if r.File == last.Name {
			tests = append(tests, bulwark.RuleTest{Rule: r.ID, Failures: []string{}})
		}
	}
	return tests, nil
}

func (p *player) expectIfThere(ctx context.Context, file string) ([]bulwark.RuleTest, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, nil
	}
	return p.expect(ctx, file)
}

// merged has one test for each rule; its failures say which recording they are about.
func merged(list []bulwark.RuleTest) (out []bulwark.RuleTest) {
	for _, t := range list {
		for i := range t.Failures {
			if t.File != "" {
				t.Failures[i] = t.File + ": " + t.Failures[i]
			}
		}
		at := slices.IndexFunc(out, func(o bulwark.RuleTest) bool { return o.Rule == t.Rule })
		if at < 0 {
			out = append(out, t)
			continue
		}
		out[at].Cases += t.Cases
		out[at].Failures = append(out[at].Failures, t.Failures...)
	}
	return out
}

// caseOf judges a recording by where it lies: match/X.trace, RULE/miss/X.trace.
func caseOf(one *played, place string) bulwark.RuleTest {
	part := strings.Split(place, "/")
	rule, kind := "*", part[0]
	if len(part) == 3 {
		rule, kind = part[0], part[1]
	}
	t := bulwark.RuleTest{Rule: rule, Cases: 1, Failures: []string{}}
	if kind != "match" && kind != "miss" {
		t.Failures = append(t.Failures, place+" lies in no folder called match or miss")
		return t
	}
	fired, known := 0, rule == "*"
	for _, r := range one.Rules {
		if rule == "*" || r.Rule == rule || r.ID == rule || strings.TrimPrefix(r.ID, "falco/") == rule {
			fired, known = fired+r.Count, true
		}
	}
	switch {
	case !known:
		t.Failures = append(t.Failures, fmt.Sprintf("%s: no rule that is run is called so", place))
	case kind == "match" && fired == 0:
		t.Failures = append(t.Failures, place+": it does not fire")
	case kind == "miss" && fired > 0:
		t.Failures = append(t.Failures, fmt.Sprintf("%s: it fires %s", place, times(fired)))
	}
	return t
}
