package workload

import (
	"context"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/check/internal/posture"
	"bulwark/check/workload/pss"
	"bulwark/kube"
)

func TestRules(t *testing.T) { posture.TestFamily(t, New()) }

// objects reads a stream of YAML.
func objects(t testing.TB, text, file string) *kube.Set {
	t.Helper()
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(text)) {
		if o, ok := kube.NewObject(d.Root, kube.Origin{File: file}); ok {
			s.Objects = append(s.Objects, o)
		}
	}
	return s
}

// found gives the findings of a family in a set.
func found(t testing.TB, f *posture.Family, s *kube.Set) []*bulwark.Finding {
	t.Helper()
	var list []*bulwark.Finding
	err := f.Check(context.Background(), &bulwark.Target{Objects: s}, nil, func(r bulwark.Record) {
		if r.Finding != nil {
			list = append(list, r.Finding)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestRegistries holds what the user's list of registries lets in.
func TestRegistries(t *testing.T) {
	f := With(Options{Registries: []string{"registry.example.org/team", "docker.io"}})
	for image, want := range map[string]bool{"nginx:1": false, "library/nginx:1": false, "index.docker.io/library/nginx:1": false, "registry.example.org/team/app:1": false,
		"registry.example.org/teams/app:1": true, "registry.example.org/other:1": true, "quay.io/x/y:1": true, "$IMAGE": false} {
		s := objects(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: '"+image+"'}]}", "a.yaml")
		got := slices.ContainsFunc(found(t, f, s), func(f *bulwark.Finding) bool { return f.Rule == "workload/image-registry" })
		if got != want {
			t.Errorf("%s: found %t, want %t", image, got, want)
		}
	}
}

// TestTags holds that every control of the Pod Security Standards has a rule besides the two
// that say the level, and that every edge that a workload alone shows has one.
func TestTags(t *testing.T) {
	tags := map[string]bool{}
	for _, r := range New().Rules() {
		for _, tag := range r.Tags {
			tags[tag] = true
		}
	}
	for i := range places {
		for _, tag := range slices.Concat(places[i].writeTags, places[i].readTags) {
			tags[tag] = true
		}
	}
	for _, id := range pss.IDs() {
		if !tags["pss:"+id] {
			t.Errorf("no rule is of the control %s", id)
		}
	}
	for _, edge := range []string{"CE_MODULE_LOAD", "CE_NSENTER", "CE_PRIV_MOUNT", "CE_SYS_PTRACE", "CE_UMH_CORE_PATTERN", "CE_VAR_LOG_SYMLINK", "EXPLOIT_CONTAINERD_SOCK", "EXPLOIT_HOST_READ", "EXPLOIT_HOST_TRAVERSE", "EXPLOIT_HOST_WRITE", "SHARE_PS_NAMESPACE", "TOKEN_STEAL"} {
		if !tags["edge:"+edge] {
			t.Errorf("no rule leads to the edge %s", edge)
		}
	}
}

// TestMended holds that the edits of a finding mend it: made on the object, the rule is
// silent about it. Every case of every rule that has edits is tried.
func TestMended(t *testing.T) {
	tried := 0
	for _, r := range New().List {
		text, err := fs.ReadFile(cases, "cases/"+path.Base(r.ID)+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(text), "\n# ") {
			for _, s := range []*kube.Set{objects(t, part, "case.yaml")} {
				tried += mended(t, r, s, r.ID+" case "+string(rune('0'+i)))
			}
		}
	}
	t.Log(tried, "findings mended")
	if tried < 40 {
		t.Errorf("%d findings of the cases could be mended", tried)
	}
}

// mended makes the edits of the rule's findings in a set, and looks again. It gives how many
// objects were mended.
func mended(t *testing.T, r *posture.Rule, s *kube.Set, where string) int {
	t.Helper()
	edits, unsure := map[*kube.Object][]kube.Edit{}, map[*kube.Object]bool{}
	hits := posture.Probe(r, s)
	for _, hit := range hits {
		edits[hit.Object] = append(edits[hit.Object], hit.Edits...)
		unsure[hit.Object] = unsure[hit.Object] || len(hit.Edits) == 0
	}
	after := &kube.Set{Cluster: s.Cluster}
	n := 0
	for _, o := range s.Objects {
		if len(edits[o]) > 0 && !unsure[o] {
			root, err := kube.Apply(o.Root, edits[o])
			if err != nil {
				t.Errorf("%s: %s: %v", where, o.ID(), err)
				continue
			}
			o, _ = kube.NewObject(root, o.Origin)
			n++
		}
		after.Objects = append(after.Objects, o)
	}
	for _, hit := range posture.Probe(r, after) {
		if before := s.Find(hit.Object.ID()); before != nil && !unsure[before] && len(edits[before]) > 0 {
			t.Errorf("%s: %s is still found after its edits: %s", where, hit.Object.ID(), hit.Evidence)
		}
	}
	return n
}

// corpus is a folder of public manifests beside the repository; without it the test is
// skipped.
func corpus(t *testing.T, name string) string {
	t.Helper()
	dir := path.Join("..", "..", "..", "shared", "data", "manifests", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the manifests of " + name + " are not beside the repository")
	}
	return dir
}

// files gives the objects of each YAML file below a folder, by its path there.
func files(t *testing.T, dir string) map[string]*kube.Set {
	t.Helper()
	sets := map[string]*kube.Set{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".yaml") && !strings.HasSuffix(file, ".yml") {
			return err
		}
		text, err := os.ReadFile(path.Join(dir, file))
		if err == nil {
			sets[file] = objects(t, string(text), file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sets
}

// rulesIn are the rules that find something in a set, with the severity of the worst.
func rulesIn(t *testing.T, f *posture.Family, s *kube.Set) map[string]bulwark.Severity {
	t.Helper()
	got := map[string]bulwark.Severity{}
	for _, f := range found(t, f, s) {
		name := strings.TrimPrefix(f.Rule, "workload/")
		got[name] = max(got[name], f.Severity)
	}
	return got
}
