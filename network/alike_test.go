package network_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"bulwark/kube"
	"bulwark/network"
	"bulwark/source/manifest"
)

// Members of a class cannot be exchanged for each other without anybody noticing, and
// classes differ.
func TestAlike(t *testing.T) {
	folders, _ := filepath.Glob(cases + "/*/manifests")
	if len(folders) == 0 {
		t.Skip("the cases of ../shared are not there")
	}
	for _, folder := range folders {
		e := network.New(objects(t, folder))
		n := len(e.Endpoints) - 1
		class, members := make([]int, n), 0
		list := e.Alike()
		for c, who := range list {
			for _, i := range who {
				class[i] = c
				members++
			}
		}
		if members != n {
			t.Errorf("%s: %d of %d endpoints are in classes", folder, members, n)
		}
		seen := map[[2]int]string{}
		for i := range n {
			for j := range n {
				key := [2]int{class[i], class[j]}
				got := e.Ports(i, j).String()
				if want, ok := seen[key]; ok && got != want {
					t.Fatalf("%s: %v to %v: %s, and others of their classes %s", folder, e.Endpoints[i], e.Endpoints[j], got, want)
				}
				seen[key] = got
			}
		}
		told := map[string]int{} // what everybody sees of a class
		for c, who := range list {
			i, text := who[0], ""
			for j := range n {
				text += fmt.Sprintln(e.Ports(i, j), e.Ports(j, i))
			}
			for _, d := range []network.Direction{network.Ingress, network.Egress} {
				for b := range e.Blocks(d) {
					text += fmt.Sprintln(e.BlockPorts(d, i, b))
				}
			}
			text += e.FromController(i).String()
			if other, ok := told[text]; ok {
				t.Logf("%s: classes %d and %d are alike", folder, c, other) // one more than needed does no harm
			}
			told[text] = c
		}
	}
}

// objects are those of a folder's manifests.
func objects(t *testing.T, folder string) *kube.Set {
	t.Helper()
	target, err := (&manifest.Source{}).Open(context.Background(), folder)
	if err != nil {
		t.Fatal(err)
	}
	return kube.Of(target)
}
