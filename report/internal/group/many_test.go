package group

import (
	"testing"

	"bulwark"
)

func TestCrowds(t *testing.T) {
	finding := func(rule, subject string, s bulwark.Severity) []*bulwark.Finding {
		return []*bulwark.Finding{{Kind: bulwark.KindMisconfig, Rule: rule, Subject: subject, Severity: s, Path: "x.yaml"}}
	}
	low, high := bulwark.SeverityLow, bulwark.SeverityHigh
	var lists [][]*bulwark.Finding
	for _, name := range []string{"a", "b", "c", "d"} {
		lists = append(lists, finding("x/many", "default/Pod/"+name, low), finding("x/bad", "default/Pod/"+name, high), finding("x/file", "x.yaml", low))
	}
	lists = append(lists, finding("x/few", "ClusterRole/a", low))
	var got []int
	for _, l := range Crowds(lists) {
		got = append(got, len(l))
	}
	want := []int{4, 1, 1, 1, 1, 1, 1, 1, 1, 1} // four low ones of one rule, everything else by itself
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("rows of %v findings, want %v", got, want)
	}
}

func TestObject(t *testing.T) {
	for subject, want := range map[string]string{
		"default/Deployment/web": "Deployment/web", "ClusterRole/admin": "ClusterRole/admin", "ns/Rollout.argoproj.io/x": "Rollout.argoproj.io/x",
		"srv/app/x": "", "Dockerfile": "", "x.yaml": "", "/etc/Passwd": "", "a/B/": "",
	} {
		if got := Object(&bulwark.Finding{Kind: bulwark.KindMisconfig, Subject: subject, Path: "x.yaml"}); got != want {
			t.Errorf("the object of %q is %q, want %q", subject, got, want)
		}
	}
	if got := Object(&bulwark.Finding{Kind: bulwark.KindSecret, Subject: "default/Pod/x"}); got != "" {
		t.Errorf("%q", got)
	}
}
