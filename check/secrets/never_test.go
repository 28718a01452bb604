package secrets

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
)

// TestNoValueIsTold puts values wherever a manifest may have them, and looks for them in all
// that is told.
func TestNoValueIsTold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		value := ""
		for range 24 {
			value += string("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"[r.IntN(57)])
		}
		token := "gh" + "p_" + value + value[:12]
		objects := decode(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: a, annotations: {db-password: %[1]s, note: 'postgres://u:%[1]s@db/x', t: %[2]s}}
spec:
  containers:
  - name: a
    image: a
    command: [sh, -c, "run --password=%[1]s --token %[2]s; export API_KEY=%[1]s; mysql -p%[1]s"]
    args: [--db-password, %[1]s, "--url=amqp://u:%[1]s@mq/"]
    env: [{name: DB_PASSWORD, value: %[1]s}, {name: X, value: %[2]s}, {name: URL, value: 'redis://:%[1]s@r/0'}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {password: %[1]s, f: "db.password=%[1]s\ntoken: %[2]s\n"}
---
apiVersion: v1
kind: Secret
metadata:
  name: s
  namespace: one
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"password":"%[1]s"}}'}
stringData: {password: %[1]s, file: "password=%[1]s\nx=y\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: two}
data: {password: %[3]s}
---
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources: [{resources: [secrets], providers: [{aescbc: {keys: [{name: a, secret: %[3]s}]}}]}]
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: h, namespace: h}
spec: {values: {auth: {password: %[1]s}}}
`, value, token, base64.StdEncoding.EncodeToString([]byte(value))))
		told := find(t, objects, nil)
		if len(told) < 6 {
			t.Fatalf("only %d findings", len(told))
		}
		text, err := json.Marshal(told)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{value[:8], value[8:16], value[16:], base64.StdEncoding.EncodeToString([]byte(value))[:12]} {
			if strings.Contains(string(text), part) {
				t.Fatalf("%s is told: %s", part, text)
			}
		}
	}
}

// TestFilesThatAreRead holds what is left to the search for secrets, where that reads the files.
func TestFilesThatAreRead(t *testing.T) {
	objects := decode(t, `
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - {name: a, image: a, env: [{name: DB_PASSWORD, value: kJ8sTq2vXw9z}, {name: ROOT_PASSWORD, value: root}, {name: URL, value: 'redis://:kJ8sTq2vXw9z@r/0'}]}
`)
	literals := func(layers []bulwark.Layer) []string {
		for _, f := range find(t, objects, layers) {
			if f.Rule == "secrets/literal" {
				return f.Evidence
			}
		}
		return nil
	}
	if got := literals(nil); len(got) != 3 {
		t.Errorf("alone it tells of %d, want 3: %q", len(got), got)
	}
	if got := literals([]bulwark.Layer{{}}); len(got) != 1 || !strings.Contains(got[0], "ROOT_PASSWORD") {
		t.Errorf("beside the search it tells of %q, want the plain word alone", got)
	}
}

func decode(t *testing.T, text string) []*kube.Object {
	t.Helper()
	var list []*kube.Object
	for _, d := range kube.ParseYAML([]byte(text)) {
		if d.Err != nil {
			t.Fatal(d.Err)
		}
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "x.yaml"})
		if !ok {
			t.Fatalf("line %d is no object", d.Line)
		}
		list = append(list, o)
	}
	return list
}

func find(t *testing.T, objects []*kube.Object, layers []bulwark.Layer) []bulwark.Finding {
	t.Helper()
	var list []bulwark.Finding
	target := &bulwark.Target{Objects: &kube.Set{Objects: objects}, Layers: layers}
	err := New(Options{Now: caseTime}).Check(context.Background(), target, nil, func(r bulwark.Record) {
		if r.Finding != nil {
			list = append(list, *r.Finding)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
