package rules

import (
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// conformanceCase is a line of testdata/conformance.txt.
type conformanceCase struct {
	line      int
	event     *bulwark.Event
	name      string
	want      bool
	condition string
}

func conformanceCases(t *testing.T) (list []conformanceCase, text string) {
	t.Helper()
	data, err := os.ReadFile("testdata/conformance.txt")
	if err != nil {
		t.Fatal(err)
	}
	events := scenes()
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.SplitN(line, " ", 3)
		e := events[f[0]]
		if len(f) != 3 || e == nil || f[1] != "+" && f[1] != "-" {
			t.Fatalf("line %d: %q is no case", i+1, line)
		}
		list = append(list, conformanceCase{i + 1, e, f[0], f[1] == "+", f[2]})
	}
	return list, string(data)
}

// TestConformance has, in testdata/conformance.txt, at least one case of every field and operator: the event's name in
// scenes, + where the condition holds and - where it does not, and the condition.
func TestConformance(t *testing.T) {
	cases, text := conformanceCases(t)
	for _, c := range cases {
		if matches(t, c.condition, c.event) != c.want {
			t.Errorf("line %d: %s: %s: want %v", c.line, c.name, c.condition, c.want)
		}
	}
	everything(t, text)
}

var fieldWord = regexp.MustCompile(`[a-zA-Z0-9_.]+|[<>!=]+`)

// everything tells which fields and operators have no case.
func everything(t *testing.T, text string) {
	t.Helper()
	words := map[string]bool{}
	for _, w := range fieldWord.FindAllString(text, -1) {
		words[w] = true
		if f, _, ok := lookup(w); ok {
			words[f.Name] = true
		}
	}
	for _, f := range Fields("") {
		if !words[f.Name] {
			t.Errorf("field %s has no case", f.Name)
		}
		if f.Doc == "" || f.Type == "" {
			t.Errorf("field %s is not described", f.Name)
		}
	}
	for _, op := range strings.Fields("exists < <= > >= = == != bcontains bstartswith contains endswith glob icontains iglob startswith regex oneof anyof allof in intersects pmatch tolower toupper b64 basename len join concat getopt val") {
		if !words[op] {
			t.Errorf("operator %s has no case", op)
		}
	}
}

// TestConformanceNotices spoils one field after the other: of each, a case has to fail when the field gives another value,
// and when it is there though it should not be, or not though it should.
func TestConformanceNotices(t *testing.T) {
	cases, _ := conformanceCases(t)
	byField := map[string][]conformanceCase{}
	for _, c := range cases {
		for _, w := range fieldWord.FindAllString(c.condition, -1) {
			if f, _, ok := lookup(w); ok {
				byField[f.Name] = append(byField[f.Name], c)
			}
		}
	}
	for _, f := range allFields.list {
		whole := f.bind
		for kind, spoil := range map[string]func(getter) getter{"wrong": wrong, "missing": missingValue} {
			f.bind = func(arg string) (getter, error) {
				g, err := whole(arg)
				return spoil(g), err
			}
			fails := func(c conformanceCase) bool { return matches(t, c.condition, c.event) != c.want }
			if !slices.ContainsFunc(byField[f.Name], fails) {
				t.Errorf("no case notices that %s is %s", f.Name, kind)
			}
		}
		f.bind = whole
	}
}

// wrong gives other values, and one where there is none.
func wrong(g getter) getter {
	w := getter{}
	if g.text != nil {
		w.text = func(v *event) (string, bool) { s, _ := g.text(v); return s + "~", true }
	}
	if g.num != nil {
		w.num = func(v *event) (int64, bool) { n, _ := g.num(v); return n + 1, true }
	}
	if g.addr != nil {
		w.addr = func(v *event) (netip.Addr, bool) {
			if a, ok := g.addr(v); ok {
				return a.Next(), true
			}
			return netip.MustParseAddr("1.2.3.4"), true
		}
	}
	if g.list != nil {
		w.list = func(v *event) ([]string, bool) {
			list, _ := g.list(v)
			other := []string{"~"}
			for _, s := range list {
				other = append(other, s+"~")
			}
			return other, true
		}
	}
	if g.any != nil {
		w.any = wrongs(g.any)
	}
	return w
}

func wrongs(a *several) *several {
	w := &several{unequal: a.unequal}
	if a.text != nil {
		w.text = func(v *event, m func(string) bool) bool {
			return a.text(v, func(s string) bool { return m(s + "~") })
		}
	}
	if a.num != nil {
		w.num = func(v *event, m func(int64) bool) bool {
			return a.num(v, func(n int64) bool { return m(n + 1) })
		}
	}
	if a.addr != nil {
		w.addr = func(v *event, m func(netip.Addr) bool) bool {
			return a.addr(v, func(b netip.Addr) bool { return m(netip.AddrFrom4([4]byte{9, 9, 9, 9})) || b == m0 })
		}
	}
	return w
}

var m0 netip.Addr

// missingValue has no value where there is one, and one where there is none.
func missingValue(g getter) getter {
	w := getter{}
	if g.text != nil {
		w.text = func(v *event) (string, bool) { s, ok := g.text(v); return s, !ok }
	}
	if g.num != nil {
		w.num = func(v *event) (int64, bool) { n, ok := g.num(v); return n, !ok }
	}
	if g.addr != nil {
		w.addr = func(v *event) (netip.Addr, bool) { a, ok := g.addr(v); return a, !ok }
	}
	if g.list != nil {
		w.list = func(v *event) ([]string, bool) { l, ok := g.list(v); return l, !ok }
	}
	if g.any != nil {
		w.any = &several{unequal: g.any.unequal}
		if g.any.text != nil {
			w.any.text = func(*event, func(string) bool) bool { return false }
		}
		if g.any.num != nil {
			w.any.num = func(*event, func(int64) bool) bool { return false }
		}
		if g.any.addr != nil {
			w.any.addr = func(*event, func(netip.Addr) bool) bool { return false }
		}
	}
	return w
}
