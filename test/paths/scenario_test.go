package paths

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// corpus is a folder of real manifests beside the repository; the test is skipped where there
// is none.
func corpus(t *testing.T, called string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", "manifests", called)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the manifests of %s are not there", called)
	}
	return dir
}

// passes tells whether a path leads from one vertex to another by a relation of a type that
// begins at a third.
func (r *relations) passes(from, to, at bulwark.VertexID, edge string) bool {
	return slices.ContainsFunc(r.list, func(one bulwark.Relation) bool {
		return one.Type == edge && one.From == at && r.reaches(from, at) && r.reaches(one.To, to)
	})
}

func (r *relations) reaches(from, to bulwark.VertexID) bool {
	return from == to || len(r.graph.Likeliest([]bulwark.VertexID{from}, []bulwark.VertexID{to}, 1)) > 0
}

// TestGoat holds that the scenarios of Kubernetes Goat which its manifests show are paths.
// Those of its images are shown where these are scanned.
func TestGoat(t *testing.T) {
	r := relate(t, corpus(t, "kubernetes-goat"), "")
	for _, tt := range []struct {
		scenario     string
		from, to, at bulwark.VertexID
		edge         string
	}{
		{"container runtime in a container", "workload:default/Deployment/health-check-deployment", "node:*", "container:default/Deployment/health-check-deployment/health-check", "EXPLOIT_CONTAINERD_SOCK"},
		{"container escape to the host", "workload:default/Deployment/system-monitor-deployment", "node:*", "container:default/Deployment/system-monitor-deployment/system-monitor", "CE_NSENTER"},
		{"container escape to the host, by its disk", "workload:default/Deployment/system-monitor-deployment", "node:*", "container:default/Deployment/system-monitor-deployment/system-monitor", "EXPLOIT_HOST_WRITE"},
		{"tokens of other pods, from the host", "workload:default/Deployment/system-monitor-deployment", "account:big-monolith/big-monolith-sa", "volume:big-monolith/Deployment/hunger-check-deployment/kube-api-access", "TOKEN_STEAL"},
		{"benchmark of the runtime", "workload:default/DaemonSet/docker-bench-security", "node:*", "container:default/DaemonSet/docker-bench-security/docker-bench", "CE_PRIV_MOUNT"},
		{"benchmark of the cluster", "workload:default/Job/kube-bench-master", "node:*", "container:default/Job/kube-bench-master/kube-bench", "EXPLOIT_HOST_READ"},
		{"misconfigured role", "workload:big-monolith/Deployment/hunger-check-deployment", "secret:big-monolith/vaultapikey", "permission:big-monolith/Role/secret-reader in big-monolith", "ACCESS_SECRET"},
		{"insecure RBAC", "account:kube-system/superadmin", "cluster-admin", "permission:ClusterRole/cluster-admin", "IS_CLUSTER_ADMIN"},
		{"role of a chart by Tiller", "workload:default/Deployment/build-code-deployment", "cluster-admin", "permission:ClusterRole/all-your-base", "IS_CLUSTER_ADMIN"},
		{"node port of an internal service", "internet", "container:default/Deployment/internal-proxy-deployment/info-app", "internet", "EXPOSED"},
		{"namespaces keep nobody out", "workload:default/Deployment/build-code-deployment", "workload:secure-middleware/Deployment/cache-store-deployment", "endpoint:secure-middleware/Deployment/cache-store-deployment", "ENDPOINT_EXPLOIT"},
		{"from the Internet to the nodes", "internet", "node:*", "container:default/Deployment/health-check-deployment/health-check", "EXPLOIT_CONTAINERD_SOCK"},
	} {
		if !r.passes(tt.from, tt.to, tt.at, tt.edge) {
			t.Errorf("%s: no path %s -> %s by %s of %s", tt.scenario, tt.from, tt.to, tt.edge, tt.at)
		}
	}
}

// TestBadPods holds that each of Bishop Fox's badpods leads where its name says, in each kind
// of workload, and the harmless one nowhere.
func TestBadPods(t *testing.T) {
	dir := corpus(t, "badpods")
	want := map[string][]string{
		"everything-allowed": {"CE_PRIV_MOUNT", "CE_NSENTER", "EXPLOIT_HOST_WRITE", "HOST_NETWORK", "HOST_IPC", "EXPLOIT_HOST_TRAVERSE", "CE_UMH_CORE_PATTERN"},
		"priv-and-hostpid":   {"CE_NSENTER", "CE_PRIV_MOUNT", "CE_MODULE_LOAD"},
		"priv":               {"CE_PRIV_MOUNT", "CE_MODULE_LOAD"},
		"hostpath":           {"EXPLOIT_HOST_WRITE", "EXPLOIT_HOST_TRAVERSE"},
		"hostpid":            {"HOST_PID"},
		"hostnetwork":        {"HOST_NETWORK"},
		"hostipc":            {"HOST_IPC"},
		"nothing-allowed":    {},
	}
	files, err := filepath.Glob(filepath.Join(dir, "manifests", "*", "*", "*.yaml"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		kind := filepath.Base(filepath.Dir(filepath.Dir(file)))
		types, known := want[kind]
		if !known {
			t.Errorf("%s: what it leads to is not known", file)
		}
		got := escapes(relate(t, file, ""))
		for _, edge := range types {
			if !slices.Contains(got, edge) {
				t.Errorf("%s: no %s among %v", file, edge, got)
			}
		}
		if len(types) == 0 && len(got) > 0 {
			t.Errorf("%s leads to a node by %v", file, got)
		}
	}
}

// escapes are the types of relations by which containers come to nodes, or what lies there.
func escapes(r *relations) []string {
	var list []string
	for _, one := range r.list {
		to := string(one.To)
		if strings.HasPrefix(string(one.From), "container:") && (strings.HasPrefix(to, "node:") || strings.HasPrefix(to, "group:nodes of ") || strings.HasPrefix(to, "group:volumes on ")) {
			list = append(list, one.Type)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
