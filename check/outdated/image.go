package outdated

import (
	"context"
	"fmt"
	"strings"
	"time"

	"bulwark"
)

const (
	// aged is when an image counts as old.
	aged = 365 * 24 * time.Hour
	// plausible is the first year that a build can be of: reproducible builds set their
	// date to 1970 or 1980, which says nothing.
	plausible = 2013
)

// age judges when the image was made. It needs no network.
func (c *Check) age(t *bulwark.Target) *bulwark.Finding {
	if t.Image == nil || c.o.Now.IsZero() || t.Image.Created.Year() < plausible {
		return nil
	}
	age := c.o.Now.Sub(t.Image.Created)
	if age <= aged {
		return nil
	}
	return imageFinding(t, "outdated/image-age",
		fmt.Sprintf("the image was built %d days ago, on %s", age/(24*time.Hour), t.Image.Created.UTC().Format(time.DateOnly)),
		"rebuild the image on the current base image")
}

// imageFinding is a finding about the image as a whole.
func imageFinding(t *bulwark.Target, rule, title, fix string) *bulwark.Finding {
	return &bulwark.Finding{
		Key:  bulwark.Key(bulwark.KindOutdated, rule, "image", ""),
		Kind: bulwark.KindOutdated, Rule: rule, Severity: bulwark.SeverityLow, Title: title, Subject: t.Asset.Name,
		Fix:  &bulwark.Fix{Text: fix},
		Risk: bulwark.Risk(bulwark.Factors{Severity: bulwark.SeverityLow, Fixable: true}),
	}
}

// tag tells whether the image's own tag, or that of the base image it names, leads to
// another image by now.
func (r *run) tag(ctx context.Context, t *bulwark.Target) {
	if r.o.Resolve == nil || t.Image == nil {
		return
	}
	own := t.Asset.Labels["reference"]
	if own == "" {
		own = t.Asset.Name
	}
	_, repoDigest, _ := strings.Cut(t.Asset.Labels["repoDigest"], "@")
	r.moved(ctx, t, "outdated/tag-moved", own, repoDigest, t.Image.ManifestDigest, t.Image.IndexDigest)
	const base = "org.opencontainers.image.base."
	r.moved(ctx, t, "outdated/base-moved", t.Asset.Labels[base+"name"], t.Asset.Labels[base+"digest"])
}

// moved compares the digest that a reference has now with those that are known. A
// reference by digest never moves.
func (r *run) moved(ctx context.Context, t *bulwark.Target, rule, ref string, known ...string) {
	if ref == "" || strings.Contains(ref, "@") || strings.Join(known, "") == "" {
		return
	}
	now, err := r.o.Resolve(ctx, ref)
	if err != nil {
		r.note(true, "whether %s has moved on could not be asked: %v", line(ref), err)
		return
	}
	if now == "" {
		return
	}
	for _, digest := range known {
		if digest == now {
			return
		}
	}
	what := "the tag " + line(ref)
	if rule == "outdated/base-moved" {
		what = "the base image " + line(ref)
	}
	r.findings = append(r.findings, imageFinding(t, rule, what+" has moved on to "+line(now), "pull it again, and rebuild what is built on it"))
}
