package secret

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

// testRules are few, so that tests of the engine do not depend on the built-in ones.
func testRules(t testing.TB) []*rule.Rule {
	t.Helper()
	var out []*rule.Rule
	for _, text := range []string{
		"id: github\ntitle: GitHub token\nseverity: critical\nanchors: [ghp_, gho_]\npattern: '\\b(gh[po]_[0-9A-Za-z]{36})\\b'\ncheck: github-crc32\n",
		"id: aws\ntitle: AWS access key\nseverity: high\nanchors: [AKIA]\npattern: '\\b(AKIA[2-7A-Z]{16})\\b'\n",
		"id: url\ntitle: Password in a URL\nseverity: high\ndoubtful: true\nanchors: ['postgres://', 'mysql://']\npattern: '(?:postgres|mysql)://[^:@/\\s]+:(?P<secret>[^@/\\s]{4,80})@'\n",
		"id: vendor\ntitle: Vendor key\nseverity: medium\nanchors: [acmekey]\nfoldCase: true\npattern: '(?i)acmekey[=: \"]{1,5}([0-9a-f]{32})'\n",
		"id: key\ntitle: Private key\nseverity: high\nanchors: ['PRIVATE KEY-----']\nbefore: 32\nafter: 16384\npattern: '(?s)-----BEGIN[ A-Z]{0,20} PRIVATE KEY-----.{64,}?-----END[ A-Z]{0,20} PRIVATE KEY-----'\n",
		"id: jwt\ntitle: JSON web token\nseverity: medium\nanchors: [eyJ]\nafter: 2048\npattern: '\\b(eyJ[\\w-]{10,1000}\\.eyJ[\\w-]{10,1000}\\.[\\w-]{20,500})'\ncheck: jwt\n",
		"id: card\ntitle: Payment card\nseverity: medium\nanchors: ['card']\npersonal: true\npattern: 'card[= ]+([0-9]{16})'\ncheck: luhn\n",
	} {
		r, err := rule.Load([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	r, err := rule.LoadTrusted(generic(t))
	if err != nil {
		t.Fatal(err)
	}
	return append(out, r)
}

func generic(t testing.TB) []byte {
	t.Helper()
	data, err := files.ReadFile("rules/generic-secret.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testInspector(t testing.TB) *Inspector {
	e := build(testRules(t), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	return &Inspector{engine: func() (*engine, error) { return e, nil }}
}

// inspect feeds a file in pieces of a size.
func inspect(t testing.TB, i *Inspector, path string, content []byte, size int) (bulwark.Facts, error) {
	t.Helper()
	info := bulwark.FileInfo{Size: int64(len(content))}
	info.SetPath(path)
	s := i.Begin(&info)
	if s == nil {
		return bulwark.Facts{}, nil
	}
	for piece := range slices.Chunk(content, size) {
		piece = bytes.Clone(piece)
		if _, err := s.Write(piece); err != nil {
			t.Fatal(err)
		}
		clear(piece) // a sink that keeps the piece is wrong
	}
	return s.Close()
}

// found names what a file holds: rule and line.
func found(t testing.TB, i *Inspector, path, content string) []string {
	t.Helper()
	facts, err := inspect(t, i, path, []byte(content), 256<<10)
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	var out []string
	for _, f := range facts.Findings {
		out = append(out, fmt.Sprintf("%s:%d", strings.TrimPrefix(f.Rule, "secret/"), f.Line))
	}
	slices.Sort(out)
	return out
}

func fill(t testing.TB, template string, seed uint64) string {
	t.Helper()
	s, err := rule.Fill(template, rand.New(rand.NewPCG(seed, 7)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const pat = "ghp_{{base62 30}}{{crc32 base62 6}}"

func TestFind(t *testing.T) {
	i := testInspector(t)
	for _, tt := range []struct{ name, path, template, want string }{
		{"plain", "srv/app.js", "x\ny = '" + pat + "'", "github:2"},
		{"wrong checksum", "srv/app.js", "y = 'ghp_{{base62 36}}'", ""},
		{"word before", "srv/app.js", "xxghp_{{base62 30}}{{crc32 base62 6}}", ""},
		{"after an escape", "srv/app.json", `{"a":"x\n` + pat + `"}`, "github:1"},
		{"in the middle of a pattern", "srv/app.txt", "a\nb\nurl = postgres://user:{{base62 12}}@db/x", "url:3"},
		{"escaped for a URL", "srv/app.txt", "next=postgres%3A%2F%2Fuser%3A{{base62 12}}%40db%2Fx", "url:1"},
		{"escaped for JSON", "srv/app.txt", `"postgres:\/\/user:{{base62 12}}@db\/x"`, "url:1"},
		{"in any case", "srv/app.txt", "AcmeKey = {{hex 32}}", "vendor:1"},
		{"in any case", "srv/app.txt", "AcmeKey: {{hex 32}}", "vendor:1"},
		{"placeholder", "srv/app.txt", "k = AKIAIOSFODNNEXAMPLE7", ""},
		{"variable", "srv/app.txt", "postgres://user:${PASSWORD}@db/x", ""},
		{"base 64", "srv/app.txt", "data: {{base64of x[[base62 5]] ghp_[[base62 30]][[crc32 base62 6]]\n}}", "github:1"},
		{"base 64, one on", "srv/app.txt", "data: {{base64of [[base62 9]]: ghp_[[base62 30]][[crc32 base62 6]]}}", "github:1"},
		{"base 64, two on", "srv/app.txt", "data: {{base64of [[base62 10]]: ghp_[[base62 30]][[crc32 base62 6]]\nzz}}", "github:1"},
		{"private key", "srv/key.pem", "\n{{pem rsa}}", "key:2"},
		{"private key in JSON", "srv/key.json", "JSONKEY", "key:1"},
		{"token", "srv/x.log", "Authorization: Bearer {{jwt}}", "jwt:1"},
		{"generic", "srv/app.env", "# comment\nDB_PASSWORD={{base62 14}}", "generic-secret:2"},
		{"generic outside settings", "srv/app.js", "DB_PASSWORD={{base62 14}}", ""},
		{"generic in a package", "usr/share/x/app.env", "DB_PASSWORD={{base62 14}}", ""},
		{"generic in a sample", "srv/app.env.example", "DB_PASSWORD={{base62 14}}", ""},
		{"generic in documentation", "srv/docs/app.env", "DB_PASSWORD={{base62 14}}", ""},
		{"vendor over generic", "srv/app.env", "GH_TOKEN=" + pat, "github:1"},
		{"packaged test", "usr/lib/node_modules/x/test/a.js", "postgres://user:{{base62 12}}@db/x", ""},
		{"two of one kind", "srv/a.txt", pat + "\n" + pat, "github:1 github:2"},
		{"not asked for", "srv/a.txt", "card 4{{digits 14}}{{luhn}}", "card:1"},
	} {
		content := strings.ReplaceAll(fill(t, tt.template, 1), "JSONKEY", `{"key":"`+strings.ReplaceAll(fill(t, "{{pem rsa}}", 1), "\n", `\n`)+`"}`)
		if got := strings.Join(found(t, i, tt.path, content), " "); got != tt.want {
			t.Errorf("%s: %s %q:\n got %q\nwant %q", tt.name, tt.path, content[:min(len(content), 200)], got, tt.want)
		}
	}
}

// TestLeast: a rule whose values are one finding gives one, and has seen enough of a file
// when it has many.
func TestLeast(t *testing.T) {
	for _, tt := range []struct {
		least, values int
		want          string
	}{
		{1, 1, ""}, {1, 3, "3 different values"}, {1, 900, "200 different values at least"}, {3, 2, "none"}, {3, 3, "3 different values"},
	} {
		r, err := rule.Load(fmt.Appendf(nil, "id: hash\ntitle: Hash\nseverity: low\nanchors: [hash=]\npattern: 'hash=([0-9a-f]{32})'\nanyContext: true\nleast: %d\n", tt.least))
		if err != nil {
			t.Fatal(err)
		}
		e := build([]*rule.Rule{r}, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
		var text strings.Builder
		random := rand.New(rand.NewPCG(1, 2))
		for range tt.values {
			fmt.Fprintf(&text, "hash=%016x%016x\n", random.Uint64(), random.Uint64())
		}
		facts, err := inspect(t, &Inspector{engine: func() (*engine, error) { return e, nil }}, "srv/x.sql", []byte(text.String()), 1000)
		if err != nil {
			t.Errorf("%d of %d: %v", tt.values, tt.least, err)
		}
		if tt.want == "none" {
			if len(facts.Findings) > 0 {
				t.Errorf("%d of %d: %d findings", tt.values, tt.least, len(facts.Findings))
			}
			continue
		}
		if len(facts.Findings) != 1 || tt.want != "" && !slices.Contains(facts.Findings[0].Evidence, tt.want) {
			t.Errorf("%d of %d: %+v, want one with %q", tt.values, tt.least, facts.Findings, tt.want)
		}
	}
}
