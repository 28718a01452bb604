package chart

import (
	"context"
	"os"
	"strings"
	"testing"
)

func render(t *testing.T, values string, templates map[string]string) *Result {
	t.Helper()
	files := []File{{Name: "Chart.yaml", Path: "Chart.yaml", Data: []byte("apiVersion: v2\nname: x\nversion: 0.1.0\n")}, {Name: "values.yaml", Data: []byte(values)}}
	for name, text := range templates {
		files = append(files, File{Name: "templates/" + name, Path: "templates/" + name, Data: []byte(text)})
	}
	c, err := Load(files, NewBudget())
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Render(context.Background(), Options{})
	if err != nil {
		t.Logf("the whole chart: %v", err)
		return &Result{Notes: []Note{{Text: err.Error(), Partial: true}}}
	}
	return res
}

// TestHostile: templates that would not end, or take all memory, are told of within bounds,
// and what else the chart has is rendered.
func TestHostile(t *testing.T) {
	for name, text := range map[string]string{
		"until":             `{{ range until 1000000000 }}x{{ end }}`,
		"until step":        `{{ range untilStep 0 1000000000 1 }}x{{ end }}`,
		"seq":               `{{ seq 1 1 1000000000 }}`,
		"loops in loops":    `{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}`,
		"much text":         `{{ range until 1000000 }}{{ repeat 1000 "xxxxxxxxxx" }}{{ end }}`,
		"repeat":            `{{ repeat 2000000000 "x" }}`,
		"indent":            `{{ indent 2000000000 "x" }}`,
		"nindent":           `{{ range until 1000 }}{{ "x" | nindent 2000000000 }}{{ end }}`,
		"include itself":    `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`,
		"include others":    `{{ define "a" }}{{ include "b" . }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ include "a" . }}{{ end }}{{ include "a" . }}`,
		"template itself":   `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`,
		"many calls":        `{{ define "a0" }}x{{ end }}` + doubling(40) + `{{ include "a40" . }}`,
		"tpl itself":        `{{ tpl .Values.t . }}`,
		"doubled text":      `{{ $x := "xxxxxxxxxx" }}{{ range until 100 }}{{ $x = print $x $x }}{{ end }}`,
		"doubled by printf": `{{ $x := "xxxxxxxxxx" }}{{ range until 100 }}{{ $x = printf "%s%s" $x $x }}{{ end }}`,
		"doubled by cat":    `{{ $x := "xxxxxxxxxx" }}{{ range until 100 }}{{ $x = cat $x $x }}{{ end }}`,
		"doubled by join":   `{{ $x := "xxxxxxxxxx" }}{{ range until 100 }}{{ $x = join $x (list $x $x $x) }}{{ end }}`,
		"replace":           `{{ $x := repeat 8000000 "a" }}{{ replace "a" $x $x }}`,
		"doubled list":      `{{ $x := list 1 }}{{ range until 100 }}{{ $x = list $x $x }}{{ end }}{{ toYaml $x }}`,
		"doubled dict":      `{{ $x := dict }}{{ range until 100 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ $x }}`,
		"doubled concat":    `{{ $x := list 1 2 3 }}{{ range until 100 }}{{ $x = concat $x $x }}{{ end }}`,
		"a map in itself":   `{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ $x }}`,
		"values in itself":  `{{ $_ := set .Values "x" .Values }}{{ .Values }}`,
		"by a list":         `{{ $x := dict }}{{ $_ := set $x "x" (list $x) }}{{ toYaml $x }}`,
		"by merge":          `{{ $x := dict }}{{ $_ := merge $x (dict "x" $x) }}{{ $x }}`,
		"by two":            `{{ $x := dict }}{{ $y := dict "x" $x }}{{ $_ := set $x "y" $y }}{{ $x }}`,
		"regex":             `{{ $x := repeat 1000000 "a" }}{{ $y := repeat 1000000 "b" }}{{ regexReplaceAll "a" $x $y }}`,
		"env":               `{{ env "PATH" }}`,
		"expandenv":         `{{ expandenv "$PATH" }}`,
		"wide":              `{{ range until 1000000 }}{{ $x := printf "%999999d" 1 }}{{ end }}`,
	} {
		t.Run(name, func(t *testing.T) {
			res := render(t, "t: '{{ tpl .Values.t . }}'\n", map[string]string{"bad.yaml": text, "good.yaml": "good: {{ .Release.Name }}\n"})
			if len(res.Notes) == 0 || !res.Notes[0].Partial {
				t.Fatalf("not told: %+v", res.Notes)
			}
			if strings.Contains(res.Notes[0].Text, secret) {
				t.Errorf("the note says %q", res.Notes[0].Text)
			}
			good := false
			for _, m := range res.Manifests {
				good = good || m.Text == "good: release-name\n"
			}
			if !good {
				t.Errorf("the other template was not rendered: %+v", res.Notes)
			}
		})
	}
}

// doubling defines templates each of which includes the one below twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.NewReplacer("NEXT", "a"+itoa(i+1), "THIS", "a"+itoa(i)).Replace(`{{ define "NEXT" }}{{ include "THIS" . }}{{ include "THIS" . }}{{ end }}`))
	}
	return b.String()
}

func itoa(i int) string { return strings.TrimSpace(toJSON(i)) }

// TestSealed: nothing of the machine is seen by templates.
func TestSealed(t *testing.T) {
	t.Setenv("CHART_TEST", "of the environment")
	res := render(t, "", map[string]string{"a.yaml": `{{ .Files.Get "/etc/hostname" }}{{ .Files.Get "../../../etc/hostname" }}{{ .Files.Get "Chart.yaml" }}{{ getHostByName "localhost" }}{{ lookup "v1" "Node" "" "" }}`})
	if got := res.Manifests[0].Text; got != "map[]" {
		t.Errorf("%q", got)
	}
	host, _ := os.Hostname()
	if strings.Contains(res.Manifests[0].Text, host) && host != "" {
		t.Error("the machine's name is there")
	}
}

// TestSame: what helm makes anew in every run is the same in each of ours.
func TestSame(t *testing.T) {
	text := map[string]string{"a.yaml": `{{ randAlphaNum 12 }} {{ uuidv4 }} {{ now | date "2006" }} {{ genPrivateKey "rsa" }} {{ (genCA "x" 1).Cert }} {{ htpasswd "a" "b" }} {{ bcrypt "a" }} {{ randInt 1 9 }} {{ shuffle "abc" }} {{ (genSignedCert "x" nil nil 1 (genCA "x" 1)).Key }} {{ randBytes 4 }} {{ encryptAES "k" "p" }}`}
	a, b := render(t, "", text), render(t, "", text)
	if len(a.Manifests) != 1 || a.Manifests[0].Text != b.Manifests[0].Text {
		t.Errorf("%+v\n%+v", a, b)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("a: 1\n", "{{ .Values.a }}{{ range until 3 }}x{{ end }}{{ include \"b\" . }}", "{{ define \"b\" }}{{ toYaml . | nindent 2 }}{{ end }}")
	f.Add("a: [1]\n", "{{ with .Values.a }}{{ . }}{{ end }}{{ tpl \"{{ .Values }}\" . }}", "{{ $x := dict \"a\" . }}{{ set $x \"b\" $x }}")
	f.Fuzz(func(t *testing.T, values, one, two string) {
		files := []File{{Name: "Chart.yaml", Data: []byte("apiVersion: v2\nname: x\nversion: 0.1.0\n")}, {Name: "values.yaml", Data: []byte(values)}, {Name: "templates/a.yaml", Data: []byte(one)}, {Name: "templates/_b.tpl", Data: []byte(two)}}
		c, err := Load(files, NewBudget())
		if err != nil {
			return
		}
		res, err := c.Render(context.Background(), Options{})
		if err != nil {
			return
		}
		for _, m := range res.Manifests {
			for i := range min(len(m.Text), 200) {
				m.At(i)
			}
		}
	})
}

// TestHostileCharts: charts that hold each other's values, or themselves many times.
func TestHostileCharts(t *testing.T) {
	chart := func(name string, deps string) []byte {
		return []byte("apiVersion: v2\nname: " + name + "\nversion: 0.1.0\n" + deps)
	}
	var many strings.Builder
	many.WriteString("dependencies:\n")
	for i := range 30 {
		many.WriteString("- {name: sub, version: 0.1.0, repository: '', alias: a" + itoa(i) + "}\n")
	}
	files := []File{{Name: "Chart.yaml", Data: chart("top", many.String())}}
	at := ""
	for range 10 {
		at += "charts/sub/"
		files = append(files, File{Name: at + "Chart.yaml", Data: chart("sub", many.String())})
	}
	imports := []File{
		{Name: "Chart.yaml", Data: chart("top", "dependencies:\n- {name: sub, version: 0.1.0, repository: '', import-values: [{child: x, parent: a}, {child: y, parent: a.b}, {child: y, parent: a.b.c}, {child: x, parent: sub.x.y}, {child: x, parent: sub}]}\n")},
		{Name: "charts/sub/Chart.yaml", Data: chart("sub", "")}, {Name: "charts/sub/values.yaml", Data: []byte("x: {k: 1, b: {}}\ny: {x: {z: 1}}\n")},
	}
	for name, files := range map[string][]File{"aliases": files, "imports": imports} {
		c, err := Load(files, NewBudget())
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Render(context.Background(), Options{})
		if name == "aliases" && err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
