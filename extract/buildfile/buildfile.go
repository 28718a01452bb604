// Package buildfile hands out the files that say how software is built and run, whole, to
// the checks that judge them: Dockerfiles and what they leave out of their context,
// compose files, CI workflows. The actions that a workflow uses are packages as well.
package buildfile

import (
	"context"
	"fmt"
	"path"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
)

var _ bulwark.Extractor = (*Extractor)(nil)

// The kinds of document.
const (
	Dockerfile   = "dockerfile"
	Dockerignore = "dockerignore"
	Compose      = "compose"
	Workflow     = "github-workflow"
	Action       = "github-action"
	GitLab       = "gitlab-ci"
	Dependabot   = "dependabot"
)

// maxFile bounds what is kept. A larger file is not kept in part: a check would judge it
// for what was cut off.
const maxFile = 1 << 20

// Extractor keeps build files as documents. Whether they are well formed is for the
// checks to say.
type Extractor struct{}

// New returns an extractor of build files.
func New() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: "extract/buildfile", Summary: "Dockerfiles, compose files and CI workflows of a project.", Version: 2, Project: true}
}

// Wants takes build files by their name and folder.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	return f.Size > 0 && Kind(f.Path) != ""
}

// Extract keeps the file. One of more than 1 MB is an error wrapping ErrLimit.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	data, err := limit.ReadAll(f.Reader(), maxFile, "build file")
	if err != nil {
		return bulwark.Facts{}, fmt.Errorf("not judged: %w", err)
	}
	facts := bulwark.Facts{Documents: []bulwark.Document{{Kind: Kind(f.Path), Path: f.Path, Data: data}}}
	if kind := facts.Documents[0].Kind; kind == Workflow || kind == Action {
		facts.Packages = actions(f.Path, data)
	}
	return facts, nil
}

// Kind says what kind of document the file of a clean path is; "" for any other file.
// Names of Dockerfiles and compose files are taken in any case, as on systems whose
// file names have none. What packages brought (node_modules) is not the project's.
func Kind(p string) string {
	if strings.HasPrefix(p, "node_modules/") || strings.Contains(p, "/node_modules/") {
		return ""
	}
	base := strings.ToLower(path.Base(p))
	dir := "/" + path.Dir(p) + "/"
	switch ext := path.Ext(base); {
	case ext == ".dockerignore" || ext == ".containerignore":
		return Dockerignore
	case isDockerfile(base, ext):
		return Dockerfile
	case ext != ".yml" && ext != ".yaml":
		return ""
	case strings.HasSuffix(dir, "/.github/workflows/"):
		return Workflow
	case strings.HasSuffix(dir, "/.github/") && (base == "dependabot.yml" || base == "dependabot.yaml"):
		return Dependabot
	case base == "action.yml" || base == "action.yaml":
		return Action
	case strings.Contains(dir, "/.gitlab/ci/") || strings.Contains(dir, "/.gitlab-ci/") || strings.HasSuffix(strings.TrimSuffix(base, ext), ".gitlab-ci"):
		return GitLab
	case isCompose(strings.TrimSuffix(base, ext)):
		return Compose
	}
	return ""
}

// notBuilt are endings of files that speak of a Dockerfile, or make one: documentation,
// templates, code.
var notBuilt = map[string]bool{
	".md": true, ".rst": true, ".html": true, ".adoc": true, ".go": true, ".py": true, ".js": true, ".ts": true, ".rb": true, ".java": true, ".php": true, ".rs": true,
	".sh": true, ".json": true, ".yml": true, ".yaml": true, ".toml": true, ".lock": true, ".svg": true, ".png": true, ".snap": true, ".vim": true,
	".j2": true, ".jinja": true, ".jinja2": true, ".tmpl": true, ".tpl": true, ".template": true, ".erb": true, ".mustache": true, ".hbs": true, ".in": true, ".m4": true,
	".sha256": true, ".sig": true, ".asc": true, ".patch": true, ".diff": true, ".swp": true,
}

// isDockerfile takes Dockerfile, Containerfile, x.Dockerfile, Dockerfile.x, Dockerfile-x and Dockerfile_x.
func isDockerfile(base, ext string) bool {
	for _, name := range []string{"dockerfile", "containerfile"} {
		if base == name || ext == "."+name {
			return true
		}
		if rest, ok := strings.CutPrefix(base, name); ok && strings.ContainsRune(".-_", rune(rest[0])) {
			return !notBuilt[ext]
		}
	}
	return false
}

// isCompose takes compose, docker-compose, and both with more behind a dot or dash:
// compose.override, docker-compose-dev; docker-compose with more before it, too.
func isCompose(stem string) bool {
	for _, end := range []string{".docker-compose", "-docker-compose", "_docker-compose"} {
		if strings.HasSuffix(stem, end) {
			return true
		}
	}
	for _, name := range []string{"docker-compose", "podman-compose", "compose", "docker-stack"} {
		if rest, ok := strings.CutPrefix(stem, name); ok && (rest == "" || strings.ContainsRune(".-_", rune(rest[0]))) {
			return true
		}
	}
	return false
}
