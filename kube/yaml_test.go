package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// dump writes a node with all that is known of it.
func dump(n *Node, b *strings.Builder, depth int) {
	if n == nil {
		b.WriteString("nil\n")
		return
	}
	fmt.Fprintf(b, "%d %v %d:%d %q\n", n.form, n.plain, n.line, n.column, n.Text())
	if depth > 250 {
		return
	}
	for _, f := range n.fields() {
		fmt.Fprintf(b, "%*s%q %d: ", depth, "", f.Name, f.Line)
		dump(f.Value, b, depth+1)
	}
	for _, item := range n.items() {
		fmt.Fprintf(b, "%*s- ", depth, "")
		dump(item, b, depth+1)
	}
}

// agree holds the reader of plain YAML to that of all YAML. It gives whether it could read
// the text.
func agree(t *testing.T, text []byte) bool {
	t.Helper()
	root, problems, ok := plainYAML(text, 1)
	if !ok {
		return false
	}
	c := Chunk{Text: text, Line: 1, Size: int64(len(text))}
	d, _ := c.whole()
	var got, want strings.Builder
	dump(root, &got, 0)
	dump(d.Root, &want, 0)
	if d.Err != nil {
		t.Errorf("%q was read, and it is no YAML: %v", text, d.Err)
	} else if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Errorf("%.300q (-whole +plain):\n%.3000s", text, diff)
	} else if diff := cmp.Diff(d.Problems, problems); diff != "" {
		t.Errorf("%.300q: problems (-whole +plain):\n%s", text, diff)
	}
	return true
}

func TestPlain(t *testing.T) {
	for _, text := range []string{
		"a: 1\nb:\n  c: x\n  d: [1, b, \"c\"]\n", "---\na: b\n", "a:\n- b\n- c: d\n  e: f\n-\n- - x\n  - y\ng: h\n", "a: |\n  x\n   y\n\n  z\n\nb: c\n",
		"a: |-\n  x\n\nb: |+\n  y\n\n", "a: {}\nb: []\nc: {a: b, c: [d, {e: f}]}\n", "a: 'it''s'\nb: \"x\\ny\\\"\"\nc: \"\"\n", "# c\na: b # c\n# d\nc: d#e\n",
		"a: yes\nb: No\nc: ~\nd:\ne: null\nf: 010\ng: 1e3\nh: .5\ni: 2001-01-01\nj: 0x1F\nk: 1_000\nl: .inf\nm: +1\nn: -1\no: -x\np: 1:30\nq: y\nr: 0b1\ns: 0o7\nt: =\n",
		"a: x y  z\nb: http://x/y?z=1#a\nc: a:b\nd: $x\ne: (x)\n", "ключ: значение\nb: ü\nc: [d]\n", "\"q k\": 1\n'r': 2\n", "a:\n  b:\n    c:\n\n  d: e\n", "- a\n- b: c\n-   d: e\n    f: g\n", "a: b\na: c\n",
		"a: |\n  # no comment\n  x: y\n# comment\nb: c\n", "a:   \n  b: c   \n", "  a: b\n  c: d\n", "a: |\n  x\n   \n  y\n", "a:\n  - b\n  -\n    c: d\n", "a.b/c: d\n", "a: -\n", "a: \"x\" # y\n", "a:\n# c\n  b: c\n",
		"a: |1\n x\n", "a: b:\n", "a: b: c\n", "a:\n - b\n c: d\n", "a: b\n c: d\n", "a: b\n  c\n", "a: >\n  x\n", "a: &x b\n", "<<: {a: b}\n", "a: [b\n", "a: 'b\n  c'\n", "? a\n", "a: *b\n", "a: !!str b\n", "a: - b\n", "x\n", "a : b\n",
		"a: \t\n", "- a\nb: c\n", "a:\n  b: c\n d: e\n", "a: |\n x\n", "a: {b: c,}\n", "a: [b: c]\n", "a: [, b]\n", "a: {b}\n", "a: [b c, d]\n", "a: [a:b]\n", "a: [ - ]\n", "a: 'b'c\n", "a: \"b\"c: d\n", "a: @b\n", "a: `b\n", "a: %b\n", "a: #b\n", "a:#b\n", "a: b #\n", "#\n", "a: ''\n",
		"a: |  # c\n  x\n", "a: |-\n\n  x\n", "a: |\n\n\nb: c\n", "a: |\n   \n  x\n", "- |\n x\n- |\n  y\n", "- - - a\n", "- a: |\n    b\n  c: d\n", "a: b\n...\n", "a: b\n--- x\n", "%YAML 1.1\n---\na: b\n", "a: [1,2]\n", "a: {\"b\":1}\n", "a: \"\\u00e9\"\n", "a: \"\\x\"\n", "- # c\n  a: b\n", "-\n", "a:\n-\nb:\n",
	} {
		agree(t, []byte(text))
	}
}

// TestPlainRandom: texts put together of what YAML is made of, right and wrong.
func TestPlainRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	parts := []string{"a: ", "b:", "key: value", "- ", "-", "- c: d", "x: |", "y: |-", "z: |+", "[", "]", "{", "}", "[e, f]", "{g: h}", "'i'", "\"j\"", "# k", " # l", "m", "1", "true", "~", ": ", ",", "\"n\\n\"", "''", "- - o", "p: q: r", "é", "...", "<<: ", "&s ", "*s", "!t ", ">", "?", "\"u\": v", "'w': x", "-1", "- |", "[]", "{}", "null", "  ", " "}
	plain := 0
	for range 60_000 {
		var b strings.Builder
		for range 1 + r.IntN(7) {
			b.WriteString(strings.Repeat(" ", []int{0, 0, 0, 1, 2, 2, 2, 4, 4, 3, 6}[r.IntN(11)]))
			for range 1 + r.IntN(2)*r.IntN(3) {
				b.WriteString(parts[r.IntN(len(parts))])
			}
			b.WriteByte('\n')
		}
		if strings.HasPrefix(b.String(), "---") || strings.Contains(b.String(), "\n---") {
			continue
		}
		if agree(t, []byte(b.String())) {
			plain++
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d texts are plain", plain)
}

// TestPlainReal: of real manifests nearly all are plain, and are read as by the other reader.
func TestPlainReal(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "manifests")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("needs ../shared/data/manifests beside the repository")
	}
	plain, all := 0, 0
	filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".yaml") && !strings.HasSuffix(file, ".yml") {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for c := range Chunks(bytes.NewReader(data)) {
			if text, ok := withoutSchemas(c.Text); ok {
				c.Text = text
			}
			if blank(c.Text) {
				continue
			}
			all++
			if agree(t, c.Text) {
				plain++
			}
		}
		return nil
	})
	t.Logf("%d of %d documents are plain", plain, all)
	if plain*10 < all*8 {
		t.Errorf("%d of %d documents are plain", plain, all)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte("a: 1\nb:\n- c: |\n    x\n  d: [e, {f: 'g'}]\n# h\ni: \"j\"\n"))
	f.Add([]byte("---\nkind: Pod\nspec:\n  containers:\n    - name: a\n      args: [\"b\", c]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Contains(text, []byte("\n---")) || bytes.HasPrefix(text, []byte("---")) && bytes.Contains(text[3:], []byte("---")) {
			return // the reader of documents divides there
		}
		agree(t, text)
	})
}

func FuzzParseYAML(f *testing.F) {
	f.Add([]byte("apiVersion: v1\nkind: Pod\nmetadata: &a {name: x}\n---\nspec: *a\n"))
	f.Add([]byte(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"a"}]}}`))
	f.Add([]byte("a: &a [*a]\n<<: {b: c}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range ParseYAML(data) {
			if d.Err != nil {
				continue
			}
			if o, ok := NewObject(d.Root, Origin{File: "x"}); ok {
				o.templates()
				o.Place("spec", "containers", 0)
				As[corev1.Pod](o)
				o.Root.Misfits(reflect.TypeFor[appsv1.Deployment]())
			}
		}
	})
}

// FuzzParseJSON holds our reader of JSON to the library's.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{}}`, `[]`, `"a`, `{"a":1,}`, `01`, "{\"a\":\n1}", `{"a":1,"a":2}`, `nul`, `"\ud800"`, "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := ParseJSON(data)
		var want any
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		wantErr := json.Unmarshal(data, &want)
		if (err == nil) != (wantErr == nil) {
			if strings.Contains(fmt.Sprint(err), "nested deeper") || strings.Contains(fmt.Sprint(wantErr), "exceeded max depth") || strings.Contains(fmt.Sprint(wantErr), "cannot unmarshal number") {
				return
			}
			t.Fatalf("%q: ours %v, the library's %v", data, err, wantErr)
		}
		if err != nil {
			return
		}
		var got any
		if err := json.Unmarshal(n.JSON(), &got); err != nil {
			t.Fatalf("%q: written as %q: %v", data, n.JSON(), err)
		}
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%q: %v, want %v", data, got, want)
		}
	})
}

// TestDecodeAsLibraries: what real manifests decode to is what Kubernetes' own libraries
// make of them.
func TestDecodeAsLibraries(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "manifests")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("needs ../shared/data/manifests beside the repository")
	}
	kinds := map[string]reflect.Type{"Pod": reflect.TypeFor[corev1.Pod](), "Service": reflect.TypeFor[corev1.Service](), "ConfigMap": reflect.TypeFor[corev1.ConfigMap](), "Deployment": reflect.TypeFor[appsv1.Deployment](), "DaemonSet": reflect.TypeFor[appsv1.DaemonSet](), "Secret": reflect.TypeFor[corev1.Secret]()}
	same, off := 0, 0
	filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(file, ".yaml") {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for c := range Chunks(bytes.NewReader(data)) {
			d, ok := c.Parse()
			if !ok || d.Err != nil || kinds[d.Root.Get("kind").Text()] == nil {
				continue
			}
			kind := kinds[d.Root.Get("kind").Text()]
			got, want := reflect.New(kind), reflect.New(kind)
			problems := d.Root.Decode(got.Interface(), "")
			if err := yaml.Unmarshal(c.Text, want.Interface()); err != nil || len(problems) > 0 {
				off++
				continue
			}
			if diff := cmp.Diff(want.Interface(), got.Interface()); diff != "" {
				t.Errorf("%s:%d (-libraries +ours):\n%.2000s", file, d.Line, diff)
			}
			same++
		}
		return nil
	})
	t.Logf("%d objects are the same, %d do not fit their types", same, off)
	if same < 300 {
		t.Errorf("%d objects only", same)
	}
}

// TestDividedJSON: documents of JSON in a stream are read as such, with their lines.
func TestDividedJSON(t *testing.T) {
	docs := ParseYAML([]byte("{\"a\":1}\n---\r\n{\n\t\"b\": 2}\n---  \n{\"c\":3}\n--- # x\n{\"d\": 4}\n---\n{\"e\": 5\n---\n"))
	var got []string
	for _, d := range docs {
		for name := range d.Root.Fields() {
			got = append(got, fmt.Sprintf("%s in line %d", name, d.Root.LineOf(name)))
		}
		if d.Err != nil {
			got = append(got, fmt.Sprintf("broken from line %d", d.Line))
		}
	}
	if diff := cmp.Diff([]string{"a in line 1", "b in line 4", "c in line 6", "d in line 8", "broken from line 9"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
