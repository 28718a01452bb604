package kube

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// definition is one of a custom resource, long enough.
func definition(schema string) string {
	return "# a comment\nkind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nmetadata:\n  name: x.example.com\nspec:\n  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n" +
		schema + strings.Repeat("        # padding of the schema\n", leastSchema/30+1) + "    served: true\n  scope: Cluster\n"
}

func TestWithoutSchemas(t *testing.T) {
	for name, schema := range map[string]string{
		"plain":        "        type: object\n        properties:\n          a: {type: string}\n",
		"block text":   "        description: |\n          openAPIV3Schema:\n            kind: CustomResourceDefinition\n\n          text\n        type: object\n",
		"comment left": "        type: object\n# all the way left\n        properties: {}\n",
		"broken":       "        type: [\n",
	} {
		t.Run(name, func(t *testing.T) {
			text := definition(schema)
			docs := ParseYAML([]byte(text))
			if len(docs) != 1 || docs[0].Err != nil {
				t.Fatalf("%+v", docs)
			}
			root := docs[0].Root
			if n := root.At("spec", "versions", 0, "served"); !n.True() || n.Line() != strings.Count(text[:strings.Index(text, "    served")], "\n")+1 {
				t.Errorf("served: %v in line %d", n.True(), n.Line())
			}
			if root.Get("spec", "scope").Text() != "Cluster" || root.At("spec", "versions", 0, "schema", "openAPIV3Schema").Exists() {
				t.Error("the schema was read, or what follows it was not")
			}
		})
	}
}

// TestWithoutSchemasReal: definitions as they are found are the same but for their schemas.
func TestWithoutSchemasReal(t *testing.T) {
	files, _ := filepath.Glob("../../shared/data/manifests/kube-prometheus/manifests/setup/*.yaml")
	if len(files) == 0 {
		t.Skip("needs ../shared/data/manifests beside the repository")
	}
	tried := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lean, ok := withoutSchemas(text)
		if !ok {
			continue
		}
		tried++
		if got, want := bytes.Count(lean, []byte("\n")), bytes.Count(text, []byte("\n")); got != want {
			t.Errorf("%s: %d lines of %d", file, got, want)
		}
		var got, want any
		if err := yaml.Unmarshal(lean, &got); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		for _, v := range want.(map[string]any)["spec"].(map[string]any)["versions"].([]any) {
			v.(map[string]any)["schema"].(map[string]any)["openAPIV3Schema"] = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	if tried == 0 {
		t.Error("no definition has a schema")
	}
}
