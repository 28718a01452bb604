package cluster

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

const (
	planted       = "s3cr3t-planted"
	plantedNumber = 83749283742
)

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
	f.add("machines.example.com", named("a", "m", object{"apiVersion": "example.com/v1", "kind": "Machine", "spec": object{"values": object{"password": plantedNumber, "replicas": 30},
		"pod": object{"spec": object{"containers": []object{{"name": "c", "image": "m:1"}}}}}}))
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
		for _, never := range []string{planted, fmt.Sprint(plantedNumber), "managedFields", lastApplied, "tok_abcd", "tok_1234567890", "podIP", "openAPIV3Schema", base64.StdEncoding.EncodeToString([]byte(planted))} {
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
	values := s.Find("a/Machine.example.com/m").Root.Get("spec", "values")
	if n, ok := values.Get("replicas").Int(); !ok || n != 30 {
		t.Errorf("%s", values.JSON())
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
	_, err = (&Source{Options{Kubeconfig: filepath.Join(t.TempDir(), "none")}}).Open(t.Context(), "")
	if !errors.Is(err, bulwark.ErrNotFound) {
		t.Error(err)
	}
}

func TestKubeletConfig(t *testing.T) {
	hidden := strings.Repeat("x7Kq", 5)
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
		fmt.Fprintf(w, `{"kubeletconfig":{"readOnlyPort":10255,"authentication":{"anonymous":{"enabled":true}},"staticPodURLHeader":{"Authorization":["Bearer %[1]s"]}}}`, hidden)
		return true
	}
	if s := kube.Of(open(t, f.options(t))); s.Find("KubeletConfiguration/n1") != nil || len(s.Kind("kubelet.config.k8s.io", "KubeletConfiguration")) > 0 {
		t.Error("kubelets were asked without being told to")
	}
	o := f.options(t)
	o.KubeletConfig = true
	target := open(t, o)
	list := kube.Of(target).Kind("kubelet.config.k8s.io", "KubeletConfiguration")
	if kube.Of(target).Cluster.Unseen["nodes/proxy"] == "" {
		t.Error("nothing says that one was not read")
	}
	if len(list) != 1 || list[0].Root.Get("readOnlyPort").Text() != "10255" || list[0].Annotations["bulwark/other-nodes"] != "1" || len(target.Notes) != 1 {
		t.Errorf("%v %v", list, target.Notes)
	}
	if text := string(list[0].Root.JSON()); strings.Contains(text, hidden) || !strings.Contains(text, `"Authorization":""`) {
		t.Errorf("what the kubelet sends to others is kept: %s", text)
	}
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
