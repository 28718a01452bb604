//go:build linux

package apiserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"bulwark/kube"
	"bulwark/network/generate"
	"bulwark/test/apiserver/harness"
)

// TestGenerated: the API server takes every generated NetworkPolicy as it is, and warns of no
// field.
func TestGenerated(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "manifests", "microservices-demo", "kubernetes-manifests")
	files, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if len(files) == 0 {
		t.Skip("the manifests are not there")
	}
	set := &kube.Set{}
	add := func(text []byte) {
		for _, d := range kube.ParseYAML(text) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{}); ok && d.Err == nil {
				set.Objects = append(set.Objects, o)
			}
		}
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		add(data)
	}
	add([]byte("apiVersion: v1\nkind: Service\nmetadata: {name: open}\nspec: {type: NodePort, selector: {app: frontend}, ports: [{port: 80, targetPort: 8080}]}\n"))
	s := harness.Start(t)
	p := generate.New(set, "ingress-nginx")
	made := 0
	for _, text := range p.Documents(generate.NetworkPolicies) {
		for _, d := range kube.ParseYAML([]byte(text)) {
			o, ok := kube.NewObject(d.Root, kube.Origin{})
			if !ok {
				t.Fatalf("%v\n%s", d.Err, text)
			}
			path := fmt.Sprintf("/apis/networking.k8s.io/v1/namespaces/%s/networkpolicies?dryRun=All&fieldValidation=Strict", o.Namespace)
			s.Must(t, http.MethodPost, path, json.RawMessage(o.Root.JSON()))
			made++
		}
	}
	if made < 12 {
		t.Errorf("%d policies are taken", made)
	}
}
