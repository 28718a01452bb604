package gitleaks

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// anchors are texts of which every match of an expression holds at least one.
type anchors struct {
	texts []string
	// before and after bound where in a match they begin, and how far it goes on from there.
	before, after int
}

const (
	endless    = 1 << 20 // the length of what has no end
	mostTexts  = 192
	mostSpread = 24 // characters of a class that are told apart
)

// none: no text is in every match.
func (a anchors) none() bool { return len(a.texts) == 0 || slices.Contains(a.texts, "") }

// shortest is the length of the shortest text.
func (a anchors) shortest() int {
	n := endless
	for _, t := range a.texts {
		n = min(n, len(t))
	}
	return n
}

// finder finds what tells where an expression may match.
type finder struct {
	fold     bool     // in any case: texts are in lower case
	keywords []string // one of them must be in a file
}

// better tells which of two is better: the one that holds keywords, so that these need not be
// looked for apart; else longer texts, up to a point; else fewer.
func (f finder) better(a, b anchors) bool {
	if b.none() || a.none() {
		return b.none() && !a.none()
	}
	if x, y := f.holds(a), f.holds(b); x != y {
		return x
	}
	if x, y := min(a.shortest(), 5), min(b.shortest(), 5); x != y {
		return x > y
	}
	return len(a.texts) < len(b.texts)
}

func (f finder) holds(a anchors) bool { return a.shortest() >= 3 && held(a.texts, f.keywords) }

// required finds the texts that tell best where an expression may match.
func (f finder) required(re *syntax.Regexp) anchors {
	a := f.requiredOf(re)
	a.texts = minimal(a.texts)
	return a
}

func (f finder) requiredOf(re *syntax.Regexp) anchors {
	if texts, ok := f.exactly(re); ok {
		return anchors{texts, 0, longest(re)}
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return within(f.requiredOf(re.Sub[0]), re)
	case syntax.OpRepeat:
		if re.Min > 0 {
			return within(f.requiredOf(re.Sub[0]), re)
		}
	case syntax.OpConcat:
		return f.ofConcat(re.Sub)
	case syntax.OpAlternate:
		return f.ofAlternate(re.Sub)
	}
	return anchors{}
}

// within widens what was found in a part to the whole: the first of several holds it too.
func within(a anchors, re *syntax.Regexp) anchors {
	a.after = max(a.after, longest(re))
	return a
}

// ofConcat takes the best of runs of parts whose texts are known, and of what parts require.
func (f finder) ofConcat(subs []*syntax.Regexp) anchors {
	var best anchors
	run, runStart := []string{""}, 0
	lengths := make([]int, len(subs)+1) // before each part
	for i, sub := range subs {
		lengths[i+1] = min(endless, lengths[i]+longest(sub))
	}
	total := lengths[len(subs)]
	take := func(texts []string, before, after int) {
		if a := (anchors{slices.Clone(texts), before, after}); f.better(a, best) {
			best = a
		}
	}
	for i, sub := range subs {
		texts, ok := f.exactly(sub)
		if ok && len(run)*len(texts) <= mostTexts {
			run = cross(run, texts)
			take(run, lengths[runStart], total-lengths[runStart])
			continue
		}
		if begins := f.begins(sub, 0); !ok && len(run)*len(begins) <= mostTexts {
			take(cross(run, begins), lengths[runStart], total-lengths[runStart])
		}
		run, runStart = []string{""}, i+1
		if ok {
			run, runStart = texts, i
			take(run, lengths[i], total-lengths[i])
			continue
		}
		a := f.requiredOf(sub)
		rest := min(endless, total-lengths[i+1])
		take(a.texts, min(endless, lengths[i]+a.before), min(endless, a.after+rest))
	}
	return best
}

func (f finder) ofAlternate(subs []*syntax.Regexp) anchors {
	var out anchors
	for _, sub := range subs {
		a := f.requiredOf(sub)
		if a.none() || len(out.texts)+len(a.texts) > mostTexts {
			return anchors{}
		}
		out.texts = append(out.texts, a.texts...)
		out.before, out.after = max(out.before, a.before), max(out.after, a.after)
	}
	return out
}

// begins lists what matches begin with, as far as it is known.
func (f finder) begins(re *syntax.Regexp, depth int) []string {
	nothing := []string{""}
	if texts, ok := f.exactly(re); ok || depth > 20 {
		return append(texts, nothing[:1-min(1, len(texts))]...)
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return f.begins(re.Sub[0], depth+1)
	case syntax.OpRepeat:
		if re.Min > 0 {
			return f.begins(re.Sub[0], depth+1)
		}
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			out = append(out, f.begins(sub, depth+1)...)
		}
		if len(out) <= mostTexts {
			return out
		}
	case syntax.OpConcat:
		out := nothing
		for _, sub := range re.Sub {
			texts, ok := f.exactly(sub)
			if !ok {
				texts = f.begins(sub, depth+1)
			}
			if len(out)*len(texts) > mostTexts {
				return out
			}
			if out = cross(out, texts); !ok {
				return out
			}
		}
	}
	return nothing
}

// exactly lists the texts that an expression matches, when they are few.
func (f finder) exactly(re *syntax.Regexp) ([]string, bool) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpBeginLine, syntax.OpBeginText, syntax.OpEndLine, syntax.OpEndText:
		return []string{""}, true
	case syntax.OpLiteral:
		s := string(re.Rune)
		if !f.fold {
			return []string{s}, re.Flags&syntax.FoldCase == 0 || !hasLetter(s)
		}
		s = strings.ToLower(s)
		return []string{s}, ascii(s)
	case syntax.OpCharClass:
		return f.spread(re)
	case syntax.OpCapture:
		return f.exactly(re.Sub[0])
	case syntax.OpQuest:
		texts, ok := f.exactly(re.Sub[0])
		return append(slices.Clone(texts), ""), ok
	case syntax.OpRepeat:
		return f.repeated(re)
	case syntax.OpConcat:
		out := []string{""}
		for _, sub := range re.Sub {
			texts, ok := f.exactly(sub)
			if !ok || len(out)*len(texts) > mostTexts {
				return nil, false
			}
			out = cross(out, texts)
		}
		return out, true
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			texts, ok := f.exactly(sub)
			if !ok || len(out)+len(texts) > mostTexts {
				return nil, false
			}
			out = append(out, texts...)
		}
		return out, true
	}
	return nil, false
}

func (f finder) repeated(re *syntax.Regexp) ([]string, bool) {
	texts, ok := f.exactly(re.Sub[0])
	if !ok || re.Min != re.Max || re.Min > 64 {
		return nil, false
	}
	out := []string{""}
	for range re.Min {
		if len(out)*len(texts) > mostTexts || len(out[0]) > 64 {
			return nil, false
		}
		out = cross(out, texts)
	}
	return out, true
}

// spread lists the characters of a small class.
func (f finder) spread(re *syntax.Regexp) ([]string, bool) {
	seen := map[string]bool{}
	var out []string
	for i := 0; i+1 < len(re.Rune); i += 2 {
		if re.Rune[i+1]-re.Rune[i] > mostSpread {
			return nil, false
		}
		for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
			if f.fold && c >= utf8.RuneSelf {
				continue // the long s and the Kelvin sign, which are s and k in other case
			}
			s := string(c)
			if f.fold {
				s = strings.ToLower(s)
			}
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	return out, len(out) > 0 && len(out) <= mostSpread
}

func cross(a, b []string) []string {
	out := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, x+y)
		}
	}
	return out
}

// minimal drops texts that hold another one.
func minimal(texts []string) []string {
	texts = slices.Clone(texts)
	slices.SortFunc(texts, func(a, b string) int { return len(a) - len(b) })
	var out []string
	for _, t := range texts {
		if !slices.ContainsFunc(out, func(o string) bool { return strings.Contains(t, o) }) {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

// longest is how many bytes an expression matches at most.
func longest(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass:
		if n := len(re.Rune); n > 0 && re.Rune[n-1] < utf8.RuneSelf {
			return 1
		}
		return 2 // text that is no ASCII is rare in secrets
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 2
	case syntax.OpStar, syntax.OpPlus:
		return endless
	case syntax.OpRepeat:
		if re.Max < 0 {
			return endless
		}
		return min(endless, re.Max*longest(re.Sub[0]))
	case syntax.OpAlternate:
		n := 0
		for _, sub := range re.Sub {
			n = max(n, longest(sub))
		}
		return n
	}
	n := 0
	for _, sub := range re.Sub {
		n = min(endless, n+longest(sub))
	}
	return n
}

// size estimates the instructions that an expression compiles to.
func size(re *syntax.Regexp) int {
	if re.Op == syntax.OpRepeat {
		return min(endless, 1+size(re.Sub[0])*max(1, re.Min, re.Max))
	}
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n = min(endless, n+size(sub))
	}
	return n
}

// folds tells whether any part of an expression is in any case.
func folds(re *syntax.Regexp) bool {
	return re.Flags&syntax.FoldCase != 0 && re.Op == syntax.OpLiteral || slices.ContainsFunc(re.Sub, folds)
}

func hasLetter(s string) bool { return strings.ToLower(s) != strings.ToUpper(s) }

func ascii(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}
