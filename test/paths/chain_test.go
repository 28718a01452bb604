package paths

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulwark/internal/cli"
)

// chain is what is known of a cluster of several steps, as lines "# key: value" of it say.
type chain struct {
	args  []string // of the command, from where to where
	path  []string // types of the likeliest path's steps; "none": there is no path
	fixes int      // how many the smallest set has
	has   []string // patterns of fixes that are in it
	risk  int      // of that path; 0: not said
	count int      // of critical paths; 0: not said
	open  string   // a goal that no fix keeps anybody from
	flaw  string   // an image with a package with an exploited flaw
}

func chainOf(t *testing.T, text []byte) (c chain) {
	t.Helper()
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#")), ": ")
		if !strings.HasPrefix(line, "# ") {
			break
		}
		switch key {
		case "from", "to":
			c.args = append(c.args, "--"+key, value)
		case "in":
			c.args = append(c.args, "-n", value)
		case "path":
			c.path = strings.Fields(value)
		case "fixes":
			c.fixes = number(value)
		case "fix":
			c.has = append(c.has, value)
		case "risk":
			c.risk = number(value)
		case "paths":
			c.count = number(value)
		case "open":
			c.open = value
		case "flaw":
			c.flaw = value
		default:
			t.Fatalf("what is %q", line)
		}
	}
	return c
}

// answer is what is read of the command's.
type answer struct {
	Paths []struct {
		Risk  int
		Steps []struct{ Edge string }
	}
	Cut struct {
		Paths    int
		Minimal  bool
		Remedies []struct{ ID, Text string }
		Open     []struct{ To string }
	}
	Notes []struct{ Text string }
}

func ask(t *testing.T, args ...string) (a answer) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Main(append([]string{"paths", "-f", "json", "--quiet", "--offline"}, args...), strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("%v: exit %d: %s", args, code, errs.String())
	}
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// flawed is a saved report of an image's scan.
func flawed(t *testing.T, flaw string) string {
	t.Helper()
	image, pkg, _ := strings.Cut(flaw, " ")
	file := filepath.Join(t.TempDir(), "image.json")
	text := `{"schema": "bulwark/report/v1", "run": {"tool": "bulwark"}, "assets": [{"id": "image:sha256:1", "kind": "image", "name": "` + image + `"}], "findings": [{"key": "k", "kind": "vulnerability", "rule": "vuln/CVE-1",
		"asset": "image:sha256:1", "subject": "pkg:pypi/` + pkg + `@1", "severity": "critical", "vulnerability": {"id": "CVE-1", "package": "` + pkg + `", "installed": "1", "fixed": ["2"], "kev": true,
		"cvss": {"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "score": 9.8}}}], "packages": [], "notes": [], "summary": {"complete": true, "counts": {}, "packages": 0}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestChains holds that of clusters of several steps the likeliest path is the known one, and
// the fixes are as few as is known: with all of them made no path is left, with all but one
// some is.
func TestChains(t *testing.T) {
	files, err := filepath.Glob("testdata/chains/*/cluster.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := chainOf(t, text)
			args := append([]string{assembled(t, file)}, c.args...)
			if c.flaw != "" {
				args = append(args, "--image-report", flawed(t, c.flaw))
			}
			c.judge(t, ask(t, args...))
			c.minimal(t, args)
		})
	}
}

func (c *chain) judge(t *testing.T, a answer) {
	t.Helper()
	got := []string{"none"}
	if len(a.Paths) > 0 {
		got = nil
		for _, s := range a.Paths[0].Steps {
			if s.Edge != "CONTAINER_ATTACH" {
				got = append(got, s.Edge)
			}
		}
		if c.risk > 0 && a.Paths[0].Risk != c.risk {
			t.Errorf("risk %d, want %d", a.Paths[0].Risk, c.risk)
		}
	}
	if !slices.Equal(got, c.path) {
		t.Errorf("path %v, want %v", got, c.path)
	}
	if len(a.Cut.Remedies) != c.fixes || len(a.Paths) > 0 && !a.Cut.Minimal {
		t.Errorf("%d fixes, want %d, proved minimal: %t", len(a.Cut.Remedies), c.fixes, a.Cut.Minimal)
	}
	if c.count > 0 && a.Cut.Paths != c.count {
		t.Errorf("%d paths, want %d", a.Cut.Paths, c.count)
	}
	if c.open != "" && (len(a.Cut.Open) != 1 || a.Cut.Open[0].To != c.open) {
		t.Errorf("open are %v, want %s", a.Cut.Open, c.open)
	}
	for _, pattern := range c.has {
		if like := regexp.MustCompile(pattern); !slices.ContainsFunc(a.Cut.Remedies, func(r struct{ ID, Text string }) bool { return like.MatchString(r.ID + " " + r.Text) }) {
			t.Errorf("no fix is like %s: %v", pattern, a.Cut.Remedies)
		}
	}
	for _, n := range a.Notes {
		if strings.Contains(n.Text, "panic") {
			t.Error(n.Text)
		}
	}
}

func (c *chain) minimal(t *testing.T, args []string) {
	t.Helper()
	for without := -1; without < c.fixes && c.open == ""; without++ {
		supposed := slices.Clone(args)
		for i := range c.fixes {
			if i != without {
				supposed = append(supposed, "--what-if", strconv.Itoa(i+1))
			}
		}
		if left := len(ask(t, supposed...).Paths); (left == 0) != (without == -1) && c.fixes > 0 {
			t.Errorf("without fix %d of %d, %d paths are left", without+1, c.fixes, left)
		}
	}
}
