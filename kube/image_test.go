package kube

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImages(t *testing.T) {
	d := strings.Repeat("a", 64)
	s := &Set{}
	for _, doc := range ParseYAML([]byte(`
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, uid: u1}, spec: {template: {spec: {containers: [{name: c, image: "nginx:1"}, {name: d, image: "other:2"}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p, uid: u2, ownerReferences: [{uid: u1, controller: true}]}, status: {containerStatuses: [{name: c, imageID: "docker-pullable://nginx@sha256:` + d + `"}, {name: injected, imageID: "mesh/proxy@sha256:` + strings.Repeat("b", 64) + `"}, {name: d, imageID: "sha256:local"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: alone}, spec: {containers: [{name: c, image: "mirror/nginx:1"}]}, status: {containerStatuses: [{name: c, imageID: "mirror/nginx@sha256:` + d + `"}]}}
`)) {
		o, ok := NewObject(doc.Root, Origin{})
		if !ok {
			t.Fatal(doc.Err)
		}
		s.Objects = append(s.Objects, o)
	}
	want := []Image{
		{Ref: "mesh/proxy@sha256:" + strings.Repeat("b", 64), Name: "mesh/proxy@sha256:" + strings.Repeat("b", 64), Workloads: []string{"default/Deployment/web"}},
		{Ref: "mirror/nginx@sha256:" + d, Name: "mirror/nginx:1", Workloads: []string{"default/Deployment/web", "default/Pod/alone"}},
		{Ref: "other:2", Name: "other:2", Workloads: []string{"default/Deployment/web"}},
	}
	if diff := cmp.Diff(want, Images(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
