package secret

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"time"

	"bulwark/check/secret/internal/rule"
	"bulwark/internal/match"
)

// engine is rules made ready. It is used by all files at once.
type engine struct {
	// common is what is looked for in every file, settings what is besides in settings.
	common, settings index
	paths            []*rule.Rule
	after            int // the longest that a window goes on after its anchor
	before           int
	now              time.Time
	matchers         int
}

// index finds the anchors of some rules.
type index struct {
	set  *match.Set
	uses [][]use // by literal
}

// use is what a literal stands for: an anchor of a rule, in some form.
type use struct {
	m    *matcher
	form form
	text string // the anchor as the rule has it
}

// matcher is a rule with its expressions in the form the engine tries them.
type matcher struct {
	*rule.Rule
	once sync.Once
	// lead is the pattern held to the start of a text; nil when a match may begin before its anchor.
	lead *regexp.Regexp
	word bool // the pattern begins with \b
	// whole is the pattern held to the start of the name that the anchor is part of: the
	// longest run of at most run bytes of its class before the anchor. nil when it begins otherwise.
	whole *regexp.Regexp
	run   int
	class *[256]bool
	// packed is lead, whole or the pattern without what the pattern wants beside the secret: programs have
	// their strings one right after the other. nil where that would be too easily met.
	packed *regexp.Regexp
	need   need // of a text that begins with the match
	some   need // of one that holds it
	// line: no match has a line feed, but for its last byte; most is how long one can be.
	line bool
	most int
	// weight is how much a byte costs that the pattern is tried on.
	weight int64
	index  int // among the engine's matchers
}

// build makes the engine of valid rules.
func build(rules []*rule.Rule, now time.Time) *engine { return buildFor(nil, rules, now) }

// buildFor makes an engine that finds in the texts that g knows what one of build finds; nil: in any.
func buildFor(g *grams, rules []*rule.Rule, now time.Time) *engine {
	e := &engine{now: now}
	common, settings := indexer{in: g}, indexer{in: g}
	for _, r := range slices.Concat(rules, []*rule.Rule{certificates}) {
		if len(r.Anchors) == 0 {
			e.paths = append(e.paths, r)
			continue
		}
		before, after := r.Span()
		e.before, e.after = max(e.before, before), max(e.after, after)
		m := &matcher{Rule: r, index: e.matchers}
		e.matchers++
		if r.ConfigOnly {
			settings.add(m)
			continue
		}
		common.add(m)
	}
	// Other forms of an anchor are longer than it, and so are windows in that form.
	e.before, e.after = e.before*stretch, e.after*stretch
	e.common, e.settings = common.index(), settings.index()
	return e
}

// indexer gathers the literals of an index.
type indexer struct {
	in       *grams
	literals []match.Literal
	uses     [][]use
	known    map[match.Literal]int
}

func (x *indexer) add(m *matcher) {
	for _, anchor := range m.Anchors {
		common := m.ConfigOnly || m.Personal || m.Path != ""
		forms := formsOf(anchor, m.FoldCase, common)
		if !common && (x.in == nil || x.in.base64) {
			forms = append(forms, codedForms(anchor, m.FoldCase)...)
		}
		for _, v := range forms {
			if x.in.mayHold(v.literal) {
				x.literal(v.literal, use{m: m, form: v.form, text: anchor})
			}
		}
	}
}

func (x *indexer) literal(l match.Literal, u use) {
	if x.known == nil {
		x.known = map[match.Literal]int{}
	}
	id, ok := x.known[l]
	if !ok {
		id = len(x.literals)
		x.known[l] = id
		x.literals = append(x.literals, l)
		x.uses = append(x.uses, nil)
	}
	x.uses[id] = append(x.uses[id], u)
}

func (x *indexer) index() index { return index{match.New(x.literals), x.uses} }

// prepare looks at the pattern once: most begin with their anchor, and are tried there alone.
func (m *matcher) prepare() {
	m.once.Do(func() {
		if m.Compile() != nil {
			return // a test has loaded it
		}
		held := `\A(?:` + m.Pattern + `)`
		re, err := syntax.Parse(m.Pattern, syntax.Perl)
		if err != nil {
			return
		}
		m.line, m.most, m.some = oneLine(re), longest(re), needOf(re, false)
		m.weight = 1 + int64(states(re)/32)
		switch {
		case m.leads(re):
			m.word = beginsAtWord(re)
			m.need = needOf(re, true)
			m.lead, _ = regexp.Compile(held)
		case m.runs(re):
			m.need = needOf(re, true)
			m.whole, _ = regexp.Compile(held)
		}
		switch {
		case m.Generic || m.some.least < 16 && shortest(re) < 20:
		case m.lead == nil && m.whole == nil:
			m.packed, _ = regexp.Compile(bare(re).String())
		case m.need.least >= 16 || m.some.least < 16:
			m.packed, _ = regexp.Compile(`\A(?:` + bare(re).String() + `)`)
		}
	})
}

// cut shortens a text that begins with a match to what the match can be in.
func (m *matcher) cut(text []byte) []byte {
	if m.most >= 0 && len(text) > m.most+1 {
		text = text[:m.most+1]
	}
	if i := bytes.IndexByte(text, '\n'); m.line && i >= 0 {
		text = text[:i+1]
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i] // a string of a program ends here
	}
	return text
}

// leads tells whether every match begins with an anchor.
func (m *matcher) leads(re *syntax.Regexp) bool {
	list, ok := prefixes(re)
	if !ok {
		return false
	}
	for _, p := range list.texts {
		if !m.beginsWithAnchor(p) {
			return false
		}
	}
	return len(list.texts) > 0
}

// runs tells whether every match begins with any number of bytes of a class, up to a
// number, and then an anchor.
func (m *matcher) runs(re *syntax.Regexp) bool {
	if re.Op != syntax.OpConcat || len(re.Sub) < 2 || re.Sub[0].Op != syntax.OpRepeat || re.Sub[0].Min != 0 || re.Sub[0].Max <= 0 {
		return false
	}
	run := re.Sub[0]
	if run.Sub[0].Op != syntax.OpCharClass || !m.leads(&syntax.Regexp{Op: syntax.OpConcat, Sub: re.Sub[1:]}) {
		return false
	}
	m.run, m.class = run.Max, bytesOf(run.Sub[0])
	return true
}

func (m *matcher) beginsWithAnchor(p string) bool {
	for _, a := range m.Anchors {
		if strings.HasPrefix(p, a) || m.FoldCase && len(p) >= len(a) && strings.EqualFold(p[:len(a)], a) {
			return true
		}
	}
	return false
}

// bare is a pattern without the boundary that it begins with and the guard that it ends in.
func bare(re *syntax.Regexp) *syntax.Regexp {
	if re.Op != syntax.OpConcat || len(re.Sub) < 2 {
		return re
	}
	subs := re.Sub
	if subs[0].Op == syntax.OpWordBoundary {
		subs = subs[1:]
	}
	if n := longest(subs[len(subs)-1]); len(subs) > 1 && n >= 0 && n <= 4 && subs[len(subs)-1].Op != syntax.OpCapture {
		subs = subs[:len(subs)-1]
	}
	return &syntax.Regexp{Op: syntax.OpConcat, Flags: re.Flags, Sub: subs}
}

// shortest is the least bytes that a pattern matches.
func shortest(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpRepeat:
		return re.Min * shortest(re.Sub[0])
	case syntax.OpAlternate:
		n = shortest(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			n = min(n, shortest(sub))
		}
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
		for _, sub := range re.Sub {
			n += shortest(sub)
		}
	}
	return n
}

// states is about how many states a pattern has when its repetitions are written out.
func states(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += states(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<20)
}

func beginsAtWord(re *syntax.Regexp) bool {
	for re.Op == syntax.OpConcat || re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	return re.Op == syntax.OpWordBoundary
}

// starts is the texts that matches can begin with; whole when they are whole matches.
type starts struct {
	texts []string
	whole bool
}

const mostStarts = 256

// prefixes gives what matches begin with; not ok when that is too much to list.
func prefixes(re *syntax.Regexp) (starts, bool) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpWordBoundary:
		return starts{[]string{""}, true}, true
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return starts{[]string{strings.ToLower(string(re.Rune))}, true}, true
		}
		return starts{[]string{string(re.Rune)}, true}, true
	case syntax.OpCharClass:
		return classStarts(re)
	case syntax.OpCapture:
		return prefixes(re.Sub[0])
	case syntax.OpConcat:
		return concatStarts(re.Sub)
	case syntax.OpAlternate:
		return alternateStarts(re.Sub)
	case syntax.OpQuest:
		s, ok := prefixes(re.Sub[0])
		s.texts = append(s.texts, "")
		return s, ok && s.whole
	case syntax.OpPlus:
		s, ok := prefixes(re.Sub[0])
		s.whole = false
		return s, ok
	}
	return starts{[]string{""}, false}, true
}

func classStarts(re *syntax.Regexp) (starts, bool) {
	s := starts{whole: true}
	for i := 0; i < len(re.Rune); i += 2 {
		if re.Rune[i+1]-re.Rune[i] > 16 {
			return starts{[]string{""}, false}, true
		}
		for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
			s.texts = append(s.texts, string(c))
		}
	}
	return s, len(s.texts) <= 32
}

func concatStarts(subs []*syntax.Regexp) (starts, bool) {
	sofar := starts{[]string{""}, true}
	for _, sub := range subs {
		next, ok := prefixes(sub)
		if !ok || len(sofar.texts)*len(next.texts) > mostStarts {
			sofar.whole = false
		}
		if !sofar.whole {
			break
		}
		var texts []string
		for _, a := range sofar.texts {
			for _, b := range next.texts {
				texts = append(texts, a+b)
			}
		}
		sofar = starts{texts, next.whole}
	}
	return sofar, true
}

func alternateStarts(subs []*syntax.Regexp) (starts, bool) {
	out := starts{whole: true}
	for _, sub := range subs {
		s, ok := prefixes(sub)
		if !ok {
			return s, false
		}
		out.texts = append(out.texts, s.texts...)
		out.whole = out.whole && s.whole
	}
	return out, len(out.texts) <= mostStarts
}
