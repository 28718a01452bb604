package cli

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulwark/internal/near"
	"bulwark/network"
	"bulwark/network/render"
)

func (a *app) networkListCommand() *cobra.Command {
	r := &reach{app: a}
	c := &cobra.Command{
		Use: "list TARGET", Short: "List every connection that policies let through",
		Long: "List writes who may connect to whom on which ports: workloads, addresses outside ([External]) and the ingress controller.\n" +
			"Two ends and no line: nothing is let through. Without -f a text of more than " + fmt.Sprint(mostLines) + " lines is folded: workloads that are\n" +
			"alike are told of together. -f text, json and csv have a line for each connection, as programs want them; dot and mermaid fold as the\n" +
			"text does, and --all tells of each there too; html is one page with a map that folds." + networkTargets,
		Example: "  bulwark network list deploy/\n  bulwark network list deploy/ -n shop -f json\n  bulwark network list cluster --focus shop/web\n  bulwark network list cluster -f html -o map.html\n  bulwark network list deploy/ -f dot | dot -Tsvg > map.svg",
		Args:    cobra.ExactArgs(1), PreRunE: a.settle, ValidArgsFunction: completeTarget,
		RunE: func(c *cobra.Command, args []string) error {
			r.all = r.all || r.format == "text" && c.Flags().Changed("format")
			return r.list(c.Context(), args[0])
		},
	}
	f := c.Flags()
	f.StringArrayVarP(&r.namespaces, "namespace", "n", nil, "only connections of the namespace `NAME` (repeatable)")
	f.StringArrayVar(&r.focus, "focus", nil, "only connections of the `WORKLOAD`: shop/web, shop/web[Deployment] (repeatable)")
	f.BoolVar(&r.ipv6, "ipv6", false, "also addresses of IPv6")
	f.BoolVar(&r.all, "all", false, "tell of each workload, however many there are")
	r.flags(c, "text", "json", "csv", "dot", "mermaid", "html")
	return c
}

// mostLines is how many a text or a drawing has before it is folded.
const mostLines = 2000

func (r *reach) list(ctx context.Context, target string) error {
	e, s, err := r.engine(ctx, target)
	if err != nil {
		return err
	}
	o := render.Options{IPv6: r.ipv6, Namespaces: r.namespaces}
	if o.Focus, err = focused(e, r.focus); err != nil {
		return err
	}
	for _, n := range r.namespaces {
		if !slices.ContainsFunc(e.Endpoints, func(e *network.Endpoint) bool { return e.Namespace == n }) {
			r.note("no workload is in the namespace %s", n)
		}
	}
	if write, ok := lineFormats[r.format]; ok && (r.all || r.format != "text") {
		return r.write(func(w io.Writer) error { return write(w, render.Lines(e, o)) })
	}
	m := r.draw(e, o)
	return r.write(func(w io.Writer) error {
		switch r.format {
		case "dot":
			return m.DOT(w)
		case "mermaid":
			return m.Mermaid(w)
		case "html":
			return m.HTML(w, target, problems(e, s))
		}
		return m.Text(w)
	})
}

// lineFormats have a line for each connection.
var lineFormats = map[string]func(io.Writer, iter.Seq[render.Line]) error{"text": render.Text, "json": render.JSON, "csv": render.CSV}

// draw makes the map of an engine, folded when it is large.
func (r *reach) draw(e *network.Engine, o render.Options) *render.Map {
	o.Fold = !r.all
	m := render.Draw(e, o)
	switch {
	case m.Cut:
		r.note("there are more than %d lines to draw, and the rest is left out: choose with -n or --focus, or take -f text, json or csv", len(m.Edges))
	case r.format == "html" || !o.Fold:
	case m.Count <= mostLines || 2*len(m.Edges) > m.Count: // little would be won
		o.Fold = false
		return render.Draw(e, o)
	default:
		r.note("%d connections are folded into %d of workloads that are alike; --all tells of each", m.Count, len(m.Edges))
	}
	return m
}

// focused gives the full names of workloads that words name.
func focused(e *network.Engine, words []string) ([]string, error) {
	var names []string
	for _, word := range words {
		list := workloadsNamed(e, word)
		if len(list) == 0 {
			return nil, unknownWorkload(e, word)
		}
		for _, i := range list {
			names = append(names, e.Endpoints[i].String())
		}
	}
	return names, nil
}

// workloadsNamed gives the endpoints that "shop/web", "shop/web[Deployment]" or
// "shop/Deployment/web" names; "web" if it is in one namespace alone; and "ingress-controller".
func workloadsNamed(e *network.Engine, word string) []int {
	var exact, bare []int
	spaces := map[string]bool{}
	for i, p := range e.Endpoints {
		switch {
		case word == p.String(), p.Outside && word == p.Name, !p.Outside && (word == p.Namespace+"/"+p.Name || word == p.Namespace+"/"+p.Kind+"/"+p.Name):
			exact = append(exact, i)
		case !p.Outside && (word == p.Name || word == p.Name+"["+p.Kind+"]"):
			bare = append(bare, i)
			spaces[p.Namespace] = true
		}
	}
	if len(exact) > 0 {
		return exact
	}
	if len(spaces) == 1 {
		return bare
	}
	return nil
}

// unknownWorkload says that there is none of that name, and which are like it.
func unknownWorkload(e *network.Engine, word string) error {
	name := word[strings.LastIndexByte(word, '/')+1:]
	name, _, _ = strings.Cut(name, "[")
	name = strings.ToLower(name)
	var like []string
	for _, p := range e.Endpoints {
		known := strings.ToLower(p.Name)
		alike := near.Is(name, known) || name != "" && (strings.Contains(known, name) || strings.Contains(name, known))
		if len(like) < 5 && !p.Outside && alike && !slices.Contains(like, p.String()) {
			like = append(like, p.String())
		}
	}
	hint := "bulwark network list TARGET names those that are connected"
	if len(like) > 0 {
		hint = "is it " + strings.Join(like, ", ") + "?"
	}
	return &exit{code: exitFailed, err: fmt.Errorf("no workload is called %q (say namespace/name)", word), hint: clean(hint)}
}
