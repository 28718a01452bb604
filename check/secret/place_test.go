package secret

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
)

// TestPlaces: no folder hides a vendor's token or a private key; it may make them low, and says so.
func TestPlaces(t *testing.T) {
	i := New(Options{Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	for _, tt := range []struct{ path, template, want string }{
		{"srv/app/main.js", "k = '" + pat + "'", "secret/github-pat critical"},
		{"srv/app/testdata/main.js", "k = '" + pat + "'", "secret/github-pat critical"},
		{"srv/app/docs/README.md", "k = '" + pat + "'", "secret/github-pat critical"},
		{"srv/node_modules/x/index.js", "k = '" + pat + "'", "secret/github-pat critical"},
		{"srv/node_modules/x/test/fixtures/a.js", "k = '" + pat + "'", "secret/github-pat low"},
		{"usr/share/doc/x/examples/run.sh", "k=" + pat, "secret/github-pat low"},
		{"root/go/pkg/mod/example.org/x@v1.2.3/testdata/x.golden", pat, "secret/github-pat low"},
		{"srv/lib.jar!org/x/test/a.txt", pat, "secret/github-pat critical"},
		{"usr/lib/python3.12/test/x.py", "k='xoxb-{{digits 12}}-{{digits 12}}-{{base62 24}}'", "secret/slack-bot-token low"},
		{"srv/node_modules/x/test/a.js", "AKIA{{base32 16}}", "secret/aws-access-key low"},
		{"srv/node_modules/x/test/a.js", "AKIAIOSFODNN7EXAMPLE", ""},
		{"srv/node_modules/x/test/a.js", "k='xoxb-123456789012-123456789012-abcdefghijklmnopqrstuvwx'", ""},
		{"srv/node_modules/x/test/a.js", "k='ghp_{{repeat a 36}}'", ""},
		{"srv/node_modules/x/test/server.key", "{{pem rsa}}", "secret/private-key low"},
		{"srv/node_modules/x/test/server.js", "QUOTED", "secret/private-key low"},
		{"srv/node_modules/x/lib/server.key", "{{pem rsa}}", "secret/private-key high"},
		{"usr/lib/libx.so.1", "\x7fELF\x00\x00{{pem ec}}\x00", "secret/private-key low"},
		{"usr/lib/libx.so.1", "\x7fELF\x00\x00-----BEGIN PRIVATE KEY-----\x00-----END PRIVATE KEY-----\x00{{base64 100}}", ""},
		{"srv/app/test/server.key", "{{pem ec}}", "secret/private-key high"},
		{"usr/share/doc/x/token.md", "Bearer {{jwt}}", "secret/jwt low"},
		{"usr/share/doc/x/token.md", "Bearer {{jwt expired}}", ""},
		{"srv/backup/notes.txt", "DB_PASSWORD={{base62 14}}", "secret/generic-secret medium"},
		{"srv/backup/notes.txt.gz!notes.txt", "DB_PASSWORD={{base62 14}}", ""},
		{"usr/share/doc/x/README.md", "postgres://user:{{base62 12}}@db/x", ""},
		{"etc/grafana/grafana.ini", ";secret_key = SW2Ycw" + "TIb9zpOOhoPsMm", ""}, // what it has without a setting
		{"srv/.git/objects/ab/cdef!blob", "k = '" + pat + "'", "secret/github-pat critical"},
		{"srv/.git/objects/ab/cdef!blob", "DB_PASSWORD={{base62 14}}", ""},
		{"srv/.git/objects/pack/pack-1.pack!blob-12", "DB_PASSWORD={{base62 14}}", ""},
		{"usr/share/doc/x/app.env", "DB_PASSWORD={{base62 14}}", ""},
	} {
		text := strings.ReplaceAll(fill(t, tt.template, 3), "QUOTED", quoted(fill(t, "{{pem rsa}}", 1)))
		facts, err := inspect(t, i, tt.path, []byte(text), 64<<10)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
		}
		var got []string
		for _, f := range facts.Findings {
			got = append(got, f.Rule+" "+f.Severity.String())
			says := slices.ContainsFunc(f.Evidence, func(e string) bool {
				return strings.HasPrefix(e, "in a package's") || strings.HasPrefix(e, "in documentation")
			})
			if says != (f.Severity == bulwark.SeverityLow) {
				t.Errorf("%s: %s with the evidence %q", tt.path, f.Severity, f.Evidence)
			}
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s, %.40q: %q, want %q", tt.path, tt.template, got, tt.want)
		}
	}
}

// quoted is a text as the strings of a program, a line each.
func quoted(text string) string {
	return "var key = '" + strings.ReplaceAll(strings.TrimSpace(text), "\n", `\n' +`+"\n  '") + "';\n"
}

// TestPublished: the list is searched by halves, so that it has to be in order.
func TestPublished(t *testing.T) {
	list := strings.Fields(publicKeys)
	if !slices.IsSorted(list) || len(strings.Join(list, "")) != 16*len(list) || len(publicKeys) != 17*len(list) {
		t.Errorf("%d fingerprints that are not sorted, or not of 16 digits and a line feed each", len(list))
	}
	for _, sum := range list {
		if !published(sum + strings.Repeat("0", 48)) {
			t.Errorf("%s is not found", sum)
		}
	}
	if published(strings.Repeat("0", 64)) || published(strings.Repeat("f", 64)) {
		t.Error("what is not in the list is found")
	}
	if a, b := keySum([]byte(fill(t, "{{pem ec}}", 1))), keySum([]byte(fill(t, "{{pem ec}}", 2))); a == b {
		t.Error("two keys of one fingerprint")
	}
	key := fill(t, "{{pem rsa}}", 1)
	if a, b := keySum([]byte(key)), keySum([]byte(strings.TrimSuffix(strings.TrimPrefix(quoted(key), "var key = '"), "';\n"))); a != b {
		t.Error("a key has another fingerprint as the strings of a program")
	}
}
