package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/scan"
	"bulwark/source/cluster"
)

func (a *app) fixCommand() *cobra.Command {
	write := false
	c := &cobra.Command{
		Use: "fix TARGET", Short: "Print, or write, the patches that findings carry",
		Long: "Fix looks at the files of a folder, or at one file, as scan does, and prints what to change as one diff:\n" +
			"for `git apply` or `patch -p1`, or let --write do it. Comments and the order of keys stay; what it is not\n" +
			"sure of it leaves, and tells on stderr. Patches that touch the same lines are made one after the other.\n" +
			"With --online, registries are asked for the digests of base images, and FROM is pinned.\n" +
			"For a cluster or a snapshot of one it prints the commands of kubectl that make the changes, and makes none.\n" +
			"Where a command would undo the one before, the API server refuses it: run fix again for what is left.",
		Example: "  bulwark fix .\n  bulwark fix deploy/ --write\n  bulwark fix pod.yaml --severity critical,high\n  bulwark fix . --online | git apply\n" +
			"  bulwark fix cluster -o changes.sh",
		Args: cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return a.fix(c.Context(), args[0], write) },
	}
	f := c.Flags()
	f.BoolVar(&write, "write", false, "change the files instead of printing the diff")
	f.StringVarP(&a.output, "output", "o", "", "write the diff to `FILE` instead of stdout")
	a.selection(f)
	a.database(f)
	a.indexes(f)
	a.inside(f)
	a.cluster.add(f)
	a.targets(f)
	a.chartFlags(f)
	a.common(f)
	return c
}

// mostRounds is how often patches are made and looked at anew: most are made in three.
const mostRounds = 40

// fix collects the patches of a target's findings.
func (a *app) fix(ctx context.Context, ref string, write bool) error {
	if len(a.only) == 0 {
		a.only = []string{bulwark.KindMisconfig, bulwark.KindExposure} // what has patches
	}
	hygiene := a.hygiene
	a.hygiene = hygiene || a.online // for what pins images
	s, db, err := a.prepare(ctx)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	if isCluster(ref) || cluster.IsSnapshot(ref) {
		return a.fixLive(ctx, s, ref, write)
	}
	m, err := newMender(ref)
	if err != nil {
		return &exit{code: exitFailed, err: fmt.Errorf("fixing %s: only files and folders can be changed: %w", ref, err)}
	}
	defer m.close()
	m.keep = func(f *bulwark.Finding) bool {
		return f.Exception == nil && (hygiene || !slices.Contains(f.Tags, "hygiene") || pins(f))
	}
	res, err := a.mend(ctx, s, m)
	if err != nil {
		return err
	}
	if res.Opened == 0 {
		return a.verdict(res)
	}
	for _, err := range m.left {
		fmt.Fprintf(a.err, "bulwark: left out: %s\n", clean(err.Error()))
	}
	if !a.quiet {
		a.unpatched(m, len(m.texts) > 0)
	}
	if write {
		return a.change(m)
	}
	return a.write(func(w io.Writer) error { return printDiffs(w, m) })
}

// mend makes patches in the copy until no finding has one that can be made.
func (a *app) mend(ctx context.Context, s *scan.Scanner, m *mender) (*scan.Result, error) {
	for range mostRounds {
		res, err := a.lookAt(ctx, s, m)
		if err != nil || res.Opened == 0 {
			return res, err
		}
		m.found = slices.DeleteFunc(slices.Clone(res.Findings), func(f bulwark.Finding) bool { return !m.keep(&f) })
		done, err := m.round()
		if err != nil || done {
			return res, err
		}
	}
	return a.lookAt(ctx, s, m)
}

// lookAt scans the folder, or its copy once there is one, as what the user named.
func (a *app) lookAt(ctx context.Context, s *scan.Scanner, m *mender) (*scan.Result, error) {
	open := func(ctx context.Context) (*bulwark.Target, error) {
		t, err := a.target(ctx, "dir:"+m.folder())
		if err == nil {
			t.Asset.ID, t.Asset.Name = bulwark.AssetID("dir:"+m.named), m.named
		}
		return t, err
	}
	if a.interactive() && !a.quiet {
		p := a.watch()
		defer p.close()
		s.Progress = p
	}
	jobs, err := a.jobs([]string{"dir:" + m.named})
	if err != nil {
		return nil, err
	}
	jobs[0].Open = open
	return s.Scan(ctx, jobs, nothing{})
}

// pins tells whether the patch of a finding adds the digest of an image.
func pins(f *bulwark.Finding) bool {
	switch f.Rule {
	case "dockerfile/image-not-pinned", "dockerfile/copy-from-not-pinned", "compose/unpinned-image":
		return f.Fix != nil && f.Fix.Patch != nil
	}
	return false
}

// unpatched says what is left as it is, and why; changes tells whether anything is not.
func (a *app) unpatched(m *mender, changes bool) {
	without := 0
	for _, f := range m.found {
		switch {
		case f.Fix != nil && f.Fix.Patch != nil && f.Fix.Patch.Format != "unified-diff":
			fmt.Fprintf(a.err, "bulwark: for %s, %s: this %s patch is yours to add: %s\n", clean(f.Fix.Patch.File), f.Rule, f.Fix.Patch.Format, clean(f.Fix.Patch.Text))
		case f.Fix != nil && f.Fix.Patch != nil:
			continue
		case f.Fix != nil && strings.Contains(f.Fix.Text, "no automatic patch"):
			fmt.Fprintf(a.err, "bulwark: no patch for %s:%d, %s: %s\n", clean(f.Path), f.Line, f.Rule, clean(f.Fix.Text))
		}
		without++
	}
	switch {
	case len(m.found) == 0 && !changes:
		fmt.Fprintln(a.err, "bulwark: nothing was found, so there is nothing to change")
	case without == 1:
		fmt.Fprintln(a.err, "bulwark: 1 finding has no patch; bulwark scan tells what to do")
	case without > 1:
		fmt.Fprintf(a.err, "bulwark: %d findings have no patch; bulwark scan tells what to do\n", without)
	}
}

// nothing takes a run and writes nothing.
type nothing struct{}

func (nothing) Handle(bulwark.Record) error { return nil }
