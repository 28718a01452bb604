package build

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/build/workflow"
)

// hub is a workflow or action of GitHub while it is judged.
type hub struct {
	*base
	*workflow.Workflow
}

// strangers' events are those that somebody without rights can cause and whose runs
// have the repository's token and secrets.
var strangers = []string{"pull_request_target", "workflow_run", "issue_comment", "issues", "discussion", "discussion_comment", "fork", "watch", "pull_request_comment"}

// onEvents gives the first of the events on which the job runs: its condition may name those
// for which it does, and nothing beside.
func (h *hub) onEvents(j *workflow.Job, events ...string) *workflow.Trigger {
	only := onlyEvents(j.Get("if"))
	for _, e := range events {
		if t := h.On(e); t != nil && (len(only) == 0 || slices.Contains(only, e)) {
			return t
		}
	}
	return nil
}

// onlyEvents are the events that a condition demands; none where it may hold for others.
func onlyEvents(n workflow.Node) []string {
	text := n.Text()
	if e := workflow.Expressions(n); len(e) == 1 {
		text = e[0].Text
	}
	var events []string
	for _, c := range workflow.ParseExpression(text).Compared {
		if c[0] == "github.event_name" {
			events = append(events, c[1])
		}
	}
	if strings.Contains(text, "event_name !=") || strings.Count(text, "||") != max(0, len(events)-1) || strings.Contains(text, "!(") {
		return nil
	}
	return events
}

// whole judges what the workflow says as a whole.
func (h *hub) whole() {
	if h.Action {
		return
	}
	if t := h.On("pull_request_target", "workflow_run"); t != nil {
		h.emit(h.finding(&dangerousTrigger, t.Name, "", t.At.Line(), "on: %s", t.Name))
	}
	h.permissions()
	h.variables("", h.Root.Get("env"))
	h.expressions("", h.Root.Get("env"))
}

// permissions judges the rights of the token.
func (h *hub) permissions() {
	top := h.Root.Get("permissions")
	if top.Text() == "write-all" {
		h.emit(h.finding(&writeAll, "workflow", "", top.Line(), "permissions: write-all"))
	}
	absent := false
	for _, j := range h.Jobs {
		p := j.Get("permissions")
		if p.Text() == "write-all" {
			h.emit(h.finding(&writeAll, "job "+j.ID, "", p.Line(), "permissions: write-all"))
		}
		absent = absent || !p.Exists()
	}
	if top.Exists() || !absent {
		return
	}
	// Runs of other people's comments and pull requests; those after another workflow too.
	if t := h.On("pull_request_target", "workflow_run", "issue_comment", "issues", "discussion", "discussion_comment"); t != nil {
		h.emit(h.finding(&riskyDefault, "workflow", "", t.At.Line(), "on: %s, and no permissions", t.Name))
		return
	}
	line := 1
	if len(h.Triggers) > 0 {
		line = h.Triggers[0].At.Line()
	}
	f := h.finding(&noPermissions, "workflow", "", line, "neither the workflow nor each job has permissions")
	f.Fix.Patch = h.readOnly()
	h.emit(f)
}

// job judges one job.
func (h *hub) job(j *workflow.Job) {
	h.condition(j.ID, j.Get("if"))
	h.variables(j.ID, j.Get("env"))
	h.expressions(j.ID, j.Node)
	h.runner(j)
	h.images(j)
	h.secrets(j)
	if uses := j.Get("uses"); uses.IsScalar() {
		h.uses(j.ID, uses)
	}
	h.release(j)
	h.merge(j)
	h.checkout(j)
	env := h.tainted(h.Root.Get("env"), j.Get("env"))
	for _, s := range j.Steps {
		h.step(j, s, env)
	}
}

// runner judges where the job runs.
func (h *hub) runner(j *workflow.Job) {
	on := j.Get("runs-on")
	labels := on.Texts()
	if on.IsMap() {
		labels = on.Get("labels").Texts()
	}
	t := h.onEvents(j, "pull_request_target", "pull_request", "issue_comment", "workflow_run")
	if guardOf(j.Get("if").Text()) == ownOnly {
		return
	}
	for _, l := range labels {
		if t != nil && strings.EqualFold(l.Text(), "self-hosted") {
			h.emit(h.finding(&selfHosted, "job "+j.ID, "", l.Line(), "runs-on: self-hosted, on: %s", t.Name))
			return
		}
	}
}

// images judges the images that the job runs in and beside.
func (h *hub) images(j *workflow.Job) {
	container := j.Get("container")
	nodes := []workflow.Node{container, container.Get("image")}
	password := []workflow.Node{container.Get("credentials", "password")}
	for _, s := range j.Get("services").Pairs() {
		nodes = append(nodes, s.Get("image"))
		password = append(password, s.Get("credentials", "password"))
	}
	if h.Action && strings.HasPrefix(j.Get("image").Text(), "docker://") {
		nodes = append(nodes, j.Get("image"))
	}
	for _, n := range nodes {
		h.image(n)
	}
	for _, p := range password {
		if text := p.Text(); text != "" && !strings.Contains(text, "${{") {
			h.emit(h.finding(&hardcoded, "job "+j.ID, "", p.Line(), "credentials.password is written down"))
		}
	}
}

// image judges how surely an image is named.
func (b *base) image(n workflow.Node) {
	text := strings.TrimPrefix(n.Text(), "docker://")
	if text == "" || strings.Contains(text, "@sha256:") || strings.Contains(text, "$") {
		return
	}
	b.anywhere(&unpinnedImage, text, n.Line(), "image: %s", text)
}

// uses judges the name of an action or workflow.
func (h *hub) uses(job string, n workflow.Node) {
	text := strings.TrimSpace(n.Text())
	h.note(n)
	h.flaws(n)
	if image, ok := strings.CutPrefix(text, "docker://"); ok {
		if !strings.Contains(image, "@sha256:") {
			h.anywhere(&unpinnedImage, image, n.Line(), "uses: %s", text)
		}
		return
	}
	if text == "" || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") || strings.Contains(text, "${{") {
		return
	}
	action, ref, _ := strings.Cut(text, "@")
	owner, rest, _ := strings.Cut(strings.ToLower(action), "/")
	repository, _, _ := strings.Cut(rest, "/")
	if strings.Contains(action, "/./") || strings.Contains(action, "//") || strings.Contains(action, "/../") {
		h.anywhere(&obfuscated, action, n.Line(), "uses: %s", text)
	}
	if near := nearly(owner, repository); near != "" {
		h.anywhere(&typosquat, action, n.Line(), "uses: %s, where %s/%s is well known", text, near, repository)
	}
	if archivedActions[owner+"/"+repository] {
		h.anywhere(&archived, action, n.Line(), "uses: %s", text)
	}
	switch {
	case isCommit(ref), owner+"/"+repository == "slsa-framework/slsa-github-generator": // that one verifies itself by its tag, and works with none other
	case owner == "actions" || owner == "github":
		h.anywhere(&unpinnedOfficial, action, n.Line(), "uses: %s", text)
	default:
		h.anywhere(&unpinnedAction, action, n.Line(), "uses: %s", text)
	}
}

// isCommit takes the full name of a commit: shorter ones can be made to collide.
func isCommit(ref string) bool {
	return (len(ref) == 40 || len(ref) == 64) && strings.Trim(strings.ToLower(ref), "0123456789abcdef") == ""
}

// archivedActions are some that GitHub or their authors have closed.
var archivedActions = map[string]bool{"actions/create-release": true, "actions/upload-release-asset": true, "actions/setup-ruby": true, "actions/setup-elixir": true, "actions/setup-haskell": true,
	"actions-rs/toolchain": true, "actions-rs/cargo": true, "actions-rs/clippy-check": true, "actions-rs/audit-check": true, "actions/upload-artifact-merge": true, "google-github-actions/setup-gcloud-legacy": true,
	"dtolnay/rust-toolchain-legacy": true, "docker-practice/actions-setup-docker": true, "machine-learning-apps/actions-chatops": true}

// wellKnown are owners by the names of what they are known for.
var wellKnown = map[string][]string{
	"actions": {"checkout", "cache", "setup-node", "setup-python", "setup-go", "setup-java", "setup-dotnet", "upload-artifact", "download-artifact", "github-script", "labeler", "stale"},
	"docker":  {"build-push-action", "login-action", "setup-buildx-action", "setup-qemu-action", "metadata-action"},
	"github":  {"codeql-action"}, "codecov": {"codecov-action"}, "goreleaser": {"goreleaser-action"}, "hashicorp": {"setup-terraform"}, "softprops": {"action-gh-release"}, "golangci": {"golangci-lint-action"},
}

// nearly gives the well-known owner whose name this is, but for one letter.
func nearly(owner, repository string) string {
	for known, names := range wellKnown {
		if owner != known && slices.Contains(names, repository) && oneEdit(owner, known) {
			return known
		}
	}
	return ""
}

// oneEdit tells whether a letter more, less, other or swapped makes b of a.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// variables judges an environment.
func (h *hub) variables(where string, env workflow.Node) {
	for k, v := range env.Pairs() {
		switch {
		case k.Text() == "ACTIONS_ALLOW_UNSECURE_COMMANDS" && v.True():
			h.emit(h.swapped(h.finding(&insecureCommands, where, "", k.Line(), "%s: %s", k.Text(), v.Text()), v, "false"))
		case (k.Text() == "ACTIONS_STEP_DEBUG" || k.Text() == "ACTIONS_RUNNER_DEBUG") && v.True():
			h.emit(h.swapped(h.finding(&debugOn, where, k.Text(), k.Line(), "%s: %s", k.Text(), v.Text()), v, "false"))
		}
	}
}

// secrets judges which secrets the job gets.
func (h *hub) secrets(j *workflow.Job) {
	n := j.Get("secrets")
	if n.Text() != "inherit" {
		return
	}
	uses := j.Get("uses").Text()
	f := h.finding(&inherit, "job "+j.ID, "", n.Line(), "secrets: inherit, to %s", uses)
	if strings.HasPrefix(uses, "./") {
		f = untidy(&inherit, f)
	}
	h.emit(f)
}

// rated gives a finding a severity.
func rated(r *Rule, f *bulwark.Finding, s bulwark.Severity) *bulwark.Finding {
	r.Rate(f, s)
	return f
}
