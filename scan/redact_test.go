package scan

import (
	"context"
	"strings"
	"testing"

	"bulwark"
)

type masking struct{}

func (masking) Info() bulwark.Info { return bulwark.Info{} }
func (masking) Check(context.Context, *bulwark.Target, *bulwark.Inventory, func(bulwark.Record)) error {
	return nil
}

func (masking) Redact(texts []string) []string {
	var out []string
	for _, t := range texts {
		out = append(out, strings.ReplaceAll(t, "value", "***"))
	}
	return out
}

// TestRedact: what reports show of history and labels passes the check that knows secrets.
func TestRedact(t *testing.T) {
	s := &Scanner{Checks: []bulwark.Check{masking{}}}
	given := map[string]string{"org.opencontainers.image.source": "https://me:value@example.com", "manifest": "value"}
	o := &output{
		assets: []bulwark.Asset{{ID: "image:x", Labels: given}, {ID: "layer:y", Labels: map[string]string{"createdBy": "RUN |1 T=value make", "index": "0"}}},
		findings: []bulwark.Finding{
			{Kind: bulwark.KindMisconfig, Evidence: []string{"a value", "history step 3: RUN value"}},
			{Kind: bulwark.KindMalware, Evidence: []string{"layer 3 put it there: RUN value"}},
		},
	}
	s.redact(&bulwark.Target{Image: &bulwark.Image{}}, o)
	if got := o.assets[1].Labels["createdBy"]; got != "RUN |1 T=*** make" {
		t.Errorf("createdBy %q", got)
	}
	const source = "org.opencontainers.image.source"
	if got := o.assets[0].Labels; got[source] != "https://me:***@example.com" || got["manifest"] != "value" || given[source] != "https://me:value@example.com" {
		t.Errorf("labels %q, given %q", got, given)
	}
	if got := o.findings[0].Evidence; got[0] != "a value" || got[1] != "history step 3: RUN ***" {
		t.Errorf("evidence %q", got)
	}
	if got := o.findings[1].Evidence[0]; got != "layer 3 put it there: RUN ***" {
		t.Errorf("evidence %q", got)
	}
	s.redact(&bulwark.Target{}, o) // no image: nothing of a history
	(&Scanner{}).redact(&bulwark.Target{Image: &bulwark.Image{}}, o)
}
