package chart

import (
	"path"
	"strings"
)

// Ignore are the rules of a .helmignore file.
type Ignore []ignoreRule

type ignoreRule struct {
	pattern      string
	not, folders bool
	whole        bool // matched with the whole path, not the last name
}

// ParseIgnore reads rules, with those that always hold. What is no rule is left out.
func ParseIgnore(text string) Ignore {
	var list Ignore
	for line := range strings.Lines(text + "\ntemplates/.?*\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || strings.Contains(line, "**") {
			continue
		}
		var r ignoreRule
		line, r.not = strings.CutPrefix(line, "!")
		line, r.folders = strings.CutSuffix(line, "/")
		r.whole = strings.Contains(line, "/")
		r.pattern = strings.TrimPrefix(line, "/")
		if _, err := path.Match(r.pattern, "abc"); err == nil {
			list = append(list, r)
		}
	}
	return list
}

// Ignore tells whether a file or folder is left out. A rule with "!" leaves out whatever it
// does not fit, as helm takes it.
func (rules Ignore) Ignore(file string, dir bool) bool {
	for _, r := range rules {
		name := file
		if !r.whole {
			name = path.Base(file)
		}
		fits, _ := path.Match(r.pattern, name)
		switch {
		case r.not && (r.folders && !dir || !fits):
			return true
		case !r.not && fits && (dir || !r.folders):
			return true
		}
	}
	return false
}
