package apiview

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/go-cmp/cmp"

	"bulwark/kube"
)

// native makes what JSON would of a value.
func native(t testing.TB, v ref.Val) any {
	t.Helper()
	switch v := v.(type) {
	case *Map:
		m := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			m[string(key.(types.String))] = native(t, v.Get(key))
		}
		return m
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			list = append(list, native(t, it.Next()))
		}
		return list
	case traits.Mapper:
		m := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			m[fmt.Sprint(key.Value())] = native(t, v.Get(key))
		}
		return m
	case types.Null:
		return nil
	case types.Int:
		return float64(v)
	}
	return v.Value()
}

func objectOf(t testing.TB, text string) *kube.Object {
	t.Helper()
	docs := kube.ParseYAML([]byte(text))
	if len(docs) != 1 || docs[0].Err != nil {
		t.Fatalf("%q: %v", text, docs)
	}
	o, ok := kube.NewObject(docs[0].Root, kube.Origin{File: "x.yaml"})
	if !ok {
		t.Fatalf("%q is no object", text)
	}
	return o
}

// at follows names and positions.
func at(t testing.TB, v any, path string) any {
	t.Helper()
	for _, step := range strings.Fields(path) {
		switch w := v.(type) {
		case map[string]any:
			v = w[step]
		case []any:
			v = w[int(step[0]-'0')]
		}
	}
	return v
}

func TestTypedView(t *testing.T) {
	const pod = `
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {}, annotations: {n: "1"}, nosuch: 1}
spec:
  hostNetwork: false
  hostPID: true
  shareProcessNamespace: false
  nodeSelector: {}
  volumes: [{name: v}, {name: h, hostPath: {path: /}}]
  containers:
  - name: a
    image: x
    image: y:1
    env: []
    resources: {limits: {cpu: 1000m, memory: 1024Ki}}
    ports: [{containerPort: 80}]
    securityContext: {privileged: false}
  - {name: b, image: "r:5000/z", livenessProbe: {httpGet: {port: web}}}
`
	got := native(t, Of(objectOf(t, pod), nil))
	for path, want := range map[string]any{
		"metadata":                          map[string]any{"name": "a", "namespace": "default", "annotations": map[string]any{"n": "1"}},
		"spec hostNetwork":                  nil,
		"spec hostPID":                      true,
		"spec shareProcessNamespace":        false, // a pointer: what is written stays
		"spec nodeSelector":                 nil,
		"spec dnsPolicy":                    "ClusterFirst",
		"spec securityContext":              map[string]any{},
		"spec serviceAccountName":           "default",
		"spec volumes 0":                    map[string]any{"name": "v", "emptyDir": map[string]any{}},
		"spec volumes 1":                    map[string]any{"name": "h", "hostPath": map[string]any{"path": "/", "type": ""}},
		"spec containers 0 image":           "y:1",
		"spec containers 0 env":             nil,
		"spec containers 0 imagePullPolicy": "IfNotPresent",
		"spec containers 1 imagePullPolicy": "Always",
		"spec containers 0 resources":       map[string]any{"limits": map[string]any{"cpu": "1", "memory": "1Mi"}, "requests": map[string]any{"cpu": "1", "memory": "1Mi"}},
		"spec containers 1 resources":       map[string]any{},
		"spec containers 0 ports 0":         map[string]any{"containerPort": 80.0, "protocol": "TCP"},
		"spec containers 0 securityContext": map[string]any{"privileged": false},
		"spec containers 1 livenessProbe":   map[string]any{"httpGet": map[string]any{"path": "/", "port": "web", "scheme": "HTTP"}, "timeoutSeconds": 1.0, "periodSeconds": 10.0, "successThreshold": 1.0, "failureThreshold": 3.0},
		"status":                            map[string]any{"phase": "Pending"},
	} {
		if diff := cmp.Diff(want, at(t, got, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestDefaultsOfWorkloads(t *testing.T) {
	const template = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a, resources: {limits: {cpu: 1}}}]}}"
	for _, tt := range []struct {
		text, path string
		want       any
	}{
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {" + template + "}}", "spec replicas", 1.0},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 0, " + template + "}}", "spec replicas", 0.0},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {" + template + "}}", "spec strategy", map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxUnavailable": "25%", "maxSurge": "25%"}}},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {strategy: {type: Recreate}, " + template + "}}", "spec strategy", map[string]any{"type": "Recreate"}},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {" + template + "}}", "spec template spec restartPolicy", "Always"},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {" + template + "}}", "spec template spec tolerations", nil},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {" + template + "}}", "spec template spec containers 0 resources", map[string]any{"limits": map[string]any{"cpu": "1"}}},
		{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {" + template + "}}", "spec updateStrategy", map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"partition": 0.0, "maxUnavailable": 1.0}}},
		{"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}, spec: {" + template + "}}", "spec updateStrategy", map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxUnavailable": 1.0, "maxSurge": 0.0}}},
		{"{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: x, jobTemplate: {spec: {" + template + "}}}}", "spec concurrencyPolicy", "Allow"},
		{"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}", "spec ports 0", map[string]any{"port": 80.0, "protocol": "TCP", "targetPort": 80.0}},
		{"{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: eA==}, stringData: {y: y}}", "data", map[string]any{"x": "eA==", "y": "eQ=="}},
		{"{apiVersion: x.example/v1, kind: Rollout, metadata: {name: a}, spec: {on: yes, n: 1.5, empty: {}}}", "spec", map[string]any{"on": true, "n": 1.5, "empty": map[string]any{}}},
	} {
		if diff := cmp.Diff(tt.want, at(t, native(t, Of(objectOf(t, tt.text), nil)), tt.path)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.text, tt.path, diff)
		}
	}
}

// TestViewIsWhatJSONIs compares the view of every known kind with what its type makes of the
// same document by way of JSON, which is what the API server shows; defaults are more.
func TestViewIsWhatJSONIs(t *testing.T) {
	for name, v := range kinds {
		version, kind, _ := strings.Cut(name, " ")
		typed := reflect.New(reflect.TypeOf(v))
		text := fmt.Sprintf(`{"apiVersion": %q, "kind": %q, "metadata": {"name": "a", "labels": {"x": "y"}}, "spec": {}}`, version, kind)
		if err := json.Unmarshal([]byte(text), typed.Interface()); err != nil {
			continue // a kind whose spec is no object
		}
		b, err := json.Marshal(typed.Interface())
		if err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		missing(t, name, "", want, native(t, Of(objectOf(t, text), nil)))
	}
}

// missing reports what JSON has and the view has not, or otherwise.
func missing(t *testing.T, name, path string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: %s is %v, want %v", name, path, got, want)
			return
		}
		for field, v := range w {
			missing(t, name, path+"."+field, v, g[field])
		}
	case nil:
	default:
		if w != "" && w != 0.0 && !cmp.Equal(want, got) {
			t.Errorf("%s: %s is %v, want %v", name, path, got, want)
		}
	}
}

func FuzzView(f *testing.F) {
	f.Add("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a, resources: {limits: {cpu: 1}}}], tolerations: [a, {}], volumes: x}\n")
	f.Add("apiVersion: apps/v1\nkind: Deployment\nspec: {strategy: 1, template: {spec: {hostNetwork: true, containers: [{ports: [{containerPort: x}]}]}}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range kube.ParseYAML([]byte(text)) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{}); ok {
				v := Of(o, &Trace{})
				native(t, v)
				v.Equal(Of(o, nil))
			}
		}
	})
}
