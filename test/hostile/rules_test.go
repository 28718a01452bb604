//go:build linux

package hostile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// problem is where a file of rules is wrong.
type problem struct {
	Line, Column int
	Rule, Text   string
}

// validated is what "rule validate -f json" says of one file.
func (r *room) validated(file string, more ...string) (rules int, list []problem, res *result) {
	r.t.Helper()
	r.most = cmp.Or(r.most, maxScan)
	res = r.run(append([]string{"rule", "validate", file, "-f", "json"}, more...)...)
	var doc struct {
		Files []struct {
			Rules  int
			Errors []problem
		}
	}
	if err := json.Unmarshal([]byte(res.stdout), &doc); err != nil || len(doc.Files) != 1 {
		r.t.Fatalf("exit code %d, %v: %.500s%.500s", res.code, err, res.stdout, res.stderr)
	}
	return doc.Files[0].Rules, doc.Files[0].Errors, res
}

// mark stands in a text for the place where it is wrong.
const mark = "¦"

// marked is the text without its mark, and where that was.
func marked(t testing.TB, text string) (string, int, int) {
	t.Helper()
	before, after, ok := strings.Cut(text, mark)
	if !ok {
		t.Fatalf("no mark in %q", text)
	}
	return before + after, 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n')
}

const (
	goodYARA = "rule good { strings: $a = \"harmless-mark\" condition: $a }\n"
	goodTOML = "[[rules]]\nid = \"good\"\nregex = '''harmless-mark-([0-9]{4})'''\nkeywords = [\"harmless-mark\"]\n"
	victim   = "x harmless-mark-4711 y\n"
)

// TestWrongYARA: what is wrong is told by line and column, by both commands, and the
// rules around it count.
func TestWrongYARA(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"text without end":       "rule a { strings: $a = ¦\"abc\n condition: $a }\n",
		"no condition":           "rule a { strings: $a = \"abc\"\n¦}\n",
		"no name":                "rule ¦{ condition: true }\n",
		"unknown string":         "rule a {\n  condition:\n    ¦$b\n}\n",
		"unknown name":           "rule a {\n  condition:\n    true and ¦nothing == 1\n}\n",
		"unknown module":         "import \"nothing\"\nrule a { condition: ¦nothing.x == 1 }\n",
		"expression":             "rule a { strings: $a = /a¦(b/ condition: $a }\n",
		"expression without end": "rule a { strings: $a = /¦ab\n condition: $a }\n",
		"hex":                    "rule a { strings: $a = { 41 ¦4Z 42 } condition: $a }\n",
		"jump":                   "rule a { strings: $a = { 41 ¦[9-2] 42 } condition: $a }\n",
		"comment without end":    "¦/* rule a { condition: true }\n",
		"control character":      "rule a { condition: ¦\x01 }\n",
		"invalid UTF-8":          "rule a { condition: ¦\xff\xfe }\n",
		"string never used":      "rule a { strings: $a = \"abc\" ¦$b = \"def\" condition: $a }\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			bad, line, column := marked(t, text)
			if name != "comment without end" && name != "text without end" {
				bad += goodYARA
			} else {
				bad, line = goodYARA+bad, line+1
			}
			file := r.put("rules.yar", []byte(bad))
			rules, list, res := r.validated(file)
			if res.code != 1 || len(list) == 0 || list[0].Line != line || list[0].Column != column {
				t.Errorf("exit code %d, problems %+v, want one at %d:%d", res.code, list, line, column)
			}
			if rules < 1 {
				t.Errorf("the good rule is lost: %+v", list)
			}
			r.put("src/victim", []byte(victim))
			scan := r.inside("dir:"+r.path("in", "src"), "--yara", file)
			if at := fmt.Sprintf("rules.yar:%d:%d: ", line, column); scan.code != 4 || !scan.noted(at) {
				t.Errorf("exit code %d, no note with %q: %+v", scan.code, at, scan.report.Notes)
			}
			if !scan.has("yara/good", "victim", "") {
				t.Errorf("the good rule finds nothing: %+v", scan.report.Notes)
			}
		})
	}
}

// TestWrongTOML: no TOML is an error with line and column; a rule that cannot be taken is
// listed, and the others count.
func TestWrongTOML(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"value missing":     "title = ¦\n",
		"text without end":  "title = \"abc¦\nx = 1\n",
		"long text":         "title = '''abc\nx = 1¦\n",
		"bracket missing":   "[[rules¦]\nid = 1\n",
		"key alone":         "title¦\n",
		"key twice":         "a = 1\n¦a = 2\n",
		"no value":          "a = ¦@\n",
		"list without end":  "a = [1, 2¦\n",
		"escape":            "a = \"¦x\\q\"\n",
		"invalid UTF-8":     "a = 1\nb = \"x¦\xff\"\n",
		"control character": "a = 1\nb = \"x¦\x01\"\n",
		"behind the value":  "a = 1 ¦b = 2\n",
		"date":              "a = ¦2024-99-99\n",
		"deep":              "a = " + strings.Repeat("[", 17) + "¦\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			bad, line, column := marked(t, goodTOML+text)
			file := r.put("rules.toml", []byte(bad))
			_, list, res := r.validated(file)
			if res.code != 1 || len(list) != 1 || name != "deep" && (list[0].Line != line || list[0].Column != column) {
				t.Errorf("exit code %d, problems %+v, want one at %d:%d of %q", res.code, list, line, column, bad[len(goodTOML):])
			}
			r.put("src/victim", []byte(victim))
			scan := r.inside("dir:"+r.path("in", "src"), "--secret-rules", file)
			if at := fmt.Sprintf("rules.toml:%d:%d: ", line, column); scan.code != 2 || name != "deep" && !strings.Contains(scan.stderr, at) {
				t.Errorf("exit code %d, %q is not in %s", scan.code, at, scan.stderr)
			}
		})
	}
}

// TestRefusedRules: rules of a sound file that cannot be taken, each with its place.
func TestRefusedRules(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"expression":    "[[rules]]\nid = \"bad\"\n¦regex = '''a(b'''\n",
		"look ahead":    "[[rules]]\nid = \"bad\"\n¦regex = '''(?=abc)def'''\n",
		"huge":          "[[rules]]\nid = \"bad\"\n¦regex = '''" + strings.Repeat("(abcd){100}", 600) + "'''\n",
		"nested counts": "[[rules]]\nid = \"bad\"\n¦regex = '''((((a{30}){30}){30}){30}){30}'''\n",
		"deep brackets": "[[rules]]\nid = \"bad\"\n¦regex = '''" + strings.Repeat("(", 20_000) + strings.Repeat(")", 20_000) + "'''\n",
		"long":          "[[rules]]\nid = \"bad\"\n¦regex = '''" + strings.Repeat("a", 70_000) + "'''\n",
		"group":         "[[rules]]\nid = \"bad\"\n¦regex = '''abcd(e)'''\nsecretGroup = 9\n",
		"entropy":       "[[rules]]\nid = \"bad\"\nregex = '''abcd(e)'''\n¦entropy = \"much\"\n",
		"keywords":      "[[rules]]\nid = \"bad\"\nregex = '''abcd(e)'''\n¦keywords = [1, 2]\n",
		"no id":         "¦[[rules]]\nregex = '''abcd(e)'''\n",
		"nothing":       "¦[[rules]]\nid = \"bad\"\n",
		"path":          "[[rules]]\nid = \"bad\"\n¦path = '''a(b'''\n",
		"allowed":       "¦[[rules]]\nid = \"bad\"\nregex = '''abcd(e)'''\n[rules.allowlist]\nregexes = ['''a(b''']\n",
		"condition":     "[[rules]]\nid = \"bad\"\nregex = '''abcd(e)'''\n[[rules.allowlists]]\n¦condition = \"XOR\"\npaths = ['''x''']\n",
		"target":        "[[rules]]\nid = \"bad\"\nregex = '''abcd(e)'''\n[[rules.allowlists]]\n¦regexTarget = \"moon\"\nregexes = ['''x''']\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			bad, line, column := marked(t, goodTOML+text)
			file := r.put("rules.toml", []byte(bad))
			rules, list, res := r.validated(file)
			if res.code != 1 || len(list) != 1 || list[0].Line != line || list[0].Column != column || rules != 1 {
				t.Errorf("exit code %d, %d rules, problems %.500s, want one at %d:%d", res.code, rules, fmt.Sprintf("%+v", list), line, column)
			}
			r.put("src/victim", []byte(victim))
			scan := r.inside("dir:"+r.path("in", "src"), "--secret-rules", file)
			if scan.code != 4 || !scan.has("secret/good", "victim", "") {
				t.Errorf("exit code %d, %d findings, notes %+v", scan.code, len(scan.report.Findings), scan.report.Notes)
			}
			if at := fmt.Sprintf("rules.toml:%d:%d: rule ", line, column); !scan.noted(at) {
				t.Errorf("no note with %q: %+v", at, scan.report.Notes)
			}
		})
	}
}

// TestUnreadableRules: what is no file of rules at all is a wrong command line.
func TestUnreadableRules(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	target := "dir:" + r.path("in")
	check(t, mkfifo(r.path("out", "pipe.yar")))
	for _, flag := range []string{"--yara", "--secret-rules"} {
		for _, file := range []string{r.path("in", "none"), r.path("out")} {
			if res := r.inside(target, flag, file); res.code != 2 || !strings.HasPrefix(res.stderr, "bulwark: error: ") {
				t.Errorf("%s %s: exit code %d: %s", flag, file, res.code, res.stderr)
			}
		}
	}
	huge := r.spill("huge.yar", func(w io.Writer) { fillWith(t, w, "// nothing\n", 33<<20) })
	if res := r.inside(target, "--yara", huge); res.code != 4 || !res.noted("limit exceeded") {
		t.Errorf("YARA of 33 MB: exit code %d: %s%+v", res.code, res.stderr, res.report.Notes)
	}
	large := r.spill("large.toml", func(w io.Writer) { fillWith(t, w, "# nothing\n", 11<<20) })
	if res := r.inside(target, "--secret-rules", large); res.code != 2 || !strings.Contains(res.stderr, "limit exceeded") {
		t.Errorf("TOML of 11 MB: exit code %d: %s", res.code, res.stderr)
	}
}
