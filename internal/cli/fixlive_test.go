package cli

import (
	"testing"

	"bulwark"
)

func TestKubectl(t *testing.T) {
	for _, tt := range []struct {
		format, object, text, want string
	}{
		{"strategic-merge", "default/Deployment/web", `{"a":"it's"}`, `kubectl patch Deployment web -n default --type strategic -p '{"a":"it'\''s"}'`},
		{"json-patch", "ClusterRole/system:x", `[]`, `kubectl patch ClusterRole system:x --type json -p '[]'`},
		{"json-patch", "a/Rollout.argoproj.io/x", `[]`, `kubectl patch Rollout.argoproj.io x -n a --type json -p '[]'`},
		{"json-patch", "a/Pod/$(id)", `[]`, `kubectl patch Pod '$(id)' -n a --type json -p '[]'`},
		{"json-patch", "a/Pod/--x", `[]`, ""},
		{"json-patch", "a/Pod/x\ny", `[]`, ""},
		{"json-patch", "a/b/c/d", `[]`, ""},
		{"unified-diff", "a/Pod/x", `[]`, ""},
	} {
		got, ok := kubectl("kubectl", &bulwark.Fix{Patch: &bulwark.Patch{Format: tt.format, File: tt.object, Text: tt.text}})
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%+v: %s, %v", tt, got, ok)
		}
	}
}
