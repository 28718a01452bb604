package secret

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"bulwark/check/secret/internal/rule"
)

// cased gives the built-in rules with their cases.
func cased(t testing.TB) []*rule.Rule {
	t.Helper()
	list, err := fs.ReadDir(files, "rules")
	if err != nil {
		t.Fatal(err)
	}
	var out []*rule.Rule
	for _, f := range list {
		data, err := files.ReadFile("rules/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		r, err := rule.Load(data)
		if err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		if r.ID+".yaml" != f.Name() {
			t.Errorf("%s holds the rule %s", f.Name(), r.ID)
		}
		out = append(out, r)
	}
	return out
}

// TestBuiltin holds every built-in rule to its own cases, through the whole engine.
func TestBuiltin(t *testing.T) {
	tests, err := (*Check)(nil).TestRules()
	if err != nil {
		t.Fatal(err)
	}
	if len(tests) < 150 {
		t.Errorf("%d rules", len(tests))
	}
	for _, test := range tests {
		for _, f := range test.Failures {
			t.Errorf("%s: %s", test.Rule, f)
		}
	}
}

// TestTestRules: what does not keep what its cases say is told, and so is what is no rule.
func TestTestRules(t *testing.T) {
	const head = "id: ours\ntitle: Ours\nseverity: high\nanchors: [ourkey]\npattern: 'ourkey_([0-9a-f]{12})'\n"
	for name, tt := range map[string]struct {
		text string
		want []string // in the failures
	}{
		"good":         {head + "cases:\n  match: ['k=ourkey_{{hex 12}}']\n  miss: ['k=ourkey_{{hex 11}}']\n", nil},
		"wrong":        {head + "cases:\n  match: ['k=ourkey_{{hex 11}}']\n  miss: ['k=ourkey_{{hex 12}}']\n", []string{"case 1 of match", "case 1 of miss"}},
		"no case":      {head, []string{"no case"}},
		"bad template": {head + "cases:\n  match: ['{{nothing}}']\n", []string{"no such call"}},
		"no rule":      {"id: ours\n", []string{"no id or no title"}},
	} {
		dir := fstest.MapFS{"x.yaml": &fstest.MapFile{Data: []byte(tt.text)}}
		tests, err := TestRules(dir, []string{"x.yaml"})
		if err != nil || len(tests) != 1 || len(tests[0].Failures) != len(tt.want) {
			t.Errorf("%s: %+v, %v", name, tests, err)
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(tests[0].Failures[i], want) {
				t.Errorf("%s: %q, want %q", name, tests[0].Failures[i], want)
			}
		}
	}
}

// container is a kind of file, or an encoding, that a text may be in.
type container struct {
	name, path string
	wrap       func(t testing.TB, text string) []byte
}

func containers(t testing.TB) []container {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	binary = binary[len(binary)/4:][:200_000]
	jar := func(t testing.TB, text string) []byte {
		return zipOf(t, true, map[string]string{"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n", "last.txt": text})
	}
	same := func(before, after string) func(testing.TB, string) []byte {
		return func(_ testing.TB, text string) []byte { return []byte(before + text + after) }
	}
	return []container{
		{"environment", "srv/app.env", same("# settings\nMODE=production\n", "\nDEBUG=0\n")},
		{"source", "srv/app/main.js", same("import x from 'y';\n\n", "\nexport default x;\n")},
		{"long line", "srv/app.log", same(strings.Repeat("2026-01-01 all is well; ", 5000), " and so on; "+strings.Repeat("on it goes; ", 3000))},
		{"Windows text", "srv/notes.txt", func(_ testing.TB, s string) []byte {
			return []byte("notes\r\n" + strings.ReplaceAll(s, "\n", "\r\n") + "\r\nend\r\n")
		}},
		{"UTF-16, little", "srv/app.reg", func(_ testing.TB, s string) []byte {
			return encoded16("\ufeffREGEDIT4\r\n"+s+"\r\n", false)
		}},
		{"UTF-16, big", "srv/big.txt", func(_ testing.TB, s string) []byte { return encoded16("\ufeffnotes\n"+s+"\n", true) }},
		{"base 64", "srv/k8s/config.yaml", func(_ testing.TB, s string) []byte {
			return []byte("apiVersion: v1\nkind: ConfigMap\nbinaryData:\n  content: " + base64.StdEncoding.EncodeToString([]byte(s)) + "\n")
		}},
		{"JSON string", "srv/state.json", func(t testing.TB, s string) []byte {
			b, err := json.Marshal(map[string]string{"note": s})
			if err != nil {
				t.Fatal(err)
			}
			return b
		}},
		{"URL", "srv/access.log", func(_ testing.TB, s string) []byte {
			return []byte("GET /x?q=" + strings.ReplaceAll(url.QueryEscape(s), "+", "%20") + " HTTP/1.1\n")
		}},
		{"over 64 KB", "srv/dump.sql", func(_ testing.TB, s string) []byte {
			return slices.Concat(hay(r, 64<<10-len(s)/2), []byte("\n"+s+"\n"), hay(r, 70_000))
		}},
		{"jar", "srv/app.jar", jar},
		{"nested jar", "srv/app.jar", func(t testing.TB, s string) []byte { return jarred(t, true, jar(t, s)) }},
		{"tar.gz", "srv/app.tgz", func(t testing.TB, s string) []byte { return gzipped(t, tarred(t, "app/settings.env", []byte(s))) }},
		{"gzip", "srv/app.env.gz", func(t testing.TB, s string) []byte { return gzipped(t, []byte(s)) }},
		{"program", "usr/local/bin/app", func(_ testing.TB, s string) []byte {
			return slices.Concat([]byte("\x7fELF"), binary[:100_001], []byte("\x00"), []byte(s), []byte("\x00"), binary[100_001:])
		}},
		{"Go program", "usr/local/bin/app", func(_ testing.TB, s string) []byte {
			return slices.Concat([]byte("\x7fELF\x00\x00Go\x00\x00"), binary[:100_001], []byte("invalid argument"), []byte(s), []byte("runtime error"), binary[100_001:])
		}},
	}
}

// TestCorpus measures what is found, and what is found falsely, of every kind of token
// in every kind of file.
func TestCorpus(t *testing.T) {
	var kinds []*rule.Rule
	for _, r := range cased(t) {
		if !r.Personal && !r.Generic && !r.ConfigOnly && r.Path == "" && len(r.Cases.Match) > 0 && len(r.Cases.Miss) > 0 {
			kinds = append(kinds, r)
		}
	}
	if len(kinds) < 40 {
		t.Fatalf("%d kinds of token", len(kinds))
	}
	i := New(Options{})
	list := containers(t)
	type tally struct{ truths, hits, misses, falses int }
	var all tally
	lost := map[string][]string{}
	for _, c := range list {
		var n tally
		for _, r := range kinds {
			for k, template := range []string{r.Cases.Match[0], r.Cases.Miss[0]} {
				text := strings.TrimRight(fill(t, template, uint64(len(r.ID)+k)), "\n")
				facts, err := inspect(t, i, c.path, c.wrap(t, text), 64<<10)
				if err != nil {
					t.Errorf("%s in %s: %v", r.ID, c.name, err)
				}
				right, wrong := false, false
				for _, f := range facts.Findings {
					right = right || f.Rule == "secret/"+r.ID
					wrong = wrong || f.Rule == "secret/"+r.ID || !strings.HasPrefix(f.Rule, "secret/generic")
				}
				switch {
				case k == 0 && right:
					n.truths, n.hits = n.truths+1, n.hits+1
				case k == 0:
					n.truths++
					lost[c.name] = append(lost[c.name], r.ID)
				case wrong:
					n.falses++
					lost[c.name] = append(lost[c.name], "false:"+r.ID)
				default:
					n.misses++
				}
			}
		}
		t.Logf("%-16s recall %.3f, precision %.3f %v", c.name, float64(n.hits)/float64(n.truths), float64(n.hits)/float64(n.hits+n.falses), lost[c.name][:min(12, len(lost[c.name]))])
		if n.hits*10 < n.truths*9 {
			t.Errorf("%s: %d of %d found; at least nine of ten", c.name, n.hits, n.truths)
		}
		all.truths, all.hits, all.falses = all.truths+n.truths, all.hits+n.hits, all.falses+n.falses
	}
	recall, precision := float64(all.hits)/float64(all.truths), float64(all.hits)/float64(all.hits+all.falses)
	fmt.Printf("secrets: %d kinds in %d kinds of files: recall %.1f %%, precision %.1f %%\n", len(kinds), len(list), 100*recall, 100*precision)
	if recall < 0.95 || precision < 0.95 {
		t.Errorf("recall %.3f, precision %.3f; at least 0.95 each", recall, precision)
	}
}

// TestLater: what is read of a rule at first, and the rest later, is the whole rule.
func TestLater(t *testing.T) {
	list, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	later, err := loaded(rule.LoadLater)
	if err != nil || len(list) != len(later) {
		t.Fatalf("%d and %d rules, %v", len(list), len(later), err)
	}
	for i, want := range list {
		got := later[i]
		before := fmt.Sprint(got.ID, got.Anchors, got.FoldCase, got.ConfigOnly, got.Generic, got.Personal, got.Path, got.Before, got.After)
		if err := got.Compile(); err != nil {
			t.Fatal(err)
		}
		if all := fmt.Sprint(want.ID, want.Anchors, want.FoldCase, want.ConfigOnly, want.Generic, want.Personal, want.Path, want.Before, want.After); before != all {
			t.Errorf("read first: %s\nwant %s", before, all)
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if string(a) != string(b) {
			t.Errorf("read later: %s\nwant %s", b, a)
		}
	}
}
