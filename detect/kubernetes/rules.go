package kubernetes

import (
	"cmp"
	"slices"

	"bulwark"
)

// rule is what is looked for, for those who judge what is told of it.
type rule struct {
	bulwark.Rule
	fix        string
	references []string
}

var rules = map[string]rule{
	"exec": {bulwark.Rule{Title: "Somebody runs a command in a pod", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1609"},
		Reason:         "kubectl exec and attach get whoever has a stolen kubeconfig or token into running workloads, with their secrets. Medium with a terminal or standard input, low for a command alone.",
		FalsePositives: "Administrators, and tools that work that way: backup hooks, CI runners."},
		"See who it was and why. Take pods/exec and pods/attach out of roles that do not need them.", []string{"https://attack.mitre.org/techniques/T1609/", "https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/"}},
	"ephemeral-container": {bulwark.Rule{Title: "A container is added to a running pod", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1610", "attack:T1609"},
		Reason:         "kubectl debug brings an image of the asker's choice next to a workload, and into its network and processes. High where that container is privileged or has a capability that leads to the node, else medium.",
		FalsePositives: "Administrators who debug."},
		"See who it was and why; delete the pod, since an ephemeral container cannot be taken out. Take pods/ephemeralcontainers out of roles that do not need it.", []string{"https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/", "https://attack.mitre.org/techniques/T1610/"}},
	"node-pod": {bulwark.Rule{Title: "A pod that can take its node is made", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1610", "attack:T1611"},
		Reason:         "A privileged container, hostPID, a host path such as / or the runtime's socket, or a capability such as SYS_ADMIN is a way out of the container onto the node. High; low where the API server refused it. Pods that controllers make for such a workload are not told again.",
		FalsePositives: "Agents of storage, network and monitoring, when they are installed."},
		"Delete it unless it is known, and look at what it did on its node. Enforce a Pod Security Standard on the namespace.", []string{"https://kubernetes.io/docs/concepts/security/pod-security-standards/", "https://attack.mitre.org/techniques/T1611/"}},
	"cluster-admin": {bulwark.Rule{Title: "Somebody is given the whole cluster", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1098.006"},
		Reason:         "A binding to cluster-admin is how intruders keep what they have, and how a small slip becomes a large one. High: it is rare once a cluster is set up.",
		FalsePositives: "Setting up clusters, and operators that ask for it when they are installed."},
		"Delete the binding unless it is known, and give the rights that are needed instead.", []string{"https://kubernetes.io/docs/concepts/security/rbac-good-practices/", "https://attack.mitre.org/techniques/T1098/006/"}},
	"anonymous": {bulwark.Rule{Title: "The API server answers somebody without a name", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1190", "attack:T1078"},
		Reason:         "Rights of system:anonymous or system:unauthenticated are rights of everybody who reaches the port. High: health checks, the version and what joining nodes need are not told.",
		FalsePositives: "Clusters that give something to everybody on purpose."},
		"Find the binding with bulwark rbac of group:system:unauthenticated, and delete it; set --anonymous-auth=false where probes allow.", []string{"https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests"}},
	"probing": {bulwark.Rule{Title: "Somebody tries what he may do in the cluster", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1613", "attack:T1069"},
		Reason:         "Twenty denied requests for five or more sorts of objects within a minute are what a stolen token is tried with. Programs that belong there ask for what they may do.",
		FalsePositives: "Tools that show all there is, in the hands of somebody who may see little."},
		"Change the credential, and see where it was used.", []string{"https://attack.mitre.org/techniques/T1613/"}},
}

// Rules lists the rules.
func (*Detector) Rules() []bulwark.Rule {
	list := make([]bulwark.Rule, 0, len(rules))
	for name, r := range rules {
		r.ID = "kubernetes/" + name
		list = append(list, r.Rule)
	}
	slices.SortFunc(list, func(a, b bulwark.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
