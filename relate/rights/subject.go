package rights

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// subject is somebody who is bound to anything, or could be taken for.
type subject struct {
	rbac.Subject
	id    bulwark.VertexID
	holds []*holding
	mask  uint64 // the powers that they give
}

// holding is a permission that somebody has by a binding.
type holding struct {
	*permission
	binding *rbac.Binding
}

func (e *engine) subject(s rbac.Subject) *subject {
	one := e.subjects[s]
	if one == nil {
		one = &subject{Subject: s, id: subjectVertex(s)}
		e.subjects[s] = one
		e.order = append(e.order, one)
		if s.Kind == rbac.ServiceAccount {
			e.account(s.Namespace, s.Name)
		}
	}
	return one
}

// bind relates the subjects of a binding to the permission that it gives them. Kubernetes' own
// roles are left out where they lead nowhere: all are bound to some.
func (e *engine) bind(b *rbac.Binding) {
	if b.Role == nil || len(b.Subjects) == 0 {
		return
	}
	p := e.permission(b.Role, b.Namespace)
	quiet := p.mask == 0 && (p.role.Default() || len(p.role.Rules) == 0)
	r := bulwark.Relation{To: p.id, Type: "PERMISSION_DISCOVER", Text: "is bound to " + p.role.ID() + where(b.Namespace) + " by " + b.Object.ID()}
	if !quiet {
		e.unbind(b).add(&r)
	}
	h := &holding{p, b}
	for _, s := range b.Subjects {
		if !s.Real() {
			continue
		}
		one := e.subject(s)
		if n := len(one.holds); n > 0 && one.holds[n-1] == h {
			continue // it is named twice
		}
		one.holds, one.mask = append(one.holds, h), one.mask|p.mask
		if !quiet {
			r.From = one.id
			e.to.Relation(r)
		}
	}
}

// leads tells whether somebody is bound to anything that leads further.
func (e *engine) leads(s rbac.Subject) bool {
	one := e.subjects[s]
	return one != nil && one.mask != 0
}

// holders are those who hold the same bindings, themselves and by groups that all of them are in.
type holders struct {
	subjects []*subject
	holds    []*holding // their own
	groups   *groups
	id       bulwark.VertexID
	rough    bool // they hold too much to be told apart
}

// vertex is who they are: a group that they are in, where they are several.
func (h *holders) vertex(e *engine) bulwark.VertexID {
	if h.id != "" {
		return h.id
	}
	h.id = h.subjects[0].id
	if len(h.subjects) > 1 {
		h.id = name.Group("those who hold what " + string(h.id) + " holds")
		for _, s := range h.subjects {
			e.to.Relation(bulwark.Relation{From: s.id, To: h.id, Type: "MEMBER_OF", Text: "is one of those who hold the same"})
		}
	}
	return h.id
}

// alike puts those together who hold the same, and anything themselves.
func (e *engine) alike() []*holders {
	found := map[uint64][]*holders{}
	var list []*holders
	number := map[*holding]uint64{}
	for _, s := range e.order {
		if s.mask == 0 {
			continue
		}
		groups, sum := e.groupsOf(s), uint64(14695981039346656037)
		for _, one := range s.holds {
			if number[one] == 0 {
				number[one] = uint64(len(number) + 1)
			}
			sum = (sum ^ number[one]) * 1099511628211
		}
		i := slices.IndexFunc(found[sum], func(h *holders) bool { return h.groups == groups && slices.Equal(h.holds, s.holds) })
		if i < 0 {
			h := &holders{holds: s.holds, groups: groups}
			found[sum], i = append(found[sum], h), len(found[sum])
			list = append(list, h)
		}
		h := found[sum][i]
		h.subjects = append(h.subjects, s)
	}
	return list
}

func where(namespace string) string {
	if namespace == "" {
		return " everywhere"
	}
	return " in " + namespace
}

// aboutBindings are the rules of check/rbac whose findings are about a binding.
var aboutBindings = []string{
	"rbac/cluster-admin-bound", "rbac/admin-bound", "rbac/namespace-admin-bound", "rbac/system-role-bound", "rbac/console-admin", "rbac/anonymous-bound", "rbac/authenticated-bound", "rbac/accounts-bound",
	"rbac/default-account-bound", "rbac/masters-bound", "rbac/nodes-bound", "rbac/foreign-account", "rbac/claimable-account",
}

// unbind says why a binding gives what it does, and its removal as remedy; except where
// Kubernetes makes it again. The patch leaves it with nobody.
func (e *engine) unbind(b *rbac.Binding) *cause {
	c := e.unbound[b]
	if c == nil {
		var about bulwark.Relation
		e.known.Because(&about, b.Object.ID(), aboutBindings...)
		c = &cause{place: place(b.Object, "roleRef"), because: about.Because}
		if b.Object.Labels["kubernetes.io/bootstrapping"] != "rbac-defaults" {
			c.remedies = []string{e.remedy("remove "+b.Object.ID(), "remove "+b.Object.ID()+b.Place()+", or bind a role that allows less than "+b.RefID(), b.Object, []kube.Edit{kube.Put([]any{}, "subjects")})}
		}
		e.unbound[b] = c
	}
	return c
}

// groups relates those who are in groups that anything is bound to, without being told.
func (e *engine) groups() {
	is := func(from bulwark.VertexID, group string) {
		if to := name.Identity(rbac.UserGroup, group); e.leads(rbac.Subject{Kind: rbac.UserGroup, Name: group}) && from != to {
			e.to.Relation(bulwark.Relation{From: from, To: to, Type: "MEMBER_OF", Text: "is in the group " + group})
		}
	}
	for _, space := range e.space("").accounts.parts {
		ns := strings.TrimPrefix(string(space.id), "group:accounts of ")
		for _, account := range space.members {
			is(account, rbac.ServiceAccounts+":"+ns)
			is(account, rbac.ServiceAccounts)
			is(account, rbac.Authenticated)
		}
	}
	for _, s := range e.order {
		switch {
		case s.Kind == rbac.User && s.Name == rbac.Anonymous:
			is(s.id, rbac.Unauthenticated)
			continue
		case s.Kind == rbac.User && strings.HasPrefix(s.Name, "system:node:"):
			is(s.id, "system:nodes")
		case s.Kind == rbac.User && strings.HasPrefix(s.Name, "system:bootstrap:"):
			is(s.id, "system:bootstrappers")
		}
		switch {
		case s.Kind == rbac.User, s.Kind == rbac.UserGroup && s.Name != rbac.Unauthenticated && s.Name != rbac.Authenticated && !strings.HasPrefix(s.Name, rbac.ServiceAccounts):
			is(s.id, rbac.Authenticated)
		}
	}
}

// How likely it is to come from where.
const (
	apiServerFromInternet = 0.3 // whether its address is public is not known
	apiServerFromPods     = 0.9 // they are given its address; a network policy may hold them
	anyoneOfTheCloud      = 0.5 // on GKE everybody with an account of Google's is authenticated
	deployer              = 0.3 // builds run what others wrote, and hold what deploys
)

// outside relates those who are asked for nothing to what they may do, and builds to the
// identities that they deploy with.
func (e *engine) outside() {
	user, group := rbac.Subject{Kind: rbac.User, Name: rbac.Anonymous}, rbac.Subject{Kind: rbac.UserGroup, Name: rbac.Unauthenticated}
	for _, s := range []rbac.Subject{user, group} {
		if !e.leads(s) || e.loginRequired() {
			continue
		}
		e.to.Relation(bulwark.Relation{From: name.Internet, To: subjectVertex(s), Type: "ANONYMOUS", Likelihood: apiServerFromInternet, Text: "asks the API server without logging in, where that can be reached"})
		for _, w := range e.set.Workloads() {
			e.to.Relation(bulwark.Relation{From: name.Network(w), To: subjectVertex(s), Type: "ANONYMOUS", Likelihood: apiServerFromPods, Text: "asks the API server without logging in"})
		}
	}
	if all := (rbac.Subject{Kind: rbac.UserGroup, Name: rbac.Authenticated}); e.leads(all) && onGKE(e) {
		e.to.Relation(bulwark.Relation{From: name.Internet, To: subjectVertex(all), Type: "ANONYMOUS", Likelihood: anyoneOfTheCloud, Text: "logs in to the API server of GKE with any account of Google's"})
	}
	for _, s := range e.order {
		if why := builds(s); why != "" {
			e.to.Relation(bulwark.Relation{From: name.Identity("CI", "runner"), To: s.id, Type: "IDENTITY_ASSUME", Likelihood: deployer, Text: "deploys as it: " + why})
		}
	}
}

// loginRequired tells whether the API server is seen to refuse who does not log in.
func (e *engine) loginRequired() bool {
	for _, w := range e.set.Workloads() {
		if w.Namespace != "kube-system" || !strings.HasPrefix(w.Name, "kube-apiserver") {
			continue
		}
		for _, c := range w.Containers {
			if slices.Contains(c.Command, "--anonymous-auth=false") || slices.Contains(c.Args, "--anonymous-auth=false") {
				return true
			}
		}
	}
	return false
}

func onGKE(e *engine) bool {
	return slices.ContainsFunc(e.set.Kind("", "Node"), func(o *kube.Object) bool {
		return o.Labels["cloud.google.com/gke-nodepool"] != ""
	})
}

// deploying are words of names that those have who deploy for others.
var deploying = strings.Fields("ci cd cicd deploy deployer deployment deployments gitlab github actions jenkins argocd argo flux fluxcd tekton drone circleci buildkite bamboo teamcity azure-pipelines pipeline pipelines spinnaker harness builder build runner runners release terraform ansible helm gitops")

// builds says why somebody is taken for what deploys: by its name, and a right to do it. "" is
// for others.
func builds(s *subject) string {
	if strings.HasPrefix(s.Name, "system:") || s.Namespace == "kube-system" {
		return ""
	}
	words := strings.FieldsFunc(strings.ToLower(s.Namespace+" "+s.Name), func(r rune) bool { return r < 'a' || r > 'z' })
	i := slices.IndexFunc(words, func(w string) bool { return slices.Contains(deploying, w) })
	if i < 0 {
		return ""
	}
	const deploy = 1<<createPods | 1<<patchWorkloads | 1<<allRights | 1<<orderPods
	for _, h := range s.holds {
		if h.mask&deploy != 0 {
			return "it is called " + words[i] + ", and " + h.role.ID() + " lets it make or change what runs pods"
		}
	}
	return ""
}
