package html_test

import (
	"regexp"
	"strings"
	"testing"

	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
)

// The page shows frameworks without script, and what is foreign in them means itself.
func TestFrameworks(t *testing.T) {
	got := write(t, sample.Frameworks(), report.Options{})
	golden.Check(t, "frameworks.html", []byte(got))
	for _, want := range []string{"33 %", "A framework 1.0", "looked at 3 workloads", "stat -c %U FILE", "default/Deployment/b (a.yaml:30)"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Count(got, "<script") != 1 || strings.ContainsAny(got, "\x1b\u202e") || regexp.MustCompile(`<[^>]+ (style|on[a-z]+)=`).MatchString(got) {
		t.Error("foreign names are not harmless")
	}
}
