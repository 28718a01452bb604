// Package action decides what is done about what rules tell: which of its processes are killed, which containers
// freeze, and what is denied to whom. It is told what the user wants, and refuses what this machine cannot do.
package action

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/glob"
)

// Action is what is done beside telling.
type Action string

// The actions.
const (
	Alert  Action = "alert"  // nothing
	Freeze Action = "freeze" // the container stands still; of the node, the process and what it started
	Kill   Action = "kill"   // the process and what it started, or the container
	Deny   Action = "deny"   // it does not come to it
)

// Entry says what is done about some rules in some containers.
type Entry struct {
	Place  string   // where it was written
	Rules  []string // ids or globs; none: what Deny says is a rule of its own
	Action Action
	Whole  bool // of Kill: the whole container
	Only   Selection
	Except Selection
	Deny   *Denial // of Deny: instead of what the rules are about
	// Holds is what a rule asks of the container; nil: nothing.
	Holds func(*bulwark.Container) bool
}

// Denial is what is denied, as blocks have it. Name is what it is called where no rule gives it one.
type Denial struct {
	Name string
	bulwark.Block
}

// Selection are globs; a container is selected by any of them.
type Selection struct {
	Images     []string // references, with or without what comes behind : or @
	Containers []string // names, or ids
	Namespaces []string // of the pod
}

func (s *Selection) empty() bool { return len(s.Images)+len(s.Containers)+len(s.Namespaces) == 0 }

func (s *Selection) has(c *bulwark.Container) bool {
	namespace := ""
	if c.Pod != nil {
		namespace = c.Pod.Namespace
	}
	return fits(s.Images, c.Image, repository(c.Image)) || fits(s.Containers, c.Name, c.ID, c.ShortID()) || fits(s.Namespaces, namespace)
}

func fits(patterns []string, names ...string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return n != "" && glob.Match(p, n) })
	})
}

// repository is an image without tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	return image
}

// about tells whether the entry speaks of the rule.
func (e *Entry) about(rule string) bool {
	return slices.ContainsFunc(e.Rules, func(p string) bool { return p == rule || glob.Match(p, rule) })
}

// covers tells whether the entry speaks of the container; nil is the node itself.
func (e *Entry) covers(c *bulwark.Container) bool {
	if c == nil {
		return e.Only.empty() && (e.Holds == nil || e.Holds(nil))
	}
	return (e.Only.empty() || e.Only.has(c)) && !e.Except.has(c) && (e.Holds == nil || e.Holds(c))
}

// Problem is an entry that cannot be taken.
type Problem struct{ Place, Rule, Text string }

func (p *Problem) String() string {
	if p.Rule == "" {
		return fmt.Sprintf("%s: %s", p.Place, p.Text)
	}
	return fmt.Sprintf("%s: %s: %s", p.Place, p.Rule, p.Text)
}
