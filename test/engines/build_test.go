package engines

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bulwark"
)

const built = `FROM scratch AS files
COPY a.txt /a.txt
FROM scratch
ARG WHO=root
ENV MODE=production \
    DB_PASSWORD=admin
WORKDIR /srv
COPY --from=files /a.txt sub/a.txt
COPY pip.conf /etc/
ADD a.txt b.txt ./both/
EXPOSE 22 8080/udp
VOLUME /data /more
LABEL a="b c" d=e
STOPSIGNAL SIGTERM
SHELL ["/bin/bash", "-c"]
HEALTHCHECK --interval=5m CMD curl -f http://localhost/ || exit 1
USER ${WHO}
ENTRYPOINT ["/srv/a"]
CMD ["x", "y"]
`

// made is the line of built that each finding comes from.
var made = map[string]int{"image/untrusted-source": 9, "image/env-secret": 6, "image/remote-access-port": 11, "image/root-user": 17}

// buildContext is a folder to build from.
func buildContext(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"Dockerfile": built, "a.txt": "a", "b.txt": "b", "pip.conf": "[global]\ntrusted-host = mirror.test\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, filepath.Join(dir, "Dockerfile")
}

// traces holds which lines the findings of an image are traced to.
func traces(t *testing.T, image, file string, want map[string]int) {
	t.Helper()
	stdout, stderr, code := runner{t: t}.run(image, "--only", "misconfig", "--dockerfile", file)
	var report bulwark.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s", code, err, stderr)
	}
	got := map[string]int{}
	for _, f := range report.Findings {
		if f.Origin != nil {
			got[f.Rule] = f.Origin.Line
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("traced to %v, want %v\n%+v", got, want, report.Notes)
	}
}

func TestPodmanBuild(t *testing.T) {
	p := startPodman(t)
	dir, file := buildContext(t)
	build := func(tag, layers string) string {
		p.do("build", "-q", "--isolation", "chroot", "--format", "docker", "--layers="+layers, "-t", tag, dir)
		image := filepath.Join(t.TempDir(), tag+".tar")
		p.do("save", "-q", "-o", image, tag)
		return image
	}
	traces(t, build("layered", "true"), file, made)
	settings := maps.Clone(made) // one layer has all files, and no line of its own
	delete(settings, "image/untrusted-source")
	traces(t, build("single", "false"), file, settings)
}

func TestDockerBuild(t *testing.T) {
	d := startDocker(t)
	binary := tool(t, "docker")
	dir, file := buildContext(t)
	do := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = append(os.Environ(), "DOCKER_HOST="+d.host, "DOCKER_BUILDKIT=0", "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("docker %q: %v\n%s", args, err, out)
		}
	}
	image := filepath.Join(t.TempDir(), "image.tar")
	do("build", "-q", "-t", "built", dir)
	do("save", "-o", image, "built")
	traces(t, image, file, made)
}
