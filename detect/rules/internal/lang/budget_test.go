package lang

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestBudgets loads what is too large in every way: it has to end, say so, and take no more than it may.
func TestBudgets(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	twice := "- macro: m0\n  condition: a.b exists\n"
	lists := "- list: l0\n  items: [a, b]\n"
	chain := "- macro: m0\n  condition: a.b exists\n"
	circle := ""
	for i := 1; i < 60; i++ {
		twice += fmt.Sprintf("- macro: m%d\n  condition: m%d and m%d\n", i, i-1, i-1)
		lists += fmt.Sprintf("- list: l%d\n  items: [l%d, l%d]\n", i, i-1, i-1)
	}
	for i := 1; i < 10_000; i++ {
		chain += fmt.Sprintf("- macro: m%d\n  condition: m%d\n", i, i-1)
		circle += fmt.Sprintf("- macro: m%d\n  condition: m%d\n", i, i+1)
	}
	big := rule("R", strings.Repeat("a.b = 1 and ", 30_000)+"a.b = 1")
	for _, tt := range []struct {
		name, file string
		want       string
		megabytes  uint64
	}{
		{"a file of 100 MB", strings.Repeat("# a comment, so\n", 100<<20/16), "the file has 100 MB; at most 32 MB are read", 300},
		{"100,000 rules", many(100_000, rule("R#", "a.b = #")), "more than 50000 rules, macros and lists; from here nothing is read", 900},
		{"a list of a million", "- list: l\n  items:\n" + many(1_000_000, "    - a#\n") + rule("R", "a.b in (l)"), "an item of about 1000002 values; at most 262144 are read", 400},
		{"lists of two million", many(20, "- list: l#\n  items:\n"+many(100_000, "    - a\n")), "more than a million values in lists", 1200},
		{"a list of a million in brackets", "- list: l\n  items: [" + many(1_000_000, "a, ") + "]\n", "an item of about 1000003 values; at most 262144 are read", 100},
		{"lists that double", lists + rule("R", "a.b in (l59)"), "more than a million values in lists", 500},
		{"macros that double", twice + rule("R", "m59"), "more than 100000 comparisons, with what macros stand for", 50},
		{"a long chain of macros", chain + rule("R", "m9999"), "nested deeper than 2000, with what macros stand for", 300},
		{"a long chain of macros, last first", circle + rule("R", "m1"), "macros in macros deeper than 500", 300},
		{"deep parentheses", rule("R", strings.Repeat("(", 10_000)+"a.b exists"+strings.Repeat(")", 10_000)), "nested deeper than 500", 50},
		{"deep brackets", "- list: l\n  items: " + strings.Repeat("[", 100_000), "this is no YAML: exceeded max depth of 10000", 200},
		{"deep dashes", strings.Repeat("- ", 100_000), "this is no YAML: exceeded max depth of 10000", 200},
		{"a long condition", rule("R", strings.Repeat("a.b exists and ", 100_000)+"a.b exists"), "condition of rule \"R\" has 1500010 bytes; at most 1048576 are read", 100},
		{"large conditions", big + many(400, strings.ReplaceAll(rule("S#", "R0"), "R0", "m")) + "- macro: m\n  condition: " + strings.Repeat("a.b = 1 and ", 30_000) + "a.b = 1\n", "the conditions of all rules together are too large", 200},
		{"an anchor in itself", "- &a [*a]\n", "expected a rule, macro or list: keys with values", 10},
		{"aliases that double", "- list: l\n  items: &a [x]\n" + many(1, "- list: m\n  items: [*a, *a]\n"), "items of list \"m\" has to be a list of texts; this is a list or map", 10},
		{"many problems", many(5_000, "- rul: x\n"), "neither rule nor macro nor list: left out; is rule meant?", 100},
		{"an end in between", "- rule: R\n  condition: \"", "this is no YAML: found unexpected end of stream", 10},
		{"zeros", "- rule: \x00\n", "this is no YAML: control characters are not allowed", 10},
		{"no letters", "- rule: \xff\xfe\n", "this is no YAML: ", 10},
	} {
		if testing.Short() && len(tt.file) > 4<<20 {
			continue
		}
		data := []byte(tt.file)
		before := allocated()
		s := Load([]File{{"f", data}})
		took := (allocated() - before) >> 20
		if !slices.ContainsFunc(s.Problems, func(p Problem) bool { return strings.HasPrefix(p.Text, tt.want) }) {
			t.Errorf("%s: %.300v", tt.name, s.Problems)
		}
		if took > tt.megabytes || len(s.Problems) > maxProblems+1 {
			t.Errorf("%s: %d MB in all, at most %d; %d problems", tt.name, took, tt.megabytes, len(s.Problems))
		}
	}
}

// allocated is how many bytes were ever taken.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestThousands loads thousands of rules, which is no more than large.
func TestThousands(t *testing.T) {
	var b strings.Builder
	b.WriteString("- list: l\n  items: [a, b, c]\n- macro: m\n  condition: evt.type in (l) and proc.name != x\n")
	for i := range 5_000 {
		b.WriteString(rule(fmt.Sprintf("R%d", i), "m and fd.name startswith /etc and not proc.name in (l, d)"))
	}
	s := Load([]File{{"f", []byte(b.String())}})
	if len(s.Rules) != 5_000 || len(s.Problems) > 0 {
		t.Errorf("%d rules, %v", len(s.Rules), s.Problems)
	}
	if a, b := s.Rules[0].Condition.(*And).Terms[0].(*Macro), s.Rules[9].Condition.(*And).Terms[0].(*Macro); a.Expr != b.Expr {
		t.Error("what a macro stands for is not shared")
	}
}

func FuzzLoad(f *testing.F) {
	for _, tt := range loads {
		f.Add(tt.files[0], tt.files[len(tt.files)-1])
	}
	for _, tt := range exceptions {
		f.Add(tt.files[0], tt.files[len(tt.files)-1])
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		if len(one)+len(two) > 10_000 {
			return
		}
		s := Load([]File{{"one", []byte(one)}, {"two", []byte(two)}})
		for _, p := range s.Problems {
			if p.Pos.Line < 1 || p.Pos.Column < 1 || p.Text == "" {
				t.Fatalf("%+v", p)
			}
		}
		for _, r := range s.Rules {
			whole(t, r.Condition)
			once := Print(r.Condition, true, 1<<20)
			if again := parsed(once); strings.Contains(again, "1:") && parsed(again) != again {
				t.Fatalf("%q is read as %q", once, again)
			}
		}
	})
}

// whole checks what Load guarantees of conditions.
func whole(t *testing.T, e Expr) {
	switch e := e.(type) {
	case *And:
		for _, x := range e.Terms {
			whole(t, x)
		}
	case *Or:
		for _, x := range e.Terms {
			whole(t, x)
		}
	case *Not:
		whole(t, e.Term)
	case *Macro:
		whole(t, e.Expr)
	case *Check:
		list := e.Op.List() || e.Modifier != Plain
		if e.Op != Exists && e.Right == nil && !list && len(e.Values) != 1 {
			t.Fatalf("%d values", len(e.Values))
		}
	default:
		t.Fatalf("%T", e)
	}
}
