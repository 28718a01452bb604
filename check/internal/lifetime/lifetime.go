// Package lifetime reads end-of-life data: which product and release a version belongs
// to, whether it has ended, and what comes after it.
package lifetime

import (
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory"
)

// distributions maps os-release's ID to endoflife.date's name where they differ.
var distributions = map[string]string{
	"alpine": "alpine-linux", "amzn": "amazon-linux", "ol": "oracle-linux", "rocky": "rocky-linux",
	"opensuse-leap": "opensuse", "sles_sap": "sles", "sled": "sles", "photon": "vmware-photon",
	"sle-micro": "suse-linux-micro", "sl-micro": "suse-linux-micro", "redhat": "rhel", "eurolinux": "eurolinux",
}

// ProductOf is endoflife.date's name of a distribution.
func ProductOf(r *bulwark.Release) string {
	id := strings.ToLower(r.ID)
	if id == "centos" && strings.Contains(r.Name, "Stream") {
		return "centos-stream"
	}
	if name, ok := distributions[id]; ok {
		return name
	}
	return id
}

// CycleOf finds the release that a version belongs to: its cycle is the version or the
// version's beginning, the longest one that there is.
func CycleOf(p advisory.Product, version string) (advisory.ProductRelease, bool) {
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

// Over tells whether a last day of support has passed.
func Over(last, now time.Time) bool { return !now.Before(last.AddDate(0, 0, 1)) }

// Ended tells whether standard support of a release is over.
func Ended(r advisory.ProductRelease, now time.Time) bool {
	return r.Ended || !r.EOL.IsZero() && Over(r.EOL, now)
}

// Extended tells whether extended support of a release, where it has any, still runs.
func Extended(r advisory.ProductRelease, now time.Time) bool {
	return !r.Extended.IsZero() && !Over(r.Extended, now)
}

// Successor is the newest release that is supported: of those with long-term support
// where the product has any, because who runs an old release wants to stay.
func Successor(p advisory.Product, from advisory.ProductRelease, now time.Time) (advisory.ProductRelease, bool) {
	var best advisory.ProductRelease
	found := false
	for _, r := range p.Releases {
		if r.Cycle == from.Cycle || Ended(r, now) || r.Released.After(now) || !r.Released.After(from.Released) {
			continue
		}
		if !found || r.LTS && !best.LTS || r.LTS == best.LTS && r.Released.After(best.Released) {
			best, found = r, true
		}
	}
	return best, found
}
