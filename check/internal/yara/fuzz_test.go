package yara

import (
	"os"
	"strings"
	"testing"
)

func seeds(f *testing.F) []string {
	text, err := os.ReadFile("testdata/features.yar")
	if err != nil {
		f.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "rule ") {
			out = append(out, "import \"math\" import \"elf\" import \"hash\"\n"+line)
		}
	}
	return out
}

// FuzzCompile compiles arbitrary sources: no panic, and every problem has its place
// within the text.
func FuzzCompile(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			return
		}
		rules, problems := Compile([]Source{{Name: "t", Text: text}})
		lines := strings.Count(text, "\n") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Column > len(text)+1 || p.Reason == "" {
				t.Errorf("problem %+v in %d lines", p, lines)
			}
			if strings.ContainsAny(p.Reason, "\x1b\r\n\x00") {
				t.Errorf("control characters in %q", p.Reason)
			}
		}
		_ = rules
	})
}

// FuzzScan scans arbitrary bytes with arbitrary rules, whole and in pieces: no panic, the
// same result, and matches within the file.
func FuzzScan(f *testing.F) {
	data := samples()
	for i, s := range seeds(f) {
		f.Add(s, data[[]string{"lorem.txt", "mixed.bin", "one"}[i%3]])
	}
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		if len(text) > 2_000 || len(data) > 20_000 {
			return
		}
		rules, _ := Compile([]Source{{Name: "t", Text: text}})
		if rules.Len() == 0 {
			return
		}
		s := rules.NewScanner()
		s.Reset(File{Path: "x", Size: int64(len(data))})
		s.Write(data)
		found, notes := s.Finish()
		if len(notes) > 0 {
			return // a limit was met: what was found depends on the pieces
		}
		for _, r := range found {
			for _, x := range r.Strings {
				for _, m := range x.Matches {
					if m.Offset < 0 || m.Length < 0 || m.Offset+int64(m.Length) > int64(len(data)) {
						t.Errorf("%s %s at %d, %d bytes, in %d", r.Rule.Name, x.ID, m.Offset, m.Length, len(data))
					}
				}
			}
		}
		got, notes := ours(rules, "x", data, 1+len(data)/3)
		if len(got) > len(found) && len(notes) == 0 {
			t.Errorf("%d rules whole, %d in pieces", len(found), len(got))
		}
	})
}
