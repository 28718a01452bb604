package manifest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

func TestRules(t *testing.T) {
	c := New()
	posture.TestFamily(t, c.Family)
	tests, err := c.TestRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range tests {
		for _, why := range res.Failures {
			t.Errorf("%s: %s", res.Rule, why)
		}
	}
}

func TestBroken(t *testing.T) {
	s := &kube.Set{Broken: []kube.Broken{
		{File: "a.yaml", Line: 3, Err: errors.New("one")}, {File: "a.yaml", Line: 9, Err: errors.New("two\x1b[31m")}, {File: "b.yaml", Line: 1, Err: errors.New("three")},
	}}
	keys := map[string]bool{}
	var got []string
	var notes []*bulwark.Note
	err := New().Check(context.Background(), &bulwark.Target{Objects: s}, nil, func(r bulwark.Record) {
		if r.Note != nil {
			notes = append(notes, r.Note)
			return
		}
		keys[r.Finding.Key] = true
		got = append(got, r.Finding.Rule+" "+r.Finding.Path+" "+r.Finding.Evidence[0])
	})
	if err != nil || len(keys) != 3 {
		t.Errorf("error %v, %d keys", err, len(keys))
	}
	if len(notes) != 1 || !notes[0].Incomplete || !strings.HasPrefix(notes[0].Text, "3 documents") {
		t.Errorf("notes %+v; what could not be read makes the report incomplete", notes)
	}
	want := []string{"manifest/broken a.yaml one", "manifest/broken a.yaml two[31m", "manifest/broken b.yaml three"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSeverity(t *testing.T) {
	for text, want := range map[string]bulwark.Severity{
		"metadata: {name: a, name: b}":                                           bulwark.SeverityLow,
		"spec: {hostNetwork: true, hostNetwork: false, containers: [{name: a}]}": bulwark.SeverityMedium,
		"spec: {containers: [{name: a, securityContext: {privilaged: true}}]}":   bulwark.SeverityMedium,
		"spec: {containers: [{name: a, env: [{name: A, value: 1}]}]}":            bulwark.SeverityLow,
	} {
		d := kube.ParseYAML([]byte("apiVersion: v1\nkind: Pod\n" + text))[0]
		o, _ := kube.NewObject(d.Root, kube.Origin{File: "a.yaml"})
		o.Problems = d.Problems
		var got []bulwark.Severity
		New().Check(context.Background(), &bulwark.Target{Objects: &kube.Set{Objects: []*kube.Object{o}}}, nil, func(r bulwark.Record) { got = append(got, r.Finding.Severity) })
		if diff := cmp.Diff([]bulwark.Severity{want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
