package framework_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/all"
	"bulwark/check/workload/pss"
	"bulwark/framework"
	"bulwark/kube"
)

func definitions(t *testing.T) []framework.Definition {
	t.Helper()
	list, err := framework.All()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func rules() []bulwark.Rule {
	var list []bulwark.Rule
	for _, p := range all.Plugins() {
		if r, ok := p.(bulwark.Ruler); ok {
			list = append(list, r.Rules()...)
		}
	}
	return list
}

// TestRulesExist: what decides a control is there. A name that is not would make the control
// manual for ever.
func TestRulesExist(t *testing.T) {
	known := rules()
	for _, d := range definitions(t) {
		for _, s := range d.Sections {
			for _, c := range s.Controls {
				for _, glob := range c.Rules {
					one := framework.Control{Rules: []string{glob}}
					if !slices.ContainsFunc(known, func(r bulwark.Rule) bool { return one.Decides(&r) }) {
						t.Errorf("%s:%s names %s, which no plugin has", d.ID, c.ID, glob)
					}
				}
			}
		}
	}
}

// TestTagsExist: the tags by which rules say which control they decide are of controls.
func TestTagsExist(t *testing.T) {
	for _, name := range []string{"cis", "cis-docker"} {
		d, err := framework.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules() {
			for _, tag := range r.Tags {
				if id, ok := strings.CutPrefix(tag, name+":"); ok {
					if c, _ := d.Control(id); c == nil {
						t.Errorf("%s has the tag %s, which is no control", r.ID, tag)
					}
				}
			}
		}
	}
}

func TestControls(t *testing.T) {
	words := regexp.MustCompile(`(?i)\b(ensure|minimi[sz]e) that\b`) // the benchmark's own
	for _, d := range definitions(t) {
		seen := map[string]bool{}
		for _, s := range d.Sections {
			for _, c := range s.Controls {
				switch {
				case seen[c.ID]:
					t.Errorf("%s:%s is there twice", d.ID, c.ID)
				case c.Title == "" || c.Why == "":
					t.Errorf("%s:%s lacks a title or a reason", d.ID, c.ID)
				case len(c.Rules) == 0 && c.Tag == "" && c.Hand == "":
					t.Errorf("%s:%s is manual, and does not say how", d.ID, c.ID)
				case c.Manual && c.Hand == "":
					t.Errorf("%s:%s is manual in part, and does not say how", d.ID, c.ID)
				case words.MatchString(c.Title + c.Why + c.Hand):
					t.Errorf("%s:%s is not in our own words", d.ID, c.ID)
				case len(c.Rules) > 0 && len(c.Needs) == 0:
					t.Errorf("%s:%s does not say what must have been seen", d.ID, c.ID)
				}
				seen[c.ID] = true
			}
		}
		if len(seen) == 0 || d.Title == "" || d.Version == "" || len(d.Refs) == 0 {
			t.Errorf("%s: %d controls, title, version or references missing", d.ID, len(seen))
		}
	}
}

var idList = regexp.MustCompile(`\d+(?:\.\d+)+(?:-\d+(?:\.\d+)+)?`)

// expand gives the ids of a text: "1.1.1 3.1.1m 5.1-5.32".
func expand(text string) (ids []string) {
	for _, id := range idList.FindAllString(text, -1) {
		first, last, ok := strings.Cut(id, "-")
		if !ok {
			ids = append(ids, id)
			continue
		}
		at := strings.LastIndexByte(first, '.') + 1
		from, _ := strconv.Atoi(first[at:])
		to, _ := strconv.Atoi(last[at:])
		for ; from <= to; from++ {
			ids = append(ids, first[:at]+strconv.Itoa(from))
		}
	}
	return ids
}

// TestAllIDs: the benchmarks are whole.
func TestAllIDs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "shared", "catalog", "framework-ids.md"))
	if err != nil {
		if text, err = os.ReadFile(filepath.Join("..", "..", "..", "shared", "catalog", "framework-ids.md")); err != nil {
			t.Skip("the list of ids is not here: ../shared/catalog/framework-ids.md")
		}
	}
	for id, heading := range map[string]string{"cis": "## CIS Kubernetes", "cis-docker": "## CIS Docker", "nist": "## NIST SP 800-190"} {
		_, rest, _ := strings.Cut(string(text), heading)
		_, rest, _ = strings.Cut(rest, "\n")
		list, _, _ := strings.Cut(rest, "##")
		want := expand(list)
		d, err := framework.Named(id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range d.Sections {
			for _, c := range s.Controls {
				got = append(got, c.ID)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if len(want) < 20 {
			t.Fatalf("%s: %d ids in the list", id, len(want))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: ids (-want +got):\n%s", id, diff)
		}
	}
}

// TestSizes: as many controls as the frameworks have.
func TestSizes(t *testing.T) {
	want := map[string]int{"cis": 131, "cis-docker": 108, "nist": 23, "owasp-2022": 10, "owasp-2025": 10, "pss": 19, "nsa": 47, "mitre": 30, "pci": 41}
	got := map[string]int{}
	for _, d := range definitions(t) {
		for _, s := range d.Sections {
			got[d.ID] += len(s.Controls)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("controls (-want +got):\n%s", diff)
	}
}

// TestPodSecurity: every check of the library that Kubernetes decides by is a control.
func TestPodSecurity(t *testing.T) {
	d, err := framework.Named("pss")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range pss.IDs() {
		if c, _ := d.Control(id); c == nil || c.Only != "pss:"+id {
			t.Errorf("%s: %+v", id, c)
		}
	}
}

func TestNamed(t *testing.T) {
	if _, err := framework.Named("NSA"); err != nil {
		t.Error(err)
	}
	if _, err := framework.Named("x"); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("%v, want not found", err)
	}
}

func set(t *testing.T, text string) *kube.Set {
	t.Helper()
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(text)) {
		if o, ok := kube.NewObject(d.Root, kube.Origin{File: "x.yaml"}); ok {
			s.Objects = append(s.Objects, o)
		}
	}
	return s
}

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {automountServiceAccountToken: false, containers: [{name: c, image: nginx}]}\n"

func TestStatus(t *testing.T) {
	d := &framework.Definition{ID: "x", Sections: []framework.Section{{ID: "1", Controls: []framework.Control{
		{ID: "pods", Rules: []string{"workload/*"}, Needs: []string{"workload"}},
		{ID: "tagged", Tag: "x:1", Needs: []string{"workload"}},
		{ID: "only", Rules: []string{"workload/*"}, Only: "level:1", Needs: []string{"workload"}},
		{ID: "part", Rules: []string{"workload/a"}, Needs: []string{"workload"}, Manual: true},
		{ID: "hand", Hand: "look"},
		{ID: "roles", Rules: []string{"rbac/a"}, Needs: []string{"Role", "ClusterRole"}},
		{ID: "server", Rules: []string{"cluster/a"}, Needs: []string{"component:kube-apiserver"}},
		{ID: "absent", Rules: []string{"gone/a"}, Needs: []string{"workload"}},
	}}}}
	ran := []bulwark.Rule{{ID: "workload/a"}, {ID: "workload/b", Tags: []string{"x:1"}}, {ID: "rbac/a"}, {ID: "cluster/a"}}
	status := func(f *framework.Facts, findings ...bulwark.Finding) string {
		var out []string
		for _, c := range framework.Evaluate(d, f, findings).Controls {
			out = append(out, c.ID+"="+c.Status)
		}
		return strings.Join(out, " ")
	}
	facts := func(text string, cluster *kube.Cluster) *framework.Facts {
		s := set(t, text)
		s.Cluster = cluster
		f := framework.FactsOf(&bulwark.Target{Objects: s})
		f.Rules = ran
		return &f
	}
	a, b := bulwark.Finding{Rule: "workload/a", Tags: []string{"level:1"}}, bulwark.Finding{Rule: "workload/b"}
	excepted := a
	excepted.Exception = &bulwark.Exception{}
	for _, tt := range []struct {
		name string
		got  string
		want string
	}{
		{"nothing found", status(facts(pod, nil)), "pods=pass tagged=pass only=pass part=manual hand=manual roles=not-applicable server=manual absent=manual"},
		{"found", status(facts(pod, nil), a), "pods=fail tagged=pass only=fail part=fail hand=manual roles=not-applicable server=manual absent=manual"},
		{"another", status(facts(pod, nil), b), "pods=fail tagged=fail only=pass part=manual hand=manual roles=not-applicable server=manual absent=manual"},
		{"excepted", status(facts(pod, nil), excepted), "pods=pass tagged=pass only=pass part=manual hand=manual roles=not-applicable server=manual absent=manual"},
		{"roles could not be listed", status(facts(pod, &kube.Cluster{Unseen: map[string]string{"roles.rbac.authorization.k8s.io": "forbidden"}})),
			"pods=pass tagged=pass only=pass part=manual hand=manual roles=manual server=manual absent=manual"},
		{"pods could not be listed", status(facts(pod, &kube.Cluster{Unseen: map[string]string{"deployments.apps": "forbidden"}})),
			"pods=manual tagged=manual only=manual part=manual hand=manual roles=not-applicable server=manual absent=manual"},
		{"found all the same", status(facts(pod, &kube.Cluster{Unseen: map[string]string{"deployments.apps": "forbidden"}}), a),
			"pods=fail tagged=manual only=fail part=fail hand=manual roles=not-applicable server=manual absent=manual"},
		{"nothing there", status(facts("", nil)), "pods=not-applicable tagged=not-applicable only=not-applicable part=not-applicable hand=manual roles=not-applicable server=manual absent=not-applicable"},
		{"a component", status(facts("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: kube-system}\nspec: {containers: [{name: c, image: x, command: [kube-apiserver]}]}", nil)),
			"pods=pass tagged=pass only=pass part=manual hand=manual roles=not-applicable server=pass absent=manual"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
}

// plugin is a check with rules.
type plugin struct{ name, rule string }

func (p plugin) Info() bulwark.Info    { return bulwark.Info{Name: p.name} }
func (p plugin) Rules() []bulwark.Rule { return []bulwark.Rule{{ID: p.rule}} }

// A plugin that could not look at everything proves nothing by its silence.
func TestRan(t *testing.T) {
	d := &framework.Definition{Sections: []framework.Section{{Controls: []framework.Control{
		{ID: "a", Rules: []string{"workload/*"}, Needs: []string{"workload"}}, {ID: "v", Rules: []string{"vuln/*"}, Only: "component:*", Needs: []string{"workload"}}}}}}
	for _, tt := range []struct{ plugin, want string }{
		{"", "pass pass"}, {"check/workload", "manual pass"}, {"check/vuln", "pass manual"}, {"check/cluster/components", "pass manual"},
	} {
		f := framework.FactsOf(&bulwark.Target{Objects: set(t, pod)})
		f.Seen["version"]++
		f.Ran([]bulwark.Plugin{plugin{"check/workload", "workload/a"}, plugin{"check/vuln", "vuln/*"}}, []bulwark.Note{{Plugin: tt.plugin, Text: "broken", Incomplete: true}})
		c := framework.Evaluate(d, &f, nil).Controls
		if got := c[0].Status + " " + c[1].Status; got != tt.want {
			t.Errorf("%q: %s, want %s: %+v", tt.plugin, got, tt.want, c)
		}
	}
}

// Versions that could not be judged are not good ones.
func TestDoubts(t *testing.T) {
	d := &framework.Definition{Sections: []framework.Section{{Controls: []framework.Control{{ID: "v", Rules: []string{"vuln/*"}, Only: "component:*", Needs: []string{"version"}}}}}}
	for _, tt := range []struct {
		notes []bulwark.Note
		want  string
	}{{nil, "pass"}, {[]bulwark.Note{{Plugin: "check/cluster/components", Text: "kernel 6.1.0-13-amd64: which fixes it has is not known"}}, "manual"}} {
		f := framework.Facts{Seen: map[string]int{"version": 1}}
		f.Ran([]bulwark.Plugin{plugin{"check/vuln", "vuln/*"}}, tt.notes)
		if got := framework.Evaluate(d, &f, nil).Controls[0]; got.Status != tt.want {
			t.Errorf("%+v, want %s", got, tt.want)
		}
	}
}

// What was found in an image that runs in a cluster is held against the cluster.
func TestPart(t *testing.T) {
	d := &framework.Definition{Sections: []framework.Section{{Controls: []framework.Control{{ID: "v", Rules: []string{"vuln/*"}, Except: "component:*", Needs: []string{"image"}}}}}}
	cluster := func() *framework.Facts {
		f := framework.FactsOf(&bulwark.Target{Objects: set(t, pod)})
		f.Ran([]bulwark.Plugin{plugin{"check/vuln", "vuln/*"}}, nil)
		return &f
	}
	image := framework.FactsOf(&bulwark.Target{Image: &bulwark.Image{}})
	for _, tt := range []struct {
		name  string
		notes []bulwark.Note
		want  string
	}{
		{"all", nil, "pass"},
		{"one could not be had", []bulwark.Note{{Plugin: "source/cluster", Text: "unauthorized", Incomplete: true}}, "manual"},
	} {
		f := cluster()
		f.Part(&image, "nginx", tt.notes)
		if got := framework.Evaluate(d, f, nil).Controls[0]; got.Status != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
	if got := framework.Evaluate(d, cluster(), nil).Controls[0]; got.Status != bulwark.StatusManual || got.Reason != "the images were not looked at" {
		t.Errorf("no image: %+v", got)
	}
}

// Settings of kubelets that a cluster tells are those of their files.
func TestConfigSeen(t *testing.T) {
	for text, want := range map[string]int{
		"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nreadOnlyPort: 0":          1,
		"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmetadata: {name: node-1}": 1,
		"apiVersion: example.com/v1\nkind: KubeletConfiguration\nmetadata: {name: a}":                     0,
	} {
		f := framework.FactsOf(&bulwark.Target{Objects: set(t, text)})
		if got := f.Seen["config:KubeletConfiguration"]; got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestScore(t *testing.T) {
	var s bulwark.Score
	if s.Count(bulwark.StatusManual); s.Percent != nil {
		t.Error("a score of nothing")
	}
	for range 2 {
		s.Count(bulwark.StatusPass)
	}
	s.Count(bulwark.StatusFail)
	s.Count(bulwark.StatusNA)
	if *s.Percent != 66 || s.Passed != 2 || s.Failed != 1 || s.Manual != 1 || s.NotApplicable != 1 {
		t.Errorf("%+v", s)
	}
}

// TestIDs: files are called as what they hold.
func TestIDs(t *testing.T) {
	list, err := framework.All()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	if diff := cmp.Diff(ids, framework.IDs()); diff != "" {
		t.Errorf("ids (-in the files +by their names):\n%s", diff)
	}
}
