package rules

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bulwark/detect/rules/internal/lang"
)

// matcher makes the test of a text against the values of a check.
func matcher(op lang.Op, mod lang.Modifier, values []lang.Value) (func(string) bool, error) {
	if mod != lang.Plain {
		return modified(op, mod, values)
	}
	switch op {
	case lang.In, lang.Intersects:
		return oneOf(values), nil
	case lang.PMatch:
		return prefixes(values), nil
	}
	if len(values) != 1 {
		return nil, fmt.Errorf("the operator wants one value, not %d", len(values))
	}
	return single(op, values[0].Text)
}

func single(op lang.Op, want string) (func(string) bool, error) {
	switch op {
	case lang.Eq:
		return func(s string) bool { return s == want }, nil
	case lang.NotEq:
		return func(s string) bool { return s != want }, nil
	case lang.Contains:
		return func(s string) bool { return strings.Contains(s, want) }, nil
	case lang.StartsWith:
		return func(s string) bool { return strings.HasPrefix(s, want) }, nil
	case lang.EndsWith:
		return func(s string) bool { return strings.HasSuffix(s, want) }, nil
	case lang.IContains:
		return func(s string) bool { return containsFold(s, want) }, nil
	case lang.Glob:
		return func(s string) bool { return globMatch(want, s, false) }, nil
	case lang.IGlob:
		return func(s string) bool { return globMatch(want, s, true) }, nil
	case lang.Regex:
		return expression(want)
	case lang.BContains, lang.BStartsWith:
		return binary(op, want)
	case lang.Less, lang.LessEq, lang.Greater, lang.GreaterEq:
		return ordered(op, want), nil
	}
	return nil, fmt.Errorf("the operator does not go with text")
}

// expression has to fit the whole text.
func expression(want string) (func(string) bool, error) {
	re, err := regexp.Compile(`\A(?:` + want + `)\z`)
	if err != nil {
		if _, plain := regexp.Compile(want); plain != nil {
			err = plain
		}
		return nil, err
	}
	return re.MatchString, nil
}

func binary(op lang.Op, want string) (func(string) bool, error) {
	b, err := hex.DecodeString(want)
	if err != nil {
		return nil, fmt.Errorf("%q is not an even number of hexadecimal digits", want)
	}
	if op == lang.BContains {
		return func(s string) bool { return strings.Contains(s, string(b)) }, nil
	}
	return func(s string) bool { return strings.HasPrefix(s, string(b)) }, nil
}

// ordered compares as numbers where both are some, else as text.
func ordered(op lang.Op, want string) func(string) bool {
	n, err := number64(want)
	return func(s string) bool {
		if err == nil {
			if m, err := strconv.ParseInt(s, 10, 64); err == nil {
				return holds(op, m, n)
			}
		}
		return holds(op, int64(strings.Compare(s, want)), 0)
	}
}

func holds(op lang.Op, a, b int64) bool {
	switch op {
	case lang.Eq:
		return a == b
	case lang.NotEq:
		return a != b
	case lang.Less:
		return a < b
	case lang.LessEq:
		return a <= b
	case lang.Greater:
		return a > b
	}
	return a >= b
}

// number64 reads a number as rules write it: a part behind the point is cut off.
func number64(s string) (int64, error) {
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	if u, err := strconv.ParseUint(s, 0, 64); err == nil {
		return int64(u), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != f || f > 1<<62 || f < -1<<62 {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return int64(f), nil
}

const fewValues = 6 // up to so many are compared one by one

func oneOf(values []lang.Value) func(string) bool {
	if len(values) <= fewValues {
		list := make([]string, 0, len(values))
		for _, v := range values {
			list = append(list, v.Text)
		}
		return func(s string) bool { return slices.Contains(list, s) }
	}
	set := make(map[string]struct{}, len(values))
	longest := 0
	for _, v := range values {
		set[v.Text] = struct{}{}
		longest = max(longest, len(v.Text))
	}
	return func(s string) bool {
		if len(s) > longest {
			return false
		}
		_, ok := set[s]
		return ok
	}
}

// modified holds for one, some or all of the values.
func modified(op lang.Op, mod lang.Modifier, values []lang.Value) (func(string) bool, error) {
	var list []func(string) bool
	for _, v := range values {
		m, err := single(op, v.Text)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return func(s string) bool {
		n := 0
		for _, m := range list {
			if m(s) {
				n++
			}
		}
		return enough(mod, n, len(list))
	}, nil
}

func enough(mod lang.Modifier, n, of int) bool {
	switch mod {
	case lang.AllOf:
		return of > 0 && n == of
	case lang.OneOf:
		return n == 1
	}
	return n > 0
}

// containsFold is strings.Contains for texts that differ in the case of ASCII letters.
func containsFold(s, part string) bool {
	if part == "" {
		return true
	}
	lo, up := lower(part[0]), upper(part[0])
	for i := 0; i+len(part) <= len(s); i++ {
		if (s[i] == lo || s[i] == up) && sameFold(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

func sameFold(a, b string) bool {
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// trie is paths by their parts: a path fits where it or a folder above it is one of them. Parts may be globs.
type trie struct {
	below map[string]*trie
	globs []globPart
	end   bool
}

type globPart struct {
	pattern string
	next    *trie
}

func prefixes(values []lang.Value) func(string) bool {
	var rooted, others trie
	for _, v := range values {
		if strings.HasPrefix(v.Text, "/") {
			rooted.add(v.Text)
		} else {
			others.add(v.Text)
		}
	}
	return func(s string) bool {
		if strings.HasPrefix(s, "/") {
			return rooted.match(s)
		}
		return s != "" && others.match(s)
	}
}

func (t *trie) add(path string) {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		t = t.next(part)
	}
	t.end = true
}

func (t *trie) next(part string) *trie {
	if globStart(part) != part {
		for _, g := range t.globs {
			if g.pattern == part {
				return g.next
			}
		}
		n := &trie{}
		t.globs = append(t.globs, globPart{part, n})
		return n
	}
	n := t.below[part]
	if n == nil {
		if t.below == nil {
			t.below = map[string]*trie{}
		}
		n = &trie{}
		t.below[part] = n
	}
	return n
}

func (t *trie) match(path string) bool {
	for {
		if t.end {
			return true
		}
		path = strings.TrimLeft(path, "/")
		if path == "" {
			return false
		}
		part, rest, _ := strings.Cut(path, "/")
		for _, g := range t.globs {
			if globMatch(g.pattern, part, false) && g.next.match(rest) {
				return true
			}
		}
		n := t.below[part]
		if n == nil {
			return false
		}
		t, path = n, rest
	}
}

// Transformers of text. Each keeps what it gives until it is asked again.

func mapped(of func(byte) byte) func(string) (string, bool) {
	var buf []byte
	return func(s string) (string, bool) {
		buf = append(buf[:0], s...)
		for i, c := range buf {
			buf[i] = of(c)
		}
		return str(buf), true
	}
}

func decoded() func(string) (string, bool) {
	var buf []byte
	return func(s string) (string, bool) {
		var err error
		buf, err = base64.StdEncoding.AppendDecode(buf[:0], raw(s))
		return str(buf), err == nil
	}
}

func lastPart(s string) (string, bool) { return s[strings.LastIndexByte(s, '/')+1:], true }
