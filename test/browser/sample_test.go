package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/internal/cli"
)

// evil is a name that attacks whoever shows it.
const evil = "evil\x1b[31m\u202egnp\x00\"'><script>window.pwned=1</script><img src=x onerror=window.pwned=2><a href=javascript:window.pwned=3>"

const (
	image = bulwark.AssetID("image:sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	lower = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	upper = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// sample is a run with n vulnerabilities, of severities, risks and packages that repeat,
// and beside them a secret, an exception, and names that mean harm.
func sample(n int) *bulwark.Report {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := &bulwark.Report{Schema: bulwark.Schema,
		Run: bulwark.Run{Version: evil, Started: now, Targets: []string{"shop:1.4"}, Data: bulwark.Data{Advisories: &bulwark.Advisories{Built: now, Records: 7}}},
		Assets: []bulwark.Asset{{ID: image, Kind: "image", Name: "shop:1.4 " + evil},
			{ID: bulwark.LayerID(lower), Kind: "layer", Parent: image, Labels: map[string]string{"index": "0", "part": "base", "createdBy": "ADD rootfs.tar.xz /"}},
			{ID: bulwark.LayerID(upper), Kind: "layer", Parent: image, Labels: map[string]string{"index": "1", "createdBy": "RUN npm ci " + evil + strings.Repeat(" && long", 60)}}},
		Advice:  []bulwark.Advice{{Asset: image, Text: evil + " 1 -> 2 clears 1 of 9", Clears: 1, Of: 9, Risk: 10}},
		Notes:   []bulwark.Note{{Plugin: "p", Asset: image, Path: evil + strings.Repeat("!nested", 40), Text: evil, Incomplete: true}},
		Summary: bulwark.Summary{Counts: map[bulwark.Severity]int{}},
	}
	for i := range n {
		r.Findings = append(r.Findings, vulnerability(i))
	}
	r.Findings[n-1].Exception = &bulwark.Exception{Reason: evil, Owner: "team@example.com"}
	r.Findings = append(r.Findings, bulwark.Finding{Key: "s", Kind: bulwark.KindSecret, Rule: "secret/key", Severity: bulwark.SeverityHigh, Risk: 50, Title: "A key " + evil,
		Asset: image, Subject: "/srv/" + evil, Path: "/srv/" + evil, Line: 3, Layer: upper, Evidence: []string{evil}, References: []string{"javascript:alert(1)", "https://example.com/\"><script>"}})
	for i := range r.Findings {
		r.Summary.Counts[r.Findings[i].Severity]++
	}
	return r
}

func vulnerability(i int) bulwark.Finding {
	severities := bulwark.Severities()
	name := fmt.Sprintf("package-%d", i%97)
	if i == 1 {
		name = evil
	}
	id := fmt.Sprintf("GHSA-%04d-xxxx-yyyy", i)
	f := bulwark.Finding{Key: id, Kind: bulwark.KindVulnerability, Rule: "vuln/" + id, Severity: severities[i*len(severities)/5001%len(severities)], Risk: 100 - i%100,
		Title: fmt.Sprintf("What is wrong, number %d", i), Asset: image, Subject: fmt.Sprintf("pkg:npm/package-%d@1.%d.0", i%97, i), Path: fmt.Sprintf("/srv/node_modules/package-%d/package.json", i%97),
		Layer: []string{lower, upper}[i%2], FromBase: i%2 == 0, Evidence: []string{fmt.Sprintf("evidence %d", i)},
		Vulnerability: &bulwark.Vulnerability{ID: id, Aliases: []string{fmt.Sprintf("CVE-2026-%04d", i)}, Package: name, Installed: fmt.Sprintf("1.%d.0", i)}}
	if i%3 == 0 {
		f.Vulnerability.Fixed = []string{fmt.Sprintf("2.%d.0", i)}
		f.Fix = &bulwark.Fix{Text: "upgrade", Version: f.Vulnerability.Fixed[0]}
	}
	return f
}

// write makes the page of a run as a user would: from a saved report.
func write(t *testing.T, r *bulwark.Report) string {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	saved, page := filepath.Join(dir, "report.json"), filepath.Join(dir, "report.html")
	if err := os.WriteFile(saved, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"convert", saved, "--quiet", "--db", filepath.Join(dir, "none.db"), "-f", "html", "-o", page}
	if code := cli.Main(args, strings.NewReader(""), io.Discard, io.Discard); code != 0 {
		t.Fatalf("bulwark %q: exit code %d", args, code)
	}
	return page
}
