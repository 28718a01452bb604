package workload

import (
	"fmt"
	"strings"
	"testing"

	"bulwark"
	"bulwark/kube"
	"bulwark/kube/kubetest"
)

// counted counts relations and the bytes of what they say, and keeps neither.
type counted struct{ relations, remedies, bytes int }

func (c *counted) Relation(r bulwark.Relation) {
	c.relations++
	c.bytes += len(r.From) + len(r.To) + len(r.Text)
	for _, id := range r.Remedies {
		c.bytes += len(id)
	}
}
func (c *counted) Remedy(bulwark.Remedy) { c.remedies++ }
func (c *counted) Note(bulwark.Note)     {}

func count(tb testing.TB, s *kube.Set, findings ...bulwark.Finding) *counted {
	tb.Helper()
	c := &counted{}
	if err := New().Relate(tb.Context(), &bulwark.Target{Objects: s}, nil, findings, c); err != nil {
		tb.Fatal(err)
	}
	return c
}

func many(n int, each string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(each, "#", fmt.Sprint(i)))
	}
	return b.String()
}

// TestProducts holds that objects which are as large as they may be take relations by what they
// say, and never by the product of two things of which there are many.
func TestProducts(t *testing.T) {
	const n = 10_000
	host := "{name: v#, hostPath: {path: /srv/#}}, "
	evidence := make([]string, 20)
	for i := range evidence {
		evidence[i] = fmt.Sprintf("container c%d: hostPath /srv/%d at /m%d (read-write)", i, i, i)
	}
	for _, tt := range []struct {
		name, objects string
		relations     int
	}{
		{"containers that see each other", pod("shareProcessNamespace: true, containers: [" + many(n, "{name: c#, image: x}, ") + "]"), 10 * n},
		{"a container with folders", pod("volumes: [" + many(n, host) + "], containers: [{name: c0, volumeMounts: [" + many(n, "{name: v#, mountPath: /m#}, ") + "]}]"), 100},
		{"containers with one folder each", pod("volumes: [" + many(n, host) + "], containers: [" + many(n, "{name: c#, volumeMounts: [{name: v#, mountPath: /m#}]}, ") + "]"), 12 * n},
		{"containers with one volume of Secrets", pod("volumes: [{name: v, projected: {sources: [" + many(n, "{secret: {name: s#}}, ") + "]}}], containers: [" + many(n, "{name: c#, volumeMounts: [{name: v, mountPath: /m}]}, ") + "]"), 12 * n},
		{"variables", pod("containers: [{name: c, env: [" + many(n, "{name: A#, valueFrom: {secretKeyRef: {name: s#, key: k}}}, ") + "]}]"), 2 * n},
		{"privileged containers", pod("hostPID: true, hostNetwork: true, containers: [" + many(n, "{name: c#, securityContext: {privileged: true, capabilities: {add: [ALL]}}}, ") + "]"), 30 * n},
		{"claims", pod("volumes: ["+many(n, "{name: v#, persistentVolumeClaim: {claimName: p#}}, ")+"], containers: [{name: c, volumeMounts: ["+many(n, "{name: v#, mountPath: /m#}, ")+"]}]") +
			many(300, "---\n{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv#}, spec: {storageClassName: s#, hostPath: {path: /srv/#}}}\n"), 4 * n},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := finding("workload/host-path", evidence...)
			c := count(t, kubetest.Set(t, tt.objects), f, finding("workload/no-sandbox", evidence...))
			if c.relations == 0 || c.relations > tt.relations {
				t.Errorf("%d relations, %d remedies, %d bytes of text; want %d relations at most", c.relations, c.remedies, c.bytes, tt.relations)
			}
		})
	}
}

// TestExpanded holds that variables which name each other do not grow without end.
func TestExpanded(t *testing.T) {
	env := many(60, "{name: A#, value: $(A@)$(A@)}, ")
	for i := range 60 {
		env = strings.ReplaceAll(env, fmt.Sprintf("{name: A%d, value: $(A@)$(A@)}", i), fmt.Sprintf("{name: A%d, value: $(A%d)$(A%d)}", i, i+1, i+1))
	}
	c := count(t, kubetest.Set(t, pod("volumes: [{name: v, hostPath: {path: /srv}}], containers: [{name: c, env: ["+env+"], volumeMounts: [{name: v, mountPath: /m, subPathExpr: $(A0)}]}]")))
	if c.bytes > 1<<20 {
		t.Errorf("%d bytes of text", c.bytes)
	}
}

// TestCycle holds that objects which own each other, and names of what is not there, are
// answered.
func TestCycle(t *testing.T) {
	owned := func(name, uid, by string) string {
		return "---\n{apiVersion: v1, kind: Pod, metadata: {name: " + name + ", namespace: shop, uid: " + uid + ", ownerReferences: [{apiVersion: v1, kind: Pod, name: x, uid: " + by + ", controller: true}]}, spec: {serviceAccountName: none, nodeName: nowhere, " +
			"volumes: [{name: v, secret: {secretName: none}}, {name: w, persistentVolumeClaim: {claimName: none}}], containers: [{name: c, envFrom: [{configMapRef: {name: none}}], volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}, {name: missing, mountPath: /m}]}]}}\n"
	}
	d := draw(t, kubetest.Set(t, owned("a", "1", "2")+owned("b", "2", "1")+owned("c", "3", "3")))
	if got := d.of("CONTAINER_ATTACH"); len(got) != 3 {
		t.Errorf("containers of pods that own each other: %v", got)
	}
	if got := d.of("VOLUME_DISCOVER"); len(got) == 0 {
		t.Error("what is named and not there is left out")
	}
}
