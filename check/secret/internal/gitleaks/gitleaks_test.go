package gitleaks

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/check/secret/internal/rule"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func load(t testing.TB, name string, o Options) *File {
	t.Helper()
	f, err := Load(name, read(t, name), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func open(t testing.TB) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) { return read(t, path), nil }
}

// found is what the rules find by themselves, window and anchors included: "id=secret".
func found(rules []*rule.Rule, path, text string) []string {
	var out []string
	for _, r := range rules {
		if !r.OnPath(path) {
			continue
		}
		if r.Pattern == "" {
			out = append(out, r.ID)
			continue
		}
		m := r.Regexp().FindStringSubmatchIndex(text)
		if m == nil || !anchored(r, text[m[0]:m[1]]) && !anchored(r, text) {
			continue
		}
		from, to := r.Secret(m)
		if !r.Allowed(path, []byte(text[from:to]), []byte(text[m[0]:m[1]]), []byte(text)) {
			out = append(out, r.ID+"="+text[from:to])
		}
	}
	return out
}

func anchored(r *rule.Rule, text string) bool {
	return slices.ContainsFunc(r.Anchors, func(a string) bool {
		if r.FoldCase {
			return strings.Contains(strings.ToLower(text), strings.ToLower(a))
		}
		return strings.Contains(text, a)
	})
}

func TestLoadRules(t *testing.T) {
	hex := strings.Repeat("9a1b2c3d4e5f6780", 4)
	for _, tt := range []struct {
		file, path, text string
		want             []string
	}{
		{"company.toml", "a.env", "T=acmd_abc0def1ghi2jkl3mno4pqr5", []string{"acme-deploy-token=acmd_abc0def1ghi2jkl3mno4pqr5"}},
		{"company.toml", "a.env", "T=acmd_abc0", nil},
		{"company.toml", "a.env", "ACME_SESSION: " + hex[:32], []string{"acme-session=" + hex[:32]}},
		{"company.toml", "fixtures/a.env", "acme_session=" + hex[:32], nil},
		{"company.toml", "a.env", "acme_session=dead" + hex[:28], nil},
		{"company.toml", "docs/CHANGELOG.md", "acmd_abc0def1ghi2jkl3mno4pqr5", nil},
		{"company.toml", "a.env", "acmd_sample00000000000000000", nil},
		{"company.toml", "srv/server.JKS", "", []string{"keystores"}},
		{"targets.toml", "a.lock", "kiosk_key = \"" + hex[:40] + "\"", nil},
		{"targets.toml", "a.json", "kiosk_key = \"" + hex[:40] + "\"", []string{"kiosk-api-key=" + hex[:40]}},
		{"targets.toml", "a.lock", "kiosk_key = \"z" + hex[:39] + "\"", []string{"kiosk-api-key=z" + hex[:39]}},
		{"targets.toml", "a.json", "integrity of kiosk_key = \"" + hex[:40] + "\"", nil},
		{"targets.toml", "a.json", "kiosk-pin-12345678", []string{"kiosk-pin=12345678"}},
		{"targets.toml", "a.json", "kiosk-pin-00005678", nil},
		{"child.toml", "a", "one-" + hex[:16], []string{"one=" + hex[:16]}},
		{"child.toml", "a", "one-0000" + hex[:12], nil},
		{"child.toml", "a", "two-" + hex[:16], nil},
		{"child.toml", "a", "TWO-" + strings.ToUpper(hex[:16]), []string{"two=" + strings.ToUpper(hex[:16])}},
		{"child.toml", "a", "three-" + hex[:16], nil},
	} {
		f := load(t, tt.file, Options{Open: open(t)})
		for _, p := range f.Problems {
			t.Errorf("%s: %+v", tt.file, p)
		}
		if diff := cmp.Diff(tt.want, found(f.Rules, tt.path, tt.text)); diff != "" {
			t.Errorf("%s on %s %q (-want +got):\n%s", tt.file, tt.path, tt.text, diff)
		}
	}
}

func TestFields(t *testing.T) {
	f := load(t, "company.toml", Options{})
	r := f.Rules[0]
	if r.Title != "Acme deploy token. It ships to production" && r.Title != "Acme deploy token" || r.Severity != bulwark.SeverityCritical || !slices.Equal(r.Anchors, []string{"acmd_"}) {
		t.Errorf("rule: %q %v %q", r.Title, r.Severity, r.Anchors)
	}
	if r := f.Rules[1]; r.Severity != bulwark.SeverityHigh || r.Group != 1 || r.Entropy <= 3.2 || r.Entropy > 3.21 || !r.FoldCase {
		t.Errorf("rule: %v %d %g", r.Severity, r.Group, r.Entropy)
	}
	if r := load(t, "child.toml", Options{Open: open(t)}).Rules[0]; r.Title != "first" || !slices.Equal(r.Tags, []string{"base", "child"}) || r.Entropy < 2.5 {
		t.Errorf("a rule that extends another: %q %q %g", r.Title, r.Tags, r.Entropy)
	}
	notes := load(t, "targets.toml", Options{}).Notes
	if len(notes) != 1 || !strings.Contains(notes[0].Text, "commits") || notes[0].Line != 33 {
		t.Errorf("notes: %+v", notes)
	}
}

func TestUseDefault(t *testing.T) {
	builtin := func() []*rule.Rule {
		return []*rule.Rule{
			{ID: "github-pat", Title: "G", Severity: bulwark.SeverityHigh, Anchors: []string{"ghp_"}, Pattern: "ghp_[0-9a-z]{8}"},
			{ID: "slack-bot", Title: "S", Severity: bulwark.SeverityHigh, Anchors: []string{"xoxb-"}, Pattern: "xoxb-[0-9]{8}", Tags: []string{"gitleaks:slack-bot-token"}},
			{ID: "jwt", Title: "J", Severity: bulwark.SeverityMedium, Anchors: []string{"eyJ"}, Pattern: "eyJ[0-9a-z]{8}"},
			{ID: "other", Title: "O", Severity: bulwark.SeverityHigh, Anchors: []string{"other-"}, Pattern: "other-[0-9]{8}"},
		}
	}
	f := load(t, "default.toml", Options{Builtin: builtin()})
	if len(f.Problems) > 0 || !f.UseDefault {
		t.Errorf("problems: %+v", f.Problems)
	}
	if diff := cmp.Diff([]string{"github-pat", "jwt", "slack-bot"}, f.Disabled); diff != "" {
		t.Errorf("disabled (-want +got):\n%s", diff)
	}
	if len(f.Notes) != 1 || f.Notes[0].Rule != "no-such-rule" || f.Notes[0].Line != 3 {
		t.Errorf("notes: %+v", f.Notes)
	}
	rules := f.Apply(builtin())
	for _, tt := range []struct {
		path, text string
		want       []string
	}{
		{"a", "ghp_12345678", nil},
		{"a", "xoxb-12345678", nil},
		{"a", "xoxb-ours-123456789012", []string{"slack-bot-token=xoxb-ours-123456789012"}},
		{"a", "eyJ12345678", []string{"jwt=eyJ12345678"}},
		{"docs/a", "eyJ12345678", nil},
		{"third_party/a", "eyJ12345678 other-12345678", nil},
		{"a", "other-12345678", []string{"other=other-12345678"}},
	} {
		if diff := cmp.Diff(tt.want, found(rules, tt.path, tt.text)); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", tt.path, tt.text, diff)
		}
	}
}

func TestProblems(t *testing.T) {
	f := load(t, "wrong.toml", Options{})
	var got []string
	for _, p := range f.Problems {
		got = append(got, fmt.Sprintf("%d:%d %s: %s", p.Line, p.Column, p.Rule, p.Text))
	}
	want := []string{
		"4:1 : extend.url is not followed: rules come from files",
		"6:1 : the rule has no id",
		"12:1 lookahead: regex: invalid or unsupported Perl syntax: (?!",
		"14:1 empty: the rule has neither regex nor path",
		"20:1 group: regex: secretGroup is 2, and the expression has 1 groups: malformed",
		"25:1 huge: regex: invalid repeat count: {900}",
		"31:1 bad-allow: the condition of its allowlist is \"XOR\", not AND or OR",
		"38:1 bad-target: the regexTarget of its allowlist is \"file\", not secret, match or line",
		"44:1 empty-allow: its allowlist lists no commits, paths, regexes or stopwords",
		"50:1 both-allow: has both [rules.allowlist] and [[rules.allowlists]]",
		"55:1 composite: the rule needs findings of other rules near its own (required), which is not supported",
		"64:1 anything: regex: nothing tells where it may match: give it keywords: unsupported",
		"68:1 kind: regex is no text",
		"74:1 bad-path: path: error parsing regexp: missing closing ): `(unclosed`",
		"76:1 twice: another rule of this id follows in line 80, which counts instead",
		"89:1 nobody: an allowlist is for a rule that is not there",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if len(f.Rules) != 1 || f.Rules[0].ID != "twice" || f.Rules[0].Pattern != "second-[0-9]{8}" {
		t.Errorf("%d rules were taken", len(f.Rules))
	}
	if len(f.Notes) != 1 || f.Notes[0].Rule != "hidden" {
		t.Errorf("notes: %+v", f.Notes)
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct {
		text         string
		line, column int
	}{
		{"title = \"x\n", 1, 11},
		{"[[rules]]\nid = \"a\"\nregex = '''abc\n", 3, 15},
		{"[[rules]]\nid = \"a\"\nid = \"b\"\n", 3, 1},
		{"[[rules]\nid = 1\n", 1, 8},
		{"[[rules]]\n  regex = 'a' 'b'\n", 2, 15},
		{"[[rules]]\nregex = \"\\d\"\n", 2, 10},
		{"a = 1\nb = \n", 2, 5},
		{"a = 1\nb\n", 2, 2},
		{"a = 1\r\nb = @\r\n", 2, 5},
		{"a = [1,\n2\n", 2, 2},
		{"\xef\xbb\xbfa = @\n", 1, 5},
		{"a = 1\nb = \"xyz\xff\"", 2, 9},
		{"a = 1\nb = \"xyz\x01\"", 2, 9},
	} {
		_, err := Load("x.toml", []byte(tt.text), Options{})
		var syn *SyntaxError
		if !errors.As(err, &syn) || !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if syn.Line != tt.line || syn.Column != tt.column {
			t.Errorf("%q: %v, want %d:%d", tt.text, err, tt.line, tt.column)
		}
	}
}

func TestBudgets(t *testing.T) {
	for name, text := range map[string]string{
		"size":    strings.Repeat("#", MaxFile+1),
		"rules":   strings.Repeat("[[rules]]\nid='a'\n", MaxRules+1),
		"nesting": "a = " + strings.Repeat("[", 2<<20),
		"inline":  "a = " + strings.Repeat("{a=", 1<<20),
		"dots":    strings.Repeat("a.", 1<<20) + "a = 1",
		"table":   "[" + strings.Repeat("a.", 1<<20) + "a]",
		"items":   "a = [" + strings.Repeat("1,", 4<<20) + "]",
		"tables":  strings.Repeat("[[a]]\n", 1<<20),
	} {
		if _, err := Load("x.toml", []byte(text), Options{}); !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var many strings.Builder
	for i := range MaxRules {
		fmt.Fprintf(&many, "[[rules]]\nid='r%d'\nregex='''(?i)vendor%d[a-z]{0,20}[=:]([0-9a-z]{32})'''\nkeywords=['vendor%d']\n", i, i, i)
	}
	f, err := Load("x.toml", []byte(many.String()), Options{})
	if err != nil || len(f.Rules) != MaxRules {
		t.Errorf("%d rules: %v", MaxRules, err)
	}
	var heavy strings.Builder
	for i := range 300 {
		fmt.Fprintf(&heavy, "[[rules]]\nid='r%d'\nregex='''heavy([a-z]{1000}[0-9]{1000}){1}%s'''\n", i, strings.Repeat("[a-f]{1000}", 20))
	}
	if f, err := Load("x.toml", []byte(heavy.String()), Options{}); err != nil || len(f.Problems) == 0 || len(f.Rules) == 0 {
		t.Errorf("heavy expressions: %v, %d rules, %d problems", err, len(f.Rules), len(f.Problems))
	}
	loop := func(string) ([]byte, error) {
		return []byte("[extend]\npath='again.toml'\n[[rules]]\nid='a'\nregex='abcdef'\n"), nil
	}
	if f, err := Load("x.toml", []byte("[extend]\npath='again.toml'\n"), Options{Open: loop}); err != nil || len(f.Problems) != 1 || len(f.Rules) != 1 {
		t.Errorf("a file that extends itself: %v, %+v", err, f)
	}
}

// TestAnchors holds anchors and windows against matches made from expressions.
func TestAnchors(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, expr := range []string{
		`\b(ghp_[0-9a-zA-Z]{36})\b`,
		`\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b`,
		`(?i)[\w.-]{0,50}?(?:adafruit)(?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=)[\x60'"\s=]{0,5}([a-z0-9_-]{32})`,
		`(?i)-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----[\s\S-]{64,}?KEY(?: BLOCK)?-----`,
		`linked[_-]?in[a-z]{0,8}=([0-9]{4})`,
		`(?:s3|gs|abfs)://[a-z]{3,9}`,
		`(?i)(?:pass(?:word|wd)?|secret)\s*[=:]\s*(\S{8,40})`,
		`[0-9]{8,10}:AA[A-H][\w-]{32}`,
		`(ab|cd)+x{2,4}(foo|bar)?`,
		`(?:key-){2,3}[0-9]`,
		`x?y?zebra|lion[0-9]`,
	} {
		re, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		a := finder{fold: folds(re)}.required(re)
		if a.none() {
			t.Errorf("%s: no anchors", expr)
			continue
		}
		for range 200 {
			text := generate(re.Simplify(), r)
			probe := text
			if folds(re) {
				probe = strings.ToLower(text)
			}
			at := -1
			for _, s := range a.texts {
				if i := strings.Index(probe, s); i >= 0 && (at < 0 || i < at) {
					at = i
				}
			}
			if at < 0 || at > a.before+16 || len(text)-at > a.after+16 {
				t.Fatalf("%s: %q of %q is at %d, of %d and %d", expr, a.texts, text, at, a.before, a.after)
			}
		}
	}
}

// generate makes a text that an expression matches, word boundaries aside.
func generate(re *syntax.Regexp, r *rand.Rand) string {
	var out strings.Builder
	some := func(sub *syntax.Regexp, least, most int) {
		for range least + r.IntN(most-least+1) {
			out.WriteString(generate(sub, r))
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		s := string(re.Rune)
		if re.Flags&syntax.FoldCase != 0 && r.IntN(2) == 0 {
			s = strings.ToUpper(s)
		}
		out.WriteString(s)
	case syntax.OpCharClass:
		i := r.IntN(len(re.Rune)/2) * 2
		c := re.Rune[i] + r.Int32N(re.Rune[i+1]-re.Rune[i]+1)
		if c > 126 {
			c = max(re.Rune[0], '!')
		}
		out.WriteRune(c)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		out.WriteByte(byte('!' + r.IntN(90)))
	case syntax.OpStar:
		some(re.Sub[0], 0, 20)
	case syntax.OpPlus:
		some(re.Sub[0], 1, 20)
	case syntax.OpQuest:
		some(re.Sub[0], 0, 1)
	case syntax.OpAlternate:
		out.WriteString(generate(re.Sub[r.IntN(len(re.Sub))], r))
	default:
		for _, sub := range re.Sub {
			out.WriteString(generate(sub, r))
		}
	}
	return out.String()
}

func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.toml")
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("[[rules]]\nid='a'\nregex='''[a-z]{3,}'''\n[rules.allowlist]\npaths='x'\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		self := func(string) ([]byte, error) { return data, nil }
		got, err := Load("x.toml", data, Options{Open: self})
		if err != nil {
			if !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
				t.Errorf("error of no kind: %v", err)
			}
			return
		}
		for _, r := range got.Rules {
			if err := r.Valid(); err != nil {
				t.Errorf("a rule that was taken is not valid: %v", err)
			}
		}
		for _, p := range got.Problems {
			if p.Text == "" || strings.ContainsFunc(p.Text+p.Rule, func(c rune) bool { return c < ' ' }) {
				t.Errorf("problem: %q %q", p.Rule, p.Text)
			}
		}
	})
}
