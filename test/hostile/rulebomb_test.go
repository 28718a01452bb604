//go:build linux

package hostile

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// flood is a file of one thing over and over, and the mark of the good rules at its end.
func (r *room) flood(name, text string, size int64) string {
	return r.spill(name, func(w io.Writer) {
		fillWith(r.t, w, text, size)
		_, err := io.WriteString(w, "\n"+victim)
		check(r.t, err)
	})
}

// TestCatastrophicYARA: rules that try to take for ever. The good rule beside each of
// them finds its file; what was not judged to its end is told.
func TestCatastrophicYARA(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]string{
		"plus in plus":      `rule bad { strings: $a = /(a+)+b/ condition: $a }`,
		"equal branches":    `rule bad { strings: $a = /(a|a|aa)*b/ condition: $a }`,
		"counts":            `rule bad { strings: $a = /a{0,1000}b{0,1000}c{1,1000}/ condition: $a }`,
		"dots":              `rule bad { strings: $a = /a.*a.*a.*a.*b/s condition: $a }`,
		"nothing to find":   `rule bad { strings: $a = /[a-z]{4}[0-9]/ condition: #a > 5 }`,
		"jumps":             `rule bad { strings: $a = { 61 [0-1000] 61 [0-1000] 61 [0-1000] 62 } condition: $a }`,
		"jumps of any size": `rule bad { strings: $a = { 61 61 [-] 61 61 [-] 61 62 } condition: $a }`,
		"alternatives":      `rule bad { strings: $a = { 61 (61|61 61|61 ?? 61) (61|61 61|61 ?? 61) (61|61 61|61 ?? 61) (61|61 61) 62 } condition: $a }`,
		"one byte":          `rule bad { strings: $a = "a" nocase wide ascii condition: #a > 5 and @a[#a] > 5 }`,
		"xor":               `rule bad { strings: $a = "abcd" xor wide ascii condition: #a > 5 }`,
		"base 64":           `rule bad { strings: $a = "aaaa" base64 base64wide condition: #a > 5 }`,
		"loop":              `rule bad { condition: for all i in (1..9000000000) : ( i > 0 ) }`,
		"loops in loops":    `rule bad { condition: for all i in (1..30000) : ( for all j in (1..30000) : ( for all k in (1..30000) : ( i + j + k > 0 ) ) ) }`,
		"loops of matches":  `rule bad { strings: $a = "aa" condition: for all i in (1..#a) : ( for all j in (1..#a) : ( @a[i] != @a[j] + 1000000000 ) ) }`,
		"loops of sums":     "import \"math\"\nimport \"hash\"\n" + `rule bad { condition: for all i in (0..100000) : ( math.entropy(i, filesize) >= 0.0 and hash.sha256(i, filesize) != "" ) }`,
		"deep condition":    `rule bad { condition: ` + strings.Repeat("(", 5000) + "true" + strings.Repeat(")", 5000) + ` }`,
		"long condition":    `rule bad { condition: true` + strings.Repeat(" and true", 50_000) + ` }`,
		"deep expression":   `rule bad { strings: $a = /` + strings.Repeat("(", 5000) + "a" + strings.Repeat(")", 5000) + `/ condition: $a }`,
		"counts in counts":  `rule bad { strings: $a = /((((a{1,99}){1,99}){1,99}){1,99}){1,99}b/ condition: $a }`,
		"includes itself":   `include "rules.yar"`,
		"many strings":      `rule bad { strings: ` + manyStrings(20_000) + ` condition: any of them }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			file := r.put("rules.yar", []byte(goodYARA+rule))
			r.flood("src/victim", "a", 8<<20)
			res := r.only("malware", "dir:"+r.path("in", "src"), "--yara", file)
			if !res.has("yara/good", "victim", "") {
				t.Errorf("the good rule finds nothing: exit code %d, %.1000v", res.code, res.report.Notes)
			}
		})
	}
}

func manyStrings(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "$a%d = \"text number %d\" ", i, i)
	}
	return b.String()
}

// TestCatastrophicTOML: the same of gitleaks' kind.
func TestCatastrophicTOML(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]string{
		"plus in plus":   `regex = '''(a+)+b'''`,
		"everything":     `regex = '''(?s).*'''`,
		"nothing":        `regex = '''a*'''`,
		"dots":           `regex = '''a.*a.*a.*b'''`,
		"words":          `regex = '''\b\w+\b\d'''`,
		"counts":         `regex = '''[a-z]{900}[0-9]'''`,
		"keyword":        "regex = '''[a-z]{3,900}=[0-9]+'''\nkeywords = [\"a\"]",
		"keyword alone":  "regex = '''a'''\nkeywords = [\"a\"]",
		"allowed":        "regex = '''aaa'''\n[[rules.allowlists]]\nregexTarget = \"line\"\nregexes = ['''(a+)+b''', '''a.*a.*a.*b''']",
		"10 MB of words": "regex = '''harmless-never'''\nkeywords = [" + strings.Repeat(`"abcdefgh",`, 400_000) + "]",
		"wide":           `regex = '''[\x{0}-\x{10ffff}]{500}b'''`,
		"extends itself": "regex = '''harmless-never'''\n[extend]\npath = \"rules.toml\"",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			file := r.put("rules.toml", []byte(goodTOML+"[[rules]]\nid = \"bad\"\n"+rule+"\n"))
			r.flood("src/victim", "a", 8<<20)
			res := r.only("secret", "dir:"+r.path("in", "src"), "--secret-rules", file)
			if !res.has("secret/good", "victim", "") {
				t.Errorf("the good rule finds nothing: exit code %d, %.1000v", res.code, res.report.Notes)
			}
		})
	}
}

// TestTenThousandRules: of each kind, all taken, on a file where the last one finds something.
func TestTenThousandRules(t *testing.T) {
	t.Parallel()
	const n = 10_000
	word := func(i int) string { return fmt.Sprintf("%c%cword%06d", 'a'+i%26, 'a'+i/26%26, i*7919%1_000_000) }
	t.Run("yara", func(t *testing.T) {
		r := newRoom(t)
		file := r.spill("rules.yar", func(w io.Writer) {
			for i := range n {
				_, err := fmt.Fprintf(w, "rule r%d { meta: author = \"nobody\" strings: $a = \"%s\" $b = { %x ?? 41 [2-4] 42 } $c = /%s[a-z]{3,9}x/ condition: any of them }\n", i, word(i), word(i), word(i))
				check(t, err)
			}
		})
		rules, list, res := r.validated(file)
		if rules != n || len(list) > 0 || res.code != 0 {
			t.Errorf("%d rules taken: %.500s", rules, fmt.Sprint(list))
		}
		r.spill("src/victim", func(w io.Writer) {
			fillWith(t, w, "The quick brown fox jumps over the lazy dog, word by word. ", 20<<20)
			_, err := io.WriteString(w, word(n-1))
			check(t, err)
		})
		scan := r.only("malware", "dir:"+r.path("in", "src"), "--yara", file)
		if scan.code != 0 || !scan.has(fmt.Sprint("yara/r", n-1), "victim", "") {
			t.Errorf("exit code %d, %d findings, %.500v", scan.code, len(scan.report.Findings), scan.report.Notes)
		}
	})
	t.Run("gitleaks", func(t *testing.T) {
		r := newRoom(t)
		r.most = maxRSS // each is looked for in a dozen forms
		rule := func(w io.Writer, i int) {
			_, err := fmt.Fprintf(w, "[[rules]]\nid = \"r%d\"\nregex = '''(?i)%s[=:]\\s*([a-z0-9]{20})'''\nkeywords = [\"%s\"]\n", i, word(i), word(i))
			check(t, err)
		}
		file := r.spill("rules.toml", func(w io.Writer) {
			for i := range n {
				rule(w, i)
			}
		})
		rules, list, res := r.validated(file)
		if rules != n || len(list) > 0 || res.code != 0 {
			t.Errorf("%d rules taken: %.500s", rules, fmt.Sprint(list))
		}
		r.spill("src/victim", func(w io.Writer) {
			fillWith(t, w, "The quick brown fox jumps over the lazy dog, word by word. ", 20<<20)
			_, err := io.WriteString(w, word(n-1)+"=q8w7e6r5t4y3u2i1o0p9\n")
			check(t, err)
		})
		scan := r.only("secret", "dir:"+r.path("in", "src"), "--secret-rules", file)
		if scan.code != 0 || !scan.has(fmt.Sprint("secret/r", n-1), "victim", "") {
			t.Errorf("exit code %d, %d findings, %.500v", scan.code, len(scan.report.Findings), scan.report.Notes)
		}
		more := r.spill("more.toml", func(w io.Writer) {
			for i := range n + 1 {
				rule(w, i)
			}
		})
		if res := r.inside("dir:"+r.path("in", "src"), "--secret-rules", more); res.code != 2 || !strings.Contains(res.stderr, "limit exceeded") {
			t.Errorf("one rule more: exit code %d: %s", res.code, res.stderr)
		}
	})
}

// TestThousandWrongRules: all that are wrong are listed by validate; a scan tells some and counts the rest.
func TestThousandWrongRules(t *testing.T) {
	t.Parallel()
	const n = 3000
	for _, tt := range []struct{ flag, name, good, bad string }{
		{"--yara", "rules.yar", goodYARA, "rule r%d { strings: $a = /a(b/ condition: $a }\n"},
		{"--secret-rules", "rules.toml", goodTOML, "[[rules]]\nid = \"r%d\"\nregex = '''a(b'''\n"},
	} {
		r := newRoom(t)
		var b strings.Builder
		b.WriteString(tt.good)
		for i := range n {
			fmt.Fprintf(&b, tt.bad, i)
		}
		file := r.put(tt.name, []byte(b.String()))
		rules, list, res := r.validated(file)
		if rules != 1 || res.code != 1 || len(list) != n {
			t.Errorf("%s: %d rules, %d problems, exit code %d", tt.name, rules, len(list), res.code)
		}
		r.put("src/victim", []byte(victim))
		scan := r.inside("dir:"+r.path("in", "src"), tt.flag, file)
		if scan.code != 4 || len(scan.report.Notes) > 60 || !scan.noted(fmt.Sprint(n-50, " more")) {
			t.Errorf("%s: exit code %d, %d notes", tt.name, scan.code, len(scan.report.Notes))
		}
	}
}
