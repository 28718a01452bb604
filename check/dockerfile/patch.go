package dockerfile

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
)

// edit puts other lines in the place of one.
type edit struct {
	line int // from 1
	with []string
}

// diff is the unified diff of edits to a file. Hunks have one line around what changes: as
// few as git apply takes, so that the patches of several findings can be joined. Nil when
// there is nothing to change.
func diff(path string, data []byte, edits []edit) *bulwark.Patch {
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
	fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n", path, path)
	shift := 0
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && edits[n].line-edits[n-1].line <= 2 {
			n++
		}
		shift += hunk(&b, lines, edits[:n], shift)
		edits = edits[n:]
	}
	return &bulwark.Patch{Format: "unified-diff", File: path, Text: b.String()}
}

// effective are the edits in order that change a line there is; of several for one line the first.
func effective(lines []string, edits []edit) []edit {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit) int { return a.line - b.line })
	edits = slices.CompactFunc(edits, func(a, b edit) bool { return a.line == b.line })
	return slices.DeleteFunc(edits, func(e edit) bool {
		return e.line < 1 || e.line > len(lines) || len(e.with) == 1 && e.with[0] == strings.TrimRight(lines[e.line-1], "\r\n")
	})
}

// hunk writes edits that are near each other, and tells by how many lines they move what follows.
func hunk(b *strings.Builder, lines []string, edits []edit, shift int) int {
	first, last := max(1, edits[0].line-1), min(len(lines), edits[len(edits)-1].line+1)
	added := 0
	for _, e := range edits {
		added += len(e.with) - 1
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n", first, last-first+1, first+shift, last-first+1+added)
	for n := first; n <= last; n++ {
		text, ending := split(lines[n-1])
		if len(edits) == 0 || edits[0].line != n {
			write(b, ' ', text, ending)
			continue
		}
		write(b, '-', text, ending)
		for i, w := range edits[0].with {
			if i < len(edits[0].with)-1 {
				write(b, '+', w, between(lines))
				continue
			}
			write(b, '+', w, ending)
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

// edit replaces old by new once in a line, where old stands there once as words of its own.
func (j *judge) edit(r *result, line int, old, new string) {
	if line < 1 || line > len(j.file.Lines) {
		return
	}
	if len(r.edits) >= mostPlaces {
		return
	}
	for k := range r.edits {
		if r.edits[k].line == line { // a second change of the line works on the first one's outcome
			if with, ok := replaceWord(r.edits[k].with[0], old, new); ok {
				r.edits[k].with[0] = with
			}
			return
		}
	}
	if with, ok := replaceWord(j.line(line), old, new); ok {
		r.edits = append(r.edits, edit{line, []string{with}})
	}
}

// line is a line as it is stored, a byte order mark included.
func (j *judge) line(n int) string {
	if n == 1 && strings.HasPrefix(string(j.data), "\xef\xbb\xbf") {
		return "\xef\xbb\xbf" + j.file.Lines[0]
	}
	return j.file.Lines[n-1]
}

// replaceWord replaces the one place where old stands between blanks or other characters
// that end a word.
func replaceWord(s, old, new string) (string, bool) {
	at := -1
	for from := 0; ; {
		i := strings.Index(s[from:], old)
		if i < 0 {
			break
		}
		i += from
		if boundary(s, i-1) && boundary(s, i+len(old)) {
			if at >= 0 {
				return "", false // twice: which one is meant is not sure
			}
			at = i
		}
		from = i + 1
	}
	if at < 0 {
		return "", false
	}
	return s[:at] + new + s[at+len(old):], true
}

func boundary(s string, i int) bool {
	return i < 0 || i >= len(s) || strings.IndexByte(" \t\"'=;&|()", s[i]) >= 0
}
