package lockfile

import (
	"bytes"
	"cmp"
	"context"
	"strings"

	"bulwark/extract/internal/lang"
)

// requirementsTxt reads pip's requirements. A version is told only where "==" pins it:
// what else would be installed depends on the day.
func requirementsTxt(_ context.Context, _ string, content []byte) (list []declared, err error) {
	var joined []byte
	n := 0
	take := func() {
		d, why := requirement(string(joined))
		if why != "" {
			err = cmp.Or(err, lang.Malformed("line %d: %s: %.100q", n, why, bytes.TrimSpace(joined)))
		}
		if d.name != "" {
			list = append(list, d)
		}
		joined = joined[:0]
	}
	for line := range lines(content) {
		n++
		joined = append(joined, strings.TrimPrefix(line, "\ufeff")...)
		if before, ok := bytes.CutSuffix(joined, []byte(`\`)); ok && len(before) < maxLine {
			joined = before
			continue
		}
		take()
	}
	take() // pip does not mind a file that ends in a line that goes on
	return list, err
}

// maxLine bounds a requirement that goes on over lines.
const maxLine = 64 << 10

// requirement reads "name[extra] == 1.0 ; marker --option # comment", and says what is
// wrong with a line that pip would not take. It gives nothing for one that is no
// requirement of a package: an option, an address, a folder.
func requirement(line string) (d declared, why string) {
	line = strings.TrimSpace(line)
	if line == "" || strings.ContainsRune("#-./$", rune(line[0])) {
		return declared{}, ""
	}
	for _, end := range []string{" #", ";", " --"} {
		line, _, _ = strings.Cut(line, end)
	}
	n := 0
	for n < len(line) && nameByte(line[n]) {
		n++
	}
	name, rest := line[:n], strings.TrimSpace(line[n:])
	switch {
	case name == "":
		return declared{}, "no package is named"
	case address(line[n:]):
		return declared{}, "" // an address or a file
	}
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-") // as package URLs have it
	d = declared{typ: "pypi", name: name}
	if extras, ok := strings.CutPrefix(rest, "["); ok {
		if _, rest, ok = strings.Cut(extras, "]"); !ok {
			return d, "the extras do not end"
		}
		rest = strings.TrimSpace(rest)
	}
	if rest != "" && !strings.ContainsRune("=<>!~@(", rune(rest[0])) {
		return declared{}, "no package is named"
	}
	if strings.HasPrefix(rest, "@") { // what is asked for is at an address
		return d, ""
	}
	if in, ok := strings.CutPrefix(rest, "("); ok {
		if rest, ok = strings.CutSuffix(in, ")"); !ok {
			return d, "the versions do not end"
		}
	}
	for clause := range strings.SplitSeq(rest, ",") {
		if clause = strings.TrimSpace(clause); clause != "" && !comparison(clause) {
			return d, "no comparison of versions"
		}
	}
	d.version = pinned(strings.TrimSpace(rest))
	return d, ""
}

// address tells whether such a rest of a line makes it an address or a file.
func address(rest string) bool {
	for _, start := range []string{"://", `:\`, ":/", "+", "/", `\`} {
		if strings.HasPrefix(rest, start) {
			return true
		}
	}
	return false
}

// comparison tells whether a text is one of ">= 1.0", "==1.*" and the like.
func comparison(clause string) bool {
	version := strings.TrimLeft(clause, "=<>!~")
	switch clause[:len(clause)-len(version)] {
	case "==", "===", "!=", "~=", ">=", "<=", ">", "<":
	default:
		return false
	}
	version = strings.TrimSpace(version)
	return version != "" && !strings.ContainsAny(version, " \t()[]<>=!~'\"")
}

// pinned is the version of "== 1.0" and "===1.0", and of nothing else.
func pinned(specifier string) string {
	version, ok := strings.CutPrefix(specifier, "==")
	version = strings.TrimSpace(strings.TrimPrefix(version, "="))
	if !ok || strings.ContainsAny(version, ",*<>=!~@ $") {
		return ""
	}
	return version
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}
