package image

import (
	"fmt"
	"path"
	"strings"
)

// insecure are settings that turn the checking of certificates off: the variable, and
// the values with which it does. An empty list: any value but an empty one.
var insecure = map[string][]string{
	"NODE_TLS_REJECT_UNAUTHORIZED": {"0"},
	"NPM_CONFIG_STRICT_SSL":        {"false"},
	"YARN_STRICT_SSL":              {"false"},
	"PYTHONHTTPSVERIFY":            {"0"},
	"PIP_TRUSTED_HOST":             {},
	"GIT_SSL_NO_VERIFY":            {"1", "true"},
	"GONOSUMCHECK":                 {"1"},
	"GOSUMDB":                      {"off"},
	"GOINSECURE":                   {},
	"REQUESTS_CA_BUNDLE_DISABLE":   {"1"},
	"HELM_INSECURE_SKIP_TLS":       {"true"},
	"VAULT_SKIP_VERIFY":            {"1", "true"},
	"BUNDLE_SSL_VERIFY_MODE":       {"0"},
	"CURL_INSECURE":                {"1", "true"},
	"UV_INSECURE_HOST":             {},
}

// fetchers are those that matter when something is installed alone.
var fetchers = map[string]bool{"NPM_CONFIG_STRICT_SSL": true, "YARN_STRICT_SSL": true, "PIP_TRUSTED_HOST": true, "GOSUMDB": true, "GOINSECURE": true, "GONOSUMCHECK": true, "BUNDLE_SSL_VERIFY_MODE": true, "UV_INSECURE_HOST": true}

// environment judges the variables.
func (s *subject) environment() {
	for _, e := range s.Env {
		name, value, _ := strings.Cut(e, "=")
		switch upper := strings.ToUpper(name); {
		case isInsecure(upper, value):
			f := tlsOff.Finding("ENV "+name, "", fmt.Sprintf("%s is set to %q", name, value[strings.LastIndexByte(value, '@')+1:]))
			if fetchers[upper] {
				tlsOff.Rate(f, medium)
			}
			s.emit(f)
		case name == "LD_PRELOAD" && value != "" && !allocators(value):
			s.emit(preload.Finding("ENV LD_PRELOAD", "", "LD_PRELOAD is set to "+value))
		case name == "PATH":
			s.path(value)
		case secretName(name) && weak(value):
			s.emit(envSecret.Finding("ENV "+name, "", fmt.Sprintf("%s has a value of %d characters that is easily guessed", name, len(value))))
		}
	}
}

func isInsecure(name, value string) bool {
	values, ok := insecure[name]
	if !ok || value == "" {
		return false
	}
	for _, v := range values {
		if strings.EqualFold(v, value) {
			return true
		}
	}
	return len(values) == 0
}

// allocators tells whether only known memory allocators are loaded.
func allocators(value string) bool {
	for _, lib := range strings.FieldsFunc(value, func(r rune) bool { return r == ':' || r == ' ' }) {
		base := path.Base(lib)
		if !strings.Contains(base, "jemalloc") && !strings.Contains(base, "tcmalloc") && !strings.Contains(base, "mimalloc") && !strings.HasPrefix(base, "libnss_wrapper") {
			return false
		}
	}
	return true
}

// path finds folders of others in front of or among those where root looks for
// programs.
func (s *subject) path(value string) {
	if !s.runsAsRoot() {
		return
	}
	for _, dir := range strings.Split(value, ":") {
		clean := path.Clean(dir)
		switch {
		case dir == "":
			s.emit(writablePath.Finding("ENV PATH", "", "PATH has an empty entry, which is the current folder"))
		case !strings.HasPrefix(dir, "/") && !strings.HasPrefix(dir, "$"):
			s.emit(writablePath.Finding("ENV PATH", "", "PATH has the relative folder "+dir))
		case clean == "/tmp" || clean == "/var/tmp" || clean == "/dev/shm" || strings.HasPrefix(clean, "/tmp/"),
			s.openFolder(strings.TrimPrefix(clean, "/")):
			s.emit(writablePath.Finding("ENV PATH", "", "PATH has the folder "+dir+", where everybody may write"))
		default:
			continue
		}
		return
	}
}
