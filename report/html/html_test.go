package html_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"bulwark"
	"bulwark/report"
	"bulwark/report/html"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
)

func write(t *testing.T, r *bulwark.Report, o report.Options) string {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(html.New(&buf, o)); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestPage(t *testing.T) {
	lookup := func(string) (report.Details, bool) {
		return report.Details{Text: "<b>bold</b>", References: []string{"https://example.com/?a=\"><script>", "javascript:alert(1)", "data:text/html,x"}}, true
	}
	got := write(t, sample.Report(), report.Options{Lookup: lookup})
	golden.Check(t, "page.html", []byte(got))
	if n := strings.Count(got, "<script"); n != 1 {
		t.Errorf("%d scripts, want our own alone", n)
	}
	for _, bad := range []string{"javascript:", "data:text", "<b>bold", "\x1b", "\u202e", "ZgotmplZ", " src=", "@import", "url("} {
		if strings.Contains(got, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if regexp.MustCompile(`<[^>]+ (style|on[a-z]+)=`).MatchString(got) {
		t.Error("an attribute holds style or script, which the policy does not allow")
	}
}

// The policy must name the digests of what the page really holds.
func TestPolicy(t *testing.T) {
	got := write(t, sample.Report(), report.Options{})
	for _, tag := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(got, "<"+tag+">")
		body, _, _ := strings.Cut(rest, "</"+tag+">")
		sum := sha256.Sum256([]byte(body))
		want := tag + "-src &#39;sha256-" + strings.NewReplacer("+", "&#43;").Replace(base64.StdEncoding.EncodeToString(sum[:])) + "&#39;"
		if !strings.Contains(got, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
}

func TestEmpty(t *testing.T) {
	if got := write(t, &bulwark.Report{}, report.Options{}); !strings.HasSuffix(got, "</html>\n") && !strings.HasSuffix(strings.TrimSpace(got), "</html>") {
		t.Error("the page does not end")
	}
}

func big(n int) *bulwark.Report {
	r := sample.Report()
	for i := range n {
		f := r.Findings[i%11]
		v := *f.Vulnerability
		v.ID = fmt.Sprintf("CVE-2026-%d", i)
		v.Package = fmt.Sprintf("package%d", i%300)
		f.Vulnerability, f.Key = &v, v.ID
		r.Findings = append(r.Findings, f)
	}
	return r
}

func TestManyFindings(t *testing.T) {
	got := write(t, big(5000), report.Options{})
	if rows := strings.Count(got, "<details data-rank="); rows < 5000 || len(got) > 12<<20 {
		t.Errorf("%d rows in %d bytes", rows, len(got))
	}
}

func BenchmarkPage(b *testing.B) {
	r := big(5000)
	for b.Loop() {
		if err := r.Replay(html.New(io.Discard, report.Options{})); err != nil {
			b.Fatal(err)
		}
	}
}

// A report about settings alone shows what they are, with all of their places, and no columns
// for versions.
func TestSettings(t *testing.T) {
	r := &bulwark.Report{Assets: []bulwark.Asset{{ID: "dir:deploy", Kind: "dir", Name: "deploy"}}, Findings: []bulwark.Finding{{Key: "k", Kind: bulwark.KindMisconfig, Rule: "workload/privileged",
		Title: "A container is privileged", Asset: "dir:deploy", Subject: "shop/Pod/web", Path: "a.yaml", Line: 3, Places: []bulwark.Place{{Path: "a.yaml", Line: 3}, {Path: "a.yaml", Line: 9}}, Evidence: []string{"container c: privileged: true"}}}}
	got := write(t, r, report.Options{})
	for _, want := range []string{`class="findings plain"`, `<small class="quiet">container c: privileged: true</small>`, "<dd>a.yaml:9</dd>"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(got, "0 packages") {
		t.Error("packages are counted where there are none")
	}
}
