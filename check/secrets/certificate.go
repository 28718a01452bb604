package secrets

import (
	"fmt"
	"strings"
	"time"

	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// certificates gives those that a Secret has for a service: not the authorities that it
// trusts, which stand behind the first.
func certificates(v *kube.Values) []struct {
	key string
	kube.Certificate
} {
	var list []struct {
		key string
		kube.Certificate
	}
	for i := range v.Keys {
		k := &v.Keys[i]
		if len(k.Certificates) > 0 && k.Name != "ca.crt" {
			list = append(list, struct {
				key string
				kube.Certificate
			}{k.Name, k.Certificates[0]})
		}
	}
	return list
}

// shown tells whether an Ingress or Gateway shows a certificate to its clients.
func shown(s *kube.Set, o *kube.Object) bool {
	for _, i := range s.Kind("networking.k8s.io", "Ingress") {
		for _, t := range i.Root.Get("spec", "tls").Items() {
			if i.Namespace == o.Namespace && t.Get("secretName").Text() == o.Name {
				return true
			}
		}
	}
	for _, g := range s.Kind("gateway.networking.k8s.io", "Gateway") {
		for _, l := range g.Root.Get("spec", "listeners").Items() {
			for _, ref := range l.Get("tls", "certificateRefs").Items() {
				ns := ref.Get("namespace").Text()
				if ref.Get("name").Text() == o.Name && (ns == o.Namespace || ns == "" && g.Namespace == o.Namespace) {
					return true
				}
			}
		}
	}
	return false
}

func (opt Options) expired(h *posture.Hits, o *kube.Object) {
	for _, c := range certificates(values(h, o)) {
		if opt.Now.IsZero() || !c.NotAfter.Before(opt.Now) {
			continue
		}
		hit := posture.Hit{Object: o, Path: pathOf(o, c.key), Evidence: fmt.Sprintf("%s: the certificate of %s expired on %s", c.key, nameOf(&c.Certificate), c.NotAfter.Format(time.DateOnly))}
		if shown(h.Set, o) {
			hit.Severity = high
		}
		h.Add(hit)
	}
}

func nameOf(c *kube.Certificate) string {
	if len(c.Names) > 0 {
		return c.Names[0]
	}
	if c.Subject != "" {
		return c.Subject
	}
	return "nobody named"
}

func (opt Options) expiring(h *posture.Hits, o *kube.Object) {
	limit := soon
	if managed(o) != "" {
		limit = renewedSoon
	}
	for _, c := range certificates(values(h, o)) {
		left := c.NotAfter.Sub(opt.Now)
		if opt.Now.IsZero() || left < 0 || left > limit || c.NotAfter.Sub(c.NotBefore) < 2*limit {
			continue
		}
		hit := posture.Hit{Object: o, Path: pathOf(o, c.key), Evidence: fmt.Sprintf("%s: the certificate of %s expires on %s", c.key, nameOf(&c.Certificate), c.NotAfter.Format(time.DateOnly))}
		if left < renewedSoon {
			hit.Severity = medium
		}
		h.Add(hit)
	}
}

func weakKey(h *posture.Hits, o *kube.Object) {
	v := values(h, o)
	for i := range v.Keys {
		k := &v.Keys[i]
		for j := range k.Certificates {
			c := &k.Certificates[j]
			if c.Algorithm == "RSA" && c.Bits < 2048 || c.Algorithm == "ECDSA" && c.Bits < 224 {
				h.Add(posture.Hit{Object: o, Path: pathOf(o, k.Name), Evidence: fmt.Sprintf("%s: the certificate of %s has a key of %s with %d bits", k.Name, nameOf(c), c.Algorithm, c.Bits)})
			}
			if !c.SelfSigned && (strings.HasPrefix(c.Signature, "MD5") || strings.HasPrefix(c.Signature, "SHA1") || strings.HasSuffix(c.Signature, "SHA1")) {
				h.Add(posture.Hit{Object: o, Path: pathOf(o, k.Name), Evidence: fmt.Sprintf("%s: the certificate of %s is signed with %s", k.Name, nameOf(c), c.Signature)})
			}
		}
		if p := k.PrivateKey; p != nil && len(k.Certificates) == 0 && (p.Algorithm == "RSA" && p.Bits < 2048) {
			h.Add(posture.Hit{Object: o, Path: pathOf(o, k.Name), Evidence: fmt.Sprintf("%s: a key of RSA with %d bits", k.Name, p.Bits)})
		}
	}
}
