package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"bulwark/source/cluster"
)

func (a *app) snapshotCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "snapshot cluster", Short: "Save what a scan of a cluster sees, to scan it elsewhere",
		Long: "Snapshot writes what a scan of the cluster sees to a file; \"bulwark scan snapshot:FILE\" then finds what\n" +
			"\"bulwark scan cluster\" would, without the cluster.\n\n" +
			"The file holds no value of a Secret: without --read-secrets none is read, with it the file has keyed hashes, names\n" +
			"of keys and what certificates say. Passwords and tokens in variables, arguments, annotations and ConfigMaps are masked.",
		Example: "  bulwark snapshot cluster -o prod.snap\n  bulwark snapshot cluster:staging -o staging.snap --namespaces web,shop\n  bulwark scan snapshot:prod.snap",
		Args:    cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return a.snapshot(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVarP(&a.output, "output", "o", "", "write to `FILE`; - is stdout")
	f.BoolVar(&a.complete, "require-complete", false, "exit 4 when something could not be looked at")
	a.cluster.add(f)
	a.common(f)
	return c
}

func (a *app) snapshot(ctx context.Context, target string) error {
	kind, rest := prefixed(target)
	if target != "cluster" && kind != "cluster" {
		return usage("%s: a snapshot is taken of cluster, or of cluster:CONTEXT", target)
	}
	if a.output == "" {
		return usage("say where to: -o FILE (- is stdout)")
	}
	if kind == "" {
		rest = ""
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	taken, err := a.save(ctx, rest)
	if err != nil {
		return err
	}
	return a.saved(taken)
}

// save writes the snapshot beside its place and moves it there when it is whole.
func (a *app) save(ctx context.Context, ref string) (*cluster.Taken, error) {
	if a.output == "-" {
		return a.clusters().Save(ctx, ref, a.out)
	}
	p, err := create(a.output)
	if err != nil {
		return nil, err
	}
	taken, err := a.clusters().Save(ctx, ref, p)
	if err != nil {
		p.discard()
		return nil, err
	}
	if p.direct {
		return taken, p.commit()
	}
	// Whoever reads it knows the cluster: it stays its maker's own.
	if err := errors.Join(p.Close(), os.Rename(p.Name(), a.output)); err != nil {
		p.discard()
		return nil, fmt.Errorf("writing %s: %w", a.output, err)
	}
	return taken, nil
}

// saved tells what the snapshot has, and what it has not.
func (a *app) saved(t *cluster.Taken) error {
	incomplete := false
	for _, n := range t.Notes {
		incomplete = incomplete || n.Incomplete
		if !a.quiet {
			fmt.Fprintf(a.err, "bulwark: note: %s\n", clean(n.Text))
		}
	}
	if !a.quiet {
		fmt.Fprintf(a.err, "bulwark: note: %d objects of %s (%s) are in %s\n", t.Objects, clean(t.Cluster), clean(t.Version), clean(a.output))
	}
	if incomplete && a.complete {
		return &exit{code: exitIncomplete}
	}
	return nil
}
