// Package cluster reads the objects of a Kubernetes cluster, live from its API server or out
// of a snapshot of what a scan sees.
//
// Both come by the same lines: what the server gives is made lean as it is read (what no
// check looks at is left out, values of Secrets become keyed hashes, what is taken for a
// secret elsewhere becomes a [kube.Masked]), one line of JSON an object. A scan takes the
// objects of these lines; a snapshot keeps them. That is why both find the same.
package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/kube"
)

const name = "source/cluster"

// Options say which cluster is read, and what of it.
type Options struct {
	Kubeconfig string   // file; "" is the user's own, as KUBECONFIG or the home folder have it
	Context    string   // of the kubeconfig; "" is the current one
	Namespaces []string // to look at; nil: all
	// Only are the resources to read ("roles.rbac.authorization.k8s.io"); nil: all that checks
	// look at.
	Only []string
	// ReadSecrets lets values of Secrets be read: what is kept of them is what [kube.Values]
	// tells. Without it the server is asked for their metadata alone.
	ReadSecrets bool
	// KubeletConfig asks each node for its kubelet's settings, by way of the API server. That
	// needs the right to nodes/proxy, which is a way to run anything on the node.
	KubeletConfig bool
	// Secret tells whether a text is the value of a secret, by the name of what it is given to
	// ("" when it has none). nil: none is.
	Secret func(name, value string) bool
	// Page is how many objects are asked for at once; 0: 500.
	Page int
	Now  time.Time // by which certificates and tokens have expired; zero: none has
	// Of tests, which do not wait between tries and have small answers.
	wait   func(context.Context, time.Duration) error
	most   int64         // bytes of an answer
	slow   time.Duration // for an answer
	atMost amount        // of a cluster
}

// Source opens live clusters; a reference is the name of a context, "" or "cluster" the
// one of Options.
type Source struct{ Options }

var _ bulwark.Source = (*Source)(nil)

// Open reads the cluster. What the user may not list is told of in the target's notes and in
// [kube.Cluster.Unseen]. It fails when the server cannot be reached (ErrUnavailable), does
// not take the credentials or is not who it should be (ErrUntrusted), or lets the user list
// nothing at all.
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	o := s.Options
	o.Context = contextOf(ref, o.Context)
	k := newKeeper()
	end, head, err := o.read(ctx, func(h *header) error { return nil }, k.line)
	if err != nil {
		return nil, err
	}
	return k.target(head, end), nil
}

// contextOf is the context that a reference names.
func contextOf(ref, normal string) string {
	if ref == "cluster" {
		ref = ""
	}
	return cmp.Or(ref, normal)
}

// header is what is known before the objects.
type header struct {
	Format     string    `json:"bulwark"`
	Cluster    string    `json:"cluster"`
	Version    string    `json:"version,omitempty"` // of the API server
	Namespaces []string  `json:"namespaces,omitempty"`
	Taken      time.Time `json:"taken,omitzero"`
}

// trailer is what is known after them.
type trailer struct {
	Objects int               `json:"objects"`
	Unseen  map[string]string `json:"unseen,omitempty"`
	Notes   []bulwark.Note    `json:"notes,omitempty"`
}

// Budgets of one cluster.
const (
	maxObject  = 8 << 20 // bytes of one object; etcd keeps less than 2 MB
	maxLines   = 1 << 30 // bytes of all lean objects
	maxValues  = 8 << 20 // values in all lean objects together, of about 100 bytes each
	maxObjects = 2 << 20
)

// keeper makes a target of lines.
type keeper struct {
	set    *kube.Set
	parser kube.Parser
	bytes  int64
	values int
	most   int                 // values
	once   map[string]struct{} // what there is; nil: nothing comes twice
}

func newKeeper() *keeper { return &keeper{set: &kube.Set{}, most: maxValues} }

// line takes one object. What is no object is left out.
func (k *keeper) line(b []byte) error {
	k.bytes += int64(len(b))
	k.values += valuesIn(b)
	if k.bytes > maxLines || k.values > k.most || len(k.set.Objects) >= maxObjects {
		return fmt.Errorf("a cluster of more than %d objects, %d MB or %d values: %w (choose with --namespaces)", maxObjects, maxLines>>20, k.most, bulwark.ErrLimit)
	}
	root, err := k.parser.Parse(b)
	if err != nil {
		return err
	}
	o, ok := kube.NewObject(root, kube.Origin{})
	if !ok {
		return fmt.Errorf("%w: a line that is no object", bulwark.ErrMalformed)
	}
	if k.once != nil {
		id := o.Group() + "/" + o.ID()
		if _, twice := k.once[id]; twice {
			return fmt.Errorf("%w: %.200s is there twice", bulwark.ErrMalformed, o.ID())
		}
		k.once[id] = struct{}{}
	}
	k.set.Objects = append(k.set.Objects, o)
	return nil
}

// valuesIn is about how many values a text of JSON holds, and never much less.
func valuesIn(b []byte) int {
	n := 1
	for _, c := range b {
		if c == ',' || c == '[' || c == '{' {
			n++
		}
	}
	return n
}

func (k *keeper) target(h *header, end *trailer) *bulwark.Target {
	k.set.Cluster = &kube.Cluster{Name: h.Cluster, Version: h.Version, Unseen: end.Unseen, Namespaces: h.Namespaces}
	labels := map[string]string{"version": h.Version, "objects": k.set.Size()}
	if len(h.Namespaces) > 0 {
		labels["namespaces"] = strings.Join(h.Namespaces, ",")
	}
	return &bulwark.Target{
		Asset:     bulwark.Asset{ID: bulwark.AssetID("k8s:" + h.Cluster), Kind: "cluster", Name: h.Cluster, Labels: labels},
		Inventory: &bulwark.Inventory{}, Objects: k.set, Notes: slices.Clone(end.Notes),
	}
}
