package build

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"bulwark"
	"bulwark/build/workflow"
	"bulwark/check/internal/misconfig"
)

// checkout judges what the job checks out.
func (h *hub) checkout(j *workflow.Job) {
	t := h.onEvents(j, "pull_request_target", "workflow_run", "issue_comment")
	for i, s := range j.Steps {
		what, line := "", 0
		if s.Action() == "actions/checkout" {
			what, line = head(s)
			h.persist(j, s)
		} else if m := fetchesHead(s.Get("run")); m != nil {
			what, line = strings.TrimSpace(m.Text), m.Number
		}
		if what == "" || t == nil {
			continue
		}
		guard := guardOf(j.Get("if").Text() + " " + s.Get("if").Text())
		if guard == ownOnly {
			continue
		}
		f := h.finding(&untrustedCheckout, "job "+j.ID, "", line, "%s, on: %s", what, t.Name)
		severity := high
		then, apart := runsCode(j.Steps[i:], folder(s))
		switch {
		case then != "":
			severity = critical
			f.Evidence = append(f.Evidence, misconfig.Clean("then it runs "+then))
		case apart:
			severity = medium
			f.Evidence = append(f.Evidence, "the code lies in a folder of its own, which no later step names")
		}
		if guard != "" {
			severity--
			f.Evidence = append(f.Evidence, guard)
		}
		untrustedCheckout.Rate(f, severity)
		h.emit(f)
		return
	}
}

const ownOnly = "only for branches of the repository itself"

// guardOf says what a condition demands before the job runs; "" for nothing.
func guardOf(condition string) string {
	c := strings.ToLower(strings.Join(strings.Fields(condition), ""))
	switch {
	case strings.Contains(c, "head.repo.full_name==github.repository"), strings.Contains(c, "head.repo.fork==false"), strings.Contains(c, "!github.event.pull_request.head.repo.fork"),
		strings.Contains(c, "head_repository.full_name==github.repository"), strings.Contains(c, "head.repo.owner.login==github.repository_owner"):
		return ownOnly
	case strings.Contains(c, "labels.*.name"), strings.Contains(c, "event.label.name"):
		return "somebody with rights must give a label first; commits that are pushed after it are not looked at"
	case strings.Contains(c, "author_association"):
		return "somebody with rights must ask for it first"
	}
	return ""
}

// folder is where a checkout puts the code, as far as that is a folder of its own.
func folder(s *workflow.Step) string {
	if s.Action() != "actions/checkout" {
		return ""
	}
	p := strings.Trim(strings.TrimPrefix(s.Get("with", "path").Text(), "./"), "/")
	if p == "." || strings.Contains(p, "${{") {
		return ""
	}
	return p
}

// ofHead are parts of expressions that name the code of a pull request.
var ofHead = []string{"github.head_ref", "github.event.pull_request.head.sha", "github.event.pull_request.head.ref", "github.event.pull_request.head.repo.full_name", "github.event.pull_request.number", "github.event.number",
	"github.event.workflow_run.head_sha", "github.event.workflow_run.head_branch", "github.event.workflow_run.head_commit.id", "github.event.issue.number", "github.event.pull_request.merge_commit_sha"}

// head is what of a checkout step names a pull request's code.
func head(s *workflow.Step) (string, int) {
	for _, key := range []string{"ref", "repository"} {
		n := s.Get("with", key)
		for _, e := range workflow.Expressions(n) {
			for _, c := range workflow.ParseExpression(e.Text).Contexts {
				number := strings.HasSuffix(c, ".number")
				if slices.Contains(ofHead, c) && (!number || strings.Contains(n.Text(), "refs/pull") || strings.Contains(n.Text(), "pull/")) {
					return fmt.Sprintf("%s: %s", key, n.Text()), n.Line()
				}
			}
		}
	}
	return "", 0
}

var fetches = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\bgh\s+pr\s+checkout\b|\bhub\s+pr\s+checkout\b|\bgit\s+(?:fetch|pull)\b.*(?:pull/|refs/pull|head_ref|head\.ref|head\.sha|HEAD_REF)`)
})

// fetchesHead finds the line of a script that does the same.
func fetchesHead(n workflow.Node) *workflow.Line {
	for _, l := range workflow.Lines(n) {
		if fetches().MatchString(l.Text) {
			return &l
		}
	}
	return nil
}

var builds = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[\s;&|(])(?:(?:npm|yarn|pnpm|bun)\s+(?:install|ci|run|test|exec|i)\b|npx\b|yarn\s*(?:$|;|&)|make\b|cmake\b|go\s+(?:test|generate|run|build)\b|cargo\s+\w+|mvn\b|gradle\b|ant\b|pip3?\s+install\b.*(?:-e\s|\s\.|-r\s)|pytest\b|tox\b|poetry\s+\w+|uv\s+(?:sync|run)|bundle\s+(?:install|exec)|rake\b|composer\s+install|terraform\s+(?:plan|apply|init)|pre-commit\s+run|docker\s+(?:build|compose)|dotnet\s+\w+|msbuild\b|mkdocs\s+build|(?:ba)?sh\s+\.?\.?/?\w|\./[\w.])`)
})

var buildActions = map[string]bool{"docker/build-push-action": true, "pre-commit/action": true, "oxsecurity/megalinter": true, "golangci/golangci-lint-action": true, "gradle/gradle-build-action": true, "ruby/setup-ruby": true,
	"bridgecrewio/checkov-action": true, "goreleaser/goreleaser-action": true}

// runsCode is the step that runs what was checked out; "" for none. Code in a folder of
// its own is run by what names that folder; apart tells that nothing does.
func runsCode(steps []*workflow.Step, dir string) (what string, apart bool) {
	for i, s := range steps {
		inside := dir == "" || strings.Contains(s.Get("working-directory").Text(), dir)
		switch uses := s.Uses().Text(); {
		case dir != "" && strings.HasPrefix(uses, "./"+dir), dir == "" && strings.HasPrefix(uses, "./"), inside && i > 0 && buildActions[s.Action()]:
			return uses, false
		}
		for _, l := range workflow.Lines(s.Get("run")) {
			inside = inside || strings.Contains(l.Text, dir)
			if inside && builds().MatchString(l.Text) && !strings.HasPrefix(strings.TrimSpace(l.Text), "#") {
				return strings.TrimSpace(l.Text), false
			}
		}
	}
	return "", dir != ""
}

// persist judges whether a checkout leaves the token behind.
func (h *hub) persist(j *workflow.Job, s *workflow.Step) {
	if n := s.Get("with", "persist-credentials"); n.Exists() && !n.True() {
		return
	}
	f := h.finding(&persist, "job "+j.ID, "", s.Uses().Line(), "%s without persist-credentials: false", s.Action())
	for _, later := range j.Steps[s.Index:] {
		if p := strings.TrimSpace(later.Get("with", "path").Text()); later.Action() == "actions/upload-artifact" && (p == "." || p == "./" || p == ".git" || p == "${{ github.workspace }}") {
			f.Evidence = append(f.Evidence, "and then the whole folder is uploaded")
			f.Tags = slices.DeleteFunc(f.Tags, func(t string) bool { return t == misconfig.Hygiene })
			persist.Rate(f, medium)
		}
	}
	f.Fix.Patch = h.keepNot(s)
	h.emit(f)
}

// keepNot is the patch that adds persist-credentials: false; nil where the step is
// written in braces.
func (h *hub) keepNot(s *workflow.Step) *bulwark.Patch {
	key, uses := s.Find("uses")
	if s.IsFlow() || s.Aliased() || key.Line() != uses.Line() || s.Get("with", "persist-credentials").Exists() {
		return nil
	}
	line, ok := misconfig.Line(h.doc.Data, key.Line())
	indent := key.Column() - 1
	if !ok || indent > len(line) || !strings.HasPrefix(line[indent:], "uses") || strings.Trim(line[:indent], " -") != "" {
		return nil
	}
	with := s.Get("with")
	if !with.Exists() {
		pad := strings.Repeat(" ", indent)
		return misconfig.Replace(h.doc.Path, h.doc.Data, key.Line(), line, pad+"with:", pad+"  persist-credentials: false")
	}
	first, ok := misconfig.Line(h.doc.Data, with.Line())
	at := with.Column() - 1
	if !ok || !with.IsMap() || with.IsFlow() || with.Aliased() || at > len(first) || strings.Trim(first[:at], " ") != "" {
		return nil
	}
	return misconfig.Replace(h.doc.Path, h.doc.Data, with.Line(), first[:at]+"persist-credentials: false", first)
}
