package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bulwark/all"
	"bulwark/report"
)

func (a *app) sbomCommand() *cobra.Command {
	formats := slices.DeleteFunc(all.Formats(), func(f report.Format) bool { return !f.Inventory })
	c := &cobra.Command{
		Use: "sbom TARGET", Short: "What is in a target, and nothing about what is wrong with it",
		Args: cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return a.sbom(c.Context(), args, formats) },
	}
	f := c.Flags()
	a.results(f, names(formats), "cyclonedx")
	a.selection(f)
	a.database(f)
	f.VisitAll(func(one *pflag.Flag) { // taken, as by every command with a report, but findings are none of its matter
		one.Hidden = !slices.Contains([]string{"format", "output", "require-complete"}, one.Name)
	})
	a.targets(f)
	a.common(f)
	return c
}

// sbom lists what is in a target.
func (a *app) sbom(ctx context.Context, args []string, formats []report.Format) error {
	s, err := a.scanner(ctx)
	if err != nil {
		return err
	}
	return a.run(ctx, s, args, formats, "cyclonedx", report.Options{Now: s.Now, Inventory: true}, nil)
}
