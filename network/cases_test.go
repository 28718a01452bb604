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

const cases = "../../shared/data/netpol"

// others are the files of other cases that a case's answer speaks of.
var others = map[string][]string{
	"multiple_topology_resources_1":          {"with_end_port_example_new"},
	"multiple_topology_resources_3":          {"with_end_port_example_new"},
	"semanticDiff-orig-topologies-policy-a":  {"with_end_port_example_new"},
	"semanticDiff-same-topologies-new1a":     {"multiple_topology_resources_1/manifests/bank_pod_list_yaml_version.yml"},
	"semanticDiff-same-topologies-new3":      {"multiple_topology_resources_1/manifests/bank_pod_list_yaml_version.yml"},
	"semanticDiff-same-topologies-old2":      {"multiple_topology_resources_1/manifests/bank_pod_list_yaml_version.yml"},
	"test_with_named_ports":                  {"with_end_port_example_new"},
	"test_with_named_ports_changed_netpol_2": {"with_end_port_example_new"},
	// Nowhere in the data are the pods that these speak of.
	"semanticDiff-different-topologies-policy-a": nil,
	"semanticDiff-different-topologies-policy-b": nil,
}

func TestCases(t *testing.T) {
	folders, _ := filepath.Glob(cases + "/*/manifests")
	if len(folders) == 0 {
		t.Skip("the cases of ../shared are not there")
	}
	for _, folder := range folders {
		name := filepath.Base(filepath.Dir(folder))
		t.Run(name, func(t *testing.T) {
			more, ok := others[name]
			if ok && more == nil {
				t.Skip("the pods of its answer are in no manifest")
			}
			dir := t.TempDir()
			copied(t, folder, filepath.Join(dir, "case"))
			for _, other := range more {
				if filepath.Ext(other) == "" {
					copied(t, filepath.Join(cases, other, "manifests", "ns_list.yaml"), filepath.Join(dir, "ns"))
					other += "/manifests/pods_list.yaml"
				}
				copied(t, filepath.Join(cases, other), filepath.Join(dir, "pods"))
			}
			want, err := os.ReadFile(filepath.Join(folder, "..", "expected.txt"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), list(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// copied copies a file or folder into a folder.
func copied(t *testing.T, from, to string) {
	t.Helper()
	var err error
	if info, e := os.Stat(from); e == nil && info.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else if err = os.MkdirAll(to, 0o755); err == nil {
		var data []byte
		if data, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(from)), data, 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// list is the answer for the manifests of a folder, as people are given it.
func list(t *testing.T, folder string) string {
	t.Helper()
	target, err := (&manifest.Source{}).Open(context.Background(), folder)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range network.New(kube.Of(target)).Connections() {
		b.WriteString(c.String() + "\n")
	}
	return b.String()
}
