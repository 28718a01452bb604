// Package synth makes clusters of any size out of a seed, as an API server would list them:
// for measurements, and for tests that need more than a few objects. The same seed makes
// the same bytes.
package synth

import (
	"fmt"
	"iter"
	"math/rand/v2"
)

// object is one object as it is written.
type object = map[string]any

type list = []any

// The proportions of a cluster: those of one that many teams share.
const (
	podsOfWorkload    = 10
	podsOfNode        = 50
	workloadsOfSpace  = 20
	oldReplicaSets    = 2
	nodePools         = 5
	clusterRoles      = 10
	weightOfManagedBy = 12 // entries of managedFields, which make half of a real object
)

// Cluster gives the objects of a cluster that runs that many pods, each as JSON: nodes,
// namespaces with their service accounts, roles, policies and secrets (without values),
// workloads with services, replica sets and pods.
func Cluster(seed uint64, pods int) iter.Seq[[]byte] { return clusterOf(seed, pods, false) }

// Seen gives the same objects as Bulwark keeps them when it looks at a cluster: replica sets
// and pods that others own without what those say.
func Seen(seed uint64, pods int) iter.Seq[[]byte] { return clusterOf(seed, pods, true) }

func clusterOf(seed uint64, pods int, seen bool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		m := maker{rand: rand.New(rand.NewPCG(seed, 1)), seen: seen}
		m.yield = writer(yield)
		m.cluster(pods)
	}
}

type maker struct {
	rand  *rand.Rand
	yield func(object) bool
	seen  bool // objects are as Bulwark keeps them
	uid   int
	node  int
	nodes int
}

func (m *maker) cluster(pods int) {
	m.nodes = max(1, pods/podsOfNode)
	for i := range m.nodes {
		if !m.yield(m.newNode(i)) {
			return
		}
	}
	for _, o := range m.operators() {
		if !m.yield(o) {
			return
		}
	}
	workloads := max(1, pods/podsOfWorkload)
	for w := 0; w < workloads; w += workloadsOfSpace {
		space := fmt.Sprintf("team-%d", w/workloadsOfSpace)
		if !m.space(space, w) {
			return
		}
		for i := w; i < min(w+workloadsOfSpace, workloads); i++ {
			if !m.workload(space, fmt.Sprintf("app-%d", i)) {
				return
			}
		}
	}
}

func (m *maker) one(in int) bool { return m.rand.IntN(in) == 0 }

// meta is the metadata of an object of a namespace ("" for none).
func (m *maker) meta(space, name string, labels object) object {
	m.uid++
	meta := object{"name": name, "uid": fmt.Sprintf("00000000-0000-4000-8000-%012d", m.uid), "creationTimestamp": "2026-05-01T10:00:00Z"}
	if space != "" {
		meta["namespace"] = space
	}
	if labels != nil {
		meta["labels"] = labels
	}
	if !m.seen {
		meta["resourceVersion"] = fmt.Sprint(1000 + m.uid)
		meta["managedFields"] = managed
	}
	return meta
}

// managed is what every object says of who wrote it.
var managed = func() encoded {
	fields := object{}
	for i := range weightOfManagedBy {
		fields[fmt.Sprintf("f:field-%d", i)] = object{"f:value": object{}, "f:other": object{}}
	}
	return encode(nil, list{object{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2026-05-01T10:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields}})
}()

func (m *maker) newNode(i int) object {
	name := fmt.Sprintf("node-%d", i)
	kubelet := "v1.34.1"
	if i%7 == 0 {
		kubelet = "v1.33.5"
	}
	return object{"apiVersion": "v1", "kind": "Node", "metadata": m.meta("", name, object{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "eks.amazonaws.com/nodegroup": fmt.Sprint("pool-", i%nodePools)}),
		"spec": object{"podCIDR": fmt.Sprintf("10.%d.%d.0/24", i/256, i%256), "providerID": fmt.Sprintf("aws:///eu-central-1a/i-%017x", i)},
		"status": object{
			"capacity":  object{"cpu": "16", "memory": "64Gi", "pods": "110"},
			"addresses": list{object{"type": "InternalIP", "address": fmt.Sprintf("192.168.%d.%d", i/256, i%256)}},
			"nodeInfo": object{"kubeletVersion": kubelet, "containerRuntimeVersion": "containerd://1.7.20", "kernelVersion": "6.1.0-28-amd64",
				"osImage": "Debian GNU/Linux 12 (bookworm)", "operatingSystem": "linux", "architecture": "amd64"}}}
}

// operators are roles of the whole cluster: most read, one of them everything.
func (m *maker) operators() (all []object) {
	for i := range clusterRoles {
		rules := list{object{"apiGroups": list{""}, "resources": list{"pods", "nodes", "services"}, "verbs": list{"get", "list", "watch"}}}
		switch i {
		case 0:
			rules = list{object{"apiGroups": list{"*"}, "resources": list{"*"}, "verbs": list{"*"}}}
		case 1:
			rules = append(rules, object{"apiGroups": list{""}, "resources": list{"secrets"}, "verbs": list{"list"}})
		case 2:
			rules = append(rules, object{"apiGroups": list{"apps"}, "resources": list{"deployments"}, "verbs": list{"create", "patch"}})
		}
		all = append(all, object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": m.meta("", fmt.Sprint("operator-", i), nil), "rules": rules})
	}
	return all
}

// space makes a namespace and what is in it besides workloads.
func (m *maker) space(name string, seed int) bool {
	labels := object{"kubernetes.io/metadata.name": name}
	if seed%3 == 0 {
		labels["pod-security.kubernetes.io/enforce"] = "baseline"
	}
	rules := list{object{"apiGroups": list{""}, "resources": list{"pods", "services"}, "verbs": list{"get", "list", "watch"}}}
	if m.one(5) {
		rules = append(rules, object{"apiGroups": list{""}, "resources": list{"secrets"}, "verbs": list{"get", "list"}})
	}
	if m.one(10) {
		rules = append(rules, object{"apiGroups": list{""}, "resources": list{"pods/exec"}, "verbs": list{"create"}})
	}
	objects := []object{
		{"apiVersion": "v1", "kind": "Namespace", "metadata": m.meta("", name, labels), "status": object{"phase": "Active"}},
		{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": m.meta(name, "default", nil)},
		{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": m.meta(name, "deployer", nil)},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": m.meta(name, "team", nil), "rules": rules},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": m.meta(name, "team", nil),
			"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "team"},
			"subjects": list{object{"kind": "ServiceAccount", "name": "deployer", "namespace": name}, object{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name}}},
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": m.meta(name, "settings", nil), "data": object{"LOG_LEVEL": "info", "DB_HOST": "db." + name + ".svc"}},
	}
	if seed%2 == 0 {
		objects = append(objects, object{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": m.meta(name, "default-deny", nil),
			"spec": object{"podSelector": object{}, "policyTypes": list{"Ingress"}}})
	}
	for i := range 3 {
		objects = append(objects, object{"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": m.meta(name, fmt.Sprint("secret-", i), nil)})
	}
	return m.all(objects)
}

func (m *maker) all(objects []object) bool {
	for _, o := range objects {
		if !m.yield(o) {
			return false
		}
	}
	return true
}

// account makes a service account for a workload, which some role of the cluster is for.
func (m *maker) account(space, name string) bool {
	role := fmt.Sprint("operator-", m.rand.IntN(clusterRoles))
	return m.all([]object{
		{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": m.meta(space, name, nil)},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": m.meta("", space+"-"+name, nil),
			"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
			"subjects": list{object{"kind": "ServiceAccount", "name": name, "namespace": space}}},
	})
}

// workload makes a Deployment with its service, replica sets and pods.
func (m *maker) workload(space, name string) bool {
	labels := object{"app": name, "team": space}
	image := fmt.Sprintf("images.example.com/%s:1.%d", name, m.rand.IntN(30))
	spec := m.podSpec(image)
	if m.one(30) {
		if spec["serviceAccountName"] = name; !m.account(space, name) {
			return false
		}
	}
	template := encode(nil, object{"metadata": object{"labels": labels}, "spec": spec})
	deployment := m.meta(space, name, labels)
	set := m.meta(space, name+"-7d4b9c6f5", labels)
	set["ownerReferences"] = owned("apps/v1", "Deployment", deployment)
	objects := []object{
		{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": deployment, "spec": object{"replicas": podsOfWorkload, "selector": object{"matchLabels": labels}, "template": encoded(template)}},
		{"apiVersion": "v1", "kind": "Service", "metadata": m.meta(space, name, labels), "spec": object{"type": "ClusterIP", "selector": object{"app": name}, "ports": list{object{"port": 80, "targetPort": 8080, "protocol": "TCP"}}}},
		{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": set, "spec": object{"replicas": podsOfWorkload, "selector": object{"matchLabels": labels}, "template": encoded(template)}},
	}
	for i := range oldReplicaSets {
		old := m.meta(space, fmt.Sprintf("%s-old%d", name, i), labels)
		old["ownerReferences"] = owned("apps/v1", "Deployment", deployment)
		objects = append(objects, object{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": old, "spec": object{"replicas": 0, "selector": object{"matchLabels": labels}, "template": encoded(template)}})
	}
	if m.one(20) {
		objects[1]["spec"].(object)["type"] = "LoadBalancer"
	}
	if m.seen { // of revisions the running one, and of that whose it is
		objects = objects[:3]
		delete(objects[2], "spec")
		short(set)
	}
	for i := range podsOfWorkload {
		objects = append(objects, m.pod(space, fmt.Sprintf("%s-7d4b9c6f5-%05d", name, i), labels, spec, image, set))
	}
	return m.all(objects)
}
