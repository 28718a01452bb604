package exception

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"bulwark"
	"bulwark/policy/internal/rule"
)

// ParseTrivy reads a .trivyignore file: an id a line (of a vulnerability or of a rule),
// "#" comments, and "exp:2027-01-31" after the id.
func ParseTrivy(name string, data []byte, now time.Time) ([]rule.Rule, []bulwark.Note, error) {
	p := parser{file: name, now: now}
	reason := ""
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text, comment, _ := strings.Cut(strings.TrimSpace(text), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			reason = strings.TrimSpace(comment) // a comment stands above what it explains
			continue
		}
		if c := strings.TrimSpace(comment); c != "" {
			reason = c
		}
		at := &yaml.Node{Line: line, Column: 1}
		expires := ""
		for _, w := range words[1:] {
			date, ok := strings.CutPrefix(w, "exp:")
			if !ok {
				p.fail(at, "want an id and perhaps exp:DATE, not %q", w)
				continue
			}
			expires = date
		}
		for _, r := range either(words[0]) {
			r.Exception = bulwark.Exception{Reason: reason, Source: name}
			p.add(at, r, expires, words[0])
		}
	}
	return p.result()
}

// either is two rules: the id may be a vulnerability's or a rule's. An expired one
// must give one note, so a vulnerability's id is told by its look.
func either(id string) []rule.Rule {
	if LooksLikeAdvisory(id) {
		return []rule.Rule{{IDs: []string{id}, Exempt: true}}
	}
	return []rule.Rule{{Names: []string{id}, Exempt: true}}
}

// advisoryPrefixes begin the ids of advisory databases.
var advisoryPrefixes = []string{
	"CVE-", "GHSA-", "GO-", "PYSEC-", "RUSTSEC-", "DSA-", "DLA-", "DEBIAN-", "USN-", "UBUNTU-", "ALPINE-",
	"ALSA-", "ALBA-", "ALEA-", "RHSA-", "RLSA-", "RXSA-", "ELSA-", "SUSE-", "OPENSUSE-", "BIT-", "OSV-", "MAL-",
	"ALAS", "TEMP-", "NSWG-", "OSVDB-", "MGASA-", "EEF-", "RSEC-", "SNYK-", "CGA-", "PSF-", "BELL-", "ECHO-",
}

// LooksLikeAdvisory tells whether id has the form of an advisory's.
func LooksLikeAdvisory(id string) bool {
	id = strings.ToUpper(id)
	for _, prefix := range advisoryPrefixes {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}

// trivyKinds are the lists of a .trivyignore.yaml and the kind of finding each means.
var trivyKinds = map[string]string{
	"vulnerabilities":   bulwark.KindVulnerability,
	"misconfigurations": bulwark.KindMisconfig,
	"secrets":           bulwark.KindSecret,
	"licenses":          "license",
}

// ParseTrivyYAML reads a .trivyignore.yaml file.
func ParseTrivyYAML(name string, data []byte, now time.Time) ([]rule.Rule, []bulwark.Note, error) {
	root, err := document(name, data)
	if err != nil || root == nil {
		return nil, nil, err
	}
	p := parser{file: name, now: now}
	lists := map[string]func(*yaml.Node){}
	for list, kind := range trivyKinds {
		lists[list] = func(n *yaml.Node) { p.list(n, func(n *yaml.Node) { p.trivyEntry(n, kind) }) }
	}
	p.fields(root, lists)
	return p.result()
}

func (p *parser) trivyEntry(n *yaml.Node, kind string) {
	var id, statement, expires string
	var paths, purls []string
	p.fields(n, map[string]func(*yaml.Node){
		"id": p.text(&id), "paths": p.texts(&paths), "purls": p.texts(&purls),
		"expired_at": p.text(&expires), "statement": p.text(&statement),
	})
	if id == "" {
		p.fail(n, "an entry needs an id")
		return
	}
	r := rule.Rule{Kind: kind, Paths: paths, Exempt: true}
	r.Exception = bulwark.Exception{Reason: statement, Source: p.file}
	if kind == bulwark.KindVulnerability {
		r.IDs = []string{id}
	} else {
		r.Names = []string{id}
	}
	if len(purls) > 0 {
		r.Products = []rule.Product{{PURLs: purls}}
	}
	p.add(n, r, expires, fmt.Sprintf("%s %s", kind, id))
}
