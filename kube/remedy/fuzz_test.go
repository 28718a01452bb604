package remedy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/patch"
	"bulwark/kube"
)

// writer writes random objects in the ways in which people write YAML.
type writer struct {
	*rand.Rand
	b strings.Builder
}

func (w *writer) one(of ...string) string { return of[w.IntN(len(of))] }

func (w *writer) scalar() string {
	return w.one("x", "'it''s'", "\"a\\nb\"", "1", "true", "null", "~", "a b", "x # y", "100m", "- x", "\"{\"", "'a: b'", "http://x/y", "\"\"", "''")
}

func (w *writer) inBrackets(depth int) string {
	switch n := w.IntN(6); {
	case depth > 2 || n < 3:
		s := w.scalar()
		if strings.ContainsAny(s, "#-") || s == "http://x/y" {
			return "z"
		}
		return s
	case n < 5:
		var parts []string
		for i := range w.IntN(4) {
			parts = append(parts, w.one("k", "\"q\"", "'p'")[0:]+fmt.Sprint(i)[:0]+": "+w.inBrackets(depth+1))
			if i == 0 && w.IntN(2) == 0 {
				break
			}
		}
		return "{" + strings.Join(dedupe(parts), w.one(", ", ",\n                 ")) + "}"
	}
	var parts []string
	for range w.IntN(4) {
		parts = append(parts, w.inBrackets(depth+1))
	}
	return "[" + strings.Join(parts, ", ") + w.one("", " ") + "]"
}

// dedupe leaves parts out whose key there was.
func dedupe(parts []string) []string {
	var out []string
	seen := map[byte]bool{}
	for _, p := range parts {
		if c := strings.Trim(p, "'\"")[0]; !seen[c] {
			seen[c] = true
			out = append(out, p)
		}
	}
	return out
}

func (w *writer) value(indent, depth int) {
	switch n := w.IntN(10); {
	case depth > 4 || n < 3:
		s := w.scalar()
		if s == "- x" {
			s = "y"
		}
		fmt.Fprintf(&w.b, " %s%s\n", s, w.one("", "", " # note"))
	case n == 3:
		fmt.Fprintf(&w.b, " %s\n", w.inBrackets(0))
	case n == 4:
		fmt.Fprintf(&w.b, " %s\n%s  text\n%s   # text\n%s", w.one("|", ">-", "|+"), pad(indent), pad(indent), w.one("", "\n"))
	case n == 5:
		fmt.Fprintf(&w.b, "%s\n", w.one("", " # nothing"))
	case n == 6:
		fmt.Fprintf(&w.b, " a\n%s b\n", pad(indent+2))
	case n < 9:
		w.b.WriteString(w.one("\n", "\n", " # an object\n"))
		w.object(indent+w.IntN(3)+1, depth+1, true)
	default:
		w.b.WriteString("\n")
		w.list(indent+w.IntN(2)*2, depth+1)
	}
}

func (w *writer) object(indent, depth int, margin bool) {
	for i := range 1 + w.IntN(4) {
		if w.IntN(6) == 0 && margin {
			fmt.Fprintf(&w.b, "%s# comment\n", pad(indent))
		}
		if margin {
			w.b.WriteString(pad(indent))
		}
		margin = true
		fmt.Fprintf(&w.b, w.one("k%d:", "\"q%d\":", "'p%d' :"), i)
		w.value(indent, depth)
	}
}

func (w *writer) list(indent, depth int) {
	for range 1 + w.IntN(3) {
		fmt.Fprintf(&w.b, "%s-", pad(indent))
		if w.IntN(2) == 0 {
			w.b.WriteString(" ")
			w.object(indent+2, depth+1, false)
			continue
		}
		w.value(indent, depth+1)
	}
}

// edits are random changes at and around places that there are.
func (w *writer) edits(root *kube.Node) []kube.Edit {
	var paths [][]any
	var walk func(n *kube.Node, at []any)
	walk = func(n *kube.Node, at []any) {
		if len(at) > 1 {
			paths = append(paths, append([]any(nil), at...))
		}
		for name, v := range n.Fields() {
			walk(v, append(at, name))
		}
		for i, v := range n.Items() {
			walk(v, append(at, i))
		}
	}
	walk(root.Get("spec"), []any{"spec"})
	if len(paths) == 0 {
		return nil
	}
	values := []any{true, 7, "z", "a: b", nil, []any{"ALL"}, map[string]any{"m": map[string]any{"n": []any{1, map[string]any{"o": "p"}}}}, []any{}, map[string]any{}}
	var list []kube.Edit
	for range 1 + w.IntN(4) {
		path := paths[w.IntN(len(paths))]
		v := values[w.IntN(len(values))]
		switch w.IntN(5) {
		case 0:
			list = append(list, kube.Drop(path...))
		case 1:
			list = append(list, kube.Put(v, path...))
		case 2:
			list = append(list, kube.Edit{Path: path, Append: true, Value: v})
		default:
			list = append(list, kube.Put(v, append(path[:len(path):len(path)], w.one("new", "k1", "x y"))...))
		}
	}
	return list
}

func (w *writer) file() string {
	var docs []string
	for range 1 + w.IntN(2) {
		w.b.Reset()
		w.b.WriteString("apiVersion: v1\nkind: Pod\nspec:\n")
		w.object(2, 0, true)
		docs = append(docs, w.b.String())
	}
	text := strings.Join(docs, "---\n")
	if w.IntN(4) == 0 {
		text = strings.TrimRight(text, "\n")
	}
	if w.IntN(5) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}

// try makes random edits to a random file, and tells whether there was a patch.
func try(t *testing.T, seed uint64) (tried, patched bool) {
	w := &writer{Rand: rand.New(rand.NewPCG(seed, 1))}
	text := w.file()
	for _, d := range kube.ParseYAML([]byte(text)) {
		if d.Err != nil || len(d.Problems) > 0 {
			return false, false
		}
	}
	s := setOf(text)
	if len(s.Objects) == 0 {
		return false, false
	}
	k := w.IntN(len(s.Objects))
	o := s.Objects[k]
	edits := w.edits(o.Root)
	want, err := kube.Apply(o.Root, edits)
	if err != nil || want.Equal(o.Root) {
		return false, false
	}
	p, err := (&Maker{Set: s}).Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits})
	if err != nil {
		return true, false
	}
	files, left := patch.Join([]bulwark.Patch{*p})
	if len(left) > 0 {
		t.Fatalf("seed %d: %v\n%s", seed, left, p.Text)
	}
	got, err := files[0].Apply([]byte(text))
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, p.Text)
	}
	after := setOf(string(got))
	if len(after.Objects) != len(s.Objects) {
		t.Fatalf("seed %d: %d objects become %d", seed, len(s.Objects), len(after.Objects))
	}
	for i, n := range after.Objects {
		expect := s.Objects[i].Root
		if i == k {
			expect = want
		}
		if !n.Root.Equal(expect) {
			t.Fatalf("seed %d: object %d of\n%s\nbecomes\n%s\nwant %s", seed, i, text, got, expect.JSON())
		}
	}
	return true, true
}

// TestRandomEdits makes many, and holds the share that is not sure to a bound.
func TestRandomEdits(t *testing.T) {
	tried, patched := 0, 0
	for seed := range uint64(4000) {
		a, b := try(t, seed)
		if a {
			tried++
		}
		if b {
			patched++
		}
	}
	t.Logf("%d of %d changes have a patch", patched, tried)
	if tried < 1000 || patched*100 < tried*85 {
		t.Errorf("%d of %d changes have a patch", patched, tried)
	}
}

func FuzzRandomEdits(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { try(t, seed) })
}

// FuzzForeign edits whatever can be read.
func FuzzForeign(f *testing.F) {
	f.Add("apiVersion: v1\nkind: Pod\nspec:\n  a: [x, {y: z}]\n  b: |\n    t\n", uint64(1))
	f.Add("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"a\": [1]}}", uint64(2))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 1))}
		s := setOf(text)
		for _, o := range s.Objects {
			edits := w.edits(o.Root)
			p, err := (&Maker{Set: s}).Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits})
			if err != nil {
				continue
			}
			files, left := patch.Join([]bulwark.Patch{*p})
			if len(left) > 0 {
				t.Fatal(left, p.Text)
			}
			if _, err := files[0].Apply([]byte(text)); err != nil {
				t.Fatal(err, p.Text)
			}
		}
	})
}
