package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/framework"
	"bulwark/scan"
)

// frameworkFlags adds the flags that hold a run against frameworks.
func (o *options) frameworkFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.frameworks, "framework", nil, "hold what is found against `FRAMEWORKS`: "+strings.Join(framework.IDs(), " "))
	o.failUnderFlag(f)
}

func (o *options) failUnderFlag(f *pflag.FlagSet) {
	f.IntVar(&o.failUnder, "fail-under", 0, "exit 3 when the score of a framework is below `PERCENT`, or nothing of it could be judged")
}

// definitions are the frameworks that were asked for.
func (o *options) definitions() ([]*framework.Definition, error) {
	if o.failUnder < 0 || o.failUnder > 100 {
		return nil, usage("--fail-under %d: say a percentage", o.failUnder)
	}
	var list []*framework.Definition
	for _, id := range o.frameworks {
		d, err := framework.Named(id)
		if err != nil {
			return nil, usage("--framework: %w", err)
		}
		if !slices.Contains(list, d) {
			list = append(list, d)
		}
	}
	if o.failUnder > 0 && len(list) == 0 {
		return nil, usage("--fail-under is about --framework: name one")
	}
	return list, nil
}

// frameworksOf lets a scanner hold its targets against the frameworks that were asked for.
func (a *app) frameworksOf(s *scan.Scanner) error {
	list, err := a.definitions()
	if err != nil || len(list) == 0 {
		return err
	}
	var asked []bulwark.Plugin
	for _, c := range s.Checks {
		asked = append(asked, c)
	}
	for _, i := range s.Inspectors {
		asked = append(asked, i)
	}
	s.Frameworks = &judge{definitions: list, asked: asked, of: map[bulwark.AssetID]*held{}}
	return nil
}

// judge holds targets against frameworks. What was found in the images of a cluster is held
// against them together with what was found in the cluster.
type judge struct {
	definitions []*framework.Definition
	asked       []bulwark.Plugin
	order       []bulwark.AssetID
	of          map[bulwark.AssetID]*held
}

// held is what is known of one target.
type held struct {
	facts    framework.Facts
	findings []bulwark.Finding
}

var _ scan.Frameworks = (*judge)(nil)

// Target takes what was found of a target.
func (j *judge) Target(t *bulwark.Target, inv *bulwark.Inventory, findings []bulwark.Finding, notes []bulwark.Note) {
	facts := framework.FactsOf(t)
	facts.Documents(inv.Documents)
	facts.Ran(j.asked, notes)
	if of := j.of[t.Asset.Parent]; of != nil {
		of.facts.Part(&facts, t.Asset.Name, notes)
		of.findings = append(of.findings, findings...)
		return
	}
	j.order = append(j.order, t.Asset.ID)
	j.of[t.Asset.ID] = &held{facts, slices.Clone(findings)}
}

// Results holds all targets against all frameworks.
func (j *judge) Results() []bulwark.Framework {
	var out []bulwark.Framework
	for _, id := range j.order {
		for _, d := range j.definitions {
			out = append(out, framework.Evaluate(d, &j.of[id].facts, j.of[id].findings))
		}
	}
	return out
}

// below names a framework whose score is below --fail-under; "" when none is.
func (a *app) below(list []bulwark.Framework) string {
	if a.failUnder == 0 {
		return ""
	}
	for i := range list {
		f := &list[i]
		switch {
		case f.Score.Percent == nil:
			return fmt.Sprintf("nothing of %s %s could be judged", f.Title, f.Version)
		case *f.Score.Percent < a.failUnder:
			return fmt.Sprintf("the score of %s %s is %d %%, and --fail-under is %d", f.Title, f.Version, *f.Score.Percent, a.failUnder)
		}
	}
	return ""
}

// explainControl tells of a control as "cis:5.2.2", or of a framework as a whole.
func explainControl(w io.Writer, id string) (known bool, err error) {
	name, control, ok := strings.Cut(id, ":")
	d, err := framework.Named(name)
	if err != nil {
		return false, nil
	}
	if !ok || control == "" {
		return true, explainFramework(w, d)
	}
	c, section := d.Control(control)
	if c == nil {
		return true, &exit{code: exitFailed, err: fmt.Errorf("%s has no control %q: %w", d.ID, control, bulwark.ErrNotFound), hint: "bulwark explain " + d.ID + " lists them"}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s: %s\n%s, section %s\n\nWhy: %s.\n", d.Title, d.Version, c.ID, c.Title, d.ID+":"+c.ID, strings.TrimSpace(section.ID+" "+section.Title), c.Why)
	deciding(&b, c)
	if c.Hand != "" {
		fmt.Fprintf(&b, "\nBy hand: %s\n", c.Hand)
	}
	for _, ref := range d.Refs {
		fmt.Fprintf(&b, "\n%s\n", ref)
	}
	_, err = io.WriteString(w, b.String())
	return true, err
}

// deciding lists the rules that decide a control.
func deciding(b *strings.Builder, c *framework.Control) {
	var lines, others []string
	for _, r := range rulesOf(nil) {
		line := fmt.Sprintf("  %-40s %-8s %s", r.ID, r.Severity, r.Title)
		switch {
		case !c.Decides(&r):
		case c.Tells(&r):
			lines = append(lines, line)
		default:
			others = append(others, line)
		}
	}
	if len(lines) == 0 {
		lines = others
	}
	switch {
	case len(lines) == 0:
		fmt.Fprint(b, "\nNo rule decides it: a person does.\n")
		return
	case c.Manual:
		fmt.Fprint(b, "\nIt fails when these rules find something; when they do not, a person decides:\n")
	default:
		fmt.Fprint(b, "\nThese rules decide it:\n")
	}
	slices.Sort(lines)
	fmt.Fprintln(b, strings.Join(slices.Compact(lines), "\n"))
	if c.Only != "" {
		fmt.Fprintf(b, "Of what they and their family find, what has the tag %s counts.\n", c.Only)
	}
	if len(c.Needs) > 0 {
		fmt.Fprintf(b, "\nTheir silence counts where one of these was looked at: %s.\n", strings.Join(c.Wanted(), ", "))
	}
}

func explainFramework(w io.Writer, d *framework.Definition) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", d.Title, d.Version)
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(cmp.Or(s.Title, s.ID)))
		for _, c := range s.Controls {
			how := "rules"
			switch {
			case len(c.Rules) == 0 && c.Tag == "":
				how = "by hand"
			case c.Manual:
				how = "in part"
			}
			fmt.Fprintf(&b, "  %-28s %-8s %s\n", d.ID+":"+c.ID, how, c.Title)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
