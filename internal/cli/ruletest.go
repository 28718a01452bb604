package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/all"
	"bulwark/check/malware"
	"bulwark/check/secret"
)

const layoutOfCases = `Test tries rules on their own cases: files that they must and must not find.

Without a folder these are the cases of the built-in rules. In a folder, rules are

  NAME.yar, NAME.yara, NAME.toml   YARA rules, gitleaks configurations; their cases lie beside them:
      NAME/match/FILE...           each found by a rule of NAME
      NAME/miss/FILE...            found by none of them
      NAME/RULE/match/FILE...      found by that rule
      NAME/RULE/miss/FILE...       not found by it
  NAME.yaml                        a rule for secrets, as the built-in ones are written, cases included
  NAME/rule.yaml                   a rule for malicious code, likewise
  NAME.yaml                        ValidatingAdmissionPolicies; their cases lie beside them:
      NAME/fail/FILE..., NAME/pass/FILE...      objects that a policy of NAME has something against, or none has
      NAME/POLICY/fail/..., NAME/POLICY/pass/...   the same of one of several policies
      NAME.cases.yaml              lines "# fail: why", "# pass: why", "# fail POLICY: why" begin cases
  NAME.yaml                        rules in Falco's language; their cases are recordings (bulwark watch --record FILE) beside them:
      NAME/match/X.trace, NAME/miss/X.trace     a rule fires on it, or none does; --rules FILE is read before NAME.yaml
      NAME/RULE/match/X.trace, ...              the same of one rule, by its name or id
      NAME.expect.yaml             how often rules fire on which recording:
          attacks/shell.trace:
            Terminal shell in container: 1     # or never, some, 2+
            "*": never                         # all others

The path below match or miss is the path that rules see: NAME/match/etc/app.env is etc/app.env.
A case called FILE.tmpl is a template of FILE, so that no file has to hold what looks like a secret:
ghp_{{base62 30}}{{crc32 base62 6}}. It exits with 1 when a rule does not pass.

With --replay recordings are played to the rules of --rules, or to the detectors that are built in, and a table says which
rule fired how often and which never. With --expect it is held to what a file of expectations says, as above.
Wherever a recording is named, the audit log of a Kubernetes API server may be, as lines or lists of JSON, packed by gzip or not;
among the cases of a folder it is X.jsonl.`

// playing are the flags for recordings.
type playing struct{ rules, replay, expect []string }

func (a *app) ruleTestCommand() *cobra.Command {
	format := "table"
	var of playing
	c := &cobra.Command{
		Use: "test [FOLDER...]", Short: "Try rules on what they must and must not find", Long: layoutOfCases,
		Example: "  bulwark rule test\n  bulwark rule test rules/ -f json\n  bulwark rule test --rules falco_rules.yaml --replay night.trace\n" +
			"  bulwark rule test --rules falco_rules.yaml --rules mine.yaml --expect expect.yaml",
		PreRunE: a.settle,
		RunE:    func(c *cobra.Command, args []string) error { return a.tryRules(c.Context(), args, &of, format) },
	}
	f := c.Flags()
	f.StringArrayVar(&of.rules, "rules", nil, "`FILE` of rules in Falco's language (repeatable; later ones change earlier ones)")
	f.StringArrayVar(&of.replay, "replay", nil, "tell how often rules fire on what `FILE` recorded, or on the audit log of a Kubernetes API server (repeatable)")
	f.StringArrayVar(&of.expect, "expect", nil, "hold rules to what `FILE` says of recordings (repeatable)")
	a.ruleFlags(c, &format)
	return c
}

// tryRules does what the flags and operands ask for.
func (a *app) tryRules(ctx context.Context, folders []string, of *playing, format string) error {
	switch {
	case len(of.replay) > 0 && len(of.expect) > 0:
		return usage("--replay and --expect do not go together: the file of --expect names the recordings")
	case len(of.replay)+len(of.expect) > 0 && len(folders) > 0:
		return usage("--replay and --expect do not go with folders of rules: name files of rules by --rules")
	case len(of.replay) > 0:
		return a.playRules(ctx, of.rules, of.replay, format)
	case len(of.expect) > 0:
		return a.expectRules(ctx, of.rules, of.expect, format)
	case len(of.rules) > 0 && len(folders) == 0:
		return usage("--rules needs recordings: --replay FILE, --expect FILE, or a folder of rules with cases")
	}
	return a.testRules(ctx, folders, of.rules, format)
}

// testRules tries the rules of the folders, or the built-in ones.
func (a *app) testRules(ctx context.Context, folders, before []string, format string) error {
	tests, err := a.builtinTests(len(folders) == 0)
	for _, dir := range folders {
		more, failed := a.testFolder(ctx, dir, before)
		if err = errors.Join(err, failed); failed == nil {
			tests = append(tests, more...)
		}
	}
	if err != nil {
		return &exit{code: exitFailed, err: fmt.Errorf("testing rules: %w", err), hint: "bulwark rule test --help shows how a folder of rules is laid out"}
	}
	return a.toldTests(tests, format)
}

// builtinTests tries the built-in rules, where those are asked for.
func (a *app) builtinTests(asked bool) (tests []bulwark.RuleTest, err error) {
	if !asked {
		return nil, nil
	}
	left := families()
	for _, p := range all.Plugins() {
		t, ok := p.(bulwark.RuleTester)
		if !ok {
			continue
		}
		more, err := t.TestRules()
		if err != nil {
			return nil, err
		}
		tests = append(tests, more...)
		left = slices.DeleteFunc(left, func(f string) bool {
			return slices.ContainsFunc(more, func(t bulwark.RuleTest) bool { return family(t.Rule) == f })
		})
	}
	if !a.quiet && len(left) > 0 {
		fmt.Fprintf(a.err, "bulwark: note: rules of %s have no cases of their own: tests of the program's source hold them\n", strings.Join(left, ", "))
	}
	return tests, nil
}

// testFolder tries the rules of a folder.
func (a *app) testFolder(ctx context.Context, dir string, before []string) ([]bulwark.RuleTest, error) {
	found, err := rulesIn(dir)
	if err != nil {
		return nil, err
	}
	root := os.DirFS(dir)
	tests, err := secret.TestRules(root, found.secrets)
	if err != nil {
		return nil, err
	}
	more, err := malware.TestRules(root, found.malware)
	if err != nil {
		return nil, err
	}
	tests = append(tests, more...)
	for _, name := range found.others {
		more, err := testFile(dir, name)
		if err != nil {
			more = []bulwark.RuleTest{{Rule: path.Base(name), Failures: []string{err.Error()}}}
		}
		for i := range more {
			more[i].File = name
		}
		tests = append(tests, more...)
	}
	tests = append(tests, testPolicies(dir, found.policies)...)
	for _, name := range found.falco {
		tests = append(tests, a.testFalco(ctx, dir, name, before)...)
	}
	switch {
	case len(tests) == 0:
		return nil, fmt.Errorf("%s has no rules: %w", dir, bulwark.ErrNotFound)
	case !slices.ContainsFunc(tests, func(t bulwark.RuleTest) bool { return t.Cases > 0 || len(t.Failures) > 0 }):
		return nil, fmt.Errorf("the rules of %s have no cases: %w", dir, bulwark.ErrNotFound)
	}
	for i := range tests {
		tests[i].File = filepath.Join(dir, filepath.FromSlash(tests[i].File))
	}
	return tests, nil
}

// ruleFiles are the files of rules in a folder, by what reads them.
type ruleFiles struct{ secrets, malware, policies, falco, others []string }

const mostCases = 100_000 // files of a folder

// rulesIn finds the files of rules, but for those among the cases of others.
func rulesIn(dir string) (found ruleFiles, err error) {
	var files []string
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, name)
		}
		if len(files) > mostCases {
			return fmt.Errorf("%s has more than %d files: %w", dir, mostCases, bulwark.ErrLimit)
		}
		return err
	})
	cases, policies, falco := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, name := range files {
		if stem, ok := ownRuleFile(name); ok {
			cases[stem] = true
		} else if ext := path.Ext(name); (ext == ".yaml" || ext == ".yml") && isPolicyFile(filepath.Join(dir, filepath.FromSlash(name))) {
			cases[strings.TrimSuffix(name, ext)] = true
			policies[name] = true
		} else if (ext == ".yaml" || ext == ".yml") && isFalcoFile(filepath.Join(dir, filepath.FromSlash(name))) {
			cases[strings.TrimSuffix(name, ext)] = true
			falco[name] = true
		}
	}
	for _, name := range files {
		switch _, own := ownRuleFile(name); {
		case within(cases, name):
		case policies[name]:
			found.policies = append(found.policies, name)
		case falco[name]:
			found.falco = append(found.falco, name)
		case own:
			found.others = append(found.others, name)
		case path.Base(name) == "rule.yaml":
			found.malware = append(found.malware, name)
		case path.Ext(name) == ".yaml" && hasCases(filepath.Join(dir, filepath.FromSlash(name))):
			found.secrets = append(found.secrets, name)
		}
	}
	return found, err
}

// ownRuleFile tells whether a file has rules of users, and gives its path without ending.
func ownRuleFile(name string) (stem string, ok bool) {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext), slices.Contains([]string{".yar", ".yara", ".toml"}, strings.ToLower(ext))
}

// within tells whether a file lies in one of the folders.
func within(folders map[string]bool, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if folders[dir] {
			return true
		}
	}
	return false
}

// hasCases tells a rule from other YAML.
func hasCases(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	return err == nil && bytes.Contains(data, []byte("\ncases:"))
}

// tellTests writes what became of the rules.
func tellTests(w io.Writer, tests []bulwark.RuleTest, format string) error {
	slices.SortStableFunc(tests, func(a, b bulwark.RuleTest) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Rule, b.Rule))
	})
	var passed, failed, untested int
	var b strings.Builder
	for i := range tests {
		t := &tests[i]
		verdict := "ok"
		switch {
		case len(t.Failures) > 0:
			verdict = "FAIL"
			failed++
		case t.Cases == 0:
			verdict = "none"
			untested++
		default:
			passed++
		}
		fmt.Fprintf(&b, "%-4s  %s (%s): %s\n", verdict, clean(t.Rule), clean(t.File), count(t.Cases, "case"))
		for _, f := range t.Failures {
			fmt.Fprintf(&b, "      %s\n", clean(f))
		}
	}
	if format == "json" {
		return writeJSON(w, map[string]any{"rules": tests, "passed": passed, "failed": failed, "untested": untested})
	}
	fmt.Fprintf(&b, "%d rules passed, %d failed, %d without cases\n", passed, failed, untested)
	_, err := io.WriteString(w, b.String())
	return err
}
