package posture

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
)

// Cases are a family's folder of cases: a file "cases/<rule>.yaml" for each rule, of
// documents that it must and must not find. A line "# fail: why" or "# pass: why" begins a
// case, which reaches to the next; a case may have several documents, which are one target.
// "# fail cluster:" and "# pass cluster:" begin one that is taken as a live cluster.
type Cases struct{ fs.FS }

type testCase struct {
	fails   bool
	cluster bool
	why     string
	text    string
}

// parseCases reads a file of cases.
func parseCases(text string) ([]testCase, error) {
	var list []testCase
	for line := range strings.Lines(text) {
		head, why, ok := strings.Cut(strings.TrimSpace(line), ":")
		words := strings.Fields(head)
		if ok && len(words) >= 2 && len(words) <= 3 && words[0] == "#" && (words[1] == "fail" || words[1] == "pass") {
			list = append(list, testCase{fails: words[1] == "fail", cluster: len(words) == 3 && words[2] == "cluster", why: strings.TrimSpace(why)})
			continue
		}
		if len(list) > 0 {
			list[len(list)-1].text += line
		} else if t := strings.TrimSpace(line); t != "" && t != "---" && t[0] != '#' {
			return nil, fmt.Errorf("%w: a document before the first case", bulwark.ErrMalformed)
		}
	}
	return list, nil
}

// TestRules tries every rule on its cases: each has at least one that it must find and one
// that it must not.
func (f *Family) TestRules() ([]bulwark.RuleTest, error) {
	var list []bulwark.RuleTest
	for _, r := range f.List {
		list = append(list, f.test(r))
	}
	slices.SortFunc(list, func(a, b bulwark.RuleTest) int { return strings.Compare(a.Rule, b.Rule) })
	return list, nil
}

func (f *Family) test(r *Rule) bulwark.RuleTest {
	file := "cases/" + path.Base(r.ID) + ".yaml"
	res := bulwark.RuleTest{Rule: r.ID, File: file}
	data, err := fs.ReadFile(f.Cases, file)
	if err != nil {
		res.Failures = append(res.Failures, "it has no cases: "+err.Error())
		return res
	}
	cases, err := parseCases(string(data))
	if err != nil {
		res.Failures = append(res.Failures, err.Error())
	}
	fails, passes := 0, 0
	for _, c := range cases {
		res.Cases++
		if c.fails {
			fails++
		} else {
			passes++
		}
		if why := f.try(r, &c); why != "" {
			res.Failures = append(res.Failures, fmt.Sprintf("case %q: %s", c.why, why))
		}
	}
	if fails == 0 || passes == 0 {
		res.Failures = append(res.Failures, fmt.Sprintf("%d cases that must be found and %d that must not: at least one of each is needed", fails, passes))
	}
	return res
}

// try says what is wrong with the rule's answer to a case.
func (f *Family) try(r *Rule, c *testCase) string {
	s := &kube.Set{Engine: f.Engines}
	if c.cluster {
		s.Cluster = &kube.Cluster{Name: "case", Version: "v1.34.0"}
	}
	for _, d := range kube.ParseYAML([]byte(c.text)) {
		if d.Err != nil {
			return d.Err.Error()
		}
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "case.yaml"})
		if !ok {
			return fmt.Sprintf("the document of line %d is no object", d.Line)
		}
		o.Problems = d.Problems
		s.Objects = append(s.Objects, o)
	}
	if len(s.Objects) == 0 {
		return "there are no objects in it"
	}
	one := &Family{Name: f.Name, List: []*Rule{r}, Engines: f.Engines}
	var found []string
	err := one.Check(context.Background(), &bulwark.Target{Objects: s}, nil, func(rec bulwark.Record) {
		if rec.Finding != nil {
			found = append(found, rec.Finding.Subject+": "+strings.Join(rec.Finding.Evidence, "; "))
		}
	})
	switch {
	case err != nil:
		return err.Error()
	case c.fails && len(found) == 0:
		return "not found"
	case !c.fails && len(found) > 0:
		return "found, and must not be: " + found[0]
	}
	return ""
}
