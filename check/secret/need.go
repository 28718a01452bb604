package secret

import (
	"regexp/syntax"
	"slices"
)

// need is what every match of a pattern has: a run of bytes of a class, at least least
// long, that begins at most within bytes after the start of the match. To look for it costs
// a few steps, where an expression costs hundreds.
type need struct {
	class  *[256]bool // nil: nothing is known
	least  int
	within int
}

const shortestNeed = 4

// anywhere is within for a match that begins somewhere in the text.
const anywhere = 1 << 30

// needOf finds the longest run that a pattern needs. held: texts begin with the match.
func needOf(re *syntax.Regexp, held bool) need {
	var best need
	offset := 0
	walkNeeds(re, &offset, &best, held)
	if !held {
		best.within = anywhere
	}
	return best
}

// walkNeeds goes through what follows each other in a pattern. offset is how far from the
// start the next part begins at most; -1 when nothing bounds it.
func walkNeeds(re *syntax.Regexp, offset *int, best *need, held bool) {
	switch re.Op {
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			walkNeeds(sub, offset, best, held)
		}
		return
	case syntax.OpRepeat:
		if c := re.Sub[0]; c.Op == syntax.OpCharClass && re.Min >= shortestNeed && re.Min > best.least && (*offset >= 0 || !held) {
			*best = need{bytesOf(c), re.Min, *offset}
		}
	}
	n := longest(re)
	if n < 0 || *offset < 0 {
		*offset = -1
		return
	}
	*offset += n
}

// longest is the most bytes that a pattern matches; -1 when nothing bounds it.
func longest(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		n := 0
		for range re.Rune {
			n += 4
		}
		return n
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 4
	case syntax.OpStar, syntax.OpPlus:
		return -1
	case syntax.OpRepeat:
		if n := longest(re.Sub[0]); n >= 0 && re.Max >= 0 {
			return n * re.Max
		}
		return -1
	case syntax.OpAlternate:
		return most(re.Sub, func(sofar, n int) int { return max(sofar, n) })
	case syntax.OpConcat, syntax.OpCapture, syntax.OpQuest:
		return most(re.Sub, func(sofar, n int) int { return sofar + n })
	}
	return 0
}

func most(subs []*syntax.Regexp, join func(int, int) int) int {
	sum := 0
	for _, sub := range subs {
		n := longest(sub)
		if n < 0 {
			return -1
		}
		sum = join(sum, n)
	}
	return sum
}

// bytesOf is the bytes that characters of a class are made of.
func bytesOf(class *syntax.Regexp) *[256]bool {
	var set [256]bool
	for i := 0; i < len(class.Rune); i += 2 {
		from, to := class.Rune[i], class.Rune[i+1]
		for c := from; c <= to && c < 0x80; c++ {
			set[c] = true
		}
		for c := 0x80; c < 256 && to >= 0x80; c++ {
			set[c] = true
		}
	}
	return &set
}

// met tells whether a text that begins with a match can have the run. A run covers one of
// every least bytes.
func (n *need) met(text []byte) bool {
	if n.class == nil {
		return true
	}
	text = text[:min(len(text), n.within+n.least)]
	for at := n.least - 1; at < len(text); at += n.least {
		if !n.class[text[at]] {
			continue
		}
		from, to := at, at+1
		for from > 0 && n.class[text[from-1]] && at-from < n.least {
			from--
		}
		for to < len(text) && n.class[text[to]] && to-from < n.least {
			to++
		}
		if to-from >= n.least {
			return true
		}
	}
	return false
}

// oneLine tells whether no match has a line feed before its last byte.
func oneLine(re *syntax.Regexp) bool {
	if re.Op == syntax.OpConcat && len(re.Sub) > 1 && longest(re.Sub[len(re.Sub)-1]) <= 4 && longest(re.Sub[len(re.Sub)-1]) >= 0 {
		re = &syntax.Regexp{Op: syntax.OpConcat, Sub: re.Sub[:len(re.Sub)-1]}
	}
	return !hasLineFeed(re)
}

func hasLineFeed(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar:
		return true
	case syntax.OpLiteral:
		return slices.Contains(re.Rune, '\n')
	case syntax.OpCharClass:
		return bytesOf(re)['\n']
	}
	return slices.ContainsFunc(re.Sub, hasLineFeed)
}
