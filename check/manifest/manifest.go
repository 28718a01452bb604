// Package manifest judges how manifests are written: documents that cannot be read, and
// fields that do not say what they seem to.
package manifest

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

//go:embed cases
var cases embed.FS

// Check finds what the family does, and documents that could not be read, which are no
// objects.
type Check struct{ *posture.Family }

var (
	_ bulwark.Check      = (*Check)(nil)
	_ bulwark.Ruler      = (*Check)(nil)
	_ bulwark.RuleTester = (*Check)(nil)
)

// New returns the check.
func New() *Check {
	return &Check{&posture.Family{
		Name: "check/manifest", Summary: "Manifests: documents that cannot be read, keys that are given twice, fields that do not exist.", Version: 1,
		List: rules, Cases: posture.Cases{FS: cases},
	}}
}

// WithHygiene leaves the rules of what is merely untidy out, unless they are wanted.
func (c *Check) WithHygiene(wanted bool) *Check {
	return &Check{c.Family.WithHygiene(wanted)}
}

var broken = &misconfig.Rule{
	ID: "manifest/broken", Severity: bulwark.SeverityMedium, Title: "A document of a manifest cannot be read",
	Fix:   "mend the document where the line says; a template belongs where no tool takes it for a manifest",
	Why:   "nothing in it was checked, and another parser may read it all the same: what it declares then runs unseen",
	Noise: "a template for another tool with the fields of a manifest; exclude it with --exclude",
	Refs:  []string{"https://kubernetes.io/docs/concepts/overview/working-with-objects/"},
}

// Rules lists what is looked for.
func (c *Check) Rules() []bulwark.Rule {
	list := []*misconfig.Rule{broken}
	for _, r := range c.List {
		list = append(list, &r.Rule)
	}
	return misconfig.List(list)
}

// Check emits what is wrong with the documents and objects of the target.
func (c *Check) Check(ctx context.Context, t *bulwark.Target, inv *bulwark.Inventory, emit func(bulwark.Record)) error {
	s := kube.Of(t)
	if s == nil {
		return nil
	}
	seen := map[string]int{}
	for _, b := range s.Broken {
		if seen[b.File]++; seen[b.File] <= mostBroken {
			emit(bulwark.Record{Finding: finding(&b, seen[b.File])})
		}
	}
	if n := len(s.Broken); n > 0 {
		emit(bulwark.Record{Note: &bulwark.Note{Plugin: c.Name, Text: unread(n), Incomplete: true}})
	}
	for file, n := range seen {
		if more := n - mostBroken; more > 0 {
			emit(bulwark.Record{Note: &bulwark.Note{Plugin: c.Name, Path: file, Text: fmt.Sprintf("%d more documents of this file cannot be read", more), Incomplete: true}})
		}
	}
	return c.Family.Check(ctx, t, inv, emit)
}

// unread says that what is found is not all.
func unread(n int) string {
	if n == 1 {
		return "a document could not be read, and nothing in it was checked: see manifest/broken"
	}
	return fmt.Sprintf("%d documents could not be read, and nothing in them was checked: see manifest/broken", n)
}

// mostBroken is how many broken documents of a file are findings of their own.
const mostBroken = 500

// finding is that of one document, the nth broken one of its file. The key has no line: where it stands changes with every
// edit above it; which of the file's broken documents it is does not.
func finding(b *kube.Broken, n int) *bulwark.Finding {
	subject := b.File
	if n > 1 {
		subject = fmt.Sprintf("%s#%d", b.File, n)
	}
	f := broken.Finding(subject, b.File, b.Err.Error())
	f.Path, f.Line = b.File, b.Line
	f.Places = []bulwark.Place{{Path: b.File, Line: b.Line}}
	return f
}

// TestRules tries the rules on their cases.
func (c *Check) TestRules() ([]bulwark.RuleTest, error) {
	list, err := c.Family.TestRules()
	return append([]bulwark.RuleTest{c.testBroken()}, list...), err
}

// testBroken tries the rule whose cases are no objects. Each file has one document: those
// that end in .txt must be found, as nothing else could read them.
func (c *Check) testBroken() bulwark.RuleTest {
	res := bulwark.RuleTest{Rule: broken.ID, File: "cases/broken"}
	entries, err := fs.ReadDir(cases, "cases/broken")
	if err != nil {
		res.Failures = append(res.Failures, err.Error())
	}
	for _, e := range entries {
		data, err := fs.ReadFile(cases, "cases/broken/"+e.Name())
		if err != nil {
			res.Failures = append(res.Failures, err.Error())
			continue
		}
		res.Cases++
		found := 0
		for _, d := range kube.ParseYAML(data) {
			if d.Err != nil {
				found++
			}
		}
		if want := strings.HasPrefix(e.Name(), "fail-"); want != (found == 1) || found > 1 {
			res.Failures = append(res.Failures, fmt.Sprintf("%s: %d documents are broken", e.Name(), found))
		}
	}
	return res
}
