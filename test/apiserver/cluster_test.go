//go:build linux

package apiserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"bulwark"
	"bulwark/kube"
	"bulwark/test/apiserver/harness"
)

// planted is a value that must never leave the cluster.
const planted = "Pl4nted-in-a-Secret"

// fill makes 50 nodes, and 200 pods of 20 Deployments, as a controller manager, a scheduler
// and kubelets would.
func fill(t *testing.T, s *harness.Server) {
	t.Helper()
	post := func(path string, o object) object {
		var out object
		if err := json.Unmarshal(s.Must(t, http.MethodPost, path, o), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for i := range 50 {
		name := fmt.Sprintf("node-%d", i)
		post("/api/v1/nodes", object{"apiVersion": "v1", "kind": "Node", "metadata": object{"name": name}})
		s.Must(t, http.MethodPatch, "/api/v1/nodes/"+name+"/status", object{"status": object{"nodeInfo": object{"kubeletVersion": "v1.30.0", "kernelVersion": "6.1.0", "osImage": "Debian GNU/Linux 12", "containerRuntimeVersion": "containerd://1.7.1"}}})
	}
	for _, ns := range []string{"shop", "web"} {
		post("/api/v1/namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": ns}})
		post("/api/v1/namespaces/"+ns+"/secrets", object{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "db"}, "stringData": object{"password": planted}})
	}
	for i := range 20 {
		ns := []string{"shop", "web"}[i%2]
		deploy(t, post, ns, fmt.Sprintf("app-%d", i), i)
	}
}

// owner is the reference of an object to what owns it.
func owner(kind string, o object) []object {
	meta := o["metadata"].(object)
	return []object{{"apiVersion": "apps/v1", "kind": kind, "name": meta["name"], "uid": meta["uid"], "controller": true}}
}

func deploy(t *testing.T, post func(string, object) object, ns, name string, i int) {
	t.Helper()
	labels := object{"app": name}
	spec := object{"containers": []object{{"name": "c", "image": "nginx:1.27", "env": []object{{"name": "DB_PASSWORD", "value": planted}}}}}
	if i%4 == 0 {
		spec["hostPID"] = true
	}
	template := object{"metadata": object{"labels": labels}, "spec": spec}
	scale := object{"replicas": 10, "selector": object{"matchLabels": labels}, "template": template}
	d := post("/apis/apps/v1/namespaces/"+ns+"/deployments", object{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": object{"name": name}, "spec": scale})
	rs := post("/apis/apps/v1/namespaces/"+ns+"/replicasets", object{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": object{"name": name + "-1", "ownerReferences": owner("Deployment", d)}, "spec": scale})
	for p := range 10 {
		running := object{"nodeName": fmt.Sprintf("node-%d", (i*10+p)%50)}
		for k, v := range spec {
			running[k] = v
		}
		post("/api/v1/namespaces/"+ns+"/pods", object{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": fmt.Sprintf("%s-1-%d", name, p), "labels": labels, "ownerReferences": owner("ReplicaSet", rs)}, "spec": running})
	}
}

// apply creates the objects of a file of deploy/ that are of the given kinds.
func apply(t *testing.T, s *harness.Server, file string, kinds ...string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", file))
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{"Namespace": "/api/v1/namespaces", "ServiceAccount": "/api/v1/namespaces/bulwark/serviceaccounts", "CronJob": "/apis/batch/v1/namespaces/bulwark/cronjobs", "Job": "/apis/batch/v1/namespaces/bulwark/jobs",
		"ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles", "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/bulwark/networkpolicies"}
	for _, d := range kube.ParseYAML(data) {
		if kind := d.Root.Get("kind").Text(); slices.Contains(kinds, kind) {
			s.Must(t, http.MethodPost, paths[kind], d.Root.JSON())
		}
	}
}

// reportOf is what a scan says, without when it was.
func reportOf(t *testing.T, config string, args ...string) *bulwark.Report {
	t.Helper()
	out, _, _, _ := run(t, config, append([]string{"scan", "-f", "json", "--now", "2026-11-01T00:00:00Z", "--only", "misconfig,exposure,secret"}, args...)...)
	r := new(bulwark.Report)
	if err := json.Unmarshal(out, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCluster: a scan with the shipped rights and nothing more sees everything, and finds what
// an administrator's scan does.
func TestCluster(t *testing.T) {
	s := harness.Start(t)
	fill(t, s)
	apply(t, s, "cronjob.yaml", "Namespace", "ServiceAccount", "ClusterRoleBinding", "NetworkPolicy", "CronJob")
	apply(t, s, "job.yaml", "Job")
	apply(t, s, "clusterrole.yaml", "ClusterRole")
	token := s.ServiceAccount(t, "bulwark", "bulwark-scan")
	follows(t, func() bool { // the rights arrive a moment after they are given
		code, _, err := s.Call(t.Context(), token, http.MethodGet, "/api/v1/nodes?limit=1", nil)
		return err == nil && code == http.StatusOK
	})
	config := s.KubeconfigFor(t, token)
	least := reportOf(t, config, "cluster")
	for _, n := range least.Notes {
		if n.Incomplete && n.Plugin == "source/cluster" {
			t.Errorf("with the shipped rights: %s", n.Text)
		}
	}
	if !least.Summary.Complete {
		t.Errorf("the scan is incomplete: %v", least.Notes)
	}
	assets := map[bulwark.AssetID]bulwark.Asset{}
	for _, a := range least.Assets {
		assets[a.ID] = a
	}
	if a := assets["k8s:test/shop/Deployment/app-0"]; a.Kind != "Deployment" || a.Parent != "k8s:test" {
		t.Errorf("the asset of a workload: %+v", a)
	}
	seen := map[string]bool{}
	for _, f := range least.Findings {
		if _, ok := assets[f.Asset]; !ok {
			t.Errorf("%s is about %s, which is no asset of the report", f.Rule, f.Asset)
		}
		if strings.Contains(f.Subject, "/Pod/") || strings.Contains(f.Subject, "/ReplicaSet/") {
			t.Errorf("%s is about %s, which a Deployment owns", f.Rule, f.Subject)
		}
		seen[f.Subject] = true
	}
	for i := range 20 {
		if id := fmt.Sprintf("%s/Deployment/app-%d", []string{"shop", "web"}[i%2], i); !seen[id] {
			t.Errorf("nothing is found in %s", id)
		}
	}
	t.Run("snapshot", func(t *testing.T) { sameOffline(t, s.Kubeconfig) })
	t.Run("namespaces", func(t *testing.T) {
		r := reportOf(t, config, "cluster", "--namespaces", "web")
		for _, f := range r.Findings {
			if strings.HasPrefix(f.Subject, "shop/") {
				t.Errorf("%s of another namespace: %s", f.Rule, f.Subject)
			}
		}
	})
	t.Run("nobody", func(t *testing.T) {
		if out, code := fails(t, s.KubeconfigFor(t, "nobody"), "scan", "cluster"); code != 1 || !strings.Contains(out, "403") {
			t.Errorf("exit %d: %s", code, out)
		}
		if out, code := fails(t, s.KubeconfigFor(t, "wrong"), "scan", "cluster"); code != 1 || !strings.Contains(out, "401") {
			t.Errorf("exit %d: %s", code, out)
		}
	})
}

// sameOffline: a snapshot gives byte for byte what the cluster does, and holds no secret.
func sameOffline(t *testing.T, config string) {
	for _, more := range [][]string{nil, {"--read-secrets"}} {
		file := filepath.Join(t.TempDir(), "c.snap")
		run(t, config, append([]string{"snapshot", "cluster", "-o", file}, more...)...)
		live := reportOf(t, config, append([]string{"cluster"}, more...)...)
		offline := reportOf(t, "/nonexistent", "snapshot:"+file)
		if diff := cmp.Diff(jsonOf(t, live.Findings), jsonOf(t, offline.Findings)); diff != "" {
			t.Errorf("%v: live and snapshot differ:\n%s", more, diff)
		}
		if !cmp.Equal(live.Assets, offline.Assets) || !cmp.Equal(live.Summary, offline.Summary) {
			t.Errorf("%v: assets or summary differ", more)
		}
		for _, text := range []string{string(unpacked(t, file)), string(jsonOf(t, live))} {
			if strings.Contains(text, planted) || strings.Contains(text, "UGw0bnRlZC1pbi1hLVNlY3JldA") {
				t.Errorf("%v: a secret's value is in what is kept", more)
			}
		}
	}
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unpacked(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
