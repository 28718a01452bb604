package render_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bulwark/kube"
	"bulwark/network"
	"bulwark/network/render"
	"bulwark/source/manifest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const cases = "../../../shared/data/netpol"

// folder is the engine of a folder of manifests.
func folder(t *testing.T, name string) *network.Engine {
	t.Helper()
	target, err := (&manifest.Source{}).Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return network.New(kube.Of(target))
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is drawn is what the engine lists, connection for connection; folded it is as many.
func TestDrawAgrees(t *testing.T) {
	folders, _ := filepath.Glob(cases + "/*/manifests")
	if len(folders) == 0 {
		t.Skip("the cases of ../shared are not there")
	}
	for _, name := range folders {
		e := folder(t, name)
		var want strings.Builder
		for _, c := range e.Connections() {
			want.WriteString(c.String() + "\n")
		}
		if diff := cmp.Diff(want.String(), written(t, func(w io.Writer) error { return render.Text(w, render.Lines(e, render.Options{})) })); diff != "" {
			t.Errorf("%s, by lines: %s", name, diff)
		}
		whole := render.Draw(e, render.Options{})
		if diff := cmp.Diff(want.String(), written(t, whole.Text)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if n := strings.Count(want.String(), "\n"); n != whole.Count {
			t.Errorf("%s: counted %d of %d", name, whole.Count, n)
		}
		folded := render.Draw(e, render.Options{Fold: true})
		if diff := cmp.Diff(want.String(), unfolded(e, folded)); diff != "" {
			t.Errorf("%s, folded and unfolded again: %s", name, diff)
		}
	}
}

// unfolded lists the connections that a folded map stands for.
func unfolded(e *network.Engine, m *render.Map) string {
	ports := map[[2]string]network.Ports{}
	names := func(n *render.Node, d network.Direction) []string {
		if n.Outside() {
			return blocks(e, d, n.Name)
		}
		return n.Members
	}
	for _, e := range m.Edges {
		p, _ := network.ParsePorts(e.Conn)
		for _, from := range names(&m.Nodes[e.From], network.Ingress) {
			for _, to := range names(&m.Nodes[e.To], network.Egress) {
				if from != to {
					ports[[2]string{from, to}] = ports[[2]string{from, to}].Union(p)
				}
			}
		}
	}
	whole := &render.Map{}
	at := map[string]int{}
	node := func(name string) int {
		if _, ok := at[name]; !ok {
			at[name] = len(whole.Nodes)
			whole.Nodes = append(whole.Nodes, render.Node{Name: name})
		}
		return at[name]
	}
	for key, p := range ports {
		whole.Edges = append(whole.Edges, render.Edge{From: node(key[0]), To: node(key[1]), Conn: p.String()})
	}
	whole.Sort()
	var b bytes.Buffer
	_ = whole.Text(&b)
	return b.String()
}

// blocks are the names of those that a range of addresses is made of; anything else is itself.
func blocks(e *network.Engine, d network.Direction, name string) []string {
	first, last, ok := strings.Cut(strings.TrimSuffix(name, "[External]"), "-")
	whole := network.Block{}
	var err [2]error
	whole.First, err[0] = netip.ParseAddr(first)
	if whole.Last, err[1] = netip.ParseAddr(last); !ok || err[0] != nil || err[1] != nil {
		return []string{name}
	}
	var list []string
	for _, b := range e.Blocks(d) {
		if whole.Contains(b.First) {
			list = append(list, b.String()+"[External]")
		}
	}
	return list
}

func TestGolden(t *testing.T) {
	e := folder(t, "testdata/shop.yaml")
	for file, o := range map[string]render.Options{"shop": {}, "folded": {Fold: true}, "focus": {Focus: []string{"shop/web[Deployment]"}}, "ipv6": {IPv6: true, Namespaces: []string{"db"}}} {
		m := render.Draw(e, o)
		formats := map[string]func(io.Writer) error{"txt": m.Text, "dot": m.DOT, "mmd": m.Mermaid}
		if !o.Fold {
			lines := render.Lines(e, o)
			formats["json"] = func(w io.Writer) error { return render.JSON(w, lines) }
			formats["csv"] = func(w io.Writer) error { return render.CSV(w, lines) }
			if drawn, listed := written(t, m.Text), written(t, func(w io.Writer) error { return render.Text(w, lines) }); drawn != listed {
				t.Errorf("%s: drawn and listed differ: %s", file, cmp.Diff(drawn, listed))
			}
		}
		for ext, write := range formats {
			name := filepath.Join("testdata", file+"."+ext)
			got := written(t, write)
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

// hostile names everything that could be taken for something else.
func hostile() *render.Map {
	evil := "=1+1\",a\nb;\r\x1b[31m\u202e|x| --> y\\\"];</script><script>window.pwned=1</script>#quot; click n0 \"javascript:1\""
	return &render.Map{Nodes: []render.Node{{Name: evil + "/a[Pod]", Namespace: evil, Members: []string{evil + "/a[Pod]"}}, {Name: "{" + evil + "}"}},
		Edges: []render.Edge{{0, 1, "TCP 80", []string{"only " + evil}}, {1, 0, "All Connections", nil}}, Count: 2}
}

func TestHostile(t *testing.T) {
	m := hostile()
	lines := func(yield func(render.Line) bool) {
		for _, e := range m.Edges {
			if !yield(render.Line{From: m.Nodes[e.From].Name, To: m.Nodes[e.To].Name, Conn: e.Conn, When: e.When}) {
				return
			}
		}
	}
	table := func(w io.Writer) error { return render.CSV(w, lines) }
	for name, write := range map[string]func(io.Writer) error{"text": m.Text, "lines": func(w io.Writer) error { return render.Text(w, lines) }, "csv": table, "dot": m.DOT, "mermaid": m.Mermaid, "html": func(w io.Writer) error { return m.HTML(w, m.Nodes[0].Name, []string{m.Nodes[0].Name}) }} {
		got := written(t, write)
		if strings.ContainsAny(got, "\x1b\r\u202e") {
			t.Errorf("%s lets control characters through", name)
		}
		if strings.Contains(got, "<script>window") && name == "html" || strings.Contains(got, "</script><") && name == "html" {
			t.Errorf("%s lets a script through", name)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(written(t, table))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("csv has %d rows, %v", len(rows), err)
	}
	if !strings.HasPrefix(rows[1][0], "'=") {
		t.Errorf("a formula: %s", rows[1][0])
	}
	// Outside its quoted strings, a line is what this package wrote.
	for line := range strings.Lines(written(t, m.DOT)) {
		if rest := outsideQuotes(line, true); strings.ContainsAny(rest, "|<+") || strings.Count(rest, "->") > 1 {
			t.Errorf("dot: %s", line)
		}
	}
	for line := range strings.Lines(written(t, m.Mermaid)) {
		if rest := outsideQuotes(line, false); strings.ContainsAny(rest, "<+#") || strings.Contains(rest, "click") {
			t.Errorf("mermaid: %s", line)
		}
	}
	var list []struct{ Src, Dst, Conn string }
	if err := json.Unmarshal([]byte(written(t, func(w io.Writer) error { return render.JSON(w, lines) })), &list); err != nil || len(list) != 2 || list[0].Src != m.Nodes[0].Name {
		t.Errorf("json: %v %v", list, err)
	}
}

// outsideQuotes is a line without its quoted strings.
func outsideQuotes(line string, escapes bool) string {
	var b strings.Builder
	in := false
	for i := 0; i < len(line); i++ {
		switch {
		case in && escapes && line[i] == '\\':
			i++
		case line[i] == '"':
			in = !in
		case !in:
			b.WriteByte(line[i])
		}
	}
	return b.String()
}
