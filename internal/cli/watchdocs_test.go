package cli_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var flag = regexp.MustCompile(`(?m)^\s+(?:-\w, )?(--[a-z-]+)`)

// TestWatchDocs holds the user's guide to name every flag of the command, and no other.
func TestWatchDocs(t *testing.T) {
	guide, err := os.ReadFile("../../docs/watch.md")
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.CommandContext(t.Context(), "bulwark", "watch", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, m := range flag.FindAllStringSubmatch(string(help), -1) {
		have[m[1]] = true
		short := map[string]string{"--format": "-f text", "--output": "-o FILE", "--help": "bulwark watch"}[m[1]]
		if !regexp.MustCompile(regexp.QuoteMeta(m[1])+`\b[^-]`).Match(guide) && (short == "" || !strings.Contains(string(guide), short)) {
			t.Errorf("docs/watch.md does not say what %s is for", m[1])
		}
	}
	others := []string{"--reason", "--expires", "--in-use", "--now", "--audit-policy-file", "--audit-log-path", "--audit-webhook-config-file"} // of other commands and programs
	for _, name := range regexp.MustCompile(`--[a-z]+[a-z-]*[a-z]`).FindAllString(string(guide), -1) {
		known := have[name]
		for _, o := range others {
			known = known || name == o
		}
		if !known {
			t.Errorf("docs/watch.md names %s, which bulwark watch does not have", name)
		}
	}
}
