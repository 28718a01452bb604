package synth

import "fmt"

// short leaves what is kept of the metadata of an object that another stands for.
func short(meta object) {
	delete(meta, "labels")
	delete(meta, "creationTimestamp")
	for _, owner := range meta["ownerReferences"].(list) {
		delete(owner.(object), "blockOwnerDeletion")
	}
}

func owned(version, kind string, meta object) list {
	return list{object{"apiVersion": version, "kind": kind, "name": meta["name"], "uid": meta["uid"], "controller": true, "blockOwnerDeletion": true}}
}

// podSpec is what the pods of a workload ask for: mostly hardened, sometimes not.
func (m *maker) podSpec(image string) object {
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
	case m.one(60):
		spec["hostPID"] = true
	}
	volumes = append(volumes, object{"name": "kube-api-access", "projected": object{"defaultMode": 420, "sources": list{
		object{"serviceAccountToken": object{"expirationSeconds": 3607, "path": "token"}},
		object{"configMap": object{"name": "kube-root-ca.crt", "items": list{object{"key": "ca.crt", "path": "ca.crt"}}}}}}})
	env := list{}
	for i := range 8 {
		env = append(env, object{"name": fmt.Sprintf("SETTING_%d", i), "value": fmt.Sprintf("value-%d", m.rand.IntN(1000))})
	}
	if m.one(4) {
		env = append(env, object{"name": "PASSWORD", "valueFrom": object{"secretKeyRef": object{"name": fmt.Sprint("secret-", m.rand.IntN(3)), "key": "password"}}})
	}
	spec["volumes"] = volumes
	containers := list{object{
		"name": "app", "image": image, "imagePullPolicy": "IfNotPresent", "env": env,
		"ports": list{object{"containerPort": 8080, "protocol": "TCP"}}, "volumeMounts": mounts, "securityContext": security,
		"resources":      object{"limits": object{"cpu": "1", "memory": "512Mi"}, "requests": object{"cpu": "100m", "memory": "128Mi"}},
		"readinessProbe": object{"httpGet": object{"path": "/ready", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10}}}
	if m.one(10) {
		containers = append(containers, object{"name": "proxy", "image": "images.example.com/proxy:2.1", "ports": list{object{"containerPort": 15001, "protocol": "TCP"}}, "securityContext": security})
	}
	spec["containers"] = encoded(encode(nil, containers))
	return spec
}

func (m *maker) pod(space, name string, labels, spec object, image string, set object) object {
	meta := m.meta(space, name, labels)
	meta["ownerReferences"] = owned("apps/v1", "ReplicaSet", set)
	m.node = (m.node + 1) % m.nodes
	running := object{"nodeName": fmt.Sprintf("node-%d", m.node), "tolerations": list{object{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}}}
	for k, v := range spec {
		running[k] = v
	}
	status := object{"phase": "Running", "containerStatuses": list{object{"name": "app", "image": image, "imageID": fmt.Sprintf("%v@sha256:%064x", image, len(image))}}}
	if m.seen {
		short(meta)
		running = object{"nodeName": running["nodeName"], "serviceAccountName": spec["serviceAccountName"], "containers": list{object{"name": "app", "image": image}}}
		return object{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": running, "status": status}
	}
	conditions := list{}
	for _, c := range []string{"Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		conditions = append(conditions, object{"type": c, "status": "True", "lastTransitionTime": "2026-05-01T10:00:00Z"})
	}
	status["podIP"], status["conditions"] = fmt.Sprintf("10.0.%d.%d", m.node%256, m.uid%256), conditions
	return object{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": running, "status": status}
}
