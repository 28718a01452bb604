package build

import (
	"regexp"
	"slices"
	"strings"

	"bulwark"
	"bulwark/build/workflow"
	"bulwark/check/internal/misconfig"
)

// handOver is the patch that hands an expression to a script as a variable of the
// environment; nil where that cannot be done for sure: in single quotes, in shells that
// are no sh, in steps that are written in braces.
func (h *hub) handOver(j *workflow.Job, s *workflow.Step, e workflow.Expression) *bulwark.Patch {
	key, run := s.Find("run")
	name := variableOf(e.Text)
	for _, env := range []workflow.Node{s.Get("env"), j.Get("env"), h.Root.Get("env")} {
		if name == "" || env.Get(name).Exists() {
			return nil
		}
	}
	if s.IsFlow() || s.Aliased() || run.Aliased() || !h.isShell(j, s) || strings.Contains(run.Text(), "<<") {
		return nil
	}
	if quote, plain := run.IsPlain(); quote != 0 || !plain && !run.IsBlock() {
		return nil
	}
	line, ok := misconfig.Line(h.doc.Data, e.Line)
	if !ok {
		return nil
	}
	changed, ok := expanded(line, e.Text, name)
	if !ok || strings.HasPrefix(strings.TrimSpace(changed), `run: "`) || strings.HasPrefix(strings.TrimSpace(changed), `- run: "`) {
		return nil // YAML would take the quotes for its own
	}
	edits := h.environment(s, key, name+": ${{ "+e.Text+" }}")
	if edits == nil {
		return nil
	}
	at := slices.IndexFunc(edits, func(d misconfig.Edit) bool { return d.Line == e.Line })
	if at < 0 {
		return misconfig.Diff(h.doc.Path, h.doc.Data, append(edits, misconfig.Edit{Line: e.Line, With: []string{changed}}))
	}
	with := edits[at].With // the line of the key is that of the expression
	last := with[len(with)-1]
	indent := len(last) - len(strings.TrimLeft(last, " "))
	with[len(with)-1] = last[:indent] + strings.TrimLeft(changed, " -")
	return misconfig.Diff(h.doc.Path, h.doc.Data, edits)
}

// environment are the edits that add a variable to a step: to its env, or to a new one
// before run.
func (h *hub) environment(s *workflow.Step, run workflow.Node, variable string) []misconfig.Edit {
	at, before := run, []string{"env:", "  " + variable}
	if env := s.Get("env"); env.Exists() {
		if !env.IsMap() || env.IsFlow() || env.Aliased() {
			return nil
		}
		first := workflow.Node{}
		for k := range env.Pairs() {
			first = k
			break
		}
		at, before = first, []string{variable}
	}
	line, ok := misconfig.Line(h.doc.Data, at.Line())
	indent := at.Column() - 1
	if !ok || indent < 0 || indent > len(line) || strings.Trim(line[:indent], " -") != "" || !strings.HasPrefix(line[indent:], at.Text()) {
		return nil
	}
	pad := strings.Repeat(" ", indent)
	var with []string
	for i, b := range before {
		if i == 0 {
			with = append(with, line[:indent]+b)
			continue
		}
		with = append(with, pad+b)
	}
	return []misconfig.Edit{{Line: at.Line(), With: append(with, pad+line[indent:])}}
}

// isShell tells whether the step is surely run by a shell that expands ${NAME}.
func (h *hub) isShell(j *workflow.Job, s *workflow.Step) bool {
	for _, n := range []workflow.Node{s.Get("shell"), j.Get("defaults", "run", "shell"), h.Root.Get("defaults", "run", "shell")} {
		if t := n.Text(); t != "" {
			return strings.HasPrefix(t, "bash") || strings.HasPrefix(t, "sh")
		}
	}
	on := strings.ToLower(j.Get("runs-on").Text())
	return !h.Action && !strings.Contains(on, "windows") && !strings.Contains(on, "${{")
}

// expanded is the line with the expression replaced by a variable in double quotes.
func expanded(line, expression, name string) (string, bool) {
	if strings.ContainsAny(expression, "\n\"'#") || strings.Contains(expression, ": ") {
		return "", false
	}
	re, err := regexp.Compile(`\$\{\{\s*` + regexp.QuoteMeta(expression) + `\s*\}\}`)
	if err != nil {
		return "", false
	}
	found := re.FindAllStringIndex(line, -1)
	var b strings.Builder
	at := 0
	for _, f := range found {
		before := strings.ReplaceAll(line[:f[0]], `\"`, "")
		if strings.Count(before, "'")%2 == 1 {
			return "", false // nothing is expanded there, or an apostrophe is in the way
		}
		b.WriteString(line[at:f[0]])
		if strings.Count(before, `"`)%2 == 1 || several(name) {
			b.WriteString("${" + name + "}")
		} else {
			b.WriteString(`"${` + name + `}"`)
		}
		at = f[1]
	}
	return b.String() + line[at:], len(found) > 0
}

// several tells whether an input is meant to be several words, which quotes would make one
// of. Split or not, nothing of it is run.
func several(name string) bool {
	if !strings.HasPrefix(name, "INPUTS_") {
		return false
	}
	for _, end := range []string{"ARGS", "ARGUMENTS", "FLAGS", "OPTIONS", "OPTS", "PACKAGES", "FILES", "PATHS", "TARGETS", "PARAMS"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// variableOf is a name for the value of an expression: ISSUE_TITLE for
// github.event.issue.title.
func variableOf(expression string) string {
	contexts := workflow.ParseExpression(expression).Contexts
	if len(contexts) == 0 || strings.HasPrefix(contexts[0], "env.") {
		return ""
	}
	c := strings.TrimPrefix(strings.TrimPrefix(contexts[0], "github."), "event.")
	name := strings.ToUpper(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, c))
	if name == "" || len(name) > 60 || name[0] >= '0' && name[0] <= '9' || strings.HasPrefix(name, "GITHUB_") {
		return ""
	}
	return name
}
