package sbom

import (
	"cmp"
	"strings"

	"bulwark"
	"bulwark/internal/ecosystem"
	"bulwark/internal/purl"
)

// upstream reads the source package from Syft's qualifier: "src" or "src@version", for
// rpm the file name of the source package. A source package (arch=source) and a
// package without the qualifier are their own.
func upstream(u purl.PURL, version string) *bulwark.SourcePackage {
	s := u.Qualifiers["upstream"]
	if s == "" {
		return nil
	}
	if u.Type == "rpm" {
		return sourceRPM(s, version)
	}
	name, v, _ := strings.Cut(s, "@")
	if name == "" {
		return nil
	}
	return &bulwark.SourcePackage{Name: name, Version: cmp.Or(v, version)}
}

// sourceRPM reads "openssl-1.1.1k-6.el8.src.rpm". The epoch is not in it and is the
// binary package's, as far as anyone can tell.
func sourceRPM(file, version string) *bulwark.SourcePackage {
	nvr := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".src"), ".nosrc")
	release := strings.LastIndexByte(nvr, '-')
	if release <= 0 {
		return &bulwark.SourcePackage{Name: nvr, Version: version}
	}
	v := strings.LastIndexByte(nvr[:release], '-')
	if v <= 0 {
		return &bulwark.SourcePackage{Name: nvr, Version: version}
	}
	own := nvr[v+1:]
	if epoch, _, ok := strings.Cut(version, ":"); ok {
		own = epoch + ":" + own
	}
	return &bulwark.SourcePackage{Name: nvr[:v], Version: own}
}

// trivySource reads the source package from Trivy's properties.
func trivySource(props map[string]string) *bulwark.SourcePackage {
	const prefix = "aquasecurity:trivy:Src"
	name, v := props[prefix+"Name"], props[prefix+"Version"]
	if name == "" || v == "" {
		return nil
	}
	if e := props[prefix+"Epoch"]; e != "" && e != "0" {
		v = e + ":" + v
	}
	if r := props[prefix+"Release"]; r != "" {
		v += "-" + r
	}
	return &bulwark.SourcePackage{Name: name, Version: v}
}

// syftSource reads the source package from the properties that Syft writes beside its
// qualifier, for documents whose package URLs have lost it.
func syftSource(typ string, props map[string]string, name, version string) *bulwark.SourcePackage {
	const prefix = "syft:metadata:"
	src := &bulwark.SourcePackage{Version: version}
	switch typ {
	case "deb":
		src.Name, src.Version = props[prefix+"source"], cmp.Or(props[prefix+"sourceVersion"], version)
	case "apk":
		src.Name = props[prefix+"originPackage"]
	case "rpm":
		if file := props[prefix+"sourceRpm"]; strings.HasSuffix(file, ".rpm") {
			src = sourceRPM(file, version)
		}
	}
	if src.Name == "" || src.Name == name && src.Version == version {
		return nil
	}
	return src
}

// builtFrom reads the source package from what Trivy writes into SPDX: "built package
// from: openssl 3.0.11-1~deb12u2".
func builtFrom(info string) *bulwark.SourcePackage {
	rest, ok := strings.CutPrefix(info, "built package from: ")
	if !ok {
		return nil
	}
	name, v, ok := strings.Cut(rest, " ")
	if !ok || name == "" || v == "" {
		return nil
	}
	return &bulwark.SourcePackage{Name: name, Version: strings.TrimSpace(v)}
}

// acquiredFrom reads the path from what Syft writes into SPDX: "acquired package info
// from DPKG DB: /var/lib/dpkg/status, /usr/share/doc/adduser/copyright".
func acquiredFrom(info string) string {
	_, rest, ok := strings.Cut(info, ": ")
	if !ok || !strings.HasPrefix(info, "acquired package info from ") {
		return ""
	}
	path, _, _ := strings.Cut(rest, ",")
	return strings.TrimSpace(path)
}

// system takes a component that is an operating system.
func (d *document) system(c *component) {
	props := propertiesOf(c.Properties)
	id := cmp.Or(props["syft:distro:id"], c.Name)
	version := cmp.Or(props["syft:distro:versionID"], c.Version)
	if props["bulwark:kind"] != "" { // a target of ours, whose system is told apart
		return
	}
	if id == "" || len(id)+len(version)+len(c.Description)+len(c.CPE) > maxField {
		return
	}
	r := releaseOf(id, version)
	r.Name = first(props["syft:distro:prettyName"], c.Description)
	r.IDLike = first(props["bulwark:release:idLike"], props["syft:distro:idLike:0"])
	r.Codename = first(props["bulwark:release:codename"], props["syft:distro:versionCodename"], r.Codename)
	r.Point = first(props["bulwark:release:point"], r.Point)
	r.CPE = c.CPE
	d.systems = append(d.systems, r)
}

// releaseOf names a distribution as os-release does, whatever a document calls it.
func releaseOf(id, version string) *bulwark.Release {
	id = strings.ToLower(id)
	u := purl.PURL{Type: "deb", Namespace: id, Qualifiers: map[string]string{"distro": id}}
	if version != "" {
		u.Qualifiers["distro"] = id + "-" + version
	}
	r := *ecosystem.ReleaseOfPURL(u)
	r.VersionID = cmp.Or(r.VersionID, version)
	return point(r)
}

// point keeps a point release where os-release has none: "12.5" of Debian 12.
func point(r bulwark.Release) *bulwark.Release {
	if major, _, ok := strings.Cut(r.VersionID, "."); ok && r.ID == "debian" {
		r.VersionID, r.Point = major, cmp.Or(r.Point, r.VersionID)
	}
	return &r
}
