package cluster

import (
	"strings"

	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

var (
	privateKey = lazyregexp.New(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*-----|$)`)
	inURL      = lazyregexp.New(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@"'<>]*:)([^\s/@"'<>]+)(@)`)
	runOfToken = lazyregexp.New(`[A-Za-z0-9_./+=-]{8,}`)
	given      = lazyregexp.New(`((?:^|[\s"';&(])(?:--?)?)([A-Za-z][\w.-]{2,60}?)([= ]["']?)([^\s"';&|)]+)`)
	assignment = lazyregexp.New(`^(\s*(?:export\s+|-\s+)?["']?)([A-Za-z0-9_./-]+)(["']?\s*[:=]\s*["']?)(.*?)(["']?,?\s*)$`)
)

// mask puts a [kube.Masked] in place of what is the value of a secret in a text.
func (l *lean) mask(name, s string) string {
	if l.secret == nil || len(s) < 3 {
		return s
	}
	if strings.Contains(s, "PRIVATE KEY") {
		s = privateKey.ReplaceAllStringFunc(s, func(found string) string { return masked("pem", found) })
	}
	if strings.Contains(s, "://") && strings.Contains(s, "@") {
		s = inURL.ReplaceAllStringFunc(s, l.url)
	}
	if !strings.ContainsAny(s, "\n") {
		return l.line(name, s)
	}
	var b strings.Builder
	for line := range strings.Lines(s) {
		text := strings.TrimRight(line, "\r\n")
		b.WriteString(l.settingLine(text))
		b.WriteString(line[len(text):])
	}
	return b.String()
}

// url masks the password of an address.
func (l *lean) url(found string) string {
	m := inURL.FindStringSubmatch(found)
	if m == nil || !l.secret("", found+"h") {
		return found
	}
	return m[1] + masked("url", m[2]) + m[3]
}

// line masks a text of one line that is given to a name.
func (l *lean) line(name, s string) string {
	if _, _, _, done := kube.ParseMasked(s); done {
		return s
	}
	if name != "" && l.secret(name, s) {
		switch {
		case !l.secret("", s):
			return masked("name", s)
		case !strings.ContainsAny(s, " \t"):
			return masked("shape", s)
		}
	}
	if strings.ContainsAny(s, "=-") {
		s = given.ReplaceAllStringFunc(s, l.given)
	}
	return l.words(s)
}

// given masks what a command line gives to a name: --password x, PASSWORD=x.
func (l *lean) given(found string) string {
	m := given.FindStringSubmatch(found)
	if m == nil || m[3][0] == ' ' && !strings.HasSuffix(m[1], "--") || !l.secret(m[2], m[4]) {
		return found
	}
	return m[1] + m[2] + m[3] + masked("name", m[4])
}

// settingLine masks a line of a file of settings.
func (l *lean) settingLine(line string) string {
	if m := assignment.FindStringSubmatch(line); m != nil && m[4] != "" {
		if after := l.line(m[2], m[4]); after != m[4] {
			return m[1] + m[2] + m[3] + after + m[5]
		}
		return line
	}
	return l.line("", line)
}

// words masks the words of a text that are secrets by their shape.
func (l *lean) words(s string) string {
	if _, _, _, done := kube.ParseMasked(s); done || !l.secret("", s) {
		return s
	}
	out := runOfToken.ReplaceAllStringFunc(s, func(word string) string {
		if !l.secret("", word) {
			return word
		}
		return masked("shape", word)
	})
	if out == s { // a secret that no word of it is
		return masked("shape", s)
	}
	return out
}

func masked(why, value string) string {
	m := kube.Masked{Why: why, Length: len(value)}
	if why == "shape" {
		m.Shown = value[:min(4, len(value))]
	}
	return m.String()
}
