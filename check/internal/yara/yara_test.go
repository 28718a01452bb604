package yara

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// compileOne compiles a source that has no problems.
func compileOne(t testing.TB, text string) *Rules {
	t.Helper()
	rules, problems := Compile([]Source{{Name: "t", Text: text}})
	if len(problems) > 0 {
		t.Fatalf("%s: %v", text, problems)
	}
	return rules
}

func TestNewer(t *testing.T) {
	text, err := os.ReadFile("testdata/newer.yar")
	if err != nil {
		t.Fatal(err)
	}
	rules := compileOne(t, string(text)+`
import "string"
import "console"
rule of_at { strings: $a = "lor" $b = "lorem" condition: all of them at 0 }
rule to_int { condition: string.to_int("0x10") == 16 and string.length("abc") == 3 and console.log("x") }
rule for_strings { condition: for any s in ("a", "lorem.txt") : ( s == filename ) }
`)
	got, _ := ours(rules, "lorem.txt", []byte("lorem ipsum lose l0rem"), 100)
	names := make([]string, 0, len(got))
	for n := range got {
		names = append(names, n)
	}
	slices.Sort(names)
	// for_in_none does not hold: the file begins with the byte that it must not have.
	want := []string{"for_of_none", "for_of_percent", "for_strings", "hex_not", "of_at", "text_unused_underscore", "to_int"}
	if diff := gocmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"rule a { condition: }", `t:1:21: rule a: syntax error: unexpected "}", an expression was expected`},
		{"rule a {\n  strings:\n    $a = { 4 }\n condition: $a }", "t:3:12: rule a: hex string: half a byte"},
		{"rule a { strings: $a = { [2] 41 } condition: $a }", "begins or ends with a jump"},
		{"rule a { strings: $a = { 41 [5-2] 42 } condition: $a }", "t:1:29: rule a: hex string: jump from 5 to 2"},
		{"rule a { strings: $a = { 41 ( 42 | [-] 43 ) } condition: $a }", "inside of alternatives"},
		{"rule a { strings: $a = /a(b/ condition: $a }", "t:1:26: rule a: regular expression: ( without )"},
		{"rule a { strings: $a = /a[b/ condition: $a }", "[ without ]"},
		{"rule a { strings: $a = /*a/ condition: $a }", "comment without an end"},
		{"rule a { strings: $a = /a{9,2}/ condition: $a }", "illegal repetition"},
		{`rule a { strings: $a = /(a)\1/ condition: $a }`, "references back"},
		{"rule a { strings: $a = /(?i)a/ condition: $a }", "(?"},
		{`rule a { strings: $a = "x condition: $a }`, "t:1:24: rule a: string without an end"},
		{`rule a { strings: $a = "\q" condition: $a }`, "illegal escape"},
		{`rule a { strings: $a = "" condition: $a }`, "empty string"},
		{`rule a { strings: $a = "abc" xor nocase condition: $a }`, "invalid modifier combination"},
		{`rule a { strings: $a = "abc" wide wide condition: $a }`, "duplicated modifier"},
		{`rule a { strings: $a = { 41 } nocase condition: $a }`, "hex string"},
		{`rule a { strings: $a = "a" $a = "b" condition: $a }`, "duplicated string"},
		{`rule a { strings: $a = "abc" $b = "x" condition: $a }`, "t:1:30: rule a: string $b is not used"},
		{"rule a { condition: $a }", "undefined string"},
		{"rule a { condition: them }", "syntax error"},
		{"rule a { condition: any of them }", "no strings"},
		{"rule a { condition: b }", `t:1:21: rule a: "b" is not defined`},
		{"rule a { condition: elf.type == 1 }", "module elf is not imported"},
		{"import \"pe\"\nrule a { condition: pe.number_of_sections > 1 }", "t:2:21: rule a: module pe is for Windows"},
		{"import \"nonesuch\"\nrule a { condition: nonesuch.x }", "is not known"},
		{"import \"elf\"\nrule a { condition: elf.colour == 1 }", "no field"},
		{"import \"elf\"\nrule a { condition: elf.telfhash() == \"\" }", "not supported"},
		{"import \"math\"\nrule a { condition: math.entropy(1) > 1 }", "wrong arguments"},
		{`rule a { condition: "a" == 1 }`, "do not compare"},
		{`rule a { condition: "a" + 1 == 2 }`, "does not fit"},
		{`rule a { condition: 1 \ 0 == 2 }`, "division by zero"},
		{"rule a { condition: true } rule a { condition: false }", "already"},
		{"rule a { condition: nothing } rule b { condition: a }", "rule b: it refers to rule a: it was refused"},
		{"rule a { condition: for any i in (1..2) : ( for any i in (1..2) : ( true ) ) }", "duplicated loop variable"},
		{"rule a { condition: " + strings.Repeat("(", 5000) + "true", "nested too deep"},
		{"rule a { condition: " + strings.Repeat("not ", 5000) + "true }", "nested too deep"},
		{"rule a { strings: $a = /" + strings.Repeat("(", 500) + "a/ condition: $a }", "nested too deep"},
		{"include \"x\"", "no files to include"},
		{"rule all { condition: true }", "a name was expected"},
		{"@#!", "syntax error"},
		{"rule a { meta: x = 1.5 condition: true }", "syntax error"},
		{"rule a { condition: 0x1G == 1 }", "no number"},
		{"rule a { condition: 99999999999999999999 == 1 }", "no number that fits"},
	} {
		_, problems := Compile([]Source{{Name: "t", Text: tt.text}})
		var all strings.Builder
		for _, p := range problems {
			fmt.Fprintln(&all, p)
		}
		if !strings.Contains(all.String(), tt.want) {
			t.Errorf("%.80q: problems %.300q, want %q", tt.text, all.String(), tt.want)
		}
	}
}

// TestHostileSources compiles what would cost a naive parser its stack or its time, and
// scans with what is left.
func TestHostileSources(t *testing.T) {
	r := strings.Repeat
	for _, text := range []string{
		r("rule a { condition: and }\n", 100_000), r("\"\n", 100_000), r("/*", 100_000), r("rule a { ", 100_000),
		"rule a { condition: " + r("1+", 1_000_000) + "1 }", "rule a { condition: " + r("1+", 19_000) + "filesize }",
		"rule a { condition: " + r("true and ", 19_000) + "true }", "rule a { condition: " + r("-", 100_000) + "1 }",
		"rule a { condition: a" + r("[1]", 100_000) + " }", "rule a { condition: a" + r(".b", 100_000) + " }",
		"import \"math\" rule a { condition: math" + r(".b(1", 10_000) + " }",
		"rule a { strings: $a = /" + r("(a|b|c)", 1000) + "/ condition: $a }", "rule a { strings: $a = /" + r("(a+|b+|c)", 100) + "/ condition: $a }",
		"rule a { strings: $a = /" + r("(a|b", 40) + r("){1,99}", 40) + "/ condition: $a }",
		"rule a { strings: $a = /" + r("[ab]?", 1000) + "/ condition: $a }", "rule a { strings: $a = /" + r("a|", 8000) + "a/ condition: $a }",
		"rule a { strings: $a = { 61 " + r("[-] 61 ", 4900) + "} condition: $a }", "rule a { strings: $a = { " + r("(61|62) ", 2000) + "} condition: $a }",
	} {
		rules, problems := Compile([]Source{{Name: "t", Text: text}})
		if rules.Len() == 0 && len(problems) == 0 {
			t.Errorf("%.60q: neither rule nor problem", text)
		}
		ours(rules, "x", bytes.Repeat([]byte("abcABC"), 300), 1000)
	}
}

func TestRestOfFileLoads(t *testing.T) {
	rules, problems := Compile([]Source{{Name: "t", Text: `
rule one { condition: true }
rule broken {
  strings:
    $a = "no end
  condition: $a
}
private rule two { condition: true }
rule missing_brace { condition: true
rule three { condition: two }
rule stray { condition: true } }
global rule four { condition: filesize > 0 }
rule five : tag { strings: $a = /(/ condition: $a }
rule six { condition: one }`}})
	var names []string
	for _, r := range rules.All() {
		names = append(names, r.Name)
	}
	if diff := gocmp.Diff([]string{"one", "two", "three", "stray", "four", "six"}, names); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if len(problems) != 4 {
		t.Errorf("problems: %v", problems)
	}
}

func TestGlobalRules(t *testing.T) {
	rules, _ := Compile([]Source{
		{Name: "a", Text: "global private rule small { condition: filesize < 5 }\nrule a { condition: true }"},
		{Name: "b", Text: "rule b { condition: true }"},
	})
	for text, want := range map[string]int{"abc": 2, "abcdef": 1} {
		if got, _ := ours(rules, "x", []byte(text), 100); len(got) != want {
			t.Errorf("%s: %v, want %d rules: a global rule holds for its own source", text, got, want)
		}
	}
}

// TestBeyondWholeFile scans 70 MB: strings are found to the end, functions of the whole
// file are not defined and that is said, and the buffer stays small.
func TestBeyondWholeFile(t *testing.T) {
	rules := compileOne(t, `import "math"
rule head { condition: uint32be(4) == 0x01020304 and filesize == 73400333 }
rule strings_only { strings: $a = "needle" $far = { 6e 65 65 64 [1000-] 6c 65 21 } condition: #a == 2 and $far }
rule whole { condition: math.entropy(0, filesize) > 0 }`)
	s := rules.NewScanner()
	s.Reset(File{Path: "big", Size: 70<<20 + 13})
	piece := make([]byte, 1<<20)
	copy(piece, "\x00\x00\x00\x00\x01\x02\x03\x04")
	copy(piece[1000:], "needle")
	for range 70 {
		s.Write(piece)
		clear(piece)
	}
	s.Write([]byte("......needle!"))
	if n := cap(s.data.Bytes); n > 8<<20 {
		t.Errorf("the buffer has %d bytes", n)
	}
	found, notes := s.Finish()
	if len(found) != 2 || found[0].Rule.Name != "head" || found[1].Rule.Name != "strings_only" {
		t.Errorf("found %+v", found)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "64 MB") {
		t.Errorf("notes: %q", notes)
	}
}

// TestLiar grows beyond what it says and beyond what is kept.
func TestLiar(t *testing.T) {
	rules := compileOne(t, `import "hash" rule r { strings: $a = "needle" condition: $a and filesize > 60MB } rule h { condition: hash.md5(0, filesize) == "" }`)
	s := rules.NewScanner()
	s.Reset(File{Size: 10})
	piece := make([]byte, 1<<20)
	for range 66 {
		s.Write(piece)
	}
	s.Write([]byte("needle"))
	if found, _ := s.Finish(); len(found) != 1 {
		t.Errorf("found %v", found)
	}
}

// TestCatastrophic runs what makes backtracking engines hang, within the work allowed.
func TestCatastrophic(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: much data, which the race detector takes minutes for; the other pass of make test runs it")
	}
	for _, re := range []string{`(a+)+b`, `(a*)*b`, `(a|aa)+b`, `(.*)(.*)(.*)(.*)b`, `((a{0,100}){0,100}){0,100}b`, `(a?){1000}b`, `[a-z]+[a-z]+[a-z]+\d`, `(x+x+)+y`, `.*.*.*=.*`} {
		rules := compileOne(t, "rule r { strings: $a = /"+re+"/ condition: $a }")
		_, notes := ours(rules, "x", bytes.Repeat([]byte("a"), 30_000), 10_000)
		for _, n := range notes {
			if !strings.Contains(n, "take too long") {
				t.Errorf("%s: %s", re, n)
			}
		}
	}
}

func TestStepLimit(t *testing.T) {
	rules := compileOne(t, "rule r { condition: for all i in (1..100000) : ( for all j in (1..100000) : ( i * j > 0 ) ) } rule ok { condition: true }")
	got, notes := ours(rules, "x", []byte("x"), 10)
	if len(got) != 1 || len(notes) != 1 || !strings.Contains(notes[0], "steps") {
		t.Errorf("%v, notes %q", got, notes)
	}
}

func TestManyMatchesAreBounded(t *testing.T) {
	rules := compileOne(t, `rule r { strings: $a = "aa" condition: #a > 50000 }`)
	_, notes := ours(rules, "x", bytes.Repeat([]byte("a"), 3_000_000), 100_000)
	if len(notes) != 1 || !strings.Contains(notes[0], "more than") {
		t.Errorf("notes %q", notes)
	}
}

// TestIdle: a rule whose strings are not there is not evaluated, whatever its condition is,
// and that changes no result.
func TestIdle(t *testing.T) {
	for cond, idle := range map[string]bool{
		`$a`: true, `not $a`: false, `$a or filesize > 3`: false, `$a and filesize > 3`: true, `any of them`: true, `none of them`: false,
		`#a > 0`: true, `#a == 0`: false, `#a >= 0`: false, `0 < #a`: true, `#a < 5`: false, `@a > 5`: true, `not @a > 5`: true,
		`for any of them : ( # > 0 )`: true, `for all i in (1..#a) : ( true )`: false, `for any i in (1..#a) : ( @a[i] > 3 )`: true,
		`$a at 0`: true, `uint8(@a) == 3`: true, `defined @a`: true, `not defined @a`: false, `0 of them`: false, `(1 - 1) of them`: false,
		`all of them`: true, `$a or ($a and filesize > 1)`: true, `true`: false,
	} {
		text := `rule r { strings: $a = "lorem" condition: (` + cond + `) or #a > 1000 }`
		rules := compileOne(t, text)
		if got := rules.rules[0].idle; got != idle {
			t.Errorf("%s: idle %v, want %v", cond, got, idle)
		}
		forced := compileOne(t, text)
		forced.rules[0].idle, forced.always = false, forced.rules
		for _, data := range []string{"", "nothing here", "lorem", "a lorem and a lorem"} {
			if a, b := scanNames(rules, data), scanNames(forced, data); len(a) != len(b) {
				t.Errorf("%s on %q: %v when idle, %v else", cond, data, a, b)
			}
		}
	}
}

func scanNames(r *Rules, data string) []string {
	got, _ := ours(r, "x", []byte(data), 7)
	var names []string
	for n := range got {
		names = append(names, n)
	}
	return names
}

// TestGuards: what a condition asks of size and head saves work, and changes no result.
func TestGuards(t *testing.T) {
	for _, cond := range []string{
		"filesize < 10", "filesize <= 5", "10 > filesize", "filesize == 5", "uint8(0) == 0x6c", "0x6f6c == uint16(0)", "uint16be(0) == 0x6c6f and filesize < 7",
		"uint32(2) == 1", "uint32(100) == 1", "filesize > 3", "(filesize < 3 or true)", "not filesize < 8", "int8(0) == -1", "filesize < 10 and uint8(4) == 0x6d",
	} {
		guarded := compileOne(t, `rule r { strings: $a = "lorem" $b = /[^x]m/ condition: `+cond+` and any of them }`)
		plain := compileOne(t, `rule r { strings: $a = "lorem" $b = /[^x]m/ condition: (`+cond+` or false) and any of them }`)
		if !plain.rules[0].guard.idle() {
			t.Fatalf("%s: the plain rule is guarded", cond)
		}
		for _, data := range []string{"lorem", "lorem ipsum", "a lorem", "\xff lorem", "", "m"} {
			if a, b := scanNames(guarded, data), scanNames(plain, data); len(a) != len(b) {
				t.Errorf("%s on %q: %v guarded, %v plain", cond, data, a, b)
			}
		}
	}
}

func TestReuseForgets(t *testing.T) {
	rules := compileOne(t, `rule r { strings: $a = "lorem" $b = { 61 [300-] 62 } condition: any of them }`)
	s := rules.NewScanner()
	for i, data := range []string{"a lorem", "none", "a" + strings.Repeat(".", 400) + "b", "b", "lorem"} {
		s.Reset(File{Size: int64(len(data))})
		s.Write([]byte(data))
		if found, _ := s.Finish(); (len(found) == 1) != (i%2 == 0) {
			t.Errorf("file %d: %v", i, found)
		}
	}
}
