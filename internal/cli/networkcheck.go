package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/all"
	"bulwark/check/intent"
	"bulwark/kube"
	"bulwark/network"
	"bulwark/report"
)

func (a *app) networkCheckCommand() *cobra.Command {
	formats := all.Formats()
	var allow string
	r := &reach{app: a}
	c := &cobra.Command{
		Use: "check TARGET... --allow FILE", Short: "Hold what policies let through against a contract of intended flows",
		Long: "Check reads the flows that are meant to be (docs/network.md says how they are written). Every connection beyond them is a\n" +
			"finding with the policy that lets it through, and so is every intended one that policies drop. What is found is reported as\n" +
			"scan reports it." + networkTargets,
		Example: "  bulwark network check deploy/ --allow flows.yaml\n  bulwark network check cluster --allow flows.yaml --fail-on medium -f sarif -o flows.sarif",
		Args:    cobra.MinimumNArgs(1), PreRunE: a.settle, ValidArgsFunction: completeTarget,
		RunE: func(c *cobra.Command, args []string) error { return r.check(c.Context(), args, allow, formats) },
	}
	f := c.Flags()
	f.StringVar(&allow, "allow", "", "`FILE` of intended flows")
	a.results(f, names(formats), "table")
	a.selection(f)
	r.targetFlags(f)
	return c
}

func (r *reach) check(ctx context.Context, args []string, allow string, formats []report.Format) error {
	if allow == "" {
		return usage("say --allow FILE: the flows that are meant to be")
	}
	contract, err := intent.Load(allow)
	if err != nil {
		return &exit{code: exitUsage, err: fmt.Errorf("--allow: %w", err)}
	}
	for _, target := range args {
		if kind, _ := prefixed(target); kind != "" && kind != "k8s" && kind != "dir" && kind != "cluster" && kind != "snapshot" {
			return usage("%s: workloads and policies are read from cluster, cluster:CONTEXT, snapshot:FILE, or a file or folder of manifests", target)
		}
	}
	r.noCache = true
	s, err := r.scanner(ctx)
	if err != nil {
		return err
	}
	if err := r.choose(s); err != nil {
		return err
	}
	s.Extractors, s.Inspectors, s.Resolvers, s.FindBase, s.Bases = nil, nil, nil, nil, nil
	s.Checks = []bulwark.Check{intent.New(contract), engineNotes{}}
	o := report.Options{Now: s.Now, Hygiene: r.hygiene, Verbose: r.verbose, Unasked: true}
	return r.run(ctx, s, args, formats, "table", o, nil)
}

// engineNotes tells what the answers about a target lack.
type engineNotes struct{}

// Info describes it.
func (engineNotes) Info() bulwark.Info {
	return bulwark.Info{Name: "network", Summary: "Tells what about policies could not be read."}
}

// Check emits a note for each problem of the engine.
func (engineNotes) Check(_ context.Context, t *bulwark.Target, _ *bulwark.Inventory, emit func(bulwark.Record)) error {
	s := kube.Of(t)
	if s == nil {
		return errors.New("there are no Kubernetes objects")
	}
	for _, text := range problems(network.Of(s), s) {
		emit(bulwark.Record{Note: &bulwark.Note{Plugin: "network", Text: text, Incomplete: true}})
	}
	return nil
}
