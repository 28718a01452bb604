// Package vuln finds the packages that advisories say are vulnerable.
//
// There is one finding for each vulnerability and package URL. Two records are the
// same vulnerability only when they name each other: see merge. The query, and not the
// package, is what is matched: binary packages of one source share the answer.
package vuln

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"bulwark"
	"bulwark/advisory"
)

const name = "check/vuln"

// Options of the check. The zero value works.
type Options struct {
	// Now is the clock; without it the age of the data is not judged.
	Now time.Time
}

// advisories is what the check needs of the database.
type advisories interface {
	Info() bulwark.Advisories
	Has(ecosystem string) bool
	Match([]advisory.Hit, advisory.Query) ([]advisory.Hit, error)
	ByCVE(cve string) (bulwark.Severity, *bulwark.CVSS)
	KEV(cve string) (advisory.KEV, bool)
	EPSS(cve string) (bulwark.EPSS, bool)
}

var (
	_ bulwark.Check = (*Check)(nil)
	_ bulwark.Ruler = (*Check)(nil)
	_ advisories    = (*advisory.DB)(nil)
)

// Check matches packages against advisories.
type Check struct {
	db advisories // nil: there is none
	o  Options
}

// New returns the check. Without a database (nil) it finds nothing and says so. What it
// emits holds nothing of db, which may be closed afterwards.
func New(db *advisory.DB, o Options) *Check {
	if db == nil {
		return &Check{o: o}
	}
	return &Check{db: db, o: o}
}

// Info describes the check.
func (*Check) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "Packages with known vulnerabilities, from OSV advisories.", Version: 1}
}

// Rules has one rule for all advisories: each is named by its record, which bulwark
// explain shows.
func (*Check) Rules() []bulwark.Rule {
	return []bulwark.Rule{{ID: "vuln/*", Severity: bulwark.SeverityCritical, Title: "A package with a known vulnerability",
		Reason: "An advisory covers the installed version: what it describes can be done to whoever uses the package as it says. The severity is the distribution's own rating, else the " +
			"advisory's CVSS score, else that of the same CVE elsewhere, else unknown.",
		FalsePositives: "The vulnerable part is not used or not built in, or the distribution rates it as no problem: an exception or VEX statement says so."}}
}

// Check emits a finding for each vulnerability and package URL, and notes on what could
// not be judged.
func (c *Check) Check(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	if c.db == nil {
		emit(bulwark.Record{Note: &bulwark.Note{Plugin: name, Incomplete: true,
			Text: "there is no advisory database, so no package was checked for vulnerabilities; run: bulwark db update"}})
		return nil
	}
	plan := c.plan(t, inv)
	for _, n := range slices.Concat(plan.notes, c.age()) {
		emit(bulwark.Record{Note: &n})
	}
	answers, err := c.ask(ctx, plan.questions)
	if err != nil {
		return err
	}
	r := renderer{use: use{target: t}}
	for i := range plan.subjects {
		s := &plan.subjects[i]
		if problems := answers[s.question]; len(problems) > 0 {
			s.settle()
			r.render(s, problems, emit)
		}
	}
	return nil
}

// ask answers every question, several at once.
func (c *Check) ask(ctx context.Context, questions []question) ([][]problem, error) {
	answers := make([][]problem, len(questions))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), len(questions)/32+1) {
		g.Go(func() error {
			a := answerer{db: c.db}
			for {
				i := int(next.Add(1)) - 1
				if i >= len(questions) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				var err error
				if answers[i], err = a.answer(&questions[i]); err != nil {
					return err
				}
			}
		})
	}
	return answers, g.Wait()
}
