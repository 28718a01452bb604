package admission

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"bulwark/kube"
)

// Export writes the policies for a cluster, as it takes them: with their parameters, and
// each with a binding. Actions, when there are any, take the place of those that the bindings
// have. What mutates is written as it is.
func (s *Set) Export(w io.Writer, actions ...string) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	for _, o := range s.Params() {
		if err := e.Encode(document(o.Root)); err != nil {
			return err
		}
	}
	for _, p := range s.Policies {
		if err := p.export(e, actions); err != nil {
			return fmt.Errorf("policy %s: %w", p.Name, err)
		}
	}
	for _, o := range s.Aside {
		d := document(o.Root)
		drop(d, "status")
		if err := e.Encode(d); err != nil {
			return err
		}
	}
	return e.Close()
}

// Params are the objects beside the policies that are parameters of some.
func (s *Set) Params() []*kube.Object {
	var list []*kube.Object
	for _, o := range s.params.Objects {
		if slices.ContainsFunc(s.Policies, func(p *Policy) bool {
			return p.paramKind != nil && p.paramKind.APIVersion == o.APIVersion && p.paramKind.Kind == o.Kind
		}) {
			list = append(list, o)
		}
	}
	return list
}

const version = Group + "/v1"

func (p *Policy) export(e *yaml.Encoder, actions []string) error {
	d := document(p.Object.Root)
	put(d, "apiVersion", version)
	drop(d, "status")
	if err := e.Encode(d); err != nil {
		return err
	}
	for _, b := range p.Bindings {
		if err := e.Encode(b.export(p, actions)); err != nil {
			return err
		}
	}
	return nil
}

func (b *Binding) export(p *Policy, actions []string) *yaml.Node {
	if len(actions) == 0 {
		actions = b.Actions
	}
	if b.Object == nil {
		meta, spec := mapping(), mapping()
		put(meta, "name", p.Name)
		put(spec, "policyName", p.Name)
		putList(spec, "validationActions", actions)
		d := mapping()
		put(d, "apiVersion", version)
		put(d, "kind", "ValidatingAdmissionPolicyBinding")
		d.Content = append(d.Content, scalar("metadata"), meta, scalar("spec"), spec)
		return d
	}
	d := document(b.Object.Root)
	put(d, "apiVersion", version)
	if spec := field(d, "spec"); spec != nil {
		putList(spec, "validationActions", actions)
	}
	return d
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

func scalar(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case strings.Contains(s, "\n"):
		n.Style = yaml.LiteralStyle
	case strings.Contains(s, "'") && !strings.ContainsAny(s, `"\`):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func field(d *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(d.Content); i += 2 {
		if d.Content[i].Value == name {
			return d.Content[i+1]
		}
	}
	return nil
}

func put(d *yaml.Node, name, value string) {
	if n := field(d, name); n != nil {
		*n = *scalar(value)
		return
	}
	d.Content = append(d.Content, scalar(name), scalar(value))
}

func putList(d *yaml.Node, name string, values []string) {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, v := range values {
		list.Content = append(list.Content, scalar(v))
	}
	if n := field(d, name); n != nil {
		*n = *list
		return
	}
	d.Content = append(d.Content, scalar(name), list)
}

func drop(d *yaml.Node, name string) {
	for i := 0; i+1 < len(d.Content); i += 2 {
		if d.Content[i].Value == name {
			d.Content = slices.Delete(d.Content, i, i+2)
			return
		}
	}
}

// document is a node as YAML, in the order in which it was written.
func document(n *kube.Node) *yaml.Node {
	switch n.Form() {
	case kube.Map:
		m := mapping()
		for name, v := range n.Fields() {
			m.Content = append(m.Content, scalar(name), document(v))
		}
		return m
	case kube.List:
		l := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range n.Items() {
			l.Content = append(l.Content, document(item))
		}
		if !slices.ContainsFunc(l.Content, func(n *yaml.Node) bool { return n.Kind != yaml.ScalarNode || len(n.Value) > 40 }) {
			l.Style = yaml.FlowStyle
		}
		return l
	case kube.String:
		return scalar(n.Text())
	case kube.Bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(n.True())}
	case kube.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: n.Text()}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
}
