package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

type object = map[string]any

// fake is an API server in memory.
type fake struct {
	*httptest.Server
	t        testing.TB
	pageSize int
	old      bool // it does not know aggregated discovery

	mu      sync.Mutex
	kinds   []resource
	objects map[string][]object // by resource
	asked   []string            // paths with queries
	waits   []time.Duration
	// answer takes requests over; it returns false for those that it does not want.
	answer func(w http.ResponseWriter, r *http.Request) bool
}

var coreKinds = []resource{
	{"", "v1", "namespaces", "Namespace", false}, {"", "v1", "nodes", "Node", false}, {"", "v1", "pods", "Pod", true}, {"", "v1", "secrets", "Secret", true},
	{"", "v1", "configmaps", "ConfigMap", true}, {"", "v1", "services", "Service", true},
	{"apps", "v1", "deployments", "Deployment", true}, {"apps", "v1", "replicasets", "ReplicaSet", true}, {"batch", "v1", "jobs", "Job", true},
	{"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false},
	{"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false}, {"example.com", "v1", "machines", "Machine", true},
	{"metrics.k8s.io", "v1", "pods", "PodMetrics", true},
}

func newFake(t testing.TB) *fake {
	f := &fake{t: t, pageSize: 2, kinds: coreKinds, objects: map[string][]object{}}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

// add adds objects of a resource.
func (f *fake) add(resource string, list ...object) {
	for _, o := range list {
		meta := o["metadata"].(object)
		if meta["uid"] == nil {
			meta["uid"] = fmt.Sprintf("%s-%v-%v", resource, meta["namespace"], meta["name"])
		}
		f.objects[resource] = append(f.objects[resource], o)
	}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.URL.RequestURI())
	answer := f.answer
	f.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	switch path := r.URL.Path; {
	case path == "/version":
		f.json(w, object{"gitVersion": "v1.37.2"})
	case path == "/api" || path == "/apis":
		f.roots(w, path)
	default:
		f.resource(w, r)
	}
}

func (f *fake) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client may go before the end
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	b, _ := json.Marshal(object{"kind": "Status", "code": code, "message": message})
	w.Write(b)
}

func (f *fake) roots(w http.ResponseWriter, path string) {
	if f.old {
		if path == "/api" {
			f.json(w, object{"kind": "APIVersions", "versions": []string{"v1"}})
			return
		}
		var groups []object
		for _, g := range f.groups() {
			if g != "" {
				groups = append(groups, object{"name": g, "versions": []object{{"version": "v1"}}})
			}
		}
		f.json(w, object{"kind": "APIGroupList", "groups": groups})
		return
	}
	var items []object
	for _, g := range f.groups() {
		if (g == "") != (path == "/api") {
			continue
		}
		var list []object
		for _, k := range f.kinds {
			if k.group == g {
				scope := map[bool]string{true: "Namespaced", false: "Cluster"}[k.namespaced]
				list = append(list, object{"resource": k.name, "responseKind": object{"kind": k.kind}, "scope": scope, "verbs": []string{"get", "list"}})
			}
		}
		items = append(items, object{"metadata": object{"name": g}, "versions": []object{{"version": "v1", "resources": list, "freshness": "Current"}}})
	}
	f.json(w, object{"kind": "APIGroupDiscoveryList", "items": items})
}

func (f *fake) groups() []string {
	var list []string
	for _, k := range f.kinds {
		if !slices.Contains(list, k.group) {
			list = append(list, k.group)
		}
	}
	return list
}

// resource lists, or tells old clients what a version has.
func (f *fake) resource(w http.ResponseWriter, r *http.Request) {
	for i := range f.kinds {
		k := &f.kinds[i]
		ns := ""
		path := r.URL.Path
		if before, rest, ok := strings.Cut(path, "/namespaces/"); ok && strings.Contains(rest, "/") {
			name, last, _ := strings.Cut(rest, "/")
			ns, path = name, before+"/"+last
		}
		if path == k.path("") {
			f.list(w, r, k, ns)
			return
		}
		if rest, ok := strings.CutPrefix(r.URL.Path, k.path("")+"/"); ok && !k.namespaced {
			for _, o := range f.objects[k.String()] {
				if o["metadata"].(object)["name"] == rest {
					f.json(w, o)
					return
				}
			}
		}
		if f.old && r.URL.Path == strings.TrimSuffix((&resource{group: k.group, version: k.version}).path(""), "/") {
			var list []object
			for _, other := range f.kinds {
				if other.group == k.group {
					list = append(list, object{"name": other.name, "kind": other.kind, "namespaced": other.namespaced, "verbs": []string{"list"}})
				}
			}
			f.json(w, object{"kind": "APIResourceList", "resources": list})
			return
		}
	}
	refuse(w, http.StatusNotFound, "there is no "+r.URL.Path)
}

func (f *fake) list(w http.ResponseWriter, r *http.Request, k *resource, ns string) {
	var all []object
	want, hasType := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "type=")
	for _, o := range f.objects[k.String()] {
		if ns != "" && o["metadata"].(object)["namespace"] != ns || hasType && o["type"] != want {
			continue
		}
		if strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList") {
			o = object{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": o["metadata"]}
		}
		all = append(all, o)
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	size := f.pageSize
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil {
		size = min(size, n)
	}
	to := min(from+size, len(all))
	meta := object{"resourceVersion": "100"}
	if to < len(all) {
		meta["continue"] = strconv.Itoa(to)
	}
	f.json(w, object{"kind": "List", "items": all[from:to], "metadata": meta})
}

// options are those that reach the server.
func (f *fake) options(t testing.TB) Options {
	return Options{Kubeconfig: f.kubeconfig(t, "good"), Now: time.Unix(1.8e9, 0), Secret: isSecret, wait: func(_ context.Context, d time.Duration) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.waits = append(f.waits, d)
		return nil
	}}
}

// isSecret stands for the check that knows what is one.
func isSecret(name, value string) bool {
	return strings.Contains(strings.ToLower(name), "password") && value != "" || strings.Contains(value, "tok_")
}

func (f *fake) kubeconfig(t testing.TB, token string) string {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.crt")
	write(t, ca, pemOf(f.Certificate().Raw))
	file := filepath.Join(t.TempDir(), "config")
	write(t, file, fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}]\n"+
		"users: [{name: u, user: {token: %q}}]\ncontexts: [{name: prod, context: {cluster: c, user: u}}, {name: other, context: {cluster: c, user: u}}]\n", f.URL, ca, token))
	return file
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
