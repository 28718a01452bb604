// Package rules_test holds the built-in rules to what they say of themselves.
package rules_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/check/secret"
	"bulwark/check/secret/internal/rule"
)

// fills is how often each template is filled in anew.
const fills = 3

// load reads every rule, its cases included.
func load(t testing.TB) []*rule.Rule {
	t.Helper()
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	var out []*rule.Rule
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r, err := rule.Load(data)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if r.ID+".yaml" != f {
			t.Errorf("%s holds the rule %s", f, r.ID)
		}
		out = append(out, r)
	}
	return out
}

func fill(t testing.TB, template string, seed uint64) string {
	t.Helper()
	text, err := rule.Fill(template, rand.New(rand.NewPCG(seed, 7)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func seedOf(id string, i int) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, id, i)
	return h.Sum64()
}

// scan gives what the engine with all built-in rules finds in a file.
func scan(t testing.TB, inspector *secret.Inspector, path, content string) []bulwark.Finding {
	t.Helper()
	info := bulwark.FileInfo{Size: int64(len(content))}
	info.SetPath(path)
	sink := inspector.Begin(&info)
	if sink == nil {
		return nil
	}
	if _, err := sink.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	facts, err := sink.Close()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return facts.Findings
}

func inspector() *secret.Inspector {
	return secret.New(secret.Options{Personal: true, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
}

func pathOf(r *rule.Rule) string {
	if r.Cases.Path != "" {
		return r.Cases.Path
	}
	return "app.env"
}

// TestCases runs every rule's own cases through the engine. Where two rules fit, the
// engine keeps the one that knows more; it must not be a graver one of somebody else.
func TestCases(t *testing.T) {
	i := inspector()
	rules := load(t)
	severity := map[string]bulwark.Severity{}
	for _, r := range rules {
		severity["secret/"+r.ID] = r.Severity
	}
	for _, r := range rules {
		if len(r.Cases.Match) == 0 {
			t.Errorf("%s has no case that it must find", r.ID)
		}
		for n, template := range r.Cases.Match {
			for k := range fills {
				text := fill(t, template, seedOf(r.ID, n*fills+k))
				found := scan(t, i, pathOf(r), text)
				if !slices.ContainsFunc(found, func(f bulwark.Finding) bool { return f.Rule == "secret/"+r.ID }) {
					t.Errorf("%s does not find its case %d %q, but %v", r.ID, n, text[:min(len(text), 300)], names(found))
				}
				for _, f := range found {
					if f.Rule != "secret/"+r.ID && severity[f.Rule] > r.Severity && !r.Generic {
						t.Errorf("%s: case %d is taken by the graver %s", r.ID, n, f.Rule)
					}
				}
			}
		}
		for n, template := range r.Cases.Miss {
			text := fill(t, template, seedOf(r.ID, 1000+n))
			for _, f := range scan(t, i, pathOf(r), text) {
				if f.Rule == "secret/"+r.ID {
					t.Errorf("%s finds its near miss %d %q", r.ID, n, text[:min(len(text), 300)])
				}
			}
		}
	}
}

func names(found []bulwark.Finding) []string {
	var out []string
	for _, f := range found {
		out = append(out, f.Rule)
	}
	return out
}

// TestRules holds every rule to what the engine builds on.
func TestRules(t *testing.T) {
	rules := load(t)
	seen := map[string]bool{}
	vendors := 0
	for _, r := range rules {
		if seen[r.ID] {
			t.Errorf("two rules are called %s", r.ID)
		}
		seen[r.ID] = true
		if !r.Generic && !r.Personal {
			vendors++
		}
		checkText(t, r)
		checkAnchors(t, r)
		checkBounds(t, r)
	}
	if vendors < 150 {
		t.Errorf("%d rules of vendors, want 150 at least", vendors)
	}
	t.Logf("%d rules, %d of them neither generic nor personal", len(rules), vendors)
}

// checkText: a reason that argues for the severity, and a note on false positives.
func checkText(t *testing.T, r *rule.Rule) {
	word := strings.ToUpper(r.Severity.String()[:1]) + r.Severity.String()[1:]
	if !strings.Contains(r.Reason, word) {
		t.Errorf("%s: the reason does not say why it is %s", r.ID, r.Severity)
	}
	if len(r.FalsePositives) < 12 {
		t.Errorf("%s says nothing of false positives", r.ID)
	}
	if len(r.Cases.Miss) == 0 && len(r.Anchors) > 0 {
		t.Errorf("%s has no near miss", r.ID)
	}
}

// checkAnchors: every true case holds one, and short ones are few.
func checkAnchors(t *testing.T, r *rule.Rule) {
	for n, template := range r.Cases.Match {
		text := fill(t, template, seedOf(r.ID, n*fills))
		if r.FoldCase {
			text = strings.ToLower(text)
		}
		ok := len(r.Anchors) == 0
		for _, a := range r.Anchors {
			if r.FoldCase {
				a = strings.ToLower(a)
			}
			ok = ok || strings.Contains(text, a)
		}
		if !ok {
			t.Errorf("%s: case %d holds no anchor", r.ID, n)
		}
	}
	for _, a := range r.Anchors {
		if len(a) < 3 && !r.Personal || len(a) < 4 && r.FoldCase && !r.ConfigOnly {
			t.Errorf("%s: the anchor %q is too short to be rare", r.ID, a)
		}
	}
}

// checkBounds: what a pattern matches ends by itself, or in a window that the rule asks for.
func checkBounds(t *testing.T, r *rule.Rule) {
	re, err := syntax.Parse(r.Pattern, syntax.Perl)
	if err != nil {
		t.Errorf("%s: %v", r.ID, err)
		return
	}
	before, after := r.Span()
	longest := longest(re)
	if longest < 0 && r.After == 0 {
		t.Errorf("%s: the pattern has no end, and the rule asks for no window", r.ID)
	}
	if longest > 4*(before+after) {
		t.Errorf("%s: the pattern matches up to %d bytes, the window holds %d", r.ID, longest, before+after)
	}
}

// longest is how many bytes an expression may match; -1: without end.
func longest(re *syntax.Regexp) int {
	sum := 0
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpStar, syntax.OpPlus:
		return -1
	case syntax.OpRepeat:
		n := longest(re.Sub[0])
		if re.Max < 0 || n < 0 {
			return -1
		}
		return n * re.Max
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			n := longest(sub)
			if n < 0 {
				return -1
			}
			sum = max(sum, n)
		}
		return sum
	}
	for _, sub := range re.Sub {
		n := longest(sub)
		if n < 0 {
			return -1
		}
		sum += n
	}
	return sum
}
