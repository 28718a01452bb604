package misconfig

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/telling"
)

// Edit puts other lines in the place of one.
type Edit struct {
	Line int // from 1
	With []string
}

// Replace is the patch that puts other lines in the place of the line with that number
// (from 1) of data; nil when there is no such line or nothing changes. The endings of
// the lines stay as they are.
func Replace(path string, data []byte, line int, with ...string) *bulwark.Patch {
	return Diff(path, data, []Edit{{line, with}})
}

// Diff is the unified diff of edits to a file; of several for one line the first counts.
// Hunks have one line around what changes: as few as git apply takes, so that one patch
// seldom stands in the way of another. Lines that may hold the value of a secret are in no
// hunk; a change that cannot do without one is left out. Nil when there is nothing to
// change, or the path cannot be named in a diff.
func Diff(path string, data []byte, edits []Edit) *bulwark.Patch {
	if strings.ContainsAny(path, "\n\r\t") {
		return nil
	}
	lines := strings.SplitAfter(string(data), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	edits = effective(lines, edits)
	if len(edits) == 0 {
		return nil
	}
	var b strings.Builder
	tab := ""
	if strings.Contains(path, " ") {
		tab = "\t" // it ends the name, as blanks do not
	}
	fmt.Fprintf(&b, "--- a/%s%s\n+++ b/%s%s\n", path, tab, path, tab)
	empty, shift := b.Len(), 0
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && edits[n].Line-edits[n-1].Line <= 2 {
			n++
		}
		shift += hunk(&b, lines, edits[:n], shift)
		edits = edits[n:]
	}
	if b.Len() == empty {
		return nil
	}
	return &bulwark.Patch{Format: "unified-diff", File: path, Text: b.String()}
}

// effective are the edits in order that change a line there is; of several for one line the first.
func effective(lines []string, edits []Edit) []Edit {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.Line - b.Line })
	edits = slices.CompactFunc(edits, func(a, b Edit) bool { return a.Line == b.Line })
	return slices.DeleteFunc(edits, func(e Edit) bool {
		return e.Line < 1 || e.Line > len(lines) || len(e.With) == 1 && e.With[0] == strings.TrimRight(lines[e.Line-1], "\r\n")
	})
}

// hunk writes edits that are near each other, and tells by how many lines they move what
// follows. git apply does without a line before the change, but not without one behind it.
func hunk(b *strings.Builder, lines []string, edits []Edit, shift int) int {
	first, last := edits[0].Line, min(len(lines), edits[len(edits)-1].Line+1)
	if first > 1 && !telling.Line(lines[first-2]) {
		first--
	}
	if slices.ContainsFunc(lines[first-1:last], telling.Line) {
		return 0
	}
	added := 0
	for _, e := range edits {
		added += len(e.With) - 1
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n", first, last-first+1, first+shift, last-first+1+added)
	for n := first; n <= last; n++ {
		text, ending := split(lines[n-1])
		if len(edits) == 0 || edits[0].Line != n {
			write(b, ' ', text, ending)
			continue
		}
		with := edits[0].With
		kept := len(with) > 0 && with[len(with)-1] == text // lines are put before this one
		if !kept {
			write(b, '-', text, ending)
		}
		for i, w := range with {
			switch {
			case i < len(with)-1:
				write(b, '+', w, between(lines))
			case kept:
				write(b, ' ', text, ending)
			default:
				write(b, '+', w, ending)
			}
		}
		edits = edits[1:]
	}
	return added
}

// between is the ending of a line that is new: that of the first line.
func between(lines []string) string {
	if _, ending := split(lines[0]); ending != "" {
		return ending
	}
	return "\n"
}

// split takes the ending off a line.
func split(line string) (text, ending string) {
	text = strings.TrimRight(line, "\r\n")
	return text, line[len(text):]
}

func write(b *strings.Builder, sign byte, text, ending string) {
	b.WriteByte(sign)
	b.WriteString(text)
	if ending == "" {
		b.WriteString("\n\\ No newline at end of file\n")
		return
	}
	b.WriteString(ending)
}
