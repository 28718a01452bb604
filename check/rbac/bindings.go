package rbac

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	authz "bulwark/rbac"
)

var bindingRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "rbac/cluster-admin-bound", Severity: critical, Title: "Somebody is made cluster-admin",
			Tags:  []string{"cis:5.1.1", "attack:T1078", "edge:IS_CLUSTER_ADMIN", "kubescape:C-0035", "kubelinter:cluster-admin-role-binding"},
			Fix:   "bind a role with what is used; for people, one that they take on for as long as they need it",
			Why:   "it is every right there is: who takes over the program, or its token, has the cluster. For people it is less bad than for a program, which anybody may find a hole in",
			Noise: "somebody has to be the administrator: see that it is few, and people",
			Refs:  []string{docs + "#user-facing-roles", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			wanted := func(b *authz.Binding, s authz.Subject) bool {
				return isRole(b, "cluster-admin") && !expected(b.Role, s) && !crowd(s) && !console(s) && s.Name != "system:nodes" // which has rules of its own
			}
			for _, g := range bindings(s, wanted) {
				level := medium
				if slices.ContainsFunc(g.Subjects, account) {
					level = critical
				}
				switch {
				case g.Namespace == system:
					level = lower(level)
				case g.Namespace != "":
					level = lower(lower(level))
				}
				h.Add(g.hit(level))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/admin-bound", Severity: high, Title: "Somebody is made administrator of every namespace",
			Tags:  []string{"cis:5.1.1", "attack:T1078"},
			Fix:   "bind admin or edit in the namespaces where it is needed, by a RoleBinding",
			Why:   "admin and edit read every secret, act as every service account and run pods: bound everywhere, or in kube-system, that leads to cluster-admin",
			Noise: "for people who run the cluster it may be right",
			Refs:  []string{docs + "#user-facing-roles", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			wanted := func(b *authz.Binding, s authz.Subject) bool {
				return isRole(b, "admin", "edit") && (b.Namespace == "" || b.Namespace == system) && !expected(b.Role, s) && !crowd(s) && !console(s)
			}
			for _, g := range bindings(s, wanted) {
				level := low
				if slices.ContainsFunc(g.Subjects, account) {
					level = high
				}
				h.Add(g.hit(level))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/namespace-admin-bound", Severity: medium, Title: "A service account administers a namespace",
			Tags:  []string{"cis:5.1.2", "cis:5.1.4", "attack:T1078"},
			Fix:   "bind a role with what the program uses",
			Why:   "admin and edit are made for people: they read every secret of the namespace, run pods and commands in pods, and act as its other service accounts",
			Noise: "what deploys into the namespace (CI, GitOps) needs most of it",
			Refs:  []string{docs + "#user-facing-roles", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			wanted := func(b *authz.Binding, s authz.Subject) bool {
				return isRole(b, "admin", "edit") && b.Namespace != "" && b.Namespace != system && account(s) && !console(s)
			}
			for _, g := range bindings(s, wanted) {
				h.Add(g.hit(medium))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/system-role-bound", Severity: high, Title: "A role of Kubernetes' own parts is given to somebody else",
			Tags:  []string{"cis:5.1.1", "attack:T1078"},
			Fix:   "write a role with what is used",
			Why:   "roles whose names begin with system: are for the control plane and nodes, allow more than they seem to, and change with every version",
			Noise: "drivers of storage are made to have system:persistent-volume-provisioner",
			Refs:  []string{docs + "#default-roles-and-role-bindings"}},
		Set: func(h *posture.Hits, s *kube.Set) {
			wanted := func(b *authz.Binding, s authz.Subject) bool {
				return b.Role != nil && b.Role.Default() && strings.HasPrefix(b.RefName, "system:") && !slices.Contains(harmless, b.RefName) && !expected(b.Role, s) && !crowd(s)
			}
			for _, g := range bindings(s, wanted) {
				if names, worst := dangersOf(g.Binding); worst != none {
					h.Add(g.hit(worst, allows(g.Binding, names)))
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/console-admin", Severity: critical, Title: "A console that others steer has wide rights",
			Tags:  []string{"cis:5.1.1", "attack:T1133", "kubescape:C-0014", "edge:IS_CLUSTER_ADMIN"},
			Fix:   "give the dashboard the role of its own chart, and have people log in with their own token; take Tiller out, Helm 3 has none",
			Why:   "whoever reaches the dashboard past its login, or Tiller's port in the cluster, has the rights of its account",
			Noise: "a console that nobody can reach but by a login of its own, with the rights of whoever logged in",
			Refs:  []string{"https://kubernetes.io/docs/tasks/access-application-cluster/web-ui-dashboard/", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, g := range bindings(s, func(_ *authz.Binding, s authz.Subject) bool { return console(s) }) {
				names, worst := dangersOf(g.Binding)
				if worst < medium || worst == medium && g.Namespace != "" {
					continue
				}
				h.Add(g.hit(worst, allows(g.Binding, names)))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/anonymous-bound", Severity: high, Title: "Rights are given to whoever does not log in",
			Tags:  []string{"cis:5.1.1", "attack:T1190", "kubescape:C-0262"},
			Fix:   "take system:anonymous and system:unauthenticated out of the subjects",
			Why:   "everybody who reaches the API server has them, without any password or token",
			Noise: "an identity provider's keys may be meant to be read by all: that is the role system:service-account-issuer-discovery, which is not found",
			Refs:  []string{"https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, g := range bindings(s, func(b *authz.Binding, s authz.Subject) bool { return unknown(s) && !isHarmless(b) }) {
				names, worst := dangersOf(g.Binding)
				if worst >= high {
					worst = critical
				}
				hit := g.hit(max(high, worst), allows(g.Binding, names))
				hit.Edits = g.drop()
				h.Add(hit)
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/authenticated-bound", Severity: medium, Title: "Rights are given to everybody who logs in",
			Tags:  []string{"cis:5.1.1", "attack:T1078"},
			Fix:   "name the groups or accounts that need it",
			Why:   "every user and every pod with a token is in system:authenticated; in clouds it may be everybody who has an account there",
			Noise: "clusters where logging in means being trusted, and rights that only show what everybody may know",
			Refs:  []string{docs + "#default-roles-and-role-bindings", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, g := range bindings(s, func(b *authz.Binding, s authz.Subject) bool { return everybody(s) && !isHarmless(b) }) {
				names, worst := dangersOf(g.Binding)
				h.Add(g.hit(crowdLevel(worst), allows(g.Binding, names)))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/accounts-bound", Severity: medium, Title: "Rights are given to every service account",
			Tags:  []string{"cis:5.1.1", "cis:5.1.5", "attack:T1078"},
			Fix:   "bind the service accounts that need it, by name",
			Why:   "every pod has them that has a token, also the one that is taken over tomorrow; system:serviceaccounts:NAMESPACE is every pod of that namespace",
			Noise: "clusters of one team, where every pod has the same rights by intention",
			Refs:  []string{docs + "#service-account-permissions", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, g := range bindings(s, func(b *authz.Binding, s authz.Subject) bool { return everyAccount(s) && !isHarmless(b) }) {
				names, worst := dangersOf(g.Binding)
				level := crowdLevel(worst)
				if isGroup(g.Subjects[g.at[0]], authz.ServiceAccounts+":"+g.Namespace) {
					level = max(low, worst) // those of its own namespace
				}
				h.Add(g.hit(level, allows(g.Binding, names)))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/nodes-bound", Severity: low, Title: "Rights are given to every node",
			Tags:  []string{"cis:5.1.1", "attack:T1078", "edge:IDENTITY_ASSUME"},
			Fix:   "bind a service account of the program that runs on the nodes",
			Why:   "the node authorizer holds a kubelet to what its own pods need; a binding to system:nodes gives the same right over everything to each of them, and so to whoever takes one node. Low, and as bad as the role where that is dangerous",
			Noise: "kubeadm and clouds let nodes renew their certificates and read their settings this way: that is not found",
			Refs:  []string{"https://kubernetes.io/docs/reference/access-authn-authz/node/", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, g := range bindings(s, func(b *authz.Binding, s authz.Subject) bool { return isGroup(s, nodes) && !ofInstaller(b) }) {
				names, worst := dangersOf(g.Binding)
				h.Add(g.hit(max(low, worst), allows(g.Binding, names)))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/default-account-bound", Severity: medium, Title: "Rights are given to a default service account",
			Tags:  []string{"cis:5.1.5", "sec:SEC21", "attack:T1078", "kubescape:C-0189"},
			Fix:   "make a service account for the program, bind that, and name it in its pods",
			Why:   "every pod of the namespace that names no account is the default one, and has these rights without knowing",
			Noise: "a namespace with one program in it, whose pods are all meant to have the rights",
			Refs:  []string{"https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			wanted := func(b *authz.Binding, s authz.Subject) bool {
				return account(s) && s.Name == "default" && !isHarmless(b)
			}
			for _, g := range bindings(s, wanted) {
				names, worst := dangersOf(g.Binding)
				level := medium
				if worst >= high {
					level = high
				}
				h.Add(g.hit(level, allows(g.Binding, names)))
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/log-read", Severity: high, Title: "A pod that writes the node's /var/log may read logs of pods",
			Tags:  []string{"attack:T1611", "edge:CE_VAR_LOG_SYMLINK"},
			Fix:   "mount /var/log/pods or /var/log/containers read-only, or give the account no pods/log",
			Why:   "the kubelet reads as root what it finds in /var/log: a link put there shows any file of the node as the log of a pod",
			Noise: "agents that read logs and rotate them; read-only is enough for most",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/volumes/#hostpath", good}},
		Set: logRead,
	},
	{
		Rule: misconfig.Rule{ID: "rbac/claimable-account", Severity: medium, Title: "Rights wait for a service account that does not exist",
			Tags:  []string{"attack:T1136", "cis:5.1.1"},
			Fix:   "delete the binding, or the subject in it",
			Why:   "whoever may make a service account of that name, or a namespace for it, has these rights",
			Noise: "the account is made later, by an operator or another release: among manifests it is low",
			Refs:  []string{docs + "#referring-to-subjects", good}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, g := range bindings(s, missing(s)) {
				if names, worst := dangersOf(g.Binding); worst >= medium {
					level := medium
					if s.Cluster == nil {
						level = low // another file may make it
					}
					h.Add(g.hit(level, "it does not exist", allows(g.Binding, names)))
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/aggregates-everything", Severity: high, Title: "A role takes the rules of every other role",
			Tags:  []string{"cis:5.1.3", "attack:T1098.006"},
			Fix:   "choose the roles by a label of their own",
			Why:   "an empty selector chooses every ClusterRole, cluster-admin among them",
			Noise: "roles for administrators that are meant to follow every other role",
			Refs:  []string{docs + "#aggregated-clusterroles"}},
		Object: func(h *posture.Hits, o *kube.Object) {
			selectors := o.Root.Get("aggregationRule", "clusterRoleSelectors")
			for i, n := range selectors.Items() {
				if n.Form() == kube.Map && n.Get("matchLabels").Len() == 0 && n.Get("matchExpressions").Len() == 0 {
					h.Add(posture.Hit{Object: o, Path: []any{"aggregationRule", "clusterRoleSelectors", i}, Evidence: "the selector is empty"})
				}
			}
		},
		Kinds: []string{"ClusterRole." + authz.Group},
	},
	{
		Rule: misconfig.Rule{ID: "rbac/widens-view", Severity: medium, Title: "The role view is given more than viewing",
			Tags:  []string{"cis:5.1.3", "attack:T1098.006"},
			Fix:   "aggregate it to edit or admin instead, or take the rule out",
			Why:   "view is handed out as what cannot do harm: it has no secrets and writes nothing, and everybody who has it has this too",
			Noise: "resources that show nothing secret, or that do no harm when everybody writes them",
			Refs:  []string{docs + "#user-facing-roles"}},
		Object: func(h *posture.Hits, o *kube.Object) {
			if o.Labels["rbac.authorization.k8s.io/aggregate-to-view"] != "true" {
				return
			}
			role := authz.Of(h.Set).Role(o.ID())
			for _, d := range dangers {
				for _, f := range d.beyond(role, d.look(role)) {
					if f.own >= medium || f.wide >= high {
						h.Add(posture.Hit{Object: o, Path: role.At(f.index), Evidence: fmt.Sprintf("rule %d: %s", index(role, f.index)+1, f.text(&role.Rules[f.index]))})
					}
				}
			}
		},
		Kinds: []string{"ClusterRole." + authz.Group},
	},
}
