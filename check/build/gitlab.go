package build

import (
	"regexp"
	"strings"
	"sync"

	"bulwark/build/workflow"
)

// lab is a GitLab pipeline while it is judged.
type lab struct {
	*base
	*workflow.GitLab
}

func (b *base) gitlab() error {
	g, err := workflow.ParseGitLab(b.doc.Data)
	l := &lab{b, g}
	l.includes()
	root := &workflow.Job{ID: "the pipeline", At: g.Root, Node: g.Root}
	l.job(root)
	if d := g.Root.Get("default"); d.IsMap() {
		l.job(&workflow.Job{ID: "default", At: d, Node: d})
	}
	for _, j := range g.Jobs {
		l.job(j)
	}
	if err != nil {
		return err
	}
	return g.Err()
}

// includes judges what else is part of the pipeline.
func (l *lab) includes() {
	n := l.Root.Get("include")
	if n.IsMap() || n.IsScalar() {
		l.include(n)
		return
	}
	for item := range n.Items() {
		l.include(item)
	}
}

func (l *lab) include(n workflow.Node) {
	remote := n.Get("remote")
	if n.IsScalar() && (strings.HasPrefix(n.Text(), "http://") || strings.HasPrefix(n.Text(), "https://")) {
		remote = n
	}
	project, component := n.Get("project"), n.Get("component")
	switch {
	case remote.IsScalar() && !n.Get("integrity").Exists():
		f := l.finding(&include, shown(remote.Text()), "", remote.Line(), "remote: %s, without integrity", shown(remote.Text()))
		if strings.HasPrefix(remote.Text(), "http://") {
			include.Rate(f, high)
		}
		l.emit(f)
	case project.IsScalar() && !isCommit(n.Get("ref").Text()):
		how := "without ref"
		if r := n.Get("ref").Text(); r != "" {
			how = "with ref " + r
		}
		l.emit(untidy(&include, l.finding(&include, project.Text(), "", project.Line(), "project: %s, %s", project.Text(), how)))
	case component.IsScalar():
		if _, version, _ := strings.Cut(component.Text(), "@"); version == "~latest" || version == "main" || version == "master" {
			l.emit(untidy(&include, l.finding(&include, component.Text(), "", component.Line(), "component: %s", component.Text())))
		}
	}
}

// shown is an address without user, password and query.
func shown(address string) string {
	address, _, _ = strings.Cut(address, "?")
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	host, path, _ := strings.Cut(rest, "/")
	return scheme + "://" + host[strings.LastIndexByte(host, '@')+1:] + "/" + path
}

// job judges a job, or what all jobs share.
func (l *lab) job(j *workflow.Job) {
	for _, n := range []workflow.Node{j.Get("image"), j.Get("image", "name")} {
		l.image(n)
	}
	isDind := false
	for s := range j.Get("services").Items() {
		for _, n := range []workflow.Node{s, s.Get("name")} {
			l.image(n)
			if t := n.Text(); strings.Contains(t, "docker") && strings.Contains(t, "dind") && !strings.Contains(t, "rootless") {
				isDind = true
				l.emit(l.finding(&dind, j.ID, "", n.Line(), "services: %s", t))
			}
		}
	}
	l.variables(j, isDind)
	l.artifacts(j)
	for _, key := range []string{"before_script", "script", "after_script"} {
		for _, n := range workflow.Script(j.Get(key)) {
			lines := workflow.Lines(n)
			l.commands(j, lines)
			l.piped(j.ID, lines)
			l.tools(j.ID, lines)
		}
	}
}

// variables judges settings of the runner.
func (l *lab) variables(j *workflow.Job, isDind bool) {
	for k, v := range j.Get("variables").Pairs() {
		if v.IsMap() {
			v = v.Get("value")
		}
		switch k.Text() {
		case "CI_DEBUG_TRACE", "CI_DEBUG_SERVICES":
			if v.True() || v.Text() == "1" {
				l.emit(l.swapped(l.finding(&debugTrace, j.ID, k.Text(), k.Line(), "%s: %s", k.Text(), v.Text()), v, `"false"`))
			}
		case "DOCKER_TLS_CERTDIR":
			if v.Text() == "" {
				l.emit(l.swapped(l.finding(&dindPlain, j.ID, "", k.Line(), "DOCKER_TLS_CERTDIR is empty"), v, `"/certs"`))
			}
		case "DOCKER_HOST":
			if strings.HasPrefix(v.Text(), "unix:///var/run/docker.sock") && !isDind {
				l.emit(l.finding(&hostSocket, j.ID, "", k.Line(), "DOCKER_HOST: %s", v.Text()))
			}
		}
	}
}

// artifacts judges what everybody may fetch.
func (l *lab) artifacts(j *workflow.Job) {
	a := j.Get("artifacts")
	if p := a.Get("public"); p.Exists() && !p.True() {
		return
	}
	if access := a.Get("access").Text(); access != "" && access != "all" {
		return
	}
	for _, n := range a.Get("paths").Texts() {
		switch p := strings.TrimSuffix(strings.TrimPrefix(n.Text(), "./"), "/"); {
		case p == "", p == ".", p == ".git", p == "$CI_PROJECT_DIR", strings.HasSuffix(p, ".env"), strings.HasPrefix(p, ".env"), strings.HasSuffix(p, ".pem"), strings.HasSuffix(p, "id_rsa"), strings.HasSuffix(p, "kubeconfig"):
			l.emit(l.finding(&publicArtifacts, j.ID, p, n.Line(), "artifacts: %s", n.Text()))
		}
	}
}

var readsCommands = sync.OnceValue(func() *regexp.Regexp {
	const free = `\$\{?CI_(?:COMMIT_(?:MESSAGE|TITLE|DESCRIPTION|BRANCH|REF_NAME|TAG_MESSAGE|AUTHOR)|MERGE_REQUEST_(?:TITLE|DESCRIPTION|SOURCE_BRANCH_NAME|LABELS)|EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME)\b`
	return regexp.MustCompile(`(?:\beval\b|\b(?:ba|z|da)?sh\s+-\w*c\b|\bpython3?\s+-c\b|\bssh\b[^"']*["']|\bperl\s+-e\b|\bnode\s+-e\b)[^#]*` + free)
})

// commands judges what is read as a command.
func (l *lab) commands(j *workflow.Job, lines []workflow.Line) {
	for _, line := range lines {
		if strings.Contains(line.Text, "CI_") && readsCommands().MatchString(line.Text) {
			l.emit(l.finding(&gitlabInjection, j.ID, strings.TrimSpace(line.Text), line.Number, "%s", strings.TrimSpace(line.Text)))
		}
		if strings.Contains(line.Text, "/var/run/docker.sock:") {
			l.emit(l.finding(&hostSocket, j.ID, "", line.Number, "/var/run/docker.sock is mounted"))
		}
	}
}
