package build

import (
	"strings"

	"bulwark/build/workflow"
)

// publishing are actions that publish what was built.
var publishing = map[string]bool{"pypa/gh-action-pypi-publish": true, "softprops/action-gh-release": true, "goreleaser/goreleaser-action": true, "ncipollo/release-action": true, "js-devtools/npm-publish": true,
	"actions/create-release": true, "actions/upload-release-asset": true, "rubygems/release-gem": true, "svenstaro/upload-release-action": true}

var publishCommands = []string{"npm publish", "yarn publish", "pnpm publish", "cargo publish", "twine upload", "gem push", "gh release create", "gh release upload", "docker push", "poetry publish", "mvn deploy", "goreleaser release"}

// publishes is what the step publishes with; "" if it does not.
func publishes(s *workflow.Step) string {
	a := s.Action()
	if publishing[a] && !strings.Contains(s.Get("with", "args").Text(), "--snapshot") || a == "docker/build-push-action" && s.Get("with", "push").True() {
		return a
	}
	run := s.Get("run").Text()
	for _, c := range publishCommands {
		if strings.Contains(run, c) && !strings.Contains(run, "--dry-run") {
			return c
		}
	}
	return ""
}

// caches tells whether the step takes a cache that other runs fill.
func caches(s *workflow.Step) bool {
	cache := s.Get("with", "cache")
	switch s.Action() {
	case "actions/cache", "actions/cache/restore", "swatinem/rust-cache", "mozilla-actions/sccache-action":
		return true
	case "actions/setup-go":
		return cache.True() || !cache.Exists() && !olderGo(s.Uses().Text())
	case "actions/setup-node", "actions/setup-python", "actions/setup-java", "actions/setup-dotnet":
		return cache.Exists() && cache.Text() != "" && cache.Text() != "false"
	case "ruby/setup-ruby":
		return s.Get("with", "bundler-cache").True()
	case "docker/build-push-action":
		return strings.Contains(s.Get("with", "cache-from").Text(), "type=gha")
	case "astral-sh/setup-uv":
		return s.Get("with", "enable-cache").True()
	}
	return false
}

// olderGo tells whether setup-go is one that does not cache by itself.
func olderGo(uses string) bool {
	_, ref, _ := strings.Cut(uses, "@")
	major, _, _ := strings.Cut(strings.TrimPrefix(ref, "v"), ".")
	return major == "1" || major == "2" || major == "3"
}

// release judges jobs that publish.
func (h *hub) release(j *workflow.Job) {
	how := ""
	for _, s := range j.Steps {
		if p := publishes(s); p != "" {
			how = p
		}
		h.token(j, s)
	}
	if how == "" || !h.releases() {
		return
	}
	for _, s := range j.Steps {
		if caches(s) {
			h.emit(h.finding(&cachePoison, "job "+j.ID, "", s.Uses().Line(), "%s fills from a cache, and the job publishes (%s)", s.Uses().Text(), how))
			return
		}
	}
}

// releases tells whether the workflow is for releases: on the event, or on tags alone.
func (h *hub) releases() bool {
	if h.On("release") != nil {
		return true
	}
	t := h.On("push")
	return t != nil && t.Get("tags").Exists() && !t.Get("branches").Exists()
}

// token judges what the step publishes with: a token that lasts.
func (h *hub) token(j *workflow.Job, s *workflow.Step) {
	secret := func(n workflow.Node) bool { return strings.Contains(strings.ToLower(n.Text()), "secrets.") }
	env := s.Get("env")
	what := ""
	switch run := s.Get("run").Text(); {
	case s.Action() == "pypa/gh-action-pypi-publish" && secret(s.Get("with", "password")) && !s.Get("with", "repository-url").Exists():
		what = "PyPI"
	case strings.Contains(run, "npm publish") && (secret(env.Get("NODE_AUTH_TOKEN")) || secret(env.Get("NPM_TOKEN"))):
		what = "npm"
	case strings.Contains(run, "cargo publish") && secret(env.Get("CARGO_REGISTRY_TOKEN")):
		what = "crates.io"
	case strings.Contains(run, "twine upload") && secret(env.Get("TWINE_PASSWORD")):
		what = "PyPI"
	case strings.Contains(run, "gem push") && (secret(env.Get("GEM_HOST_API_KEY")) || secret(env.Get("RUBYGEMS_API_KEY"))):
		what = "RubyGems"
	}
	if what != "" {
		h.emit(h.finding(&publishToken, "job "+j.ID, what, s.Line(), "publishes to %s with a token of the secrets", what))
	}
}
