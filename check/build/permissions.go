package build

import (
	"strings"

	"bulwark"
	"bulwark/build/workflow"
	"bulwark/check/internal/misconfig"
)

// reading are actions that only read the repository.
var reading = map[string]bool{"actions/checkout": true, "actions/cache": true, "actions/upload-artifact": true, "actions/download-artifact": true, "golangci/golangci-lint-action": true, "codecov/codecov-action": true,
	"docker/setup-buildx-action": true, "docker/setup-qemu-action": true, "docker/metadata-action": true, "astral-sh/setup-uv": true, "dtolnay/rust-toolchain": true, "swatinem/rust-cache": true, "ruby/setup-ruby": true,
	"pnpm/action-setup": true, "shivammathur/setup-php": true, "hashicorp/setup-terraform": true, "dominikh/staticcheck-action": true, "msys2/setup-msys2": true}

// readOnly is the patch that gives the token the right to read the code, and no other; nil
// where some step may want more, or that cannot be seen.
func (h *hub) readOnly() *bulwark.Patch {
	key, jobs := h.Root.Find("jobs")
	line, ok := misconfig.Line(h.doc.Data, key.Line())
	if !ok || key.Column() != 1 || jobs.IsFlow() || !strings.HasPrefix(line, "jobs:") || h.Root.Get("permissions").Exists() {
		return nil
	}
	for _, j := range h.Jobs {
		if j.Get("uses").Exists() || j.Get("permissions").Exists() {
			return nil
		}
		for _, s := range j.Steps {
			a := s.Action()
			if a != "" && !reading[a] && !strings.HasPrefix(a, "actions/setup-") || wantsToken(s.Get("run").Text()) || publishes(s) != "" {
				return nil
			}
		}
	}
	wanted := false
	h.walk(h.Root, 8, func(n workflow.Node) {
		t := strings.ToLower(n.Text())
		wanted = wanted || strings.Contains(t, "secrets.github_token") || strings.Contains(t, "github.token")
	})
	if wanted {
		return nil
	}
	return misconfig.Replace(h.doc.Path, h.doc.Data, key.Line(), "permissions:", "  contents: read", "", line)
}

// wantsToken tells whether a script may use the token.
func wantsToken(script string) bool {
	for _, word := range []string{"git push", "gh ", "hub ", "GITHUB_TOKEN", "GH_TOKEN", "api.github.com", "npm publish"} {
		if strings.Contains(script, word) {
			return true
		}
	}
	return false
}
