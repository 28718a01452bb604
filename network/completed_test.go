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

func TestCompleted(t *testing.T) {
	base := "../../shared/data/netpol/"
	for _, c := range strings.Fields("test_with_named_ports_changed_netpol_2 test_with_named_ports semanticDiff-same-topologies-old2 semanticDiff-same-topologies-new3 semanticDiff-same-topologies-new1a semanticDiff-orig-topologies-policy-a semanticDiff-different-topologies-policy-b semanticDiff-different-topologies-policy-a multiple_topology_resources_3 multiple_topology_resources_1") {
		t.Run(c, func(t *testing.T) {
			dir := t.TempDir()
			lists := []string{base + "with_end_port_example_new/manifests/ns_list.yaml", base + "with_end_port_example_new/manifests/pods_list.yaml"}
			if strings.HasPrefix(c, "semanticDiff-same") || strings.HasPrefix(c, "semanticDiff-diff") {
				lists = []string{base + "multiple_topology_resources_1/manifests/bank_pod_list_yaml_version.yml"}
			}
			for _, f := range lists {
				b, _ := os.ReadFile(f)
				os.WriteFile(filepath.Join(dir, filepath.Base(f)), b, 0o644)
			}
			os.CopyFS(filepath.Join(dir, "m"), os.DirFS(base+c+"/manifests"))
			want, _ := os.ReadFile(base + c + "/expected.txt")
			target, err := (&manifest.Source{}).Open(context.Background(), dir)
			if err != nil {
				t.Fatal(err)
			}
			e := network.New(kube.Of(target))
			var got []string
			for _, c := range e.Connections() {
				got = append(got, c.String())
			}
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(want)), "\n"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
