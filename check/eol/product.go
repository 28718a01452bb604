package eol

import (
	"strings"

	"bulwark"
	"bulwark/advisory"
)

// distributions maps os-release's ID to endoflife.date's name where they differ.
var distributions = map[string]string{
	"alpine": "alpine-linux", "amzn": "amazon-linux", "ol": "oracle-linux", "rocky": "rocky-linux",
	"opensuse-leap": "opensuse", "sles_sap": "sles", "sled": "sles", "photon": "vmware-photon",
	"sle-micro": "suse-linux-micro", "sl-micro": "suse-linux-micro", "redhat": "rhel", "eurolinux": "eurolinux",
}

// programs maps names of programs to products where they differ and the data does
// not tell. A Java runtime does not say who built it: Temurin's dates are those of the
// builds most images hold.
var programs = map[string]string{
	"java": "eclipse-temurin", "jre": "eclipse-temurin", "jdk": "eclipse-temurin", "openjdk": "eclipse-temurin",
	"golang": "go", "postgres": "postgresql", "httpd": "apache-http-server", "apache": "apache-http-server",
	"mongod": "mongodb", "redis-server": "redis", "mysqld": "mysql", "mariadbd": "mariadb", "dotnet-runtime": "dotnet",
}

func productOf(r *bulwark.Release) string {
	id := strings.ToLower(r.ID)
	if id == "centos" && strings.Contains(r.Name, "Stream") {
		return "centos-stream"
	}
	if name, ok := distributions[id]; ok {
		return name
	}
	return id
}

// cycleOf finds the release that a version belongs to: its cycle is the version or the
// version's beginning, the longest one that there is.
func cycleOf(p advisory.Product, version string) (advisory.ProductRelease, bool) {
	v := numeric(version)
	if p.Name == "eclipse-temurin" {
		v = strings.TrimPrefix(v, "1.") // Java 8 calls itself 1.8
	}
	for v != "" {
		for _, r := range p.Releases {
			if r.Cycle == v {
				return r, true
			}
		}
		v = v[:max(strings.LastIndexByte(v, '.'), 0)]
	}
	return advisory.ProductRelease{}, false
}

// numeric is the beginning of a version that holds digits and dots alone.
func numeric(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest // an epoch
	}
	version = strings.TrimPrefix(strings.TrimPrefix(version, "go"), "v")
	end := strings.IndexFunc(version, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end >= 0 {
		version = version[:end]
	}
	return strings.Trim(version, ".")
}
