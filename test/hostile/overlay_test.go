//go:build linux

package hostile

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// oneOverlay is a bad kustomization in a folder of its own, with what is told of it.
type oneOverlay struct {
	text  string            // kustomization.yaml
	files map[string]string // beside it
	words string            // of the note; "": there may be none
	lost  bool              // its own pod need not be found
}

// own is the pod that the kustomizations are about.
const own = "apiVersion: v1\nkind: Pod\nmetadata: {name: own}\nspec: {hostNetwork: true, containers: [{name: c, image: i}]}\n"

// canary is a program that leaves a trace when it is run, wherever that is.
func (r *room) canary() string {
	text := "#!/bin/sh\necho run >> " + r.path("in", "canary") + "\n"
	for _, name := range []string{"canary.sh", "git", "helm", "docker", "go", "ssh", "curl", "kubectl", "sh", "bash", "env"} {
		check(r.t, os.Chmod(r.put("bin/"+name, []byte(text)), 0o755))
	}
	return r.path("in", "bin", "canary.sh")
}

// unharmed requires that no canary was run.
func (r *room) unharmed() {
	r.t.Helper()
	if data, err := os.ReadFile(r.path("in", "canary")); err == nil {
		r.t.Errorf("something was run: %q", data)
	}
}

// TestOverlays: kustomizations that reach for the network, programs and files that are not
// theirs, all in one folder. Nothing is fetched or run, and the rest is built.
func TestOverlays(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	program := r.canary()
	r.bin = r.path("in", "bin")
	function := func(how string) string {
		return "apiVersion: x.y/v1\nkind: F\nmetadata:\n  name: f\n  annotations:\n    config.kubernetes.io/function: |\n      " + how + "\n    config.kubernetes.io/local-config: 'true'\nspec: {}\n"
	}
	const start, of = "namePrefix: x-\nresources: [own.yaml]\n", "namePrefix: x-\nresources: [own.yaml, "
	all := map[string]oneOverlay{
		"http":          {text: of + "'https://192.0.2.1/a.yaml', 'http://192.0.2.1/b']\n", words: "https://192.0.2.1/a.yaml is remote and not fetched"},
		"git":           {text: of + "'git@192.0.2.1:a/b', 'git::https://192.0.2.1/a', 'ssh://git@192.0.2.1/a', '192.0.2.1/a/b.git//c?ref=main', 'file:///etc', 'github.com/a/b?ref=x', 'gh:a/b', 'git::file:///etc//x', 'org/repo.git', 'localhost:a/b.git']\n", words: "git@192.0.2.1:a/b is remote and not fetched"},
		"components":    {text: start + "components: ['https://192.0.2.1/c']\nbases: ['github.com/a/b']\ncrds: ['https://192.0.2.1/crd.yaml']\nopenapi: {path: 'https://192.0.2.1/o.json'}\nconfigurations: ['https://192.0.2.1/x.yaml']\n", words: "https://192.0.2.1/c is remote"},
		"patches":       {text: start + "patches: [{path: 'https://192.0.2.1/p.yaml'}]\npatchesStrategicMerge: ['https://192.0.2.1/q.yaml']\npatchesJson6902: [{target: {kind: Pod, name: own, version: v1}, path: 'https://192.0.2.1/r.yaml'}]\nreplacements: [{path: 'https://192.0.2.1/s.yaml'}]\n", words: "https://192.0.2.1/p.yaml is remote"},
		"generated":     {text: start + "configMapGenerator: [{name: a, files: ['https://192.0.2.1/a', 'b=http://192.0.2.1/b', '../../outside/pod.yaml', '/etc/passwd', 'c=/etc/passwd', up.txt], envs: ['/etc/passwd', '../../outside/pod.yaml'], env: /etc/passwd}]\nsecretGenerator: [{name: b, files: [/etc/passwd, ../../outside/pod.yaml, up.txt], envs: [up.txt]}]\ngeneratorOptions: {disableNameSuffixHash: true}\n", words: "/etc/passwd"},
		"outside":       {text: of + "../../outside/pod.yaml, ../../../../../../../../etc/passwd, /etc/passwd, ../../outside, up.yaml, updir]\n", words: "outside"},
		"exec":          {text: start + "transformers: [f.yaml]\ngenerators: [f.yaml]\nvalidators: [f.yaml]\n", files: map[string]string{"f.yaml": function("exec: {path: " + program + "}")}, words: "generators, transformers"},
		"exec inline":   {text: start + "transformers:\n- |-\n  " + strings.ReplaceAll(strings.TrimSpace(function("exec: {path: "+program+"}")), "\n", "\n  ") + "\n", words: "generators, transformers"},
		"container":     {text: start + "generators: [f.yaml]\n", files: map[string]string{"f.yaml": function("container: {image: 192.0.2.1/x, network: true}")}, words: "generators, transformers"},
		"starlark":      {text: start + "generators: [f.yaml]\n", files: map[string]string{"f.yaml": function("starlark: {path: f.star, name: f}"), "f.star": "while True:\n  pass\n"}, words: "generators, transformers"},
		"plugin":        {text: start + "generators: [f.yaml]\ntransformers: [f.yaml]\n", files: map[string]string{"f.yaml": "apiVersion: someteam.example.com/v1\nkind: Canary\nmetadata: {name: x}\nargsOneLiner: x\n", "Canary": "#!/bin/sh\ntouch canary\n"}, words: "generators, transformers"},
		"on a resource": {text: of + "f.yaml]\n", files: map[string]string{"f.yaml": function("exec: {path: " + program + "}")}},
		"helm":          {text: start + "helmCharts: [{name: a, repo: 'https://192.0.2.1', version: 1.0.0, releaseName: x}, {name: own, valuesFile: /etc/passwd}]\nhelmGlobals: {chartHome: ../../outside}\nhelmChartInflationGenerator: [{chartName: a, chartRepoUrl: 'https://192.0.2.1', helmBin: " + program + "}]\n", words: "charts are not fetched and rendered"},
		"helm inside":   {text: start + "generators: [f.yaml]\n", files: map[string]string{"f.yaml": "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: a\nhelmCommand: " + program + "\nrepo: 'https://192.0.2.1'\n"}, words: "f.yaml"},
		"helm by file":  {text: start + "generators: [f.yaml]\n", files: map[string]string{"f.yaml": "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: a\nchartHome: .\nreleaseName: x\n", "a/values.yaml": "", "a/Chart.yaml": chartYAML("a", "")}, words: "generators, transformers"},
		"cycle a":       {text: of + "../cycle b]\n", words: "in a circle"},
		"cycle b":       {text: of + "'../cycle a', '../cycle c']\n", words: ""},
		"cycle c":       {text: of + ".]\n", words: ""},
		"no map":        {text: "- a\n- b\n", words: "malformed"},
		"no YAML":       {text: "\t{[\x00", words: "malformed"},
		"wrong types":   {text: "resources: {a: b}\npatches: 7\nnamePrefix: [x]\nimages: yes\nreplicas: {}\nlabels: [7, null]\nconfigMapGenerator: [7, null, {name: [x]}]\n", words: "not built"},
		"nulls":         {text: "resources: [own.yaml, null, 7, {a: b}, [x]]\npatches: [null]\ntransformers: [null, [x]]\nimages: [null]\nreplacements: [null, {}]\nvars: [null]\nnamespace: null\nnamePrefix: x-\n"},
		"unknown":       {text: start + "nonsense: 7\n", words: "not built"},
		"ring":          {text: start + "x: &a {y: *a}\n", words: "not built"},
		"bomb":          {text: bomb(12, start+"commonAnnotations: {a: *x%d}\n"), words: "not built"},
		"two of one":    {text: of + "own.yaml, two.yaml]\n", files: map[string]string{"two.yaml": own}, words: "not built"},
	}
	for name, o := range all {
		o.put(r, "src/"+name)
	}
	for _, dir := range []string{"generated", "outside"} {
		for link, to := range map[string]string{"up.txt": "/etc/passwd", "up.yaml": r.path("in", "outside", "pod.yaml"), "updir": r.path("in", "outside")} {
			check(t, os.Symlink(to, r.path("in", "src", dir, link)))
		}
	}
	r.put("src/zz/good.yaml", []byte(goodPod))
	r.put("outside/pod.yaml", []byte(stranger))
	res := r.posture("dir:" + r.path("in", "src"))
	deploy{note: "remote"}.judge(t, res)
	r.unharmed()
	for name, o := range all {
		if o.words != "" {
			told(t, res, name+"/", o.words)
		}
		if !o.lost && !seenIn(res, name+"/own.yaml") {
			t.Errorf("the pod of %q is not found", name)
		}
	}
}

func (o oneOverlay) put(r *room, dir string) {
	r.put(dir+"/kustomization.yaml", []byte(o.text))
	r.put(dir+"/own.yaml", []byte(strings.ReplaceAll(own, "name: own", "name: own-"+strings.ReplaceAll(dir[len("src/"):], " ", "-"))))
	for name, text := range o.files {
		r.put(dir+"/"+name, []byte(text))
	}
}

// TestOverlayBombs: kustomizations of which a few lines make more than fits into memory.
func TestOverlayBombs(t *testing.T) {
	t.Parallel()
	const start = "namePrefix: x-\nresources: [own.yaml]\n"
	cfg := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n"
	copies := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "    - {op: copy, from: /metadata, path: /metadata/x%d}\n", i)
		}
		return b.String()
	}
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, o := range map[string]oneOverlay{
		"copies":                {text: start + "patches:\n- target: {kind: Pod}\n  patch: |\n" + copies(40)},
		"copies in a file":      {text: start + "patches: [{target: {kind: Pod}, path: p.yaml}]\n", files: map[string]string{"p.yaml": strings.ReplaceAll(copies(40), "    - ", "- ")}},
		"copies in JSON":        {text: start + "patchesJson6902: [{target: {kind: Pod, name: own-bad, version: v1}, path: p.json}]\n", files: map[string]string{"p.json": "[" + strings.TrimSuffix(many(40, `{"op":"copy","from":"/metadata","path":"/metadata/x%d"},`), ",") + "]"}},
		"copies apart":          {text: start + "patches:\n" + many(40, "- {target: {kind: Pod}, patch: '[{op: copy, from: /metadata, path: /metadata/x%d}]'}\n")},
		"copies by transformer": {text: start + "transformers: [t.yaml]\n", files: map[string]string{"t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\ntarget: {kind: Pod}\npatch: |\n" + copies(40)}},
		"replacements":          {text: start + "replacements:\n" + many(40, "- {source: {kind: Pod, fieldPath: metadata}, targets: [{select: {kind: Pod}, fieldPaths: [metadata.annotations.x%d], options: {create: true}}]}\n")},
		"replaced texts":        {text: start + "replacements:\n" + many(60, "- {source: {kind: Pod, fieldPath: 'metadata.annotations.a'}, targets: [{select: {kind: Pod}, fieldPaths: [metadata.annotations.a], options: {delimiter: '-', index: %d}}]}\n")},
		"replacement by file":   {text: start + "replacements: [{path: r.yaml}]\n", files: map[string]string{"r.yaml": many(40, "- {source: {kind: Pod, fieldPath: metadata}, targets: [{select: {kind: Pod}, fieldPaths: [metadata.annotations.x%d], options: {create: true}}]}\n")}},
		"variables":             {text: "namePrefix: x-\nresources: [own.yaml, big.yaml]\nvars: [{name: V, objref: {apiVersion: v1, kind: ConfigMap, name: big}, fieldref: {fieldpath: data.v}}]\n", files: map[string]string{"big.yaml": cfg + "  v: " + strings.Repeat("v", 1<<20) + "\n---\n" + strings.ReplaceAll(own, "image: i", "image: i, command: ['"+strings.Repeat("$(V)", 100_000)+"']")}},
		"long prefix":           {text: "namePrefix: " + strings.Repeat("x", 1<<20) + "\nresources: [own.yaml, many.yaml]\n", files: map[string]string{"many.yaml": many(2000, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n")}},
		"long annotation":       {text: "commonAnnotations: {a: " + strings.Repeat("x", 1<<20) + "}\nresources: [own.yaml, many.yaml]\n", files: map[string]string{"many.yaml": many(2000, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n")}},
		"long patch":            {text: start + "patches: [{target: {kind: ConfigMap}, path: p.yaml}]\n", files: map[string]string{"own2.yaml": own, "p.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n" + many(150_000, "  k%d: v\n")}},
		"many values":           {text: "namePrefix: x-\nresources: [own.yaml, big.yaml]\n", files: map[string]string{"big.yaml": cfg + many(1_000_000, "  k%d: v\n")}},
		"many lists":            {text: "namePrefix: x-\nresources: [own.yaml, big.yaml]\n", files: map[string]string{"big.yaml": "apiVersion: a.b/v1\nkind: X\nmetadata: {name: big}\nspec: [" + strings.Repeat("[],", 4_000_000) + "]\n"}},
		"many objects":          {text: "namePrefix: x-\nresources: [own.yaml, many.yaml]\n", files: map[string]string{"many.yaml": many(100_000, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n")}},
		"many literals":         {text: start + "configMapGenerator:\n- name: a\n  literals:\n" + many(300_000, "  - k%d=v\n")},
		"deep":                  {text: "namePrefix: x-\nresources: [own.yaml, big.yaml]\n", files: map[string]string{"big.yaml": "apiVersion: a.b/v1\nkind: X\nmetadata: {name: big}\nspec: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + "\n"}},
		"expressions":           {text: start + "patches: [{target: {name: '" + strings.Repeat("(a{1000}){1000}", 1000) + "', kind: '(((((((((.*)*)*)*)*)*)*)*)*'}, patch: '[{op: add, path: /x, value: y}]'}]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.patience = patience / 2
			o.put(r, "src/bad")
			r.put("src/zz/good.yaml", []byte(goodPod))
			res := r.posture("dir:" + r.path("in", "src"))
			deploy{}.judge(t, res)
			if !seenIn(res, "bad/own.yaml") {
				t.Errorf("its own pod is not found: %.2000v", res.report.Notes)
			}
			if res.code == 4 {
				told(t, res, "bad/", "")
			}
		})
	}
	t.Run("twice each", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		for i := range 20 {
			for _, side := range "ab" {
				text := fmt.Sprintf("namePrefix: %c\nresources: [../d%da, ../d%db]\n", side, i-1, i-1)
				if i == 0 {
					text = fmt.Sprintf("namePrefix: %c\nresources: [../base]\n", side)
				}
				r.put(fmt.Sprintf("src/d%d%c/kustomization.yaml", i, side), []byte(text))
			}
		}
		r.put("src/base/kustomization.yaml", []byte("resources: [own.yaml]\n"))
		r.put("src/base/own.yaml", []byte(own))
		r.put("src/zz/good.yaml", []byte(goodPod))
		res := r.posture("dir:" + r.path("in", "src"))
		deploy{}.judge(t, res)
		told(t, res, "d19", "limit exceeded")
		if !seenIn(res, "base/own.yaml") {
			t.Error("its own pod is not found")
		}
	})
}
