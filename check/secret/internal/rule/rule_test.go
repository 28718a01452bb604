package rule

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"testing"

	"bulwark"
)

func TestFill(t *testing.T) {
	for _, tt := range []struct{ template, want, check string }{
		{"plain", `^plain$`, ""},
		{"ghp_{{base62 30}}{{crc32 base62 6}}", `^ghp_[0-9A-Za-z]{36}$`, "github-crc32"},
		{"4{{digits 14}}{{luhn}}", `^4\d{15}$`, "luhn"},
		{"{{iban DE 18}}", `^DE\d{20}$`, "iban"},
		{"{{jwt}}", `^ey[\w-]+\.ey[\w-]+\.[\w-]{43}$`, "jwt"},
		{"{{wif}}", `^[KL]\w{51}$`, "base58check"},
		{"{{uuid}}", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$`, ""},
		{"{{base64of user:[[base62 20]]}}", `^[\w+/]+={0,2}$`, "base64-colon"},
		{"{{repeat x 12}}{{from AB 3}}", `^x{12}[AB]{3}$`, ""},
		{"{{pem rsa}}", `^-----BEGIN RSA PRIVATE KEY-----\n`, ""},
		{"{{pem ec}}", `^-----BEGIN EC PRIVATE KEY-----\n`, ""},
		{"{{pem openssh}}", `^-----BEGIN OPENSSH PRIVATE KEY-----\n`, ""},
		{"{{pem ed25519}}", `^-----BEGIN PRIVATE KEY-----\n`, ""},
		{"{{pem encrypted}}", `Proc-Type: 4,ENCRYPTED`, ""},
	} {
		got, err := Fill(tt.template, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Errorf("Fill(%q): %v", tt.template, err)
			continue
		}
		if !regexp.MustCompile(tt.want).MatchString(got) {
			t.Errorf("Fill(%q) = %q, want %s", tt.template, got, tt.want)
		}
		if tt.check == "" {
			continue
		}
		if !Checks[tt.check]([]byte(got)) {
			t.Errorf("%s refuses %q", tt.check, got)
		}
		if changed := []byte(got); tt.check != "jwt" && tt.check != "base64-colon" {
			changed[len(changed)-1]++
			if Checks[tt.check](changed) {
				t.Errorf("%s takes %q", tt.check, changed)
			}
		}
	}
	for _, bad := range []string{"{{nothing}}", "{{base62}}", "{{base62 -1}}", "{{pem dsa}}", "{{base62 99999999}}"} {
		if _, err := Fill(bad, rand.New(rand.NewPCG(1, 2))); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("Fill(%q): %v", bad, err)
		}
	}
}

func TestLoad(t *testing.T) {
	const good = "id: x\ntitle: X\nseverity: high\nanchors: [abcd]\npattern: 'abcd(\\d+)'\n"
	r, err := Load([]byte(good + "cases:\n  match: [a]\n  miss: []\n"))
	if err != nil || r.Severity != bulwark.SeverityHigh || len(r.Cases.Match) != 1 {
		t.Fatalf("Load: %+v, %v", r, err)
	}
	if r, err := LoadTrusted([]byte(good + "cases:\n  match: [a]\n  miss: []\n")); err != nil || len(r.Cases.Match) != 0 || r.Pattern == "" {
		t.Fatalf("LoadTrusted: %+v, %v", r, err)
	}
	for _, bad := range []string{"", "id: x\n", good + "unknown: 1\n", good + "check: nothing\n", good + "before: 100000\n",
		"id: x\ntitle: X\nseverity: high\nanchors: [abcd]\npattern: '('\n", "id: x\ntitle: X\nseverity: high\npattern: 'a'\n", ":\n\t-"} {
		if _, err := Load([]byte(bad)); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("Load(%q): %v", bad, err)
		}
	}
}

func TestAllowed(t *testing.T) {
	secret, match, line := []byte("abcEXAMPLEdef"), []byte("key=abcEXAMPLEdef"), []byte("# key=abcEXAMPLEdef")
	for _, tt := range []struct {
		allow *Allow
		want  bool
	}{
		{&Allow{}, false},
		{&Allow{Stopwords: []string{"Example"}}, true},
		{&Allow{Stopwords: []string{"sample"}}, false},
		{&Allow{Patterns: []string{"^key"}}, false},
		{&Allow{Patterns: []string{"^key"}, Target: "match"}, true},
		{&Allow{Patterns: []string{"^#"}, Target: "line"}, true},
		{&Allow{Paths: []string{`\.md$`}}, true},
		{&Allow{Paths: []string{`\.md$`}, Patterns: []string{"nothing"}}, true},
		{&Allow{All: true, Paths: []string{`\.md$`}, Patterns: []string{"nothing"}}, false},
		{&Allow{All: true, Paths: []string{`\.md$`}, Patterns: []string{"abc"}}, true},
	} {
		r := &Rule{Allow: []*Allow{tt.allow}}
		if got := r.Allowed("a/b.md", secret, match, line); got != tt.want {
			t.Errorf("%+v: %v", tt.allow, got)
		}
	}
}
