package remedy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/internal/patch"
	"bulwark/kube"
)

// setOf reads the objects of a file as a source does.
func setOf(text string) *kube.Set {
	s := &kube.Set{Read: func(string) ([]byte, error) { return []byte(text), nil }}
	var take func(n *kube.Node)
	take = func(n *kube.Node) {
		if strings.HasSuffix(n.Get("kind").Text(), "List") {
			for _, item := range n.Get("items").Items() {
				take(item)
			}
			return
		}
		if o, ok := kube.NewObject(n, kube.Origin{File: "deploy/a b.yaml"}); ok {
			s.Objects = append(s.Objects, o)
		}
	}
	for _, d := range kube.ParseYAML([]byte(text)) {
		take(d.Root)
	}
	return s
}

// mend applies the patch for edits of the first object to the text.
func mend(t *testing.T, text string, edits ...kube.Edit) (string, error) {
	t.Helper()
	s := setOf(text)
	if len(s.Objects) == 0 {
		t.Fatalf("no object in\n%s", text)
	}
	o := s.Objects[0]
	p, err := (&Maker{Set: s}).Patch([]*kube.Object{o}, map[*kube.Object][]kube.Edit{o: edits})
	if err != nil {
		return "", err
	}
	files, left := patch.Join([]bulwark.Patch{*p})
	if len(left) > 0 {
		t.Fatalf("%v\n%s", left, p.Text)
	}
	got, err := files[0].Apply([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Text)
	}
	return string(got), nil
}

func TestPatch(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\n"
	list := func(v ...any) []any { return v }
	for name, tt := range map[string]struct {
		text, want string
		edits      []kube.Edit
	}{
		"a scalar keeps its comment": {"spec:\n  a: true # why\n  b: 1\n", "spec:\n  a: false # why\n  b: 1\n", []kube.Edit{kube.Put(false, "spec", "a")}},
		"a scalar keeps its quotes":  {"spec:\n  a: 'x' # why\n  b: \"y\"\n", "spec:\n  a: 'z' # why\n  b: \"z\"\n", []kube.Edit{kube.Put("z", "spec", "a"), kube.Put("z", "spec", "b")}},
		"parents are made": {"spec:\n    containers:\n        - name: a\n          image: b # c\n    x: 1\n",
			"spec:\n    containers:\n        - name: a\n          image: b # c\n          securityContext:\n              capabilities:\n                  drop:\n                      - ALL\n    x: 1\n",
			[]kube.Edit{kube.Put(list("ALL"), "spec", "containers", 0, "securityContext", "capabilities", "drop")}},
		"two fields in one new parent": {"spec:\n  containers:\n  - name: a\n", "spec:\n  containers:\n  - name: a\n    s:\n      x: true\n      \"y\": []\n",
			[]kube.Edit{kube.Put(true, "spec", "containers", 0, "s", "x"), kube.Put([]any{}, "spec", "containers", 0, "s", "y")}},
		"behind a block":                    {"spec:\n  a: |\n    x\n    # no comment\n\n  # comment\nz: 1\n", "spec:\n  a: |\n    x\n    # no comment\n  b: 2\n\n  # comment\nz: 1\n", []kube.Edit{kube.Put(2, "spec", "b")}},
		"an empty field":                    {"spec:\n  a:\n  b: 1\n", "spec:\n  a:\n    c: 1\n  b: 1\n", []kube.Edit{kube.Put(1, "spec", "a", "c")}},
		"an empty object":                   {"spec:\n  a: {} # why\n  b: 1\n", "spec:\n  a: # why\n    c: 1\n  b: 1\n", []kube.Edit{kube.Put(1, "spec", "a", "c")}},
		"in brackets":                       {"spec: {a: [x, y], b: {c: d}}\n", "spec: {a: [x, y, z], b: {c: e, f: {g: h}}}\n", []kube.Edit{{Path: []any{"spec", "a"}, Append: true, Value: "z"}, kube.Put("e", "spec", "b", "c"), kube.Put("h", "spec", "b", "f", "g")}},
		"out of brackets":                   {"spec: {a: [x, y, z], b: 1, c: 2}\n", "spec: {a: [y], c: 2}\n", []kube.Edit{kube.Drop("spec", "a", 0), kube.Drop("spec", "a", 2), kube.Drop("spec", "b")}},
		"a field goes":                      {"spec:\n  # about a\n  a:\n    b: c\n    d:\n    - e\n  f: 1\n", "spec:\n  # about a\n  f: 1\n", []kube.Edit{kube.Drop("spec", "a")}},
		"the only field goes":               {"spec:\n  a: # about a\n    b: c\n  f: 1\n", "spec:\n  a: {} # about a\n  f: 1\n", []kube.Edit{kube.Drop("spec", "a", "b")}},
		"the first key behind a dash goes":  {"spec:\n- a: 1\n  b: 2\n", "spec:\n- b: 2\n", []kube.Edit{kube.Drop("spec", 0, "a")}},
		"an element goes":                   {"spec:\n- a\n- b # b\n- c\n", "spec:\n- a\n- c\n", []kube.Edit{kube.Drop("spec", 1)}},
		"the only element goes":             {"spec:\n- a: b\n  c: d\nx: 1\n", "spec: []\nx: 1\n", []kube.Edit{kube.Drop("spec", 0)}},
		"an element comes":                  {"spec:\n  l:\n    - a: b\n      c: d # d\n", "spec:\n  l:\n    - a: b\n      c: d # d\n    - a: e\n      f:\n        - g\n", []kube.Edit{{Path: []any{"spec", "l"}, Append: true, Value: map[string]any{"a": "e", "f": list("g")}}}},
		"an element becomes another":        {"spec:\n- a: b\n  c: d\n- x\n", "spec:\n- e: f\n- x\n", []kube.Edit{kube.Put(map[string]any{"e": "f"}, "spec", 0), kube.Put("x", "spec", 1)}},
		"no newline at the end":             {"spec:\n  a: b", "spec:\n  a: b\n  c: d", []kube.Edit{kube.Put("d", "spec", "c")}},
		"CRLF":                              {"spec:\r\n  a: b\r\n", "spec:\r\n  a: b\r\n  c:\r\n    d: e\r\n", []kube.Edit{kube.Put("e", "spec", "c", "d")}},
		"an anchor that all share":          {"spec:\n  a: &x\n    b: 1\n  c: *x\n", "spec:\n  a: &x\n    b: 2\n  c: *x\n", []kube.Edit{kube.Put(2, "spec", "a", "b"), kube.Put(2, "spec", "c", "b")}},
		"beside a merge key":                {"x: &x {m: 1}\nspec:\n  a:\n    <<: *x\n    b: 1\n", "x: &x {m: 1}\nspec:\n  a:\n    <<: *x\n    b: 1\n    c: 2\n", []kube.Edit{kube.Put(2, "spec", "a", "c")}},
		"in the second document":            {"spec: 1\n---\n# other\napiVersion: v1\nkind: Pod\nspec: 1\n", "spec: 2\n---\n# other\napiVersion: v1\nkind: Pod\nspec: 1\n", []kube.Edit{kube.Put(2, "spec")}},
		"texts that look like other things": {"spec:\n  a: b\n", "spec:\n  a: \"true\"\n  b: \"0640\"\n  c: \"x: y\"\n  d: 100m\n  \"y\": a/b-c.d\n", []kube.Edit{kube.Put("true", "spec", "a"), kube.Put("0640", "spec", "b"), kube.Put("x: y", "spec", "c"), kube.Put("100m", "spec", "d"), kube.Put("a/b-c.d", "spec", "y")}},
		"a secret behind":                   {"spec:\n  m:\n    a: b\n    c: d\n  password: " + strings.Repeat("h7", 6) + "\n", "spec:\n  m:\n    a: b\n    k: 1\n    c: d\n  password: " + strings.Repeat("h7", 6) + "\n", []kube.Edit{kube.Put(1, "spec", "m", "k")}},
		"a text becomes an object":          {"spec:\n  a: b # c\n  d: e\n", "spec:\n  a: # c\n    x: 1\n  d: e\n", []kube.Edit{kube.Put(map[string]any{"x": 1}, "spec", "a")}},
		"an object becomes a text":          {"spec:\n  a: # c\n    x: 1\n    y: 2\n  d: e\n", "spec:\n  a: b # c\n  d: e\n", []kube.Edit{kube.Put("b", "spec", "a")}},
		"a key in quotes":                   {"spec:\n  \"a b\": 1\n", "spec:\n  \"a b\": 2\n", []kube.Edit{kube.Put(2, "spec", "a b")}},
	} {
		got, err := mend(t, head+tt.text, tt.edits...)
		if strings.Contains(tt.text, "\r") {
			got, err = mend(t, strings.ReplaceAll(head, "\n", "\r\n")+tt.text, tt.edits...)
			got = strings.Replace(got, strings.ReplaceAll(head, "\n", "\r\n"), head, 1)
		}
		if d := cmp.Diff(head+tt.want, got); d != "" || err != nil {
			t.Errorf("%s (-want +got):\n%s%v", name, d, err)
		}
	}
}

func TestPatchJSON(t *testing.T) {
	text := "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"é\": {\"é\": 1, \"b\": 2},\n\t\"spec\": {\n\t\t\"a\": [\n\t\t\t\"x\"\n\t\t]\n\t}\n}"
	got, err := mend(t, text, kube.Put("N", "spec", "b", "c"), kube.Put(2, "é", "é"), kube.Drop("é", "b"), kube.Edit{Path: []any{"spec", "a"}, Append: true, Value: "y"})
	want := "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"é\": {\"é\": 2},\n\t\"spec\": {\n\t\t\"a\": [\n\t\t\t\"x\",\n\t\t\t\"y\"\n\t\t],\n\t\t\"b\": {\n\t\t\t\"c\": \"N\"\n\t\t}\n\t}\n}"
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", d, err)
	}
}

func TestPatchInList(t *testing.T) {
	for _, text := range []string{
		"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec: 1\n- apiVersion: v1\n  kind: Pod\n  spec: 1\n",
		`{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "spec": 1}, {"apiVersion": "v1", "kind": "Pod", "spec": 1}]}`,
	} {
		got, err := mend(t, text, kube.Put(2, "spec"))
		var split string
		if i := strings.Index(text, "spec"); i > 0 {
			split = text[:i] + strings.Replace(text[i:], "1", "2", 1)
		}
		if got != split || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
}

// TestUnsure: where the change cannot be made as it is meant, there is no patch.
func TestUnsure(t *testing.T) {
	secret := strings.Repeat("h7", 6)
	for name, tt := range map[string]struct {
		text string
		edit kube.Edit
	}{
		"an anchor that others use":   {"spec:\n  a: &x\n    b: 1\n  c: *x\n", kube.Put(2, "spec", "a", "b")},
		"an alias":                    {"spec:\n  a: &x\n    b: 1\n  c: *x\n", kube.Put(2, "spec", "c", "b")},
		"what a merge key brings":     {"x: &x {m: 1}\nspec:\n  <<: *x\n", kube.Put(2, "spec", "m")},
		"tabs":                        {"spec:\n  a: \"x\n   \t  y\"\n  c: 1\n", kube.Put(2, "spec", "c")},
		"a secret's line":             {"spec:\n  token: " + secret + "\n", kube.Put("x", "spec", "token")},
		"a secret behind all":         {"spec:\n  a: 1\n  token: " + secret + "\n", kube.Put("x", "spec", "a")},
		"nothing":                     {"spec:\n  a: 1\n", kube.Put(1, "spec", "a")},
		"an anchor that is taken out": {"spec:\n  a: &x 1\n  b: *x\n", kube.Drop("spec", "a")},
		"through a text":              {"spec:\n  a: 1\n", kube.Put(1, "spec", "a", "b")},
	} {
		if got, err := mend(t, "apiVersion: v1\nkind: Pod\n"+tt.text, tt.edit); err == nil {
			t.Errorf("%s: there is a patch, which makes\n%s", name, got)
		}
	}
}
