package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/cluster"
	"bulwark/check/eol"
	"bulwark/check/vuln"
	"bulwark/kube"
)

var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

const records = `[
{"id":"CVE-2099-1","summary":"kubelet lets pods out","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"kubernetes","name":"k8s.io/kubelet"},
  "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"}],
  "ranges":[{"type":"SEMVER","events":[{"introduced":"1.20.0"},{"fixed":"1.25.9"}]}]}]},
{"id":"GO-2099-1","aliases":["CVE-2099-1"],"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"Go","name":"k8s.io/kubernetes"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.25.9"}]}]}]},
{"id":"GO-2099-2","aliases":["CVE-2099-2"],"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"Go","name":"k8s.io/kubernetes"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.25.9"}]}]}]},
{"id":"GO-2099-3","aliases":["CVE-2099-3"],"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"Go","name":"github.com/containerd/containerd"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.6.18"}]}]},
  {"package":{"ecosystem":"Go","name":"github.com/containerd/containerd/v2"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.5"}]}]}]},
{"id":"ALSA-2099:1","upstream":["CVE-2099-4"],"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"AlmaLinux:9","name":"kernel"},
  "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"5.14.0-400.1.1.el9_4"}]}]}]},
{"id":"USN-2099-1","upstream":["CVE-2099-5"],"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"linux"},
  "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"5.15.0-100.110"}]}]}]},
{"id":"GO-2099-6","aliases":["CVE-2099-6"],"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"Go","name":"go.etcd.io/etcd"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"3.5.9"}]}]},{"package":{"ecosystem":"Go","name":"go.etcd.io/etcd/v3"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"3.5.9"}]}]}]},
{"id":"GO-2099-7","aliases":["CVE-2099-7"],"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"Go","name":"go.etcd.io/etcd"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]},{"package":{"ecosystem":"Go","name":"go.etcd.io/etcd/v3"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"3.5.4"}]}]}]},
{"id":"CVE-2099-8","summary":"a user that can create pods on Windows nodes may become administrator of them","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"kubernetes","name":"k8s.io/kubelet"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"1.26.0"},{"fixed":"1.26.8"}]}]}]},
{"id":"GO-2099-9","aliases":["CVE-2099-9"],"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"Go","name":"github.com/docker/docker"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]},{"package":{"ecosystem":"Go","name":"github.com/moby/moby/v2"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0-beta.8"}]}]}]}
]`

const dates = `[{"name":"kubernetes","title":"Kubernetes","releases":[{"name":"1.36","releaseDate":"2026-04-01","eolFrom":"2027-06-28"},{"name":"1.25","releaseDate":"2022-08-23","eolFrom":"2023-10-27"}]},
{"name":"amazon-eks","title":"Amazon EKS","releases":[{"name":"1.25","releaseDate":"2023-02-21","eolFrom":"2027-05-01"}]},
{"name":"azure-kubernetes-service","title":"Azure Kubernetes Service","releases":[{"name":"1.25","releaseDate":"2022-12-01","eolFrom":"2024-01-14"}]},
{"name":"google-kubernetes-engine","title":"Google Kubernetes Engine","releases":[{"name":"1.25","releaseDate":"2023-02-21","eolFrom":"2024-07-15"}]},
{"name":"ubuntu","title":"Ubuntu","releases":[{"name":"20.04","releaseDate":"2020-04-23","eolFrom":"2025-05-31"}]}]`

func database(t *testing.T) *advisory.DB {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"osv/records.json": records, "eol.json": dates} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "db")
	if err := advisory.Build(t.Context(), advisory.BuildOptions{OSV: filepath.Join(dir, "osv"), EOL: filepath.Join(dir, "eol.json"), Now: now}, out); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func node(name, kubelet, runtime, system, kernel string) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: Node\nmetadata: {name: %s}\nstatus: {nodeInfo: {kubeletVersion: %q, containerRuntimeVersion: %q, osImage: %q, kernelVersion: %q}}\n", name, kubelet, runtime, system, kernel)
}

func image(name, ref string) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: kube-system}\nspec: {containers: [{name: c, image: %q, command: [%s]}]}\n", name, ref, name)
}

// look gives "subject: evidence" of findings, by rule, and the notes.
func look(t *testing.T, db *advisory.DB, version, text string) (found map[string]string, notes string) {
	t.Helper()
	s := &kube.Set{}
	if version != "" {
		s.Cluster = &kube.Cluster{Name: "c", Version: version}
	}
	for _, d := range kube.ParseYAML([]byte(text)) {
		if o, ok := kube.NewObject(d.Root, kube.Origin{File: "nodes.yaml"}); ok {
			s.Objects = append(s.Objects, o)
		}
	}
	found = map[string]string{}
	check := cluster.NewComponents(cluster.ComponentOptions{Vulnerabilities: vuln.New(db, vuln.Options{Now: now}), Lifetimes: eol.New(db, eol.Options{Now: now}), Record: db.Record})
	err := check.Check(t.Context(), &bulwark.Target{Objects: s}, &bulwark.Inventory{}, func(r bulwark.Record) {
		if f := r.Finding; f != nil {
			if _, twice := found[f.Rule]; twice {
				t.Errorf("%s is there twice", f.Rule)
			}
			found[f.Rule] = f.Subject + ": " + strings.Join(f.Evidence, "; ")
		} else {
			notes += r.Note.Text + "\n"
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, notes
}

func TestComponents(t *testing.T) {
	db := database(t)
	const alma = "AlmaLinux 9.3 (Shamrock Pampas Cat)"
	for _, tt := range []struct {
		name, version, text string
		want                map[string]string
		note                string
	}{
		{"the feed goes before Go's records", "v1.25.3", node("a", "v1.36.0", "cri-o://1.36.0", "Talos (v1.6.0)", "6.1"), map[string]string{
			"vuln/GO-2099-2": "pkg:golang/k8s.io/kubernetes@v1.25.3: kube-apiserver v1.25.3",
			"eol/kubernetes": "pkg:generic/kubernetes@1.25.3: Kubernetes 1.25 ended 2023-10-27; kube-apiserver v1.25.3",
		}, `operating system "Talos (v1.6.0)" of node a: its dates and advisories are not known`},
		{"nodes of several versions are one finding", "", node("a", "v1.25.3", "", "", "") + node("b", "v1.25.3", "", "", "") + node("c", "v1.25.4+k3s1", "", "", ""), map[string]string{
			"vuln/CVE-2099-1": "pkg:generic/kubernetes/kubelet@1.25.3: kubelet v1.25.3 on 2 nodes: a, b; kubelet v1.25.4+k3s1 on node c",
			"eol/kubernetes":  "pkg:generic/kubernetes@1.25.3: Kubernetes 1.25 ended 2023-10-27; kubelet v1.25.3 on 2 nodes: a, b; kubelet v1.25.4+k3s1 on node c",
		}, "runc"},
		{"a provider's dates", "v1.25.9-eks-1234", node("a", "v1.25.9-eks-5678", "", "", ""), map[string]string{}, ""},
		{"a provider's end", "v1.25.9-gke.1026000", node("a", "v1.25.9-gke.1026000", "", "", ""), map[string]string{
			"eol/google-kubernetes-engine": "pkg:generic/google-kubernetes-engine@1.25.9: Google Kubernetes Engine 1.25 ended 2024-07-15; kube-apiserver v1.25.9-gke.1026000, kubelet v1.25.9-gke.1026000 on node a"}, ""},
		{"a provider that only nodes tell", "v1.25.9", strings.Replace(node("a", "v1.25.9", "", "", ""), "{name: a}", "{name: a, labels: {kubernetes.azure.com/cluster: x}}\nspec: {providerID: \"azure:///x\"}", 1), map[string]string{
			"eol/azure-kubernetes-service": "pkg:generic/azure-kubernetes-service@1.25.9: Azure Kubernetes Service 1.25 ended 2024-01-14; kube-apiserver v1.25.9, kubelet v1.25.9 on node a"}, ""},
		{"a provider's vulnerabilities", "", node("a", "v1.25.8-eks-5678", "", "", "") + node("b", "v1.25.8+rke2r1", "", "", "") + node("c", "v1.25.9+k3s1", "", "", ""), map[string]string{
			"vuln/CVE-2099-1": "pkg:generic/kubernetes/kubelet@1.25.8: kubelet v1.25.8+rke2r1, kubelet v1.25.8-eks-5678 on node b; node a",
			"eol/kubernetes":  "pkg:generic/kubernetes@1.25.8: Kubernetes 1.25 ended 2023-10-27; kubelet v1.25.8+rke2r1 on node b; kubelet v1.25.9+k3s1 on node c"}, ""},
		{"what Windows has, on Linux", "", strings.Replace(node("a", "v1.26.0", "", "", ""), "{kubeletVersion", "{operatingSystem: linux, kubeletVersion", 1), map[string]string{}, "left out, which nodes with Windows have: CVE-2099-8"},
		{"what Windows has, beside it", "", strings.Replace(node("a", "v1.26.0", "", "", ""), "{kubeletVersion", "{operatingSystem: linux, kubeletVersion", 1) + strings.Replace(node("b", "v1.26.0", "", "", ""), "{kubeletVersion", "{operatingSystem: windows, kubeletVersion", 1), map[string]string{
			"vuln/CVE-2099-8": "pkg:generic/kubernetes/kubelet@1.26.0: kubelet v1.26.0 on 2 nodes: a, b"}, ""},
		{"etcd's old module says nothing of its new one", "", image("etcd", "registry.k8s.io/etcd:3.5.9-0"), map[string]string{}, ""},
		{"etcd's new module does", "", image("etcd", "registry.k8s.io/etcd:3.5.3-0"), map[string]string{
			"vuln/GO-2099-6": "pkg:golang/go.etcd.io/etcd/v3@v3.5.3: etcd 3.5.3-0 on kube-system/Pod/etcd", "vuln/GO-2099-7": "pkg:golang/go.etcd.io/etcd/v3@v3.5.3: etcd 3.5.3-0 on kube-system/Pod/etcd"}, ""},
		{"Docker, by its module", "", node("a", "", "docker://28.5.1", "", ""), map[string]string{"vuln/GO-2099-9": "pkg:golang/github.com/docker/docker@v28.5.1: docker 28.5.1 on node a"}, ""},
		{"Docker, whose module has other versions", "", node("a", "", "docker://29.1.0", "", ""), map[string]string{}, "docker 29.1.0 on node a: advisories name versions of its module"},
		{"a prerelease is before its release", "", node("a", "v1.25.9-rc.1", "", "", ""), map[string]string{
			"vuln/CVE-2099-1": "pkg:generic/kubernetes/kubelet@1.25.9-rc.1: kubelet v1.25.9-rc.1 on node a",
			"eol/kubernetes":  "pkg:generic/kubernetes@1.25.9-rc.1: Kubernetes 1.25 ended 2023-10-27; kubelet v1.25.9-rc.1 on node a"}, ""},
		{"containerd 1 and 2 are two modules", "", node("a", "", "containerd://1.6.8", "", "") + node("b", "", "containerd://2.0.1", "", "") + node("c", "", "containerd://1.6.18", "", ""), map[string]string{
			"vuln/GO-2099-3": "pkg:golang/github.com/containerd/containerd@v1.6.8: containerd 1.6.8 on node a; containerd 2.0.1 on node b"}, ""},
		{"a distribution's build is not judged by upstream's versions", "", node("a", "", "containerd://1.6.8-0ubuntu1", "", ""), map[string]string{}, "distribution's own build"},
		{"a kernel whose name is its version", "", node("a", "", "", alma, "5.14.0-362.8.1.el9_3.x86_64") + node("b", "", "", alma, "5.14.0-427.el9.x86_64"), map[string]string{
			"vuln/ALSA-2099:1": "pkg:rpm/almalinux/kernel@5.14.0-362.8.1.el9_3.x86_64?distro=almalinux-9.3: kernel 5.14.0-362.8.1.el9_3.x86_64 on node a"}, ""},
		{"a kernel of which the ABI is known", "", node("a", "", "", "Ubuntu 22.04.3 LTS", "5.15.0-91-generic") + node("b", "", "", "Ubuntu 22.04.3 LTS", "5.15.0-100-generic"), map[string]string{
			"vuln/USN-2099-1": "pkg:deb/ubuntu/linux@5.15.0-91-generic?distro=ubuntu-22.04: kernel 5.15.0-91-generic on node a"}, ""},
		{"a kernel that does not tell", "", node("a", "", "", "Debian GNU/Linux 12 (bookworm)", "6.1.0-13-amd64"), map[string]string{}, "kernel 6.1.0-13-amd64 of node a (Debian GNU/Linux 12 (bookworm)): which fixes it has is not known"},
		{"an operating system past its end", "", node("a", "", "", "Ubuntu 20.04.6 LTS", ""), map[string]string{
			"eol/ubuntu": "ubuntu 20.04: Ubuntu 20.04 ended 2025-05-31; Ubuntu 20.04.6 LTS on node a"}, ""},
		{"a component by its image, once for all of its modules", "", image("etcd", "registry.k8s.io/etcd:3.5.6-0"), map[string]string{
			"vuln/GO-2099-6": "pkg:golang/go.etcd.io/etcd/v3@v3.5.6: etcd 3.5.6-0 on kube-system/Pod/etcd"}, ""},
		{"an image without a version", "", image("etcd", "registry.k8s.io/etcd@sha256:aa") + image("kube-apiserver", "registry.k8s.io/kube-apiserver:latest"), map[string]string{}, "version latest of kube-apiserver cannot be read"},
	} {
		got, notes := look(t, db, tt.version, tt.text)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if !strings.Contains(notes, tt.note) {
			t.Errorf("%s: no note has %q: %s", tt.name, tt.note, notes)
		}
	}
}

// Ten thousand nodes are as many findings as one, and none of their words is lost to
// another's.
func TestManyNodes(t *testing.T) {
	var b strings.Builder
	for i := range 10_000 {
		b.WriteString(node(fmt.Sprintf("node-%05d", i), "v1.25.3", "containerd://1.6.8", "Ubuntu 20.04.6 LTS", "5.4.0-150-generic"))
	}
	got, _ := look(t, database(t), "v1.25.3", b.String())
	if len(got) != 5 {
		t.Errorf("%d findings: %v", len(got), got)
	}
	if line := got["vuln/CVE-2099-1"]; !strings.Contains(line, "10000 nodes: node-00000, ") || !strings.HasSuffix(line, "and 9995 more") {
		t.Error(line)
	}
}

// What nodes say of themselves is foreign.
func FuzzVersions(f *testing.F) {
	f.Add("v1.25.3", "containerd://1.6.8", "Ubuntu 22.04 LTS", "5.15.0-91-generic")
	f.Add("v1..", "://", "Debian GNU/Linux 99999999999999999999", "1.1.1-1-a")
	f.Fuzz(func(t *testing.T, kubelet, runtime, system, kernel string) {
		s := &kube.Set{}
		for _, d := range kube.ParseYAML([]byte(node("a", kubelet, runtime, system, kernel))) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{File: "n"}); ok {
				s.Objects = append(s.Objects, o)
			}
		}
		err := cluster.NewComponents(cluster.ComponentOptions{}).Check(t.Context(), &bulwark.Target{Objects: s}, nil, func(bulwark.Record) {})
		if err != nil {
			t.Error(err)
		}
	})
}
