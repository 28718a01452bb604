package image

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
)

// Extractor reads accounts, and where package managers and fetchers are told to take
// what nobody vouches for.
type Extractor struct{}

// NewExtractor returns the extractor.
func NewExtractor() *Extractor { return &Extractor{} }

// Info describes the extractor.
func (*Extractor) Info() bulwark.Info {
	return bulwark.Info{Name: name + "/settings", Summary: "Accounts, and settings that trust unchecked packages.", Version: 1}
}

const maxFile = 1 << 20 // bytes

// judge looks at one line of a file, for what is wrong with it: "" if nothing is.
type judge func(line string) (what string, rule *Rule)

// Wants takes the files by name.
func (*Extractor) Wants(f *bulwark.FileInfo) bool {
	return f.Size > 0 && (f.Path == "etc/passwd" || f.Path == "etc/shadow" || judgeOf(f) != nil)
}

// judgeOf gives the judge of a file, nil when it is none of ours.
func judgeOf(f *bulwark.FileInfo) judge {
	if strings.HasPrefix(f.Path, "etc/") {
		if j := judgeOfEtc(f); j != nil {
			return j
		}
	}
	switch f.Base {
	case "pip.conf":
		return pipSetting
	case ".npmrc", "npmrc", ".yarnrc":
		if !strings.Contains(f.Path, "node_modules/") {
			return npmSetting
		}
	case ".curlrc":
		return curlSetting
	case ".wgetrc":
		return wgetSetting
	case ".gitconfig":
		return gitSetting
	}
	return nil
}

// judgeOfEtc gives the judge of a setting of the whole system.
func judgeOfEtc(f *bulwark.FileInfo) judge {
	ext := path.Ext(f.Base)
	switch dir := path.Dir(f.Path); {
	case f.Path == "etc/apt/sources.list", dir == "etc/apt/sources.list.d" && (ext == ".list" || ext == ".sources"):
		return aptSource
	case dir == "etc/apt/apt.conf.d", f.Path == "etc/apt/apt.conf":
		return aptSetting
	case dir == "etc/yum.repos.d" && ext == ".repo", f.Path == "etc/yum.conf", f.Path == "etc/dnf/dnf.conf":
		return yumSetting
	case f.Path == "etc/sudoers", dir == "etc/sudoers.d":
		return sudoSetting
	case f.Path == "etc/wgetrc":
		return wgetSetting
	case f.Path == "etc/gitconfig":
		return gitSetting
	}
	return nil
}

// Extract reads one of them. A longer file is an error wrapping ErrLimit.
func (*Extractor) Extract(_ context.Context, f *bulwark.File) (bulwark.Facts, error) {
	data, err := limit.ReadAll(f.Reader(), maxFile, "settings")
	if err != nil {
		return bulwark.Facts{}, fmt.Errorf("%s is not judged: %w", f.Path, err)
	}
	if f.Path == "etc/passwd" || f.Path == "etc/shadow" {
		return bulwark.Facts{Documents: []bulwark.Document{{Kind: accountsKind, Data: reduceAccounts(data, f.Base == "shadow")}}}, nil
	}
	return bulwark.Facts{Findings: settings(f.Path, data, judgeOf(&f.FileInfo))}, nil
}

const mostSettings = 100 // findings of one file

// settings judges a file line by line.
func settings(file string, data []byte, j judge) []bulwark.Finding {
	var out []bulwark.Finding
	number := 0
	for raw := range bytes.Lines(data) {
		number++
		line := strings.TrimSpace(string(raw))
		if line == "" || strings.ContainsAny(line[:1], "#;") || strings.HasPrefix(line, "//") {
			continue
		}
		what, rule := j(line)
		if what == "" || len(out) >= mostSettings {
			continue
		}
		f := rule.Finding(what, file, what)
		f.Line = number
		out = append(out, *f)
	}
	return out
}

// setting splits "name = value", in lower case.
func setting(line string) (name, value string) {
	name, value, ok := strings.Cut(line, "=")
	if !ok {
		name, value, _ = strings.Cut(line, " ")
	}
	return strings.ToLower(strings.TrimSpace(name)), strings.ToLower(strings.Trim(strings.TrimSpace(value), `"'`))
}

func aptSource(line string) (string, *Rule) {
	l := strings.ToLower(line)
	for _, option := range []string{"trusted", "allow-insecure"} {
		if strings.HasPrefix(l, "deb") && strings.Contains(l, option+"=yes") && strings.Contains(l, "[") || strings.HasPrefix(l, option+":") && strings.HasSuffix(l, "yes") {
			if strings.Contains(l, " file:") || strings.Contains(l, " copy:") || strings.Contains(l, " cdrom:") {
				return "", nil
			}
			return option + "=yes: apt takes packages without a valid signature", &untrustedSource
		}
	}
	if !strings.HasPrefix(l, "deb ") && !strings.HasPrefix(l, "uris:") {
		return "", nil
	}
	for _, w := range strings.Fields(line) {
		if u, err := url.Parse(w); err == nil && u.Scheme == "http" && u.Host != "" && !ofDistribution(u.Hostname()) {
			return "http://" + u.Host + " is asked for packages", &plainSource
		}
	}
	return "", nil
}

// ofDistribution tells whether a host is one of a distribution, whose indexes are
// signed and are asked over http by default.
func ofDistribution(host string) bool {
	for _, d := range []string{"debian.org", "ubuntu.com", "kali.org", "raspbian.org", "raspberrypi.org", "debian.net", "linuxmint.com", "devuan.org"} {
		if host == d || strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return host == "localhost" || host == "127.0.0.1"
}

func aptSetting(line string) (string, *Rule) {
	l := strings.ToLower(line)
	yes := strings.Contains(l, "true") || strings.Contains(l, `"1"`) || strings.Contains(l, "yes") || strings.HasSuffix(l, " 1;")
	no := strings.Contains(l, "false") || strings.Contains(l, `"0"`) || strings.HasSuffix(l, " 0;")
	switch {
	case yes && strings.Contains(l, "allowunauthenticated"):
		return "AllowUnauthenticated: apt installs packages without a signature", &untrustedSource
	case yes && (strings.Contains(l, "allowinsecurerepositories") || strings.Contains(l, "allowdowngradetoinsecurerepositories")):
		return "AllowInsecureRepositories: apt takes indexes without a signature", &untrustedSource
	case no && (strings.Contains(l, "verify-peer") || strings.Contains(l, "verify-host")):
		return "Verify-Peer: apt does not check certificates", &untrustedSource
	}
	return "", nil
}

func yumSetting(line string) (string, *Rule) {
	switch n, v := setting(line); {
	case n == "gpgcheck" && off(v):
		return "gpgcheck=0: packages are taken without a signature", &untrustedSource
	case n == "sslverify" && off(v):
		return "sslverify=0: certificates are not checked", &untrustedSource
	}
	return "", nil
}

func off(v string) bool { return v == "0" || v == "false" || v == "no" || v == "off" }

func pipSetting(line string) (string, *Rule) {
	n, v := setting(line)
	switch {
	case n == "trusted-host":
		return strings.TrimSuffix("trusted-host: pip does not check the certificate of "+firstWord(v), " of "), &untrustedSource
	case (n == "index-url" || n == "extra-index-url") && strings.HasPrefix(v, "http://"):
		return n + ": pip asks " + credentials(firstWord(v)) + " without TLS", &untrustedSource
	}
	return "", nil
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}

func npmSetting(line string) (string, *Rule) {
	n, v := setting(line)
	switch {
	case n == "strict-ssl" && off(v):
		return "strict-ssl=false: certificates are not checked", &untrustedSource
	case (n == "registry" || strings.HasSuffix(n, ":registry")) && strings.HasPrefix(v, "http://") && !strings.HasPrefix(v, "http://localhost") && !strings.HasPrefix(v, "http://127."):
		return "registry: packages are asked of " + credentials(v) + " without TLS", &untrustedSource
	}
	return "", nil
}

func curlSetting(line string) (string, *Rule) {
	if n, v := setting(line); (n == "insecure" || n == "-k" || n == "--insecure") && !off(v) {
		return "insecure: curl does not check certificates", &untrustedSource
	}
	return "", nil
}

func wgetSetting(line string) (string, *Rule) {
	if n, v := setting(line); strings.ReplaceAll(n, "-", "_") == "check_certificate" && off(v) {
		return "check_certificate=off: wget does not check certificates", &untrustedSource
	}
	return "", nil
}

func gitSetting(line string) (string, *Rule) {
	if n, v := setting(line); n == "sslverify" && off(v) {
		return "sslVerify=false: git does not check certificates", &untrustedSource
	}
	return "", nil
}

// sudoSetting finds rules that give a user, other than root, everything without a
// password.
func sudoSetting(line string) (string, *Rule) {
	who := firstWord(strings.ReplaceAll(line, "\t", " "))
	_, commands, ok := strings.Cut(line, "NOPASSWD:")
	if !ok || who == "root" || strings.HasPrefix(who, "Defaults") {
		return "", nil
	}
	for c := range strings.SplitSeq(commands, ",") {
		if strings.TrimSpace(c) == "ALL" {
			return who + " may run everything as root without a password", &noPassword
		}
	}
	return "", nil
}
