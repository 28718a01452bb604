package rbac

import (
	"slices"
	"strings"
)

// Request is what somebody asks of the API server.
type Request struct {
	Verb        string
	Group       string // API group; "" is the core
	Resource    string // plural: "pods"
	Subresource string // "exec"
	Namespace   string // "" for what has none, or for all namespaces at once
	Name        string // of the object; "" when the request has none, as in list and create
	// Path is that of a URL which is no resource: "/healthz". Then only Verb counts beside it.
	Path string
}

// String is the request as people write it: "get secrets/token in default".
func (r *Request) String() string {
	if r.Path != "" {
		return r.Verb + " " + r.Path
	}
	text := r.Verb + " " + r.Resource
	if r.Group != "" {
		text += "." + r.Group
	}
	if r.Subresource != "" {
		text += "/" + r.Subresource
	}
	if r.Name != "" {
		text += " " + r.Name
	}
	if r.Namespace != "" {
		text += " in " + r.Namespace
	}
	return text
}

const all = "*"

// Allows tells whether the rule alone allows the request, wherever its role is bound.
func (r *Rule) Allows(q *Request) bool {
	if !has(r.Verbs, q.Verb) {
		return false
	}
	if q.Path != "" {
		return r.allowsPath(q.Path)
	}
	return has(r.Groups, q.Group) && r.Covers(q.Resource, q.Subresource) && (len(r.Names) == 0 || slices.Contains(r.Names, q.Name))
}

func has(list []string, want string) bool {
	for _, s := range list {
		if s == want || s == all {
			return true
		}
	}
	return false
}

// Covers tells whether the rule is about the resource, of whatever group.
func (r *Rule) Covers(resource, sub string) bool {
	for _, s := range r.Resources {
		switch {
		case s == all, sub == "" && s == resource:
			return true
		case sub == "":
		case len(s) == len(resource)+1+len(sub) && s[:len(resource)] == resource && s[len(resource)] == '/' && s[len(resource)+1:] == sub,
			len(s) == len(sub)+2 && s[:2] == "*/" && s[2:] == sub:
			return true
		}
	}
	return false
}

func (r *Rule) allowsPath(path string) bool {
	for _, s := range r.URLs {
		if s == all || s == path || strings.HasSuffix(s, all) && strings.HasPrefix(path, strings.TrimRight(s, all)) {
			return true
		}
	}
	return false
}

// equal tells whether two rules say the same in the same order.
func (r *Rule) equal(o *Rule) bool {
	return slices.Equal(r.Verbs, o.Verbs) && slices.Equal(r.Groups, o.Groups) && slices.Equal(r.Resources, o.Resources) &&
		slices.Equal(r.Names, o.Names) && slices.Equal(r.URLs, o.URLs)
}

// String is the rule as people read it: "get, list secrets, pods/exec.apps".
func (r *Rule) String() string {
	var b strings.Builder
	b.WriteString(every(r.Verbs, "every verb on"))
	if len(r.URLs) > 0 {
		b.WriteString(" " + every(r.URLs, "every URL"))
	}
	if len(r.Resources) > 0 {
		b.WriteString(" " + every(r.Resources, "every resource"))
		if !slices.Equal(r.Groups, []string{""}) {
			b.WriteString(" of " + every(groupNames(r.Groups), "every group"))
		}
	}
	if len(r.Names) > 0 {
		b.WriteString(" named " + short(r.Names))
	}
	return b.String()
}

func groupNames(groups []string) []string {
	names := slices.Clone(groups)
	for i, g := range names {
		if g == "" {
			names[i] = "core"
		}
	}
	return names
}

// every says what an asterisk stands for, beside which nothing else counts.
func every(words []string, what string) string {
	if slices.Contains(words, all) {
		return what
	}
	return short(words)
}

// short joins the first of many words.
func short(words []string) string {
	const most = 6
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return strings.Join(words[:most], ", ") + ", ..."
}
