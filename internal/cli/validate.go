package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulwark/check/secret"
	"bulwark/check/yara"
)

// ruleFile is what became of a file of rules.
type ruleFile struct {
	Path   string      `json:"path"`
	Kind   string      `json:"kind"`
	Rules  int         `json:"rules"`
	Errors []ruleError `json:"errors"`
	// Warnings are of rules that are taken all the same.
	Warnings []ruleError `json:"warnings,omitempty"`
}

// ruleError is a rule that cannot be taken, or a file that cannot be read.
type ruleError struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Rule   string `json:"rule"`
	Text   string `json:"text"`
	kind   string // of what Rule names, of Falco's rules; as code is
	code   string
}

// loaders read the rules of each kind of file.
var loaders = map[string]func(file string) (ruleFile, error){"yara": loadYARA, "gitleaks": loadGitleaks, "policy": loadPolicies}

func loadYARA(file string) (ruleFile, error) {
	set, err := yara.Load(file)
	if err != nil {
		return ruleFile{}, err
	}
	out := ruleFile{Rules: len(set.Rules())}
	for _, p := range set.Problems() {
		text := p.Reason
		if p.File != file {
			text = p.File + ": " + text
		}
		out.Errors = append(out.Errors, ruleError{Line: p.Line, Column: p.Column, Rule: p.Rule, Text: text})
	}
	return out, nil
}

func loadGitleaks(file string) (ruleFile, error) {
	set, err := secret.LoadRules(file)
	if err != nil {
		return ruleFile{}, err
	}
	out := ruleFile{Rules: set.Len()}
	for _, p := range set.Problems {
		out.Errors = append(out.Errors, ruleError{Line: p.Line, Column: p.Column, Rule: p.Rule, Text: p.Text})
	}
	return out, nil
}

func (a *app) ruleValidateCommand() *cobra.Command {
	format, kind := "table", ""
	c := &cobra.Command{
		Use: "validate FILE...", Short: "Load files of rules and say what cannot be taken",
		Long:    "Validate loads YARA rules (.yar, .yara, or a folder of them), gitleaks configurations (.toml), Falco's rules (.yaml, a list) and\nValidatingAdmissionPolicies (.yaml, an object), and says, with line and column, which rules cannot be taken and why. It exits with 1 when there is any such rule.\nFalco's rules in several files are read together, one after the other: a file may change and use what those before it have.\n-f falco writes the result as falco --validate does with json_output.",
		Example: "  bulwark rule validate rules.yar gitleaks.toml\n  bulwark rule validate --kind yara rules.txt -f json",
		Args:    cobra.MinimumNArgs(1), PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error { return a.validateRules(args, kind, format) },
	}
	a.ruleFlags(c, &format, "falco")
	c.Flags().StringVar(&kind, "kind", "", "`KIND` of the files when their names do not tell: yara, gitleaks, falco or policy")
	return c
}

func (a *app) validateRules(files []string, kind, format string) error {
	if kind != "" && kind != "falco" && loaders[kind] == nil {
		return usage("--kind %q: the kinds are falco, gitleaks, policy and yara", kind)
	}
	var list []ruleFile
	bad, falco := 0, []int{}
	for _, file := range files {
		if len(files) > 1 && kind == "" && strings.HasSuffix(file, ".cases.yaml") {
			continue // cases of the policy beside it, which policies/*.yaml names as well
		}
		one, err := validateFile(file, kind)
		if err != nil {
			return err
		}
		if one.Kind == "falco" {
			falco = append(falco, len(list))
		}
		list = append(list, one)
	}
	loadFalco(list, falco)
	for _, one := range list {
		bad += len(one.Errors)
	}
	err := a.write(func(w io.Writer) error {
		switch format {
		case "json":
			return writeJSON(w, map[string]any{"files": list})
		case "falco":
			return writeJSON(w, loadResults(list))
		}
		return tellRules(w, list)
	})
	if err == nil && bad > 0 {
		return &exit{code: exitFailed}
	}
	return err
}

// validateFile loads one file; of Falco's rules it only says that it is one of them. What cannot be opened at all is an error of the file.
func validateFile(file, kind string) (ruleFile, error) {
	none := func(why string) (ruleFile, error) {
		return ruleFile{Path: file, Kind: cmp.Or(kind, unknownRules), Errors: []ruleError{{Text: why, code: "LOAD_ERR_FILE_READ"}}}, nil
	}
	if _, err := os.Stat(file); err != nil {
		return none(err.Error())
	}
	if kind == "" {
		switch strings.ToLower(filepath.Ext(file)) {
		case ".toml":
			kind = "gitleaks"
		case ".yaml", ".yml", ".json":
			kind = yamlKind(file)
		case ".yar", ".yara", "":
			kind = "yara"
		default:
			return ruleFile{}, usage("%s: its name does not tell what kind of rules it has; say --kind falco, --kind gitleaks, --kind policy or --kind yara", file)
		}
	}
	if kind == unknownRules {
		return none("it has neither Falco's rules, which are a list, nor a ValidatingAdmissionPolicy")
	}
	if kind == "falco" {
		return ruleFile{Path: file, Kind: kind, Errors: []ruleError{}}, nil
	}
	out, err := loaders[kind](file)
	var syntax *secret.SyntaxError
	if errors.As(err, &syntax) {
		out.Errors = []ruleError{{Line: syntax.Line, Column: syntax.Column, Text: syntax.Text}}
	} else if err != nil {
		out.Errors = []ruleError{{Text: err.Error()}}
	}
	out.Path, out.Kind = file, kind
	if out.Errors == nil {
		out.Errors = []ruleError{}
	}
	slices.SortStableFunc(out.Errors, func(a, b ruleError) int { return a.Line - b.Line })
	return out, nil
}

func tellRules(w io.Writer, list []ruleFile) error {
	for _, f := range list {
		if _, err := fmt.Fprintf(w, "%s: %s, %s taken, %s\n", clean(f.Path), f.Kind, count(f.Rules, "rule"), count(len(f.Errors), "problem")); err != nil {
			return err
		}
		if err := tellErrors(w, "", f.Errors); err != nil {
			return err
		}
		if err := tellErrors(w, "warning: ", f.Warnings); err != nil {
			return err
		}
	}
	return nil
}

func tellErrors(w io.Writer, kind string, list []ruleError) error {
	for _, e := range list {
		at := ""
		if e.Line > 0 {
			at = fmt.Sprintf("%d:%d: ", e.Line, e.Column)
		}
		if e.Rule != "" {
			at += e.Rule + ": "
		}
		if _, err := fmt.Fprintf(w, "  %s%s%s\n", kind, clean(at), clean(e.Text)); err != nil {
			return err
		}
	}
	return nil
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
