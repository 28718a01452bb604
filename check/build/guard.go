package build

import (
	"strings"

	"bulwark/build/workflow"
)

// condition judges an if.
func (h *hub) condition(job string, n workflow.Node) {
	text := n.Text()
	if text == "" {
		return
	}
	inside := workflow.Expressions(n)
	whole := strings.HasPrefix(text, "${{") && strings.HasSuffix(text, "}}") && len(inside) == 1
	if len(inside) > 0 && !whole {
		h.emit(h.finding(&alwaysTrue, "job "+job, text, n.Line(), "if: %q", text))
	}
	if len(inside) == 0 {
		inside = []workflow.Expression{{Text: text, Line: n.Line()}}
	}
	for _, e := range inside {
		p := workflow.ParseExpression(e.Text)
		for _, c := range p.Calls {
			if c.Name == "contains" && len(c.Args) == 2 && c.Args[0].Quoted && len(c.Args[1].Contexts) > 0 && choosable(c.Args[1].Contexts) {
				h.emit(h.finding(&unsoundContains, "job "+job, c.Args[1].Contexts[0], e.Line, "contains('%s', %s)", c.Args[0].Literal, c.Args[1].Contexts[0]))
			}
		}
		if t := h.On("pull_request_target", "workflow_run", "issue_comment"); t != nil && botCompared(p) != "" {
			h.emit(h.finding(&botActor, "job "+job, "", e.Line, "github.actor is compared with %s, on: %s", botCompared(p), t.Name))
		}
	}
}

// choosable tells whether somebody else may choose one of the values.
func choosable(contexts []string) bool {
	for _, c := range contexts {
		switch {
		case isChosen(c), c == "github.actor", c == "github.triggering_actor", c == "github.ref", c == "github.ref_name", c == "github.base_ref", strings.HasPrefix(c, "github.event.pull_request.user"),
			strings.HasPrefix(c, "inputs."), strings.HasPrefix(c, "env."), c == "github.event.label.name":
			return true
		}
	}
	return false
}

// botCompared is the bot that the last actor is taken for; "" for none.
func botCompared(p *workflow.Parsed) string {
	for _, c := range p.Compared {
		if (c[0] == "github.actor" || c[0] == "github.triggering_actor") && strings.HasSuffix(c[1], "[bot]") {
			return c[1]
		}
	}
	return ""
}

// expressions judges every expression of a job, or of an environment, wherever it
// stands: how secrets are used.
func (h *hub) expressions(job string, n workflow.Node) {
	seen := map[string]bool{}
	protected := job == "" || n.Get("environment").Exists()
	h.walk(n, 8, func(v workflow.Node) {
		for _, e := range workflow.Expressions(v) {
			if !strings.Contains(strings.ToLower(e.Text), "secrets") {
				continue
			}
			p := workflow.ParseExpression(e.Text)
			for _, c := range p.Calls {
				h.secretCall(job, c, e)
			}
			for _, c := range p.All {
				name, ok := strings.CutPrefix(c, "secrets.")
				name, _, _ = strings.Cut(name, ".")
				if ok && name != "github_token" && !isPublic(name) && !protected && !seen[name] {
					seen[name] = true
					h.emit(h.finding(&outsideEnvironment, "job "+job, name, e.Line, "secrets.%s", strings.ToUpper(name)))
				}
			}
		}
	})
}

// isPublic tells whether a secret's name, in lower case, says that it is none: people keep
// the user name beside the password.
func isPublic(name string) bool {
	for _, end := range []string{"username", "_user", "_email", "_app_id", "_registry", "_region"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

func (h *hub) secretCall(job string, c workflow.Call, e workflow.Expression) {
	for _, a := range c.Args {
		for _, context := range a.Contexts {
			switch {
			case c.Name == "tojson" && context == "secrets":
				h.emit(h.finding(&allSecrets, "job "+job, "", e.Line, "${{ %s }}", e.Text))
			case c.Name == "fromjson" && strings.HasPrefix(context, "secrets."):
				h.emit(h.finding(&unredacted, "job "+job, context, e.Line, "${{ %s }}", e.Text))
			}
		}
	}
}

// walk visits all scalars below a node.
func (h *hub) walk(n workflow.Node, depth int, visit func(workflow.Node)) {
	if n.IsScalar() {
		visit(n)
		return
	}
	if depth == 0 {
		return
	}
	for item := range n.Items() {
		h.walk(item, depth-1, visit)
	}
	for _, v := range n.Pairs() {
		h.walk(v, depth-1, visit)
	}
}

// merging are actions that approve or merge.
var merging = map[string]bool{"hmarr/auto-approve-action": true, "ahmadnassri/action-dependabot-auto-merge": true, "ana06/automatic-pull-request-review": true, "pascalgn/automerge-action": true}

// merge judges jobs that merge because of who the last actor was.
func (h *hub) merge(j *workflow.Job) {
	t := h.onEvents(j, "pull_request_target", "workflow_run")
	if t == nil {
		return
	}
	bot := botOf(j.Get("if"))
	for _, s := range j.Steps {
		if s.Action() == "dependabot/fetch-metadata" || s.Action() == "fastify/github-action-merge-dependabot" {
			return
		}
		who := bot
		if b := botOf(s.Get("if")); b != "" {
			who = b
		}
		run := s.Get("run").Text()
		if who != "" && (merging[s.Action()] || strings.Contains(run, "gh pr merge") || strings.Contains(run, "gh pr review --approve")) {
			h.emit(h.finding(&autoMerge, "job "+j.ID, "", s.Line(), "merges when github.actor is %s, on: %s", who, t.Name))
			return
		}
	}
}

func botOf(n workflow.Node) string {
	if e := workflow.Expressions(n); len(e) == 1 {
		return botCompared(workflow.ParseExpression(e[0].Text))
	}
	return botCompared(workflow.ParseExpression(n.Text()))
}
