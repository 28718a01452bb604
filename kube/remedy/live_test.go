package remedy

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"bulwark/kube"
)

const deployment = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","labels":{"a":"b"}},"spec":{"template":{"spec":{"hostPID":true,
"containers":[{"name":"app","image":"x","ports":[{"containerPort":1},{"containerPort":2,"hostPort":3}],"securityContext":{"privileged":true,"capabilities":{"add":["A","B"]}},"volumeMounts":[{"name":"v","mountPath":"/v"}]},{"name":"side"}],
"volumes":[{"name":"v","hostPath":{"path":"/"}},{"name":"w","emptyDir":{}}]}}}}`

func pod(path ...any) []any { return append([]any{"spec", "template", "spec"}, path...) }

var liveEdits = map[string][]kube.Edit{
	"set":     {kube.Put(false, pod("containers", 0, "securityContext", "privileged")...)},
	"many":    {kube.Put(false, pod("containers", 0, "securityContext", "privileged")...), kube.Put(true, pod("containers", 1, "securityContext", "readOnlyRootFilesystem")...), kube.Drop(pod("hostPID")...)},
	"list":    {kube.Drop(pod("containers", 0, "securityContext", "capabilities", "add", 0)...)},
	"all":     {kube.Drop(pod("containers", 0, "securityContext", "capabilities", "add")...)},
	"keyed":   {kube.Drop(pod("volumes", 0)...), kube.Drop(pod("containers", 0, "volumeMounts", 0)...)},
	"port":    {kube.Drop(pod("containers", 0, "ports", 1, "hostPort")...)},
	"another": {kube.Put(map[string]any{}, pod("volumes", 0, "emptyDir")...), kube.Drop(pod("volumes", 0, "hostPath")...)},
	"label":   {kube.Put("d", "metadata", "labels", "x/y~z")},
}

// TestStrategicMerge holds the patches to what Kubernetes' own library makes of them.
func TestStrategicMerge(t *testing.T) {
	for name, edits := range liveEdits {
		o := objectOf(t, deployment)
		p, err := (&Maker{Set: &kube.Set{Cluster: &kube.Cluster{}}}).Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits})
		if name == "list" && err == nil && p.Format == "json-patch" {
			continue // another patch may change the list, too
		}
		if err != nil || p.Format != "strategic-merge" || p.File != o.ID() {
			t.Errorf("%s: %+v, %v", name, p, err)
			continue
		}
		got, err := strategicpatch.StrategicMergePatch([]byte(deployment), []byte(p.Text), reflect.New(types["apps/v1/Deployment"]).Elem().Interface())
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, p.Text)
			continue
		}
		want, _ := kube.Apply(o.Root, edits)
		made, _ := kube.ParseJSON(got)
		if !made.Equal(want) {
			t.Errorf("%s: %s makes\n%s\nwant\n%s", name, p.Text, got, want.JSON())
		}
	}
}

// TestSettled tries what no patch changes while the object is there.
func TestSettled(t *testing.T) {
	for _, tt := range []struct {
		object string
		path   []any
		patch  bool
	}{
		{`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"hostPID":true,"containers":[{"name":"c","image":"x"}]}}`, []any{"spec", "hostPID"}, false},
		{`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"x"}]}}`, []any{"spec", "containers", 0, "image"}, true},
		{`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"x":"y"}}}`, []any{"metadata", "labels", "x"}, true},
		{`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"spec":{"template":{"spec":{"hostPID":true}}}}`, []any{"spec", "template", "spec", "hostPID"}, false},
		{`{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"a"},"spec":{"jobTemplate":{"spec":{"template":{"spec":{"hostPID":true}}}}}}`, []any{"spec", "jobTemplate", "spec", "template", "spec", "hostPID"}, true},
		{`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"a"},"roleRef":{"name":"cluster-admin"}}`, []any{"roleRef", "name"}, false},
	} {
		o := objectOf(t, tt.object)
		p, err := (&Maker{Set: &kube.Set{Cluster: &kube.Cluster{}}}).Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: {kube.Put("other", tt.path...)}})
		if (err == nil) != tt.patch {
			t.Errorf("%s %v: %v, %v", o.Kind, tt.path, p, err)
		}
	}
}

func objectOf(t *testing.T, text string) *kube.Object {
	t.Helper()
	root, err := kube.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o, ok := kube.NewObject(root, kube.Origin{})
	if !ok {
		t.Fatalf("no object: %s", text)
	}
	return o
}

// TestJSONPatch follows the operations of patches of custom resources by hand.
func TestJSONPatch(t *testing.T) {
	for name, edits := range liveEdits {
		o := objectOf(t, strings.Replace(strings.Replace(deployment, "apps/v1", "example.com/v1", 1), "Deployment", "Rollout", 1))
		p, err := (&Maker{Set: &kube.Set{Cluster: &kube.Cluster{}}}).Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits})
		if err != nil || p.Format != "json-patch" {
			t.Errorf("%s: %+v, %v", name, p, err)
			continue
		}
		var ops []struct {
			Op, Path string
			Value    json.RawMessage
		}
		if err := json.Unmarshal([]byte(p.Text), &ops); err != nil {
			t.Fatal(err)
		}
		root := o.Root
		for _, op := range ops {
			var path []any
			for _, s := range strings.Split(op.Path, "/")[1:] {
				if s = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~"); root.At(path...).Form() == kube.List {
					path = append(path, int(s[0]-'0'))
				} else {
					path = append(path, s)
				}
			}
			value, _ := kube.ParseJSON(op.Value)
			switch op.Op {
			case "test":
				if !root.At(path...).Equal(value) {
					t.Errorf("%s: the test of %s fails", name, op.Path)
				}
			case "remove":
				root, err = kube.Apply(root, []kube.Edit{kube.Drop(path...)})
			default:
				root, err = kube.Apply(root, []kube.Edit{kube.Put(value, path...)})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if want, _ := kube.Apply(o.Root, edits); !root.Equal(want) {
			t.Errorf("%s: %s makes\n%s\nwant\n%s", name, p.Text, root.JSON(), want.JSON())
		}
	}
}
