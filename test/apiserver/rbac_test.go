//go:build linux

package apiserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	checkrbac "bulwark/check/rbac"
	"bulwark/internal/cli"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/source/cluster"
	"bulwark/test/apiserver/harness"
)

const rbacAPI = "/apis/rbac.authorization.k8s.io/v1"

// TestRights asks the server's authorizer and the engine the same about random roles and
// bindings. A cluster as it begins has no findings.
func TestRights(t *testing.T) {
	s := harness.Start(t)
	begin := rightsOf(t, s)
	err := checkrbac.New().WithHygiene(true).Check(t.Context(), begin, nil, func(r bulwark.Record) {
		if f := r.Finding; f != nil {
			t.Errorf("a new cluster: %s: %s: %q", f.Rule, f.Subject, f.Evidence)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 1))
	randomRights(t, s, r)
	rights := rbac.Of(kube.Of(rightsOf(t, s)))
	synced(t, s)
	yes := 0
	const asked = 800
	for range asked {
		who, q := randomAsker(r), randomAsk(r)
		way, got := rights.Can(who, q)
		want := review(t, s, who, q)
		if got != want {
			t.Errorf("%v, %s: the server says %v, the engine %v (%s)", who, q.String(), want, got, way.String())
		}
		if want {
			yes++
		}
	}
	if yes < asked/20 {
		t.Errorf("only %d of %d were allowed: they are too poor to tell", yes, asked)
	}
	t.Logf("%d requests agree, %d of them allowed", asked, yes)
	commands(t, s)
}

// commands asks the program about the same cluster, as an administrator and as nobody.
func commands(t *testing.T, s *harness.Server) {
	t.Helper()
	for _, tt := range []struct {
		args, want string
		code       int
	}{
		{"who-can get /last", "ClusterRoleBinding/last -> ClusterRole/last (rule 1)", 0},
		{"who-can list secrets cluster", "system:kube-controller-manager", 0},
		{"of user:last", "get /last", 0},
		{"of sa:kube-system/replicaset-controller", "system:controller:replicaset-controller", 0},
	} {
		var out, errs bytes.Buffer
		args := append([]string{"rbac"}, strings.Fields(tt.args)...)
		code := cli.Main(append(args, "--kubeconfig", s.Kubeconfig), nil, &out, &errs)
		if code != tt.code || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: exit code %d, %q is not in\n%s%s", tt.args, code, tt.want, &out, &errs)
		}
	}
	snapshot := filepath.Join(t.TempDir(), "snap")
	run := func(args ...string) string {
		var out, errs bytes.Buffer
		if code := cli.Main(append(args, "--kubeconfig", s.Kubeconfig), nil, &out, &errs); code != 0 {
			t.Errorf("%s: exit code %d: %s", args, code, &errs)
		}
		return out.String()
	}
	live := run("rbac", "who-can", "create", "pods")
	if code := cli.Main([]string{"snapshot", "cluster", "-o", snapshot, "--kubeconfig", s.Kubeconfig}, nil, io.Discard, io.Discard); code != 0 {
		t.Errorf("snapshot: exit code %d", code)
	}
	if saved := run("rbac", "who-can", "create", "pods", "snapshot:"+snapshot); saved != live || live == "" {
		t.Errorf("of a snapshot:\n%s\nof the cluster:\n%s", saved, live)
	}
	var out, errs bytes.Buffer
	if code := cli.Main([]string{"rbac", "who-can", "get", "pods", "--kubeconfig", s.KubeconfigFor(t, "nobody")}, nil, &out, &errs); code != 1 || !strings.Contains(errs.String(), "403") {
		t.Errorf("nobody: exit code %d\n%s%s", code, &out, &errs)
	}
}

// rightsOf reads what the engine needs of the cluster.
func rightsOf(t *testing.T, s *harness.Server) *bulwark.Target {
	t.Helper()
	var only []string
	for _, name := range []string{"roles", "clusterroles", "rolebindings", "clusterrolebindings"} {
		only = append(only, name+"."+rbac.Group)
	}
	source := &cluster.Source{Options: cluster.Options{Kubeconfig: s.Kubeconfig, Only: append(only, "serviceaccounts", "namespaces")}}
	target, err := source.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func picks(r *rand.Rand, from ...string) []string {
	list := []string{pick(r, from...)}
	if r.IntN(2) == 0 {
		list = append(list, pick(r, from...))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// object is a map of JSON.
type object = map[string]any

func randomRights(t *testing.T, s *harness.Server, r *rand.Rand) {
	t.Helper()
	for _, ns := range []string{"one", "two"} {
		s.Must(t, http.MethodPost, "/api/v1/namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": ns}})
	}
	post := func(kind, plural, ns, name string, more object) {
		at, meta := rbacAPI+"/"+plural, object{"name": name}
		if ns != "" {
			at, meta["namespace"] = rbacAPI+"/namespaces/"+ns+"/"+plural, ns
		}
		more["apiVersion"], more["kind"], more["metadata"] = "rbac.authorization.k8s.io/v1", kind, meta
		s.Must(t, http.MethodPost, at, more)
	}
	for i := range 12 {
		name := fmt.Sprint("r", i)
		post("ClusterRole", "clusterroles", "", name, object{"rules": randomRules(r, true)})
		post("Role", "roles", pick(r, "one", "two"), name, object{"rules": randomRules(r, false)})
	}
	for i := range 20 {
		name := fmt.Sprint("b", i)
		post("ClusterRoleBinding", "clusterrolebindings", "", name, object{"roleRef": reference("ClusterRole", r), "subjects": randomSubjects(r, "default")})
		post("RoleBinding", "rolebindings", pick(r, "one", "two"), name, object{"roleRef": reference(pick(r, "Role", "ClusterRole"), r), "subjects": randomSubjects(r, "")})
	}
	post("ClusterRole", "clusterroles", "", "last", object{"rules": []object{{"nonResourceURLs": []string{"/last"}, "verbs": []string{"get"}}}})
	post("ClusterRoleBinding", "clusterrolebindings", "", "last", object{"roleRef": object{"apiGroup": rbac.Group, "kind": "ClusterRole", "name": "last"}, "subjects": []object{{"kind": "User", "name": "last", "apiGroup": rbac.Group}}})
}

func reference(kind string, r *rand.Rand) object {
	return object{"apiGroup": rbac.Group, "kind": kind, "name": fmt.Sprint("r", r.IntN(14))} // two of them are nowhere
}

func randomRules(r *rand.Rand, urls bool) []object {
	var list []object
	for range 1 + r.IntN(3) {
		if urls && r.IntN(3) == 0 {
			list = append(list, object{"verbs": picks(r, "get", "post", "*"), "nonResourceURLs": picks(r, "/metrics", "/logs/*", "/x*", "*")})
			continue
		}
		rule := object{"verbs": picks(r, "get", "list", "create", "*"), "apiGroups": picks(r, "", "apps", "*"), "resources": picks(r, "pods", "pods/exec", "*/scale", "deployments", "secrets", "*", "pods/*")}
		if r.IntN(3) == 0 {
			rule["resourceNames"] = picks(r, "a", "b")
		}
		list = append(list, rule)
	}
	return list
}

func randomSubjects(r *rand.Rand, ns string) []object {
	var list []object
	for range r.IntN(3) {
		switch r.IntN(3) {
		case 0:
			list = append(list, object{"apiGroup": rbac.Group, "kind": "User", "name": pick(r, "jane", "joe", "system:serviceaccount:one:web")})
		case 1:
			list = append(list, object{"apiGroup": rbac.Group, "kind": "Group", "name": pick(r, "ops", "system:serviceaccounts:two")})
		default:
			subject := object{"kind": "ServiceAccount", "name": pick(r, "web", "job"), "namespace": pick(r, "one", "two")}
			if ns == "" && r.IntN(2) == 0 {
				delete(subject, "namespace")
			}
			list = append(list, subject)
		}
	}
	return list
}

func randomAsker(r *rand.Rand) rbac.Identity {
	switch r.IntN(3) {
	case 0:
		return rbac.Account(pick(r, "one", "two"), pick(r, "web", "job")).Identity()
	case 1:
		return rbac.Identity{User: "joe", Groups: []string{"ops", rbac.Authenticated}}
	}
	return rbac.Subject{Kind: rbac.User, Name: pick(r, "jane", "joe", "jim")}.Identity()
}

func randomAsk(r *rand.Rand) rbac.Request {
	if r.IntN(4) == 0 {
		return rbac.Request{Verb: pick(r, "get", "post", "put"), Path: pick(r, "/metrics", "/logs/kubelet", "/logs", "/x", "/xy/z", "/y")}
	}
	q := rbac.Request{Verb: pick(r, "get", "list", "create", "delete"), Group: pick(r, "", "apps", "batch"), Resource: pick(r, "pods", "deployments", "secrets", "jobs")}
	if r.IntN(3) == 0 {
		q.Subresource = pick(r, "exec", "scale", "log")
	}
	if r.IntN(3) > 0 {
		q.Namespace = pick(r, "one", "two", "default")
	}
	if r.IntN(2) == 0 {
		q.Name = pick(r, "a", "b", "c")
	}
	return q
}

// review asks the server's authorizer.
func review(t *testing.T, s *harness.Server, who rbac.Identity, q rbac.Request) bool {
	t.Helper()
	spec := object{"user": who.User, "groups": who.Groups}
	if q.Path != "" {
		spec["nonResourceAttributes"] = object{"path": q.Path, "verb": q.Verb}
	} else {
		spec["resourceAttributes"] = object{"namespace": q.Namespace, "verb": q.Verb, "group": q.Group, "resource": q.Resource, "subresource": q.Subresource, "name": q.Name}
	}
	b := s.Must(t, http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", object{"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec})
	var answer struct{ Status struct{ Allowed bool } }
	if err := json.Unmarshal(b, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Status.Allowed
}

// synced waits until the server's authorizer has seen what was made last.
func synced(t *testing.T, s *harness.Server) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !review(t, s, rbac.Identity{User: "last"}, rbac.Request{Verb: "get", Path: "/last"}) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the server does not see what was made last")
		}
	}
}
