package build

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"bulwark/build/workflow"
)

// tool finds what a job installs without a version: by an action that is told to take
// the latest, or by a command.
func (h *hub) tool(j *workflow.Job, s *workflow.Step) {
	for _, key := range []string{"version", "tool-version", "release"} {
		if n := s.Get("with", key); n.Text() == "latest" && s.Action() != "" {
			h.emit(h.finding(&unpinnedTool, "job "+j.ID, s.Action(), n.Line(), "%s: latest, of %s", key, s.Action()))
		}
	}
	h.tools("job "+j.ID, workflow.Lines(s.Get("run")))
}

// tools finds what a script installs without a version.
func (b *base) tools(subject string, lines []workflow.Line) {
	for _, l := range lines {
		if what := installed(l.Text); what != "" {
			b.emit(b.finding(&unpinnedTool, subject, what, l.Number, "%s has no version: %s", what, strings.TrimSpace(l.Text)))
		}
	}
}

var installs = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[;&|(]\s*|\bsudo\s+|\bpython3?\s+-m\s+)(npm\s+(?:install|i|add)\s+(?:-g|--global)|(?:npm|yarn|pnpm)\s+(?:-g|--global)\s+(?:install|add)|yarn\s+global\s+add|pnpm\s+add\s+(?:-g|--global)|npx\s+(?:-y|--yes)|pip3?\s+install|pipx\s+(?:install|run)|uvx|gem\s+install|cargo\s+install|go\s+install)\s+([^;&|#]+)`)
})

// valued are options of those commands that take the next word.
var valued = map[string]bool{"-r": true, "-c": true, "-e": true, "-t": true, "-i": true, "--index-url": true, "--extra-index-url": true, "--registry": true, "--root": true, "--features": true, "-F": true, "--requirement": true, "--constraint": true,
	"--editable": true, "--target": true, "--prefix": true, "--find-links": true, "-f": true, "--python": true, "--spec": true, "--from": true, "--group": true, "--ldflags": true, "-ldflags": true, "-tags": true}

// installed is the first package that the line installs without a version; "" for none.
func installed(line string) string {
	if !strings.ContainsAny(line, "npgu") || strings.HasPrefix(strings.TrimSpace(line), "#") {
		return ""
	}
	m := installs().FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	manager, _, _ := strings.Cut(m[1], " ")
	words := strings.Fields(m[2])
	if slices.ContainsFunc(words, fixes) {
		return "" // it says, in one way or another, which version
	}
	for i, w := range words {
		switch {
		case strings.HasPrefix(w, "-"), i > 0 && valued[words[i-1]], raised[w], !strings.ContainsAny(w, "abcdefghijklmnopqrstuvwxyz"):
			continue
		}
		if versioned(manager, strings.Trim(w, `"'`)) {
			if manager == "npx" || manager == "uvx" || manager == "pipx" {
				return "" // what follows is for the tool
			}
			continue
		}
		return manager + " " + strings.Trim(w, `"'`)
	}
	return ""
}

// fixes takes options that name a version, a lock or hashes.
func fixes(w string) bool {
	for _, o := range []string{"--version", "-v", "--require-hashes", "--path", "--git", "--rev", "--tag", "--spec", "--from", "-c", "--constraint", "--no-index"} {
		if w == o || strings.HasPrefix(w, o+"=") {
			return true
		}
	}
	return false
}

// raised are the installers themselves.
var raised = map[string]bool{"pip": true, "setuptools": true, "wheel": true, "npm": true, "build": true, "virtualenv": true, "pipx": true, "uv": true}

// versioned tells whether a word names a version, or is none of an index.
func versioned(manager, w string) bool {
	if strings.ContainsAny(w, "$/.*\\`<>=~") && manager != "go" && !strings.HasPrefix(w, "@") {
		return true
	}
	at := strings.LastIndexByte(w, '@')
	switch {
	case manager == "go":
		return at < 0 || w[at+1:] != "latest" && w[at+1:] != "master" && w[at+1:] != "main"
	case manager == "gem":
		return strings.Contains(w, ":")
	}
	return at > 0 && w[at+1:] != "latest"
}

// constant finds an expression that is always the same text: nobody writes ${{
// format('{0}{1}', 'cu', 'rl') }} but to hide a word.
func (h *hub) constant(j *workflow.Job, n workflow.Node) {
	for _, e := range workflow.Expressions(n) {
		p := workflow.ParseExpression(e.Text)
		if len(p.All) > 0 || len(p.Calls) == 0 {
			continue
		}
		hides := true
		for _, c := range p.Calls {
			hides = hides && (c.Name == "format" || c.Name == "join" || c.Name == "fromjson" || c.Name == "tojson")
		}
		if hides {
			h.emit(h.finding(&obfuscated, "job "+j.ID, e.Text, e.Line, "${{ %s }} is always the same text", e.Text))
		}
	}
}
