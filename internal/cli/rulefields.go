package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/detect/rules"
)

func (a *app) ruleFieldsCommand() *cobra.Command {
	format, source := "table", ""
	sources := []string{bulwark.SourceSyscall, bulwark.SourceK8sAudit, bulwark.SourceEngine}
	c := &cobra.Command{
		Use: "fields [TEXT...]", Short: "List the fields that rules in Falco's language may name",
		Long:    "Fields lists what conditions and outputs of rules in Falco's language may name: all, or those whose names begin with a TEXT,\nwhich may be a class: proc, fd, ka. What stands behind a name in brackets or behind a dot is its argument;\na question mark says that it may be left out. What no event here ever has says so.",
		Example: "  bulwark rule fields proc fd.\n  bulwark rule fields --source k8s_audit -f json\n  bulwark rule fields -f markdown -o fields.md", PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error {
			if source != "" && !slices.Contains(sources, source) {
				return usage("no events are of source %q; the sources are %s", source, strings.Join(sources, ", "))
			}
			list := fieldsOf(source, args)
			if len(list) == 0 {
				return usage("no field begins with %s", strings.Join(args, " or "))
			}
			return a.write(func(w io.Writer) error { return listFields(w, list, format) })
		},
	}
	a.ruleFlags(c, &format, "markdown")
	c.Flags().StringVar(&source, "source", "", "only those of events of this `SOURCE`: "+strings.Join(sources, ", "))
	return c
}

// fieldsOf lists the fields of a source whose names begin with one of the texts; with all, where there are none.
func fieldsOf(source string, begin []string) []rules.Field {
	list := rules.Fields(source)
	if len(begin) == 0 {
		return list
	}
	return slices.DeleteFunc(list, func(f rules.Field) bool {
		return !slices.ContainsFunc(begin, func(b string) bool { return strings.HasPrefix(f.Name, b) })
	})
}

func listFields(w io.Writer, list []rules.Field, format string) error {
	if format == "json" {
		return writeJSON(w, map[string]any{"fields": list})
	}
	if format == "markdown" {
		return fieldsAsMarkdown(w, list)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range list {
		fmt.Fprintf(t, "%s%s\t%s\t%s\n", f.Name, f.Arg, kindOfField(&f), f.Doc)
	}
	return t.Flush()
}

func kindOfField(f *rules.Field) string {
	kind := string(f.Type)
	if f.List {
		kind += " list"
	}
	return kind
}

// fieldsAsMarkdown has a table for each class.
func fieldsAsMarkdown(w io.Writer, list []rules.Field) error {
	var b strings.Builder
	class := ""
	for i := range list {
		f := &list[i]
		if c, _, _ := strings.Cut(f.Name, "."); c != class {
			if class != "" {
				b.WriteByte('\n')
			}
			class = c
			fmt.Fprintf(&b, "## %s\n\n| field | value | source | meaning |\n|---|---|---|---|\n", class)
		}
		fmt.Fprintf(&b, "| `%s%s` | %s | %s | %s |\n", f.Name, f.Arg, kindOfField(f), cmp.Or(f.Source, "all"), strings.ReplaceAll(f.Doc, "|", "\\|"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func falcoFlag(c *cobra.Command, files *[]string) {
	c.Flags().StringArrayVar(files, "rules", nil, "`FILE` of rules in Falco's language, which are listed, too (repeatable)")
}

// listed are the rules of files in Falco's language.
func listed(names []string) ([]rules.Listed, error) {
	var files []rules.File
	for _, name := range names {
		data, err := readRules(name)
		if err != nil {
			return nil, &exit{code: exitFailed, err: fmt.Errorf("--rules: %w", err)}
		}
		files = append(files, rules.File{Name: name, Data: data})
	}
	if len(files) == 0 {
		return nil, nil
	}
	return rules.List(files...), nil
}

// showFalco tells all of a rule in Falco's language.
func showFalco(w io.Writer, r *rules.Listed, format string) error {
	if format == "json" {
		return writeJSON(w, r)
	}
	if err := showRule(w, &r.Rule); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nCondition: %s\n", clean(r.Condition))
	for _, e := range r.Exceptions {
		fmt.Fprintf(&b, "\nBut not, by the exception %s: %s\n", clean(e.Name), clean(cmp.Or(e.Condition, "it has no values")))
	}
	fmt.Fprintf(&b, "\nOutput: %s\n\nIt is at %s:%d; source %s, priority %s%s.\n", clean(r.Output), clean(r.File), r.Line, r.Source, r.Priority, notEnabled(r.Enabled, ", "))
	_, err := io.WriteString(w, b.String())
	return err
}

func notEnabled(is bool, before string) string {
	if is {
		return ""
	}
	return before + "not enabled"
}
