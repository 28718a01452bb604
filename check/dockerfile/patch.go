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

// diff is the unified diff of edits to a file: one hunk for each, without lines around
// it, so that the patches of several findings can be joined. Nil when there is nothing to
// change, or two edits change one line.
func diff(path string, data []byte, edits []edit) *bulwark.Patch {
	if len(edits) == 0 || strings.ContainsAny(path, "\n\r\t") {
		return nil
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return a.line - b.line })
	lines := strings.SplitAfter(string(data), "\n")
	var b strings.Builder
	fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n", path, path)
	between := "\n"
	if strings.HasSuffix(lines[0], "\r\n") {
		between = "\r\n"
	}
	shift, last := 0, 0
	for _, e := range edits {
		if e.line < 1 || e.line > len(lines) || lines[e.line-1] == "" {
			return nil
		}
		if e.line == last {
			continue // the first one stands
		}
		last = e.line
		old := lines[e.line-1]
		text, ending := strings.TrimRight(old, "\r\n"), old[len(strings.TrimRight(old, "\r\n")):]
		if len(e.with) == 1 && e.with[0] == text {
			continue
		}
		fmt.Fprintf(&b, "@@ -%d,1 +%d,%d @@\n", e.line, e.line+shift, len(e.with))
		hunk(&b, text, ending, between, e.with)
		shift += len(e.with) - 1
	}
	if last == 0 || !strings.Contains(b.String(), "@@") {
		return nil
	}
	return &bulwark.Patch{Format: "unified-diff", File: path, Text: b.String()}
}

// hunk writes a hunk; between is the ending of lines that are new.
func hunk(b *strings.Builder, old, ending, between string, with []string) {
	write(b, '-', old, ending)
	for i, w := range with {
		if i < len(with)-1 {
			write(b, '+', w, between)
			continue
		}
		write(b, '+', w, ending)
	}
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
