// Package yamlerr says what is wrong with a file of YAML in the words of who wrote it: the library names types of Go.
package yamlerr

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	unknown = regexp.MustCompile(`field (\S+) (?:not found|already set) in type .+`)
	misfit  = regexp.MustCompile("cannot unmarshal !!(\\w+)(?: `([^\n]*)`)? into .+")
)

// kinds are YAML's tags as people call them.
var kinds = map[string]string{"seq": "a list", "map": "an object with keys", "str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}

// Plain is the error of go.yaml.in/yaml on one line, with the lines of the file where it tells them.
func Plain(err error) string {
	head, list, several := strings.Cut(err.Error(), "yaml: unmarshal errors:\n")
	if !several {
		return oneLine(err.Error())
	}
	var told []string
	for line := range strings.Lines(list) {
		told = append(told, oneLine(misfit.ReplaceAllStringFunc(unknown.ReplaceAllStringFunc(line, key), value)))
	}
	return oneLine(head + strings.Join(told, "; "))
}

func key(s string) string {
	word := "no key is called "
	if strings.Contains(s, " already set in type ") {
		word = "given twice: "
	}
	return word + unknown.FindStringSubmatch(s)[1]
}

func value(s string) string {
	m := misfit.FindStringSubmatch(s)
	kind, ok := kinds[m[1]]
	switch {
	case m[2] != "":
		return strconv.Quote(m[2]) + " does not belong here"
	case !ok:
		kind = "!!" + m[1]
	}
	return kind + " does not belong here"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
