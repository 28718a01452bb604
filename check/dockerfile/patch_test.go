package dockerfile

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// tools are what applies patches.
var tools = [][]string{
	{"patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "--binary"},
	{"git", "apply", "--whitespace=nowarn", "-"},
}

// patched applies the patches of the findings of a rule with each of the tools.
func patched(t *testing.T, o Options, rule, text string) (string, int) {
	t.Helper()
	got, n := patchedBy(t, tools[0], o, rule, text)
	if again, _ := patchedBy(t, tools[1], o, rule, text); again != got {
		t.Errorf("git apply gives %q, patch %q", again, got)
	}
	return got, n
}

func patchedBy(t *testing.T, tool []string, o Options, rule, text string) (string, int) {
	t.Helper()
	if _, err := exec.LookPath(tool[0]); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("there is no %s", tool[0])
		}
		t.Skipf("SKIPPED, there is no %s", tool[0])
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "sub", "Dockerfile")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	list, _ := judged(t, o, document("sub/Dockerfile", text))
	n := 0
	for _, f := range list {
		if f.Rule != "dockerfile/"+rule || f.Fix.Patch == nil {
			continue
		}
		n++
		c := exec.Command(tool[0], tool[1:]...)
		c.Dir, c.Stdin = dir, strings.NewReader(f.Fix.Patch.Text)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s\n%s", tool, err, out, f.Fix.Patch.Text)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(got), n
}

func TestPatches(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	o := Options{Resolve: func(_ context.Context, ref string) (string, error) {
		if strings.Contains(ref, "gone") {
			return "", errors.New("gone")
		}
		return digest, nil
	}}
	for _, tt := range []struct{ name, rule, text, want string }{
		{"user", "root-user", "FROM x:1\nRUN useradd -r app\nCOPY a /a\nENTRYPOINT [\"/a\"]\nCMD [\"b\"]\n", "FROM x:1\nRUN useradd -r app\nCOPY a /a\nUSER app\nENTRYPOINT [\"/a\"]\nCMD [\"b\"]\n"},
		{"user behind root", "root-user", "FROM debian:1\nRUN adduser -D app\nUSER app\nUSER root\nRUN x\nCMD [\"b\"]\n", "FROM debian:1\nRUN adduser -D app\nUSER app\nUSER root\nRUN x\nUSER app\nCMD [\"b\"]\n"},
		{"user of no file", "root-user", "FROM x:1\nCMD [\"b\"]\n", ""},
		{"user of a known base", "root-user", "FROM golang:1 AS b\nRUN x\nFROM scratch\nCOPY --from=b /a /a\nENTRYPOINT [\"/a\"]\n", "FROM golang:1 AS b\nRUN x\nFROM scratch\nCOPY --from=b /a /a\nUSER 65532:65532\nENTRYPOINT [\"/a\"]\n"},
		{"user of node", "root-user", "FROM node:20\nWORKDIR /a\nCOPY . .\nEXPOSE 3000\nCMD [\"node\", \"a.js\"]\n", "FROM node:20\nWORKDIR /a\nCOPY . .\nEXPOSE 3000\nUSER node\nCMD [\"node\", \"a.js\"]\n"},
		{"user of a script", "root-user", "FROM debian:12\nENTRYPOINT [\"/entrypoint.sh\"]\n", ""},
		{"user at a low port", "root-user", "FROM debian:12\nEXPOSE 80\nCMD [\"/a\"]\n", ""},
		{"user of a daemon", "root-user", "FROM nginx:1\nCMD [\"nginx\"]\n", ""},
		{"user and no command", "root-user", "FROM x:1\nRUN useradd app\n", ""},
		{"user at the end of the file", "root-user", "FROM x:1\r\nRUN useradd app\r\nCMD [\"b\"]", "FROM x:1\r\nRUN useradd app\r\nUSER app\r\nCMD [\"b\"]"},
		{"recommends", "apt-recommends", "FROM x:1\nRUN apt-get update && \\\n    apt-get install -y a && \\\n    b\nRUN apt-get -y install c\n", "FROM x:1\nRUN apt-get update && \\\n    apt-get install --no-install-recommends -y a && \\\n    b\nRUN apt-get -y install --no-install-recommends c\n"},
		{"twice on a line", "apt-recommends", "FROM x:1\nRUN apt-get install -y a && apt-get install -y b\n", ""},
		{"copy", "add-for-copy", "FROM x:1\nADD --chown=1 a /a\nadd b /b\n  ADD c /c\n", "FROM x:1\nCOPY --chown=1 a /a\ncopy b /b\n  COPY c /c\n"},
		{"pin", "image-not-pinned", "FROM --platform=$TARGETPLATFORM debian:12 AS a\nFROM debian:12\nFROM x/gone:1\n", "FROM --platform=$TARGETPLATFORM debian:12@" + digest + " AS a\nFROM debian:12@" + digest + "\nFROM x/gone:1\n"},
		{"pin of a variable", "image-not-pinned", "ARG V=12\nFROM debian:$V\n", ""},
		{"pin with a mark", "image-not-pinned", "\xef\xbb\xbfFROM debian:12\n", "\xef\xbb\xbfFROM debian:12@" + digest + "\n"},
		{"copy from", "copy-from-not-pinned", "FROM x:1\nCOPY --from=nginx:1 /a /b\n", "FROM x:1\nCOPY --from=nginx:1@" + digest + " /a /b\n"},
		{"cache", "package-cache", "FROM x:1\nRUN apk add a\n\n\nRUN pip install b==1\n", "FROM x:1\nRUN apk add --no-cache a\n\n\nRUN pip install --no-cache-dir b==1\n"},
		{"maintainer", "maintainer", "FROM x:1\nMAINTAINER A B <a@example.org>\n", "FROM x:1\nLABEL org.opencontainers.image.authors=\"A B <a@example.org>\"\n"},
		{"npm", "lock-ignored", "FROM x:1\nRUN npm install --omit=dev\n", "FROM x:1\nRUN npm ci --omit=dev\n"},
		{"apt", "apt-for-people", "FROM x:1\nRUN apt update && b\n", "FROM x:1\nRUN apt-get update && b\n"},
		{"yes", "apt-asks", "FROM x:1\nRUN apt-get install a\n", "FROM x:1\nRUN apt-get install -y a\n"},
		{"pipe", "pipe-to-shell", "FROM x:1\nRUN curl https://x.example/i | sh\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, n := patched(t, o, tt.rule, tt.text)
			if tt.want == "" {
				if n != 0 {
					t.Errorf("there is a patch: %q", got)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("patched (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPatchesOfRealFiles applies every patch for real Dockerfiles: what was found is then
// gone, and the rest of the file is as it was.
func TestPatchesOfRealFiles(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "dockerfiles", "*.Dockerfile"))
	if len(files) == 0 {
		t.Skip("SKIPPED, there is no shared/data/dockerfiles beside the repository")
	}
	patches := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list, _ := judged(t, Options{}, document("sub/Dockerfile", string(data)))
		for _, rule := range rulesWithPatch(list) {
			rule = strings.TrimPrefix(rule, "dockerfile/")
			got, n := patched(t, Options{}, rule, string(data))
			patches += n
			after, _ := judged(t, Options{}, document("sub/Dockerfile", got))
			if again := rulesWithPatch(after); slices.Contains(again, "dockerfile/"+rule) {
				t.Errorf("%s: %s is found again, with a patch, after its patch", filepath.Base(name), rule)
			}
			if len(after) > len(list) {
				t.Errorf("%s: the patch for %s brings new findings: %d, there were %d", filepath.Base(name), rule, len(after), len(list))
			}
		}
	}
	t.Logf("%d patches", patches)
	if patches < 40 {
		t.Errorf("only %d patches", patches)
	}
}

func rulesWithPatch(list []*bulwark.Finding) []string {
	var out []string
	for _, f := range list {
		if f.Fix.Patch != nil && !slices.Contains(out, f.Rule) {
			out = append(out, f.Rule)
		}
	}
	return out
}
