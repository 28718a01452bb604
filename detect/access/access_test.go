package access_test

import (
	"strings"
	"testing"

	"bulwark"
	"bulwark/detect/access"
	. "bulwark/detect/internal/detecttest"
	"bulwark/detect/internal/family"
)

var options = access.Options{Sensitive: []access.Sensitive{
	{Name: "payment keys", Severity: bulwark.SeverityCritical, Paths: []string{"/srv/keys/"}, Read: []access.Who{{Programs: []string{"/usr/bin/pay"}}}, Change: []access.Who{{Users: []uint32{0}, Programs: []string{"/usr/bin/rotate"}}}},
	{Name: "secrets", Volumes: []string{"kubernetes.io~secret", "vault-data"}, Read: []access.Who{{Pods: []string{"shop/pay-*"}}}},
}}

func app(s *Scene) *Proc { return s.Container("app:1", "/usr/bin/app") }

func pod(s *Scene, name string) *Proc {
	return s.ContainerAs(&bulwark.Container{Image: "app:1", Pod: &bulwark.PodRef{Namespace: "shop", Name: name},
		Mounts: []bulwark.Mount{{Source: "/var/lib/kubelet/pods/u/volumes/kubernetes.io~secret/db", Dest: "/etc/db"}}}, "/usr/bin/app")
}

func TestRules(t *testing.T) {
	token := "/run/secrets/kubernetes.io/serviceaccount/..2026_03_01/token"
	Run(t, func() *family.Family { return access.New(options) }, []Twins{
		{Rule: "service-account-token",
			Attack: func(s *Scene) { app(s).Run("/bin/cat", "x").Do("openat", FD(token), "name", "token", "flags", Read) },
			Benign: func(s *Scene) {
				app(s).Open(token, Read).Run("/bin/cat").Open("/run/secrets/kubernetes.io/serviceaccount/..2026_03_01/ca.crt", Read)
			}},
		{Rule: "credential-file",
			Attack: func(s *Scene) { app(s).Run("/bin/tar", "c", "/root").Open("/root/.aws/credentials", Read) },
			Benign: func(s *Scene) {
				app(s).Run("/usr/bin/aws").Open("/root/.aws/credentials", Read)
				app(s).Run("/usr/bin/kubectl").Open("/root/.kube/config", Read)
				s.Node("/usr/bin/kube-apiserver").Open("/etc/kubernetes/pki/ca.key", Read)
			}},
		{Rule: "shadow",
			Attack: func(s *Scene) {
				app(s).Run("/bin/cat").Do("openat", FD("/etc/shadow"), "name", "innocent", "flags", Read)
			},
			Benign: func(s *Scene) {
				app(s).Run("/usr/bin/su").Open("/etc/shadow", Read)
				app(s).Run("/usr/bin/perl", "/usr/bin/pg_isready", "-q").Open("/etc/shadow", Read)
				s.Node("/usr/sbin/sshd").Open("/etc/shadow", Read)
				app(s).Open("/etc/passwd", Read)
			}},
		{Rule: "process-environment",
			Attack: func(s *Scene) { app(s).Run("/bin/cat", "/proc/1/environ").Open("/proc/1/environ", Read) },
			Benign: func(s *Scene) {
				app(s).Open("/proc/1/environ", Read).Run("/bin/cat").Open("/proc/self/environ", Read)
				app(s).Run("/bin/cat").Open("/srv/environ", Read)
			}},
		{Rule: "declared",
			Attack: func(s *Scene) { app(s).Open("/srv/keys/a.pem", Read) },
			Benign: func(s *Scene) {
				app(s).Run("/usr/bin/pay").Open("/srv/keys/a.pem", Read)
				app(s).Run("/usr/bin/rotate").Open("/srv/keys/a.pem", Create)
				pod(s, "pay-1").Open("/etc/db/password", Read).Open("/etc/dbx", Create)
				app(s).Fail(13, "openat", "name", "/srv/keys/a.pem")
			}},
	},
		Case{Name: "secret volume", Fires: "declared", Do: func(s *Scene) { pod(s, "web-1").Open("/etc/db/password", Read) }},
		Case{Name: "copied", Fires: "declared", Do: func(s *Scene) {
			pod(s, "pay-1").Run("/bin/cp", "/etc/db/password", "/tmp").Open("/etc/db/password", Read)
			says(t, s, "secrets was copied")
		}},
		Case{Name: "deleted", Fires: "declared", Do: func(s *Scene) {
			p := app(s).Run("/usr/bin/rotate")
			p.CWD = "/srv"
			p.Do("unlinkat", nil, "name", "keys/a.pem")
			says(t, s, "payment keys was deleted")
		}},
		Case{Name: "a program of that name", Fires: "declared", Do: func(s *Scene) { app(s).RunUpper("/usr/bin/pay").Open("/srv/keys/a.pem", Read) }},
	)
}

func says(t *testing.T, s *Scene, line string) {
	t.Helper()
	for _, f := range s.Findings {
		if strings.Contains(strings.Join(f.Evidence, "\n"), line) {
			return
		}
	}
	t.Errorf("nothing says %q: %v", line, s.Findings)
}
