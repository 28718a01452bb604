// Package workflow is the vocabulary of CI: GitHub's workflows and actions with their jobs
// and steps, GitLab's jobs, and the expressions in GitHub's, each with its line.
//
// A file is what it says by itself: reusable workflows, actions and included files are
// named, not read.
package workflow

import (
	"fmt"
	"strings"

	"bulwark"
	"bulwark/build/internal/yamldoc"
)

// Node is a value with its place.
type Node = yamldoc.Node

const (
	maxJobs  = 1000
	maxSteps = 10_000 // of a whole file
)

// Workflow is a GitHub workflow, or an action: that has one job, without a name.
type Workflow struct {
	Root     Node
	Triggers []Trigger
	Jobs     []*Job
	Action   bool
	doc      *yamldoc.Doc
}

// Trigger is an event that a workflow runs on.
type Trigger struct {
	Name string
	At   Node
	Node // its settings
}

// Job is one job.
type Job struct {
	ID string
	At Node // its key
	Node
	Steps []*Step
}

// Step is one step of a job.
type Step struct {
	Node
	Index int
}

// Uses is the action that a step, or the workflow that a job, is.
func (s *Step) Uses() Node { return s.Get("uses") }

// Action is the name of the action without its version, in lower case; "" without one.
func (s *Step) Action() string {
	name, _, _ := strings.Cut(s.Uses().Text(), "@")
	return strings.ToLower(strings.TrimSpace(name))
}

// Parse reads a workflow or an action. The error wraps ErrMalformed or ErrLimit; what
// was read before it is given.
func Parse(data []byte) (*Workflow, error) {
	docs, err := yamldoc.Parse(data)
	w := &Workflow{}
	if len(docs) == 0 {
		return w, err
	}
	w.doc, w.Root = docs[0], docs[0].Root
	w.triggers()
	left := maxSteps
	for k, v := range w.Root.Get("jobs").Pairs() {
		if v.IsMap() && len(w.Jobs) < maxJobs {
			w.Jobs = append(w.Jobs, job(k, v, "steps", &left))
		}
	}
	if runs := w.Root.Get("runs"); runs.IsMap() && len(w.Jobs) == 0 {
		w.Action = true
		w.Jobs = append(w.Jobs, job(Node{}, runs, "steps", &left))
	}
	if left <= 0 || len(w.Jobs) >= maxJobs {
		return w, fmt.Errorf("more than %d steps or %d jobs: %w", maxSteps, maxJobs, bulwark.ErrLimit)
	}
	return w, err
}

func job(key, value Node, steps string, left *int) *Job {
	j := &Job{ID: key.Text(), At: key, Node: value}
	for item := range value.Get(steps).Items() {
		if *left--; *left <= 0 {
			break
		}
		if item.IsMap() {
			j.Steps = append(j.Steps, &Step{item, len(j.Steps)})
		}
	}
	return j
}

// triggers reads "on" in its three forms. YAML takes that key, unquoted, for a word.
func (w *Workflow) triggers() {
	on := w.Root.Get("on")
	if !on.Exists() {
		on = w.Root.Get("true")
	}
	for _, n := range on.Texts() {
		w.Triggers = append(w.Triggers, Trigger{Name: n.Text(), At: n})
	}
	for k, v := range on.Pairs() {
		w.Triggers = append(w.Triggers, Trigger{k.Text(), k, v})
	}
}

// On gives the first of the triggers that the workflow has; nil for none.
func (w *Workflow) On(names ...string) *Trigger {
	for _, name := range names {
		for i := range w.Triggers {
			if w.Triggers[i].Name == name {
				return &w.Triggers[i]
			}
		}
	}
	return nil
}

// Err wraps ErrLimit when looking at the file has cost too much.
func (w *Workflow) Err() error {
	if w.doc != nil && w.doc.Exhausted {
		return fmt.Errorf("aliases make the file larger than can be read: %w", bulwark.ErrLimit)
	}
	return nil
}

// Line is one line of a script.
type Line struct {
	Number int
	Text   string
}

// Lines are the lines of a scalar, with the numbers that they have in the file. Those of
// a folded text, whose lines are joined, are near.
func Lines(n Node) []Line {
	text, first := n.Text(), n.Line()
	if n.IsBlock() {
		first++
	}
	var out []Line
	for l := range strings.Lines(text) {
		out = append(out, Line{first, strings.TrimRight(l, "\r\n")})
		if n.IsBlock() {
			first++
		}
	}
	return out
}
