// Package synth makes clusters of any size out of a seed, as an API server would list them:
// for measurements, and for tests that need more than a few objects. The same seed makes
// the same bytes.
package synth

import (
	"encoding/json"
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
	weightOfManagedBy = 12 // entries of managedFields, which make half of a real object
)

// Cluster gives the objects of a cluster that runs that many pods, each as JSON: nodes,
// namespaces with their service accounts, roles, policies and secrets (without values),
// workloads with services, replica sets and pods.
func Cluster(seed uint64, pods int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		m := maker{rand: rand.New(rand.NewPCG(seed, 1))}
		m.yield = func(o object) bool {
			data, err := json.Marshal(o)
			if err != nil {
				panic(err) // maps of texts and numbers
			}
			return yield(data)
		}
		m.cluster(pods)
	}
}

type maker struct {
	rand  *rand.Rand
	yield func(object) bool
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
	meta := object{"name": name, "uid": fmt.Sprintf("00000000-0000-4000-8000-%012d", m.uid), "resourceVersion": fmt.Sprint(1000 + m.uid), "creationTimestamp": "2026-05-01T10:00:00Z"}
	if space != "" {
		meta["namespace"] = space
	}
	if labels != nil {
		meta["labels"] = labels
	}
	fields := object{}
	for i := range weightOfManagedBy {
		fields[fmt.Sprintf("f:field-%d", i)] = object{"f:value": object{}, "f:other": object{}}
	}
	meta["managedFields"] = list{object{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2026-05-01T10:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields}}
	return meta
}

func (m *maker) newNode(i int) object {
	name := fmt.Sprintf("node-%d", i)
	kubelet := "v1.34.1"
	if i%7 == 0 {
		kubelet = "v1.33.5"
	}
	return object{"apiVersion": "v1", "kind": "Node", "metadata": m.meta("", name, object{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}),
		"spec": object{"podCIDR": fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)},
		"status": object{
			"capacity":  object{"cpu": "16", "memory": "64Gi", "pods": "110"},
			"addresses": list{object{"type": "InternalIP", "address": fmt.Sprintf("192.168.%d.%d", i/256, i%256)}},
			"nodeInfo": object{"kubeletVersion": kubelet, "containerRuntimeVersion": "containerd://1.7.20", "kernelVersion": "6.1.0-28-amd64",
				"osImage": "Debian GNU/Linux 12 (bookworm)", "operatingSystem": "linux", "architecture": "amd64"}}}
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
	for _, o := range objects {
		if !m.yield(o) {
			return false
		}
	}
	return true
}

// workload makes a Deployment with its service, replica sets and pods.
func (m *maker) workload(space, name string) bool {
	labels := object{"app": name, "team": space}
	spec := m.podSpec(name)
	template := object{"metadata": object{"labels": labels}, "spec": spec}
	deployment := m.meta(space, name, labels)
	set := m.meta(space, name+"-7d4b9c6f5", labels)
	set["ownerReferences"] = owned("apps/v1", "Deployment", deployment)
	objects := []object{
		{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": deployment, "spec": object{"replicas": podsOfWorkload, "selector": object{"matchLabels": labels}, "template": template}},
		{"apiVersion": "v1", "kind": "Service", "metadata": m.meta(space, name, labels), "spec": object{"type": "ClusterIP", "selector": object{"app": name}, "ports": list{object{"port": 80, "targetPort": 8080, "protocol": "TCP"}}}},
		{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": set, "spec": object{"replicas": podsOfWorkload, "selector": object{"matchLabels": labels}, "template": template}},
	}
	for i := range oldReplicaSets {
		old := m.meta(space, fmt.Sprintf("%s-old%d", name, i), labels)
		old["ownerReferences"] = owned("apps/v1", "Deployment", deployment)
		objects = append(objects, object{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": old, "spec": object{"replicas": 0, "selector": object{"matchLabels": labels}, "template": template}})
	}
	if m.one(20) {
		objects[1]["spec"].(object)["type"] = "LoadBalancer"
	}
	for i := range podsOfWorkload {
		objects = append(objects, m.pod(space, fmt.Sprintf("%s-7d4b9c6f5-%05d", name, i), labels, spec, set))
	}
	for _, o := range objects {
		if !m.yield(o) {
			return false
		}
	}
	return true
}

func owned(version, kind string, meta object) list {
	return list{object{"apiVersion": version, "kind": kind, "name": meta["name"], "uid": meta["uid"], "controller": true, "blockOwnerDeletion": true}}
}

// podSpec is what the pods of a workload ask for: mostly hardened, sometimes not.
func (m *maker) podSpec(name string) object {
	security := object{"allowPrivilegeEscalation": false, "runAsNonRoot": true, "readOnlyRootFilesystem": true, "capabilities": object{"drop": list{"ALL"}}, "seccompProfile": object{"type": "RuntimeDefault"}}
	volumes := list{object{"name": "tmp", "emptyDir": object{}}}
	mounts := list{object{"name": "tmp", "mountPath": "/tmp"}, object{"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true}}
	spec := object{"serviceAccountName": "default", "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler"}
	switch {
	case m.one(3):
		security = object{}
	case m.one(40):
		security = object{"privileged": true}
	case m.one(40):
		volumes = append(volumes, object{"name": "host", "hostPath": object{"path": "/var/log", "type": "Directory"}})
		mounts = append(mounts, object{"name": "host", "mountPath": "/logs"})
	case m.one(60):
		spec["hostNetwork"] = true
	}
	volumes = append(volumes, object{"name": "kube-api-access", "projected": object{"defaultMode": 420, "sources": list{
		object{"serviceAccountToken": object{"expirationSeconds": 3607, "path": "token"}},
		object{"configMap": object{"name": "kube-root-ca.crt", "items": list{object{"key": "ca.crt", "path": "ca.crt"}}}}}}})
	env := list{}
	for i := range 8 {
		env = append(env, object{"name": fmt.Sprintf("SETTING_%d", i), "value": fmt.Sprintf("value-%d", m.rand.IntN(1000))})
	}
	spec["volumes"] = volumes
	spec["containers"] = list{object{
		"name": "app", "image": fmt.Sprintf("images.example.com/%s:1.%d", name, m.rand.IntN(30)), "imagePullPolicy": "IfNotPresent", "env": env,
		"ports": list{object{"containerPort": 8080, "protocol": "TCP"}}, "volumeMounts": mounts, "securityContext": security,
		"resources":      object{"limits": object{"cpu": "1", "memory": "512Mi"}, "requests": object{"cpu": "100m", "memory": "128Mi"}},
		"readinessProbe": object{"httpGet": object{"path": "/ready", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10}}}
	return spec
}

func (m *maker) pod(space, name string, labels object, spec object, set object) object {
	meta := m.meta(space, name, labels)
	meta["ownerReferences"] = owned("apps/v1", "ReplicaSet", set)
	m.node = (m.node + 1) % m.nodes
	running := object{"nodeName": fmt.Sprintf("node-%d", m.node), "tolerations": list{object{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}}}
	for k, v := range spec {
		running[k] = v
	}
	conditions := list{}
	for _, c := range []string{"Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		conditions = append(conditions, object{"type": c, "status": "True", "lastTransitionTime": "2026-05-01T10:00:00Z"})
	}
	image := spec["containers"].(list)[0].(object)["image"]
	return object{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": running, "status": object{
		"phase": "Running", "podIP": fmt.Sprintf("10.0.%d.%d", m.node%256, m.uid%256), "conditions": conditions,
		"containerStatuses": list{object{"name": "app", "image": image, "imageID": fmt.Sprintf("%v@sha256:%064x", image, m.uid/64), "ready": true, "restartCount": 0, "containerID": fmt.Sprintf("containerd://%064x", m.uid)}}}}
}
