package build

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"bulwark"
	"bulwark/build/workflow"
)

// chosen are contexts whose text somebody without rights chooses freely. Logins, numbers
// and digests are not: they cannot hold what a shell would read as a command.
var chosen = []string{
	"github.head_ref",
	"github.event.issue.title", "github.event.issue.body",
	"github.event.pull_request.title", "github.event.pull_request.body",
	"github.event.pull_request.head.ref", "github.event.pull_request.head.label", "github.event.pull_request.head.repo.default_branch",
	"github.event.pull_request.head.repo.description", "github.event.pull_request.head.repo.homepage",
	"github.event.comment.body", "github.event.review.body", "github.event.review_comment.body",
	"github.event.discussion.title", "github.event.discussion.body",
	"github.event.pages.*.page_name", "github.event.pages.*.title",
	"github.event.commits.*.message", "github.event.commits.*.author.email", "github.event.commits.*.author.name", "github.event.commits.*.committer.name", "github.event.commits.*.committer.email",
	"github.event.head_commit.message", "github.event.head_commit.author.email", "github.event.head_commit.author.name", "github.event.head_commit.committer.email", "github.event.head_commit.committer.name",
	"github.event.workflow_run.head_branch", "github.event.workflow_run.display_title", "github.event.workflow_run.head_commit.message",
	"github.event.workflow_run.head_commit.author.email", "github.event.workflow_run.head_commit.author.name", "github.event.workflow_run.head_repository.description",
	"github.event.workflow_run.pull_requests.*.head.ref", "github.event.changes.title.from", "github.event.changes.body.from", "github.event.fork.description",
	"github.event.merge_group.head_commit.message",
	"github.event", "github", "github.event.issue", "github.event.pull_request", "github.event.comment", "github.event.commits", "github.event.head_commit", // whole, by toJSON
}

// isChosen takes an index for any.
func isChosen(context string) bool {
	for _, c := range chosen {
		if context == c {
			return true
		}
		if strings.Contains(c, "*") {
			if ok, err := path.Match(strings.ReplaceAll(c, ".", "/"), strings.ReplaceAll(context, ".", "/")); ok && err == nil {
				return true
			}
		}
	}
	return false
}

// tainted gives the variables whose value a stranger chooses, by "env." and their name.
func (h *hub) tainted(envs ...workflow.Node) map[string]string {
	out := map[string]string{}
	for _, env := range envs {
		for k, v := range env.Pairs() {
			for _, e := range workflow.Expressions(v) {
				if c := stranger(workflow.ParseExpression(e.Text), nil); c != "" {
					out["env."+strings.ToLower(k.Text())] = c
				}
			}
		}
	}
	return out
}

// stranger is what of an expression a stranger chooses; "" for nothing.
func stranger(p *workflow.Parsed, env map[string]string) string {
	for _, c := range p.Contexts {
		if isChosen(c) {
			return c
		}
		if from := env[c]; from != "" {
			return c + " (" + from + ")"
		}
	}
	return ""
}

// step judges one step.
func (h *hub) step(j *workflow.Job, s *workflow.Step, jobEnv map[string]string) {
	h.variables(j.ID, s.Get("env"))
	h.condition(j.ID, s.Get("if"))
	if uses := s.Uses(); uses.IsScalar() {
		h.uses(j.ID, uses)
	}
	env := h.tainted(s.Get("env"))
	for k, v := range jobEnv {
		env[k] = v
	}
	h.script(j, s.Get("run"), env, func(e workflow.Expression) *bulwark.Patch { return h.handOver(j, s, e) })
	if s.Action() == "actions/github-script" {
		h.script(j, s.Get("with", "script"), env, func(workflow.Expression) *bulwark.Patch { return nil })
	}
	h.written(j, s, env)
	h.tool(j, s)
	h.constant(j, s.Get("run"))
	h.constant(j, s.Uses())
	h.piped("job "+j.ID, workflow.Lines(s.Get("run")))
}

// script judges the expressions that are put into a script; mend makes their patches.
func (h *hub) script(j *workflow.Job, n workflow.Node, env map[string]string, mend func(workflow.Expression) *bulwark.Patch) {
	for _, e := range workflow.Expressions(n) {
		p := workflow.ParseExpression(e.Text)
		if c := stranger(p, env); c != "" {
			severity, event := h.reach(j, c)
			if severity == bulwark.SeverityUnknown {
				continue
			}
			f := rated(&injection, h.finding(&injection, "job "+j.ID, c, e.Line, "${{ %s }} in a script, on: %s", e.Text, event), severity)
			f.Fix.Patch = mend(e)
			h.emit(f)
			continue
		}
		for _, c := range p.Contexts {
			if h.isInput(c) {
				f := h.finding(&inputInjection, "job "+j.ID, c, e.Line, "${{ %s }} in a script", e.Text)
				f.Fix.Patch = mend(e)
				h.emit(f)
				break
			}
		}
	}
}

// reach is how bad it is that a stranger's text becomes part of a script: that depends
// on the events that the workflow runs on.
func (h *hub) reach(j *workflow.Job, context string) (bulwark.Severity, string) {
	if h.Action {
		return high, "the workflow that uses this action"
	}
	onlyOn := func(part string, events ...string) bool {
		return strings.Contains(context, part) && h.onEvents(j, events...) == nil
	}
	if onlyOn("event.issue.", "issues", "issue_comment", "workflow_call") || onlyOn("event.comment.", "issue_comment", "discussion_comment", "commit_comment", "pull_request_review_comment", "workflow_call") {
		return bulwark.SeverityUnknown, "" // empty on all events of this workflow
	}
	if strings.Contains(context, "commit") && !strings.Contains(context, "workflow_run") {
		if t := h.onEvents(j, "push", "workflow_call", "merge_group"); t != nil {
			return medium, t.Name
		}
	}
	if t := h.onEvents(j, strangers...); t != nil {
		return high, t.Name
	}
	if t := h.onEvents(j, "pull_request", "pull_request_review", "pull_request_review_comment", "workflow_call", "commit_comment", "gollum", "merge_group"); t != nil {
		return medium, t.Name
	}
	if len(h.Triggers) == 0 {
		return medium, "unknown"
	}
	return bulwark.SeverityUnknown, "" // empty on all events of this workflow
}

// isInput tells whether a context is an input whose text is free.
func (h *hub) isInput(context string) bool {
	name, ok := strings.CutPrefix(context, "inputs.")
	if !ok {
		name, ok = strings.CutPrefix(context, "github.event.inputs.")
	}
	if !ok || strings.Contains(name, ".") {
		return false
	}
	nodes := []workflow.Node{h.Root.Get("inputs")}
	for _, t := range h.Triggers {
		nodes = append(nodes, t.Get("inputs"))
	}
	for _, inputs := range nodes {
		for k, v := range inputs.Pairs() {
			if strings.EqualFold(k.Text(), name) {
				switch v.Get("type").Text() {
				case "boolean", "number", "choice", "environment":
					return false
				}
			}
		}
	}
	return true
}

var writes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`>>?\s*"?\$\{?(GITHUB_ENV|GITHUB_PATH)\b|(?:Out-File|Add-Content).*\$env:(GITHUB_ENV|GITHUB_PATH)`)
})

// written judges what is written to the environment of later steps, where a stranger may
// have a say.
func (h *hub) written(j *workflow.Job, s *workflow.Step, env map[string]string) {
	t := h.onEvents(j, "pull_request_target", "workflow_run", "issue_comment")
	if t == nil {
		return
	}
	for _, l := range workflow.Lines(s.Get("run")) {
		m := writes().FindStringSubmatch(l.Text)
		if m == nil {
			continue
		}
		value := writes().ReplaceAllString(l.Text, "")
		if !strings.Contains(strings.ReplaceAll(value, "${{", ""), "$") {
			continue
		}
		f := h.finding(&envWrite, "job "+j.ID, strings.TrimSpace(value), l.Number, "%s, on: %s", strings.TrimSpace(l.Text), t.Name)
		for name, from := range env {
			if v := strings.TrimPrefix(name, "env."); containsFold(value, "$"+v) || containsFold(value, "${"+v) {
				f.Evidence = append(f.Evidence, "the value is "+from)
				envWrite.Rate(f, high)
			}
		}
		if f.Severity != high && !strings.Contains(value, "$(") && !strings.Contains(value, "`") {
			continue // a variable of which nothing is known
		}
		slices.Sort(f.Evidence[1:])
		h.emit(f)
	}
}

func containsFold(s, part string) bool { return strings.Contains(strings.ToLower(s), part) }

var pipes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(?:curl|wget)\b[^|;&#]*\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:env\s+\S+=\S+\s+)*(?:/(?:usr/)?bin/)?(?:ba|z|da|k)?sh\b|\b(?:ba|z|da)?sh\b\s+(?:-c\s+)?["']?(?:<\(|\$\()\s*(?:curl|wget)\b`)
})

var address = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`https?://[^\s"'|)]+`) })

// piped finds scripts that are run as they come.
func (b *base) piped(subject string, lines []workflow.Line) {
	for _, l := range lines {
		if !strings.Contains(l.Text, "curl") && !strings.Contains(l.Text, "wget") || !pipes().MatchString(l.Text) || strings.HasPrefix(strings.TrimSpace(l.Text), "#") {
			continue
		}
		from := shown(address().FindString(l.Text))
		f := b.finding(&pipedScript, subject, from, l.Number, "a script is fetched and run: %s", from)
		if strings.HasPrefix(from, "http://") {
			pipedScript.Rate(f, high)
		}
		b.emit(f)
	}
}
