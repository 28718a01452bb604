package rules

import (
	"strings"

	"bulwark/detect/rules/internal/lang"
)

const (
	maxClauses = 40
	maxClause  = 300 // bytes of what is told of one
)

// why tells which parts of the rule's condition made it true of the event: of an "and" all terms, of an "or" the
// first that is true; each with the value that the event has. What follows from the kind of event alone is left out
// but for the type itself.
func (r *rule) why(v *event) []string {
	var list []string
	clauses(r.cond, v, false, "", &list)
	return list
}

func clauses(n *cond, v *event, not bool, within string, list *[]string) {
	if len(*list) >= maxClauses {
		return
	}
	if n.macro != "" {
		within = n.macro
	}
	switch n.op {
	case isCheck:
		*list = append(*list, clause(n.check, v, not, within))
		return
	case isNot:
		clauses(n.terms[0], v, !not, within, list)
		return
	}
	for _, t := range n.terms {
		if n.op == isAnd != not {
			clauses(t, v, not, within, list)
		} else if t.holds(v) != not {
			clauses(t, v, not, within, list)
			return
		}
	}
}

// holds evaluates the condition as it is written.
func (n *cond) holds(v *event) bool {
	switch n.op {
	case isCheck:
		return n.check.test(v)
	case isNot:
		return !n.terms[0].holds(v)
	}
	for _, t := range n.terms {
		if t.holds(v) == (n.op == isOr) {
			return n.op == isOr
		}
	}
	return n.op == isAnd
}

// clause is a comparison in words: "fd.name startswith /etc/, it is /etc/shadow (sensitive_files)".
func clause(k *check, v *event, not bool, within string) string {
	text := words(k.Check)
	if not {
		text = "not " + text
	}
	if read := k.left.read(); read != nil && k.left.any == nil {
		s, ok := read(v)
		switch {
		case !ok:
			text += ", which the event has not"
		case k.left.list != nil:
			list, _ := k.left.list(v)
			text += ", it is " + short("("+strings.Join(shownList(list), ",")+")")
		default:
			text += ", it is " + short(shown(s)) + asGiven(k, v)
		}
	}
	if within != "" {
		text += " (" + within + ")"
	}
	return text
}

// asGiven tells of the path as it was given, where the comparison sees that, too.
func asGiven(k *check, v *event) string {
	if len(k.links) == 0 {
		return ""
	}
	s, ok := k.given()(v)
	if !ok {
		return ""
	}
	return ", given as " + short(shown(s))
}

func short(s string) string {
	if len(s) > maxClause {
		return strings.ToValidUTF8(s[:maxClause], "") + "..."
	}
	return s
}

var opWords = map[lang.Op]string{
	lang.Exists: "exists", lang.Less: "<", lang.LessEq: "<=", lang.Greater: ">", lang.GreaterEq: ">=", lang.Eq: "=", lang.NotEq: "!=",
	lang.BContains: "bcontains", lang.BStartsWith: "bstartswith", lang.Contains: "contains", lang.EndsWith: "endswith", lang.Glob: "glob",
	lang.IContains: "icontains", lang.IGlob: "iglob", lang.StartsWith: "startswith", lang.Regex: "regex", lang.In: "in",
	lang.Intersects: "intersects", lang.PMatch: "pmatch",
}

var modifierWords = map[lang.Modifier]string{lang.OneOf: " oneof", lang.AnyOf: " anyof", lang.AllOf: " allof"}

// words is the comparison as rules have it.
func words(e *lang.Check) string {
	text := termWords(e.Left) + " " + opWords[e.Op] + modifierWords[e.Modifier]
	switch {
	case e.Op == lang.Exists:
		return text
	case e.Right != nil:
		return text + " val(" + termWords(e.Right) + ")"
	case len(e.Values) == 1 && e.Op != lang.In && e.Op != lang.Intersects && e.Op != lang.PMatch:
		return text + " " + short(visible(e.Values[0].Text))
	}
	var list []string
	for _, v := range e.Values {
		list = append(list, visible(v.Text))
	}
	return text + " (" + short(strings.Join(list, ", ")) + ")"
}

func termWords(t lang.Term) string {
	switch t := t.(type) {
	case *lang.Field:
		if t.HasArg {
			return visible(t.Name + "[" + t.Arg + "]")
		}
		return t.Name
	case *lang.Value:
		return visible(t.Text)
	case *lang.Call:
		return t.Name + "(" + listWords(t.Args) + ")"
	case *lang.List:
		return "(" + listWords(t.Items) + ")"
	}
	return "?"
}

func listWords(list []lang.Term) string {
	var all []string
	for _, t := range list {
		all = append(all, termWords(t))
	}
	return strings.Join(all, ", ")
}
