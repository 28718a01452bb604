package network_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"bulwark"
	. "bulwark/detect/internal/detecttest"
	"bulwark/detect/internal/family"
	"bulwark/detect/network"
)

func app(s *Scene) *Proc { return s.Container("app:1", "/usr/bin/app") }

func encoded(i int) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(i)))
	return hex.EncodeToString(sum[:20])
}

func TestRules(t *testing.T) {
	Run(t, func() *family.Family { return network.New(network.Options{}) }, []Twins{
		{Rule: "metadata",
			Attack: func(s *Scene) {
				app(s).Run("/usr/bin/curl", "http://169.254.169.254/").Fail(115, "connect").Connect("169.254.169.254:80")
			},
			Benign: func(s *Scene) {
				app(s).Connect("169.254.20.10:53")
				s.Node("/usr/bin/cloud-init").Connect("169.254.169.254:80").Refused(101, "169.254.169.254:80")
				app(s).Refused(101, "169.254.1.1:80").Refused(106, "169.254.169.254:80").Refused(22, "169.254.169.254:80") // connected already; no address
			}},
		{Rule: "node-service",
			Attack: func(s *Scene) {
				app(s).Run("/usr/bin/curl", "-k", "https://10.0.0.5:10250/pods").Connect("10.0.0.5:10250")
			},
			Benign: func(s *Scene) {
				s.Container("metrics:1", "/metrics-server").Connect("10.0.0.5:10250")
				s.Container("etcd:1", "/usr/local/bin/etcd").Enter("/usr/local/bin/etcdctl", "endpoint", "health").Connect("127.0.0.1:2379")
			}},
		{Rule: "api-server",
			Attack: func(s *Scene) { app(s).Run("/usr/bin/kubectl", "get", "secrets").Connect("10.96.0.1:6443") },
			Benign: func(s *Scene) {
				app(s).Connect("10.96.0.1:6443").Run("/usr/bin/curl", "https://example.com").Connect("93.184.216.34:443")
			}},
		{Rule: "raw-socket",
			Attack: func(s *Scene) {
				app(s).Run("/usr/sbin/tcpdump").Do("socket", nil, "domain", 17, "type", 3, "proto", 768)
			},
			Benign: func(s *Scene) {
				app(s).Run("/bin/ping", "x").Do("socket", nil, "domain", 2, "type", 3, "proto", 1)
				s.Container("vip:1", "/usr/sbin/keepalived").Do("socket", nil, "domain", 17, "type", 3)
				app(s).Fail(1, "socket", "domain", 17, "type", 3)
			}},
		{Rule: "scan",
			Attack: func(s *Scene) {
				c := app(s).RunUpper("/tmp/fscan")
				for i := range 200 {
					c.Connect(fmt.Sprintf("10.0.%d.7:445", i))
				}
			},
			Benign: func(s *Scene) {
				p := s.Container("prom:1", "/bin/prometheus")
				c := app(s)
				spark := s.Container("spark:3", "/opt/java/bin/java", "-cp", "spark.jar")
				for i := range 45 {
					spark.Connect(fmt.Sprintf("10.0.1.%d:7077", i)).Connect(fmt.Sprintf("10.0.0.9:%d", 40000+i)) // its workers
				}
				for i := range 200 {
					p.Connect(fmt.Sprintf("10.0.%d.7:9100", i))
					c.Connect(fmt.Sprintf("10.0.0.%d:5432", i%5))
					c.Connect(fmt.Sprintf("203.0.113.%d:443", i))
				}
			}},
		{Rule: "dns-tunnel",
			Attack: func(s *Scene) {
				c := app(s)
				for i := range 60 {
					c.Asks(encoded(i)+".t.evil.example", 0)
				}
			},
			Benign: func(s *Scene) {
				c := app(s)
				for i := range 200 {
					c.Asks(encoded(i)+".h.sophosxl.net", 0).Asks(fmt.Sprintf("%d.0.0.10.in-addr.arpa", i), 3).Asks(encoded(i)+".shop.svc.cluster.local", 3)
					c.Asks(fmt.Sprintf("a%d.cdn.example.com", i), 0).Asks("very-long-name-of-a-storage-bucket-1.s3.eu-west-1.amazonaws.com", 0)
				}
			}},
		{Rule: "dns-failures",
			Attack: func(s *Scene) {
				c := app(s)
				for i := range 100 {
					c.Asks(encoded(i)[:9]+".com", 3)
				}
			},
			Benign: func(s *Scene) {
				c := app(s)
				for i := range 200 {
					c.Asks(fmt.Sprintf("h%d.shop.example.com", i), 3)
				}
			}},
		{Rule: "egress-volume",
			Attack: func(s *Scene) {
				c := app(s)
				for range 30 {
					c.Do("flow", Socket("172.17.0.2:40000", "203.0.113.9:443"), "sent", 64<<20, "received", 1<<20)
				}
			},
			Benign: func(s *Scene) {
				c := app(s)
				for range 100 {
					c.Do("flow", Socket("172.17.0.2:40000", "10.0.0.9:443"), "sent", 64<<20, "received", 1<<20)
					served := Socket("172.17.0.2:443", "203.0.113.9:50000")
					served.Server = true
					c.Do("flow", served, "sent", 64<<20, "received", 1<<20)
				}
			}},
	},
		Case{Name: "no way to the metadata service", Fires: "metadata", Do: func(s *Scene) { app(s).Refused(101, "169.254.169.254:80") }},
		Case{Name: "its host is not reached", Fires: "metadata", Do: func(s *Scene) {
			app(s).Run("/usr/bin/curl", "http://169.254.169.254/").Refused(113, "169.254.169.254:80")
		}},
		Case{Name: "ports of one host", Fires: "scan", Do: func(s *Scene) {
			c := app(s).Run("/bin/sh").Run("/usr/bin/nc", "-z", "10.0.0.9", "1-100")
			for i := range 100 {
				c.Connect(fmt.Sprintf("10.0.0.9:%d", 1+i))
			}
		}},
		Case{Name: "api by the environment", Fires: "api-server", Do: func(s *Scene) {
			c := s.ContainerAs(&bulwark.Container{Image: "a:1", Env: []string{"KUBERNETES_SERVICE_HOST=10.96.0.1"}}, "/usr/bin/app")
			c.Run("/usr/bin/curl").Connect("10.96.0.1:443")
		}},
	)
}

// TestRefusedMetadata: what came of the question is said, and a tool that was refused is not told of as one that was not.
func TestRefusedMetadata(t *testing.T) {
	for _, tt := range []struct {
		do    func(*Proc) *Proc
		want  string
		level bulwark.Severity
	}{
		{func(p *Proc) *Proc { return p.Refused(101, "169.254.169.254:80") }, "failed with ENETUNREACH; ", bulwark.SeverityLow},
		{func(p *Proc) *Proc {
			return p.Run("/usr/bin/curl", "http://169.254.169.254/").Refused(113, "169.254.169.254:80")
		}, "EHOSTUNREACH", bulwark.SeverityMedium},
		{func(p *Proc) *Proc {
			return p.Run("/usr/bin/nc", "-w", "1", "169.254.169.254", "80").Refused(512, "169.254.169.254:80")
		}, "connect to 169.254.169.254:80, interrupted by a signal; ", bulwark.SeverityMedium},
		{func(p *Proc) *Proc { return p.Refused(105, "169.254.169.254:80") }, "it came to nothing: ENOBUFS", bulwark.SeverityLow},
		{func(p *Proc) *Proc {
			return p.Run("/usr/bin/curl", "http://169.254.169.254/").Connect("169.254.169.254:80")
		}, "connect to 169.254.169.254:80", bulwark.SeverityHigh},
	} {
		s := NewScene(network.New(network.Options{}), nil)
		tt.do(app(s))
		if len(s.Findings) != 1 || s.Findings[0].Severity != tt.level || !strings.Contains(strings.Join(s.Findings[0].Evidence, "; "), tt.want) {
			t.Errorf("%+v, want one that says %s", s.Findings, tt.want)
		}
	}
}
