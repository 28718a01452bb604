package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/all"
	"bulwark/detect/rules"
	"bulwark/enforce/action"
)

func (a *app) ruleCommand() *cobra.Command {
	c := &cobra.Command{Use: "rule", Short: "What is looked for, and why"}
	c.AddCommand(a.ruleListCommand(), a.ruleShowCommand(), a.ruleTestCommand(), a.ruleValidateCommand(), a.ruleFieldsCommand())
	return c
}

func (a *app) ruleListCommand() *cobra.Command {
	format := "table"
	var files []string
	c := &cobra.Command{
		Use: "list [FAMILY...]", Short: "List the built-in rules, of all families or of those named",
		Example: "  bulwark rule list dockerfile\n  bulwark rule list escape miner\n  bulwark rule list falco --rules falco_rules.yaml\n  bulwark rule list -f json", PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error {
			own, err := a.policyRules(args)
			if err != nil {
				return err
			}
			falco, err := listed(files)
			if err != nil {
				return err
			}
			rules := asListed(append(rulesOf(args), own...))
			for i := range falco {
				if f := &falco[i]; len(args) == 0 || slices.Contains(args, family(f.ID)) {
					rules = append(rules, listedRule{f.Rule, f.Priority, &f.Enabled})
				}
			}
			if len(rules) == 0 {
				return usage("no rules of %s; the families are %s", strings.Join(args, ", "), strings.Join(families(), " "))
			}
			return a.write(func(w io.Writer) error { return listRules(w, rules, format) })
		},
	}
	a.ruleFlags(c, &format)
	a.policyFlag(c)
	falcoFlag(c, &files)
	return c
}

func (a *app) ruleShowCommand() *cobra.Command {
	format := "table"
	var files []string
	c := &cobra.Command{
		Use: "show ID", Short: "Say why a rule is there, how bad it is and when it is wrong",
		Args: cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error {
			r, ok := ruleNamed(args[0])
			own, err := a.policyRules(nil)
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(own, func(r bulwark.Rule) bool { return r.ID == args[0] }); i >= 0 {
				r, ok = own[i], true
			}
			falco, err := listed(files)
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(falco, func(r rules.Listed) bool { return r.ID == args[0] || r.Name == args[0] }); i >= 0 {
				return a.write(func(w io.Writer) error { return showFalco(w, &falco[i], format) })
			}
			if !ok {
				return &exit{code: exitFailed, err: fmt.Errorf("no rule is called %s: %w", args[0], bulwark.ErrNotFound), hint: "bulwark rule list"}
			}
			return a.write(func(w io.Writer) error {
				if format == "json" {
					return writeJSON(w, r)
				}
				return showRule(w, &r)
			})
		},
	}
	a.ruleFlags(c, &format)
	a.policyFlag(c)
	falcoFlag(c, &files)
	return c
}

// ruleFlags are those of all commands about rules; more are formats that this one has beside table and json.
func (a *app) ruleFlags(c *cobra.Command, format *string, more ...string) {
	formats := append([]string{"table", "json"}, more...)
	several := strings.Join(formats[:len(formats)-1], ", ") + " or " + formats[len(formats)-1]
	f := c.Flags()
	f.StringVarP(format, "format", "f", *format, several)
	f.StringVarP(&a.output, "output", "o", "", "write to `FILE` instead of stdout")
	a.common(f)
	settle := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if err := settle(c, args); err != nil {
			return err
		}
		if !slices.Contains(formats, *format) {
			return usage("this is written as %s, not as %q", several, *format)
		}
		return nil
	}
}

// toldRules are those of what is told by the program itself, and by no plugin.
func toldRules() []bulwark.Rule { return append(action.Rules(), wasKilled) }

// rulesOf lists the rules of the families; of all without any.
func rulesOf(wanted []string) []bulwark.Rule {
	var list []bulwark.Rule
	for _, rule := range toldRules() {
		if len(wanted) == 0 || slices.Contains(wanted, family(rule.ID)) {
			list = append(list, rule)
		}
	}
	for _, p := range all.Plugins() {
		r, ok := p.(bulwark.Ruler)
		if !ok {
			continue
		}
		for _, rule := range r.Rules() {
			if len(wanted) == 0 || slices.Contains(wanted, family(rule.ID)) {
				list = append(list, rule)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b bulwark.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b bulwark.Rule) bool { return a.ID == b.ID })
}

// ruleNamed finds the rule of that id, or the one that stands for all of its family
// ("eol/*").
func ruleNamed(id string) (bulwark.Rule, bool) {
	rules := rulesOf([]string{family(id)})
	for _, name := range []string{id, family(id) + "/*"} {
		if i := slices.IndexFunc(rules, func(r bulwark.Rule) bool { return r.ID == name }); i >= 0 {
			return rules[i], true
		}
	}
	return bulwark.Rule{}, false
}

func family(id string) string {
	f, _, _ := strings.Cut(id, "/")
	return f
}

func families() []string {
	var list []string
	for _, r := range rulesOf(nil) {
		list = append(list, family(r.ID))
	}
	return slices.Compact(list)
}

// listedRule is a rule as lists have it. Only those in Falco's language have a priority, and may be there and not be run.
type listedRule struct {
	bulwark.Rule
	Priority string `json:"priority,omitempty"`
	Enabled  *bool  `json:"enabled,omitempty"`
}

func asListed(rules []bulwark.Rule) []listedRule {
	list := make([]listedRule, 0, len(rules))
	for _, r := range rules {
		list = append(list, listedRule{Rule: r})
	}
	return list
}

func listRules(w io.Writer, rules []listedRule, format string) error {
	if format == "json" {
		return writeJSON(w, map[string]any{"rules": rules})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rules {
		fmt.Fprintf(t, "%s\t%s\t%s", r.ID, r.Severity, r.Title)
		if r.Enabled != nil {
			fmt.Fprintf(t, "\t%s%s", r.Priority, notEnabled(*r.Enabled, ", "))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func showRule(w io.Writer, r *bulwark.Rule) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n%s\n", r.ID, r.Severity, r.Title)
	for _, part := range []struct{ label, text string }{
		{"Why", r.Reason}, {"When it is wrong", r.FalsePositives}, {"What to do", r.Fix}, {"Also known as", strings.Join(r.Tags, " ")}, {"More", strings.Join(r.References, " ")},
	} {
		if part.text != "" {
			fmt.Fprintf(&b, "\n%s: %s\n", part.label, part.text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
