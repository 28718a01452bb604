package cluster

import (
	"strings"

	"bulwark"
	"bulwark/internal/lazyregexp"
)

// systems reads what nodes call their operating system.
var systems = []struct {
	pattern *lazyregexp.Regexp
	id      string
}{
	{lazyregexp.New(`^Ubuntu (\d+\.\d+)`), "ubuntu"},
	{lazyregexp.New(`^Debian GNU/Linux (\d+)`), "debian"},
	{lazyregexp.New(`^Alpine Linux v(\d+\.\d+)`), "alpine"},
	{lazyregexp.New(`^AlmaLinux (\d+(?:\.\d+)?)`), "almalinux"},
	{lazyregexp.New(`^Rocky Linux (\d+(?:\.\d+)?)`), "rocky"},
	{lazyregexp.New(`^Red Hat Enterprise Linux (?:Server )?(\d+(?:\.\d+)?) `), "rhel"},
	{lazyregexp.New(`^CentOS (?:Linux|Stream) (\d+)`), "centos"},
	{lazyregexp.New(`^Oracle Linux Server (\d+(?:\.\d+)?)`), "ol"},
	{lazyregexp.New(`^Amazon Linux (\d+)`), "amzn"},
	{lazyregexp.New(`^Fedora (?:Linux |CoreOS )(\d+)`), "fedora"},
	{lazyregexp.New(`^openSUSE Leap (\d+\.\d+)`), "opensuse-leap"},
}

var sles = lazyregexp.New(`^SUSE Linux Enterprise Server (\d+)(?: SP(\d+))?`)

// releaseOf reads a node's osImage, which is the PRETTY_NAME of its os-release; nil when it
// is none that is known.
func releaseOf(image string) *bulwark.Release {
	for _, s := range systems {
		if m := s.pattern.FindStringSubmatch(image); m != nil {
			return &bulwark.Release{ID: s.id, VersionID: m[1], Name: image}
		}
	}
	if m := sles.FindStringSubmatch(image); m != nil {
		return &bulwark.Release{ID: "sles", VersionID: strings.TrimSuffix(m[1]+"."+m[2], "."), Name: image}
	}
	return nil
}

const (
	kernelName = "kernel"
	systemName = "operating system"
)

var (
	ubuntuKernel = lazyregexp.New(`^(\d+\.\d+)(\.\d+-\d+)-([a-z]+)(?:-64k)?$`)
	debianKernel = lazyregexp.New(`^(\d+\.\d+\.\d+)\+deb\d+(?:\.\d+)?(?:\+\d+)?-`)
	alpineKernel = lazyregexp.New(`^(\d+\.\d+\.\d+)-(\d+)-([a-z]+)$`)
	redHatKernel = lazyregexp.New(`^(\d+\.\d+\.\d+-[\w.]+\.el\d+\w*)\.(?:x86_64|aarch64|s390x|ppc64le)$`)
)

// generalKernel is the line of kernels that an Ubuntu release began with; others have a
// source package of their own.
var generalKernel = map[string]string{"18.04": "4.15", "20.04": "5.4", "22.04": "5.15", "24.04": "6.8"}

// kernel is the package that a running kernel is of, with a version that is never below its
// own: where uname leaves out the end of a version, the highest is taken, so that fixes which
// it may have do not count as missing. ok is false when the name does not tell.
func kernel(r *bulwark.Release, uname string) (pkg bulwark.Package, ok bool) {
	source := func(format, name, version string) (bulwark.Package, bool) {
		return bulwark.Package{Name: name, Version: version, Format: format, Source: &bulwark.SourcePackage{Name: name, Version: version},
			PURL: "pkg:" + format + "/" + r.ID + "/" + name + "@" + strings.ReplaceAll(uname, "+", "%2B") + "?distro=" + r.ID + "-" + r.VersionID}, true
	}
	switch r.ID {
	case "ubuntu":
		m := ubuntuKernel.FindStringSubmatch(uname)
		if m == nil {
			return pkg, false
		}
		name := "linux"
		if m[3] != "generic" && m[3] != "lowlatency" {
			name += "-" + m[3]
		}
		general := generalKernel[r.VersionID]
		switch {
		case general == "":
			return pkg, false
		case general != m[1] && name == "linux":
			name += "-hwe-" + m[1]
		case general != m[1]:
			name += "-" + m[1]
		}
		return source("deb", name, m[1]+m[2]+".99999")
	case "debian":
		if m := debianKernel.FindStringSubmatch(uname); m != nil {
			return source("deb", "linux", m[1]+"-99")
		}
	case "alpine":
		if m := alpineKernel.FindStringSubmatch(uname); m != nil {
			return source("apk", "linux-"+m[3], m[1]+"-r"+m[2])
		}
	case "almalinux", "rocky", "rhel", "centos":
		if m := redHatKernel.FindStringSubmatch(uname); m != nil {
			return source("rpm", "kernel", m[1])
		}
	}
	return pkg, false
}
