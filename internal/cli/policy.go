package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulwark"
	check "bulwark/check/policy"
	"bulwark/policy/admission"
)

// policyCommand is about policies of users.
func (a *app) policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "policy", Short: "Policies of your own: the same file for scans, admission and the cluster",
		Long: "Policies are written as Kubernetes' ValidatingAdmissionPolicy has them, and existing ones are taken as they are,\nwith their bindings and parameters:\n\n" +
			"  bulwark scan deploy/ --policy policies/      hold manifests to them\n  bulwark rule validate policies/*.yaml        say what is wrong with them, by line and column\n" +
			"  bulwark rule test policies/                  try them on their own cases\n  bulwark policy export policies/ | kubectl apply -f -\n\n" +
			"A policy without a binding holds everywhere, and denies. Annotations bulwark.dev/severity, title, reason, fix,\nreferences and tags say how findings speak of it.",
	}
	c.AddCommand(a.policyExportCommand())
	return c
}

func (a *app) policyExportCommand() *cobra.Command {
	var enforce, audit bool
	c := &cobra.Command{
		Use: "export FILE...", Short: "Print policies as a cluster takes them, each with a binding",
		Long: "Export prints the ValidatingAdmissionPolicies of files and folders with their parameters and bindings. A policy\n" +
			"without a binding gets one that denies; --audit has all of them warn and write down, --enforce has them deny.",
		Example: "  bulwark policy export policies/ --audit | kubectl apply -f -",
		Args:    cobra.MinimumNArgs(1), PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error { return a.exportPolicies(args, enforce, audit) },
	}
	f := c.Flags()
	f.BoolVar(&enforce, "enforce", false, "have all bindings deny")
	f.BoolVar(&audit, "audit", false, "have all bindings warn and write down, and deny nothing")
	f.StringVarP(&a.output, "output", "o", "", "write to `FILE` instead of stdout")
	a.common(f)
	return c
}

func (a *app) exportPolicies(files []string, enforce, audit bool) error {
	if enforce && audit {
		return usage("--enforce and --audit exclude each other")
	}
	set, err := admission.Load(files...)
	if err != nil {
		return err
	}
	if len(set.Problems) > 0 {
		return &exit{code: exitFailed, err: fmt.Errorf("%s: %w", set.Problems[0], bulwark.ErrMalformed), hint: "bulwark rule validate lists all that is wrong"}
	}
	var actions []string
	switch {
	case enforce:
		actions = []string{"Deny"}
	case audit:
		actions = []string{"Audit", "Warn"}
	}
	return a.write(func(w io.Writer) error { return set.Export(w, actions...) })
}

// ownPolicies are those that --policy names; nil for none.
func (a *app) ownPolicies() (*admission.Set, error) {
	if len(a.policies) == 0 || !a.wants(bulwark.KindMisconfig) {
		return nil, nil
	}
	set, err := admission.Load(a.policies...)
	if err != nil {
		return nil, &exit{code: exitUsage, err: fmt.Errorf("--policy: %w", err)}
	}
	return set, nil
}

// policyNotes tell what of the policies could not be taken.
func policyNotes(set *admission.Set) []bulwark.Note {
	var list []bulwark.Note
	if set == nil {
		return nil
	}
	if n := len(set.Aside); n > 0 {
		o := set.Aside[0]
		list = append(list, bulwark.Note{Plugin: "check/policy", Path: o.Origin.File, Text: fmt.Sprintf("MutatingAdmissionPolicies and their bindings are not followed, since what they change is not what was written: %d (%s, line %d)", n, o.Name, o.Origin.Line)})
	}
	for i, p := range set.Problems {
		if i == mostProblems {
			list = append(list, bulwark.Note{Plugin: "check/policy", Path: p.File, Text: fmt.Sprintf("%d more problems; bulwark rule validate lists them", len(set.Problems)-i), Incomplete: true})
			break
		}
		text := "not taken: " + p.Text
		if p.Policy != "" {
			text = "policy " + p.Policy + " " + text
		}
		list = append(list, bulwark.Note{Plugin: "check/policy", Path: fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column), Text: text, Incomplete: true})
	}
	return list
}

// loadPolicies is the loader of bulwark rule validate.
func loadPolicies(file string) (ruleFile, error) {
	set, err := admission.Load(file)
	if err != nil {
		return ruleFile{}, err
	}
	out := ruleFile{Rules: len(set.Policies)}
	for _, p := range set.Problems {
		text := p.Text
		if p.File != filepath.ToSlash(file) {
			text = p.File + ": " + text
		}
		out.Errors = append(out.Errors, ruleError{Line: p.Line, Column: p.Column, Rule: p.Policy, Text: text})
	}
	return out, nil
}

// isPolicyFile tells whether YAML holds policies.
func isPolicyFile(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	return err == nil && strings.Contains(string(data), "ValidatingAdmissionPolicy") && !strings.HasSuffix(file, ".cases.yaml")
}

// testPolicies tries the policies of a folder's files.
func testPolicies(dir string, files []string) []bulwark.RuleTest {
	var list []bulwark.RuleTest
	for _, name := range files {
		tests, err := check.TestFile(os.DirFS(dir), name)
		if err != nil {
			tests = append(tests, bulwark.RuleTest{Rule: filepath.Base(name), Failures: []string{err.Error()}})
		}
		for i := range tests {
			tests[i].File = name
		}
		list = append(list, tests...)
	}
	return list
}

func (a *app) policyFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&a.policies, "policy", nil, "`FILE` or folder of policies whose rules are listed, too (repeatable)")
}

// policyRules lists the policies that --policy names as rules, of the families that are
// wanted; any without.
func (a *app) policyRules(wanted []string) ([]bulwark.Rule, error) {
	set, err := a.ownPolicies()
	if set == nil || err != nil || len(wanted) > 0 && !slices.Contains(wanted, "policy") {
		return nil, err
	}
	for _, n := range policyNotes(set) {
		fmt.Fprintf(a.err, "bulwark: note: %s: %s\n", clean(n.Path), clean(n.Text))
	}
	return check.New(set).Rules(), nil
}
