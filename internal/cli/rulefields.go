package cli

import (
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
		Long:    "Fields lists what conditions and outputs of rules in Falco's language may name: all, or those whose names begin with a TEXT.\nWhat stands behind a name in brackets or behind a dot is its argument; a question mark says that it may be left out.",
		Example: "  bulwark rule fields proc fd.\n  bulwark rule fields --source k8s_audit -f json", PreRunE: a.settle,
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
	a.ruleFlags(c, &format)
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
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range list {
		kind := string(f.Type)
		if f.List {
			kind += " list"
		}
		fmt.Fprintf(t, "%s%s\t%s\t%s\n", f.Name, f.Arg, kind, f.Doc)
	}
	return t.Flush()
}
