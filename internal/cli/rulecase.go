package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/secret"
	"bulwark/check/yara"
	"bulwark/internal/limit"
)

// suite is a file of rules of users while it is tried on its cases.
type suite struct {
	prefix    string // of the rules in findings
	rules     []string
	inspector bulwark.Inspector
	tests     map[string]*bulwark.RuleTest // by rule; "*" are all
}

// openSuite loads the rules. What cannot be taken is a failure of that rule.
func openSuite(file string) (*suite, error) {
	s := &suite{tests: map[string]*bulwark.RuleTest{}}
	if strings.EqualFold(filepath.Ext(file), ".toml") {
		set, err := secret.LoadRules(file)
		if err != nil {
			return nil, err
		}
		s.prefix, s.rules, s.inspector = "secret/", set.Names(), set.Inspector()
		for _, p := range set.Problems {
			s.refused(p.Rule, p.Line, p.Column, p.Text)
		}
		return s, nil
	}
	set, err := yara.Load(file)
	if err != nil {
		return nil, err
	}
	for _, r := range set.Rules() {
		s.rules = append(s.rules, r.Name)
	}
	s.prefix, s.inspector = "yara/", yara.New(yara.Options{Rules: set})
	for _, p := range set.Problems() {
		s.refused(p.Rule, p.Line, p.Column, p.Reason)
	}
	return s, nil
}

func (s *suite) refused(rule string, line, column int, why string) {
	s.fail(cmp.Or(rule, "*"), fmt.Sprintf("not taken: %d:%d: %s", line, column, why))
}

// of is the test of a rule, or of all.
func (s *suite) of(rule string) *bulwark.RuleTest {
	if rule == "*" && len(s.rules) == 1 {
		rule = s.rules[0]
	}
	if s.tests[rule] == nil {
		s.tests[rule] = &bulwark.RuleTest{Rule: s.prefix + rule, Failures: []string{}}
	}
	return s.tests[rule]
}

func (s *suite) fail(rule, why string) {
	t := s.of(rule)
	t.Failures = append(t.Failures, why)
}

// testFile tries the rules of a file on the cases that lie beside it.
func testFile(dir, name string) ([]bulwark.RuleTest, error) {
	s, err := openSuite(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	for _, r := range s.rules {
		s.of(r)
	}
	stem, _ := ownRuleFile(name)
	root := os.DirFS(filepath.Join(dir, filepath.FromSlash(stem)))
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == "." {
			return fs.SkipAll // no cases
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return s.one(root, name)
	})
	list := make([]bulwark.RuleTest, 0, len(s.tests))
	for _, t := range s.tests {
		list = append(list, *t)
	}
	return list, err
}

// one tries a case: "match/FILE", "RULE/miss/FILE".
func (s *suite) one(root fs.FS, name string) error {
	first, rest, _ := strings.Cut(name, "/")
	rule, kind, file := "*", first, rest
	if slices.Contains(s.rules, first) || kind != "match" && kind != "miss" {
		rule = first
		kind, file, _ = strings.Cut(rest, "/")
	}
	switch {
	case kind != "match" && kind != "miss" || file == "":
		s.fail("*", name+" lies in no folder called match or miss")
		return nil
	case rule != "*" && !slices.Contains(s.rules, rule):
		s.fail("*", fmt.Sprintf("%s: there is no rule %s that could be taken", name, rule))
		return nil
	}
	samples, err := samplesOf(root, name)
	if err != nil {
		s.fail(rule, err.Error())
		return nil
	}
	s.of(rule).Cases++
	for _, x := range samples {
		x.info.SetPath(strings.TrimSuffix(file, template))
		found, err := s.inspect(x)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !s.judge(rule, kind == "match", name, found) {
			break // told once, though a template is filled in several times
		}
	}
	return nil
}

// judge tells whether what was found is what the case wants.
func (s *suite) judge(rule string, want bool, name string, found []string) bool {
	for _, r := range found {
		if t := s.of(r); rule == "*" && want && t != s.of("*") {
			t.Cases = max(t.Cases, 1) // it is not without cases
		}
	}
	has := len(found) > 0
	if rule != "*" {
		has = slices.Contains(found, rule)
	}
	switch {
	case want && !has && len(found) > 0:
		s.fail(rule, name+": not found, though by "+strings.Join(found, ", "))
	case want && !has:
		s.fail(rule, name+": not found")
	case !want && has && rule == "*":
		s.fail(rule, name+": found by "+strings.Join(found, ", "))
	case !want && has:
		s.fail(rule, name+": found")
	}
	return has == want
}

const (
	template    = ".tmpl"
	mostOfCase  = 1 << 20 // of a template
	timesFilled = 3
)

// sample is the content of a case.
type sample struct {
	info bulwark.FileInfo
	open func() (io.ReadCloser, error)
}

// samplesOf gives a case as it is, or a template several times filled in.
func samplesOf(root fs.FS, name string) ([]sample, error) {
	st, err := fs.Stat(root, name)
	if err != nil {
		return nil, err
	}
	as := sample{bulwark.FileInfo{Mode: st.Mode(), Size: st.Size(), ModTime: st.ModTime()}, func() (io.ReadCloser, error) { return root.Open(name) }}
	if !strings.HasSuffix(name, template) {
		return []sample{as}, nil
	}
	r, err := as.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := limit.ReadAll(r, mostOfCase, name)
	if err != nil {
		return nil, err
	}
	var list []sample
	for seed := range uint64(timesFilled) {
		content, err := secret.Fill(string(text), seed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		as.info.Size = int64(len(content))
		as.open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }
		list = append(list, as)
	}
	return list, nil
}

// inspect names the rules that find something in a file.
func (s *suite) inspect(x sample) ([]string, error) {
	r, err := x.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sink := s.inspector.Begin(&x.info)
	if sink == nil {
		return nil, nil
	}
	if _, err := io.Copy(sink, r); err != nil && !errors.Is(err, bulwark.ErrSkip) {
		return nil, err
	}
	facts, err := sink.Close()
	var found []string
	for _, f := range facts.Findings {
		if rule, ok := strings.CutPrefix(f.Rule, s.prefix); ok && !slices.Contains(found, rule) {
			found = append(found, rule)
		}
	}
	return found, err
}
