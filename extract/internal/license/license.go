// Package license turns what package metadata says about licences into SPDX ids and
// expressions (https://spdx.org/licenses), where the words are known well enough.
package license

import (
	"slices"
	"strings"

	"bulwark/extract/internal/lang"
)

// maxLength is where a licence's name ends and its text begins.
const maxLength = 256

// Of gives the SPDX id or expression that the words mean, else the words themselves;
// "" when they name no licence (empty, a whole licence text, unprintable).
func Of(words string) string {
	words = strings.Join(strings.Fields(words), " ")
	if words == "" || len(words) > maxLength || !lang.Printable(words) {
		return ""
	}
	if id, ok := known(words); ok {
		return id
	}
	if e, ok := expression(words); ok {
		return e
	}
	switch strings.ToLower(words) {
	case "unknown", "none", "n/a", "other", "dual license", "dual licensed", "license", "licensed":
		return ""
	}
	return words
}

// List gives each of the licences once, in their order; nil when there is none.
func List(words ...string) []string {
	var list []string
	for _, w := range words {
		if l := Of(w); l != "" && !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	return list
}

// Known tells whether the words are an SPDX id or expression, or mean one.
func Known(words string) bool {
	words = strings.Join(strings.Fields(words), " ")
	if _, ok := known(words); ok {
		return true
	}
	_, ok := expression(words)
	return ok
}

// known looks one licence up, by its id, its name or its address.
func known(words string) (string, bool) {
	key := strings.ToLower(strings.Trim(words, " \"'.;,"))
	if id, ok := ids[key]; ok {
		return id, true
	}
	if rest, ok := strings.CutPrefix(key, "https://"); ok {
		id, ok := addresses[address(rest)]
		return id, ok
	}
	if rest, ok := strings.CutPrefix(key, "http://"); ok {
		id, ok := addresses[address(rest)]
		return id, ok
	}
	id, ok := names[name(key)]
	return id, ok
}

func address(s string) string {
	s = strings.TrimPrefix(s, "www.")
	for _, end := range []string{"/", ".txt", ".html", ".php", ".htm"} {
		s = strings.TrimSuffix(s, end)
	}
	return s
}

// name takes out of a licence's name what people add to it at will.
func name(s string) string {
	s = strings.NewReplacer(",", " ", "(", " ", ")", " ", "-", " ", "_", " ", "version", " ", "licence", " ", "license", " ").Replace(s)
	fields := strings.Fields(s)
	fields = slices.DeleteFunc(fields, func(f string) bool { return f == "the" || f == "software" })
	for i, f := range fields {
		if len(f) > 1 && f[0] == 'v' && f[1] >= '0' && f[1] <= '9' {
			f = f[1:]
		}
		fields[i] = strings.TrimSuffix(f, ".0")
	}
	return strings.Join(fields, " ")
}

// expression reads ids that are joined by AND, OR and WITH, in any case, and by the
// slash that crates and gems once used.
func expression(words string) (string, bool) {
	words = strings.NewReplacer("(", " ( ", ")", " ) ", "/", " OR ").Replace(words)
	var out strings.Builder
	wantID, depth := true, 0
	fields := strings.Fields(words)
	for i := 0; i < len(fields); i++ {
		f := fields[i]
		switch {
		case f == "(" && wantID:
			depth++
		case f == ")" && !wantID && depth > 0:
			depth--
		case wantID:
			id, ok := operand(f, i > 0 && strings.EqualFold(fields[i-1], "with"))
			if !ok {
				return "", false
			}
			f, wantID = id, false
		case strings.EqualFold(f, "or"), strings.EqualFold(f, "and"), strings.EqualFold(f, "with"):
			f, wantID = strings.ToUpper(f), true
		default:
			return "", false
		}
		if out.Len() > 0 && f != ")" && !strings.HasSuffix(out.String(), "(") {
			out.WriteByte(' ')
		}
		out.WriteString(f)
	}
	s := out.String()
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") && strings.Count(s, "(") == 1 {
		s = s[1 : len(s)-1]
	}
	return s, !wantID && depth == 0
}

func operand(f string, exception bool) (string, bool) {
	low := strings.ToLower(f)
	if strings.HasPrefix(low, "licenseref-") && len(low) > len("licenseref-") {
		return f, true
	}
	if exception {
		return f, strings.HasSuffix(low, "-exception") || strings.Contains(low, "-exception-")
	}
	if id, ok := ids[low]; ok {
		return id, true
	}
	id, ok := ids[strings.TrimSuffix(low, "+")]
	return id + "+", ok && strings.HasSuffix(low, "+")
}
