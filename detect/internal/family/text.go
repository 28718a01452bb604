package family

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"bulwark"
	"bulwark/internal/telling"
)

// longest is how much of a text is shown.
const longest = 400

// Clean makes a foreign text fit to be shown: one line, cut, without secrets and control characters.
func Clean(s string) string {
	cut := len(s) > longest
	if cut {
		s = s[:longest]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	if s = telling.Mask(s); cut {
		s += " ..."
	}
	return s
}

// Command is the command line of a process, fit to be shown.
func Command(p *bulwark.Process) string {
	name := p.Path
	if name == "" {
		name = p.Name
	}
	if name == "" {
		return "an unknown process"
	}
	return Clean(strings.Join(append([]string{name}, p.Args...), " "))
}
