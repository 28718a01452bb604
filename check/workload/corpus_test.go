package workload

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
)

// TestBadPods holds that the danger of every pod of Bishop Fox's badpods is named, in each of
// its kinds of workload.
func TestBadPods(t *testing.T) {
	want := map[string]map[string]bulwark.Severity{
		"everything-allowed": {"privileged": critical, "host-pid": high, "host-network": high, "host-ipc": medium, "hostpath-root": critical},
		"priv-and-hostpid":   {"privileged": critical, "host-pid": high},
		"priv":               {"privileged": high},
		"hostpath":           {"hostpath-root": critical},
		"hostpid":            {"host-pid": high},
		"hostnetwork":        {"host-network": high},
		"hostipc":            {"host-ipc": medium},
		"nothing-allowed":    {"may-run-as-root": low},
	}
	f, n := New().WithHygiene(false), 0
	for file, s := range files(t, corpus(t, "badpods")) {
		kind := strings.Split(file, "/")[1]
		got := rulesIn(t, f, s)
		for rule, severity := range want[kind] {
			if got[rule] != severity {
				t.Errorf("%s: %s is %s, want %s", file, rule, got[rule], severity)
			}
		}
		if strings.Contains(file, "revshell") {
			if got["reverse-shell"] != critical && got["node-shell"] != critical {
				t.Errorf("%s: the shell is not found: %v", file, got)
			}
		} else if kind != "nothing-allowed" && got["idle-privileged"] == 0 && got["node-shell"] != critical {
			t.Errorf("%s: nothing says that it only waits", file)
		}
		n++
	}
	if n < 100 {
		t.Errorf("%d files were looked at", n)
	}
}

// TestGoat holds every scenario of Kubernetes Goat that a workload's YAML shows. The others
// show in the RBAC rules (insecure-rbac, hunger-check's role), in Services (internal-proxy's
// node port, cache-store, poor-registry), in Secrets, or in images alone (build-code,
// hidden-in-layers, batch-check).
func TestGoat(t *testing.T) {
	want := map[string]map[string]bulwark.Severity{
		"scenarios/health-check/deployment.yaml":          {"runtime-socket": critical, "privileged": high},                                                                       // docker in docker
		"scenarios/system-monitor/deployment.yaml":        {"hostpath-root": critical, "privileged": critical, "host-pid": high, "host-ipc": medium},                              // escape to the host
		"scenarios/docker-bench-security/deployment.yaml": {"privileged": critical, "runtime-socket": critical, "host-network": high, "host-pid": high, "hostpath-kubelet": high}, // benchmark as a way in
		"scenarios/kube-bench-security/master-job.yaml":   {"hostpath-etcd": high, "hostpath-control-plane": high, "host-pid": high, "control-plane-node": low},
		"scenarios/kube-bench-security/node-job.yaml":     {"hostpath-kubelet": high, "host-pid": high},
		"scenarios/hunger-check/deployment.yaml":          {"no-memory-limit": low, "no-cpu-limit": low, "no-quota": low, "no-limit-range": low}, // denial of service
		"scenarios/cache-store/deployment.yaml":           {"no-memory-limit": low, "image-tag": low},
		"scenarios/hidden-in-layers/deployment.yaml":      {"image-tag": low},
		"scenarios/batch-check/job.yaml":                  {"image-tag": low, "job-without-end": low}, // a miner in the image
		"scenarios/build-code/deployment.yaml":            {"image-tag": low, "default-namespace": low},
		"scenarios/internal-proxy/deployment.yaml":        {"image-tag": low, "default-namespace": low},
		"scenarios/poor-registry/deployment.yaml":         {"image-tag": low, "default-namespace": low},
	}
	f := New()
	all := files(t, corpus(t, "kubernetes-goat"))
	for file, rules := range want {
		if all[file] == nil {
			t.Errorf("%s is not there", file)
			continue
		}
		got := rulesIn(t, f, all[file])
		for rule, severity := range rules {
			if got[rule] != severity {
				t.Errorf("%s: %s is %s, want %s", file, rule, got[rule], severity)
			}
		}
	}
}

// linter are kube-linter's checks of security that are about workloads, with the rules that
// stand for each.
var linter = map[string][]string{
	"docker-sock": {"runtime-socket"}, "sensitive-host-mounts": {"hostpath-etc"}, "writable-host-mount": {"hostpath-writable"}, "privileged-container": {"privileged"}, "privilege-escalation-container": {"privilege-escalation"},
	"unsafe-proc-mount": {"proc-mount"}, "host-pid": {"host-pid"}, "host-ipc": {"host-ipc"}, "host-network": {"host-network"}, "run-as-non-root": {"may-run-as-root", "root-group"}, "latest-tag": {"image-tag"}, "ssh-port": {"ssh-server"},
	"unsafe-sysctls": {"sysctl"}, "drop-net-raw-capability": {"cap-net-raw"}, "no-read-only-root-fs": {"writable-root"}, "unset-cpu-requirements": {"no-cpu-limit", "no-cpu-request"}, "unset-memory-requirements": {"no-memory-limit", "no-memory-request"},
}

// TestLinter holds that what kube-linter's own tests are to find of security is found here:
// every workload in the file of a check that is not called dont-fire.
func TestLinter(t *testing.T) {
	f, n := New(), 0
	all := files(t, corpus(t, "kubelinter-tests/tests/checks"))
	for name, rules := range linter {
		s := all[name+".yml"]
		if s == nil {
			t.Errorf("%s.yml is not there", name)
			continue
		}
		by := map[string][]string{}
		for _, f := range found(t, f, s) {
			by[f.Subject] = append(by[f.Subject], strings.TrimPrefix(f.Rule, "workload/"))
		}
		for _, w := range s.Workloads() {
			if strings.Contains(w.Name, "dont-fire") {
				continue
			}
			n++
			if !slices.ContainsFunc(rules, func(r string) bool { return slices.Contains(by[w.ID()], r) }) {
				t.Errorf("%s: %s: none of %v, only %v", name, w.ID(), rules, by[w.ID()])
			}
		}
	}
	if n < 30 {
		t.Errorf("%d workloads were looked at", n)
	}
}

// TestCorporaMended makes every edit that rules give over all corpora.
func TestCorporaMended(t *testing.T) {
	n := 0
	for _, name := range corpora {
		for file, s := range files(t, corpus(t, name)) {
			for _, r := range New().List {
				n += mended(t, r, s, name+"/"+file+": "+r.ID)
			}
		}
	}
	t.Log(n, "findings mended")
	if n < 500 {
		t.Errorf("%d findings could be mended", n)
	}
}

// corpora are the folders of public manifests.
var corpora = []string{"badpods", "kubernetes-goat", "microservices-demo", "k8s-examples", "kube-prometheus", "kubelinter-tests"}

// TestSample prints, with -v, findings of hygiene over all corpora, drawn by the hash of their lines, so that
// a rule more leaves the others in: what docs/accuracy.md judges. (Those that are shown by default are drawn in
// test/attack, for all families.) Attack manifests of one kind repeat, so that of each rule and kind
// of badpods one file counts.
func TestSample(t *testing.T) {
	drawn := map[string]string{}
	for _, name := range corpora {
		all, sets := &kube.Set{}, files(t, corpus(t, name))
		for _, file := range slices.Sorted(maps.Keys(sets)) {
			all.Objects = append(all.Objects, sets[file].Objects...)
		}
		for _, f := range found(t, New(), all) {
			line := f.Severity.String() + " " + f.Rule + " " + f.Subject + " " + name + "/" + f.Path + ":" + strconv.Itoa(f.Line) + " | " + strings.Join(f.Evidence, "; ")
			key := line
			if name == "badpods" {
				key = f.Rule + strings.Split(f.Path, "/")[1]
			}
			if slices.Contains(f.Tags, "hygiene") {
				drawn[key] = max(drawn[key], line)
			}
		}
	}
	lines := slices.SortedFunc(maps.Values(drawn), func(a, b string) int { return strings.Compare(bulwark.Key("", "", a, ""), bulwark.Key("", "", b, "")) })
	t.Logf("%d, of which", len(lines))
	for _, line := range lines[:min(50, len(lines))] {
		t.Log(line)
	}
}
