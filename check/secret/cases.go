package secret

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"slices"
	"time"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

var _ bulwark.RuleTester = (*Check)(nil)

// fills is how often each template is filled in anew.
const fills = 3

// TestRules tries the built-in rules on their own cases.
func (*Check) TestRules() ([]bulwark.RuleTest, error) {
	dir, err := fs.Sub(files, "rules")
	if err != nil {
		return nil, err
	}
	list, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	return TestRules(dir, list)
}

// TestRules tries rules in files as the built-in ones are written, each on its own cases,
// in the company of the built-in ones. A file that holds no rule is a failure of its own.
func TestRules(dir fs.FS, names []string) ([]bulwark.RuleTest, error) {
	rules, err := builtin()
	if err != nil {
		return nil, err
	}
	var tests []bulwark.RuleTest
	own := map[string]*rule.Rule{}
	for _, name := range names {
		r, err := loadCased(dir, name)
		if err != nil {
			tests = append(tests, bulwark.RuleTest{Rule: family + "?", File: name, Failures: []string{err.Error()}})
			continue
		}
		rules = append(slices.DeleteFunc(rules, func(old *rule.Rule) bool { return old.ID == r.ID }), r)
		own[name] = r
	}
	e := build(rules, time.Time{})
	i := &Inspector{engine: func() (*engine, error) { return e, nil }}
	for name, r := range own {
		test := i.try(r)
		test.File = name
		tests = append(tests, test)
	}
	slices.SortFunc(tests, func(a, b bulwark.RuleTest) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.File, b.File))
	})
	return tests, nil
}

func loadCased(dir fs.FS, name string) (*rule.Rule, error) {
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, err
	}
	return rule.Load(data)
}

// try runs the cases of a rule.
func (i *Inspector) try(r *rule.Rule) bulwark.RuleTest {
	test := bulwark.RuleTest{Rule: family + r.ID, Failures: []string{}}
	if len(r.Cases.Match) == 0 {
		test.Failures = append(test.Failures, "no case that it must find")
	}
	one := func(kind string, n int, template string, want bool) {
		test.Cases++
		for k := range uint64(fills) {
			found, err := i.findIn(cmp.Or(r.Cases.Path, "srv/app.env"), template, seedOf(r.ID, kind, n)+k)
			if err == nil && slices.Contains(found, test.Rule) != want {
				err = fmt.Errorf("found by %q", found)
			}
			if err != nil {
				test.Failures = append(test.Failures, fmt.Sprintf("case %d of %s: %v", n+1, kind, err))
				return
			}
		}
	}
	for n, template := range r.Cases.Match {
		one("match", n, template, true)
	}
	for n, template := range r.Cases.Miss {
		one("miss", n, template, false)
	}
	return test
}

// seedOf makes every case draw values of its own, the same in every run.
func seedOf(id, kind string, n int) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, id, kind, n)
	return h.Sum64()
}

// findIn names the rules that find something in a file of that content.
func (i *Inspector) findIn(path, template string, seed uint64) ([]string, error) {
	text, err := Fill(template, seed)
	if err != nil {
		return nil, err
	}
	if text == "" {
		text = "x" // a rule about paths alone needs a file, whatever it holds
	}
	info := bulwark.FileInfo{Size: int64(len(text))}
	info.SetPath(path)
	sink := i.Begin(&info)
	for piece := range slices.Chunk([]byte(text), 4096) {
		if _, err := sink.Write(bytes.Clone(piece)); err != nil {
			break
		}
	}
	facts, err := sink.Close()
	var rules []string
	for _, f := range facts.Findings {
		rules = append(rules, f.Rule)
	}
	return rules, err
}

// Fill makes a text of a template, so that no file has to hold what looks like a secret:
// "ghp_{{base62 30}}{{crc32 base62 6}}". The same seed gives the same text, but for
// keys in PEM. An error wraps [bulwark.ErrMalformed].
func Fill(template string, seed uint64) (string, error) {
	return rule.Fill(template, rand.New(rand.NewPCG(seed, 7)))
}
