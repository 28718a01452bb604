package overlay

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// TestAsKustomize: what a kustomization gives here is what kustomize itself makes of it.
func TestAsKustomize(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "..", "shared", "data", "manifests")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("needs ../shared/data/manifests beside the repository")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tree := &Tree{Root: root}
	all := map[string]*Kustomization{}
	fs.WalkDir(root.FS(), ".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && tree.Kustomization(filepath.Dir(file)) == file {
			k, err := tree.Parse(file)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				return nil
			}
			all[k.Dir] = k
		}
		return nil
	})
	same := 0
	for _, k := range all {
		if k.Component {
			continue
		}
		o := krusty.MakeDefaultOptions()
		o.LoadRestrictions = types.LoadRestrictionsNone
		m, err := krusty.MakeKustomizer(o).Run(filesys.MakeFsOnDisk(), filepath.Join(dir, k.Dir))
		ours, ourErr := tree.Build(context.Background(), k.Dir, all, true)
		if err != nil || ourErr != nil {
			if err == nil {
				t.Errorf("%s: %v", k.Dir, ourErr)
			}
			continue
		}
		var want, got []string
		for _, r := range m.Resources() {
			b, err := r.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, string(b))
		}
		for _, b := range ours {
			got = append(got, string(b))
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-kustomize +ours):\n%.2000s", k.Dir, diff)
			continue
		}
		same++
	}
	t.Logf("%d kustomizations give what kustomize makes of them", same)
	if same < 5 {
		t.Errorf("%d only", same)
	}
}

// FuzzParse: no kustomization makes the parser fail, or lets it look outside.
func FuzzParse(f *testing.F) {
	f.Add([]byte("resources: [../x, https://x/y, a.yaml]\npatches: [{path: p, target: {kind: A}}]\nconfigMapGenerator: [{files: [a=b]}]\n"))
	f.Add([]byte("bases: [..]\ntransformers: ['a: b\n  c: http://x']\nhelmCharts: [{}]\n"))
	dir := f.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		f.Fatal(err)
	}
	defer root.Close()
	f.Fuzz(func(t *testing.T, data []byte) {
		tree := &Tree{Root: root, instead: map[string][]byte{"kustomization.yaml": data}}
		k, err := tree.Parse("kustomization.yaml")
		if err != nil {
			return
		}
		for _, p := range slices.Concat(k.Dirs, k.Files, k.Others) {
			if !filepath.IsLocal(p) {
				t.Errorf("%q leads to %q", data, p)
			}
		}
	})
}
