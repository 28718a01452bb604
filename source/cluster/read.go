package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"bulwark"
	"bulwark/kube"
)

const atOnce = 4 // lists

// reading is one look at a cluster.
type reading struct {
	*Options
	c      *client
	lean   *lean
	atMost amount
	emit   func(line []byte) error
	count  int

	resources []resource
	shapes    map[string]bool // resources that hold pod templates by their schema
	owners    map[string]bool // uids of objects that say how their pods look

	mu     sync.Mutex
	unseen map[string]string
	why    map[string][]string // what could not be listed, by what was said
	part   map[string]bool     // of these words: all but some was listed
	known  map[string]struct{} // what was given
	taken  amount              // by all lists
	listed int                 // lists that were answered
	notes  []bulwark.Note
}

// read gives the lines of a cluster: begin gets what is known before, emit one line an
// object, in a stable order. The error is why nothing could be read, or emit's.
func (o *Options) read(ctx context.Context, begin func(*header) error, emit func(line []byte) error) (*trailer, *header, error) {
	o.Namespaces = once(o.Namespaces)
	c, err := o.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer c.http.CloseIdleConnections()
	h := &header{Format: format, Cluster: c.name, Namespaces: o.Namespaces, Taken: o.Now}
	if h.Version, err = c.serverVersion(ctx); err != nil {
		return nil, nil, fmt.Errorf("asking %s for its version: %w", c.base.Host, err)
	}
	r := &reading{Options: o, c: c, atMost: cmp.Or(o.atMost, most), emit: emit, lean: &lean{o.Secret, kube.NewHasher(), o.ReadSecrets}, known: map[string]struct{}{}, owners: map[string]bool{}, shapes: map[string]bool{}, unseen: map[string]string{}, why: map[string][]string{}, part: map[string]bool{}}
	if err := r.discover(ctx); err != nil {
		return nil, nil, err
	}
	if err := begin(h); err != nil {
		return nil, nil, err
	}
	if err := r.all(ctx); err != nil {
		return nil, nil, err
	}
	r.tell()
	t := &trailer{Objects: r.count, Notes: r.notes}
	if len(r.unseen) > 0 {
		t.Unseen = r.unseen
	}
	return t, h, nil
}

func (r *reading) discover(ctx context.Context) error {
	has, err := r.c.discover(ctx)
	if err != nil {
		return err
	}
	r.resources = has.resources
	for _, s := range has.stale {
		if group, _, _ := strings.Cut(s, "/"); group == "core" || isWanted(group) {
			r.note("the API server could not say what there is of %s: its extension does not answer", oneLine(s))
		}
	}
	if has.left > 0 {
		r.note("the API server says that it has %d more versions of groups than the %d that were asked for", has.left, mostGroups)
	}
	return nil
}

// all reads everything: definitions first, since they say what else there is to read, pods last.
func (r *reading) all(ctx context.Context) error {
	if err := r.first(ctx); err != nil {
		return err
	}
	for _, names := range []string{betweens, podsOfAll} {
		for _, res := range r.chosen(func(full string) bool { return contains(names, full) }) {
			if err := r.stream(ctx, &res); err != nil {
				return err
			}
		}
	}
	if r.KubeletConfig {
		if err := r.kubelets(ctx); err != nil {
			return err
		}
	}
	if r.listed == 0 {
		return r.nothing()
	}
	return ctx.Err()
}

// chosen gives the resources that are wanted, in a stable order.
func (r *reading) chosen(want func(full string) bool) []resource {
	var list []resource
	for i := range r.resources {
		if res := &r.resources[i]; want(res.String()) && (r.Only == nil || slices.Contains(r.Only, res.String())) {
			list = append(list, *res)
		}
	}
	slices.SortFunc(list, func(a, b resource) int { return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.name, b.name)) })
	return list
}

const definitions = "customresourcedefinitions.apiextensions.k8s.io"

// first reads what is neither a pod nor stands between pods and what people wrote: several
// lists at once, given on in a stable order.
func (r *reading) first(ctx context.Context) error {
	for _, res := range r.chosen(func(full string) bool { return full == definitions }) {
		if err := r.stream(ctx, &res); err != nil {
			return err
		}
	}
	list := r.fewOfEach(r.chosen(func(full string) bool {
		res, group, _ := strings.Cut(full, ".")
		return full != podsOfAll && full != definitions && !contains(betweens, full) && (wants(group, res) || r.shapes[full])
	}))
	lines := make([][][]byte, len(list))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range list {
		g.Go(func() error {
			return r.list(ctx, &list[i], func(line []byte) error {
				lines[i] = append(lines[i], line)
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range lines {
		for _, line := range lines[i] {
			if err := r.give(line); err != nil {
				return err
			}
		}
		lines[i] = nil
	}
	return nil
}

// fewOfEach keeps to what one group may have.
func (r *reading) fewOfEach(list []resource) []resource {
	of := map[string]int{}
	list = slices.DeleteFunc(list, func(res resource) bool {
		of[res.group]++
		return of[res.group] > mostOfOne
	})
	for _, group := range slices.Sorted(maps.Keys(of)) {
		if n := of[group]; n > mostOfOne {
			r.note("the API server says that %s has %d resources, and %d of them were listed", group, n, mostOfOne)
		}
	}
	return list
}

func (r *reading) give(line []byte) error {
	r.count++
	return r.emit(line)
}

func (r *reading) stream(ctx context.Context, res *resource) error { return r.list(ctx, res, r.give) }

// list reads one resource, of all namespaces or of each that was chosen. That it cannot be
// listed is kept for the notes; the error is emit's or the context's.
func (r *reading) list(ctx context.Context, res *resource, emit func([]byte) error) error {
	for _, q := range r.queries(res) {
		var failed error
		part := share{r: r}
		give := func(line []byte) error {
			if err := part.take(line); err != nil {
				return err
			}
			failed = emit(line)
			return failed
		}
		each := func(n *kube.Node) error {
			if line := r.line(res, n); line != nil {
				return give(line)
			}
			return nil
		}
		err := inTime(ctx, func(ctx context.Context) (err error) {
			switch {
			case res.name == "namespaces" && res.group == "" && len(r.Namespaces) > 0:
				return r.oneNamespace(ctx, res, q.namespace, each)
			case res.name == "secrets" && res.group == "" && !r.ReadSecrets:
				return r.secrets(ctx, q, give)
			}
			_, err = r.c.list(ctx, q, each)
			return err
		})
		if failed != nil {
			return failed
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.done(res, q.namespace, err)
	}
	return nil
}

func (r *reading) queries(res *resource) []query {
	if len(r.Namespaces) == 0 || !res.namespaced && res.String() != "namespaces" {
		return []query{{resource: res}}
	}
	var list []query
	for _, ns := range r.Namespaces {
		list = append(list, query{resource: res, namespace: ns})
	}
	return list
}

// line is what is kept of an object; nil when nothing is. What is owned by an object that
// says how its pods look is kept short, and revisions of one that run nothing are left out.
func (r *reading) line(res *resource, n *kube.Node) []byte {
	full := res.String()
	if r.twice(res, n) {
		return nil
	}
	if full == definitions {
		if made, ok := defines(n); ok {
			r.shapes[made] = true
		}
	}
	uid := n.Get("metadata", "uid").Text()
	owned := r.isOwner(ownerOf(n))
	switch {
	case full == podsOfAll && owned:
		return r.lean.ownedPod(res, n)
	case full == "replicasets.apps" && owned && idle(n):
		return nil
	case contains(betweens, full) && owned:
		r.own(uid)
		return r.lean.owned(res, n)
	}
	line := r.lean.object(res, n)
	if full != podsOfAll && templated(line) {
		r.own(uid)
	}
	return line
}

// twice tells whether an object was there already, under another resource of the same kind.
func (r *reading) twice(res *resource, n *kube.Node) bool {
	meta := n.Get("metadata")
	id := res.group + "/" + res.kind + "/" + meta.Get("namespace").Text() + "/" + meta.Get("name").Text()
	r.mu.Lock()
	defer r.mu.Unlock()
	_, was := r.known[id]
	r.known[id] = struct{}{}
	return was
}

// once gives each text once, in their order.
func once(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (r *reading) isOwner(uid string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return uid != "" && r.owners[uid]
}

func (r *reading) own(uid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owners[uid] = true
}

// ownerOf is the uid of the controller of an object.
func ownerOf(n *kube.Node) string {
	for _, ref := range n.Get("metadata", "ownerReferences").Items() {
		if ref.Get("controller").True() {
			return ref.Get("uid").Text()
		}
	}
	return ""
}

// idle tells whether a ReplicaSet runs nothing.
func idle(n *kube.Node) bool {
	want, ok := n.Get("spec", "replicas").Int()
	have, _ := n.Get("status", "replicas").Int()
	return ok && want == 0 && have == 0
}

// templated tells whether an object says how pods look.
func templated(line []byte) bool {
	root, err := kube.ParseJSON(line)
	if err != nil {
		return false
	}
	o, ok := kube.NewObject(root, kube.Origin{})
	return ok && len((&kube.Set{Objects: []*kube.Object{o}}).Workloads()) > 0
}

// oneNamespace reads a namespace that was chosen.
func (r *reading) oneNamespace(ctx context.Context, res *resource, ns string, each func(*kube.Node) error) error {
	n, err := r.c.object(ctx, res.path("")+"/"+ns)
	if errors.Is(err, bulwark.ErrNotFound) {
		return fmt.Errorf("there is no namespace %s: %w", ns, err)
	}
	if err != nil {
		return err
	}
	return each(n)
}
