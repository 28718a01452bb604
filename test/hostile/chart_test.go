//go:build linux

package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"strings"
	"testing"
)

// chartYAML describes a chart; more are further lines.
func chartYAML(name, more string) string {
	return "apiVersion: v2\nname: " + name + "\nversion: 0.1.0\n" + more
}

// fine is a template that renders whatever another one does.
const fine = "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}-fine}\nspec: {hostNetwork: true, containers: [{name: c, image: i}]}\n"

// badChart is a chart in a folder: a template that asks for too much beside one that does not.
func badChart(template string) deploy {
	return deploy{note: "", rule: "workload/host-network", files: map[string]string{
		"bad/Chart.yaml": chartYAML("bad", ""), "bad/values.yaml": "t: '{{ tpl .Values.t . }}'\nmany: 2000000000\n",
		"bad/templates/bad.yaml": template, "bad/templates/fine.yaml": fine,
	}}
}

// told requires an incomplete note about a file that says some words.
func told(t *testing.T, res *result, file, words string) {
	t.Helper()
	for _, n := range res.report.Notes {
		if n.Incomplete && strings.Contains(n.Text, words) && strings.HasPrefix(n.Path, file) {
			return
		}
	}
	t.Errorf("no note about %s says %q: %.3000v", file, words, res.report.Notes)
}

// TestTemplates: templates that do not end or want all memory. The note names the template,
// the chart's other template is rendered, and so is all that lies beside the chart.
func TestTemplates(t *testing.T) {
	t.Parallel()
	const big, most = `repeat 8000000 "x"`, "limit exceeded"
	for name, template := range map[string]string{
		"loops in loops":       `{{ range until 1000000 }}{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}{{ end }}`,
		"until":                `{{ range until 2000000000 }}x{{ end }}`,
		"until step":           `{{ range untilStep 0 2000000000 1 }}x{{ end }}`,
		"seq":                  `{{ seq 1 2000000000 }}`,
		"repeat":               `{{ repeat (int .Values.many) "x" }}`,
		"indent":               `{{ indent (int .Values.many) "x" }}`,
		"width":                `{{ printf "%999999d" 1 }}{{ printf "%*d" 999999 1 }}{{ printf (repeat 900000 "%[1]999999d") 1 }}`,
		"one text many times":  `{{ $x := printf (repeat 1000000 "%[1]s") (repeat 1000000 "x") }}`,
		"long lists as YAML":   `{{ $x := toYaml (untilStep 0 130000 1 | concat (until 130000) (until 130000)) }}{{ fail "limit exceeded" }}`,
		"texts in texts":       `{{ range until 100000 }}{{ $x := tpl (printf "{{/*%s%s*/}}{{ .Values }}" (repeat 1000000 "x") (toString .)) $ }}{{ end }}`,
		"definitions in texts": `{{ range until 100000 }}{{ $x := tpl (printf "{{ define \"a%d\" }}x{{ end }}{{ include \"a%d\" . }}" . .) $ }}{{ end }}`,
		"times":                `{{ $l := list }}{{ range until 100000 }}{{ $x := now.Format (repeat 1000000 "2006") }}{{ $l = append $l $x }}{{ end }}`,
		"much text":            `{{ range until 100000 }}{{ ` + big + ` }}{{ end }}`,
		"include of itself":    `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`,
		"template of itself":   `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`,
		"tpl of itself":        `{{ tpl .Values.t . }}`,
		"tpl of more":          `{{ define "a" }}{{ tpl (printf "{{ include %q . }}{{ %s }}" "a" (toString (randInt 1 9))) . }}{{ end }}{{ include "a" . }}`,
		"deep and large":       `{{ define "a" }}{{ $x := ` + big + ` }}{{ include "a" . }}{{ $x }}{{ end }}{{ include "a" . }}`,
		"deep and written":     `{{ define "a" }}{{ ` + big + ` }}{{ include "a" . }}{{ end }}{{ include "a" . }}`,
		"deep lists":           `{{ define "a" }}{{ $x := until 1000000 }}{{ include "a" . }}{{ $x }}{{ end }}{{ include "a" . }}`,
		"deep copies":          `{{ define "a" }}{{ $x := deepCopy .x }}{{ include "a" (dict "x" .x) }}{{ $x }}{{ end }}{{ $l := list }}{{ range until 900 }}{{ $l = append $l (until 1000) }}{{ end }}{{ include "a" (dict "x" (dict "l" $l)) }}`,
		"lists of large texts": `{{ $l := list }}{{ range until 100000 }}{{ $l = append $l (` + big + `) }}{{ end }}`,
		"many lists":           `{{ $l := list }}{{ range until 100000 }}{{ $l = append $l (until 100000) }}{{ end }}`,
		"YAML of lists":        `{{ $x := fromYaml (printf "a: [%s]" (repeat 2600000 "[],")) }}{{ len $x }}{{ $y := fromYamlArray (printf "[%s]" (repeat 2600000 "[],")) }}{{ len $y }}{{ range until 100 }}{{ $x = fromYaml (printf "a: [%s]" (repeat 2000000 "[],")) }}{{ end }}{{ fail "limit exceeded" }}`,
		"JSON of lists":        `{{ $x := fromJson (printf "{\"a\":[%s1]}" (repeat 2600000 "[],")) }}{{ $y := fromJsonArray (printf "[%s1]" (repeat 2600000 "[],")) }}{{ len $x }}{{ len $y }}{{ range until 100 }}{{ $x = fromJson (printf "{\"a\":[%s1]}" (repeat 2000000 "{},")) }}{{ end }}{{ fail "limit exceeded" }}`,
		"TOML of lists":        `{{ $x := fromToml (printf "a = [%s]" (repeat 2600000 "[],")) }}{{ len $x }}{{ fail "limit exceeded" }}`,
		"YAML of aliases":      `{{ $b := "x0: &x0 [a,a,a,a,a,a,a,a,a]\n" }}{{ range $i := until 12 }}{{ $b = printf "%sx%d: &x%d [*x%d,*x%d,*x%d,*x%d,*x%d,*x%d,*x%d,*x%d]\n" $b (add1 $i) (add1 $i) $i $i $i $i $i $i $i $i }}{{ end }}{{ $y := fromYaml $b }}{{ toYaml $y }}{{ fail "limit exceeded" }}`,
		"deep YAML":            `{{ fromYaml (printf "a: %s" (repeat 4000000 "[")) }}{{ fromJson (repeat 4000000 "[") }}{{ fromToml (printf "a = %s" (repeat 4000000 "[")) }}{{ fail "limit exceeded" }}`,
		"regex":                `{{ regexReplaceAll "a" (repeat 1000000 "a") (repeat 1000000 "b") }}`,
		"regexes":              `{{ regexMatch (repeat 1000 "(a{1000}){1000}") "a" }}{{ regexFindAll (printf "(%s" (repeat 100000 "a|")) "a" -1 }}{{ fail "limit exceeded" }}`,
		"matches":              `{{ range until 1000 }}{{ $x := regexFindAll "" (repeat 4000000 "a") -1 }}{{ end }}`,
		"splits":               `{{ range until 1000 }}{{ $x := splitList "" (repeat 8000000 "a") }}{{ end }}`,
		"split":                `{{ range until 1000 }}{{ $x := split "," (repeat 8000000 ",") }}{{ end }}`,
		"maps":                 `{{ $m := dict }}{{ range until 1000000 }}{{ $_ := set $m (toString .) $m }}{{ end }}`,
		"large maps":           `{{ $m := dict }}{{ range $i := until 1000000 }}{{ $_ := set $m (printf "%0100d" $i) $i }}{{ end }}`,
		"values":               `{{ range $i := until 1000000 }}{{ $_ := set $.Values (printf "%0100d" $i) $i }}{{ end }}`,
		"merges":               `{{ $m := dict "a" 1 }}{{ range until 1000000 }}{{ $m = merge (dict "b" (deepCopy $m)) $m }}{{ end }}{{ toYaml $m }}{{ fail "limit exceeded" }}`,
		"has":                  `{{ $l := until 100000 }}{{ range until 100000 }}{{ $x := has -1 $l }}{{ end }}`,
		"sorts":                `{{ range until 1000 }}{{ $x := sortAlpha (until 1000000) }}{{ end }}`,
		"uniq":                 `{{ uniq (until 1000000) }}`,
		"hashes":               `{{ range until 1000000 }}{{ $x := sha256sum (` + big + `) }}{{ end }}`,
		"passwords":            `{{ range until 1000000 }}{{ $x := bcrypt "x" }}{{ $y := htpasswd "x" "y" }}{{ $z := derivePassword 1 "maximum" "x" "y" "z" }}{{ end }}`,
		"keys":                 `{{ range until 1000000 }}{{ $x := genPrivateKey "rsa" }}{{ $y := genCA "x" 1 }}{{ $z := genSignedCert "x" nil nil 1 $y }}{{ end }}`,
		"ciphers":              `{{ range until 1000000 }}{{ $x := encryptAES (repeat 1000000 "x") (repeat 1000000 "y") }}{{ end }}`,
		"files":                `{{ range until 1000000 }}{{ $x := $.Files.Glob "**" }}{{ $y := $x.AsConfig }}{{ $z := $x.AsSecrets }}{{ end }}`,
		"lines":                `{{ $l := list }}{{ range until 1000000 }}{{ $l = append $l ($.Files.Lines "lines.txt") }}{{ end }}`,
		"versions":             `{{ range until 100000 }}{{ $x := semverCompare (repeat 100000 ">1 || ") "1.0.0" }}{{ end }}{{ fail "limit exceeded" }}`,
		"a map in itself":      `{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ $x }}`,
		"environment":          `{{ env "HOME" }}{{ expandenv "$HOME" }}{{ /* limit exceeded */ }}`,
		"deep parentheses":     `{{ ` + strings.Repeat("(", 200_000) + `}}`,
		"deep blocks":          strings.Repeat("{{ if true }}", 100_000),
		"many templates":       strings.Repeat(`{{ define "a" }}{{ end }}`, 100_000) + `{{ fail "limit exceeded" }}`,
		"a name of no end":     `{{ include "` + strings.Repeat("a", 1<<20) + `" . }}{{ fail "limit exceeded" }}`,
		"an error of no end":   `{{ fail (repeat 500000 "limit exceeded ") }}`,
		"pods":                 "{{ range until 1000000 }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a{{ . }}}\nspec: {hostPID: true, containers: [{name: c, image: i}]}\n{{ end }}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := badChart(template)
			d.files["bad/lines.txt"] = strings.Repeat("x\n", 2_000_000)
			res := d.try(t)
			words := map[string]string{"environment": `"env" not defined`, "deep parentheses": "cannot be read", "deep blocks": "cannot be read", "versions": "too long"}[name]
			if words == "" {
				words = most
			}
			told(t, res, "bad/templates/bad.yaml", words)
			if res.code != 4 {
				t.Errorf("exit code %d", res.code)
			}
			for _, n := range res.report.Notes {
				if len(n.Text) > 4096 {
					t.Errorf("a note of %d bytes: %.200s", len(n.Text), n.Text)
				}
			}
		})
	}
}

// oneChart is a bad chart in a folder of its own, with what is told of which file.
type oneChart struct {
	files       map[string]string
	make        func(r *room, dir string)
	file, words string // of the note; "": there may be none
	none        bool   // of the chart itself nothing is found
}

// TestCharts: charts that are broken, lie, or reach for what is not theirs, all in one folder.
func TestCharts(t *testing.T) {
	t.Parallel()
	all := map[string]oneChart{
		"remote":      {files: map[string]string{"Chart.yaml": chartYAML("x", "dependencies:\n- {name: far, version: 1.0.0, repository: 'https://192.0.2.1/charts'}\n- {name: oci, version: 1.0.0, repository: 'oci://192.0.2.1/charts'}\n")}, file: "remote", words: "the dependency far (https://192.0.2.1/charts) is not in charts/ and not rendered"},
		"locked":      {files: map[string]string{"Chart.lock": "dependencies: [{name: far, repository: 'https://192.0.2.1', version: 1.0.0}]\n", "Chart.yaml": chartYAML("x", "dependencies: [{name: far, version: '>=1', repository: '@alias'}]\n")}, file: "locked", words: "not in charts/"},
		"lookup":      {files: map[string]string{"templates/l.yaml": `{{ range (lookup "v1" "Secret" "kube-system" "").items }}{{ .data }}{{ end }}{{ (lookup "v1" "Node" "" "").items | toYaml }}`}},
		"empty":       {files: map[string]string{"Chart.yaml": ""}, file: "empty/Chart.yaml", words: "name is required", none: true},
		"no YAML":     {files: map[string]string{"Chart.yaml": "\t{[\x00"}, file: "no YAML/Chart.yaml", words: "not rendered", none: true},
		"a list":      {files: map[string]string{"Chart.yaml": "[1, 2]"}, file: "a list/Chart.yaml", words: "not rendered", none: true},
		"up":          {files: map[string]string{"Chart.yaml": chartYAML("../../outside", "")}, file: "up/Chart.yaml", words: "not rendered", none: true},
		"wrong types": {files: map[string]string{"Chart.yaml": "apiVersion: 2\nname: [x]\nversion: {a: b}\ndependencies: yes\n"}, file: "wrong types/Chart.yaml", words: "not rendered", none: true},
		"nulls":       {files: map[string]string{"Chart.yaml": chartYAML("x", "dependencies: [null, {}, {name: null}]\nmaintainers: [null]\nannotations: null\n"), "values.yaml": "null\n"}},
		"versions":    {files: map[string]string{"Chart.yaml": "apiVersion: v9\nname: x\nversion: not-one\nkubeVersion: '>= 99.0.0'\ntype: none\n"}},
		"an alias":    {files: map[string]string{"Chart.yaml": "x: &a\n  y: *a\n" + chartYAML("x", "")}, file: "an alias/Chart.yaml", words: "not rendered", none: true},
		"aliases":     {files: map[string]string{"Chart.yaml": bomb(12, chartYAML("x", "annotations: *x%d\n"))}, file: "aliases/Chart.yaml", words: "not rendered", none: true},
		"of values":   {files: map[string]string{"values.yaml": bomb(12, "y: *x%d\n")}, file: "of values/Chart.yaml", words: "not rendered", none: true},
		"a ring":      {files: map[string]string{"values.yaml": "x: &a\n  y: *a\n"}, file: "a ring/Chart.yaml", words: "not rendered", none: true},
		"deep values": {files: map[string]string{"values.yaml": "a: " + strings.Repeat("[", 100_000)}, file: "deep values/Chart.yaml", words: "not rendered", none: true},
		"dense":       {files: map[string]string{"values.yaml": "a: [" + strings.Repeat("[],", 1_600_000) + "]\n"}, file: "dense/Chart.yaml", words: "limit exceeded", none: true},
		"large":       {files: map[string]string{"values.yaml": "a: " + strings.Repeat("x", 6<<20) + "\n"}, file: "large/Chart.yaml", words: "limit exceeded", none: true},
		"no values":   {files: map[string]string{"values.yaml": "- a\n- b\n"}, file: "no values/Chart.yaml", words: "not rendered", none: true},
		"tokens":      {files: map[string]string{"templates/many.yaml": strings.Repeat("{{.a}}", 800_000), "templates/more.yaml": strings.Repeat("{{.a}}", 800_000), "templates/most.yaml": strings.Repeat("{{.a}}", 800_000)}, file: "tokens/templates/many.yaml", words: "limit exceeded"},
		"one action":  {files: map[string]string{"templates/many.yaml": "{{ print " + strings.Repeat("1 ", 2_000_000) + "}}", "templates/more.yaml": "{{ 1 " + strings.Repeat("|print", 700_000) + "}}"}, file: "one action/templates/many.yaml", words: "limit exceeded"},
		"broken": {make: func(r *room, dir string) {
			for i := range 5000 {
				r.put(fmt.Sprintf("%s/templates/t%d.yaml", dir, i), []byte("{{ nothing }}"))
			}
		}, file: "broken", words: "cannot be read"},
		"failing": {make: func(r *room, dir string) {
			for i := range 5000 {
				r.put(fmt.Sprintf("%s/templates/t%d.yaml", dir, i), []byte("{{ fail .Template.Name }}"))
			}
		}, file: "failing", words: "does not render"},
		"broken YAML": {files: map[string]string{"templates/b.yaml": "{{ range until 20000 }}\n---\napiVersion: v1\nkind: Pod\n x: {\n{{ end }}"}},
		"names":       {files: map[string]string{"Chart.yaml": chartYAML(`"x\u001b[31m\u202e"`, ""), "templates/\x1b[31m.yaml": "{{ fail \"\\x1b[31mowned\\a\" }}", "values.yaml": "\"a\\eb\": \"\\e[0m\"\n"}},
		"ignore":      {files: map[string]string{".helmignore": strings.Repeat("**/*a*a*a*a*a*a*b\n!x\n", 20_000), strings.Repeat("a", 200) + ".txt": "x"}, file: "ignore/Chart.yaml", words: "there is no Chart.yaml", none: true},
		"itself":      {files: map[string]string{"Chart.yaml": chartYAML("x", "dependencies: [{name: why, version: '*', repository: 'file://.'}, {name: z, version: '*', repository: 'file://../itself'}, {name: w, version: '*', repository: 'file://./templates/..'}]\n")}, file: "itself", words: "not in charts/"},
		"ring of two": {files: map[string]string{"Chart.yaml": chartYAML("x", "dependencies: [{name: why, version: '*', repository: 'file://sub'}]\n"), "sub/Chart.yaml": chartYAML("why", "dependencies: [{name: x, version: '*', repository: 'file://..'}]\n"), "sub/templates/p.yaml": fine}},
		"outside":     {files: map[string]string{"Chart.yaml": chartYAML("x", "dependencies: [{name: out, version: '*', repository: 'file://../../../outside'}, {name: etc, version: '*', repository: 'file:///etc'}, {name: up, version: '*', repository: 'file://../../outside'}]\n")}, file: "outside", words: "the dependency out"},
		"old":         {files: map[string]string{"Chart.yaml": "name: x\nversion: 0.1.0\n", "requirements.yaml": "dependencies: [{name: why, version: '*', repository: 'https://192.0.2.1'}, {name: x, version: '*', repository: ''}]\n"}, file: "old", words: "the dependency why"},
		"imports": {files: map[string]string{
			"Chart.yaml":                chartYAML("x", "dependencies: [{name: s, version: '*', repository: '', condition: 's.on,,x', tags: [a], import-values: [a, 1, null, [x], {child: null}, {child: a, parent: a.b.c.d}, {child: a, parent: s}, {child: s, parent: s.a.s}, {child: '', parent: ''}, {child: '..', parent: '...'}, {child: global, parent: global}]}]\n"),
			"values.yaml":               "s: {on: 3, a: {b: {c: 1}}}\nglobal: [x]\ntags: nonsense\n",
			"charts/s/Chart.yaml":       chartYAML("s", ""),
			"charts/s/values.yaml":      "exports: [a]\na: {b: {c: {d: 1}}}\nglobal: 7\n",
			"charts/s/templates/p.yaml": fine,
		}},
		"aliases of charts": {files: map[string]string{"Chart.yaml": chartYAML("x", "dependencies:\n"+strings.Repeat("- {name: s, version: '*', repository: '', alias: a}\n", 3000)), "charts/s/Chart.yaml": chartYAML("s", ""), "charts/s/templates/p.yaml": fine}, file: "aliases of charts", words: "limit exceeded", none: true},
		"dependencies":      {files: map[string]string{"Chart.yaml": chartYAML("x", "dependencies:\n"+dependencies(2_000))}, file: "dependencies", words: "not in charts/"},
		"deep charts": {make: func(r *room, dir string) {
			r.put(dir+"/"+strings.Repeat("charts/s/", 60)+"Chart.yaml", []byte(chartYAML("s", "")))
		}},
		"many charts": {make: func(r *room, dir string) {
			for i := range 500 {
				r.put(fmt.Sprintf("%s/charts/s%d/Chart.yaml", dir, i), []byte(chartYAML(fmt.Sprint("s", i), "")))
			}
		}, file: "many charts", words: "limit exceeded", none: true},
		"links": {files: map[string]string{"templates/g.yaml": `{{ .Files.Get "passwd.txt" }}{{ .Files.Get "link/pod.yaml" }}{{ .Files.Get "../../outside/pod.yaml" }}{{ .Files.Get "/etc/passwd" }}{{ (.Files.Glob "**").AsConfig }}{{ range .Files.Lines "passwd.txt" }}{{ . }}{{ end }}{{ tpl (.Files.Get "../../../outside/pod.yaml") . }}`}, make: func(r *room, dir string) {
			for name, to := range map[string]string{"passwd.txt": "/etc/passwd", "link": r.path("in", "outside"), "templates/out.yaml": r.path("in", "outside", "pod.yaml"), "templates/up.yaml": "../../../outside/pod.yaml", "crds": r.path("in", "outside"), "charts": r.path("in", "outside")} {
				check(r.t, os.Symlink(to, r.path("in", dir, name)))
			}
		}},
		"a link": {files: map[string]string{"Chart.yaml": chartYAML("x", "")}, make: func(r *room, dir string) {
			check(r.t, os.Remove(r.path("in", dir, "Chart.yaml")))
			check(r.t, os.Symlink(r.path("in", "outside", "pod.yaml"), r.path("in", dir, "Chart.yaml")))
		}, none: true},
		"packed":    {make: packing("good-0.1.0.tgz", file{name: "s/Chart.yaml", text: chartYAML("s", "")}, file{name: "s/templates/p.yaml", text: fine})},
		"traversal": {make: packing("x.tgz", file{name: "s/Chart.yaml", text: chartYAML("s", "")}, file{name: "../../../outside/templates/p.yaml", text: fine}), file: "traversal", words: "the archive has the path"},
		"absolute":  {make: packing("x.tgz", file{name: "s/Chart.yaml", text: chartYAML("s", "")}, file{name: "/etc/p.yaml", text: fine}), file: "absolute", words: "the archive has the path"},
		"tar links": {make: packing("x.tgz", file{name: "s/Chart.yaml", text: chartYAML("s", "")}, file{name: "s/passwd.txt", link: "/etc/passwd", kind: '2'}, file{name: "s/hard.txt", link: "/etc/passwd", kind: '1'}, file{name: "s/templates/p.yaml", text: `{{ .Files.Get "passwd.txt" }}{{ .Files.Get "hard.txt" }}`})},
		"zeros":     {make: packing("x.tgz", file{name: "s/Chart.yaml", text: chartYAML("s", "")}, file{name: "s/zeros", zeros: 1 << 30}), file: "zeros", words: "limit exceeded"},
		"pieces":    {make: packing("x.tgz", pieces(40_000)...), file: "pieces", words: "limit exceeded"},
		"in each other": {make: func(r *room, dir string) {
			data := packedBytes(r.t, file{name: "s/Chart.yaml", text: chartYAML("s", "")})
			for range 12 {
				data = packedBytes(r.t, file{name: "s/Chart.yaml", text: chartYAML("s", "")}, file{name: "s/charts/x.tgz", text: string(data)})
			}
			r.put(dir+"/charts/x.tgz", data)
		}, file: "in each other", words: "limit exceeded"},
		"no archive": {files: map[string]string{"charts/x.tgz": "no archive"}, file: "no archive", words: "malformed"},
		"cut short": {make: func(r *room, dir string) {
			data := packedBytes(r.t, file{name: "s/Chart.yaml", text: chartYAML("s", "")}, file{name: "s/x", text: strings.Repeat("0123456789", 100)})
			r.put(dir+"/charts/x.tgz", data[:len(data)/2])
		}, file: "cut short", words: "malformed"},
	}
	r := newRoom(t)
	for name, c := range all {
		dir := "src/" + name
		c.put(r, dir)
	}
	r.put("src/zz/good.yaml", []byte(goodPod))
	r.put("outside/pod.yaml", []byte(stranger))
	r.put("outside/Chart.yaml", []byte(chartYAML("out", "")))
	r.put("outside/templates/pod.yaml", []byte(stranger))
	res := r.posture("dir:" + r.path("in", "src"))
	deploy{note: "limit exceeded"}.judge(t, res)
	for name, c := range all {
		if c.words != "" {
			told(t, res, c.file, c.words)
		}
		if got := seenIn(res, name+"/templates/fine.yaml"); got == c.none {
			t.Errorf("the pod of the chart %q is found: %v", name, got)
		}
	}
	if !seenIn(res, "packed/charts/good-0.1.0.tgz!s/templates/p.yaml") {
		t.Error("the packed subchart is not looked at")
	}
}

// put writes the chart with a template that is fine.
func (c oneChart) put(r *room, dir string) {
	files := map[string]string{"Chart.yaml": chartYAML("x", ""), "templates/fine.yaml": fine}
	for name, text := range c.files {
		files[name] = text
	}
	for name, text := range files {
		r.put(dir+"/"+name, []byte(text))
	}
	if c.make != nil {
		c.make(r, dir)
	}
}

// seenIn tells whether something of a file is found.
func seenIn(res *result, file string) bool {
	for i := range res.report.Findings {
		f := &res.report.Findings[i]
		if f.Path == file && f.Rule == "workload/host-network" {
			return true
		}
	}
	return false
}

// dependencies are many that nobody has.
func dependencies(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "- {name: d%d, version: 1.0.0, repository: 'https://192.0.2.1'}\n", i)
	}
	return b.String()
}

// pieces are files of a chart that are small and many.
func pieces(n int) []file {
	list := []file{{name: "s/Chart.yaml", text: chartYAML("s", "")}}
	for i := range n {
		list = append(list, file{name: fmt.Sprintf("s/templates/t%d.yaml", i), text: "x"})
	}
	return list
}

// packing puts a packed chart into a chart.
func packing(name string, files ...file) func(*room, string) {
	return func(r *room, dir string) { r.put(dir+"/charts/"+name, packedBytes(r.t, files...)) }
}

func packedBytes(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	check(t, err)
	tarOf(t, z, files)
	check(t, z.Close())
	return b.Bytes()
}
