package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bulwark"
)

// TestOverlayPatches adds the patches that are for kustomizations to them: what they are for
// is not found any more, whatever names and namespaces the kustomizations give.
func TestOverlayPatches(t *testing.T) {
	for name, settings := range map[string]string{
		"suffix":    "nameSuffix: -s\n",
		"namespace": "namespace: shop\nnamePrefix: p-\n",
		"nothing":   "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			kustomization := "resources: [../base]\n" + settings + "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: replace, path: /spec/template/spec/hostPID, value: true}\n"
			write(t, dir, "base/kustomization.yaml", "resources: [web.yaml]\nnamePrefix: b-\n")
			write(t, dir, "base/web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n"+
				"      hostPID: false\n      containers: [{name: c, image: \"nginx:1.27.0\"}]\n")
			write(t, dir, "over/kustomization.yml", kustomization)
			patch := hostPID(t, dir)
			if patch == nil || patch.Format != "strategic-merge" || patch.File != "over/kustomization.yml" {
				t.Fatalf("%+v", patch)
			}
			quoted, err := json.Marshal(patch.Text)
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "over/kustomization.yml", kustomization+"- patch: "+string(quoted)+"\n")
			if patch := hostPID(t, dir); patch != nil {
				t.Errorf("still found: %+v", patch)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hostPID is the patch of the one finding of hostPID; nil when it is not found.
func hostPID(t *testing.T, dir string) *bulwark.Patch {
	t.Helper()
	out, stderr := run(t, "scan", dir, "--only", "misconfig", "-f", "json")
	if strings.Contains(stderr, "not built") {
		t.Fatal(stderr)
	}
	var r bulwark.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	for _, n := range r.Notes {
		t.Errorf("%s: %s", n.Path, n.Text)
	}
	for _, f := range r.Findings {
		if f.Rule == "workload/host-pid" && f.Fix != nil && f.Fix.Patch != nil {
			return f.Fix.Patch
		} else if f.Rule == "workload/host-pid" {
			return &bulwark.Patch{Format: "none", Text: f.Fix.Text}
		}
	}
	return nil
}
