//go:build linux

package apiserver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/cli"
	"bulwark/policy/admission"
	"bulwark/test/apiserver/harness"
)

// dangerous are objects with several dangers each, some in lists that two patches change.
const dangerous = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: "web", namespace: shop}, spec: {selector: {matchLabels: {a: web}}, template: {metadata: {labels: {a: web}}, spec: {hostPID: true, hostNetwork: true, containers: [
  {name: a, image: "it's.example/a:1", env: [{name: X, value: "it's $(id)"}], securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN, NET_ADMIN, SYS_PTRACE]}}, volumeMounts: [{name: s, mountPath: /s}]},
  {name: b, image: "b:1", securityContext: {capabilities: {add: [SYS_MODULE, SYS_RAWIO]}, allowPrivilegeEscalation: true, seccompProfile: {type: Unconfined}}}], volumes: [{name: s, hostPath: {path: /var/run/docker.sock}}]}}}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: shop}, spec: {selector: {matchLabels: {a: agent}}, template: {metadata: {labels: {a: agent}}, spec: {hostIPC: true, shareProcessNamespace: true, containers: [{name: a, image: "a:1", securityContext: {runAsUser: 0}}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly, namespace: shop}, spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1", securityContext: {privileged: true}}]}}}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: once, namespace: shop}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1", securityContext: {privileged: true}}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: alone, namespace: shop}, spec: {serviceAccountName: web, containers: [{name: a, image: "a:1", securityContext: {privileged: true}}]}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: wide}, rules: [{apiGroups: [""], resources: [pods, secrets], verbs: ["*"]}, {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: wide}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: wide}, subjects: [{kind: ServiceAccount, name: web, namespace: shop}, {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]}
`

// TestFixCluster makes the changes that fix prints, as a shell hands them to kubectl, until
// there are none: the server takes each or tells that another was made before it, and in the
// end nothing is found that has a patch.
func TestFixCluster(t *testing.T) {
	s := harness.Start(t)
	for _, o := range documents(t, dangerous) {
		s.Must(t, http.MethodPost, pathOf(o.APIVersion, o.Kind, o.Namespace, ""), o.Root.JSON())
	}
	kubectl := newKubectl(t, s)
	made := 0
	for round := 1; ; round++ {
		script := fixes(t, s)
		calls := kubectl.run(t, script)
		if len(calls) == 0 {
			break
		}
		done := 0
		for _, args := range calls {
			code, answer := kubectl.patch(t, args)
			switch {
			case code < 300:
				done++
			case code != http.StatusUnprocessableEntity || !slices.Contains(args, "json"): // a test of RFC 6902 that failed
				t.Errorf("%q: %d %s", args, code, answer)
			}
		}
		made += done
		if done == 0 || round == 20 {
			t.Fatalf("round %d: %d of %d commands were taken\n%s", round, done, len(calls), script)
		}
	}
	t.Logf("%d commands were taken", made)
	if made < 10 {
		t.Error("these are too few to tell")
	}
	left := findings(t, s)
	for _, f := range left {
		if f.Fix != nil && f.Fix.Patch != nil {
			t.Errorf("still found: %s %s: %s", f.Rule, f.Subject, f.Fix.Patch.Text)
		}
	}
	if !slices.ContainsFunc(left, func(f bulwark.Finding) bool { return f.Rule == "workload/privileged" && f.Subject == "shop/Pod/alone" }) {
		t.Error("the pod alone cannot be changed, and is not found any more")
	}
}

func fixes(t *testing.T, s *harness.Server) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Main([]string{"fix", "cluster", "--kubeconfig", s.Kubeconfig, "--context", s.Context, "--namespaces", "shop"}, nil, &out, &errs); code != 0 {
		t.Fatalf("fix: exit code %d: %s", code, &errs)
	}
	return out.String()
}

func findings(t *testing.T, s *harness.Server) []bulwark.Finding {
	t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Main([]string{"scan", "cluster", "--kubeconfig", s.Kubeconfig, "--namespaces", "shop", "--only", "misconfig,exposure", "-f", "json"}, nil, &out, &errs); code != 0 {
		t.Fatalf("scan: exit code %d: %s", code, &errs)
	}
	var r bulwark.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r.Findings
}

// kubectl stands for the program of that name: it writes down how it is called.
type kubectl struct {
	server *harness.Server
	dir    string
}

func newKubectl(t *testing.T, s *harness.Server) *kubectl {
	t.Helper()
	k := &kubectl{s, t.TempDir()}
	program := "#!/bin/sh\nprintf '%s\\0' \"$@\" >> '" + k.dir + "/calls'\nprintf '\\n' >> '" + k.dir + "/calls'\n"
	if err := os.WriteFile(filepath.Join(k.dir, "kubectl"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	return k
}

// run gives the arguments of each command of a script.
func (k *kubectl) run(t *testing.T, script string) (calls [][]string) {
	t.Helper()
	file := filepath.Join(k.dir, "calls")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "sh", "-e")
	c.Stdin, c.Env = strings.NewReader(script), []string{"PATH=" + k.dir + ":/usr/bin:/bin"}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		calls = append(calls, strings.Split(strings.TrimSuffix(line, "\x00\n"), "\x00"))
	}
	return calls
}

// patch does what kubectl does with its arguments.
func (k *kubectl) patch(t *testing.T, args []string) (code int, answer []byte) {
	t.Helper()
	flags := map[string]string{}
	var operands []string
	for i := 0; i < len(args); i++ {
		if strings.HasPrefix(args[i], "-") && i+1 < len(args) {
			flags[args[i]] = args[i+1]
			i++
			continue
		}
		operands = append(operands, args[i])
	}
	if len(operands) != 3 || operands[0] != "patch" || flags["--kubeconfig"] != k.server.Kubeconfig || flags["--context"] != k.server.Context {
		t.Fatalf("kubectl %q", args)
	}
	version := map[string]string{"Deployment": "apps/v1", "DaemonSet": "apps/v1", "CronJob": "batch/v1", "Job": "batch/v1", "Pod": "v1", "ServiceAccount": "v1", "Namespace": "v1"}[operands[1]]
	if version == "" {
		version = "rbac.authorization.k8s.io/v1"
	}
	code, answer, err := k.server.Patch(t.Context(), flags["--type"], pathOf(version, operands[1], flags["-n"], operands[2]), []byte(flags["-p"]))
	if err != nil {
		t.Fatal(err)
	}
	return code, answer
}

// pathOf is where the API server has an object, or where it is made.
func pathOf(version, kind, namespace, name string) string {
	at := "/apis/" + version
	if !strings.Contains(version, "/") {
		at = "/api/" + version
	}
	if namespace != "" {
		at += "/namespaces/" + namespace
	}
	at += "/" + admission.Plural(kind)
	if name != "" {
		at += "/" + name
	}
	return at
}
