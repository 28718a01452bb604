package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"bulwark/kube"
	"bulwark/rbac"
)

// print writes the answer to a question, which is a request or a subject.
func (r *rights) print(ways []rbac.Way, kind, question string) error {
	return r.write(func(w io.Writer) error {
		if r.format == "json" {
			list := make([]wayJSON, len(ways))
			for i := range ways {
				list[i] = jsonOf(&ways[i])
			}
			return writeJSON(w, map[string]any{kind: question, "ways": list})
		}
		return tableOf(w, ways, kind == "request")
	})
}

// tableOf writes one line a way: of who may, the subject first; of what somebody may, the
// rule first.
func tableOf(w io.Writer, ways []rbac.Way, who bool) error {
	if len(ways) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, map[bool]string{true: "WHO\tWHERE\tBY", false: "WHERE\tWHAT\tBY"}[who])
	for i := range ways {
		way := &ways[i]
		by := way.Binding.Object.ID() + way.Binding.Place() + " -> " + way.Role.ID()
		if way.From != way.Role {
			by += " <- " + way.From.ID()
		}
		by += way.From.Place(way.Index)
		where := cmp.Or(way.Namespace(), "everywhere")
		first, second := way.Subject.String(), where
		switch rule := way.Rule(); {
		case !who:
			first, second = where, rule.String()
		case len(rule.Names) > 0:
			second += " (only " + firstOf(rule.Names) + ")"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", cell(first), cell(second), cell(by))
	}
	return t.Flush()
}

// firstOf are the first of many names.
func firstOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// cell is a foreign text that stays in its cell.
func cell(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

type wayJSON struct {
	Subject   rbac.Subject `json:"subject"`
	Namespace string       `json:"namespace"` // "" is everywhere
	Binding   refJSON      `json:"binding"`
	Role      refJSON      `json:"role"`
	From      *refJSON     `json:"from,omitempty"` // the role that the rule is written in, where another aggregates it
	Rule      ruleJSON     `json:"rule"`
}

type refJSON struct {
	ID      string `json:"id"`
	BuiltIn bool   `json:"builtIn,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

type ruleJSON struct {
	Index         int      `json:"index"`
	Verbs         []string `json:"verbs"`
	Groups        []string `json:"apiGroups,omitempty"`
	Resources     []string `json:"resources,omitempty"`
	ResourceNames []string `json:"resourceNames,omitempty"`
	URLs          []string `json:"nonResourceURLs,omitempty"`
	File          string   `json:"file,omitempty"`
	Line          int      `json:"line,omitempty"`
}

func jsonOf(way *rbac.Way) wayJSON {
	rule, at := way.Rule(), placeOf(way.From.Object, way.From.At(way.Index)...)
	j := wayJSON{
		Subject: way.Subject, Namespace: way.Namespace(), Binding: refOf(way.Binding.Object.ID(), way.Binding.Object), Role: refOf(way.Role.ID(), way.Role.Object),
		Rule: ruleJSON{way.Index, rule.Verbs, rule.Groups, rule.Resources, rule.Names, rule.URLs, at.File, at.Line},
	}
	if way.From != way.Role {
		from := refOf(way.From.ID(), way.From.Object)
		j.From = &from
	}
	return j
}

func refOf(id string, o *kube.Object) refJSON {
	at := placeOf(o)
	return refJSON{ID: id, BuiltIn: o == nil, File: at.File, Line: at.Line}
}

func placeOf(o *kube.Object, path ...any) kube.Location {
	if o == nil {
		return kube.Location{}
	}
	return o.Place(path...)
}
