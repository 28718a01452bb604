package cli

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"slices"
	"strings"

	"bulwark/detect/rules"
	"bulwark/internal/limit"
)

// maxFalco is how large a file of Falco's rules may be.
const maxFalco = 32 << 20

// loadFalco fills in those of the list that are files of Falco's rules, which are read together.
func loadFalco(list []ruleFile, which []int) {
	var files []rules.File
	for _, i := range which {
		data, err := readFalco(list[i].Path)
		if err != nil {
			list[i].Errors = []ruleError{{Text: err.Error(), code: "LOAD_ERR_FILE_READ"}}
			continue
		}
		files = append(files, rules.File{Name: list[i].Path, Data: data})
	}
	taken, problems := rules.Validate(files...)
	for _, i := range which {
		one := &list[i]
		one.Rules = taken[one.Path]
		for _, p := range problems {
			e := ruleError{p.Line, p.Column, p.Rule, p.Text, p.Kind, p.Code}
			switch {
			case p.File != one.Path:
			case p.Warning:
				one.Warnings = append(one.Warnings, e)
			default:
				one.Errors = append(one.Errors, e)
			}
		}
		byLine := func(a, b ruleError) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) }
		slices.SortStableFunc(one.Errors, byLine)
		slices.SortStableFunc(one.Warnings, byLine)
	}
}

func readFalco(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limit.ReadAll(f, maxFalco, file)
}

// yamlKind tells Falco's rules from policies by how the file begins.
func yamlKind(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return "policy"
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 1<<20))
	switch {
	case err == nil && rules.IsRules(head):
		return "falco"
	case err == nil && len(head) < 1<<20 && !bytes.Contains(head, []byte("ValidatingAdmissionPolicy")):
		return unknownRules
	}
	return "policy"
}

// unknownRules is the kind of files that cannot be opened, or have none of the rules that go by their name.
const unknownRules = "unknown"

// loadResult is what became of a file, as Falco tells it to programs.
type loadResult struct {
	Name       string        `json:"name"`
	Successful bool          `json:"successful"`
	Errors     []loadProblem `json:"errors"`
	Warnings   []loadProblem `json:"warnings"`
}

type loadProblem struct {
	Code        string      `json:"code"`
	Description string      `json:"codedesc"`
	Message     string      `json:"message"`
	Context     loadContext `json:"context"`
}

type loadContext struct {
	Locations []loadLocation `json:"locations"`
	Snippet   string         `json:"snippet"`
}

type loadLocation struct {
	Item     string `json:"item_name"`
	Type     string `json:"item_type"`
	Position struct {
		Column int    `json:"column"`
		Line   int    `json:"line"`
		Name   string `json:"name"`
	} `json:"position"`
}

// loadResults are those of files, whatever kind they are of.
func loadResults(list []ruleFile) map[string]any {
	out := make([]loadResult, 0, len(list))
	for i := range list {
		f := &list[i]
		lines := linesOf(f.Path)
		r := loadResult{Name: f.Path, Successful: len(f.Errors) == 0, Errors: []loadProblem{}, Warnings: []loadProblem{}}
		for _, e := range f.Errors {
			r.Errors = append(r.Errors, problemAt(f.Path, lines, &e))
		}
		for _, e := range f.Warnings {
			if e.code != "" { // else Falco has nothing to say of it
				r.Warnings = append(r.Warnings, problemAt(f.Path, lines, &e))
			}
		}
		out = append(out, r)
	}
	return map[string]any{"falco_load_results": out}
}

// codes are the ones that Falco has, each with what it says of it.
var codes = map[string]string{
	"LOAD_ERR_FILE_READ": "File read error", "LOAD_ERR_YAML_PARSE": "YAML parse error", "LOAD_ERR_YAML_VALIDATE": "Error validating internal structure of YAML file",
	"LOAD_ERR_COMPILE_CONDITION": "Error compiling condition", "LOAD_ERR_COMPILE_OUTPUT": "Error compiling output",
	"LOAD_ERR_VALIDATE": "Error validating rule/macro/list/exception objects", "LOAD_UNKNOWN_SOURCE": "Unknown event source",
	"LOAD_NO_EVTTYPE": "Condition has no event-type restriction", "LOAD_UNKNOWN_FILTER": "Unknown field or event-type in condition or output",
	"LOAD_UNUSED_MACRO": "Unused macro", "LOAD_UNUSED_LIST": "Unused list", "LOAD_UNKNOWN_ITEM": "Unknown rules file item",
	"LOAD_APPEND_NO_VALUES": "Overriding/appending with no values", "LOAD_EXCEPTION_NAME_NOT_UNIQUE": "Multiple exceptions defined with the same name",
	"LOAD_INVALID_MACRO_NAME": "Invalid macro name", "LOAD_INVALID_LIST_NAME": "Invalid list name", "LOAD_UNSAFE_NA_CHECK": "Unsafe <NA> comparison in condition",
	"LOAD_DEPRECATED_ITEM": "Used deprecated item", "LOAD_COMPILE_CONDITION": "Warning in rule condition", "LOAD_UNKNOWN_KEY": "Unknown key in item definition",
}

func problemAt(file string, lines []string, e *ruleError) loadProblem {
	code := cmp.Or(e.code, "LOAD_ERR_VALIDATE")
	p := loadProblem{Code: code, Description: codes[code], Message: e.Text}
	at := loadLocation{Item: e.Rule, Type: cmp.Or(e.kind, "rules content")}
	at.Position.Column, at.Position.Line, at.Position.Name = e.Column, e.Line, file
	p.Context.Locations = []loadLocation{at}
	if e.Line > 0 && e.Line <= len(lines) {
		line := lines[e.Line-1]
		if e.Column > 0 && e.Column <= len(line)+1 {
			line += "\n" + strings.Repeat(" ", e.Column-1) + "^"
		}
		p.Context.Snippet = line
	}
	return p
}

func linesOf(file string) []string {
	data, err := readFalco(file)
	if err != nil {
		return nil
	}
	return strings.Split(string(data), "\n")
}
