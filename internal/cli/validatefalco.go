package cli

import (
	"cmp"
	"io"
	"os"
	"slices"

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
			list[i].Errors = []ruleError{{Text: err.Error()}}
			continue
		}
		files = append(files, rules.File{Name: list[i].Path, Data: data})
	}
	taken, problems := rules.Validate(files...)
	for _, i := range which {
		one := &list[i]
		one.Rules = taken[one.Path]
		for _, p := range problems {
			e := ruleError{p.Line, p.Column, p.Rule, p.Text}
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
	if err == nil && rules.IsRules(head) {
		return "falco"
	}
	return "policy"
}
