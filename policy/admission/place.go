package admission

import (
	"strings"
	"unicode/utf8"

	"bulwark/kube"
)

// place is where in its file a line (from 1) and column (from 0) of an expression stands. The
// lines of the expression are not those of the file: YAML folds them, and takes their
// indentation away.
func place(lines []string, n *kube.Node, text string, line, column int) (int, int) {
	first := n.Line() - 1
	if first < 0 || first >= len(lines) {
		return max(n.Line(), 1), max(n.Column(), 1)
	}
	head := lines[first]
	head = head[min(max(n.Column()-1, 0), len(head)):]
	// The characters before the place that are no spaces stay what they are, whatever
	// folding does to spaces: the place is behind as many of them in the file.
	before, after := solid(text, line, column), 0
	if all := solid(text, len(text)+2, 0); before >= all && all > 0 { // at its end, where something is missing
		before, after = all-1, 1
	}
	at, from := first, n.Column()-1
	switch {
	case strings.HasPrefix(head, "|") || strings.HasPrefix(head, ">"):
		at, from = first+1, 0
	case strings.HasPrefix(head, `"`) || strings.HasPrefix(head, "'"):
		from++
	}
	for ; at < len(lines); at, from = at+1, 0 {
		l := lines[at]
		for i, r := range l[min(from, len(l)):] {
			if r == ' ' || r == '\t' || r == '\r' {
				continue
			}
			if before == 0 {
				return at + 1, utf8.RuneCountInString(l[:from+i]) + 1 + after
			}
			before--
		}
	}
	return n.Line(), n.Column()
}

// solid counts the characters before a place that are no spaces.
func solid(text string, line, column int) int {
	count, l, c := 0, 1, 0
	for _, r := range text {
		if l > line || l == line && c >= column {
			break
		}
		c++
		switch r {
		case '\n':
			l, c = l+1, 0
		case ' ', '\t', '\r':
		default:
			count++
		}
	}
	return count
}
