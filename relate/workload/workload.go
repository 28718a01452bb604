// Package workload relates pods to what they hold and to the nodes below them: containers,
// accounts, volumes, secrets and what those open, and every setting that lets a container take
// its node.
//
// A setting is a relation for each cause that is enough alone: a container that is privileged
// and adds all capabilities loads a kernel module in two ways, and only both fixes stop it. A
// relation that needs several settings names the findings of all, and the fix of any removes
// it.
package workload

import (
	"context"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/found"
	"bulwark/relate/internal/mend"
	"bulwark/relate/internal/name"

	corev1 "k8s.io/api/core/v1"
)

type relater struct{}

// New makes the relater.
func New() bulwark.Relater { return relater{} }

func (relater) Info() bulwark.Info {
	return bulwark.Info{Name: "relate/workload", Summary: "What pods hold, and how containers take their node", Version: 2}
}

func (relater) Relate(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, findings []bulwark.Finding, to bulwark.Relations) error {
	s := kube.Of(t)
	if s.Len() == 0 {
		return nil
	}
	w := newWorld(s, found.New(findings), to)
	w.asset = t.Asset.ID
	for _, one := range s.Workloads() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if ended(one) {
			continue
		}
		p := &pods{Workload: one, world: w, id: one.ID(), parts: map[string]*parts{}}
		p.relate()
		w.live(one)
	}
	w.shared()
	w.grounds()
	w.missing()
	return w.secrets(ctx)
}

// ended tells whether the cluster says that nothing of a workload runs any more.
func ended(w *kube.Workload) bool {
	status := w.Root.Get("status")
	switch w.Kind {
	case "Pod":
		phase := status.Get("phase").Text()
		return phase == "Succeeded" || phase == "Failed"
	case "Job":
		return status.Get("completionTime").Exists()
	}
	return false
}

// world is what the workloads of a target share.
type world struct {
	set    *kube.Set
	asset  bulwark.AssetID
	known  *found.Findings
	to     bulwark.Relations
	mend   *mend.Maker
	minor  int                // of the cluster's version, 1.minor; 0 when that is not known
	below  map[string]*ground // nodes that pods run on
	adrift bool               // pods run on nodes that are not known
	users  map[bulwark.VertexID][]user
	order  []bulwark.VertexID // of users
	opened map[bulwark.VertexID]bool
	images map[string][]running // by registry
	claims *claims
}

func newWorld(s *kube.Set, known *found.Findings, to bulwark.Relations) *world {
	w := &world{set: s, known: known, to: to, mend: mend.New(s, to), below: map[string]*ground{}, users: map[bulwark.VertexID][]user{}, opened: map[bulwark.VertexID]bool{}, images: map[string][]running{}}
	if s.Cluster != nil {
		if _, rest, ok := strings.Cut(s.Cluster.Version, "."); ok {
			digits, _, _ := strings.Cut(rest, ".")
			w.minor, _ = strconv.Atoi(strings.TrimRight(digits, "+"))
		}
	}
	return w
}

// remedy gives a relation a remedy that is no finding's fix: some edits of an object, where
// there are such.
func (w *world) remedy(r *bulwark.Relation, id, text string, o *kube.Object, edits ...kube.Edit) {
	r.Remedies = append(r.Remedies, w.mend.Remedy(id, text, o, edits...))
}

// pods relates one workload.
type pods struct {
	*kube.Workload
	*world
	id              string // the workload's
	vertex, network bulwark.VertexID
	on              []*ground                 // nodes; none: it is not known which
	nodes           bulwark.VertexID          // see node
	volumes         bulwark.VertexID          // see held
	lying           bool                      // the nodes lead to the volumes
	named           map[string]*corev1.Volume // see volume
	sources         map[string]source         // see hostMounts
	parts           map[string]*parts         // see projection
	lines           []found.Line              // see mounted
	folding         bool                      // see manyPaths
	stranger        bool                      // see live: what its pods are is told
}

// passing is the chance that a container is there to be held which ends before the others
// begin.
const passing = 0.2

func (p *pods) relate() {
	p.vertex, p.network = name.Workload(p.Workload), name.Network(p.Workload)
	p.land()
	for i := range p.Containers {
		c := &p.Containers[i]
		at := name.Container(p.Workload, c)
		r := bulwark.Relation{From: p.vertex, To: at, Type: "CONTAINER_ATTACH", Text: "is in the pod"}
		if name.Passes(c) {
			r.Likelihood, r.Text = passing, "is in the pod, until the others begin"
		}
		p.to.Relation(r)
		p.to.Relation(bulwark.Relation{From: at, To: p.network, Type: "POD_NETWORK", Text: "sends as the pod"})
		if len(p.Containers) == 1 {
			p.to.Relation(bulwark.Relation{From: at, To: p.vertex, Type: "MEMBER_OF", Text: "is all that is in the pod"})
		}
		p.identity(c, at)
		p.holds(c, at)
		p.escapes(c, at)
		p.neighbours(c, at)
		p.runs(c, at)
	}
	p.pulls()
}

// at gives a relation the place of a field of the pods' spec, where it has none.
func (p *pods) at(r *bulwark.Relation, path ...any) {
	if r.Place != nil {
		return
	}
	if l := p.Place(p.Path(path...)...); l.File != "" {
		r.Place = &bulwark.Place{Path: l.File, Line: l.Line}
	}
}

func yes(b *bool) bool { return b != nil && *b }
func no(b *bool) bool  { return b != nil && !*b }
