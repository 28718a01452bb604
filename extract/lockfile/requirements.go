package lockfile

import (
	"context"
	"strings"

	"bulwark/extract/internal/lang"
)

// requirementsTxt reads pip's requirements. A version is told only where "==" pins it:
// what else would be installed depends on the day.
func requirementsTxt(_ context.Context, _ string, content []byte) (list []declared, err error) {
	joined := ""
	for line := range lines(content) {
		joined += strings.TrimPrefix(line, "\ufeff")
		if before, ok := strings.CutSuffix(joined, `\`); ok && len(before) < maxLine {
			joined = before
			continue
		}
		d, ok := requirement(joined)
		switch {
		case ok:
			list = append(list, d)
		case d.name != "" && err == nil:
			err = lang.Malformed("a line that names no package: %.100q", d.name)
		}
		joined = ""
	}
	return list, err
}

// maxLine bounds a requirement that goes on over lines.
const maxLine = 64 << 10

// requirement reads "name[extra] == 1.0 ; marker --option # comment". Of a line that is
// none it gives the line as the name, or nothing where pip takes it for something else.
func requirement(line string) (declared, bool) {
	line = strings.TrimSpace(line)
	if line == "" || strings.ContainsRune("#-./$<", rune(line[0])) {
		return declared{}, false
	}
	for _, end := range []string{" #", ";", " --"} {
		line, _, _ = strings.Cut(line, end)
	}
	n := 0
	for n < len(line) && nameByte(line[n]) {
		n++
	}
	name, rest := line[:n], strings.TrimSpace(line[n:])
	if strings.HasPrefix(rest, "[") {
		_, rest, _ = strings.Cut(rest, "]")
		rest = strings.TrimSpace(rest)
	}
	if name == "" {
		return declared{name: line}, false
	}
	if rest != "" && !strings.ContainsRune("=<>!~@(", rune(rest[0])) {
		return declared{}, false // an address, a file or no requirement at all
	}
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-") // as package URLs have it
	return declared{typ: "pypi", name: name, version: pinned(strings.Trim(rest, "()"))}, true
}

// pinned is the version of "== 1.0" and "===1.0", and of nothing else.
func pinned(specifier string) string {
	version, ok := strings.CutPrefix(specifier, "==")
	version = strings.TrimSpace(strings.TrimPrefix(version, "="))
	if !ok || strings.ContainsAny(version, ",*<>=!~@ ") {
		return ""
	}
	return version
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}
