package cluster

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"
)

// strong are the cipher suites that nothing is known against.
var strong = func() map[string]bool {
	m := map[string]bool{}
	for _, s := range tls.CipherSuites() {
		if strings.Contains(s.Name, "_GCM_") || strings.Contains(s.Name, "CHACHA20") {
			m[strings.TrimSuffix(s.Name, "_SHA256")] = !strings.HasPrefix(s.Name, "TLS_RSA_")
		}
	}
	return m
}()

// weakSuites are those of a list that are not strong.
func weakSuites(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return strong[strings.TrimSuffix(name, "_SHA256")] })
}

func oldTLS(version string) bool { return version == "VersionTLS10" || version == "VersionTLS11" }

// weakTLS finds flags that allow old versions or weak suites; Go's defaults do not.
func weakTLS(p *program) (string, []any) {
	if f := p.flags["tls-min-version"]; oldTLS(f.value) {
		return "--tls-min-version=" + f.value, f.path
	}
	for _, name := range []string{"tls-cipher-suites", "cipher-suites"} {
		if weak := weakSuites(p.list(name)); len(weak) > 0 {
			return "--" + name + " has " + strings.Join(weak, ", "), p.flags[name].path
		}
	}
	return "", nil
}

// longTimeout finds a timeout of requests above five minutes.
func longTimeout(p *program) (string, []any) {
	f := p.flags["request-timeout"]
	if d, err := time.ParseDuration(f.value); err == nil && (d > 5*time.Minute || d == 0) {
		return "--request-timeout=" + f.value, f.path
	}
	return "", nil
}
