package workload

import (
	"path"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// tokens is where the kubelet puts a token unless the pods say otherwise.
const tokens = "/var/run/secrets/kubernetes.io/serviceaccount"

// identity relates a container to the account whose token it has.
func (p *pods) identity(c *kube.Container, at bulwark.VertexID) {
	account := name.Account(p.Namespace, p.ServiceAccount())
	if v, ok := p.projected(c); ok {
		r := bulwark.Relation{From: at, To: account, Type: "IDENTITY_ASSUME", Text: "uses the token in the volume " + v}
		p.remedy(&r, p.id+" token in "+v, "take the serviceAccountToken out of the volume "+v+" of "+p.id+", unless it asks the API server", nil)
		p.at(&r, "volumes")
		p.assume(r, v)
	}
	if p.automounts() && !mountedAt(c, tokens) {
		r := bulwark.Relation{From: at, To: account, Type: "IDENTITY_ASSUME", Text: "uses the token in the pod"}
		p.known.Because(&r, p.id, "secrets/token-without-need")
		p.remedy(&r, p.id+" automountServiceAccountToken", "set automountServiceAccountToken: false in "+p.id+", unless it asks the API server",
			p.Object, kube.Put(false, p.Path("automountServiceAccountToken")...))
		p.at(&r, "automountServiceAccountToken")
		p.assume(r, "kube-api-access")
	}
}

// assume takes a relation by which a container has a token, and relates the volume in which
// that is.
func (p *pods) assume(r bulwark.Relation, volume string) {
	p.to.Relation(r)
	token := p.token(volume)
	found := r
	found.To, found.Type, found.Text = token, "VOLUME_DISCOVER", "has the volume with the token"
	found.Likelihood = longer
	p.to.Relation(found)
	if !p.opened[token] {
		p.opened[token] = true
		p.lies(token)
		p.to.Relation(bulwark.Relation{From: token, To: r.To, Type: "TOKEN_STEAL", Text: "has a token of the account"})
	}
}

// longer keeps the way by the volume, which is the same, behind that by the token.
const longer = 0.95

func (p *pods) token(volume string) bulwark.VertexID { return name.Volume(p.id + "/" + volume) }

// automounts tells whether the kubelet gives the pods a token. What pods say counts more than
// what their account says.
func (p *pods) automounts() bool {
	if auto := p.Spec.AutomountServiceAccountToken; auto != nil {
		return *auto
	}
	account := p.set.Find(p.Namespace + "/ServiceAccount/" + p.ServiceAccount())
	return account == nil || !account.Root.Get("automountServiceAccountToken").False()
}

// projected is the volume of a container that has a token for the API server. One for another
// audience opens nothing there.
func (p *pods) projected(c *kube.Container) (volume string, ok bool) {
	for i := range c.VolumeMounts {
		if v := p.volume(c.VolumeMounts[i].Name); v != nil && p.projection(v).token {
			return v.Name, true
		}
	}
	return "", false
}

var apiAudience = map[string]bool{"": true, "https://kubernetes.default.svc": true, "https://kubernetes.default.svc.cluster.local": true, "api": true, "kubernetes": true, "k3s": true}

func mountedAt(c *kube.Container, dir string) bool {
	for _, m := range c.VolumeMounts {
		if path.Clean(m.MountPath) == dir {
			return true
		}
	}
	return false
}
