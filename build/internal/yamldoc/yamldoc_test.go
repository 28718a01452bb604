package yamldoc

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bulwark"
)

func parse(t *testing.T, text string) *Doc {
	t.Helper()
	docs, err := Parse([]byte(text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	return docs[0]
}

func TestNodes(t *testing.T) {
	d := parse(t, "a: &a\n  x: 1\n  y: [p, 'q']\nb:\n  <<: *a\n  x: 2\nc: {<<: [*a, {z: yes}]}\nd: *a\ne: |\n  text\nf:\n")
	for _, tt := range []struct {
		keys string
		want string // text@line
	}{
		{"a.x", "1@2"}, {"b.x", "2@6"}, {"b.y", "@3"}, {"c.z", "yes@7"}, {"c.x", "1@2"}, {"d.x", "1@2"}, {"e", "text\n@9"}, {"f", "@11"}, {"g", "@0"}, {"a.x.y", "@0"},
	} {
		n := d.Root.Get(strings.Split(tt.keys, ".")...)
		if got := fmt.Sprintf("%s@%d", n.Text(), n.Line()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.keys, got, tt.want)
		}
	}
	y := d.Root.Get("b", "y")
	if !y.IsList() || !y.IsFlow() || len(y.Texts()) != 2 || y.Texts()[1].Column() != 10 || !d.Root.Get("d").Aliased() || !d.Root.Get("c", "z").True() || !d.Root.Get("f").IsNull() || !d.Root.Get("e").IsBlock() {
		t.Errorf("nodes are not told apart")
	}
	if quote, ok := y.Texts()[1].IsPlain(); quote != '\'' || !ok {
		t.Errorf("quote %q, %v", quote, ok)
	}
}

func TestSeveral(t *testing.T) {
	docs, err := Parse([]byte("a: 1\n---\n---\nb: 2\n--- \nc: [\n"))
	if len(docs) != 3 || !errors.Is(err, bulwark.ErrMalformed) { // the empty one is null
		t.Errorf("%d documents, %v", len(docs), err)
	}
	if docs, err := Parse([]byte("# nothing\n")); len(docs) != 0 || err != nil {
		t.Errorf("a comment alone: %d documents, %v", len(docs), err)
	}
}

// count looks at all there is.
func count(n Node, depth int) int {
	total := 1
	if depth == 0 {
		return total
	}
	for item := range n.Items() {
		total += count(item, depth-1)
	}
	for _, v := range n.Pairs() {
		total += count(v, depth-1)
	}
	return total
}

func TestBombs(t *testing.T) {
	var laughs, merges strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	merges.WriteString("a0: &a0 {x: 1}\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
		fmt.Fprintf(&merges, "a%d: &a%d\n  <<: [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	for name, text := range map[string]string{"laughs": laughs.String(), "merges": merges.String(), "circle": "a: &a\n  b: *a\n  c: *a\n", "circle of merges": "a: &a\n  <<: *a\n  b: {<<: [*a, *a, *a]}\n"} {
		docs, err := Parse([]byte(text))
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		if n := count(docs[0].Root, 60); n > maxLooks+100 {
			t.Errorf("%s: looked at %d nodes", name, n)
		}
		if name == "laughs" && !docs[0].Exhausted {
			t.Errorf("%s: the budget was not spent", name)
		}
	}
	for name, data := range map[string][]byte{"50 MB": make([]byte, 50<<20), "many values": []byte(strings.Repeat("[,", maxNodes)), "many documents": []byte(strings.Repeat("a\n---\n", 100))} {
		if _, err := Parse(data); !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte(strings.Repeat("[", 200_000))); err == nil {
		t.Error("depth has no end")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: &a {x: [1, *b], <<: *a}\n---\n- |\n  x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := Parse(data)
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
			t.Error(err)
		}
		for _, d := range docs {
			count(d.Root, 8)
		}
	})
}
