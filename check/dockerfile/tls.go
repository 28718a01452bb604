package dockerfile

import (
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
)

// unchecked is the switch that turns the check of certificates off; "" without one.
func unchecked(c *df.Command) string {
	switch c.Name {
	case "curl":
		for _, a := range c.Args {
			if a == "--insecure" || a == "--proxy-insecure" || isShort(a, 'k', "oOHdXuAeTwmbcDFKQrtUxyYzE") {
				return a
			}
		}
	case "wget":
		if c.Has("--no-check-certificate") {
			return "--no-check-certificate"
		}
	case "aria2c":
		if c.Has("--check-certificate=false") {
			return "--check-certificate=false"
		}
	case "git":
		for _, a := range c.Args {
			if l := strings.ToLower(a); l == "http.sslverify=false" || l == "http.sslverify" && c.Has("false", "0") {
				return a
			}
		}
	case "npm", "yarn", "pnpm":
		if c.Has("strict-ssl=false", "--strict-ssl=false", "--no-strict-ssl") || c.Has("strict-ssl") && c.Has("false") {
			return "strict-ssl"
		}
	case "conda", "mamba":
		if c.Has("ssl_verify") && c.Has("false", "False", "no") {
			return "ssl_verify"
		}
	case "composer":
		if c.Has("disable-tls") && c.Has("true") {
			return "disable-tls"
		}
	case "dnf", "yum", "microdnf":
		if c.Has("--setopt=sslverify=false", "--setopt=sslverify=0", "--setopt=*.sslverify=0") {
			return "sslverify"
		}
	case "apt-get", "apt":
		for _, a := range c.Args {
			if strings.Contains(strings.ToLower(a), "verify-peer=false") {
				return a
			}
		}
	}
	for _, a := range c.Assigns {
		if offSwitch(a.Name, a.Value) {
			return a.Name
		}
	}
	if c.Name == "export" {
		for _, a := range c.Args {
			if k, v, ok := strings.Cut(a, "="); ok && offSwitch(k, v) {
				return k
			}
		}
	}
	return ""
}

// isShort tells whether a bundle of single-letter flags has the letter, before one that takes a value.
func isShort(a string, letter byte, valued string) bool {
	if len(a) < 2 || a[0] != '-' || a[1] == '-' {
		return false
	}
	for i := 1; i < len(a); i++ {
		if a[i] == letter {
			return true
		}
		if strings.IndexByte(valued, a[i]) >= 0 {
			return false
		}
	}
	return false
}

// offSwitch tells whether a variable turns checks of certificates off.
func offSwitch(key, value string) bool {
	off := value == "0" || strings.EqualFold(value, "false") || strings.EqualFold(value, "no") || strings.EqualFold(value, "off")
	on := value == "1" || strings.EqualFold(value, "true") || strings.EqualFold(value, "yes") || strings.EqualFold(value, "on")
	switch strings.ToUpper(key) {
	case "NODE_TLS_REJECT_UNAUTHORIZED", "PYTHONHTTPSVERIFY", "NPM_CONFIG_STRICT_SSL", "YARN_STRICT_SSL", "YARN_ENABLE_STRICT_SSL", "CONDA_SSL_VERIFY":
		return off
	case "GIT_SSL_NO_VERIFY", "COMPOSER_DISABLE_TLS", "HELM_KUBEINSECURESKIPTLSVERIFY":
		return on || strings.ToUpper(key) == "GIT_SSL_NO_VERIFY" && value != ""
	}
	return false
}

// insecure judges checks of certificates that are turned off.
func (s *script) insecure(c *df.Command) {
	what := unchecked(c)
	if what == "" {
		return
	}
	if list := addresses(c); len(list) > 0 && isLocal(list[0]) || s.i.Name == "healthcheck" {
		return
	}
	r := s.about(noTLSCheck, c, c.Name+" "+what)
	if s.verified {
		r.rate(bulwark.SeverityLow)
	}
}
