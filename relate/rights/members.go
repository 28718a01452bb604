package rights

import (
	"slices"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// members says what belongs together in group vertices, and which of those anything leads to.
// What nodes there are is relate/workload's to say.
type members struct {
	set    *kube.Set
	spaces map[string]*space
	of     map[bulwark.VertexID]*group // by their vertices
	order  []*group                    // those that something leads to
	nodes  *group
	typed  map[bulwark.VertexID]bool // pods that read what is sent to them

	named map[string]map[string]*called // kind -> namespace -> who is called what; "" is all of them
}

// group is a vertex between those that are alike.
type group struct {
	id      bulwark.VertexID
	members []bulwark.VertexID
	parts   []*group
	used    bool
}

// space are the groups of a namespace, and of all namespaces where its name is "".
type space struct {
	name                                     string
	pods, accounts, secrets, tokens, newPods *group
	kinds                                    map[string]*group // of workloads: deployments
	owned                                    map[owned]bool
}

// owned is an account, a secret, or an account with a token in one, that is known to be there.
type owned struct{ kind, name string }

// called are those of a kind in a namespace, by name.
type called struct {
	names []string // sorted
	of    map[string][]bulwark.VertexID
}

// tokens are the accounts of a namespace that have a token in a secret.
func tokens(namespace string) bulwark.VertexID { return ofKind("tokens", namespace) }

// ofKind are the workloads of a kind ("deployments") of a namespace.
func ofKind(kind, namespace string) bulwark.VertexID {
	if namespace == "" {
		return name.Group(kind)
	}
	return name.Group(kind + " of " + namespace)
}

func membersOf(s *kube.Set) *members {
	m := &members{set: s, spaces: map[string]*space{}, of: map[bulwark.VertexID]*group{}, typed: map[bulwark.VertexID]bool{}}
	m.nodes = m.group(name.Nodes())
	for _, w := range s.Workloads() {
		m.workload(w)
	}
	for _, o := range s.Kind("", "ServiceAccount") {
		m.account(o.Namespace, o.Name)
	}
	for _, o := range s.Kind("", "Secret") {
		m.secret(o)
	}
	return m
}

func (m *members) group(id bulwark.VertexID) *group {
	g := m.of[id]
	if g == nil {
		g = &group{id: id}
		m.of[id] = g
	}
	return g
}

// space gives the groups of a namespace, which are parts of those of all.
func (m *members) space(namespace string) *space {
	s := m.spaces[namespace]
	if s != nil {
		return s
	}
	s = &space{name: namespace, kinds: map[string]*group{}, owned: map[owned]bool{}}
	s.pods, s.accounts, s.secrets = m.group(name.Pods(namespace)), m.group(name.Accounts(namespace)), m.group(name.Secrets(namespace))
	s.tokens, s.newPods = m.group(tokens(namespace)), m.group(name.NewPods(namespace))
	m.spaces[namespace] = s
	if namespace != "" {
		all := m.space("")
		all.pods.parts, all.accounts.parts = append(all.pods.parts, s.pods), append(all.accounts.parts, s.accounts)
		all.secrets.parts, all.tokens.parts = append(all.secrets.parts, s.secrets), append(all.tokens.parts, s.tokens)
		all.newPods.parts = append(all.newPods.parts, s.newPods)
	}
	return s
}

// reading are pods with a process that reads what is sent to it.
const reading = "pods that read"

// kind gives the group of the workloads of a kind.
func (m *members) kind(s *space, kind string) *group {
	g := s.kinds[kind]
	if g == nil {
		g = m.group(ofKind(kind, s.name))
		s.kinds[kind] = g
		if s.name != "" {
			all := m.kind(m.space(""), kind)
			all.parts = append(all.parts, g)
		}
	}
	return g
}

func (m *members) workload(w *kube.Workload) {
	one, s := name.Workload(w), m.space(w.Namespace)
	s.pods.members = append(s.pods.members, one)
	s.newPods.members = append(s.newPods.members, name.Network(w))
	if w.Kind != "Pod" {
		g := m.kind(s, plural(nil, w.Kind))
		g.members = append(g.members, one)
	}
	if slices.ContainsFunc(w.Containers, func(c kube.Container) bool { return c.Stdin }) {
		g := m.kind(s, reading)
		g.members = append(g.members, one)
		m.typed[one] = true
	}
	m.account(w.Namespace, w.ServiceAccount())
	for _, secret := range secretsOf(w) {
		m.addSecret(w.Namespace, secret)
	}
}

func (m *members) account(namespace, account string) {
	m.own(namespace, "accounts", account, name.Account)
}

func (m *members) addSecret(namespace, secret string) {
	m.own(namespace, "secrets", secret, name.Secret)
}

// own puts an account or secret into its group, once.
func (m *members) own(namespace, kind, called string, id func(namespace, called string) bulwark.VertexID) {
	s, at := m.space(namespace), owned{kind, called}
	if called == "" || s.owned[at] {
		return
	}
	s.owned[at] = true
	g := map[string]*group{"accounts": s.accounts, "secrets": s.secrets, "tokens": s.tokens}[kind]
	g.members = append(g.members, id(namespace, called))
}

func (m *members) secret(o *kube.Object) {
	m.addSecret(o.Namespace, o.Name)
	if account, ok := tokenOf(o); ok {
		m.own(o.Namespace, "tokens", account, name.Account)
	}
}

// tokenOf is the account whose token a secret holds.
func tokenOf(o *kube.Object) (account string, ok bool) {
	account = o.Annotations["kubernetes.io/service-account.name"]
	return account, account != "" && o.Root.Get("type").Text() == "kubernetes.io/service-account-token"
}

// secretsOf are the names of secrets that pods are given, which there must be.
func secretsOf(w *kube.Workload) []string {
	var list []string
	for i := range w.Spec.Volumes {
		v := &w.Spec.Volumes[i]
		if v.Secret != nil {
			list = append(list, v.Secret.SecretName)
		}
		if v.Projected != nil {
			for _, source := range v.Projected.Sources {
				if source.Secret != nil {
					list = append(list, source.Secret.Name)
				}
			}
		}
	}
	for _, pull := range w.Spec.ImagePullSecrets {
		list = append(list, pull.Name)
	}
	for i := range w.Containers {
		c := &w.Containers[i]
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				list = append(list, from.SecretRef.Name)
			}
		}
		for j := range c.Env {
			if v := c.Env[j].ValueFrom; v != nil && v.SecretKeyRef != nil {
				list = append(list, v.SecretKeyRef.Name)
			}
		}
	}
	return list
}

// use marks a group as one that something leads to.
func (m *members) use(g *group) bulwark.VertexID {
	if !g.used {
		g.used = true
		m.order = append(m.order, g)
	}
	return g.id
}

// any tells whether there is anybody in the group.
func (g *group) any() bool {
	return len(g.members) > 0 || slices.ContainsFunc(g.parts, (*group).any)
}

// relate tells who is in the groups that anything leads to.
func (m *members) relate(to bulwark.Relations) {
	is := func(g *group, one bulwark.VertexID) {
		to.Relation(bulwark.Relation{From: g.id, To: one, Type: "MEMBER_OF", Text: "is one of them"})
	}
	for i := 0; i < len(m.order); i++ {
		for _, one := range m.order[i].members {
			is(m.order[i], one)
		}
		for _, part := range m.order[i].parts {
			if len(part.members) > 0 {
				is(m.order[i], m.use(part))
			}
		}
	}
}

// subjectVertex is who a subject is in the graph.
func subjectVertex(s rbac.Subject) bulwark.VertexID {
	if s.Kind == rbac.ServiceAccount {
		return name.Account(s.Namespace, s.Name)
	}
	return name.Identity(s.Kind, s.Name)
}
