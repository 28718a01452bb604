package render

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
	"sync"
)

var (
	//go:embed page.html.tmpl
	page string
	//go:embed page.css
	style string
	//go:embed page.js
	script string
)

var parsed = sync.OnceValues(func() (*template.Template, error) { return template.New("page").Parse(page) })

// policy lets the page use its own style and script, by their digests, and nothing else.
func policy() string {
	return "default-src 'none'; style-src '" + digest(style) + "'; script-src '" + digest(script) + "'; base-uri 'none'; form-action 'none'"
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// view is what the page is made of.
type view struct {
	Policy, Title string
	Style         template.CSS
	Script        template.JS
	Notes         []string
	Workloads     int
	Spaces        int
	Count         int
	Rows          [][3]string
	Left          int // rows that are not listed
	Data          data
}

// data is what the script draws. Numbers are positions in the lists.
type data struct {
	Spaces    []string `json:"spaces"`
	Workloads []what   `json:"workloads"`
	Outside   []what   `json:"outside"`
	Groups    []string `json:"groups"`
	Conns     []string `json:"conns"`
	Edges     [][3]int `json:"edges"` // from group, to group, ports
}

// what is a workload or something outside, and the groups of alike ones that it is in.
type what struct {
	Name   string `json:"name"`
	Space  int    `json:"space"`
	Groups []int  `json:"groups"`
}

// mostRows is how many connections the page lists; the map has all.
const mostRows = 5000

// HTML writes one page that needs nothing else: a map that folds by namespace, and a list
// that can be read without JavaScript. The map is best drawn folded: the page shows every
// workload all the same. Notes say what the answer lacks.
func (m *Map) HTML(w io.Writer, title string, notes []string) error {
	t, err := parsed()
	if err != nil {
		return err
	}
	v := view{Policy: policy(), Title: Harmless(title), Style: template.CSS(style), Script: template.JS(script), Count: m.Count, Data: m.data()}
	v.Workloads, v.Spaces = len(v.Data.Workloads), len(v.Data.Spaces)
	for _, n := range notes {
		v.Notes = append(v.Notes, Harmless(n))
	}
	for i, e := range m.Edges {
		if i == mostRows {
			v.Left = len(m.Edges) - i
			break
		}
		v.Rows = append(v.Rows, [3]string{Harmless(m.Nodes[e.From].Name), Harmless(m.Nodes[e.To].Name), e.Label()})
	}
	b := bufio.NewWriter(w)
	if err := t.Execute(b, v); err != nil {
		return err
	}
	return b.Flush()
}

// data gives each workload of the map's nodes once.
func (m *Map) data() data {
	d := data{Spaces: []string{}, Workloads: []what{}, Outside: []what{}, Groups: []string{}, Conns: []string{}, Edges: [][3]int{}}
	spaces, workloads, conns := map[string]int{}, map[string]int{}, map[string]int{}
	for g := range m.Nodes {
		n := &m.Nodes[g]
		d.Groups = append(d.Groups, Harmless(n.Name))
		if n.Outside() {
			d.Outside = append(d.Outside, what{Name: Harmless(n.Name), Space: -1, Groups: []int{g}})
			continue
		}
		for _, name := range n.Members {
			i, ok := workloads[name]
			if !ok {
				space, rest, _ := strings.Cut(name, "/")
				s, known := spaces[space]
				if !known {
					s = len(d.Spaces)
					spaces[space] = s
					d.Spaces = append(d.Spaces, Harmless(space))
				}
				i = len(d.Workloads)
				workloads[name] = i
				d.Workloads = append(d.Workloads, what{Name: Harmless(rest), Space: s})
			}
			d.Workloads[i].Groups = append(d.Workloads[i].Groups, g)
		}
	}
	for _, e := range m.Edges {
		c, ok := conns[e.Label()]
		if !ok {
			c = len(d.Conns)
			conns[e.Label()] = c
			d.Conns = append(d.Conns, e.Label())
		}
		d.Edges = append(d.Edges, [3]int{e.From, e.To, c})
	}
	return d
}
