package dockerfile

import (
	"strings"

	"bulwark/check/internal/misconfig"
)

// edit replaces old by new once in a line, where old stands there once as words of its own.
func (j *judge) edit(r *result, line int, old, new string) {
	if line < 1 || line > len(j.file.Lines) {
		return
	}
	if len(r.edits) >= mostPlaces {
		return
	}
	for k := range r.edits {
		if r.edits[k].Line == line { // a second change of the line works on the first one's outcome
			if with, ok := replaceWord(r.edits[k].With[0], old, new); ok {
				r.edits[k].With[0] = with
			}
			return
		}
	}
	if with, ok := replaceWord(j.line(line), old, new); ok {
		r.edits = append(r.edits, misconfig.Edit{Line: line, With: []string{with}})
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
