package engines

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"bulwark/internal/cli"
	"bulwark/test/registrytest"
)

// TestFixPins pins the images of a Dockerfile by the digests that a registry answers with.
func TestFixPins(t *testing.T) {
	addr := registrytest.Start(t, "")
	ref, err := name.NewTag(addr + "/team/base:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, empty.Image, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	digest, err := empty.Image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "Dockerfile")
	text := "FROM " + addr + "/team/base:1 AS a\nCOPY --from=" + addr + "/team/base:1 /a /b\nFROM " + addr + "/team/gone:1\nRUN curl -fsSL https://get.example/i | sh\nUSER 1\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	services := "services:\n  a:\n    image: " + addr + "/team/base:1\n"
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(services), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := cli.Main(append(args, "--cache-dir", t.TempDir()), strings.NewReader(""), &out, &errs); code != 0 {
			t.Fatalf("%q exits with %d: %s", args, code, errs.String())
		}
		return out.String(), errs.String()
	}
	if out, _ := run("fix", dir); out != "" {
		t.Errorf("without --online: %s", out)
	}
	out, errs := run("fix", dir, "--online", "--plain-http", addr)
	pinned := addr + "/team/base:1@" + digest.String()
	if !strings.Contains(out, "\n+FROM "+pinned+" AS a\n") || !strings.Contains(out, "\n+COPY --from="+pinned+" /a /b\n") || !strings.Contains(out, "\n+    image: "+pinned+"\n") || strings.Contains(out, "+FROM "+addr+"/team/gone") {
		t.Errorf("%s", out)
	}
	if !strings.Contains(errs, "no patch for Dockerfile:4, dockerfile/pipe-to-shell: ") || !strings.Contains(errs, "no automatic patch: only you can say") {
		t.Errorf("stderr: %s", errs)
	}
	run("fix", dir, "--online", "--plain-http", addr, "--write")
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(text, addr+"/team/base:1", pinned); string(got) != want {
		t.Errorf("written: %s", got)
	}
	out, _ = run("scan", dir, "--online", "--plain-http", addr, "--hygiene", "--only", "misconfig", "-f", "json")
	if strings.Contains(out, "copy-from-not-pinned") || strings.Count(out, `"dockerfile/image-not-pinned"`) != 1 || !strings.Contains(out, "no digest to pin "+addr+"/team/gone:1 with: ") {
		t.Errorf("a second scan: %s", out)
	}
}
