//go:build linux

package hostile

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"

	"bulwark"
)

// deploy is a folder of manifests of which some are bad.
type deploy struct {
	files map[string]string
	make  func(*room) // what no text is
	note  string      // "": the report may be complete
	rule  string      // is found in spite of all
	found string      // "rule file:line words": a finding in spite of all
	none  []string    // words that the report must not have
	write bool        // fixes are written as well
}

// goodPod is beside everything that is bad, in a file of its own.
const goodPod = `apiVersion: v1
kind: Pod
metadata: {name: good, namespace: shop}
spec:
  # this comment stays
  containers:
  - name: c
    image: example.com/c:1.2.3
    securityContext:
      privileged: true
`

// stranger is a manifest outside of the folder, which nothing may read or change.
const stranger = `apiVersion: v1
kind: Pod
metadata: {name: outside-of-it}
spec: {hostPID: true, containers: [{name: c, image: outside-image, securityContext: {privileged: true}}]}
`

// pod makes a manifest of a pod; spec is what stands in braces.
func pod(name, spec string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n"
}

// config makes a ConfigMap with some lines of data.
func config(data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata:\n" + data
}

// try scans the folder: the good pod is found whatever else lies there, and nothing outside.
func (d deploy) try(t *testing.T) *result {
	t.Helper()
	r := newRoom(t)
	r.patience = patience / 2
	for name, text := range d.files {
		r.put("src/"+name, []byte(text))
	}
	if d.make != nil {
		d.make(r)
	}
	r.put("src/zz/good.yaml", []byte(goodPod))
	r.put("outside/pod.yaml", []byte(stranger))
	res := r.posture("dir:" + r.path("in", "src"))
	d.judge(t, res)
	if d.write {
		r.mustFix(t, d.rule)
	}
	return res
}

// posture scans for what is wrong with manifests, within the memory of all.
func (r *room) posture(args ...string) *result {
	r.t.Helper()
	r.most = maxRSS
	return r.only("misconfig,exposure", args...)
}

func (d deploy) judge(t *testing.T, res *result) {
	t.Helper()
	if res.code != 0 && res.code != 4 || d.note != "" && (res.code != 4 || !res.noted(d.note)) {
		t.Errorf("exit code %d, want a note that says %q: %.1500v\n%.1000s", res.code, d.note, res.report.Notes, res.stderr)
	}
	if !about(res, "workload/privileged", "shop/Pod/good") {
		t.Errorf("the good pod is not found: %d findings, notes %.1000v", len(res.report.Findings), res.report.Notes)
	}
	if d.rule != "" && !about(res, d.rule, "") {
		t.Errorf("no finding of %s: %.1000v", d.rule, res.report.Notes)
	}
	if d.found != "" && !tells(res, d.found) {
		t.Errorf("no finding %q: %d findings, notes %.1000v", d.found, len(res.report.Findings), res.report.Notes)
	}
	for _, word := range append(d.none, "outside-of-it", "outside-image", "root:x:0:0") {
		if strings.Contains(res.stdout+res.stderr, word) {
			t.Errorf("%q is in the output", word)
		}
	}
	if n := len(res.report.Findings); n > 25_000 || len(res.stdout) > 40<<20 || len(res.report.Notes) > 2000 {
		t.Errorf("%d findings, %d notes, %d bytes", n, len(res.report.Notes), len(res.stdout))
	}
}

// about tells whether there is a finding of a rule about a subject ("": any).
func about(res *result, rule, subject string) bool {
	for i := range res.report.Findings {
		if f := &res.report.Findings[i]; f.Rule == rule && (subject == "" || f.Subject == subject) {
			return true
		}
	}
	return false
}

// tells tells whether there is a finding "rule file:line words".
func tells(res *result, what string) bool {
	rule, rest, _ := strings.Cut(what, " ")
	place, words, _ := strings.Cut(rest, " ")
	return slices.ContainsFunc(res.report.Findings, func(f bulwark.Finding) bool {
		return f.Rule == rule && strings.HasPrefix(fmt.Sprintf("%s:%d", f.Path, f.Line), place) && strings.Contains(strings.Join(f.Evidence, "\n"), words)
	})
}

// mustFix writes fixes: what it does not say that it changed is as it was, links and all,
// and the good pod's file keeps its comment.
func (r *room) mustFix(t *testing.T, _ string) {
	t.Helper()
	before := contents(t, r.path("in"))
	fixing := *r
	fixing.busy = true
	res := fixing.run("fix", "dir:"+r.path("in", "src"), "--write", "--offline", "--db", database, "--cache-dir", r.path("cache"), "--now", "2026-10-01T00:00:00Z")
	if res.code != 0 {
		t.Errorf("fix: exit code %d: %.1000s", res.code, res.stderr)
	}
	changed := map[string]bool{}
	for line := range strings.Lines(res.stderr) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "changed "); ok {
			changed["src/"+name] = true
		}
	}
	after := contents(t, r.path("in"))
	for name, sum := range after {
		if before[name] != sum && !changed[name] {
			t.Errorf("fix changed or made %s, and does not say so", name)
		}
	}
	for name := range before {
		if after[name] == "" {
			t.Errorf("fix took %s away", name)
		}
	}
	text, err := os.ReadFile(r.path("in", "src", "zz", "good.yaml"))
	check(t, err)
	if s := string(text); !changed["src/zz/good.yaml"] || strings.Contains(s, "privileged: true") || !strings.Contains(s, "# this comment stays") {
		t.Errorf("the good file is not fixed: changed %v\n%s\n%.500s", changed, s, res.stderr)
	}
	if left, _ := os.ReadDir(r.path("tmp")); len(left) > 0 {
		t.Errorf("fix left %v in the folder for temporary files", left)
	}
}

// contents are the sums of files below a folder, and what links and others are.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	check(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			sums[name], err = os.Readlink(p)
		case d.Type().IsRegular():
			var data []byte
			data, err = os.ReadFile(p)
			sums[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		default:
			sums[name] = d.Type().String()
		}
		return err
	}))
	return sums
}

// utf16Of writes a text in UTF-16 with its mark.
func utf16Of(text string) string {
	b := []byte{0xff, 0xfe}
	for _, c := range utf16.Encode([]rune(text)) {
		b = append(b, byte(c), byte(c>>8))
	}
	return string(b)
}

// spilled makes a file of a text over and over.
func spilled(name, head, more string, times int, tail string) func(*room) {
	return func(r *room) {
		r.spill("src/"+name, func(w io.Writer) {
			write(r.t, w, []byte(head))
			fillWith(r.t, w, more, int64(len(more)*times))
			write(r.t, w, []byte(tail))
		})
	}
}

// counted makes a file of numbered pieces.
func counted(name, head string, n int, format string) func(*room) {
	return func(r *room) {
		r.spill("src/"+name, func(w io.Writer) {
			write(r.t, w, []byte(head))
			for i := range n {
				fmt.Fprintf(w, format, i)
			}
		})
	}
}

// TestManifests: each bad manifest lies beside a good one.
func TestManifests(t *testing.T) {
	t.Parallel()
	const list = "apiVersion: v1\nkind: List\nitems:\n"
	for name, d := range map[string]deploy{
		"bomb":                       {files: map[string]string{"a.yaml": bomb(12, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: *x%d\n")}, write: true},
		"bomb of containers":         {files: map[string]string{"a.yaml": containersBomb()}, write: true, found: "workload/privileged a.yaml:1 container c: privileged: true"},
		"bomb of merges":             {files: map[string]string{"a.yaml": "x0: &x0 {a: b}\n" + mergeBomb(15) + pod("a", "<<: *x15, containers: [{name: c, image: i}]")}, write: true, found: "workload/may-run-as-root a.yaml:20 container c"},
		"anchor in itself":           {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: &a\n  hostPID: true\n  containers: [*a, {name: c, image: i, env: *a}]\n  initContainers: *a\n"}, write: true, found: "manifest/broken a.yaml:1 line 6: the anchor \"a\" contains itself"},
		"anchors in a ring":          {files: map[string]string{"a.yaml": "x: &a\n  y: &b\n    z: *a\n    w: *b\napiVersion: v1\nkind: Pod\nmetadata: *a\nspec: *b\n"}, write: true, found: "manifest/broken a.yaml:1 line 3: the anchor \"a\" contains itself"},
		"100 MB document":            {make: spilled("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: ", "0123456789abcdef", 100<<20/16, "\n"), found: "manifest/broken a.yaml:1 a document of 100 MB, at most 8 MB are read: limit exceeded"},
		"100 MB of JSON":             {make: spilled("a.json", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"`, "0123456789abcdef", 100<<20/16, `"}}`), found: "manifest/broken a.json:1 a document of 100 MB, at most 8 MB are read: limit exceeded"},
		"100,000 broken documents":   {make: counted("a.yaml", "", 100_000, "---\napiVersion: v1\nkind: Pod%d\n x: {\n"), note: "cannot be read", found: "manifest/broken a.yaml:480 mapping values are not allowed in this context"},
		"a million keys":             {make: counted("a.yaml", config(""), 1_000_000, "  k%d: v\n"), found: "manifest/broken a.yaml:1 limit exceeded"},
		"a long list":                {make: counted("a.yaml", list, 60_000, "- {apiVersion: v1, kind: ConfigMap, metadata: {name: c%d}}\n"), found: "manifest/broken a.yaml:1 limit exceeded"},
		"a long list of JSON":        {make: counted("a.json", `{"apiVersion":"v1","kind":"List","items":[{}`, 60_000, `,{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c%d"}}`), found: "manifest/broken a.json:1 limit exceeded"},
		"lists in lists":             {files: map[string]string{"a.json": strings.Repeat(`{"apiVersion":"v1","kind":"List","items":[`, 5000)}, found: "manifest/broken a.json:1 malformed"},
		"a pod of 20,000 containers": {make: counted("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n", 20_000, "  - {name: c%d, image: x, securityContext: {privileged: true}}\n"), found: "workload/privileged a.yaml:6 container c9: privileged: true"},
		"a pod of 50,000 volumes":    {make: counted("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: c, image: x}]\n  volumes:\n", 50_000, "  - {name: v%d, hostPath: {path: /}}\n")},
		"deep lists":                 {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: " + strings.Repeat("[", 300_000)}, write: true},
		"deep mappings":              {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: Pod\nspec: " + strings.Repeat("{a: ", 100_000)}, found: "manifest/broken a.yaml:3 exceeded max depth"},
		"deep JSON":                  {files: map[string]string{"a.json": `{"apiVersion":"v1","kind":"Pod","spec":` + strings.Repeat(`{"a":`, 300_000)}, found: "manifest/broken a.json:1 limit exceeded"},
		"deep JSON that ends":        {files: map[string]string{"a.json": `{"apiVersion":"v1","kind":"Pod","spec":` + strings.Repeat(`[`, 50_000) + strings.Repeat("]", 50_000) + "}"}},
		"deep by indentation":        {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: Pod\nspec:\n" + strings.Repeat("- ", 200_000)}, found: "manifest/broken a.yaml:3 exceeded max depth"},
		"deep templates":             {files: map[string]string{"a.yaml": "apiVersion: a.b/v1\nkind: X\nmetadata: {name: a}\nspec: " + strings.Repeat("{template: {spec: {containers: [{name: c, image: x}], x: ", 45) + "1" + strings.Repeat("}}}", 45) + "\n"}, found: "workload/may-run-as-root a.yaml:4 container c"},
		"tabs":                       {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: Pod\nspec:\n\tcontainers: []\n"}, write: true, found: "manifest/broken a.yaml:4 found character that cannot start any token"},
		"keys twice":                 {files: map[string]string{"a.yaml": pod("a", "hostPID: true, hostPID: false, containers: [{name: c, image: i}], containers: [{name: c, image: i}]")}, write: true, found: "manifest/duplicate-key a.yaml:4 the key \"hostPID\" is given twice; the last one counts"},
		"no UTF-8":                   {files: map[string]string{"a.yaml": pod("a\xff\xfe", "hostPID: true")}, write: true},
		"UTF-16":                     {files: map[string]string{"a.yaml": utf16Of(pod("a", "hostPID: true, containers: [{name: c, image: i}]"))}, write: true, found: "workload/host-pid a.yaml:4 hostPID: true"},
		"NUL":                        {files: map[string]string{"a.yaml": pod("a", "hostPID: true\x00")}, write: true, found: "manifest/broken a.yaml: control characters are not allowed"},
		"control characters":         {files: map[string]string{"a.yaml": pod(`"a\e]0;owned\a\e[2J\x9b31m\0"`, `hostPID: true, containers: [{name: "c\e[31m", image: "i\x1b[0m\u202e", command: ["\e]8;;http://x\a"], env: [{name: "\e[1m", value: "\x08"}]}]`)}, found: "workload/host-pid a.yaml:4 hostPID: true", write: true},
		"names of no end":            {files: map[string]string{"a.yaml": pod(strings.Repeat("n", 4<<20), "hostPID: true, containers: [{name: c, image: i}]")}, found: "workload/host-pid a.yaml:4 hostPID: true"},
		"a name of lines":            {files: map[string]string{"a\nb.yaml": pod(`"a\nb"`, "hostPID: true, containers: [{name: c, image: i}]"), "\x1b[31m.yaml": pod("e", "hostPID: true, containers: [{name: c, image: i}]"), "--- a\n+++ b.yaml": "x"}, found: "workload/host-pid a\nb.yaml:4 hostPID: true"},
		"tags":                       {files: map[string]string{"a.yaml": "apiVersion: v1\nkind: !!binary UG9k\nmetadata: !!python/object:os.system {name: a}\nspec: !!set {hostPID}\n"}, write: true},
		"numbers":                    {files: map[string]string{"a.yaml": pod("a", "containers: [{name: c, image: 1e999999999, ports: [{containerPort: 1e308}, {containerPort: -99999999999999999999999}, {containerPort: 0x7fffffffffffffffff}], resources: {limits: {cpu: 1e999999999, memory: "+strings.Repeat("9", 100_000)+"}}, securityContext: {runAsUser: .nan}}]")}, write: true, found: "manifest/misfit a.yaml:4 runAsUser: a number stands where a whole number belongs"},
		"amounts":                    {files: map[string]string{"a.yaml": pod("a", `containers: [{name: c, image: i, resources: {limits: {cpu: "1e9999999", memory: "9e999999999Ei"}, requests: {cpu: "-1E2147483647", memory: "0.`+strings.Repeat("0", 50_000)+`1"}}}]`)}, write: true, found: "workload/may-run-as-root a.yaml:4 container c"},
		"100,000 rules":              {make: counted("a.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrules:\n", 60_000, "- {apiGroups: [''], resources: [r%d], verbs: [get]}\n"), found: "manifest/broken a.yaml:1 a document of about 420005 values"},
		"10,000 roles and bindings":  {make: counted("a.yaml", "", 10_000, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r%[1]d, labels: {a: b}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}\nrules: [{apiGroups: ['*'], resources: [secrets, r%[1]d], verbs: ['*']}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b%[1]d}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r%[1]d}\nsubjects: [{kind: ServiceAccount, name: s%[1]d, namespace: x}]\n"), found: "rbac/secrets-read a.yaml:15114 every verb on secrets", note: "the aggregation of ClusterRoles is too large to be followed to its end"},
		"a kubeconfig":               {files: map[string]string{"a.yaml": kubeconfig("/bin/touch"), ".kube/config": kubeconfig("/bin/touch"), "kubeconfig.yaml": kubeconfig("/bin/touch")}, write: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d.try(t)
		})
	}
}

// kubeconfig names a program that gives credentials.
func kubeconfig(program string) string {
	return "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\nclusters: [{name: x, cluster: {server: 'https://192.0.2.1'}}]\n" +
		"users: [{name: x, user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: " + program + ", args: [../in/src/canary]}}}]\n"
}

// containersBomb is a pod whose containers are those of another many times.
func containersBomb() string {
	var b strings.Builder
	b.WriteString("x0: &x0 {name: c, image: i, securityContext: {privileged: true}}\n")
	for i := range 8 {
		fmt.Fprintf(&b, "x%d: &x%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i), 9), ","))
	}
	c := strings.TrimSuffix(strings.Repeat("*x0,", 50_000), ",")
	return b.String() + "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [" + c + "], volumes: *x8}\n"
}

func mergeBomb(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "x%d: &x%d {<<: [%s], k%d: v}\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i), 9), ","), i)
	}
	return b.String()
}

// TestNoFiles: pipes, devices, links and files that cannot be read, wherever a file is named.
func TestNoFiles(t *testing.T) {
	t.Parallel()
	const kustomization = "namePrefix: x-\nresources: [pod.yaml, pipe.yaml, zero.yaml, folder, out.yaml]\npatches: [{path: pipe.yaml}]\nconfigMapGenerator: [{name: a, files: [pipe.yaml, zero.yaml, /etc/passwd, ../../outside/pod.yaml]}]\n"
	d := deploy{write: true, note: "kustomization", files: map[string]string{
		"pod.yaml": pod("a", "hostPID: true, containers: [{name: c, image: i}]"), "overlay/kustomization.yaml": kustomization,
		"overlay/pod.yaml": pod("b", "hostIPC: true, containers: [{name: c, image: i}]"), "chart/Chart.yaml": "apiVersion: v2\nname: x\nversion: 0.1.0\n",
		"chart/templates/a.yaml": "a: {{ .Files.Get \"pipe.yaml\" }}{{ .Files.Get \"out.yaml\" }}\n---\n" + pod("t", "hostNetwork: true, containers: [{name: c, image: i}]"),
		"chart2/Chart.yaml":      "apiVersion: v2\nname: y\nversion: 0.1.0\n", "chart2/templates/a.yaml": pod("t2", "hostPID: true, containers: [{name: c, image: i}]"),
	}, make: func(r *room) {
		for _, dir := range []string{"", "overlay", "chart", "chart/templates", "chart2/templates"} {
			at := func(name string) string { return r.path("in", "src", dir, name) }
			check(r.t, mkfifo(at("pipe.yaml")))
			for link, to := range map[string]string{"zero.yaml": "/dev/zero", "out.yaml": r.path("in", "outside", "pod.yaml"), "ring.yaml": "ring.yaml", "folder": r.path("in", "outside"), "passwd.yaml": "/etc/passwd", "in.yaml": r.path("in", "src", "pod.yaml"), "near.yaml": "./pipe.yaml"} {
				check(r.t, os.Symlink(to, at(link)))
			}
			_ = syscall.Mknod(at("device.yaml"), syscall.S_IFCHR|0o666, 1<<8|5) // root alone may
		}
		check(r.t, mkfifo(r.path("in", "src", "chart", "values.yaml")))
		check(r.t, os.Symlink(r.path("in", "outside", "pod.yaml"), r.path("in", "src", "chart2", "values.yaml")))
		check(r.t, os.MkdirAll(r.path("in", "src", "pipes"), 0o755))
		check(r.t, mkfifo(r.path("in", "src", "pipes", "kustomization.yaml")))
		check(r.t, mkfifo(r.path("in", "src", "pipes", "Chart.yaml")))
	}}
	res := d.try(t)
	for _, rule := range []string{"workload/host-pid", "workload/host-ipc", "workload/host-network"} {
		if !about(res, rule, "") {
			t.Errorf("no finding of %s: %+v", rule, res.report.Notes)
		}
	}
}

// TestClosedManifests: files that the user may not read are told of.
func TestClosedManifests(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.nobody = true
	for d := r.root; d != filepath.Dir(d) && d != os.TempDir(); d = filepath.Dir(d) {
		check(t, os.Chmod(d, 0o755))
	}
	check(t, os.Chmod(r.path("cache"), 0o777))
	r.put("src/good.yaml", []byte(goodPod))
	check(t, os.Chmod(r.put("src/closed.yaml", []byte(stranger)), 0))
	r.put("src/closed/pod.yaml", []byte(stranger))
	check(t, os.Chmod(r.path("in", "src", "closed"), 0))
	deploy{note: "permission denied"}.judge(t, r.posture("dir:"+r.path("in", "src")))
	check(t, os.Chmod(r.path("in", "src", "closed"), 0o755))
}

// TestChangingManifests: manifests that vanish, grow and become links and pipes.
func TestChangingManifests(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.most, r.busy, r.patience = maxRSS, true, patience/2
	outside := r.put("outside/pod.yaml", []byte(stranger))
	name := func(i int) string { return r.path("in", "src", fmt.Sprintf("f%03d.yaml", i)) }
	text := strings.Repeat("---\n"+pod("a", "containers: [{name: c, image: i}]"), 20)
	for i := range 200 {
		r.put(fmt.Sprintf("src/f%03d.yaml", i), []byte(text))
	}
	r.put("src/zz/good.yaml", []byte(goodPod))
	for range 6 {
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for turn := 0; ; turn++ {
				select {
				case <-stop:
					return
				default:
					change(name(turn*37%200), turn%7, outside)
				}
			}
		}()
		res := r.posture("dir:" + r.path("in", "src"))
		close(stop)
		<-done
		deploy{}.judge(t, res)
	}
}
