package network_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bulwark/kube"
	"bulwark/network"
	"bulwark/source/manifest"

	"github.com/google/go-cmp/cmp"
)

func TestCases(t *testing.T) {
	folders, _ := filepath.Glob("../../shared/data/netpol/*/manifests")
	if len(folders) == 0 {
		t.Skip("the cases of ../shared are not there")
	}
	for _, folder := range folders {
		t.Run(filepath.Base(filepath.Dir(folder)), func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(folder, "..", "expected.txt"))
			if err != nil {
				t.Fatal(err)
			}
			target, err := (&manifest.Source{}).Open(context.Background(), folder)
			if err != nil {
				t.Fatal(err)
			}
			e := network.New(kube.Of(target))
			var got []string
			for _, c := range e.Connections() {
				got = append(got, c.String())
			}
			for _, p := range e.Problems {
				t.Log(p.Object.ID(), p.Path, p.Text)
			}
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(want)), "\n"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
