package yara

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	goregexp "regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// maker writes rules and files over a small alphabet, so that they meet often.
type maker struct{ *rand.Rand }

const alphabet = "abcAB _0\x00\xff\n"

func (m maker) char() byte          { return alphabet[m.IntN(len(alphabet))] }
func (m maker) one(s string) string { f := strings.Split(s, "~"); return f[m.IntN(len(f))] }

func (m maker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = m.char()
		if i > 0 && m.IntN(4) == 0 {
			b[i] = b[i-1]
		}
	}
	return b
}

// file is random bytes, parts of them wide or XORed.
func (m maker) file() []byte {
	var out []byte
	for range 12 {
		b := m.bytes(5 + m.IntN(120))
		switch m.IntN(5) {
		case 0:
			b = widen(b)
		case 1:
			for i, k := 0, byte(m.IntN(4)); i < len(b); i++ {
				b[i] ^= k
			}
		}
		out = append(out, b...)
	}
	return out
}

func (m maker) text() string {
	var b strings.Builder
	b.WriteByte('"')
	for range 1 + m.IntN(6) {
		switch c := m.char(); {
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + `"` + m.one("~ nocase~ wide~ wide ascii~ fullword~ fullword nocase~ wide fullword~ xor(1-3)~ wide nocase ascii~ private")
}

func (m maker) hex(depth int) string {
	var b strings.Builder
	for i := range 1 + m.IntN(6) {
		c := m.char()
		switch m.IntN(10) {
		case 0:
			b.WriteString("?? ")
		case 1:
			fmt.Fprintf(&b, "%X? ", c>>4)
		case 2:
			fmt.Fprintf(&b, "?%X ", c&15)
		case 3:
			if depth == 0 && i > 0 {
				b.WriteString(m.one("[1-3] ~[0-2] ~[2] ~[0-150] ~[3-260] ~[-] ~[250-] ~[201-400] "))
			} else if i > 0 {
				b.WriteString(m.one("[1-3] ~[0-2] ~[2] "))
			}
		case 4:
			if depth < 2 {
				fmt.Fprintf(&b, "( %s| %s) ", m.hex(depth+1), m.hex(depth+1))
			}
		}
		fmt.Fprintf(&b, "%02X ", m.char())
	}
	return b.String()
}

func (m maker) atom(depth int) string {
	switch m.IntN(9) {
	case 0:
		return "."
	case 1:
		return m.one(`\w~\d~\s~[ab]~[^a]~[a-c]~[^\x00]~[A-Z_]`)
	case 2:
		if depth < 2 {
			return "(" + m.regexp(depth+1) + "|" + m.regexp(depth+1) + ")"
		}
	case 3:
		if depth < 2 {
			return "(" + m.regexp(depth+1) + ")"
		}
	}
	if c := m.char(); c < ' ' || c > '~' {
		return fmt.Sprintf(`\x%02x`, c)
	} else {
		return string(rune(c))
	}
}

func (m maker) regexp(depth int) string {
	var b strings.Builder
	for i := range 1 + m.IntN(4) {
		b.WriteString(m.atom(depth))
		switch {
		case m.IntN(4) > 0:
		case i == 0: // libyara misses matches where what stands first may be left out
			b.WriteString(m.one("+~{2}~{1,3}~{2,}"))
		default:
			b.WriteString(m.one("*~+~?~{2}~{1,3}~{2,}~{0,4}"))
		}
	}
	return b.String()
}

func (m maker) str() string {
	switch m.IntN(3) {
	case 0:
		return m.text()
	case 1:
		return "{ " + m.hex(0) + "}"
	}
	// libyara misses wide forms where the narrow form fits up to a point: not both here.
	return "/" + m.one("~~~^~\\b") + m.regexp(0) + "/" + m.one("~~i~s") + m.one("~~~ wide~ fullword~ nocase")
}

func (m maker) condition() string {
	return m.one(`any of them~all of them~2 of them~#a > 3~#a + #b > 5 or $c~$a and not $b or #c > 1~for any of them : ( # > 2 )~@a < @b or #c > 0`) +
		m.one(`~~~ or #a + #b + #c > 100~ and filesize > 10`)
}

func (m maker) rules(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "rule g%d { strings: $a = %s $b = %s $c = %s condition: (%s) or #a + #b + #c >= 0 }\n", i, m.str(), m.str(), m.str(), m.condition())
	}
	return b.String()
}

func TestGeneratedAsLibyara(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: much data, which the race detector takes minutes for; the other pass of make test runs it")
	}
	const seeds = 6
	for seed := range uint64(seeds) {
		m := maker{rand.New(rand.NewPCG(seed, 1))}
		dir := t.TempDir()
		text := m.rules(100)
		file := filepath.Join(dir, "rules.yar")
		write(t, file, text)
		rules, problems := Compile([]Source{{Name: file, Text: text}})
		if len(problems) > 0 {
			t.Fatalf("seed %d: %v", seed, problems)
		}
		for i := range 4 {
			data := m.file()
			name := filepath.Join(dir, fmt.Sprint(i))
			write(t, name, string(data))
			want := oracle(t, file, name)
			for _, piece := range []int{1 << 20, 100} {
				got, notes := ours(rules, name, data, piece)
				for rule := range want {
					if diff := gocmp.Diff(want[rule], got[rule]); diff != "" {
						t.Errorf("seed %d file %d piece %d: %s (-yara +ours):\n%.600s", seed, i, piece, lineOf(text, rule), diff)
					}
				}
				if len(want) != len(got) || len(notes) > 0 {
					t.Errorf("seed %d: %d rules, yara has %d; notes: %v", seed, len(got), len(want), notes)
				}
			}
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func lineOf(text, rule string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "rule "+rule+" ") {
			return line
		}
	}
	return rule
}

// TestRegexpsAsGo compares offsets with Go's engine, byte for rune.
func TestRegexpsAsGo(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(11, 3))}
	for range 300 {
		body := m.regexp(0)
		data := m.file()[:200]
		flags := m.one("s~i~")
		rules := compileOne(t, "rule r { strings: $a = /"+body+"/"+flags+" condition: $a }")
		got, _ := ours(rules, "x", data, 50)
		if diff := gocmp.Diff(offsetsByGo(t, body, flags, data), got["r"]); diff != "" {
			t.Errorf("/%s/%s on %q (-Go +ours):\n%s", body, flags, data, diff)
		}
	}
}

func offsetsByGo(t *testing.T, body, flags string, data []byte) []string {
	if flags != "" {
		flags = "(?" + flags + ")"
	}
	re, err := goregexp.Compile(flags + "^(?:" + body + ")")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range data {
		var runes strings.Builder
		for _, c := range data[i:] {
			runes.WriteRune(rune(c))
		}
		if re.MatchString(runes.String()) {
			out = append(out, fmt.Sprintf("$a@%d", i))
		}
	}
	slices.Sort(out)
	return out
}
