package rights

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// each gives every target the same step.
func each(list []bulwark.VertexID, edge string, likelihood float64, text string) []step {
	steps := make([]step, len(list))
	for i, to := range list {
		steps[i] = step{to: to, edge: edge, likelihood: likelihood, text: text}
	}
	return steps
}

func one(to bulwark.VertexID, edge string, likelihood float64, text string) []step {
	return each([]bulwark.VertexID{to}, edge, likelihood, text)
}

// lead relates a permission to what one of its grants leads to by itself.
func (e *engine) lead(p *permission, g *grant) {
	for _, s := range e.steps(p, g) {
		e.relation(p, g, s)
	}
}

func (e *engine) steps(p *permission, g *grant) []step {
	switch g.power {
	case allRights:
		if p.namespace == "" && g.names == nil {
			return one(name.ClusterAdmin, "IS_CLUSTER_ADMIN", 1, "may do everything, everywhere")
		}
	case execPods:
		return each(e.pods(p, g), "POD_EXEC", 1, "runs commands in it (pods/exec)")
	case attachPods:
		return each(e.pods(p, g), "POD_ATTACH", 0.4, "attaches to its processes (pods/attach); it takes one that reads commands")
	case forwardPods:
		return each(e.pods(p, g), "POD_PORTFORWARD", 0.2, "reaches every port of it through the API server; it takes one that lets strangers in")
	case debugPods:
		return append(each(e.pods(p, g), "DEBUG_POD", 1, "puts a container of its own into it (pods/ephemeralcontainers)"), e.toNodes(p, g, "DEBUG_POD", "puts a privileged container into a pod")...)
	case patchPods:
		return each(e.pods(p, g), "POD_PATCH", 0.9, "puts an image of its own into it")
	case createPods:
		return e.creates(p, g)
	case patchWorkloads:
		return e.patches(p, g)
	case orderPods:
		return e.orders(p, g)
	case orderClouds:
		return e.commands(g)
	case kubelets:
		return e.kubelets(p, g)
	case readSecrets:
		return e.reads(p, g)
	case createTokens:
		return each(e.accounts(p, g), "GENERATE_TOKEN", 1, "has the API server make a token for it (serviceaccounts/token)")
	case beAccounts:
		return each(e.accounts(p, g), "IDENTITY_IMPERSONATE", 1, "acts as it (impersonate)")
	case beUsers:
		return e.users(g)
	}
	return e.configures(p, g)
}

// configures relates what changes how the cluster works.
func (e *engine) configures(p *permission, g *grant) []step {
	switch g.power {
	case writeWebhooks:
		return one(name.ClusterAdmin, "MUTATING_WEBHOOK", 0.9, "has the API server send it every object that is made, and changes it on its way")
	case watchRequests:
		return one(e.use(name.Secrets("")), "VALIDATING_WEBHOOK", 0.5, "has the API server send it every secret that is made or changed")
	case writeServices:
		return one(name.ClusterAdmin, "APISERVICE_REDIRECT", 0.3, "has the API server send requests of others to it")
	case writeNodes:
		if g.names == nil {
			return one(e.use(name.Pods("")), "NODE_PATCH", 0.2, "drives pods by taints and labels to a node that it holds")
		}
	case writeAWSAuth:
		if e.eks && (p.namespace == "" || p.namespace == "kube-system") && (g.names == nil || slices.Contains(g.names, "aws-auth")) {
			return one(name.ClusterAdmin, "UPDATE_AWS_AUTH", 0.7, "maps an identity of AWS to system:masters")
		}
	}
	return nil
}

// creates relates who makes pods: to every account and secret of the namespace, and to the
// nodes where a privileged one is let in.
func (e *engine) creates(p *permission, g *grant) []step {
	return e.runs(p, g, 1, "CREATE_POD_WITH_SA", "POD_CREATE", "makes a pod (create "+few(g.kinds)+")")
}

// orders relates who has an operator make pods. That takes one which lets its users choose
// what runs.
func (e *engine) orders(p *permission, g *grant) []step {
	if g.names != nil && !slices.ContainsFunc(e.set.Objects, func(o *kube.Object) bool {
		return (p.namespace == "" || o.Namespace == p.namespace) && slices.Contains(g.names, o.Name) && slices.Contains(g.kinds, plural(nil, o.Kind))
	}) {
		return nil
	}
	return e.runs(p, g, 0.6, "CREATE_POD_WITH_SA", "POD_CREATE", "has an operator make a pod ("+few(g.kinds)+")")
}

func (e *engine) runs(p *permission, g *grant, likelihood float64, account, node, text string) []step {
	list := slices.Concat(
		one(e.use(name.Accounts(p.namespace)), account, likelihood, text+" that runs as it"),
		one(e.use(name.Secrets(p.namespace)), node, likelihood, text+" that mounts it"))
	if e.excepted {
		list = append(list, one(e.use(name.NewPods(p.namespace)), node, likelihood, text)...)
	}
	nodes := e.toNodes(p, g, node, text+" that is privileged")
	for i := range nodes {
		nodes[i].likelihood *= likelihood
	}
	return append(list, nodes...)
}

// patches relates who changes what is there and runs pods: its image, its account, and what
// it may do to its node.
func (e *engine) patches(p *permission, g *grant) []step {
	var list []step
	var kinds []string
	for _, kind := range g.kinds {
		targets := e.targets(p, g, func(ns string) bulwark.VertexID { return ofKind(kind, ns) }, func(ns, called string) []bulwark.VertexID { return e.find(kind, ns, called) })
		if len(targets) == 0 || g.names == nil && len(e.of[targets[0]]) == 0 {
			continue // there is none that could be changed
		}
		kinds = append(kinds, kind)
		list = append(list, each(targets, "REPLACE_IMAGE", 1, "puts an image of its own into it (patch "+kind+")")...)
	}
	if kinds == nil {
		return nil
	}
	text := "changes what runs pods (patch " + few(kinds) + ")"
	if p.namespace != "" {
		return append(list, e.runs(p, g, 1, "UPDATE_WORKLOAD_WITH_SA", "CREATE_PRIVILEGED_WORKLOAD", text)...)
	}
	if g.names == nil {
		return append(list, e.runs(p, g, 1, "UPDATE_WORKLOAD_WITH_SA", "CREATE_PRIVILEGED_WORKLOAD", text)...)
	}
	// Everywhere, but for some names: in the namespaces where there are such.
	for _, ns := range e.spacesOf(kinds, g.names) {
		list = append(list, e.runs(&permission{scope: scope{p.role, ns}}, g, 1, "UPDATE_WORKLOAD_WITH_SA", "CREATE_PRIVILEGED_WORKLOAD", text)...)
	}
	return list
}

// spacesOf are the namespaces that have workloads of some names.
func (e *engine) spacesOf(kinds, names []string) []string {
	var list []string
	for _, w := range e.set.Workloads() {
		if slices.Contains(names, w.Name) && slices.Contains(kinds, plural(nil, w.Kind)) && !slices.Contains(list, w.Namespace) {
			list = append(list, w.Namespace)
		}
	}
	return list
}

// kubelets relates who reaches kubelets: they run commands in every pod, for whoever may get
// nodes/proxy.
func (e *engine) kubelets(p *permission, g *grant) []step {
	find := func(_, node string) []bulwark.VertexID { return e.nodePods[node] }
	return each(e.targets(p, g, name.Pods, find), "CAN_EXEC_THROUGH_KUBELET", 1, "runs commands in it through the kubelet (nodes/proxy)")
}

// reads relates who reads secrets.
func (e *engine) reads(p *permission, g *grant) []step {
	if g.lists() || g.names != nil {
		list := each(e.secrets(p, g), "ACCESS_SECRET", 1, "reads it ("+strings.Join(g.verbs, ", ")+" secrets)")
		if g.names == nil {
			list = append(list, e.tokens(p, "TOKEN_LIST", 1, "lists the secret with its token")...)
		}
		return list
	}
	list := each(e.secrets(p, g), "ACCESS_SECRET", 0.6, "reads it (get secrets); it takes its name, which manifests and charts tell")
	return append(list, e.tokens(p, "TOKEN_BRUTEFORCE", 0.3, "guesses the name of the secret with its token, of which five letters are random")...)
}

// oldTokens is the chance that accounts of a cluster that is not there to look at have tokens
// in secrets: until 1.24 each was given one, since then by whoever wants it.
const oldTokens = 0.1

// tokens relates to the accounts that have a token in a secret; to all where secrets are not
// there to look at.
func (e *engine) tokens(p *permission, edge string, likelihood float64, text string) []step {
	list := one(e.use(tokens(p.namespace)), edge, likelihood, text)
	if e.set.Cluster == nil {
		list = append(list, one(e.use(name.Accounts(p.namespace)), edge, likelihood*oldTokens, text+", if it has one (until 1.24 every account had)")...)
	}
	return list
}

// users relates who acts as users: as all of them, also as the control plane's own.
func (e *engine) users(g *grant) []step {
	if g.names == nil {
		return one(name.ClusterAdmin, "IDENTITY_IMPERSONATE", 0.95, "acts as any user, the control plane's own among them (impersonate)")
	}
	var list []step
	for _, user := range g.names {
		if !strings.HasPrefix(user, "system:serviceaccount:") { // those are asked for as accounts
			e.subject(rbac.Subject{Kind: rbac.User, Name: user})
			list = append(list, one(name.Identity(rbac.User, user), "IDENTITY_IMPERSONATE", 1, "acts as the user (impersonate)")...)
		}
	}
	return list
}

// toNodes relates to the nodes where admission lets a privileged pod in.
func (e *engine) toNodes(p *permission, _ *grant, edge, text string) []step {
	likelihood, why := e.privileged(p.namespace)
	if likelihood == 0 {
		return nil
	}
	if why != "" {
		text += " (" + why + ")"
	}
	return []step{{to: e.use(name.Nodes()), edge: edge, likelihood: likelihood, text: text, guard: p.namespace}}
}

// commands relates who writes what an operator makes in a cloud.
func (e *engine) commands(g *grant) []step {
	var list []step
	for _, group := range g.kinds {
		list = append(list, one(e.use(name.Operator(group)), "CLOUD_BY_OPERATOR", 0.8, "has the operator of "+group+" make what it asks for in the cloud")...)
	}
	return list
}

// few names the first of many words.
func few(words []string) string {
	const most = 3
	if len(words) > most {
		return strings.Join(words[:most], ", ") + " and others"
	}
	return strings.Join(words, ", ")
}

func place(o *kube.Object, path ...any) *bulwark.Place {
	l := o.Place(path...)
	if l.File == "" {
		return nil
	}
	return &bulwark.Place{Path: l.File, Line: max(l.Line, 1)}
}
