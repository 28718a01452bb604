package remedy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"bulwark"
)

// hunk puts lines in the place of others. Lines have their endings.
type hunk struct {
	at       int // the first of the old lines, or what the new ones come before; from 0
	old, new []string
}

func (h *hunk) end() int { return h.at + len(h.old) }

// hunks are the lines that splices, which are in order, change.
func (c *change) hunks() []hunk {
	var list []hunk
	for i := 0; i < len(c.splices); {
		first, last := c.reach(c.splices[i])
		j := i + 1
		for ; j < len(c.splices); j++ {
			a, b := c.reach(c.splices[j])
			if a > last {
				break
			}
			last = max(last, b)
		}
		var text bytes.Buffer
		at := c.starts[first]
		for _, s := range c.splices[i:j] {
			text.Write(c.data[at:s.from])
			text.WriteString(s.text)
			at = s.to
		}
		text.Write(c.data[at:c.starts[last+1]])
		if h := narrow(first, split(string(c.data[c.starts[first]:c.starts[last+1]])), split(text.String())); len(h.old)+len(h.new) > 0 {
			list = append(list, h)
		}
		i = j
	}
	return list
}

// reach are the first and the last line that a splice touches.
func (c *change) reach(s splice) (first, last int) {
	return c.lineOf(s.from), c.lineOf(max(s.from, s.to-1))
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// narrow leaves the lines out that stay as they are.
func narrow(at int, old, with []string) hunk {
	for len(old) > 0 && len(with) > 0 && old[0] == with[0] {
		old, with, at = old[1:], with[1:], at+1
	}
	for len(old) > 0 && len(with) > 0 && old[len(old)-1] == with[len(with)-1] {
		old, with = old[:len(old)-1], with[:len(with)-1]
	}
	return hunk{at, old, with}
}

// diff is the unified diff of hunks of a file, with a line around each. It fails when a line
// that may hold a secret would be in it: git apply does without a line before a change, but
// not without one behind it.
func (f *file) diff(name string, hunks []hunk) (*bulwark.Patch, error) {
	if strings.ContainsAny(name, "\n\r\t") {
		return nil, unsure("a name that cannot stand in a diff")
	}
	slices.SortFunc(hunks, func(a, b hunk) int { return a.at - b.at })
	var b strings.Builder
	tab := ""
	if strings.Contains(name, " ") {
		tab = "\t" // it ends the name, as blanks do not
	}
	fmt.Fprintf(&b, "--- a/%s%s\n+++ b/%s%s\n", name, tab, name, tab)
	shift := 0
	for i := 0; i < len(hunks); {
		j := i + 1
		for j < len(hunks) && hunks[j].at-hunks[j-1].end() < 2 {
			j++
		}
		grown, err := f.write(&b, hunks[i:j], shift)
		if err != nil {
			return nil, err
		}
		shift += grown
		i = j
	}
	return &bulwark.Patch{Format: "unified-diff", File: name, Text: b.String()}, nil
}

// write writes hunks that are near each other as one, and tells by how many lines they make
// the file longer.
func (f *file) write(b *strings.Builder, hunks []hunk, shift int) (int, error) {
	from, to := hunks[0].at, min(f.count(), hunks[len(hunks)-1].end()+1)
	for i := from; i < to; i++ {
		if f.secret(i) {
			return 0, unsure("line %d may hold a secret, which a diff would show", i+1)
		}
	}
	if from > 0 && !f.secret(from-1) {
		from--
	}
	grown := 0
	var body strings.Builder
	at := from
	for _, h := range hunks {
		if h.at < at {
			return 0, unsure("changes lie over each other")
		}
		for ; at < h.at; at++ {
			mark(&body, ' ', f.line(at))
		}
		for _, l := range h.old {
			mark(&body, '-', l)
		}
		for _, l := range h.new {
			mark(&body, '+', l)
		}
		at, grown = h.end(), grown+len(h.new)-len(h.old)
	}
	for ; at < to; at++ {
		mark(&body, ' ', f.line(at))
	}
	start := from + 1
	if to == from {
		start = from // a hunk without old lines names the line before
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n%s", start, to-from, from+shift+1, to-from+grown, body.String())
	return grown, nil
}

// secret tells whether a line may hold a secret.
func (f *file) secret(i int) bool { return f.secrets.in(f.line(i)) }

func mark(b *strings.Builder, sign byte, line string) {
	b.WriteByte(sign)
	b.WriteString(line)
	if !strings.HasSuffix(line, "\n") {
		b.WriteString("\n\\ No newline at end of file\n")
	}
}
