package policy

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/kube"
	"bulwark/policy/admission"
)

// Cases of a file of policies, policy.yaml, lie beside it: in folders policy/fail and
// policy/pass, where every file is one, or in policy.cases.yaml, where a line
// "# fail: why" or "# pass: why" begins one. A case is a target: at least one policy of the
// file must have something against it, or none. "# fail NAME: why" and the folders
// policy/NAME/fail and policy/NAME/pass are about one of several policies.
type testCase struct {
	name   string
	policy string // "" for all
	fails  bool
	text   []byte
}

const (
	maxCase  = 4 << 20
	maxCases = 5000
)

// TestFile tries the policies of a file on their cases.
func TestFile(root fs.FS, file string) ([]bulwark.RuleTest, error) {
	data, err := read(root, file)
	if err != nil {
		return nil, err
	}
	set, err := admission.Parse(file, data)
	if err != nil {
		return nil, err
	}
	s := suite{set: set, tests: map[string]*bulwark.RuleTest{}, file: file}
	for _, p := range set.Policies {
		s.of(p.Name)
	}
	for _, p := range set.Problems {
		s.of(cmp.Or(p.Policy, path.Base(file))).Failures = append(s.of(cmp.Or(p.Policy, path.Base(file))).Failures, fmt.Sprintf("not taken: %d:%d: %s", p.Line, p.Column, p.Text))
	}
	cases, err := casesOf(root, strings.TrimSuffix(file, path.Ext(file)))
	if err != nil {
		return nil, err
	}
	for i := range cases {
		s.try(&cases[i])
	}
	var list []bulwark.RuleTest
	for _, t := range s.tests {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b bulwark.RuleTest) int { return cmp.Compare(a.Rule, b.Rule) })
	return list, nil
}

func read(root fs.FS, file string) ([]byte, error) {
	f, err := root.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limit.ReadAll(f, maxCase, file)
}

// casesOf gathers the cases of both layouts.
func casesOf(root fs.FS, stem string) (list []testCase, err error) {
	if data, err := read(root, stem+".cases.yaml"); err == nil {
		list = parseCases(string(data))
	}
	if st, err := fs.Stat(root, stem); err != nil || !st.IsDir() {
		return list, nil
	}
	err = fs.WalkDir(root, stem, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		c, ok := caseOf(strings.TrimPrefix(file, stem+"/"))
		if !ok {
			return nil
		}
		if len(list) >= maxCases {
			return fmt.Errorf("%s: more than %d cases: %w", stem, maxCases, bulwark.ErrLimit)
		}
		if c.text, err = read(root, file); err != nil {
			return err
		}
		list = append(list, c)
		return nil
	})
	return list, err
}

// caseOf tells by its path what a case is: "fail/FILE", "NAME/pass/FILE"; match and miss are
// other words for fail and pass.
func caseOf(file string) (testCase, bool) {
	c := testCase{name: file}
	first, rest, _ := strings.Cut(file, "/")
	if !slices.Contains([]string{"fail", "pass", "match", "miss"}, first) {
		c.policy = first
		first, rest, _ = strings.Cut(rest, "/")
	}
	c.fails = first == "fail" || first == "match"
	return c, rest != "" && (c.fails || first == "pass" || first == "miss")
}

// parseCases divides a file at the lines that begin a case.
func parseCases(text string) []testCase {
	var list []testCase
	for line := range strings.Lines(text) {
		before, why, ok := strings.Cut(strings.TrimSpace(line), ":")
		words := strings.Fields(before)
		if ok && len(words) >= 2 && len(words) <= 3 && words[0] == "#" && (words[1] == "fail" || words[1] == "pass") && len(list) < maxCases {
			c := testCase{name: fmt.Sprintf("case %q", strings.TrimSpace(why)), fails: words[1] == "fail"}
			if len(words) == 3 {
				c.policy = words[2]
			}
			list = append(list, c)
			continue
		}
		if n := len(list); n > 0 {
			list[n-1].text = append(list[n-1].text, line...)
		}
	}
	return list
}

// suite is the policies of a file while they are tried.
type suite struct {
	set   *admission.Set
	file  string
	tests map[string]*bulwark.RuleTest
}

func (s *suite) of(policy string) *bulwark.RuleTest {
	if s.tests[policy] == nil {
		s.tests[policy] = &bulwark.RuleTest{Rule: ID(policy), File: s.file, Failures: []string{}}
	}
	return s.tests[policy]
}

// try tries a case. One that is about all policies counts for each that it is right about.
func (s *suite) try(c *testCase) {
	found, err := s.find(c)
	if c.policy != "" && s.set.Named(c.policy) == nil {
		err = fmt.Errorf("there is no policy %s that could be taken", c.policy)
	}
	broken := 0
	for _, p := range s.set.Policies {
		if c.policy != "" && c.policy != p.Name {
			continue
		}
		t := s.of(p.Name)
		if len(found[p.Name]) > 0 {
			broken++
		}
		switch {
		case err != nil:
			t.Cases++
			t.Failures = append(t.Failures, c.name+": "+err.Error())
		case !c.fails:
			t.Cases++
			if len(found[p.Name]) > 0 {
				t.Failures = append(t.Failures, c.name+": found, and must not be: "+found[p.Name][0])
			}
		case len(found[p.Name]) > 0:
			t.Cases++
		}
	}
	if err == nil && c.fails && broken == 0 {
		t := s.of(cmp.Or(c.policy, s.first()))
		t.Cases++
		t.Failures = append(t.Failures, c.name+": not found")
	}
}

// first is the policy that is blamed for what none has found.
func (s *suite) first() string {
	if len(s.set.Policies) == 1 {
		return s.set.Policies[0].Name
	}
	return path.Base(s.file)
}

// find gives what each policy has against a case.
func (s *suite) find(c *testCase) (map[string][]string, error) {
	objects := &kube.Set{}
	for _, d := range kube.ParseYAML(c.text) {
		if d.Err != nil {
			return nil, d.Err
		}
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "case.yaml"})
		if !ok {
			return nil, fmt.Errorf("the document of line %d is no object", d.Line)
		}
		objects.Objects = append(objects.Objects, o)
	}
	if len(objects.Objects) == 0 {
		return nil, fmt.Errorf("there are no objects in it: %w", bulwark.ErrMalformed)
	}
	found := map[string][]string{}
	check := &Check{Policies: s.set, Here: true}
	err := check.Check(context.Background(), &bulwark.Target{Objects: objects}, nil, func(r bulwark.Record) {
		if f := r.Finding; f != nil {
			policy := strings.TrimPrefix(f.Rule, "policy/")
			found[policy] = append(found[policy], f.Subject+": "+strings.Join(f.Evidence, "; "))
		}
	})
	return found, err
}
