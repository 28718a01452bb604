package export

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	sigs "sigs.k8s.io/yaml"

	"bulwark/detect/profile"
	"bulwark/internal/need"
)

const evil = "/x/\"'\\{a,b}[c]*?^@#\n  allow: all\x1b[31m\u2028\x85 \x7f,\r\n"

func use(what string) *profile.Use {
	return &profile.Use{At: time.Unix(1, 0), Event: "execve", By: evil, PID: 1, What: what, Container: "\n- x"}
}

// hostile is a profile in which every text is what an image or a network may bring about.
func hostile() *profile.Profile {
	u := use(evil)
	return &profile.Profile{
		Schema: profile.Schema, Image: evil, ID: "sha256:\n1", Arch: "amd64", Calls: true, Granted: true, Namespace: evil,
		Executables:  map[string]*profile.Use{evil: u, "/bin/sh": u},
		Files:        map[string]*profile.File{evil: {Read: u, Write: u, Map: u}, "/proc/*/status": {Read: u}, "/usr/lib/": {Read: u, Map: u}, evil + "/": {Write: u}},
		Destinations: map[string]*profile.Destination{"a": {Use: *u, Proto: "tcp", Net: "10.0.0.0/24", Port: 1, Name: evil, Pod: &profile.Pod{Namespace: evil, Labels: map[string]string{evil: evil}}}, "b": {Use: *u, Proto: "udp", Net: evil, Port: 53}, "c": {Use: *u, Proto: evil, Net: evil}, "d": {Use: *u, Proto: "tcp", Net: "2001:db8::1", Port: 2}},
		Listeners:    map[string]*profile.Listener{"tcp 80": {Use: *u, Proto: "tcp", Port: 80}, "x": {Use: *u, Proto: evil, Port: 9}},
		Peers:        map[string]*profile.Peer{"p": {Use: *u, Proto: "tcp", Port: 80, Net: "192.0.2.1"}},
		Names:        map[string]*profile.Use{evil: u},
		Syscalls:     map[string]*profile.Use{"openat": u, evil: u},
		Capabilities: map[string]*profile.Use{"CAP_CHOWN": u, "CAP_" + evil: u},
		Users:        map[string]*profile.Use{"101": u}, Gains: map[string]*profile.Use{evil: u}, Changes: map[string]*profile.Use{evil: u},
		Labels: map[string]string{evil: evil}, Loaded: map[string]string{evil: evil}, Full: map[string]int{evil: 1},
	}
}

// TestHostile holds that no text leaves its place in a document.
func TestHostile(t *testing.T) {
	p := hostile()
	for _, f := range Formats() {
		text, err := f.Write(p)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		for _, r := range text {
			if r != '\n' && unicode.IsControl(r) {
				t.Errorf("%s shows control characters", f.Name)
				break
			}
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(strings.TrimSpace(line), "allow: all") {
				t.Errorf("%s: a text is a line of its own: %q", f.Name, line)
			}
		}
		switch f.Name {
		case "seccomp", "in-use":
			if !json.Valid([]byte(text)) {
				t.Errorf("%s is no JSON", f.Name)
			}
		case "networkpolicy", "securitycontext":
			var any map[string]any
			if err := yaml.Unmarshal([]byte(text), &any); err != nil {
				t.Errorf("%s is no YAML: %v\n%s", f.Name, err, text)
			}
		}
	}
}

// TestKubernetes holds the documents to the types of Kubernetes, strictly.
func TestKubernetes(t *testing.T) {
	for _, p := range []*profile.Profile{hostile(), {Image: "x"}} {
		text, err := NetworkPolicy(p)
		if err != nil {
			t.Fatal(err)
		}
		var policy networkingv1.NetworkPolicy
		if err := sigs.UnmarshalStrict([]byte(text), &policy); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if len(policy.Spec.PolicyTypes) != 2 || len(policy.Spec.PodSelector.MatchLabels) == 0 {
			t.Errorf("%+v", policy.Spec)
		}
		if p.Peers != nil && (len(policy.Spec.Ingress) != 1 || len(policy.Spec.Egress) != 4) {
			t.Errorf("%d ingress, %d egress\n%s", len(policy.Spec.Ingress), len(policy.Spec.Egress), text)
		}
		if text, err = SecurityContext(p); err != nil {
			t.Fatal(err)
		}
		var d appsv1.Deployment
		if err := sigs.UnmarshalStrict([]byte(text), &d); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if c := d.Spec.Template.Spec.Containers; len(c) != 1 || c[0].SecurityContext.Capabilities.Drop[0] != "ALL" {
			t.Errorf("%+v", c)
		}
	}
}

// TestAppArmor gives the profile to AppArmor's own parser.
func TestAppArmor(t *testing.T) {
	parser := need.Tool(t, "apparmor_parser")
	for _, p := range []*profile.Profile{hostile(), {Image: "x"}} {
		text, err := AppArmor(p)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "profile")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(parser, "-Q", "-K", file).CombinedOutput(); err != nil {
			t.Errorf("%v %s\n%s", err, out, text)
		}
	}
}

// TestSeccomp holds what a filter has beside what was seen.
func TestSeccomp(t *testing.T) {
	text, err := Seccomp(&profile.Profile{Image: "x", Arch: "amd64", Syscalls: map[string]*profile.Use{"openat": use(""), "statx": use("")}})
	if err != nil {
		t.Fatal(err)
	}
	var doc seccomp
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	action := map[string]string{}
	for _, rule := range doc.Syscalls {
		if rule.Comment == "" {
			t.Errorf("%v is not explained", rule.Names)
		}
		for _, name := range rule.Names {
			if action[name] != "" {
				t.Errorf("%s has two rules", name)
			}
			action[name] = rule.Action
		}
	}
	for name, want := range map[string]string{"openat": allow, "execve": allow, "exit_group": allow, "statx": allow, "pidfd_open": refuse, "ptrace": "", "mount": "", "bpf": ""} {
		if action[name] != want {
			t.Errorf("%s: %q, want %q", name, action[name], want)
		}
	}
	if doc.Default != refuse || doc.Errno != 1 || len(doc.Architectures) != 1 {
		t.Errorf("%+v", doc)
	}
	for _, p := range []*profile.Profile{{Arch: "amd64"}, {Arch: "pdp11", Syscalls: map[string]*profile.Use{"openat": nil}}, {Arch: "amd64", Syscalls: map[string]*profile.Use{"32-bit": use("")}}} {
		if _, err := Seccomp(p); err == nil {
			t.Errorf("a filter was made of %+v", p)
		}
	}
}

// TestInferred holds what is said where the use of capabilities was not seen.
func TestInferred(t *testing.T) {
	p := &profile.Profile{Users: map[string]*profile.Use{"0": use("")}, Syscalls: map[string]*profile.Use{"chown": use("")}, Listeners: map[string]*profile.Listener{"tcp 80": {Proto: "tcp", Port: 80}}}
	caps := Capabilities(p)
	for _, name := range []string{"CAP_CHOWN", "CAP_NET_BIND_SERVICE", "CAP_DAC_OVERRIDE"} {
		if !strings.Contains(caps[name], "inferred") {
			t.Errorf("%s: %q", name, caps[name])
		}
	}
	p.Granted = true
	if caps := Capabilities(p); len(caps) != 0 {
		t.Errorf("%v", caps)
	}
}
