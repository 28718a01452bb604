package watch

import (
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
