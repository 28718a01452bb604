package rule

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/internal/purl"
)

// Product is what a VEX statement speaks of: a package, or a whole asset (an image,
// an application) and perhaps packages in it.
type Product struct {
	PURLs []string // any of them: of a package, or of an image (pkg:oci, pkg:docker)
	// Digests name an image: "sha256:...".
	Digests []string
	// Name and Version name what has no package URL: it can only be an asset.
	Name, Version string
	// Parts are package URLs within the product; empty: all of it.
	Parts []string
	// Versions narrows a package to these versions; empty: all that PURLs leave.
	Versions []string
}

// Known tells whether there is anything to recognise the product by.
func (p *Product) Known() bool {
	return len(p.PURLs) > 0 || len(p.Digests) > 0 || p.Name != ""
}

func (p *Product) covers(a *bulwark.Asset, f *bulwark.Finding) bool {
	if p.isPackage(f) {
		return p.coversVersion(f) // its parts are inside the package, or the package itself
	}
	if !p.isAsset(a) {
		return false
	}
	return len(p.Parts) == 0 || slices.ContainsFunc(p.Parts, func(part string) bool { return subjectIs(part, f) })
}

func (p *Product) isPackage(f *bulwark.Finding) bool {
	return slices.ContainsFunc(p.PURLs, func(want string) bool { return !isImage(want) && subjectIs(want, f) })
}

func (p *Product) coversVersion(f *bulwark.Finding) bool {
	if len(p.Versions) == 0 {
		return true
	}
	have, err := purl.Parse(f.Subject)
	return err == nil && slices.Contains(p.Versions, have.Version)
}

func (p *Product) isAsset(a *bulwark.Asset) bool {
	if a == nil {
		return false
	}
	if slices.ContainsFunc(p.Digests, func(d string) bool { return hasDigest(a, d) }) {
		return true
	}
	if slices.ContainsFunc(p.PURLs, func(s string) bool { return isImage(s) && imageIs(s, a) }) {
		return true
	}
	return p.Name != "" && nameIs(a.Name, p.Name, p.Version)
}

func isImage(s string) bool {
	return strings.HasPrefix(s, "pkg:oci/") || strings.HasPrefix(s, "pkg:docker/")
}

// imageIs compares an image's package URL with an asset: a digest decides, else the
// repository and, where both have one, the tag.
func imageIs(s string, a *bulwark.Asset) bool {
	p, err := purl.Parse(s)
	if err != nil {
		return false
	}
	if strings.Contains(p.Version, ":") {
		return hasDigest(a, p.Version)
	}
	repository := p.Qualifiers["repository_url"]
	if repository == "" {
		repository = p.FullName()
	}
	tag := p.Qualifiers["tag"]
	if tag == "" {
		tag = p.Version
	}
	return nameIs(a.Name, repository, tag)
}

func hasDigest(a *bulwark.Asset, digest string) bool {
	if digest == "" {
		return false
	}
	if strings.HasSuffix(string(a.ID), ":"+digest) || strings.HasSuffix(a.Name, "@"+digest) {
		return true
	}
	for _, label := range a.Labels {
		if label == digest || strings.HasSuffix(label, "@"+digest) {
			return true
		}
	}
	return false
}

// nameIs compares an asset's name with a repository and tag, or a product and
// version, of which the tag may be missing. The part that both write of the
// repository must be equal: "nginx" means "docker.io/library/nginx".
func nameIs(have, name, tag string) bool {
	if have == name {
		return tag == "" || !hasTag(have) || strings.HasSuffix(have, ":"+tag)
	}
	have, _, _ = strings.Cut(have, "@")
	repository, haveTag := have, ""
	if hasTag(have) {
		i := strings.LastIndexByte(have, ':')
		repository, haveTag = have[:i], have[i+1:]
	}
	if tag != "" && haveTag != "" && tag != haveTag {
		return false
	}
	repository, name = familiar(strings.ToLower(repository)), familiar(strings.ToLower(name))
	return repository == name && name != ""
}

func hasTag(ref string) bool {
	return strings.LastIndexByte(ref, ':') > strings.LastIndexByte(ref, '/')
}

// familiar takes off what Docker's short names leave out.
func familiar(repository string) string {
	repository = strings.TrimPrefix(repository, "index.")
	repository = strings.TrimPrefix(repository, "docker.io/")
	return strings.TrimPrefix(repository, "library/")
}
