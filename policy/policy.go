// Package policy decides which findings do not count: exceptions that people wrote
// down, and statements on exploitability (VEX) that suppliers publish.
package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/kube"
	"bulwark/policy/exception"
	"bulwark/policy/internal/rule"
	"bulwark/policy/vex"
)

const (
	// maxFile bounds a policy file, in bytes; CSAF documents of distributions are large.
	maxFile = 32 << 20
	// maxValues bounds how many values it may hold, which is what memory goes to: an
	// empty object takes three bytes of the file.
	maxValues = 400_000
	// maxText bounds a list that people write.
	maxText = 2 << 20
)

// Set is the policy of one file. Later statements beat earlier ones, and an exception
// that a finding has already stays: apply what people wrote before VEX.
type Set struct {
	name  string
	rules rule.Set
	notes []bulwark.Note
}

var _ bulwark.Policy = (*Set)(nil)

// Apply sets the exception of the rule that covers the finding.
func (s *Set) Apply(a *bulwark.Asset, f *bulwark.Finding) { s.rules.Apply(a, f) }

// Notes are for the report: exceptions that have expired, statements that are not used.
func (s *Set) Notes() []bulwark.Note { return s.notes }

var _ bulwark.TargetPolicy = (*Set)(nil)

// For gives the policy for a target's findings: it knows the labels of the target's objects.
func (s *Set) For(_ context.Context, t *bulwark.Target) (bulwark.Policy, []bulwark.Note) {
	return in{s, kube.Of(t)}, nil
}

// in is a set applied to the findings of one target.
type in struct {
	*Set
	objects *kube.Set
}

func (p in) Apply(a *bulwark.Asset, f *bulwark.Finding) { p.rules.ApplyIn(a, f, p.objects) }

// mostUnused is how many exceptions that cover nothing are named.
const mostUnused = 10

// Unused tells of exceptions of people that covered none of the findings that they were
// applied to.
func (s *Set) Unused() []bulwark.Note {
	var names []string
	for _, r := range s.rules.Unused() {
		if r.Told != "" {
			names = append(names, r.Told)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	text := strings.Join(names[:min(len(names), mostUnused)], ", ")
	if n := len(names) - mostUnused; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return []bulwark.Note{{Plugin: "policy/exception", Path: s.name, Text: "exceptions that cover nothing in this run: " + text}}
}

// Len is the number of rules in force.
func (s *Set) Len() int { return s.rules.Len() }

// Load reads a file of exceptions: Bulwark's own, OpenVEX, CycloneDX VEX, CSAF,
// .trivyignore (plain or YAML) or a gitleaks baseline, told apart by their content.
// What has expired by now is a note and no rule. Errors wrap
// [bulwark.ErrNotFound], [bulwark.ErrMalformed] (with line and column where the format
// has them), [bulwark.ErrUnsupported] for a format that is none of these, or
// [bulwark.ErrLimit].
func Load(file string, now time.Time) (*Set, error) {
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return nil, fmt.Errorf("exceptions %s: %w", file, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("exceptions: %w", err)
	}
	defer f.Close()
	return Read(file, f, now)
}

// Read is Load for what is open already; name is what exceptions give as their source.
func Read(name string, r io.Reader, now time.Time) (*Set, error) {
	data, err := limit.ReadAll(r, maxFile, name)
	if err != nil {
		return nil, fmt.Errorf("exceptions: %w", err)
	}
	rules, notes, err := parse(name, data, now)
	if err != nil {
		return nil, err
	}
	s := &Set{name: name, notes: notes}
	s.rules.Add(rules...)
	return s, nil
}

func parse(name string, data []byte, now time.Time) ([]rule.Rule, []bulwark.Note, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := bytes.TrimSpace(data)
	isJSON := len(text) > 0 && (text[0] == '[' || text[0] == '{')
	switch {
	case len(text) == 0:
		return nil, nil, nil
	case !isJSON && len(text) > maxText || bytes.Count(text, []byte(",")) > maxValues:
		return nil, nil, fmt.Errorf("exceptions %s: %w", name, bulwark.ErrLimit)
	case text[0] == '[':
		rules, err := exception.ParseGitleaks(name, data)
		return rules, nil, err
	case text[0] == '{':
		return parseJSON(name, data, now)
	case isTrivyList(name, text) && !isYAML(name):
		return exception.ParseTrivy(name, data, now)
	case isTrivyYAML(text):
		return exception.ParseTrivyYAML(name, data, now)
	}
	return exception.Parse(name, data, now)
}

// parseJSON tells the JSON formats apart by the keys that only they have.
func parseJSON(name string, data []byte, now time.Time) ([]rule.Rule, []bulwark.Note, error) {
	var top struct {
		Context    json.RawMessage `json:"@context"`
		Statements json.RawMessage `json:"statements"`
		BOMFormat  string          `json:"bomFormat"`
		Document   json.RawMessage `json:"document"`
		Exceptions json.RawMessage `json:"exceptions"`
	}
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, nil, fmt.Errorf("exceptions %s: %w: %w", name, bulwark.ErrMalformed, err)
	}
	switch {
	case top.BOMFormat == "CycloneDX":
		return vex.CycloneDX(name, data)
	case bytes.Contains(top.Context, []byte("openvex")) || top.Context == nil && top.Statements != nil:
		return vex.OpenVEX(name, data)
	case bytes.Contains(top.Document, []byte(`"csaf_version"`)):
		return vex.CSAF(name, data)
	case top.Exceptions != nil:
		return exception.Parse(name, data, now) // JSON is YAML
	}
	return nil, nil, fmt.Errorf("exceptions %s: neither an exceptions file nor OpenVEX, CycloneDX VEX or CSAF: %w", name, bulwark.ErrUnsupported)
}

// isTrivyList tells a .trivyignore by its name, or by its first line: one word that is
// no YAML key.
func isTrivyList(name string, text []byte) bool {
	if filepath.Base(name) == ".trivyignore" {
		return true
	}
	line := firstLine(text)
	word, _, _ := strings.Cut(line, " ")
	return word != "" && !strings.HasPrefix(word, "-") && !strings.Contains(word, ":")
}

// isYAML tells by its name that a file is no list of words.
func isYAML(name string) bool {
	e := filepath.Ext(name)
	return e == ".yaml" || e == ".yml"
}

func isTrivyYAML(text []byte) bool {
	key, _, _ := strings.Cut(firstLine(text), ":")
	switch key {
	case "vulnerabilities", "misconfigurations", "secrets", "licenses":
		return true
	}
	return false
}

// firstLine is the first line that is neither blank, a comment nor a document's start.
func firstLine(text []byte) string {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.HasPrefix(line, []byte("---")) && line[0] != '%' {
			return string(line)
		}
	}
	return ""
}
