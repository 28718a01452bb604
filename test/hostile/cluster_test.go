//go:build linux

package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// apiserver is a small cluster in memory, whose answers a fault may take over.
type apiserver struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]int // by path
	auth  []string       // what requests showed
}

// The answers of a cluster with a privileged pod, a role that may do all, and little else.
const (
	apiGroups = `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":""},"versions":[{"version":"v1","freshness":"Current","resources":[` +
		`{"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced","verbs":["list"]},` +
		`{"resource":"secrets","responseKind":{"kind":"Secret"},"scope":"Namespaced","verbs":["list"]},` +
		`{"resource":"configmaps","responseKind":{"kind":"ConfigMap"},"scope":"Namespaced","verbs":["list"]},` +
		`{"resource":"namespaces","responseKind":{"kind":"Namespace"},"scope":"Cluster","verbs":["list"]}]}]}]}`
	apisGroups = `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1","freshness":"Current","resources":[` +
		`{"resource":"deployments","responseKind":{"kind":"Deployment"},"scope":"Namespaced","verbs":["list"]}]}]},` +
		`{"metadata":{"name":"rbac.authorization.k8s.io"},"versions":[{"version":"v1","freshness":"Current","resources":[` +
		`{"resource":"clusterroles","responseKind":{"kind":"ClusterRole"},"scope":"Cluster","verbs":["list"]},` +
		`{"resource":"clusterrolebindings","responseKind":{"kind":"ClusterRoleBinding"},"scope":"Cluster","verbs":["list"]}]}]}]}`
	onePodRest = `"metadata":{"name":"good","namespace":"shop","uid":"p1","resourceVersion":"5"},"spec":{"containers":[{"name":"c","image":"example.com/c:1.2.3","securityContext":{"privileged":true}}]}}`
	onePod     = `{` + onePodRest
	podsPath   = "/api/v1/pods"
	rolesPath  = "/apis/rbac.authorization.k8s.io/v1/clusterrole"
	deploysAt  = "/apis/apps/v1/deployments"
)

func listOf(items ...string) string {
	return `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[` + strings.Join(items, ",") + `]}`
}

// goodCluster are the answers by path.
var goodCluster = map[string]string{
	"/version":           `{"gitVersion":"v1.34.1"}`,
	"/api":               apiGroups,
	"/apis":              apisGroups,
	podsPath:             listOf(onePod),
	"/api/v1/namespaces": listOf(`{"metadata":{"name":"shop"}}`),
	"/api/v1/secrets":    listOf(`{"metadata":{"name":"s","namespace":"shop","uid":"s1"}}`),
	"/api/v1/configmaps": listOf(`{"metadata":{"name":"m","namespace":"shop"},"data":{"a":"b"}}`),
	deploysAt:            listOf(`{"metadata":{"name":"web","namespace":"shop","uid":"d1"},"spec":{"template":{"spec":{"hostPID":true,"containers":[{"name":"c","image":"example.com/c:1"}]}}}}`),
	rolesPath + "s":      listOf(`{"metadata":{"name":"all"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}`),
	rolesPath + "bindings": listOf(`{"metadata":{"name":"everybody"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"all"},` +
		`"subjects":[{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"system:authenticated"}]}`),
}

// foundIn is what is found in the good cluster, and where that is asked for.
var foundIn = map[string]string{"workload/privileged": podsPath, "workload/host-pid": deploysAt, "rbac/all-rights": rolesPath}

// cluster starts an API server that misbehaves when it is asked for paths that begin with part.
func cluster(t *testing.T, part string, f fault) *apiserver {
	t.Helper()
	s := &apiserver{asked: map[string]int{}}
	counts := map[string]int32{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.Path]++
		counts[r.URL.Path]++
		n := counts[r.URL.Path]
		s.auth = append(s.auth, r.Header.Get("Authorization"))
		s.mu.Unlock()
		body, ok := goodCluster[r.URL.Path]
		if f != nil && strings.HasPrefix(r.URL.Path, part) && f(w, r, []byte(body), n) {
			return
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// kubeconfig writes one that reaches the server; user is what stands in its user's braces.
func (s *apiserver) kubeconfig(r *room, user string) string {
	ca := r.put("ca.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return r.put("kubeconfig", []byte(fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}]\n"+
		"users: [{name: u, user: {%s}}]\ncontexts: [{name: prod, context: {cluster: c, user: u}}]\n", s.URL, ca, user)))
}

// secretly is a token that no output may show.
func secretly() string { return "to" + "ken-" + strings.Repeat("of-nobody", 3) }

// cluster scans it.
func (r *room) cluster(kubeconfig string, args ...string) *result {
	r.t.Helper()
	r.most = maxRSS
	return r.json(append([]string{"scan", "cluster", "--kubeconfig", kubeconfig, "--only", "misconfig,exposure,secret", "--require-complete"}, args...)...)
}

// refused answers as API servers do.
func refused(code int, times int32, header ...string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ []byte, n int32) bool {
		if n > times {
			return false
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","code":%d,"message":"etcd\u001b[31m is\nill"}`, code)
		return true
	}
}

// packed answers with a text over and over, by gzip.
func packed(head, text string, size int64, tail string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int32) bool {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, head)
		_, _ = io.CopyN(z, &again{text: text}, size)
		_, _ = io.WriteString(z, tail)
		_ = z.Close()
		return true
	}
}

// forever sends a text over and over.
func forever(head, text string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ []byte, _ int32) bool {
		_, _ = io.WriteString(w, head)
		for chunk := []byte(strings.Repeat(text, 1+(64<<10)/len(text))); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return true
			}
		}
		return true
	}
}

// dripping sends a byte now and then, and never all.
func dripping(w http.ResponseWriter, r *http.Request, body []byte, _ int32) bool {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for _, c := range append(bytes.Repeat([]byte(" "), 1000), body...) {
		_, _ = w.Write([]byte{c})
		_ = http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return true
		}
	}
	return true
}

// paged gives one page after the other; next names the next.
func paged(items func(n int32) string, next func(n int32) string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte, n int32) bool {
		fmt.Fprintf(w, `{"kind":"List","metadata":{"resourceVersion":"9","continue":%q},"items":[%s]}`, next(n), items(n))
		return true
	}
}

func nothingOf(int32) string { return "" }

// bigger makes a list of one object that is large.
func bigger(size int64) fault {
	return packed(`{"kind":"List","metadata":{},"items":[{"metadata":{"name":"big","namespace":"shop"},"data":{"a":"`, "0123456789abcdef", size, `"}}]}`)
}

// lies makes discovery that has more than there is.
func lies(n int, group func(int) string) fault {
	return func(w http.ResponseWriter, r *http.Request, body []byte, _ int32) bool {
		if r.URL.Path != "/apis" {
			return false
		}
		var b strings.Builder
		for i := range n {
			b.WriteString("," + group(i))
		}
		_, _ = io.WriteString(w, strings.TrimSuffix(string(body), "]}")+b.String()+"]}")
		return true
	}
}

// TestAPIServers asks clusters that fail in each of these ways: what could be seen is found,
// what could not is told.
func TestAPIServers(t *testing.T) {
	t.Parallel()
	wicked := `\u001b[31mred\u001b[2J\u0007\u009b31m\r\nbulwark: error: x\u202e`
	for _, tt := range []struct {
		name, part string
		fault      fault
		code       int
		words      string
		slow       bool // the user gives it little time
	}{
		{"well", "none", nil, 0, "", false},
		{"401", "/", refused(401, always), 1, "it does not take the credentials of the context prod: they may have expired", false},
		{"401 for some", podsPath, refused(401, always), 4, "could not list pods: the API server says 401 Unauthorized", false},
		{"403", "/", refused(403, always), 1, "403 Forbidden", false},
		{"403 for all lists", "/a", func(w http.ResponseWriter, r *http.Request, b []byte, n int32) bool {
			return strings.Count(r.URL.Path, "/") > 1 && refused(403, always)(w, r, b, n)
		}, 1, "deploy/clusterrole.yaml", false},
		{"403 for secrets", "/api/v1/secrets", refused(403, always), 0, "may not list Secrets", false},
		{"403 for pods", podsPath, refused(403, always), 4, "the user may not list pods: what depends on them is not known (deploy/clusterrole.yaml", false},
		{"403 for roles", rolesPath, refused(403, always), 4, "may not list clusterrolebindings.rbac.authorization.k8s.io, clusterroles.rbac", false},
		{"403 for the version", "/version", refused(403, always), 0, "", false},
		{"403 for discovery", "/apis", refused(403, always), 1, "asking what the API server has: the API server says 403 Forbidden", false},
		{"429 once", podsPath, refused(429, 1, "Retry-After", "1"), 0, "", false},
		{"429 for ever", podsPath, refused(429, always, "Retry-After", "1"), 4, "could not list pods: the API server says 429 Too Many Requests", false},
		{"429 until next year", "/", refused(429, always, "Retry-After", "31536000"), 1, "429 Too Many Requests", true},
		{"500 once", "/", refused(500, 1), 0, "", false},
		{"500 for some", deploysAt, refused(500, always), 4, "could not list deployments.apps: the API server says 500 Internal Server Error: etcd[31m is ill", false},
		{"500", "/", refused(500, always), 1, "500 Internal Server Error", false},
		{"418", podsPath, refused(418, always), 4, "could not list pods: the API server says 418", false},
		{"410 at every page", podsPath, refused(410, always), 4, "could not list pods: the API server says 410 Gone", false},
		{"204", podsPath, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int32) bool { w.WriteHeader(204); return true }, 4, "could not list pods", false},
		{"HTML", "/", other("<html>log in</html>"), 1, "malformed", false},
		{"HTML for some", podsPath, other("<html>log in</html>"), 4, "could not list pods: what the API server gives is no list: malformed", false},
		{"truncated once", podsPath, breakOff(1), 0, "", false},
		{"hung up", podsPath, func(http.ResponseWriter, *http.Request, []byte, int32) bool { panic(http.ErrAbortHandler) }, 4, "could not list pods", false},
		{"another kind", podsPath, other(`{"kind":"Status","status":"Success"}`), 4, "could not list pods: what the API server gives is no list", false},
		{"items of no list", podsPath, other(`{"items":{"a":1}}`), 4, "could not list pods", false},
		{"items of wrong types", podsPath, other(listOf("7", `"x"`, "null", "[]", "true", `{"metadata":7}`, `{"metadata":{"name":["x"]}}`, `{"metadata":{"name":"w"},"spec":[]}`, onePod)), 4, "could not list all of pods: 7 objects, the first: no object with a name", false},
		{"fields of wrong types", podsPath, other(listOf(strings.Replace(onePod, `"containers":[`, `"hostNetwork":"yes","volumes":{"a":1},"initContainers":7,"containers":[7,null,"x",`, 1))), 0, "", false},
		{"metadata of a wrong type", podsPath, other(`{"metadata":["continue"],"items":[` + onePod + `]}`), 4, "could not list pods", false},
		{"deep", podsPath, other(`{"items":[{"metadata":{"name":"d"},"spec":` + strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000) + `}]}`), 4, "could not list pods", false},
		{"deep and never closed", podsPath, other(`{"items":[{"metadata":{"name":"d"},"spec":` + strings.Repeat(`[`, 1_000_000)), 4, "could not list pods", false},
		{"deep as such", podsPath, other(strings.Repeat(`{"items":[`, 1_000_000)), 4, "could not list pods", false},
		{"a page that leads to itself", podsPath, paged(nothingOf, func(int32) string { return "x" }), 4, "leads to itself", false},
		{"pages in a ring", podsPath, paged(nothingOf, func(n int32) string { return fmt.Sprint(n % 3) }), 4, "could not list pods", false},
		{"pages of nothing for ever", podsPath, paged(nothingOf, func(n int32) string { return fmt.Sprint(n) }), 4, "50 pages in a row with nothing new", false},
		{"the same page for ever", podsPath, paged(func(int32) string { return onePod }, func(n int32) string { return fmt.Sprint(n) }), 4, "50 pages in a row with nothing new", false},
		{"a token of no end", podsPath, paged(nothingOf, func(n int32) string { return strings.Repeat("x", 4<<20) + fmt.Sprint(n) }), 4, "could not list pods: ", false},
		{"an answer of no end", podsPath, forever(`{"items":[`, `{"metadata":{"name":"x"}},`), 4, "limit exceeded", false},
		{"answers of no end", "/ap", func(w http.ResponseWriter, r *http.Request, b []byte, n int32) bool {
			return strings.Count(r.URL.Path, "/") > 1 && forever(`{"items":[{"metadata":{"name":"`, `x`)(w, r, b, n)
		}, 1, "limit exceeded", false},
		{"a refusal of no end", podsPath, func(w http.ResponseWriter, r *http.Request, b []byte, n int32) bool {
			w.WriteHeader(403)
			return forever(`{"message":"`, "x")(w, r, b, n)
		}, 4, "may not list pods", false},
		{"discovery of no end", "/apis", forever(`{"kind":"APIGroupDiscoveryList","items":[`, `{"metadata":{"name":"x"}},`), 1, "limit exceeded", false},
		{"a version of no end", "/version", forever(`{"gitVersion":"`, "1"), 1, "limit exceeded", false},
		{"a bomb", "/api/v1/configmaps", packed(`{"items":[`, " ", 256<<20, "]}"), 4, "could not list configmaps", false},
		{"a bomb of objects", "/api/v1/configmaps", packed(`{"items":[{}`, `,{"metadata":{"name":"a"}}`, 256<<20, "]}"), 4, "could not list configmaps", false},
		{"a bomb as refusal", podsPath, func(w http.ResponseWriter, r *http.Request, b []byte, n int32) bool {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(403)
			z := gzip.NewWriter(w)
			_, _ = io.CopyN(z, &again{text: " "}, 1<<30)
			return true
		}, 4, "may not list pods", false},
		{"gzip that is none", podsPath, func(w http.ResponseWriter, r *http.Request, b []byte, n int32) bool {
			w.Header().Set("Content-Encoding", "gzip")
			return other("no gzip")(w, r, b, n)
		}, 4, "could not list pods", false},
		{"a gigantic object", "/api/v1/configmaps", bigger(30 << 20), 4, "could not list all of configmaps: 1 object: 30 MB, at most 8 are read: limit exceeded", false},
		{"an object as large as may be", "/api/v1/configmaps", bigger(7 << 20), 0, "", false},
		{"a silent list", podsPath, stall, 4, "could not list pods: the API server does not answer in time", true},
		{"a dripping list", deploysAt, dripping, 4, "could not list deployments.apps: the API server does not answer in time", true},
		{"silent lists", "/api/v1/", stall, 4, "does not answer in time", true},
		{"silence", "/", stall, 1, "does not answer in time", true},
		{"10,000 groups", "/apis", lies(10_000, func(i int) string {
			return fmt.Sprintf(`{"metadata":{"name":"g%d.example.com"},"versions":[{"version":"v1","resources":[{"resource":"xs","responseKind":{"kind":"X"},"verbs":["list"]}]}]}`, i)
		}), 0, "", false},
		{"a group 1,000 times", "/apis", lies(1000, func(int) string {
			return `{"metadata":{"name":"apps"},"versions":[{"version":"v1","resources":[{"resource":"deployments","responseKind":{"kind":"Deployment"},"verbs":["list"]}]}]}`
		}), 0, "", false},
		{"100,000 resources", "/apis", lies(1, func(int) string {
			var b strings.Builder
			for i := range 100_000 {
				fmt.Fprintf(&b, `,{"resource":"x%d","responseKind":{"kind":"X"},"verbs":["list"]}`, i)
			}
			return `{"metadata":{"name":"constraints.gatekeeper.sh"},"versions":[{"version":"v1","resources":[` + b.String()[1:] + `]}]}`
		}), 4, "has 100000 resources, and 300 of them were listed", false},
		{"discovery of wicked names", "/apis", lies(1, func(int) string {
			return `{"metadata":{"name":"../../x` + wicked + `"},"versions":[{"version":"` + wicked + `","freshness":"Stale","resources":[{"resource":"../secrets?` + wicked + `","responseKind":{"kind":"` + wicked + `"},"verbs":["list"]}]}]},` +
				`{"metadata":{"name":"policy"},"versions":[{"version":"v1` + wicked + `","freshness":"Stale","resources":[{"resource":"poddisruptionbudgets","responseKind":{"kind":"` + wicked + `"},"verbs":["list"]}]}]}`
		}), 4, "extension does not answer", false},
		{"discovery of wrong types", "/apis", lies(1, func(int) string { return `{"metadata":7,"versions":"x"}` }), 1, "malformed", false},
		{"discovery of nothing", "/api", other(`{}`), 1, "no resources that could be listed", false},
		{"old discovery of 10,000 groups", "/apis", func(w http.ResponseWriter, r *http.Request, body []byte, _ int32) bool {
			if r.URL.Path == "/apis" {
				fmt.Fprint(w, `{"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"version":"v1"}]}`+strings.Repeat(`,{"name":"g.example.com","versions":[{"version":"v1"},{"version":"v2"}]}`, 10_000)+numbered(10_000, `,{"name":"g%d.example.com","versions":[{"version":"v%d"}]}`)+`]}`)
				return true
			}
			if r.URL.Path == "/apis/apps/v1" {
				fmt.Fprint(w, `{"resources":[{"name":"deployments","kind":"Deployment","namespaced":true,"verbs":["list"]}]}`)
				return true
			}
			return false
		}, 4, "more versions of groups than the 1000 that were asked for", false},
		{"wicked names", podsPath, other(listOf(onePod, `{"metadata":{"name":"`+wicked+`","namespace":"`+wicked+`","labels":{"`+wicked+`":"`+wicked+`"}},"spec":{"containers":[{"name":"`+wicked+`","image":"`+wicked+`","securityContext":{"privileged":true}}]}}`)), 0, "", false},
		{"a wicked version", "/version", other(`{"gitVersion":"v1.34` + wicked + `"}`), 0, "", false},
		{"a redirect", podsPath, refused(302, always, "Location", "https://192.0.2.1/"), 4, "could not list pods: the API server says 302 Found", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := cluster(t, tt.part, tt.fault)
			r := newRoom(t)
			var args []string
			if tt.slow {
				args = []string{"--timeout", "8s"}
			}
			res := r.cluster(s.kubeconfig(r, "token: "+secretly()), args...)
			want{code: tt.code, words: map[bool]string{true: tt.words}[tt.code != 0]}.check(t, res)
			if tt.code == 0 && tt.words != "" && !strings.Contains(res.stdout, tt.words) {
				t.Errorf("nothing says %q: %+v", tt.words, res.report.Notes)
			}
			for rule, at := range foundIn {
				if unseen := tt.code == 1 || tt.code == 4 && strings.HasPrefix(at, tt.part); !unseen && !about(res, rule, "") {
					t.Errorf("no finding of %s: %+v\n%.1000s", rule, res.report.Notes, res.stderr)
				}
			}
			if strings.Contains(res.stdout+res.stderr, secretly()) {
				t.Error("the token is shown")
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for path, n := range s.asked {
				if n > 200 {
					t.Errorf("%s was asked for %d times", path, n)
				}
			}
		})
	}
}

// TestRedirects: who is sent elsewhere does not go there with its credentials.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var there []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		there = append(there, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := cluster(t, "/", refused(code, always, "Location", elsewhere.URL+"/api"))
		r := newRoom(t)
		want{code: 1, words: fmt.Sprint("the API server says ", code)}.check(t, r.cluster(s.kubeconfig(r, "token: "+secretly())))
	}
	mu.Lock()
	defer mu.Unlock()
	if len(there) > 0 {
		t.Errorf("the other host was asked with %q", there)
	}
}

// TestClusterFormats: no format passes on what a cluster's names would do to a terminal.
func TestClusterFormats(t *testing.T) {
	t.Parallel()
	var items []string
	for i, w := range wicked {
		q := string(toJSON(t, w))
		items = append(items, fmt.Sprintf(`{"metadata":{"name":%[1]s,"namespace":%[1]s,"uid":"%[2]d","annotations":{%[1]s:%[1]s}},"spec":{"containers":[{"name":%[1]s,"image":%[1]s,"command":[%[1]s],"securityContext":{"privileged":true}}],"volumes":[{"name":%[1]s,"hostPath":{"path":%[1]s}}]}}`, q, i))
	}
	s := cluster(t, "/", func(w http.ResponseWriter, r *http.Request, _ []byte, _ int32) bool {
		switch r.URL.Path {
		case podsPath:
			_, _ = io.WriteString(w, listOf(items...))
		case deploysAt:
			w.WriteHeader(500)
			fmt.Fprintf(w, `{"message":%s}`, toJSON(t, strings.Join(wicked, " ")))
		case "/version":
			fmt.Fprintf(w, `{"gitVersion":%s}`, toJSON(t, "v1.34"+wicked[0]))
		default:
			return false
		}
		return true
	})
	r := newRoom(t)
	config := s.kubeconfig(r, "token: "+secretly())
	snap := r.path("out", "c.snap")
	if res := r.run("snapshot", "cluster", "--kubeconfig", config, "-o", snap); res.code != 0 {
		t.Errorf("exit code %d: %s", res.code, res.stderr)
	}
	for _, f := range []string{"table", "json", "jsonl", "sarif", "junit", "gitlab", "markdown", "html"} {
		res := r.run("scan", "--offline", "snapshot:"+snap, "-f", f, "--db", database, "--cache-dir", r.path("cache"), "--verbose", "--only", "misconfig,exposure")
		if res.code != 0 || res.stdout == "" {
			t.Errorf("%s: exit code %d\n%.500s", f, res.code, res.stderr)
		}
		if strings.Contains(res.stdout, "\u202e") && slices.Contains([]string{"table", "markdown", "html"}, f) {
			t.Errorf("%s turns the direction of text", f)
		}
	}
}
