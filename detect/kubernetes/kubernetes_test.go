package kubernetes_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/detect/kubernetes"
)

// asked is an event of the log; of is added to what most have.
func asked(verb, resource string, of map[string]any) map[string]any {
	resource, sub, _ := strings.Cut(resource, "/")
	e := map[string]any{
		"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": fmt.Sprint(verb, resource, len(of), sub), "stage": "ResponseComplete",
		"verb": verb, "requestURI": "/api/v1/x", "user": map[string]any{"username": "mallory", "groups": []string{"system:authenticated"}}, "sourceIPs": []string{"192.0.2.7"}, "userAgent": "kubectl/v1.34",
		"objectRef": map[string]any{"resource": resource, "subresource": sub, "namespace": "shop", "name": "web"}, "responseStatus": map[string]any{"code": 201},
	}
	for k, v := range of {
		e[k] = v
	}
	return e
}

type m = map[string]any

func podOf(spec m) m { return m{"kind": "Pod", "spec": spec} }

func templateOf(kind string, spec m) m {
	return m{"kind": kind, "spec": m{"template": m{"spec": spec}}}
}

var (
	privileged = m{"containers": []m{{"name": "c", "image": "busybox", "securityContext": m{"privileged": true}}}}
	plain      = m{"containers": []m{{"name": "c", "image": "nginx"}}}
	hostRoot   = m{"containers": []m{{"name": "c", "image": "busybox"}}, "volumes": []m{{"name": "v", "hostPath": m{"path": "/"}}}}
)

func user(name string) m { return m{"username": name} }

func code(n int) m { return m{"code": n} }

func find(t *testing.T, events ...m) []bulwark.Finding {
	t.Helper()
	d := kubernetes.New()
	var all []bulwark.Finding
	for i, e := range events {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.Observe(&bulwark.Event{Source: bulwark.SourceK8sAudit, Kind: bulwark.KindK8sAudit, Time: int64(i+1) * int64(time.Second), Doc: b})...)
	}
	return all
}

func TestRules(t *testing.T) {
	exec := func(more m) m {
		e := asked("get", "pods/exec", m{"stage": "ResponseStarted", "requestURI": "/api/v1/namespaces/shop/pods/web/exec?command=sh&command=-c&command=id&container=c&stdin=true&tty=true", "responseStatus": code(101)})
		for k, v := range more {
			e[k] = v
		}
		return e
	}
	for _, tt := range []struct {
		name   string
		events []m
		want   []string // severity, rule, part of the evidence
	}{
		{"kubectl exec -it, which is told once for both of its stages", []m{exec(nil), exec(m{"stage": "ResponseComplete"})}, []string{"medium kubernetes/exec command: sh -c id, container c, interactive"}},
		{"an older kubectl", []m{exec(m{"verb": "create", "auditID": "a"})}, []string{"medium kubernetes/exec mallory asks to create pods/exec shop web, from 192.0.2.7 by kubectl/v1.34"}},
		{"a command alone, where the log has only how it ended", []m{exec(m{"stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/shop/pods/web/exec?command=date"})}, []string{"low kubernetes/exec command: date"}},
		{"no answer yet", []m{exec(m{"stage": "RequestReceived"})}, nil},
		{"exec is denied", []m{exec(m{"stage": "ResponseComplete", "responseStatus": code(403)})}, nil},
		{"attach", []m{asked("create", "pods/attach", m{"responseStatus": code(101)})}, []string{"low kubernetes/exec attached"}},
		{"reading logs", []m{asked("get", "pods/log", nil), asked("get", "pods", nil), asked("watch", "pods", m{"stage": "ResponseStarted"})}, nil},

		{"kubectl debug", []m{asked("patch", "pods/ephemeralcontainers", m{"requestObject": m{"spec": m{"ephemeralContainers": []m{{"name": "debugger", "image": "busybox"}}}}})}, []string{"medium kubernetes/ephemeral-container container debugger, image busybox"}},
		{"kubectl debug --profile=sysadmin", []m{asked("patch", "pods/ephemeralcontainers", m{"requestObject": m{"spec": m{"ephemeralContainers": []m{{"name": "d", "image": "busybox", "securityContext": m{"privileged": true}}}}}})}, []string{"high kubernetes/ephemeral-container privileged"}},

		{"a privileged pod", []m{asked("create", "pods", m{"requestObject": podOf(privileged)})}, []string{"high kubernetes/node-pod container c, image busybox: privileged"}},
		{"one that was refused", []m{asked("create", "pods", m{"requestObject": podOf(privileged), "responseObject": m{"kind": "Status"}, "responseStatus": code(403)})}, []string{"low kubernetes/node-pod refused with 403"}},
		{"the node's root in a DaemonSet", []m{asked("create", "daemonsets", m{"requestObject": templateOf("DaemonSet", hostRoot)})}, []string{"high kubernetes/node-pod hostPath /"}},
		{"in a CronJob", []m{asked("create", "cronjobs", m{"requestObject": m{"spec": m{"jobTemplate": m{"spec": m{"template": m{"spec": m{"hostPID": true}}}}}}})}, []string{"high kubernetes/node-pod hostPID"}},
		{"a patch of a deployment, whose outcome tells", []m{asked("patch", "deployments", m{"requestObject": []m{{"op": "add"}}, "responseObject": templateOf("Deployment", m{"containers": []m{{"name": "c", "image": "i", "securityContext": m{"capabilities": m{"add": []string{"CAP_SYS_ADMIN"}}}}}})})}, []string{"high kubernetes/node-pod capability SYS_ADMIN"}},
		{"the pods that a controller makes of it", []m{asked("create", "pods", m{"user": user("system:serviceaccount:kube-system:daemon-set-controller"), "requestObject": podOf(privileged)})}, nil},
		{"a mirror of a static pod", []m{asked("create", "pods", m{"user": user("system:node:a"), "requestObject": podOf(hostRoot)})}, nil},
		{"somebody who is called like one", []m{asked("create", "pods", m{"user": user("system:serviceaccount:shop:daemon-set-controller"), "requestObject": podOf(privileged)})}, []string{"high kubernetes/node-pod privileged"}},
		{"a dry run", []m{asked("create", "pods", m{"requestURI": "/api/v1/namespaces/shop/pods?dryRun=All", "requestObject": podOf(privileged)})}, nil},
		{"plain pods", []m{asked("create", "pods", m{"requestObject": podOf(plain)}), asked("create", "deployments", m{"requestObject": templateOf("Deployment", plain)}), asked("update", "pods/status", m{"requestObject": podOf(privileged)}),
			asked("create", "pods", m{"requestObject": podOf(m{"volumes": []m{{"hostPath": m{"path": "/etc/localtime"}}, {"hostPath": m{"path": "/var/log/app"}}, {"hostPath": m{"path": "/etcetera"}}, {"emptyDir": m{}}}})})}, nil},

		{"cluster-admin is given", []m{asked("create", "clusterrolebindings", m{"requestObject": m{"roleRef": m{"name": "cluster-admin"}, "subjects": []m{{"kind": "ServiceAccount", "namespace": "shop", "name": "default"}}}})}, []string{"high kubernetes/cluster-admin bound to cluster-admin: ServiceAccount shop/default"}},
		{"other roles, and what the server does itself", []m{asked("create", "clusterrolebindings", m{"requestObject": m{"roleRef": m{"name": "view"}}}), asked("create", "clusterrolebindings", m{"user": user("system:apiserver"), "requestObject": m{"roleRef": m{"name": "cluster-admin"}}})}, nil},

		{"answers to nobody", []m{asked("list", "secrets", m{"user": user("system:anonymous"), "requestURI": "/api/v1/secrets?limit=500", "responseStatus": code(200)})}, []string{"high kubernetes/anonymous answers /api/v1/secrets"}},
		{"what everybody may ask", []m{asked("get", "", m{"user": user("system:anonymous"), "requestURI": "/healthz?verbose", "responseStatus": code(200)}), asked("list", "secrets", m{"user": user("system:anonymous"), "responseStatus": code(403)})}, nil},

		{"acting as another", []m{asked("create", "pods/attach", m{"impersonatedUser": user("bob"), "responseStatus": code(101)})}, []string{"low kubernetes/exec bob asks to create pods/attach shop web, as mallory may"}},
		{"no event of a log", []m{{"kind": "x"}, {"stage": 5}}, nil},
	} {
		var got []string
		for _, f := range find(t, tt.events...) {
			got = append(got, f.Severity.String()+" "+f.Rule+" "+strings.Join(f.Evidence, " | "))
			if f.Fix.Text == "" || len(f.References) == 0 || f.Time.IsZero() {
				t.Errorf("%s: %+v lacks something", tt.name, f)
			}
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			continue
		}
		for i, want := range tt.want {
			head, part := strings.Join(strings.Fields(want)[:2], " "), strings.Join(strings.Fields(want)[2:], " ")
			if !strings.HasPrefix(got[i], head+" ") || !strings.Contains(got[i], part) {
				t.Errorf("%s: %q, want %q", tt.name, got[i], want)
			}
		}
	}
}

// TestProbing has one user ask for all there is, and another for one thing again and again.
func TestProbing(t *testing.T) {
	var events []m
	for i := range 60 {
		denied := asked("list", []string{"secrets", "pods", "nodes", "configmaps", "roles", "jobs"}[i%6], m{"responseStatus": code(403)})
		stubborn := asked("get", "leases", m{"user": user("app"), "responseStatus": code(403)})
		events = append(events, denied, stubborn)
	}
	found := find(t, events...)
	if len(found) != 1 && len(found) != 2 || found[0].Rule != "kubernetes/probing" || !strings.Contains(found[0].Evidence[1], "of mallory") {
		t.Errorf("%+v", found)
	}
}

func TestArgued(t *testing.T) {
	list := kubernetes.New().Rules()
	for _, r := range list {
		if r.Title == "" || len(r.Reason) < 60 || len(r.FalsePositives) < 10 || !slices.ContainsFunc(r.Tags, func(s string) bool { return strings.HasPrefix(s, "attack:T") }) {
			t.Errorf("%s is not argued", r.ID)
		}
	}
	if len(list) != 6 {
		t.Errorf("%d rules", len(list))
	}
}

func TestTerminal(t *testing.T) {
	for _, f := range find(t, asked("create", "pods/exec", m{"user": user("\x1b]0;owned\a"), "requestURI": "/x?tty=true&command=%1b%5b31m", "responseStatus": code(101)})) {
		if b, _ := json.Marshal(f); strings.Contains(string(b), "u001b") {
			t.Errorf("%s", b)
		}
	}
}

func FuzzObserve(f *testing.F) {
	f.Add([]byte(`{"stage":"ResponseComplete","verb":"create","objectRef":{"resource":"pods"},"requestObject":{"spec":{"hostPID":true}}}`))
	f.Add([]byte(`{"stage":"ResponseComplete","verb":"patch","objectRef":{"resource":"pods","subresource":"exec"},"requestObject":[null]}`))
	d := kubernetes.New()
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, found := range d.Observe(&bulwark.Event{Kind: bulwark.KindK8sAudit, Time: 1, Doc: doc}) {
			if len(found.Evidence) == 0 {
				t.Errorf("%+v", found)
			}
		}
	})
}
