package rights

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// members says what belongs together in group vertices, and which of those anything leads to.
// What nodes there are is relate/workload's to say.
type members struct {
	set   *kube.Set
	of    map[bulwark.VertexID][]bulwark.VertexID
	has   map[[2]bulwark.VertexID]bool
	used  map[bulwark.VertexID]bool
	order []bulwark.VertexID // used ones

	byName   map[[2]string][]bulwark.VertexID // "pods" or "accounts" or "secrets", name -> in all namespaces
	inSpace  map[[3]string][]bulwark.VertexID
	nodePods map[string][]bulwark.VertexID
}

// Tokens are the accounts of a namespace that have a token in a secret.
func tokens(namespace string) bulwark.VertexID {
	if namespace == "" {
		return name.Group("tokens")
	}
	return name.Group("tokens of " + namespace)
}

// ofKind are the workloads of a kind ("deployments") of a namespace.
func ofKind(kind, namespace string) bulwark.VertexID {
	if namespace == "" {
		return name.Group(kind)
	}
	return name.Group(kind + " of " + namespace)
}

func membersOf(s *kube.Set) *members {
	m := &members{set: s, of: map[bulwark.VertexID][]bulwark.VertexID{}, has: map[[2]bulwark.VertexID]bool{}, used: map[bulwark.VertexID]bool{},
		byName: map[[2]string][]bulwark.VertexID{}, inSpace: map[[3]string][]bulwark.VertexID{}, nodePods: map[string][]bulwark.VertexID{}}
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

// member puts one into a group, once.
func (m *members) member(group, one bulwark.VertexID) bool {
	pair := [2]bulwark.VertexID{group, one}
	if m.has[pair] {
		return false
	}
	m.has[pair] = true
	m.of[group] = append(m.of[group], one)
	return true
}

// in puts one into its namespace's group, which is part of that of all namespaces.
func (m *members) in(group func(string) bulwark.VertexID, namespace string, one bulwark.VertexID) bool {
	if !m.member(group(namespace), one) {
		return false
	}
	m.member(group(""), group(namespace))
	return true
}

func (m *members) called(what, namespace, called string, one bulwark.VertexID) {
	m.byName[[2]string{what, called}] = append(m.byName[[2]string{what, called}], one)
	m.inSpace[[3]string{what, namespace, called}] = append(m.inSpace[[3]string{what, namespace, called}], one)
}

func (m *members) workload(w *kube.Workload) {
	one := name.Workload(w)
	m.in(name.Pods, w.Namespace, one)
	if kind := plural(nil, w.Kind); w.Kind != "Pod" {
		m.in(func(ns string) bulwark.VertexID { return ofKind(kind, ns) }, w.Namespace, one)
		m.called(kind, w.Namespace, w.Name, one)
	} else {
		m.called("pods", w.Namespace, w.Name, one)
	}
	for _, p := range w.Pods {
		m.called("pods", p.Namespace, p.Name, one)
		if node := p.Root.Get("spec", "nodeName").Text(); node != "" && !slices.Contains(m.nodePods[node], one) {
			m.nodePods[node] = append(m.nodePods[node], one)
		}
	}
	if w.Spec.NodeName != "" {
		m.nodePods[w.Spec.NodeName] = append(m.nodePods[w.Spec.NodeName], one)
	}
	m.account(w.Namespace, w.ServiceAccount())
	for _, secret := range secretsOf(w) {
		m.addSecret(w.Namespace, secret)
	}
}

func (m *members) account(namespace, account string) {
	if one := name.Account(namespace, account); m.in(name.Accounts, namespace, one) {
		m.called("accounts", namespace, account, one)
	}
}

func (m *members) addSecret(namespace, secret string) {
	if one := name.Secret(namespace, secret); secret != "" && m.in(name.Secrets, namespace, one) {
		m.called("secrets", namespace, secret, one)
	}
}

func (m *members) secret(o *kube.Object) {
	m.addSecret(o.Namespace, o.Name)
	if account, ok := tokenOf(o); ok {
		m.in(tokens, o.Namespace, name.Account(o.Namespace, account))
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
	for _, c := range w.Containers {
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				list = append(list, from.SecretRef.Name)
			}
		}
		for _, v := range c.Env {
			if v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil {
				list = append(list, v.ValueFrom.SecretKeyRef.Name)
			}
		}
	}
	return list
}

// find gives those of a name in a namespace, or in all.
func (m *members) find(what, namespace, called string) []bulwark.VertexID {
	if namespace == "" {
		return m.byName[[2]string{what, called}]
	}
	return m.inSpace[[3]string{what, namespace, called}]
}

// podsCalled are the workloads that have a pod of that name, or will have it.
func (m *members) podsCalled(namespace, called string) []bulwark.VertexID {
	if list := m.find("pods", namespace, called); len(list) > 0 {
		return list
	}
	if set, n, ok := cutLast(called, "-"); ok && strings.Trim(n, "0123456789") == "" {
		return m.find("statefulsets", namespace, set)
	}
	return nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+len(sep):], true
}

// use marks a group as one that something leads to.
func (m *members) use(group bulwark.VertexID) bulwark.VertexID {
	if !m.used[group] {
		m.used[group] = true
		m.order = append(m.order, group)
	}
	return group
}

// relate tells who is in the groups that anything leads to.
func (m *members) relate(to bulwark.Relations) {
	for i := 0; i < len(m.order); i++ {
		for _, one := range m.of[m.order[i]] {
			if strings.HasPrefix(string(one), "group:") {
				m.use(one)
			}
			to.Relation(bulwark.Relation{From: m.order[i], To: one, Type: "MEMBER_OF", Text: "is one of them"})
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
