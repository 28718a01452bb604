package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/all"
	"bulwark/graph"
)

// paths are the flags of the command.
type paths struct {
	*app
	from, to []string
	most     int
}

func (a *app) pathsCommand() *cobra.Command {
	p := &paths{app: a}
	c := &cobra.Command{
		Use: "paths TARGET...", Short: "How an attacker gets from where he can begin to what is worth taking, and what stops him",
		Args: cobra.MinimumNArgs(1), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringArrayVar(&p.from, "from", nil, "`VERTEX` where the attacker begins (repeatable)")
	f.StringArrayVar(&p.to, "to", nil, "`VERTEX` that he is after (repeatable)")
	f.IntVar(&p.most, "most", 10, "show at most `N` paths")
	a.common(f)
	return c
}

func (p *paths) run(ctx context.Context, args []string) error {
	s, db, err := p.prepare(ctx)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	g := graph.New()
	s.Relaters, s.Relations = all.Relaters(), g
	res, err := p.look(ctx, s, args, nothing{})
	if err != nil {
		return err
	}
	if res.Opened == 0 {
		return p.verdict(res)
	}
	from, to := p.choose(g)
	cut := g.Cut(from, to)
	return p.write(func(w io.Writer) error { return writePaths(w, cut, p.most) })
}

// choose gives where attackers begin and what they are after.
func (p *paths) choose(g *graph.Graph) (from, to []bulwark.VertexID) {
	for _, v := range g.Vertices() {
		kind, _, _ := strings.Cut(string(v), ":")
		switch kind {
		case "internet", "workload":
			from = append(from, v)
		case "node", "cluster-admin", "cloud":
			to = append(to, v)
		}
	}
	return from, to
}

func writePaths(w io.Writer, c graph.Cut, most int) error {
	var b strings.Builder
	for i, p := range c.Paths {
		if i == most {
			fmt.Fprintf(&b, "... and %d more\n", len(c.Paths)-most)
			break
		}
		fmt.Fprintf(&b, "%.2f  %s -> %s\n", p.Likelihood, p.From(), p.To())
		for _, s := range p.Steps {
			fmt.Fprintf(&b, "      %s %s -> %s: %s\n", s.Type, s.From, s.To, s.Text)
		}
	}
	fmt.Fprintf(&b, "\n%d changes cut all %d (at least %d are needed):\n", len(c.Remedies), len(c.Paths), c.Bound)
	for i, r := range c.Remedies {
		fmt.Fprintf(&b, "  %d. %s (cuts %d)\n", i+1, r.Text, c.Removes[i])
	}
	for _, v := range c.Open {
		fmt.Fprintf(&b, "  nothing cuts %s\n", v)
	}
	_, err := io.WriteString(w, clean(b.String()))
	return err
}
