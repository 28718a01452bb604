package gitleaks

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp/syntax"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

// file makes rules of what is written.
func (l *loader) file(c *config) *File {
	f := &File{}
	global, targeted := l.globals(c)
	f.Allow = global
	l.builtin(c, f)
	used := map[string]bool{}
	for _, e := range c.rules {
		e.allow = append(e.allow, targeted[e.id]...)
		r := l.rule(e)
		if r == nil {
			continue
		}
		r.Allow = append(r.Allow, global...)
		for n := 2; used[r.ID]; n++ {
			r.ID = fmt.Sprintf("%s-%d", idOf(e.id), n)
		}
		used[r.ID] = true
		f.Rules = append(f.Rules, r)
	}
	order := func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Rule+a.Text, b.Rule+b.Text))
	}
	slices.SortStableFunc(l.problems, order)
	slices.SortStableFunc(l.notes, order)
	f.Problems, f.Notes = l.problems, l.notes
	return f
}

// globals parts the allowlists of the file: those for all rules, and those for some.
func (l *loader) globals(c *config) (all []*rule.Allow, targeted map[string][]*allowlist) {
	targeted = map[string][]*allowlist{}
	for _, a := range c.allow {
		for _, id := range a.rules {
			if c.byID[id] == nil && !c.extended {
				l.problem(a.file, a.at, id, "an allowlist is for a rule that is not there")
			}
			targeted[id] = append(targeted[id], a)
		}
		if len(a.rules) > 0 {
			continue
		}
		made, err := l.allowed([]*allowlist{a}, "")
		if err != nil {
			l.problem(a.file, a.at, "", "an allowlist for all rules: %v", err)
			continue
		}
		all = append(all, made...)
	}
	return all, targeted
}

// allowed makes descriptions of what is harmless. One that needs a commit too can never fit.
func (l *loader) allowed(lists []*allowlist, id string) ([]*rule.Allow, error) {
	var out []*rule.Allow
	for _, a := range lists {
		if a.commits > 0 {
			l.note(a.file, a.at, id, "commits of allowlists are not looked at")
			if a.and || len(a.paths)+len(a.regexes)+len(a.stopwords) == 0 {
				continue
			}
		}
		for _, list := range [][]string{a.paths, a.regexes} {
			for _, expr := range list {
				if _, err := l.parse(expr); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, &rule.Allow{All: a.and, Target: a.target, Patterns: a.regexes, Paths: a.paths, Stopwords: a.stopwords})
	}
	return out, nil
}

// parse checks an expression against the budgets.
func (l *loader) parse(expr string) (*syntax.Regexp, error) {
	if len(expr) > maxPattern {
		return nil, fmt.Errorf("the expression is longer than %d bytes: %w", maxPattern, bulwark.ErrLimit)
	}
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	n := size(re)
	if n > maxSize {
		return nil, fmt.Errorf("the expression is too large when its repetitions are written out: %w", bulwark.ErrLimit)
	}
	if l.sizes -= n; l.sizes < 0 {
		return nil, fmt.Errorf("all expressions together are too large: %w", bulwark.ErrLimit)
	}
	return re, nil
}

// rule makes one rule; nil when it cannot be taken.
func (l *loader) rule(e *entry) *rule.Rule {
	refuse := func(at position, format string, args ...any) *rule.Rule {
		l.problem(e.file, at, e.id, format, args...)
		return nil
	}
	switch {
	case e.wrong:
		return nil // said before
	case e.skip:
		l.note(e.file, e.at, e.id, "skipReport: the rule reports nothing by itself and is left out")
		return nil
	case e.required:
		return refuse(e.at, "the rule needs findings of other rules near its own (required), which is not supported")
	case e.regex == "" && e.path == "":
		return refuse(e.at, "the rule has neither regex nor path")
	}
	allow, err := l.allowed(e.allow, e.id)
	if err != nil {
		return refuse(e.at, "allowlist: %v", err)
	}
	// The user's rules say all of what is harmless themselves: AnyContext.
	r := &rule.Rule{ID: idOf(e.id), Title: cmp.Or(titleOf(e.description), "Secret ("+shown(e.id)+")"), Reason: e.description, Severity: severityOf(e),
		Tags: e.tags, Path: e.path, Group: e.group, Allow: allow, AnyContext: true}
	if e.entropy > 0 {
		r.Entropy = math.Nextafter(e.entropy, 9) // gitleaks asks for more than this
	}
	if e.path != "" {
		if _, err := l.parse(e.path); err != nil {
			return refuse(e.pathAt, "path: %v", err)
		}
	}
	if e.regex != "" {
		if err := l.pattern(e, r); err != nil {
			at := e.regexAt
			var syn *syntax.Error
			if errors.As(err, &syn) {
				return refuse(at, "regex: %s: %s", syn.Code, syn.Expr)
			}
			return refuse(at, "regex: %v", err)
		}
	}
	if err := r.Valid(); err != nil {
		return refuse(e.at, "%v", err)
	}
	return r
}

// pattern gives the rule its expression, and what it is found by.
func (l *loader) pattern(e *entry, r *rule.Rule) error {
	re, err := l.parse(e.regex)
	if err != nil {
		return err
	}
	if groups := re.MaxCap(); e.group < 0 || e.group > groups {
		return fmt.Errorf("secretGroup is %d, and the expression has %d groups: %w", e.group, groups, bulwark.ErrMalformed)
	}
	r.Pattern = e.regex
	r.FoldCase = folds(re)
	a := finder{r.FoldCase, e.keywords}.required(re)
	if !a.none() && a.shortest() >= 3 && held(a.texts, e.keywords) {
		l.window(r, a)
		return nil
	}
	if keywords := usable(e.keywords); len(keywords) > 0 {
		l.note(e.file, e.at, e.id, "its matches need not hold a keyword: they are looked for near one, not in all of a file that has one")
		r.FoldCase = true
		l.window(r, anchors{texts: keywords, before: max(1024, min(longest(re), 2048)), after: max(2048, min(longest(re)*2, rule.MaxAfter))})
		return nil
	}
	if !a.none() {
		if a.shortest() < 3 {
			l.note(e.file, e.at, e.id, "slow: its matches share no text of three characters, and it has no keywords")
		}
		l.window(r, a)
		return nil
	}
	return l.slow(e, r, re)
}

// slow is the last resort: whatever the first character of a match can be.
func (l *loader) slow(e *entry, r *rule.Rule, re *syntax.Regexp) error {
	first := firstBytes(e.regex)
	if len(first) == 0 {
		return fmt.Errorf("nothing tells where it may match: give it keywords: %w", bulwark.ErrUnsupported)
	}
	l.note(e.file, e.at, e.id, "slow: nothing but its first character tells where it may match, and it has no keywords")
	r.FoldCase = false
	l.window(r, anchors{texts: first, before: 0, after: longest(re)})
	return nil
}

// window sets anchors and the window around them, with some room for neighbours.
func (l *loader) window(r *rule.Rule, a anchors) {
	r.Anchors = a.texts
	r.Before = min(max(rule.DefaultBefore, a.before+16), rule.MaxBefore)
	r.After = min(max(rule.DefaultAfter, a.after+16), rule.MaxAfter)
}

// held tells whether each text holds a keyword, so that whatever matches has one.
func held(texts, keywords []string) bool {
	if len(keywords) == 0 {
		return true
	}
	for _, t := range texts {
		if !slices.ContainsFunc(keywords, func(k string) bool { return strings.Contains(strings.ToLower(t), strings.ToLower(k)) }) {
			return false
		}
	}
	return true
}

// usable are the keywords that can be looked for; none when one of them is empty, because it is in every file.
func usable(keywords []string) []string {
	if slices.Contains(keywords, "") || len(keywords) > 1000 {
		return nil
	}
	out := make([]string, len(keywords))
	for i, k := range keywords {
		out[i] = strings.ToLower(k)
	}
	return minimal(out)
}

// severityOf is that which a tag names; gitleaks has none. Rules that call themselves generic
// say less than others of the same value, which gitleaks leaves to those.
func severityOf(e *entry) bulwark.Severity {
	for _, t := range e.tags {
		var s bulwark.Severity
		if s.UnmarshalText([]byte(strings.ToLower(t))) == nil && s != bulwark.SeverityUnknown {
			return s
		}
	}
	if strings.Contains(strings.ToLower(e.id), "generic") {
		return bulwark.SeverityMedium
	}
	return bulwark.SeverityHigh
}

// idOf makes an id of lower case, digits and hyphens.
func idOf(id string) string {
	id = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, id)
	return cmp.Or(strings.Trim(id[:min(len(id), 80)], "-"), "rule")
}

// titleOf is a description's first sentence.
func titleOf(description string) string {
	s, _, _ := strings.Cut(shown(description), ". ")
	return strings.ToValidUTF8(strings.TrimSuffix(strings.TrimSpace(s[:min(len(s), 120)]), "."), "")
}

// clone copies a rule without its compiled expressions.
func clone(b *rule.Rule) *rule.Rule {
	return &rule.Rule{ID: b.ID, Title: b.Title, Reason: b.Reason, FalsePositives: b.FalsePositives, Severity: b.Severity, References: b.References,
		Tags: slices.Clone(b.Tags), Anchors: b.Anchors, FoldCase: b.FoldCase, Pattern: b.Pattern, Before: b.Before, After: b.After, Group: b.Group,
		Entropy: b.Entropy, Check: b.Check, ConfigOnly: b.ConfigOnly, Generic: b.Generic, Personal: b.Personal, AnyContext: b.AnyContext, Doubtful: b.Doubtful,
		Least: b.Least, Path: b.Path, Allow: slices.Clone(b.Allow)}
}

// firstBytes lists the ASCII characters that a match can begin with; nil when they are more
// than half of all, or a match can be empty.
func firstBytes(expr string) []string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	var set [128]bool
	if empty, ok := firstOf(re.Simplify(), &set, 0); empty || !ok {
		return nil
	}
	var out []string
	for c, has := range set {
		if has {
			out = append(out, string(rune(c)))
		}
	}
	if len(out) > 64 {
		return nil
	}
	return out
}

// firstOf adds the first characters of an expression, and tells whether it can match nothing.
func firstOf(re *syntax.Regexp, set *[128]bool, depth int) (empty, ok bool) {
	add := func(c rune) {
		if c < 128 {
			set[c] = true
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		add(re.Rune[0])
		if re.Flags&syntax.FoldCase != 0 {
			add([]rune(strings.ToLower(string(re.Rune[0])))[0])
			add([]rune(strings.ToUpper(string(re.Rune[0])))[0])
		}
		return false, true
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for c := re.Rune[i]; c <= min(re.Rune[i+1], 127); c++ {
				add(c)
			}
		}
		return false, len(re.Rune) > 0
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false, false
	case syntax.OpCapture, syntax.OpPlus:
		return firstOf(re.Sub[0], set, depth+1)
	case syntax.OpStar, syntax.OpQuest:
		_, ok := firstOf(re.Sub[0], set, depth+1)
		return true, ok
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if empty, ok := firstOf(sub, set, depth+1); !empty || !ok {
				return false, ok
			}
		}
		return true, true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			e, ok := firstOf(sub, set, depth+1)
			if !ok {
				return false, false
			}
			empty = empty || e
		}
		return empty, true
	}
	return true, true
}
