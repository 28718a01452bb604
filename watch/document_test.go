package watch

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func TestDocumented(t *testing.T) {
	for _, tt := range []struct {
		kind bulwark.Kind
		doc  string
		want bulwark.Finding
	}{
		{bulwark.KindK8sAudit, `{"verb":"create","user":{"username":"alice"},"objectRef":{"resource":"pods","subresource":"exec","namespace":"shop","name":"web"}}`, bulwark.Finding{Subject: "alice create pods/exec shop/web"}},
		{bulwark.KindK8sAudit, `{"verb":"get","user":{"username":"bob"},"requestURI":"/metrics?x=1"}`, bulwark.Finding{Subject: "bob get /metrics"}},
		{bulwark.KindK8sAudit, `{"verb":1}`, bulwark.Finding{}},
		{bulwark.KindEngine, `{"Type":"container","Action":"oom","Actor":{"ID":"3ad7","Attributes":{"image":"nginx:1.27","name":"web"}}}`, bulwark.Finding{Subject: "web", Container: &bulwark.ContainerRef{ID: "3ad7", Name: "web", Image: "nginx:1.27"}}},
		{bulwark.KindEngine, `{"Type":"image","Action":"pull","Actor":{"ID":"nginx:1.27","Attributes":{"name":"nginx"}}}`, bulwark.Finding{Subject: "nginx"}},
		{bulwark.KindEngine, `{"status":"died","id":"3ad7","from":"nginx"}`, bulwark.Finding{Subject: "3ad7", Container: &bulwark.ContainerRef{ID: "3ad7", Image: "nginx"}}},
		{bulwark.KindEngine, `x`, bulwark.Finding{}},
	} {
		var got bulwark.Finding
		documented(&got, &bulwark.Event{Kind: tt.kind, Doc: []byte(tt.doc)})
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.doc, d)
		}
	}
	kept := bulwark.Finding{Subject: "mine"}
	documented(&kept, &bulwark.Event{Kind: bulwark.KindK8sAudit, Doc: []byte(`{"verb":"get"}`)})
	if kept.Subject != "mine" {
		t.Error(kept.Subject)
	}
}

// TestRequestsAreAboutObjects: a finding about a request has the object as asset, by the id that scans of the cluster give it, and
// not the machine that reads the log.
func TestRequestsAreAboutObjects(t *testing.T) {
	for _, tt := range []struct{ doc, subject, id, kind string }{
		{`{"verb":"create","objectRef":{"resource":"pods","subresource":"exec","namespace":"shop","name":"web","apiVersion":"v1"}}`, "", "k8s:prod/shop/Pod/web", "Pod"},
		{`{"verb":"create","objectRef":{"resource":"pods","namespace":"shop"},"requestObject":{"kind":"Pod","metadata":{"generateName":"web-"}},"responseObject":{"kind":"Pod","metadata":{"name":"web-x1"}}}`, "", "k8s:prod/shop/Pod/web-x1", "Pod"},
		{`{"verb":"create","objectRef":{"resource":"pods","namespace":"shop"},"requestObject":{"kind":"Pod","metadata":{"generateName":"web-"}},"responseObject":{"kind":"Status","metadata":{"name":"x"}}}`, "", "k8s:prod/Namespace/shop", "Namespace"},
		{`{"verb":"create","objectRef":{"resource":"clusterrolebindings","name":"give","apiGroup":"rbac.authorization.k8s.io"}}`, "", "k8s:prod/ClusterRoleBinding/give", "ClusterRoleBinding"},
		{`{"verb":"update","objectRef":{"resource":"rollouts","namespace":"shop","name":"web","apiGroup":"argoproj.io"},"requestObject":{"kind":"Rollout","metadata":{"name":"web"}}}`, "", "k8s:prod/shop/Rollout.argoproj.io/web", "Rollout.argoproj.io"},
		{`{"verb":"get","objectRef":{"resource":"gadgets","namespace":"shop","name":"web","apiGroup":"example.com"}}`, "", "k8s:prod/Namespace/shop", "Namespace"},
		{`{"verb":"list","objectRef":{"resource":"secrets","namespace":"shop"},"responseObject":{"kind":"SecretList","metadata":{}}}`, "", "k8s:prod/Namespace/shop", "Namespace"},
		{`{"verb":"delete","objectRef":{"resource":"namespaces","namespace":"shop","name":"shop"}}`, "", "k8s:prod/Namespace/shop", "Namespace"},
		{`{"verb":"list","objectRef":{"resource":"secrets"}}`, "", "k8s:prod", "cluster"},
		{`{"verb":"get","requestURI":"/metrics"}`, "", "k8s:prod", "cluster"},
		{`{"verb":"get","objectRef":{"resource":"pods","namespace":"a/b","name":"\u001b[2Jx"}}`, "", "k8s:prod", "cluster"},
		{`{"verb":"get","objectRef":{"resource":"pods","namespace":"shop","name":"web"}}`, "mallory", "k8s:prod", "cluster"},
		{`{"verb":1}`, "", "k8s:prod", "cluster"},
	} {
		d := &fake{name: "detect/asked", want: bulwark.Interest{bulwark.KindK8sAudit: nil}, look: func(*bulwark.Event) []bulwark.Finding {
			return []bulwark.Finding{{Rule: "asked/it", Severity: bulwark.SeverityHigh, Title: "t", Subject: tt.subject}}
		}}
		w := &Watcher{Detectors: []bulwark.Detector{d}, Host: bulwark.Asset{ID: "host:h", Kind: "host"}, Cluster: "prod"}
		out := run(t, w, func(_ context.Context, emit func(...bulwark.Event)) {
			emit(bulwark.Event{Kind: bulwark.KindK8sAudit, Source: bulwark.SourceK8sAudit, Time: t0, Doc: []byte(tt.doc)})
		})
		if len(out.findings) != 1 || string(out.findings[0].Asset) != tt.id {
			t.Errorf("%s: %+v, want %s", tt.doc, out.findings, tt.id)
			continue
		}
		told := map[bulwark.AssetID]string{}
		for _, a := range out.assets {
			told[a.ID] = a.Kind
		}
		if told[out.findings[0].Asset] != tt.kind || told["k8s:prod"] != "cluster" {
			t.Errorf("%s: told of %v", tt.doc, told)
		}
	}
}
