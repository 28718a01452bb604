package rights

import (
	"maps"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/relate/internal/name"
)

// each gives every target the same step.
func (e *engine) each(list []bulwark.VertexID, edge string, likelihood float64, text string) {
	for _, to := range list {
		e.one(to, edge, likelihood, text)
	}
}

func (e *engine) one(to bulwark.VertexID, edge string, likelihood float64, text string) {
	e.steps = append(e.steps, step{to: to, edge: edge, likelihood: likelihood, text: text})
}

// lead relates a permission to what one of its grants leads to by itself.
func (e *engine) lead(p *permission, g *grant) {
	e.steps = e.steps[:0]
	e.step(p, g)
	for _, s := range e.steps {
		e.relation(p, g, s)
	}
}

func (e *engine) step(p *permission, g *grant) {
	switch g.power {
	case allRights:
		if p.namespace == "" && g.names == nil {
			e.one(name.ClusterAdmin, "IS_CLUSTER_ADMIN", 1, "may do everything, everywhere")
		}
	case execPods:
		e.each(e.pods(p, g), "POD_EXEC", 1, "runs commands in it (pods/exec)")
	case attachPods:
		e.each(e.readers(p, g), "PROCESS_ATTACH", 0.6, "types into its process, which reads what is sent (pods/attach, stdin: true)")
	case forwardPods:
		e.each(e.pods(p, g), "POD_PORTFORWARD", 0.2, "reaches every port of it through the API server; it takes one that lets strangers in")
	case proxyServices:
		if pods := e.space(p.namespace).pods; g.names == nil && pods.any() {
			e.one(e.use(pods), "SERVICE_PROXY", 0.1, "reaches what services lead to through the API server, past every policy; it takes one that lets strangers in")
		}
	case openPolicies:
		e.opens(p, g)
	case debugPods:
		e.each(e.pods(p, g), "DEBUG_POD", 1, "puts a container of its own into it (pods/ephemeralcontainers)")
		if g.names == nil || len(e.steps) > 0 {
			e.toNodes(p.namespace, 1, "DEBUG_POD", "puts a privileged container into a pod")
		}
	case patchPods:
		e.each(e.pods(p, g), "POD_PATCH", 0.9, "puts an image of its own into it")
	case createPods:
		e.runs(p.namespace, g, 1, "CREATE_POD_WITH_SA", "POD_CREATE", "makes a pod (create ")
	case patchWorkloads:
		e.changes(p, g)
	case orderPods:
		e.orders(p, g)
	case orderClouds:
		e.commands(g)
	case kubelets:
		e.each(e.targets(p, g, e.space("").pods, podsOnNodes), "CAN_EXEC_THROUGH_KUBELET", 1, "runs commands in it through the kubelet (nodes/proxy)")
	case readSecrets, takeSecrets:
		e.reads(p, g)
	case createTokens:
		e.each(e.accounts(p, g), "GENERATE_TOKEN", 1, "has the API server make a token for it (serviceaccounts/token)")
	case beAccounts:
		e.each(e.accounts(p, g), "IDENTITY_IMPERSONATE", 1, "acts as it (impersonate)")
	case beUsers:
		e.users(g)
	default:
		e.configures(p, g)
	}
}

// configures relates what changes how the cluster works.
func (e *engine) configures(p *permission, g *grant) {
	switch g.power {
	case writeWebhooks:
		e.one(name.ClusterAdmin, "MUTATING_WEBHOOK", 0.9, "has the API server send it every object that is made, and changes it on its way")
	case watchRequests:
		e.one(e.use(e.space("").secrets), "VALIDATING_WEBHOOK", 0.5, "has the API server send it every secret that is made or changed")
	case writeServices:
		e.one(name.ClusterAdmin, "APISERVICE_REDIRECT", 0.3, "has the API server send requests of others to it")
	case writeNodes:
		if g.names == nil {
			e.one(e.use(e.space("").pods), "NODE_PATCH", 0.2, "drives pods by taints and labels to a node that it holds")
		}
	case makeAWSAuth:
		if seen := e.set.Cluster != nil && e.set.Cluster.Unseen["configmaps"] == ""; e.eks && seen && (p.namespace == "" || p.namespace == "kube-system") && e.set.Find("kube-system/ConfigMap/aws-auth") == nil {
			e.one(name.ClusterAdmin, "UPDATE_AWS_AUTH", 0.3, "makes the ConfigMap aws-auth, which is not there, and maps an identity of AWS to system:masters; the cluster may not ask it")
		}
	case writeNames:
		if (p.namespace == "" || p.namespace == "kube-system") && g.names.allow("coredns") && e.set.Find("kube-system/ConfigMap/coredns") != nil {
			e.one(e.use(e.space("").secrets), "CORE_DNS", 0.1, "has names of the cluster lead to it, and is sent what others send there, passwords among it")
		}
	case writeAWSAuth:
		if e.eks && (p.namespace == "" || p.namespace == "kube-system") && g.names.allow("aws-auth") {
			e.one(name.ClusterAdmin, "UPDATE_AWS_AUTH", 0.7, "maps an identity of AWS to system:masters")
		}
	}
}

// orders relates who has an operator make pods. That takes one which lets its users choose
// what runs.
func (e *engine) orders(p *permission, g *grant) {
	if g.names == nil || slices.ContainsFunc(g.kinds, func(kind string) bool { return e.ordered(kind, p.namespace, g.names) }) {
		e.runs(p.namespace, g, 0.6, "CREATE_POD_WITH_SA", "POD_CREATE", "has an operator make a pod (")
	}
}

// ordered tells whether there is an object of a kind of some names.
func (e *engine) ordered(kind, namespace string, n *names) bool {
	if e.objects == nil {
		e.objects = map[string][]*kube.Object{}
		for _, o := range e.set.Objects {
			if o.Group() != "" {
				k := plural(nil, o.Kind)
				e.objects[k] = append(e.objects[k], o)
			}
		}
	}
	return slices.ContainsFunc(e.objects[kind], func(o *kube.Object) bool {
		return (namespace == "" || o.Namespace == namespace) && n.has[o.Name]
	})
}

// runs relates who makes pods: to every account and secret of the namespace, and to the
// nodes where a privileged one is let in.
func (e *engine) runs(namespace string, g *grant, likelihood float64, account, node, how string) {
	s := e.space(namespace)
	e.one(e.use(s.accounts), account, likelihood, g.say(how, ") that runs as it"))
	e.one(e.use(s.secrets), node, likelihood, g.say(how, ") that mounts it"))
	if e.excepted || s.newPods.any() {
		e.one(e.use(s.newPods), node, likelihood, g.say(how, ") with labels of its choice"))
	}
	e.toNodes(namespace, likelihood, node, g.say(how, ") that is privileged"))
}

// changes relates who changes what is there and runs pods: its image, its account, and what
// it may do to its node.
func (e *engine) changes(p *permission, g *grant) {
	spaces := map[string]bool{}
	for _, kind := range g.kinds {
		all := e.members.kind(e.space(p.namespace), kind)
		if g.names == nil && !all.any() {
			continue // there is none that could be changed
		}
		targets := e.targets(p, g, all, kind)
		e.each(targets, "REPLACE_IMAGE", 1, "puts an image of its own into it (patch "+kind+")")
		for _, one := range targets {
			if g.names == nil {
				spaces[p.namespace] = true
			} else {
				spaces[spaceOf(one)] = true
			}
		}
	}
	// Everywhere, but for some names: in the namespaces where there are such.
	for _, ns := range slices.Sorted(maps.Keys(spaces)) {
		e.runs(ns, g, 1, "UPDATE_WORKLOAD_WITH_SA", "CREATE_PRIVILEGED_WORKLOAD", "changes what runs pods (patch ")
	}
}

// reads relates who reads secrets.
func (e *engine) reads(p *permission, g *grant) {
	s := e.space(p.namespace)
	switch {
	case g.names != nil:
		e.each(e.secrets(p, g), "ACCESS_SECRET", 1, "reads it ("+strings.Join(g.verbs, ", ")+" secrets)")
	case g.lists():
		e.one(e.use(s.secrets), "ACCESS_SECRET", 1, "reads it ("+strings.Join(g.verbs, ", ")+" secrets)")
		e.tokens(s, "TOKEN_LIST", 1, "lists the secret with its token")
	default:
		e.one(e.use(s.secrets), "ACCESS_SECRET", 0.6, "reads it ("+g.verbs[0]+" secrets); it takes its name, which manifests and charts tell")
		e.tokens(s, "TOKEN_BRUTEFORCE", 0.3, "guesses the name of the secret with its token, of which five letters are random")
	}
}

// oldTokens is the chance that accounts of a cluster that is not there to look at have tokens
// in secrets: until 1.24 each was given one, since then by whoever wants it.
const oldTokens = 0.1

// tokens relates to the accounts that have a token in a secret; to all where secrets are not
// there to look at.
func (e *engine) tokens(s *space, edge string, likelihood float64, text string) {
	e.one(e.use(s.tokens), edge, likelihood, text)
	if e.set.Cluster == nil {
		e.one(e.use(s.accounts), edge, likelihood*oldTokens, text+", if it has one (until 1.24 every account had)")
	}
}

// users relates who acts as users: as all of them, also as the control plane's own.
func (e *engine) users(g *grant) {
	if g.names == nil {
		e.one(name.ClusterAdmin, "IDENTITY_IMPERSONATE", 0.95, "acts as any user, the control plane's own among them (impersonate)")
		return
	}
	for _, user := range g.names.list {
		if strings.HasPrefix(user, "system:serviceaccount:") { // those are asked for as accounts
			continue
		}
		if e.strangers++; e.strangers > mostUnseen {
			e.dropped(g, len(g.names.list), "users")
			return
		}
		e.subject(rbac.Subject{Kind: rbac.User, Name: user})
		e.one(name.Identity(rbac.User, user), "IDENTITY_IMPERSONATE", 1, "acts as the user (impersonate)")
		if user == "system:kube-controller-manager" {
			e.one(name.ClusterAdmin, "IDENTITY_IMPERSONATE", 0.95, "acts as the controllers of the cluster, which make tokens of any account (impersonate)")
		}
	}
}

// toNodes relates to the nodes where admission lets a privileged pod in.
func (e *engine) toNodes(namespace string, likelihood float64, edge, text string) {
	in, why := e.privileged(namespace)
	if in == 0 {
		return
	}
	if why != "" {
		text += " (" + why + ")"
	}
	e.steps = append(e.steps, step{to: e.use(e.nodes), edge: edge, likelihood: in * likelihood, text: text, guard: namespace})
}

// commands relates who writes what an operator makes in a cloud.
func (e *engine) commands(g *grant) {
	for _, group := range g.kinds {
		e.one(e.use(e.group(name.Operator(group))), "CLOUD_BY_OPERATOR", 0.8, "has the operator of "+group+" make what it asks for in the cloud")
	}
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
