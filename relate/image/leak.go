package image

import (
	"strings"

	"bulwark"
	"bulwark/relate/internal/name"
)

// opens says what a credential found in an image opens, by a word of the rule that found it.
var opens = []struct{ word, provider string }{
	{"aws", "aws"}, {"amazon", "aws"}, {"gcp", "gcp"}, {"google", "gcp"}, {"azure", "azure"}, {"alibaba", "alibaba"}, {"digitalocean", "digitalocean"},
	{"cloudflare", "cloudflare"}, {"heroku", "heroku"},
}

// leaks relates a container to what credentials in its image open: a Secret of the cluster
// that has the same value, or an identity of a cloud.
func (r *Relater) leaks(c Container, findings []bulwark.Finding) (list []bulwark.Relation) {
	for i := range findings {
		f := &findings[i]
		if f.Kind != bulwark.KindSecret {
			continue
		}
		for _, to := range r.opened(f) {
			one := bulwark.Relation{
				From: c.Vertex, To: to, Type: "LEAKED_SECRET", Likelihood: 0.9, Text: "reads it in the image: " + f.Path,
				Place: &c.Place, Because: []string{f.Key},
			}
			if f.Fix != nil {
				one.Remedies = []string{bulwark.RemedyOf(f)}
			}
			list = append(list, one)
		}
	}
	return list
}

func (r *Relater) opened(f *bulwark.Finding) (list []bulwark.VertexID) {
	for _, d := range digests(f) {
		if v, ok := r.secrets[d]; ok {
			list = append(list, v)
		}
	}
	for _, o := range opens {
		if strings.Contains(f.Rule, o.word) {
			return append(list, name.Cloud(o.provider, "key in "+strings.TrimPrefix(f.Path, "/")))
		}
	}
	return list
}
