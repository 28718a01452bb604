package cluster

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"bulwark"
	"bulwark/kube"
)

func pemOf(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func named(ns, name string, more ...object) object {
	o := object{"metadata": object{"name": name, "managedFields": []object{{"manager": "kubectl"}}}}
	if ns != "" {
		o["metadata"].(object)["namespace"] = ns
	}
	for _, m := range more {
		maps.Copy(o, m)
	}
	return o
}

func owned(o object, kind, uid string) object {
	o["metadata"].(object)["ownerReferences"] = []object{{"apiVersion": "apps/v1", "kind": kind, "name": "x", "uid": uid, "controller": true}}
	return o
}

const planted = "s3cr3t-planted"

func template(image string) object {
	return object{"spec": object{"template": object{"spec": object{"containers": []object{{"name": "c", "image": image,
		"env": []object{{"name": "DB_PASSWORD", "value": planted}, {"name": "PLAIN", "value": "x"}}}}}}}}
}

// filled is a server with something of everything.
func filled(t testing.TB) *fake {
	f := newFake(t)
	for _, ns := range []string{"a", "b", "c"} {
		f.add("namespaces", named("", ns))
	}
	f.add("deployments.apps", named("a", "web", template("nginx:1")), named("b", "api", template("api:2")))
	f.add("replicasets.apps", owned(named("a", "web-1", template("nginx:1")), "Deployment", "deployments.apps-a-web"),
		owned(named("a", "web-0", object{"spec": object{"replicas": 0}}), "Deployment", "deployments.apps-a-web"))
	for i := range 5 {
		f.add("pods", owned(named("a", fmt.Sprint("web-1-", i), object{
			"spec":   object{"nodeName": "n1", "containers": []object{{"name": "c", "image": "nginx:1", "env": []object{{"name": "X", "value": "long"}}}}},
			"status": object{"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": []object{{"name": "c", "imageID": "nginx@sha256:1"}}},
		}), "ReplicaSet", "replicasets.apps-a-web-1"))
	}
	f.add("pods", named("b", "alone", object{"spec": object{"containers": []object{{"name": "c", "image": "x"}}}}))
	f.add("secrets", named("a", "s", object{"type": "kubernetes.io/tls", "data": object{"password": base64.StdEncoding.EncodeToString([]byte(planted))}}),
		named("b", "s", object{"type": "Opaque", "data": object{"other": base64.StdEncoding.EncodeToString([]byte(planted))}}))
	f.objects["secrets"][0]["metadata"].(object)["annotations"] = object{lastApplied: `{"data":{"password":"` + planted + `"}}`}
	f.add("configmaps", named("a", "cm", object{"data": object{"x.conf": "a=1\npassword=" + planted + "\nurl=x://u:tok_abcd@h/y\n", "free": "see tok_1234567890 there"}}))
	f.add("customresourcedefinitions.apiextensions.k8s.io", named("", "machines.example.com", object{"spec": object{"group": "example.com", "names": object{"plural": "machines"},
		"versions": []object{{"name": "v1", "served": true, "schema": object{"openAPIV3Schema": object{"properties": object{"spec": object{"properties": object{
			"pod": object{"properties": object{"spec": object{"properties": object{"containers": object{"type": "array"}}}}}}}}}}}}}}))
	f.add("machines.example.com", named("a", "m", object{"apiVersion": "example.com/v1", "kind": "Machine", "spec": object{"pod": object{"spec": object{"containers": []object{{"name": "c", "image": "m:1"}}}}}}))
	f.add("pods.metrics.k8s.io", named("a", "never"))
	return f
}

func open(t *testing.T, o Options) *bulwark.Target {
	t.Helper()
	target, err := (&Source{o}).Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func ids(s *kube.Set) []string {
	var list []string
	for _, o := range s.Objects {
		list = append(list, o.ID())
	}
	slices.Sort(list)
	return list
}

func TestOpen(t *testing.T) {
	for _, old := range []bool{false, true} {
		f := filled(t)
		f.old = old
		target := open(t, f.options(t))
		s := kube.Of(target)
		want := []string{"CustomResourceDefinition/machines.example.com", "Namespace/a", "Namespace/b", "Namespace/c", "a/ConfigMap/cm", "a/Deployment/web", "a/Machine.example.com/m",
			"a/Pod/web-1-0", "a/Pod/web-1-1", "a/Pod/web-1-2", "a/Pod/web-1-3", "a/Pod/web-1-4", "a/ReplicaSet/web-1", "a/Secret/s", "b/Deployment/api", "b/Pod/alone", "b/Secret/s"}
		if diff := cmp.Diff(want, ids(s)); diff != "" {
			t.Errorf("old %v: objects (-want +got):\n%s", old, diff)
		}
		if target.Asset.ID != "k8s:prod" || s.Cluster.Version != "v1.37.2" || len(s.Cluster.Unseen) > 0 || len(target.Notes) > 0 {
			t.Errorf("%+v %+v %v", target.Asset, s.Cluster, target.Notes)
		}
		workloads := map[string]int{}
		for _, w := range s.Workloads() {
			workloads[w.ID()] = len(w.Pods)
		}
		if diff := cmp.Diff(map[string]int{"a/Deployment/web": 5, "b/Deployment/api": 0, "b/Pod/alone": 0, "a/Machine.example.com/m": 0}, workloads); diff != "" {
			t.Errorf("workloads (-want +got):\n%s", diff)
		}
	}
}

func TestLean(t *testing.T) {
	s := kube.Of(open(t, filled(t).options(t)))
	for _, o := range s.Objects {
		text := string(o.Root.JSON())
		for _, never := range []string{planted, "managedFields", lastApplied, "tok_abcd", "tok_1234567890", "podIP", "openAPIV3Schema", base64.StdEncoding.EncodeToString([]byte(planted))} {
			if strings.Contains(text, never) {
				t.Errorf("%s holds %q: %s", o.ID(), never, text)
			}
		}
	}
	if got := string(s.Find("a/Pod/web-1-0").Root.JSON()); len(got) > 460 || !strings.Contains(got, "sha256:1") || !strings.Contains(got, `"nodeName":"n1"`) {
		t.Errorf("a pod of a workload is %d bytes: %s", len(got), got)
	}
	env := s.Find("a/Deployment/web").Root.At("spec", "template", "spec", "containers", 0, "env")
	m, _, _, ok := kube.ParseMasked(env.At(0, "value").Text())
	if !ok || m.Why != "name" || m.Length != len(planted) || env.At(1, "value").Text() != "x" {
		t.Errorf("%s", env.JSON())
	}
	cm := s.Find("a/ConfigMap/cm").Root.Get("data")
	want := "a=1\npassword=bulwark.masked:name:14::\nurl=x://u:bulwark.masked:url:8::@h/y\n"
	if got := cm.Get("x.conf").Text(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := cm.Get("free").Text(); got != "see bulwark.masked:shape:14:tok_: there" {
		t.Errorf("%q", got)
	}
}

func TestSecrets(t *testing.T) {
	f := filled(t)
	s := kube.Of(open(t, f.options(t)))
	o := s.Find("a/Secret/s")
	v := kube.ValuesOf(o)
	if v.Read || len(v.Keys) > 0 || strings.Join(v.Applied, "") != "password" || o.Root.Get("type").Text() != "kubernetes.io/tls" {
		t.Errorf("%+v %s", v, o.Root.JSON())
	}
	options := f.options(t)
	options.ReadSecrets = true
	s = kube.Of(open(t, options))
	a, b := kube.ValuesOf(s.Find("a/Secret/s")), kube.ValuesOf(s.Find("b/Secret/s"))
	if !a.Read || a.Keys[0].Name != "password" || a.Keys[0].Hash == "" || a.Keys[0].Hash != b.Keys[0].Hash {
		t.Errorf("%+v %+v", a, b)
	}
}

func TestNamespaces(t *testing.T) {
	f := filled(t)
	o := f.options(t)
	o.Namespaces = []string{"b", "missing"}
	target := open(t, o)
	s := kube.Of(target)
	if diff := cmp.Diff([]string{"CustomResourceDefinition/machines.example.com", "Namespace/b", "b/Deployment/api", "b/Pod/alone", "b/Secret/s"}, ids(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(target.Notes) != 1 || !strings.Contains(target.Notes[0].Text, "no namespace missing") {
		t.Errorf("%v", target.Notes)
	}
	for _, uri := range f.asked {
		if strings.HasPrefix(uri, "/api/v1/pods") || strings.HasPrefix(uri, "/api/v1/namespaces?") {
			t.Errorf("asked %s", uri)
		}
	}
}

func TestContexts(t *testing.T) {
	f := filled(t)
	target, err := (&Source{f.options(t)}).Open(t.Context(), "other")
	if err != nil || target.Asset.ID != "k8s:other" {
		t.Errorf("%v %v", target, err)
	}
	_, err = (&Source{f.options(t)}).Open(t.Context(), "none")
	if !errors.Is(err, bulwark.ErrNotFound) {
		t.Error(err)
	}
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	if _, err = (&Source{}).Open(t.Context(), ""); !errors.Is(err, bulwark.ErrNotFound) {
		t.Error(err)
	}
	_, err = (&Source{Options{Kubeconfig: "/nowhere"}}).Open(t.Context(), "")
	if !errors.Is(err, bulwark.ErrNotFound) {
		t.Error(err)
	}
}

// on answers requests for a path.
func on(path string, do http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		do(w, r)
		return true
	}
}

// TestRefusals: what the server refuses is told, and the rest is done.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		do         http.HandlerFunc
		unseen     string // why, of the resource
		note       string
		asked      int // how often
	}{
		{"forbidden", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "no") }, "forbidden", "may not list pods:", 1},
		{"fails", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 500, "etcd\x1b[31m is\nill") }, "500", "could not list pods: the API server says 500 Internal Server Error: etcd[31m is ill", maxTries},
		{"busy", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			refuse(w, 429, "slow down")
		}, "429", "could not list pods", maxTries},
		{"gone", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "") }, "", "", 1},
		{"nonsense", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, "malformed", "could not list pods", 1},
		{"other type", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"items":{"a":1}}`) }, "malformed", "could not list pods", 1},
		{"cut off", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"items":[{"metadata":{"name":"x"}}`)
		}, "breaks off", "could not list pods", maxTries},
		{"circle", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"items":[],"metadata":{"continue":"1"}}`)
		}, "leads to itself", "could not list pods", 2},
		{"bad gzip", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "no gzip at all")
		}, "malformed", "could not list pods", 1},
		{"moved", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.invalid/")
			w.WriteHeader(302)
		}, "302", "could not list pods", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := filled(t)
			f.answer = on(tt.path, tt.do)
			target := open(t, f.options(t))
			s := kube.Of(target)
			if s.Find("a/Deployment/web") == nil || !strings.Contains(s.Cluster.Unseen["pods"], tt.unseen) || (tt.unseen == "") != (s.Cluster.Unseen["pods"] == "") {
				t.Errorf("unseen %v", s.Cluster.Unseen)
			}
			if tt.note != "" && (len(target.Notes) != 1 || !strings.Contains(target.Notes[0].Text, tt.note) || !target.Notes[0].Incomplete) {
				t.Errorf("notes %v", target.Notes)
			}
			n := 0
			for _, uri := range f.asked {
				if strings.HasPrefix(uri, tt.path) {
					n++
				}
			}
			if n != tt.asked {
				t.Errorf("asked %d times, want %d", n, tt.asked)
			}
			if tt.name == "busy" && (len(f.waits) != maxTries-1 || f.waits[0] != 7*time.Second) {
				t.Errorf("waits %v", f.waits)
			}
		})
	}
}

func TestSecretsForbidden(t *testing.T) {
	f := filled(t)
	f.answer = on("/api/v1/secrets", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "no") })
	target := open(t, f.options(t))
	if len(target.Notes) != 1 || target.Notes[0].Incomplete || kube.Of(target).Cluster.Unseen["secrets"] != "forbidden" {
		t.Errorf("%v", target.Notes)
	}
	o := f.options(t)
	o.ReadSecrets = true
	if target := open(t, o); len(target.Notes) != 1 || !target.Notes[0].Incomplete {
		t.Errorf("asked for values: %v", target.Notes)
	}
}

// TestNothing: what leaves nothing to look at is an error that says why.
func TestNothing(t *testing.T) {
	all := func(code int) func(*fake) {
		return func(f *fake) {
			f.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.Count(r.URL.Path, "/") < 3 && code == 403 {
					return false
				}
				refuse(w, code, "")
				return true
			}
		}
	}
	expired := "h." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1000000000}`)) + ".s"
	for _, tt := range []struct {
		name    string
		prepare func(*fake)
		token   string
		want    error
		text    string
	}{
		{"forbidden", all(403), "x", bulwark.ErrUntrusted, "may not"},
		{"unauthorized", all(401), "x", bulwark.ErrUntrusted, "may have expired"},
		{"expired token", all(401), expired, bulwark.ErrUntrusted, "the token of the kubeconfig expired on 2001-09-09"},
		{"busy", all(429), "x", bulwark.ErrUnavailable, "429 Too Many Requests"},
		{"failing", all(500), "x", bulwark.ErrUnavailable, "500 Internal Server Error"},
		{"refused", func(f *fake) { f.Close() }, "x", bulwark.ErrUnavailable, "does not answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := filled(t)
			o := f.options(t)
			o.Kubeconfig = f.kubeconfig(t, tt.token)
			tt.prepare(f)
			_, err := (&Source{o}).Open(t.Context(), "")
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), expired) {
				t.Errorf("the error has the token: %v", err)
			}
			if len(f.waits) > maxTries {
				t.Errorf("waited %d times", len(f.waits))
			}
		})
	}
}

// TestExpiresMidway: a token that ends while a scan is under way ends the questions, not the scan.
func TestExpiresMidway(t *testing.T) {
	f := filled(t)
	dead := false
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		dead = dead || strings.HasSuffix(r.URL.Path, "/replicasets")
		if dead {
			refuse(w, 401, "Unauthorized")
		}
		return dead
	}
	target := open(t, f.options(t))
	s := kube.Of(target)
	if s.Find("a/Deployment/web") == nil || s.Cluster.Unseen["pods"] == "" || len(target.Notes) != 1 {
		t.Errorf("%v %v", s.Cluster.Unseen, target.Notes)
	}
	if n := len(slices.DeleteFunc(slices.Clone(f.asked), func(u string) bool { return !strings.Contains(u, "/pods") })); n > 0 {
		t.Errorf("pods were asked for %d times with a token that has ended", n)
	}
}

func TestTLS(t *testing.T) {
	f := filled(t)
	o := f.options(t)
	b, err := os.ReadFile(o.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(f)
	defer plain.Close()
	write(t, o.Kubeconfig, strings.Replace(string(b), f.URL, strings.Replace(plain.URL, "http:", "https:", 1), 1))
	if _, err := (&Source{o}).Open(t.Context(), ""); !errors.Is(err, bulwark.ErrUnavailable) || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("a server without TLS: %v", err)
	}
	write(t, o.Kubeconfig, strings.Replace(string(b), "certificate-authority:", "tls-server-name: x, ignored:", 1))
	if _, err := (&Source{o}).Open(t.Context(), ""); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
}

// TestExpiredContinue: a list that expires goes on where the server says, or anew; nothing is there twice.
func TestExpiredContinue(t *testing.T) {
	for _, token := range []string{"4", ""} {
		f := filled(t)
		f.pageSize = 2
		times := 0
		f.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/api/v1/pods" || r.URL.Query().Get("continue") != "2" || times > 0 {
				return false
			}
			times++
			w.WriteHeader(http.StatusGone)
			fmt.Fprintf(w, `{"kind":"Status","code":410,"reason":"Expired","metadata":{"continue":%q}}`, token)
			return true
		}
		s := kube.Of(open(t, f.options(t)))
		want := map[string]int{"4": 4, "": 6}[token]
		if n := len(s.Kind("", "Pod")); n != want || times != 1 {
			t.Errorf("token %q: %d pods, want %d", token, n, want)
		}
	}
	f := filled(t)
	f.answer = on("/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	if s := kube.Of(open(t, f.options(t))); s.Cluster.Unseen["pods"] == "" {
		t.Error("a list that always expires is taken as read")
	}
}

func TestKubeletConfig(t *testing.T) {
	f := filled(t)
	for _, n := range []string{"n1", "n2", "n3"} {
		f.add("nodes", named("", n))
	}
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/proxy/configz") {
			return false
		}
		if strings.Contains(r.URL.Path, "n3") {
			refuse(w, 403, "no")
			return true
		}
		io.WriteString(w, `{"kubeletconfig":{"readOnlyPort":10255,"authentication":{"anonymous":{"enabled":true}}}}`)
		return true
	}
	if s := kube.Of(open(t, f.options(t))); s.Find("KubeletConfiguration/n1") != nil || len(s.Kind("kubelet.config.k8s.io", "KubeletConfiguration")) > 0 {
		t.Error("kubelets were asked without being told to")
	}
	o := f.options(t)
	o.KubeletConfig = true
	target := open(t, o)
	list := kube.Of(target).Kind("kubelet.config.k8s.io", "KubeletConfiguration")
	if len(list) != 1 || list[0].Root.Get("readOnlyPort").Text() != "10255" || list[0].Annotations["bulwark/other-nodes"] != "1" || len(target.Notes) != 1 {
		t.Errorf("%v %v", list, target.Notes)
	}
}

func TestSnapshot(t *testing.T) {
	f := filled(t)
	f.answer = on("/api/v1/services", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "no") })
	o := f.options(t)
	o.ReadSecrets = true
	var b bytes.Buffer
	taken, err := (&Source{o}).Save(t.Context(), "", &b)
	if err != nil || taken.Objects != 17 {
		t.Fatalf("%+v %v", taken, err)
	}
	z, err := zstd.NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{planted, base64.StdEncoding.EncodeToString([]byte(planted)), "tok_abcd", "good"} {
		if bytes.Contains(plain, []byte(never)) {
			t.Errorf("the snapshot holds %q", never)
		}
	}
	live := open(t, o)
	for _, file := range [][]byte{b.Bytes(), plain} {
		got, err := readSnapshot(t.Context(), bytes.NewReader(file), newKeeper())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(texts(live), texts(got)); diff != "" {
			t.Errorf("live and snapshot differ:\n%s", diff)
		}
		if !cmp.Equal(got.Notes, live.Notes) || !cmp.Equal(kube.Of(got).Cluster, kube.Of(live).Cluster) || got.Asset.ID != live.Asset.ID {
			t.Errorf("%v %v\n%+v %+v", got.Notes, live.Notes, kube.Of(got).Cluster, kube.Of(live).Cluster)
		}
		for cut := 0; cut < len(file); cut += 1 + len(file)/40 {
			if _, err := readSnapshot(t.Context(), bytes.NewReader(file[:cut]), newKeeper()); !errors.Is(err, bulwark.ErrMalformed) {
				t.Errorf("cut at %d of %d: %v", cut, len(file), err)
			}
		}
	}
}

// texts are the objects of a target without hashes, whose key is another for each run.
func texts(t *bulwark.Target) []string {
	var list []string
	for _, o := range kube.Of(t).Objects {
		text := string(o.Root.JSON())
		if v := kube.ValuesOf(o); v != nil {
			for _, k := range v.Keys {
				text = strings.ReplaceAll(text, k.Hash, "HASH")
			}
		}
		list = append(list, text)
	}
	return list
}

func TestSnapshotRefused(t *testing.T) {
	head := `{"bulwark":"cluster-snapshot/v1","cluster":"c"}` + "\n"
	bomb := func() []byte {
		var b bytes.Buffer
		z, _ := zstd.NewWriter(&b)
		io.WriteString(z, head)
		line := []byte(`{"apiVersion":"v1","kind":"X","metadata":{"name":"x"},"spec":[` + strings.Repeat("0,", 1<<19) + "0]}\n")
		for range 100 {
			z.Write(line)
		}
		z.Close()
		return b.Bytes()
	}
	long := func() []byte {
		var b bytes.Buffer
		z, _ := zstd.NewWriter(&b)
		io.WriteString(z, head+`{"apiVersion":"`)
		for range 20 {
			z.Write(bytes.Repeat([]byte("a"), 1<<20))
		}
		z.Close()
		return b.Bytes()
	}
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, bulwark.ErrMalformed},
		{"other", []byte(`{"schema":"x"}` + "\n"), bulwark.ErrMalformed},
		{"newer", []byte(`{"bulwark":"cluster-snapshot/v9"}` + "\n"), bulwark.ErrUnsupported},
		{"no object", []byte(head + "{}\n"), bulwark.ErrMalformed},
		{"no json", []byte(head + "hello\n"), bulwark.ErrMalformed},
		{"fewer", []byte(head + `{"end":{"objects":3}}` + "\n"), bulwark.ErrMalformed},
		{"bomb", bomb(), bulwark.ErrLimit},
		{"one line", long(), bulwark.ErrLimit},
		{"deep", []byte(head + `{"apiVersion":` + strings.Repeat("[", 100000) + "\n"), bulwark.ErrLimit},
	} {
		k := newKeeper()
		k.most = 1 << 20
		if _, err := readSnapshot(t.Context(), bytes.NewReader(tt.data), k); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	ok := head + `{"apiVersion":"v1","kind":"X","metadata":{"name":"x"}}` + "\n" + `{"end":{"objects":1,"notes":[{"text":"a\u001b[31mb"}]}}` + "\n"
	target, err := readSnapshot(t.Context(), strings.NewReader(ok), newKeeper())
	if err != nil || target.Notes[0].Text != "a[31mb" {
		t.Errorf("%v %v", target, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readSnapshot(ctx, strings.NewReader(head+strings.Repeat(`{"apiVersion":"v1","kind":"X","metadata":{"name":"x"}}`+"\n", 5000)), newKeeper()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzSnapshot(f *testing.F) {
	head := `{"bulwark":"cluster-snapshot/v1","cluster":"c"}` + "\n"
	f.Add([]byte(head + `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"bulwark":{"read":true,"keys":[{"name":1}]}}` + "\n" + `{"end":{"objects":1}}` + "\n"))
	f.Add([]byte(head + `{"end":{"objects":0,"unseen":{"a":"b"}}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		target, err := readSnapshot(t.Context(), bytes.NewReader(data), newKeeper())
		if err != nil {
			return
		}
		s := kube.Of(target)
		s.Workloads()
		for _, o := range s.Objects {
			kube.ValuesOf(o)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"metadata":{"continue":"x"},"items":[{"metadata":{"name":"a"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p page
		_ = p.read(bytes.NewReader(data))
	})
}

// FuzzLean: whatever an object holds, what is kept of it is JSON, and masking it again changes nothing.
func FuzzLean(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"a","annotations":{"password":"xyz"}},"spec":{"args":["--password","abc"],"x":[{"name":"password","value":"abc"}]},"data":{"a":"password: x\n"}}`))
	f.Add([]byte(`{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}},"status":{},"spec":{"versions":[1]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := kube.ParseJSON(data)
		if err != nil {
			return
		}
		l := &lean{isSecret, kube.NewHasher(), true}
		for i := range coreKinds {
			r := &coreKinds[i]
			line := l.object(r, n)
			again, err := kube.ParseJSON(line)
			if err != nil || !json.Valid(line) || bytes.ContainsRune(line, '\n') {
				t.Fatalf("%s of %s: %v\n%s", r, data, err, line)
			}
			if r.name != "secrets" {
				if twice := l.object(r, again); !bytes.Equal(line, twice) {
					t.Errorf("%s of %s:\n%s\n%s", r, data, line, twice)
				}
			}
			l.owned(r, n)
			l.ownedPod(r, n)
		}
	})
}

// TestExecCredentials: a program that the user's kubeconfig names gives the token; one that
// fails is told of.
func TestExecCredentials(t *testing.T) {
	f := filled(t)
	o := f.options(t)
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer made-by-program" {
			refuse(w, 401, "Unauthorized")
			return true
		}
		return false
	}
	plain, err := os.ReadFile(o.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	use := func(name, script string) { // programs' answers are remembered by name
		program := filepath.Join(t.TempDir(), name)
		write(t, program, "#!/bin/sh\n"+script+"\n")
		if err := os.Chmod(program, 0o700); err != nil {
			t.Fatal(err)
		}
		exec := fmt.Sprintf(`exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: Never}`, program)
		write(t, o.Kubeconfig, strings.Replace(string(plain), `token: "good"`, exec, 1))
	}
	use("login", `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"made-by-program"}}'`)
	if target := open(t, o); len(target.Notes) > 0 {
		t.Errorf("%v", target.Notes)
	}
	use("failing", "exit 7")
	if _, err := (&Source{o}).Open(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "failing") {
		t.Errorf("%v", err)
	}
}
