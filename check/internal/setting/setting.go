// Package setting gives the texts that programs in a cluster are configured with: variables
// and arguments of containers, the data of ConfigMaps, the values that GitOps tools hand to
// charts. Several families of checks look at them.
package setting

import (
	"iter"
	"strings"

	"bulwark/kube"
)

// Kind is where a text stands.
type Kind uint8

// The kinds of setting.
const (
	Variable Kind = iota // of a container
	Argument             // of a container: one of command or args
	Data                 // a key of a ConfigMap
	Value                // of a chart, in an object of Argo CD or Flux
)

// Setting is one text.
type Setting struct {
	Kind     Kind
	Object   *kube.Object
	Workload *kube.Workload // nil where no container has it
	Name     string         // of the variable, key or value; "" of an argument
	Value    string
	// Next is what follows an argument: "--password", "x".
	Next string

	container *kube.Container
	field     string // of the container
	at        int    // the element of the field
	path      []any  // in the object
}

// Path is where the text stands in its object.
func (s *Setting) Path() []any {
	if s.container == nil {
		return s.path
	}
	if s.Kind == Variable {
		return s.Workload.ContainerPath(s.container, s.field, s.at, "value")
	}
	return s.Workload.ContainerPath(s.container, s.field, s.at)
}

// Where tells people where it stands.
func (s *Setting) Where() string {
	switch s.Kind {
	case Variable:
		return "container " + s.container.Name + ": the variable " + s.Name
	case Argument:
		return "container " + s.container.Name + ": an argument"
	case Data:
		return "the key " + s.Name
	}
	return "the chart's value " + s.Name
}

// Container is the container that has the text; nil when none has.
func (s *Setting) Container() *kube.Container { return s.container }

// Of gives the settings of all objects. Each is good until the next one is asked for.
func Of(set *kube.Set) iter.Seq[*Setting] {
	return func(yield func(*Setting) bool) {
		for _, w := range set.Workloads() {
			if !ofWorkload(w, yield) {
				return
			}
		}
		for _, o := range set.Kind("", "ConfigMap") {
			for name, n := range o.Root.Get("data").Fields() {
				if !yield(&Setting{Kind: Data, Object: o, Name: name, Value: n.Text(), path: []any{"data", name}}) {
					return
				}
			}
		}
		for _, o := range set.Kind("argoproj.io", "Application") {
			if !ofApplication(o, yield) {
				return
			}
		}
		for _, o := range set.Kind("helm.toolkit.fluxcd.io", "HelmRelease") {
			if !tree(o, o.Root.Get("spec", "values"), []any{"spec", "values"}, yield) {
				return
			}
		}
	}
}

func ofWorkload(w *kube.Workload, yield func(*Setting) bool) bool {
	s := &Setting{Object: w.Object, Workload: w}
	for i := range w.Containers {
		s.container = &w.Containers[i]
		if !s.variables(yield) || !s.arguments("command", s.container.Command, yield) || !s.arguments("args", s.container.Args, yield) {
			return false
		}
	}
	return true
}

func (s *Setting) variables(yield func(*Setting) bool) bool {
	s.Kind, s.Next, s.field = Variable, "", "env"
	for i := range s.container.Env {
		e := &s.container.Env[i]
		s.Name, s.Value, s.at = e.Name, e.Value, i
		if e.Value != "" && !yield(s) {
			return false
		}
	}
	return true
}

func (s *Setting) arguments(field string, texts []string, yield func(*Setting) bool) bool {
	s.Kind, s.Name, s.field = Argument, "", field
	for i, text := range texts {
		s.Value, s.Next, s.at = text, "", i
		if i+1 < len(texts) {
			s.Next = texts[i+1]
		}
		if !yield(s) {
			return false
		}
	}
	return true
}

// ofApplication gives what Argo CD hands to a chart.
func ofApplication(o *kube.Object, yield func(*Setting) bool) bool {
	if !ofHelm(o, o.Root.Get("spec", "source", "helm"), []any{"spec", "source", "helm"}, yield) {
		return false
	}
	for i, n := range o.Root.Get("spec", "sources").Items() {
		if !ofHelm(o, n.Get("helm"), []any{"spec", "sources", i, "helm"}, yield) {
			return false
		}
	}
	return true
}

func ofHelm(o *kube.Object, helm *kube.Node, path []any, yield func(*Setting) bool) bool {
	for i, p := range helm.Get("parameters").Items() {
		at := join(path, "parameters", i, "value")
		if !yield(&Setting{Kind: Value, Object: o, Name: p.Get("name").Text(), Value: p.Get("value").Text(), path: at}) {
			return false
		}
	}
	if text := helm.Get("values").Text(); text != "" && !yield(&Setting{Kind: Value, Object: o, Name: "values", Value: text, path: join(path, "values")}) {
		return false
	}
	return tree(o, helm.Get("valuesObject"), join(path, "valuesObject"), yield)
}

// The most that is looked at of one object's tree of values, whose aliases may lead to the
// same part very often.
const (
	maxDepth  = 20
	maxValues = 100_000
)

// tree gives the texts of a tree of values.
func tree(o *kube.Object, n *kube.Node, path []any, yield func(*Setting) bool) bool {
	t := walk{o: o, yield: yield, left: maxValues}
	return t.node(n, path)
}

type walk struct {
	o     *kube.Object
	yield func(*Setting) bool
	left  int
}

// node is false when no more is wanted.
func (w *walk) node(n *kube.Node, path []any) bool {
	if w.left--; w.left < 0 || len(path) > maxDepth {
		return true
	}
	for name, v := range n.Fields() {
		at := join(path, name)
		if t := v.Text(); t != "" && !w.yield(&Setting{Kind: Value, Object: w.o, Name: name, Value: t, path: at}) || !w.node(v, at) {
			return false
		}
	}
	for i, v := range n.Items() {
		if !w.node(v, join(path, i)) {
			return false
		}
	}
	return true
}

func join(path []any, more ...any) []any { return append(append([]any(nil), path...), more...) }

const maxLine = 4 << 10

// Pairs gives the names and values that stand in a text of settings, line by line: NAME=value,
// name: value, "name": "value",. Comments and what has no value are left out.
func Pairs(text string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line == "" || len(line) > maxLine || strings.IndexByte("#;!<", line[0]) >= 0 || strings.HasPrefix(line, "//") {
				continue
			}
			line = strings.TrimPrefix(strings.TrimPrefix(line, "export "), "- ")
			i := strings.IndexAny(line, "=:")
			if i <= 0 {
				continue
			}
			name := strings.Trim(strings.TrimSpace(line[:i]), `"'`)
			value := strings.Trim(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line[i+1:]), ",")), `"'`)
			if value != "" && !strings.ContainsAny(name, " \t(") && !yield(name, value) {
				return
			}
		}
	}
}
