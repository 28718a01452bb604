package buildfile

import (
	"bytes"
	"errors"
	"testing"

	"bulwark"

	"github.com/google/go-cmp/cmp"
)

func TestKind(t *testing.T) {
	for p, want := range map[string]string{
		"Dockerfile": Dockerfile, "a/b/Containerfile": Dockerfile, "dockerfile": Dockerfile, "api.Dockerfile": Dockerfile, "x/001.dockerfile": Dockerfile,
		"Dockerfile.alpine": Dockerfile, "Dockerfile-3.1": Dockerfile, "Dockerfile_arm": Dockerfile, "Containerfile.dev": Dockerfile,
		"Dockerfile.md": "", "Dockerfile.j2": "", "Dockerfile.tmpl": "", "dockerfiles": "", "Dockerfiles/readme": "", "dockerfile.go": "", "mydockerfile": "",
		".dockerignore": Dockerignore, "api.Dockerfile.dockerignore": Dockerignore, "Dockerfile.dockerignore": Dockerignore, "x/.dockerignore": Dockerignore,
		"compose.yaml": Compose, "compose.prod.yml": Compose, "docker-compose.yml": Compose, "docker-compose-dev.yaml": Compose, "deploy/docker-compose.override.yml": Compose,
		"prod.docker-compose.yml": Compose, "docker-stack.yml": Compose, "composer.yml": "", "compose.json": "", "docker-composed.yml": "", "my-compose.yml": "",
		".github/workflows/ci.yml": Workflow, "sub/.github/workflows/x.yaml": Workflow, ".github/workflows/a/b.yml": "", ".github/dependabot.yml": Dependabot, "x/.github/dependabot.yaml": Dependabot, "dependabot.yml": "", ".github/workflows/x.sh": "",
		".github/workflows/compose.yml": Workflow, "action.yml": Action, ".github/actions/setup/action.yaml": Action, "actions.yml": "",
		".gitlab-ci.yml": GitLab, ".gitlab/ci/build/x.yml": GitLab, "templates/test.gitlab-ci.yml": GitLab, ".gitlab/x.yml": "",
		"node_modules/x/Dockerfile": "", "web/node_modules/x/action.yml": "", "": "", ".": "",
	} {
		if got := Kind(p); got != want {
			t.Errorf("Kind(%q) = %q, want %q", p, got, want)
		}
	}
}

// extract gives the extractor a file if it wants it.
func extract(t *testing.T, p string, data []byte) (bulwark.Facts, error) {
	t.Helper()
	f := &bulwark.File{ReaderAt: bytes.NewReader(data)}
	f.SetPath(p)
	f.Size = int64(len(data))
	if !New().Wants(&f.FileInfo) {
		return bulwark.Facts{}, nil
	}
	return New().Extract(t.Context(), f)
}

func TestExtract(t *testing.T) {
	got, err := extract(t, "a/Dockerfile", []byte("FROM x\r\n\x00"))
	want := bulwark.Facts{Documents: []bulwark.Document{{Kind: "dockerfile", Path: "a/Dockerfile", Data: []byte("FROM x\r\n\x00")}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	if got, err := extract(t, "Dockerfile", nil); len(got.Documents) != 0 || err != nil {
		t.Errorf("an empty file gives %v, %v", got, err)
	}
}

func TestActions(t *testing.T) {
	const sha = "0123456789012345678901234567890123456789"
	got, err := extract(t, ".github/workflows/ci.yml", []byte("on: push\njobs:\n  a:\n    uses: O/r/.github/workflows/x.yml@v1.2.3\n  b:\n    steps:\n      - uses: a/b@"+sha+" # v2.0.1\n      - uses: a/b@"+sha+" # v2.0.1\n      - uses: a/b/c@"+sha+
		"\n      - uses: d/e@v4\n      - uses: ./x\n      - uses: docker://x:1.2.3\n      - uses: ${{ x }}\n      - {uses: f/g@main, run: x} # v1.2.3\n"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, p := range got.Packages {
		list = append(list, p.Name+" "+p.Version+" "+p.PURL)
	}
	want := []string{"O/r 1.2.3 pkg:githubactions/o/r@1.2.3", "a/b 2.0.1 pkg:githubactions/a/b@2.0.1", "a/b  pkg:githubactions/a/b", "d/e  pkg:githubactions/d/e", "f/g  pkg:githubactions/f/g"}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := extract(t, "action.yml", []byte("runs: [")); err != nil || len(got.Packages) != 0 || len(got.Documents) != 1 {
		t.Errorf("a broken file gives %v, %v", got, err)
	}
}

func TestLimit(t *testing.T) {
	exact := bytes.Repeat([]byte("#"), maxFile)
	if got, err := extract(t, "Dockerfile", exact); err != nil || len(got.Documents) != 1 {
		t.Errorf("1 MB: %d documents, %v", len(got.Documents), err)
	}
	if got, err := extract(t, "Dockerfile", bytes.Repeat([]byte("RUN true\n"), 50<<20/9)); !errors.Is(err, bulwark.ErrLimit) || len(got.Documents) != 0 {
		t.Errorf("50 MB: %d documents, %v", len(got.Documents), err)
	}
}
