package kube

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"bulwark"
)

// Set is all objects of a target, in a stable order, with an index over them. It is complete
// once it is handed out; everything it gives is shared and not to be changed.
type Set struct {
	Objects []*Object
	// Broken are documents that could not be read.
	Broken []Broken
	// Cluster says what is known of a live cluster, or of a snapshot of one; nil for manifests,
	// where what is not there may be elsewhere.
	Cluster *Cluster
	// Engine is true when the objects are containers that engines run on a machine, each as the
	// Pod that it would be, and the engines themselves.
	Engine bool
	// Read gives the bytes of a file of the target as it was read or is now, by the name that Origin.File
	// and Location.File have: a manifest, a template, a patch, a chart's values.yaml. The error
	// wraps ErrNotFound where there is none (also of what came from standard input or out of a
	// packed chart). nil: the objects come from no files.
	Read func(file string) ([]byte, error)
	// Render renders the chart that o came from once more, in the same way (kube version,
	// release, values of the user), with the values laid over all others: maps are merged,
	// anything else takes the place of what is there. It gives all objects of that rendering,
	// or why it fails. nil: no object comes from a chart. Location.Values are paths in these
	// values, and of the file values.yaml in the folder Origin.Chart.
	Render func(ctx context.Context, o *Object, values map[string]any) ([]*Object, error)

	memo      sync.Map // reflect.Type -> func() any
	once      sync.Once
	byKind    map[string][]*Object
	byID      map[string]*Object
	workloads []*Workload
}

// Cluster is what a cluster is besides its objects.
type Cluster struct {
	Name    string // of the context
	Version string // of the API server: "v1.37.2"
	// Unseen are resources that could not be listed, with why: "secrets: forbidden".
	Unseen map[string]string
	// Namespaces are those that were looked at; nil: all.
	Namespaces []string
}

// Broken is a document that could not be read.
type Broken struct {
	File string
	Line int
	Err  error
}

// Of gives the objects of a target; nil when it declares none.
func Of(t *bulwark.Target) *Set {
	s, _ := t.Objects.(*Set)
	return s
}

// Memo gives what build makes of the set: once for each T, and shared from then on. An
// engine over all objects is built so, however many checks ask it.
func Memo[T any](s *Set, build func(*Set) *T) *T {
	t := reflect.TypeFor[T]()
	v, ok := s.memo.Load(t)
	if !ok {
		v, _ = s.memo.LoadOrStore(t, sync.OnceValue(func() any { return build(s) }))
	}
	return v.(func() any)().(*T)
}

// Len is how many objects there are.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.Objects)
}

// Size says how many objects and workloads there are: "38 objects, 22 workloads".
func (s *Set) Size() string {
	count := func(n int, what string) string {
		if n != 1 {
			what += "s"
		}
		return fmt.Sprint(n, " ", what)
	}
	return count(s.Len(), "object") + ", " + count(len(s.Workloads()), "workload")
}

func (s *Set) index() {
	s.once.Do(func() {
		slices.SortStableFunc(s.Objects, func(a, b *Object) int {
			return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Origin.File, b.Origin.File), cmp.Compare(a.Origin.Line, b.Origin.Line))
		})
		s.byKind, s.byID = map[string][]*Object{}, make(map[string]*Object, len(s.Objects))
		for _, o := range s.Objects {
			s.byKind[o.Kind] = append(s.byKind[o.Kind], o)
			if s.byID[o.ID()] == nil {
				s.byID[o.ID()] = o
			}
		}
		s.workloads = workloads(s.Objects)
	})
}

// Kind gives the objects of a kind of a group, by namespace and name: Kind("", "Service"),
// Kind("rbac.authorization.k8s.io", "Role").
func (s *Set) Kind(group, kind string) []*Object {
	if s == nil {
		return nil
	}
	s.index()
	all := s.byKind[kind]
	for i, o := range all {
		if o.Group() != group {
			list := slices.Clone(all[:i])
			for _, o := range all[i:] {
				if o.Group() == group {
					list = append(list, o)
				}
			}
			return list
		}
	}
	return all
}

// Find gives the object that [Object.ID] names; nil when there is none.
func (s *Set) Find(id string) *Object {
	if s == nil {
		return nil
	}
	s.index()
	return s.byID[id]
}

// Workloads gives everything that runs pods, by namespace, kind and name. Pods that another
// object of the set owns are part of that.
func (s *Set) Workloads() []*Workload {
	if s == nil {
		return nil
	}
	s.index()
	return s.workloads
}
