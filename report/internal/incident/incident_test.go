package incident

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func TestAttacks(t *testing.T) {
	for _, tt := range []struct {
		tags []string
		want []Attack
	}{
		{nil, nil},
		{[]string{"container", "T12", "TA00040", "attack:T1611x", "attack:TA0001.001", "T", "attack:"}, nil},
		{[]string{"attack:T1611", "T1611"}, []Attack{{Technique: "T1611"}}},
		{[]string{"mitre_execution", "T1059", "attack:T1059.004"}, []Attack{{Technique: "T1059", Tactic: "TA0002"}, {Technique: "T1059", SubTechnique: "T1059.004", Tactic: "TA0002"}}},
		{[]string{"mitre_execution", "attack:TA0004", "T1059"}, []Attack{{Technique: "T1059"}, {Tactic: "TA0002"}, {Tactic: "TA0004"}}},
	} {
		if d := cmp.Diff(tt.want, Attacks(tt.tags)); d != "" {
			t.Errorf("%v (-want +got):\n%s", tt.tags, d)
		}
	}
	if TacticName("TA0011") != "Command and Control" || TacticName("TA0004") != "Privilege Escalation" || TacticName("x") != "" {
		t.Error(TacticName("TA0011"), TacticName("TA0004"))
	}
}

func TestSource(t *testing.T) {
	for _, tt := range []struct {
		f    bulwark.Finding
		want string
	}{
		{bulwark.Finding{Rule: "escape/ptrace"}, bulwark.SourceSyscall},
		{bulwark.Finding{Rule: "kubernetes/exec"}, bulwark.SourceK8sAudit},
		{bulwark.Finding{Rule: "falco/kubernetes/exec", Alert: &bulwark.Alert{Source: bulwark.SourceEngine}}, bulwark.SourceEngine},
	} {
		if got := Source(&tt.f); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.f.Rule, got, tt.want)
		}
	}
}

func TestImage(t *testing.T) {
	for ref, want := range map[string][2]string{
		"nginx": {"nginx", ""}, "nginx:1.27": {"nginx", "1.27"}, "r:5000/a/b": {"r:5000/a/b", ""}, "r:5000/a/b:x@sha256:00": {"r:5000/a/b", "x"}, "": {"", ""},
	} {
		if repo, tag := Image(ref); repo != want[0] || tag != want[1] {
			t.Errorf("%q: %q %q", ref, repo, tag)
		}
	}
}

func TestMessage(t *testing.T) {
	for output, want := range map[string]string{
		"12:34:56.123456789: Warning a file was read": "a file was read", "12:34:56.123456789: Notice a": "12:34:56.123456789: Notice a", "a file was read": "a file was read",
		"99:34:56.123456789: Warning a": "99:34:56.123456789: Warning a", "12:34:56.123456789: Warning": "12:34:56.123456789: Warning",
	} {
		if got := Message(&bulwark.Finding{Title: "t", Alert: &bulwark.Alert{Priority: "Warning", Output: output}}); got != want {
			t.Errorf("%q: %q, want %q", output, got, want)
		}
	}
	if got := Message(&bulwark.Finding{Title: "t", Evidence: []string{"a", "b"}}); got != "t: a; b" {
		t.Error(got)
	}
}

func TestLevel(t *testing.T) {
	for _, tt := range []struct {
		severity bulwark.Severity
		priority string
		want     string
	}{
		{bulwark.SeverityCritical, "", "Critical"}, {bulwark.SeverityLow, "", "Notice"}, {bulwark.SeverityUnknown, "", "Notice"}, {99, "", "Critical"},
		{bulwark.SeverityLow, "EMERGENCY", "Emergency"}, {bulwark.SeverityLow, "INFO", "Informational"}, {bulwark.SeverityHigh, "odd", "Error"},
	} {
		f := &bulwark.Finding{Severity: tt.severity}
		if tt.priority != "" {
			f.Alert = &bulwark.Alert{Priority: tt.priority}
		}
		if got := LevelName(Level(f)); got != tt.want {
			t.Errorf("%v: %s", tt, got)
		}
	}
}
