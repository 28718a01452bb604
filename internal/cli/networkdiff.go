package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/network/change"
	"bulwark/network/render"
)

func (a *app) networkDiffCommand() *cobra.Command {
	r := &reach{app: a}
	c := &cobra.Command{
		Use: "diff A B", Short: "List connections that came, went or got other ports",
		Long: "Diff compares what policies let through in two targets. An answer that was saved with network list -f json is taken, too.\n" +
			"A difference is no failure: the exit code is 0." + strings.Replace(networkTargets, "TARGET is", "A and B are each", 1),
		Example: "  bulwark network diff main/deploy branch/deploy -f markdown\n  bulwark network diff snapshot:monday.snap cluster\n  bulwark network diff monday.json cluster",
		Args:    cobra.ExactArgs(2), PreRunE: a.settle, ValidArgsFunction: completeTarget,
		RunE: func(c *cobra.Command, args []string) error { return r.diff(c.Context(), args[0], args[1]) },
	}
	c.Flags().BoolVar(&r.ipv6, "ipv6", false, "also addresses of IPv6")
	r.flags(c, "text", "json", "csv", "markdown")
	return c
}

func (r *reach) diff(ctx context.Context, before, after string) error {
	var flows [2][]change.Flow
	for i, target := range []string{before, after} {
		var err error
		if flows[i], err = r.flows(ctx, target); err != nil {
			return err
		}
	}
	list := change.Of(flows[0], flows[1])
	return r.write(func(w io.Writer) error { return writeChanges(w, r.format, before, after, list) })
}

// mostFlows is how many connections of a target are compared.
const mostFlows = 5_000_000

// flows are the connections of a target, or of a saved answer.
func (r *reach) flows(ctx context.Context, target string) ([]change.Flow, error) {
	if isAnswer(target) {
		f, err := os.Open(target)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		list, err := change.Read(bufio.NewReader(f))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", target, err)
		}
		return list, nil
	}
	e, _, err := r.engine(ctx, target)
	if err != nil {
		return nil, err
	}
	var list []change.Flow
	for l := range render.Lines(e, render.Options{IPv6: r.ipv6}) {
		if len(list) == mostFlows {
			return nil, fmt.Errorf("%s: more than %d connections: %w", target, mostFlows, bulwark.ErrLimit)
		}
		list = append(list, change.Flow(l))
	}
	return list, nil
}

// isAnswer tells whether a file begins as a saved list of connections does.
func isAnswer(name string) bool {
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 512)
	n, _ := io.ReadFull(f, head)
	head = bytes.Join(bytes.Fields(head[:n]), nil)
	return bytes.HasPrefix(head, []byte(`[{"src":`)) || bytes.Equal(head, []byte("[]"))
}

func writeChanges(w io.Writer, format, before, after string, list []change.Change) error {
	b := bufio.NewWriter(w)
	count := map[string]int{}
	for i := range list {
		count[list[i].Kind()]++
	}
	summary := fmt.Sprintf("%d added, %d removed, %d changed", count["added"], count["removed"], count["changed"])
	switch format {
	case "json":
		byKind := map[string][]change.Change{"added": {}, "removed": {}, "changed": {}}
		for i := range list {
			byKind[list[i].Kind()] = append(byKind[list[i].Kind()], list[i])
		}
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(byKind); err != nil {
			return err
		}
	case "csv":
		fmt.Fprint(b, "change,src,dst,before,after\n")
		for i := range list {
			c := &list[i]
			fmt.Fprintf(b, "%s,%s,%s,%s,%s\n", c.Kind(), render.Cell(c.From), render.Cell(c.To), render.Cell(c.Before), render.Cell(c.After))
		}
	case "markdown":
		fmt.Fprintf(b, "### Connections: %s\n\n", summary)
		if len(list) > 0 {
			fmt.Fprint(b, "| | from | to | before | after |\n|---|---|---|---|---|\n")
		}
		for i := range list {
			c := &list[i]
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", c.Kind(), render.Markdown(c.From), render.Markdown(c.To), render.Markdown(c.Before), render.Markdown(c.After))
		}
	default:
		fmt.Fprintf(b, "%s -> %s\n", render.Harmless(before), render.Harmless(after))
		for i := range list {
			c := &list[i]
			ends := render.Harmless(c.From) + " => " + render.Harmless(c.To) + " : "
			switch c.Kind() {
			case "added":
				fmt.Fprintf(b, "+ %s%s\n", ends, render.Harmless(c.After))
			case "removed":
				fmt.Fprintf(b, "- %s%s\n", ends, render.Harmless(c.Before))
			default:
				fmt.Fprintf(b, "~ %s%s -> %s\n", ends, render.Harmless(c.Before), render.Harmless(c.After))
			}
		}
		fmt.Fprintf(b, "\n%s\n", summary)
	}
	return b.Flush()
}
