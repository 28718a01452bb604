package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/advisory"
	"bulwark/all"
	"bulwark/report"
	"bulwark/report/diff"
	"bulwark/report/json"
	"bulwark/scan"
)

func (a *app) convertCommand() *cobra.Command {
	formats := all.Formats()
	c := &cobra.Command{
		Use: "convert REPORT", Short: "Write a saved report (json or jsonl) in another format",
		Args: cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error { return a.convert(args[0], formats) },
	}
	f := c.Flags()
	a.results(f, names(formats), "table")
	a.selection(f)
	a.failUnderFlag(f)
	a.database(f)
	a.common(f)
	return c
}

func (a *app) convert(name string, formats []report.Format) (err error) {
	r, err := a.readSaved(name)
	if err != nil {
		return err
	}
	a.hygiene = true // what was reported stays, unless a flag says otherwise
	o := report.Options{Verbose: a.verbose, Hygiene: true}
	if a.now != "" {
		if o.Now, err = a.clock(); err != nil {
			return err
		}
	}
	if db, err := advisory.Open(a.dbFile()); err == nil { // it only adds to what some formats say
		defer db.Close()
		o.Lookup = lookup(db)
	}
	if err := a.judge(r); err != nil {
		return err
	}
	out, err := a.open(formats, "table", o)
	if err != nil {
		return err
	}
	if err := out.close(r.Replay(out)); err != nil {
		return err
	}
	return a.verdict(&scan.Result{Opened: 1, Summary: r.Summary, Findings: r.Findings, Frameworks: r.Frameworks})
}

// judge applies policies and the choice of findings to a saved report.
func (a *app) judge(r *bulwark.Report) error {
	now, err := a.clock()
	if err != nil {
		return err
	}
	s := &scan.Scanner{Now: now}
	if err := a.choose(s); err != nil {
		return err
	}
	assets := map[bulwark.AssetID]*bulwark.Asset{}
	for i := range r.Assets {
		assets[r.Assets[i].ID] = &r.Assets[i]
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		asset := assets[f.Asset]
		if asset == nil {
			asset = &bulwark.Asset{ID: f.Asset}
		}
		for _, p := range s.Policies {
			p.Apply(asset, f)
		}
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f bulwark.Finding) bool { return !s.Keep(&f) })
	r.Notes = append(r.Notes, s.Notes...)
	r.Summarize()
	return nil
}

// readSaved reads a saved report from a file, or from standard input for "-".
func (a *app) readSaved(name string) (*bulwark.Report, error) {
	if name == "-" {
		return json.Read(a.in)
	}
	return readReport(name)
}

func readReport(name string) (*bulwark.Report, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("report %s: %w", name, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := json.Read(f)
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", name, err)
	}
	return r, nil
}

// isReport tells whether a file starts as a saved report does.
func isReport(name string) bool {
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head, _ := bufio.NewReaderSize(io.LimitReader(f, 4096), 4096).Peek(4096) // what is there is enough
	head = bytes.TrimSpace(head)
	return bytes.HasPrefix(head, []byte("{")) && (bytes.Contains(head, []byte(`bulwark/report/`)) || bytes.HasPrefix(head, []byte(`{"run":`)))
}

func (a *app) diffCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "diff A B", Short: "What changed between two targets or saved reports: packages, findings gained and lost",
		Example: "  bulwark diff shop:1.4 shop:1.5\n  bulwark diff monday.json cluster\n  bulwark diff snapshot:monday.snap snapshot:friday.snap",
		Args:    cobra.ExactArgs(2), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return a.diff(c.Context(), args[0], args[1]) },
	}
	f := c.Flags()
	a.results(f, diff.Formats(), diff.Formats()[0])
	a.selection(f)
	a.database(f)
	a.indexes(f)
	a.cluster.add(f)
	a.targets(f)
	a.chartFlags(f)
	a.common(f)
	return c
}

func (a *app) diff(ctx context.Context, before, after string) error {
	format := diff.Formats()[0]
	if len(a.formats) > 0 {
		format = a.formats[0]
	}
	if len(a.formats) > 1 || !slices.Contains(diff.Formats(), format) {
		return usage("diff writes one of the formats %s", strings.Join(diff.Formats(), " "))
	}
	var reports [2]*bulwark.Report
	for i, name := range []string{before, after} {
		r, err := a.reportOf(ctx, name)
		if err != nil {
			return err
		}
		reports[i] = r
	}
	d := diff.Compute(reports[0], reports[1])
	now, err := a.clock()
	if err != nil {
		return err
	}
	o := a.suited(report.Options{Now: now, Verbose: a.verbose}, a.output)
	if err := a.write(func(w io.Writer) error { return d.Write(w, format, o) }); err != nil {
		return err
	}
	for _, f := range d.Gained {
		if a.fails(f) {
			return &exit{code: exitFindings}
		}
	}
	return nil
}

// reportOf reads a saved report, or scans what is none.
func (a *app) reportOf(ctx context.Context, name string) (*bulwark.Report, error) {
	if isReport(name) {
		return readReport(name)
	}
	s, db, err := a.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if db != nil {
		defer db.Close()
	}
	var r bulwark.Report
	res, err := a.look(ctx, s, []string{name}, &r)
	if err != nil {
		return nil, err
	}
	return &r, errors.Join(res.Failed...)
}
