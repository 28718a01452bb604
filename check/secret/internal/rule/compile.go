package rule

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"bulwark"
)

// Span is the window that the rule's matches lie in: bytes before an anchor's start and after it.
func (r *Rule) Span() (before, after int) {
	return cmp.Or(r.Before, DefaultBefore), cmp.Or(r.After, DefaultAfter)
}

// Compile reads what LoadLater left and compiles the rule's expressions, once. It wraps bulwark.ErrMalformed.
func (r *Rule) Compile() error {
	r.once.Do(r.compile)
	return r.err
}

func (r *Rule) compile() {
	if r.err = r.complete(); r.err != nil {
		return
	}
	var errs [2]error
	r.pattern, errs[0] = compiled(r.Pattern)
	r.path, errs[1] = compiled(r.Path)
	if re, err := syntax.Parse(r.Path, syntax.Perl); err == nil {
		r.hints = needed(re)
	}
	for _, a := range r.Allow {
		errs[1] = cmp.Or(errs[1], a.compile())
	}
	if err := errors.Join(errs[:]...); err != nil {
		r.err = fmt.Errorf("secret rule %s: %w: %w", r.ID, bulwark.ErrMalformed, err)
	}
}

func compiled(expr string) (*regexp.Regexp, error) {
	if expr == "" {
		return nil, nil
	}
	return regexp.Compile(expr)
}

// Regexp is the compiled pattern; nil when there is none or it is wrong.
func (r *Rule) Regexp() *regexp.Regexp {
	r.once.Do(r.compile)
	return r.pattern
}

// OnPath tells whether the rule is about files of that path.
func (r *Rule) OnPath(path string) bool { return r.OnPathOf(path, strings.ToLower(path)) }

// OnPathOf is OnPath for many rules: lower is the path in lower case.
func (r *Rule) OnPathOf(path, lower string) bool {
	if r.Path == "" {
		return true
	}
	r.once.Do(r.compile)
	if r.path == nil {
		return false
	}
	if r.hints != nil && !slices.ContainsFunc(r.hints, func(h string) bool { return strings.Contains(lower, h) }) {
		return false
	}
	return r.path.MatchString(path)
}

// needed lists texts, in lower case, of which every match has one; nil when that is not known.
func needed(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if len(re.Rune) > 1 {
			return []string{strings.ToLower(string(re.Rune))}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpConcat:
		return neededOfAny(re.Sub)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			list := needed(sub)
			if list == nil {
				return nil
			}
			all = append(all, list...)
		}
		return all
	}
	return nil
}

// neededOfAny takes the part of a sequence whose shortest text is the longest.
func neededOfAny(subs []*syntax.Regexp) []string {
	var best []string
	length := 0
	for _, sub := range subs {
		list := needed(sub)
		if list == nil {
			continue
		}
		if n := len(slices.MinFunc(list, func(a, b string) int { return len(a) - len(b) })); n > length {
			best, length = list, n
		}
	}
	return best
}

// Secret gives the part of a match (as of FindSubmatchIndex) that is the secret.
func (r *Rule) Secret(m []int) (from, to int) {
	if g := r.Group; g > 0 && 2*g+1 < len(m) && m[2*g] >= 0 {
		return m[2*g], m[2*g+1]
	}
	if g := r.Regexp().SubexpIndex("secret"); g > 0 && m[2*g] >= 0 {
		return m[2*g], m[2*g+1]
	}
	for i := 2; i+1 < len(m); i += 2 {
		if m[i] >= 0 {
			return m[i], m[i+1]
		}
	}
	return m[0], m[1]
}

// Allowed tells whether one of the rule's descriptions of harmless things fits.
func (r *Rule) Allowed(path string, secret, match, line []byte) bool {
	return slices.ContainsFunc(r.Allow, func(a *Allow) bool { return a.fits(path, secret, match, line) })
}

func (a *Allow) compile() error {
	a.once.Do(func() {
		a.patterns, a.err = compiledAll(a.Patterns)
		paths, err := compiledAll(a.Paths)
		a.paths, a.err = paths, errors.Join(a.err, err)
		for _, w := range a.Stopwords {
			a.words = append(a.words, strings.ToLower(w))
		}
	})
	return a.err
}

func compiledAll(list []string) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for _, expr := range list {
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, err
		}
		out = append(out, re)
	}
	return out, nil
}

func (a *Allow) fits(path string, secret, match, line []byte) bool {
	if a.compile() != nil {
		return false
	}
	target := secret
	switch a.Target {
	case "match":
		target = match
	case "line":
		target = line
	}
	tests := []struct{ has, fits bool }{
		{len(a.paths) > 0, slices.ContainsFunc(a.paths, func(re *regexp.Regexp) bool { return re.MatchString(path) })},
		{len(a.patterns) > 0, slices.ContainsFunc(a.patterns, func(re *regexp.Regexp) bool { return re.Match(target) })},
		{len(a.words) > 0, containsWord(bytes.ToLower(secret), a.words)},
	}
	any, all := false, true
	for _, t := range tests {
		any = any || t.has && t.fits
		all = all && (!t.has || t.fits)
	}
	return any && (all || !a.All)
}

func containsWord(lower []byte, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(lower, []byte(w)) })
}
