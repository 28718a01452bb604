package rbac

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"bulwark"
	"bulwark/kube"
	authz "bulwark/rbac"
)

const system = "kube-system"

// reach is how far the rules of a role go.
type reach struct {
	wide, system, own bool
	holders           []holder
	into              []string // roles of every cluster that it is aggregated into
}

// holder is somebody who has the role.
type holder struct {
	subject authz.Subject
	binding *authz.Binding
}

// reaches are those of the roles of a set, each worked out once: a role may have many
// thousands of subjects, and several dangers.
type reaches struct{ sync.Map }

func reachIn(s *kube.Set, role *authz.Role) *reach {
	known := kube.Memo(s, func(*kube.Set) *reaches { return new(reaches) })
	if r, ok := known.Load(role); ok {
		return r.(*reach)
	}
	r := reachOf(role)
	known.Store(role, r)
	return r
}

// reachOf looks at the bindings of a role, and at those of roles that aggregate it. Whoever
// has everything anyway does not count, nor does a part of Kubernetes that has its own role.
func reachOf(role *authz.Role) *reach {
	r := &reach{}
	for _, b := range role.Reach() {
		for _, s := range b.Subjects {
			if s.Real() && !expected(b.Role, s) {
				r.holders = append(r.holders, holder{s, b})
				r.wide = r.wide || b.Namespace == ""
				r.system = r.system || b.Namespace == system
				r.own = r.own || b.Namespace != "" && b.Namespace != system
			}
		}
	}
	for _, into := range role.Into {
		if into.Default() {
			r.into = append(r.into, into.ID())
		}
	}
	slices.SortStableFunc(r.holders, func(a, b holder) int { // the widest first
		return strings.Compare(a.binding.Namespace, b.binding.Namespace)
	})
	return r
}

// severity is how bad something is, given how far the role goes. A role that nobody was seen
// to have is one step less bad than in a namespace, and nothing in a cluster, where all
// bindings are seen.
func (r *reach) severity(l levels, s *kube.Set) bulwark.Severity {
	var worst bulwark.Severity
	if r.wide {
		worst = l.wide
	}
	if r.system {
		worst = max(worst, l.system)
	}
	if r.own || len(r.into) > 0 {
		worst = max(worst, l.own)
	}
	switch {
	case r.wide || r.system || r.own || len(r.into) > 0 || s.Cluster != nil:
		return worst
	case l.own == none:
		return lower(min(l.wide, medium))
	}
	return lower(l.own)
}

const mostHolders = 8

// tell names those who have the role.
func (r *reach) tell() []string {
	var lines []string
	for i, h := range r.holders {
		if i == mostHolders {
			lines = append(lines, fmt.Sprintf("and %d more subjects have it", len(r.holders)-i))
			break
		}
		lines = append(lines, h.text())
	}
	for _, into := range r.into {
		lines = append(lines, "it is aggregated into "+into)
	}
	if len(lines) == 0 {
		lines = append(lines, "no binding to it was seen")
	}
	return lines
}

func (h *holder) text() string {
	where := "everywhere"
	if h.binding.Namespace != "" {
		where = "in " + h.binding.Namespace
	}
	return fmt.Sprintf("%s has it %s by %s%s", h.subject, where, h.binding.Object.ID(), h.binding.Place())
}

// usual are the subjects of roles of every cluster, besides the controllers'.
var usual = map[string][]string{
	"cluster-admin":                  {"Group kubeadm:cluster-admins"},
	"system:kube-controller-manager": {"User system:kube-controller-manager"},
	"system:kube-scheduler":          {"User system:kube-scheduler"},
	"system:volume-scheduler":        {"User system:kube-scheduler"},
	"system:node":                    {"Group system:nodes"},
	"system:node-proxier":            {"User system:kube-proxy", "Group system:node-proxier"},
	"system:node-bootstrapper":       {"Group system:bootstrappers", "Group system:bootstrappers:kubeadm:default-node-token"},
	"system:kubelet-api-admin":       {"User kube-apiserver", "User kube-apiserver-kubelet-client", "User system:kube-apiserver"},
}

// expected tells whether a role is held by whom Kubernetes itself gives it to.
func expected(role *authz.Role, s authz.Subject) bool {
	if s.Kind == authz.UserGroup && s.Name == authz.Masters {
		return true
	}
	if role == nil || !role.Default() {
		return false
	}
	if slices.Contains(usual[role.Name], s.String()) {
		return true
	}
	controller, ok := strings.CutPrefix(role.Name, "system:controller:")
	if !ok {
		controller, ok = strings.CutPrefix(role.Name, "system:")
	}
	return ok && s.Kind == authz.ServiceAccount && s.Namespace == system && s.Name == controller ||
		ok && s == authz.Subject{Kind: authz.User, Name: "system:kube-controller-manager"} // which runs the controllers
}
