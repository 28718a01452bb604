package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var image = &bulwark.Asset{ID: "image:sha256:cafe", Kind: "image", Name: "abc:4.2"}

// lib is a finding in a package, known by an id and a CVE.
func lib(purl, id, cve string) *bulwark.Finding {
	return &bulwark.Finding{Kind: bulwark.KindVulnerability, Rule: "vuln/" + id, Subject: purl, Path: "/app/x",
		Vulnerability: &bulwark.Vulnerability{ID: id, CVEs: []string{cve}}}
}

func read(t *testing.T, name, text string) *Set {
	t.Helper()
	s, err := Read(name, strings.NewReader(text), now)
	if err != nil {
		t.Fatalf("Read(%s): %v", name, err)
	}
	return s
}

func reasonOf(s *Set, f *bulwark.Finding) string {
	f.Exception = nil
	s.Apply(image, f)
	if f.Exception == nil {
		return ""
	}
	return f.Exception.Reason
}

const exceptions = `
exceptions:
  - id: CVE-2024-1234
    purl: "pkg:deb/debian/openssl"
    reason: "not reachable"
    owner: team@example.com
    expires: 2027-01-31
  - id: CVE-2023-*
    path: "/app/**"
    reason: in tests only
  - id: CVE-2022-1
    reason: old
    owner: ops
    expires: 2026-11-21
  - id: CVE-2022-2
    reason: to the end of the day
    expires: 2026-11-22
  - rule: "workload/*"
    asset: "image:*"
    reason: accepted
`

func TestExceptionsFile(t *testing.T) {
	s := read(t, "exceptions.yaml", exceptions)
	openssl := "pkg:deb/debian/openssl@3.0.11-1?arch=amd64"
	for id, want := range map[string]string{
		"CVE-2024-1234": "not reachable", "CVE-2023-9": "in tests only",
		"CVE-2022-1": "", "CVE-2022-2": "to the end of the day", "CVE-2021-1": "",
	} {
		if got := reasonOf(s, lib(openssl, id, "")); got != want {
			t.Errorf("%s: reason %q, want %q", id, got, want)
		}
	}
	if got := reasonOf(s, lib("pkg:deb/debian/curl@1", "CVE-2024-1234", "")); got != "" {
		t.Errorf("curl is excepted by %q, which is for openssl", got)
	}
	f := &bulwark.Finding{Kind: bulwark.KindMisconfig, Rule: "workload/privileged"}
	if got := reasonOf(s, f); got != "accepted" {
		t.Errorf("workload/privileged: reason %q", got)
	}
	if diff := cmp.Diff([]string{
		`"CVE-2023-*" (line 8) is excepted, without an owner, an expiry date`,
		`the exception for "CVE-2022-1" (line 11) expired on 2026-11-21: what it covered counts again; owner ops`,
		`"CVE-2022-2" (line 15) is excepted, without an owner`,
		`"workload/*" (line 18) is excepted, without an owner, an expiry date`,
	}, notesOf(t, s)); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	f = lib(openssl, "CVE-2024-1234", "")
	s.Apply(image, f)
	if diff := cmp.Diff(&bulwark.Exception{Reason: "not reachable", Owner: "team@example.com", Expires: "2027-01-31", Source: "exceptions.yaml"}, f.Exception); diff != "" {
		t.Errorf("exception (-want +got):\n%s", diff)
	}
}

// notesOf gives the texts of notes on the exceptions file. None makes a run incomplete.
func notesOf(t *testing.T, s *Set) []string {
	t.Helper()
	var texts []string
	for _, n := range s.Notes() {
		if n.Plugin != "policy/exception" || n.Path != "exceptions.yaml" || n.Incomplete {
			t.Errorf("note %+v, want one of policy/exception on exceptions.yaml", n)
		}
		texts = append(texts, n.Text)
	}
	return texts
}

func TestCarelessExceptions(t *testing.T) {
	const rest = "reason: r, owner: o, expires: 2027-01-01"
	for _, tt := range []struct{ entry, want string }{
		{"id: CVE-1, " + rest, ""},
		{"id: CVE-1", `"CVE-1" (line 2) is excepted, without a reason, an owner, an expiry date`},
		{`id: "CVE-\e[1m", reason: " ", owner: o, expires: 2027-01-01`, `"CVE-\x1b[1m" (line 2) is excepted, without a reason`},
		{"id: CVE-1, reason: r, owner: o, expires: ~", `"CVE-1" (line 2) is excepted, without an expiry date`},
		{`id: "*", ` + rest, `the exception for "*" (line 2) covers everything of its kind`},
		{`rule: "**", path: "/**"`, `the exception for "**" (line 2) covers everything of its kind, without a reason, an owner, an expiry date`},
		{`id: "*", purl: "pkg:npm/a", ` + rest, ""},
		{`key: "*", asset: "image:a", ` + rest, ""},
	} {
		s := read(t, "exceptions.yaml", "exceptions:\n  - {"+tt.entry+"}\n")
		if got := strings.Join(notesOf(t, s), "\n"); got != tt.want {
			t.Errorf("%s:\nnotes %s\nwant  %s", tt.entry, got, tt.want)
		}
		if s.Len() != 1 {
			t.Errorf("%s: %d rules, want it in force", tt.entry, s.Len())
		}
	}
	s := read(t, "exceptions.yaml", "exceptions:\n"+strings.Repeat("- id: CVE-1\n", 150))
	notes := notesOf(t, s)
	if want := "50 more exceptions"; len(notes) != 101 || !strings.HasPrefix(notes[100], want) {
		t.Errorf("%d notes for 150 careless exceptions, the last %q; want 101, the last %q...", len(notes), notes[len(notes)-1], want)
	}
}

func TestMistakesSayWhere(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"exceptions:\n  - id: CVE-1\n    expire: 2027-01-01\n", `x.yaml:3:5: unknown key "expire"`},
		{"exceptions:\n  - reason: everything\n", "x.yaml:2:5: an exception needs id, rule, key or object"},
		{"exceptions:\n  - id: CVE-1\n    expires: soon\n", `x.yaml:2:5: expires "soon"`},
		{"exceptions: 3\n", "x.yaml:1:13: want a list"},
		{"ignore:\n  - a\n", `x.yaml:1:1: unknown key "ignore"`},
		{"exceptions:\n  - id: [a]\n", "x.yaml:2:9: want text"},
		{"exceptions:\n\t- id: a\n", "line 2"},
		{"}{\n", "x.yaml"},
		{`{"@context":"https://openvex.dev/ns","statements":3}`, "OpenVEX"},
		{`[{"RuleID":3}]`, "gitleaks baseline"},
	} {
		_, err := Read("x.yaml", strings.NewReader(tt.text), now)
		if !errors.Is(err, bulwark.ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Read(%q) = %v, want ErrMalformed with %q", tt.text, err, tt.want)
		}
	}
	if _, err := Read("x", strings.NewReader(`{"a":1}`), now); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Errorf("foreign JSON: %v, want ErrUnsupported", err)
	}
	for _, large := range []string{"{\"statements\":[" + strings.Repeat("{},", maxValues+1) + "{}]}", strings.Repeat("- a\n", maxText), strings.Repeat(" ", maxFile+1)} {
		if _, err := Read("x", strings.NewReader(large), now); !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%d bytes: %v, want ErrLimit", len(large), err)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none"), now); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("missing file: %v, want ErrNotFound", err)
	}
}

const openVEX = `{
 "@context": "https://openvex.dev/ns/v0.2.0", "author": "Acme", "timestamp": "2026-01-01T00:00:00Z",
 "statements": [
  {"vulnerability": {"@id": "https://nvd.nist.gov/vuln/detail/CVE-2024-1", "name": "GHSA-1"},
   "products": [{"@id": "pkg:npm/%40a/b@1.0.0"}], "status": "not_affected",
   "justification": "vulnerable_code_not_in_execute_path", "impact_statement": "never\u001b[31m called"},
  {"vulnerability": {"name": "CVE-2024-2"}, "products": [{"@id": "pkg:npm/%40a/b"}], "status": "fixed"},
  {"vulnerability": {"name": "CVE-2024-2"}, "timestamp": "2026-02-01T00:00:00Z",
   "products": [{"@id": "pkg:npm/%40a/b"}], "status": "affected"},
  {"vulnerability": {"name": "CVE-2024-3"}, "status": "not_affected",
   "products": [{"@id": "pkg:oci/abc@sha256:cafe", "subcomponents": [{"@id": "pkg:npm/c"}]}]},
  {"vulnerability": "CVE-2024-4", "products": ["pkg:npm/d"], "status": "not_affected"},
  {"vulnerability": {"name": "CVE-2024-5"}, "status": "under_investigation", "products": [{"@id": "pkg:npm/c"}]},
  {"vulnerability": {"name": "CVE-2024-6"}, "status": "not_affected",
   "products": [{"identifiers": {"purl": "pkg:npm/e"}, "@id": "urn:x"}]},
  {"vulnerability": {"name": "*"}, "status": "not_affected", "products": [{"@id": "pkg:npm/c"}]}
 ]}`

func TestOpenVEX(t *testing.T) {
	s := read(t, "vex.json", openVEX)
	for _, tt := range []struct {
		purl, id, cve, want string
	}{
		{"pkg:npm/%40a/b@1.0.0", "GHSA-1", "", "not affected: vulnerable_code_not_in_execute_path: never[31m called"},
		{"pkg:npm/%40a/b@1.0.0", "GO-1", "CVE-2024-1", "not affected: vulnerable_code_not_in_execute_path: never[31m called"},
		{"pkg:npm/%40a/b@1.0.1", "GHSA-1", "", ""},
		{"pkg:npm/%40a/b@1.0.0", "CVE-2024-2", "", ""},
		{"pkg:npm/c@1", "CVE-2024-3", "", "not affected"},
		{"pkg:npm/d@1", "CVE-2024-3", "", ""},
		{"pkg:npm/d@1", "CVE-2024-4", "", "not affected"},
		{"pkg:npm/c@1", "CVE-2024-5", "", ""},
		{"pkg:npm/e@1", "CVE-2024-6", "", "not affected"},
		{"pkg:npm/c@1", "CVE-2024-9", "", ""},
	} {
		if got := reasonOf(s, lib(tt.purl, tt.id, tt.cve)); got != tt.want {
			t.Errorf("%s %s: reason %q, want %q", tt.purl, tt.id, got, tt.want)
		}
	}
	if len(s.Notes()) != 1 || !strings.HasPrefix(s.Notes()[0].Text, "1 statements") {
		t.Errorf("notes %v, want one about the wildcard", s.Notes())
	}
}

const cycloneDX = `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"authors":[{"name":"Bob"}]},
 "components":[{"bom-ref":"ref-1","name":"x","purl":"pkg:pypi/x@1.0","components":[{"bom-ref":"ref-2","name":"y","purl":"pkg:pypi/y@2"}]}],
 "vulnerabilities":[
  {"id":"CVE-2024-1","analysis":{"state":"false_positive","justification":"code_not_present","detail":"no"},"affects":[{"ref":"ref-1"},{"ref":"ref-2"}]},
  {"id":"CVE-2024-2","analysis":{"state":"exploitable"},"affects":[{"ref":"ref-1"}]},
  {"id":"CVE-2024-3","references":[{"id":"GHSA-3"}],"analysis":{"state":"not_affected"},
   "affects":[{"ref":"urn:cdx:1-2-3/1#pkg%3Apypi%2Fz%401","versions":[{"version":"1","status":"unaffected"},{"version":"1.5","status":"unaffected"},{"version":"2","status":"affected"}]}]},
  {"id":"CVE-2024-4","affects":[{"ref":"ref-1"}]},
  {"id":"CVE-2024-5","analysis":{"state":"resolved"},"affects":[{"ref":"nowhere"}]}]}`

func TestCycloneDX(t *testing.T) {
	s := read(t, "vex.cdx.json", cycloneDX)
	for _, tt := range []struct{ purl, id, want string }{
		{"pkg:pypi/x@1.0", "CVE-2024-1", "false positive: code_not_present: no"},
		{"pkg:pypi/y@2", "CVE-2024-1", "false positive: code_not_present: no"},
		{"pkg:pypi/y@3", "CVE-2024-1", ""},
		{"pkg:pypi/x@1.0", "CVE-2024-2", ""},
		{"pkg:pypi/z@1.5", "GHSA-3", "not affected"},
		{"pkg:pypi/z@2", "GHSA-3", ""},
		{"pkg:pypi/x@1.0", "CVE-2024-4", ""},
	} {
		if got := reasonOf(s, lib(tt.purl, tt.id, "")); got != tt.want {
			t.Errorf("%s %s: reason %q, want %q", tt.purl, tt.id, got, tt.want)
		}
	}
	if len(s.Notes()) != 1 {
		t.Errorf("notes %v, want one about the reference to nowhere", s.Notes())
	}
}

const csaf = `{"document":{"csaf_version":"2.0","category":"csaf_vex","publisher":{"name":"Red Cap"},"tracking":{"current_release_date":"2026-05-01T00:00:00Z"}},
 "product_tree":{
  "branches":[{"category":"vendor","name":"v","branches":[
    {"category":"product_version","name":"1","product":{"product_id":"openssl","name":"openssl","product_identification_helper":{"purl":"pkg:rpm/redhat/openssl@3.0.7-25.el9?arch=x86_64&epoch=1"}}},
    {"category":"product_name","name":"curl","product":{"product_id":"curl","name":"curl","product_identification_helper":{"purl":"pkg:rpm/redhat/curl"}}}]}],
  "full_product_names":[{"product_id":"el9","name":"EL 9","product_identification_helper":{"cpe":"cpe:/o:redhat:el:9"}}],
  "relationships":[
    {"category":"default_component_of","full_product_name":{"product_id":"el9:openssl","name":"openssl as part of EL 9"},"product_reference":"openssl","relates_to_product_reference":"el9"},
    {"category":"default_component_of","full_product_name":{"product_id":"el9:curl","name":"curl as part of EL 9"},"product_reference":"curl","relates_to_product_reference":"el9"}]},
 "vulnerabilities":[
  {"cve":"CVE-2024-1","product_status":{"fixed":["el9:openssl","el9:curl"],"known_not_affected":["el9:curl"]},
   "flags":[{"label":"component_not_present","product_ids":["el9:curl"]}],
   "threats":[{"category":"impact","details":"not built","product_ids":["el9:curl"]}]},
  {"cve":"CVE-2024-2","product_status":{"known_affected":["el9:openssl"]}},
  {"cve":"CVE-2024-3","product_status":{"fixed":["el9:curl"]}}]}`

func TestCSAF(t *testing.T) {
	s := read(t, "csaf.json", csaf)
	for _, tt := range []struct{ purl, id, want string }{
		{"pkg:rpm/redhat/openssl@1:3.0.7-25.el9?arch=x86_64&distro=rhel-9.4", "CVE-2024-1", "fixed"},
		{"pkg:rpm/redhat/openssl@3.0.7-24.el9?arch=x86_64&epoch=1", "CVE-2024-1", ""},
		{"pkg:rpm/redhat/curl@8?arch=x86_64", "CVE-2024-1", "not affected: component_not_present: not built"},
		{"pkg:rpm/redhat/openssl@3.0.7-25.el9?epoch=1", "CVE-2024-2", ""},
		{"pkg:rpm/redhat/curl@8", "CVE-2024-3", ""}, // fixed in no version that is named
	} {
		if got := reasonOf(s, lib(tt.purl, tt.id, "")); got != tt.want {
			t.Errorf("%s %s: reason %q, want %q", tt.purl, tt.id, got, tt.want)
		}
	}
}

func TestTrivyAndGitleaks(t *testing.T) {
	plain := read(t, ".trivyignore", "# Accept the risk\nCVE-2018-1\n\nCVE-2018-2 exp:2026-01-01\nCVE-2018-3 exp:2027-01-01 # later\nAVD-DS-0002\n")
	yaml := read(t, "trivyignore.yaml", "vulnerabilities:\n  - id: CVE-2018-1\n    paths: [\"app/**\"]\n    purls: [\"pkg:npm/a\"]\n    statement: tests\n  - id: CVE-2018-4\n    expired_at: 2020-01-01\n")
	leaks := read(t, "baseline.json", `[{"RuleID":"aws-access-key","File":"app/x","StartLine":3}]`)
	if len(plain.Notes()) != 1 || len(yaml.Notes()) != 1 {
		t.Errorf("notes %v and %v, want one expired entry in each", plain.Notes(), yaml.Notes())
	}
	a := "pkg:npm/a@1"
	secret := func(line int) *bulwark.Finding {
		return &bulwark.Finding{Kind: bulwark.KindSecret, Rule: "secret/aws-access-key", Path: "/app/x", Line: line}
	}
	for i, tt := range []struct {
		set  *Set
		f    *bulwark.Finding
		want string
	}{
		{plain, lib(a, "GHSA-1", "CVE-2018-1"), "Accept the risk"},
		{plain, lib(a, "CVE-2018-2", ""), ""},
		{plain, lib(a, "CVE-2018-3", ""), "later"},
		{plain, &bulwark.Finding{Kind: bulwark.KindMisconfig, Rule: "dockerfile/AVD-DS-0002"}, "later"},
		{yaml, lib(a, "CVE-2018-1", ""), "tests"},
		{yaml, lib("pkg:npm/b@1", "CVE-2018-1", ""), ""},
		{yaml, lib(a, "CVE-2018-4", ""), ""},
		{leaks, secret(3), "known to the gitleaks baseline"},
		{leaks, secret(4), ""},
	} {
		if got := reasonOf(tt.set, tt.f); got != tt.want {
			t.Errorf("case %d, %s: reason %q, want %q", i, tt.f.Rule, got, tt.want)
		}
	}
}

// TestRealDocuments reads every public VEX and CSAF document at hand.
func TestRealDocuments(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "sbom")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the shared documents are not beside the repository")
	}
	read, rules := 0, 0
	for _, pattern := range []string{"vex-cyclonedx/*.json", "csaf/*.json"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			s, err := Load(file, now)
			foreign := strings.Contains(file, "ROLIE") || strings.Contains(file, "aggregator")
			if foreign != errors.Is(err, bulwark.ErrUnsupported) || !foreign && err != nil {
				t.Errorf("Load(%s): %v", filepath.Base(file), err)
				continue
			}
			if !foreign {
				read++
				rules += s.Len()
			}
		}
	}
	t.Logf("%d documents read, %d rules", read, rules)
	s, err := Load(filepath.Join(dir, "vex-cyclonedx", "VEX_CISA-Use-Cases_Case-1_vex-not_affected.json"), now)
	if err != nil {
		t.Fatal(err)
	}
	if got := reasonOf(s, lib("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.0", "GHSA-jfh8-c2jp-5v3q", "CVE-2021-44228")); !strings.HasPrefix(got, "not affected: code_not_present") {
		t.Errorf("log4j in ABC 4.2: reason %q", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{exceptions, openVEX, cycloneDX, csaf, "CVE-1 exp:2020-01-01\n", "vulnerabilities:\n- id: a\n", `[{"RuleID":"a","File":"b"}]`,
		"exceptions: &a [*a]\n", "a: &a [1]\nb: {<<: *a}\n"} {
		f.Add([]byte(seed))
	}
	finding := lib("pkg:npm/%40a/b@1.0.0", "GHSA-1", "CVE-2024-1")
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Read("f", strings.NewReader(string(data)), now)
		if err != nil {
			return
		}
		reasonOf(s, finding)
	})
}
