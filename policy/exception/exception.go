// Package exception reads lists of findings that do not count: Bulwark's own
// exceptions file, and what other scanners keep for the same end (.trivyignore, its
// YAML form, gitleaks baselines).
package exception

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	k8slabels "k8s.io/apimachinery/pkg/labels"

	"bulwark"
	"bulwark/policy/internal/rule"
)

const (
	// maxErrors bounds how many mistakes of one file are listed.
	maxErrors = 20
	// maxDoubts bounds how many of its entries a note calls careless; the rest is counted.
	maxDoubts = 100
)

// Parse reads an exceptions file (a list "exceptions" of entries with
// id, rule, key or object, and asset, purl, path, namespace, kind, labels, reason, owner,
// expires). Unknown keys and
// entries that would cover everything are errors that name line and column and wrap
// [bulwark.ErrMalformed]. An entry that has expired by now gives a note and no rule; one
// without reason, owner or expiry, or that covers all there is, gives a note and counts.
func Parse(name string, data []byte, now time.Time) ([]rule.Rule, []bulwark.Note, error) {
	root, err := document(name, data)
	if err != nil || root == nil {
		return nil, nil, err
	}
	p := parser{file: name, now: now}
	p.fields(root, map[string]func(*yaml.Node){"exceptions": func(n *yaml.Node) { p.list(n, p.entry) }})
	if p.silent > 0 {
		p.notes = append(p.notes, note(name, "%d more exceptions lack a reason, an owner or an expiry date, or cover everything", p.silent))
	}
	return p.result()
}

// document parses YAML and gives its top node; nil for an empty document.
func document(name string, data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, bulwark.ErrMalformed, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

type parser struct {
	file  string
	now   time.Time
	rules []rule.Rule
	notes []bulwark.Note
	errs  []error

	doubts, silent int // careless entries with a note, and without
}

func (p *parser) result() ([]rule.Rule, []bulwark.Note, error) {
	if len(p.errs) > 0 {
		return nil, nil, errors.Join(p.errs...)
	}
	return p.rules, p.notes, nil
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, fmt.Errorf("%s:%d:%d: %s: %w", p.file, n.Line, n.Column, fmt.Sprintf(format, args...), bulwark.ErrMalformed))
	}
}

// fields calls the function of each key of a mapping, and fails for other keys.
func (p *parser) fields(n *yaml.Node, known map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, "want keys and values")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		set, ok := known[key.Value]
		if !ok {
			p.fail(key, "unknown key %q", key.Value)
			continue
		}
		set(n.Content[i+1])
	}
}

func (p *parser) list(n *yaml.Node, each func(*yaml.Node)) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "want a list")
		return
	}
	for _, item := range n.Content {
		each(item)
	}
}

// text gives a setter for a value that must be a plain string.
func (p *parser) text(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode {
			p.fail(n, "want text")
			return
		}
		*to = n.Value
	}
}

// texts gives a setter for a list of strings.
func (p *parser) texts(to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		p.list(n, func(item *yaml.Node) {
			var s string
			p.text(&s)(item)
			*to = append(*to, s)
		})
	}
}

func (p *parser) entry(n *yaml.Node) {
	var id, name, path, expires string
	var of rule.Object
	r := rule.Rule{Exempt: true}
	r.Exception.Source = p.file
	p.fields(n, map[string]func(*yaml.Node){
		"id": p.text(&id), "rule": p.text(&name), "key": p.text(&r.Key),
		"asset": p.text(&r.Asset), "purl": p.text(&r.PURL), "path": p.text(&path),
		"object": p.text(&of.ID), "namespace": p.text(&of.Namespace), "kind": p.text(&of.Kind), "labels": p.selector(&of.Labels),
		"reason": p.text(&r.Exception.Reason), "owner": p.text(&r.Exception.Owner), "expires": p.text(&expires),
	})
	if id == "" && name == "" && r.Key == "" && of.ID == "" {
		p.fail(n, "an exception needs id, rule, key or object")
		return
	}
	if of.ID != "" || of.Namespace != "" || of.Kind != "" || of.Labels != nil {
		r.Object = &of
	}
	r.IDs, r.Names, r.Paths = some(id), some(name), some(path)
	what := cmp.Or(id, name, r.Key, of.ID)
	r.Told = fmt.Sprintf("%q (line %d)", what, n.Line)
	if p.add(n, r, expires, what) {
		p.doubt(n.Line, &r, expires, what)
	}
}

// doubt notes what an exception in force should have and has not.
func (p *parser) doubt(line int, r *rule.Rule, expires, what string) {
	missing := missing(&r.Exception, expires)
	everything := r.Everything()
	if missing == "" && !everything {
		return
	}
	if p.doubts == maxDoubts {
		p.silent++
		return
	}
	p.doubts++
	text := fmt.Sprintf("%q (line %d) is excepted", what, line)
	if everything {
		text = fmt.Sprintf("the exception for %q (line %d) covers everything of its kind", what, line)
	}
	if missing != "" {
		text += ", without " + missing
	}
	p.notes = append(p.notes, note(p.file, "%s", text))
}

// missing lists what an exception does not tell: "a reason, an owner".
func missing(e *bulwark.Exception, expires string) string {
	var list []string
	if strings.TrimSpace(e.Reason) == "" {
		list = append(list, "a reason")
	}
	if strings.TrimSpace(e.Owner) == "" {
		list = append(list, "an owner")
	}
	if end, err := parseDate(expires); err == nil && end.IsZero() {
		list = append(list, "an expiry date")
	}
	return strings.Join(list, ", ")
}

// add keeps the rule, unless it has expired, and tells whether it did.
func (p *parser) add(n *yaml.Node, r rule.Rule, expires, what string) bool {
	end, err := parseDate(expires)
	if err != nil {
		p.fail(n, "expires %q: want a date such as 2027-01-31", expires)
		return false
	}
	if !end.IsZero() {
		r.Exception.Expires = end.Format(time.DateOnly)
		if !p.now.IsZero() && !p.now.Before(end.AddDate(0, 0, 1)) {
			p.notes = append(p.notes, expired(p.file, n.Line, what, r.Exception))
			return false
		}
	}
	p.rules = append(p.rules, r)
	return true
}

func expired(file string, line int, what string, e bulwark.Exception) bulwark.Note {
	text := fmt.Sprintf("the exception for %q (line %d) expired on %s: what it covered counts again", what, line, e.Expires)
	if e.Owner != "" {
		text += "; owner " + e.Owner
	}
	return note(file, "%s", text)
}

func note(file, format string, args ...any) bulwark.Note {
	return bulwark.Note{Plugin: "policy/exception", Path: file, Text: fmt.Sprintf(format, args...)}
}

// parseDate reads a date, or a time of which the date counts. An exception holds to
// the end of that day in UTC. Empty is the zero time: never.
func parseDate(s string) (time.Time, error) {
	if s == "" || s == "null" || s == "~" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err == nil {
		return t, nil
	}
	t, err = time.Parse(time.RFC3339, s)
	return t.UTC().Truncate(24 * time.Hour), err
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// selector gives a setter for a selector of labels: "app=web,tier in (a, b)", or labels with
// their values.
func (p *parser) selector(to *k8slabels.Selector) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode {
			set := k8slabels.Set{}
			for i := 0; i+1 < len(n.Content); i += 2 {
				set[n.Content[i].Value] = n.Content[i+1].Value
			}
			*to = set.AsSelector()
			return
		}
		sel, err := k8slabels.Parse(n.Value)
		if err != nil || n.Kind != yaml.ScalarNode || sel.Empty() {
			p.fail(n, "labels: want labels with values, or a selector such as app=web")
			return
		}
		*to = sel
	}
}
