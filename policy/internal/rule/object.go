package rule

import (
	"strings"

	k8slabels "k8s.io/apimachinery/pkg/labels"

	"bulwark"
	"bulwark/kube"
)

// Object is a condition on the declared object that a finding is about; an empty part of it
// is met by every object.
type Object struct {
	ID        string // glob: "default/Deployment/*"
	Namespace string // glob
	Kind      string // glob
	Labels    k8slabels.Selector
}

// is tells whether the finding is about such an object. Labels are known of objects of the
// set alone; what is no object there is none at all, when there is a set.
func (c *Object) is(f *bulwark.Finding, s *kube.Set) bool {
	o := s.Find(f.Subject)
	if o == nil {
		return s == nil && c.Labels == nil && c.named(f.Subject)
	}
	return (c.ID == "" || Glob(c.ID, f.Subject)) && (c.Namespace == "" || Glob(c.Namespace, o.Namespace)) && (c.Kind == "" || Glob(c.Kind, o.Kind)) &&
		(c.Labels == nil || c.Labels.Matches(k8slabels.Set(o.Labels)))
}

// named decides by the id alone: "namespace/Kind/name", "Kind/name".
func (c *Object) named(id string) bool {
	parts := strings.Split(id, "/")
	if len(parts) != 2 && len(parts) != 3 {
		return false
	}
	namespace, kind := "", parts[0]
	if len(parts) == 3 {
		namespace, kind = parts[0], parts[1]
	}
	return (c.ID == "" || Glob(c.ID, id)) && (c.Namespace == "" || Glob(c.Namespace, namespace)) && (c.Kind == "" || Glob(c.Kind, kind))
}

// coversLines tells whether every place of the finding is within the lines.
func (r *Rule) coversLines(f *bulwark.Finding) bool {
	within := func(line int) bool { return r.Lines[0] <= line && line <= r.Lines[1] }
	for _, p := range f.Places {
		if !within(p.Line) {
			return false
		}
	}
	return within(f.Line)
}
